/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device interrupts: vectors, interrupt-remapping entries with source validation, and the MSI or
 * MSI-X messages that point at them; or the line that the device's INTx pin pulls.
 */
#ifndef KERNEL_IRQ_IRQ_H
#define KERNEL_IRQ_IRQ_H

#include "kernel/lib/refusal.h"
#include "kernel/lib/types.h"

struct pci_device;

enum irq_kind {
    IRQ_INTX,
    IRQ_MSI,
    IRQ_MSIX,
};

/* Called with interrupts off; `index` counts from 0 within the device's vectors. */
typedef void (*irq_handler)(void *context, unsigned index);

struct irq_set; /* the vectors of one device that are in use */

/*
 * At the start, with the lines' pins masked: keeps every function from raising its line or sending
 * messages (devices that are left: only the former) until it is enabled here, and learns how the
 * chipset wires the lines. Once, after irq_lines_init(), and before interrupts are remapped: what
 * firmware left on would be refused then, message by message.
 */
void irq_routes_init(void);
/*
 * Says which line the device's pin reaches: `gsi`, or, if that is 0, the one that the chipset is
 * known to wire it to; if none is, it has no INTx, which is told in the log. -EINVAL with a
 * sentence: `gsi` for a device without a pin, or one that no I/O APIC has.
 */
int irq_route(struct pci_device *device, unsigned gsi, struct refusal *why);

/*
 * How many vectors the device offers of a kind; 0 if it lacks the capability, or the line that its
 * pin reaches is not known.
 */
unsigned irq_count(const struct pci_device *device, enum irq_kind kind);

/* Can a message of the device only raise what an entry made for it says? */
bool irq_remapped(const struct pci_device *device);

/*
 * Sets up vectors 0 to count - 1: remapping entries first, then the device. All start masked, where
 * the device has mask bits. MSI rounds up to a power of two. INTx has one, level-triggered: it is
 * masked again each time it fires, before the handler runs. Devices that can be masked one by one
 * share a line. -EINVAL (count), -ENOSPC (no entries or vectors), -ENODEV (no capability), -EBUSY
 * (the line cannot be shared), -EIO, -ENOMEM. Nothing stays changed on failure.
 */
int irq_enable(struct pci_device *device, enum irq_kind kind, unsigned count, irq_handler handler,
               void *context, struct irq_set **out);
/*
 * One more vector of MSI-X while the others go on; masked. Nothing if it is set up already.
 * -EINVAL (the device did not offer it when the others were enabled), -ENOSPC, -EIO.
 */
int irq_add(struct irq_set *set, unsigned index);
/* Programs the device again as it was, masks and all: a reset cleared it. */
void irq_restore(struct irq_set *set);
/* Disables the capability, frees entries (invalidated) and vectors. No handler runs afterwards. */
void irq_disable(struct irq_set *set);
/*
 * Masks a vector in the device, which keeps an interrupt until the mask is lifted (and the message
 * of MSI-X is then written afresh). False: the device has no mask bits (MSI, mostly), and its
 * interrupts reach the handler all the same; or the vector is not set up. Safe in interrupt
 * handlers and during a reset, which it outlasts.
 */
bool irq_mask(struct irq_set *set, unsigned index, bool masked);
bool irq_masked(const struct irq_set *set, unsigned index);
/* Interrupts of devices that arrived on their vectors since boot, masked or not. */
uint64_t irq_arrived(void);

#endif
