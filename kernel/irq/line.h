/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt lines: the pins of the I/O APICs (Intel 82093AA and its descendants), through interrupt
 * remapping (VT-d specification 5.1.5.1).
 */
#ifndef KERNEL_IRQ_LINE_H
#define KERNEL_IRQ_LINE_H

#include "kernel/machine/acpi/acpi.h"
#include "kernel/irq/irq.h"

struct irq_line;

/*
 * Maps every I/O APIC and masks all their pins, whatever firmware routed through them, but for
 * those that lead into SMM, which do not exist for the rest. Before interrupts are remapped, so
 * that nothing arrives in the old format any more. -ENOMEM; -EINVAL if two of them claim the same
 * interrupt, with a sentence.
 */
int irq_lines_init(const struct acpi_io_apic *described, size_t count, struct refusal *why);

/* Does an I/O APIC have a pin for it? */
bool irq_line_exists(unsigned gsi);
/*
 * Routes a global system interrupt to a handler (called with index 0): level-triggered, active low,
 * as the lines of PCI are. It starts masked, and is masked again each time it fires, before the
 * handler runs: unmask it once the device has been served. Once at a time for a pin. -ENOENT (no
 * such pin), -ENOMEM, -ENOSPC (vectors, entries), -EIO.
 */
int irq_line_enable(unsigned gsi, irq_handler handler, void *context, struct irq_line **out);
void irq_line_mask(struct irq_line *line, bool masked);
/* Masks the pin and frees vector and entry. No handler runs afterwards. */
void irq_line_disable(struct irq_line *line);

#endif
