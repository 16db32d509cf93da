/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hand-over of xHCI (1.2, 7.1) and EHCI (1.0, 2.1.7 and 5.1): two flags, of who owns the
 * controller and of who wants it, in a capability of the same form, and behind it what makes SMIs.
 * The one has it in memory, the other in configuration space.
 */
#include "kernel/pci/usb.h"

#include "kernel/cpu/mmio.h"
#include "kernel/cpu/thread.h"
#include "kernel/cpu/time.h"
#include "kernel/lib/log.h"
#include "kernel/mm/paging/paging.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/reset.h"

#define CLASS_UHCI 0x0c0300
#define CLASS_EHCI 0x0c0320
#define CLASS_XHCI 0x0c0330

#define REACH         (256 * KIB) /* of the first pointer of xHCI */
#define REGISTERS_MIN 0x20
#define STEPS_MAX     32
#define LET_GO_NS     NS_PER_S
#define POLL_NS       (10 * NS_PER_MS)
#define ID_LEGACY     1
#define FIRMWARE_OWNS (1u << 16)
#define SYSTEM_OWNS   (1u << 24)
#define SMI_CONTROL   4
#define SMI_RESERVED  0x000e1fee /* of xHCI: to be written as they are read */
#define SMI_EVENTS    0xe0000000 /* ones clear them */

#define UHCI_LEGACY       0xc0   /* 16 bits of configuration space */
#define UHCI_LEGACY_QUIET 0xaf00 /* no SMIs, none pending, its own interrupt */

/* `keep` is what stays of the register that switches SMIs. */
static void take(const struct pci_device *d, char *legacy, uint32_t keep)
{
    uint64_t deadline = time_ns() + LET_GO_NS;
    const char *name = pci_name(d);
    static struct log_limit limit = {.window_ns = 60 * NS_PER_S, .burst = 8}; /* by each opening */
    bool told = log_admit(&limit);

    if (mmio_read32(legacy) & FIRMWARE_OWNS) {
        log_print(told ? LOG_INFO : LOG_DEBUG,
                  "%s: is taken from the firmware, which had it for USB", name);
        mmio_write32(legacy, mmio_read32(legacy) | SYSTEM_OWNS);
    }
    while ((mmio_read32(legacy) & FIRMWARE_OWNS) && !time_expired(deadline))
        thread_nap("USB hand-over", POLL_NS);
    if (d->removed) /* something else may be in its place */
        return;
    if (mmio_read32(legacy) & FIRMWARE_OWNS) {
        log_print(told ? LOG_WARN : LOG_DEBUG,
                  "%s: the firmware does not let go of it: taken by force", name);
        mmio_write32(legacy, (mmio_read32(legacy) & ~FIRMWARE_OWNS) | SYSTEM_OWNS);
    }
    mmio_write32(legacy + SMI_CONTROL, (mmio_read32(legacy + SMI_CONTROL) & keep) | SMI_EVENTS);
}

/* Pointers are the device's: they may lead anywhere, or in a circle. */
static void take_mapped(const struct pci_device *d, char *registers, unsigned length)
{
    bool xhci = d->class_code == CLASS_XHCI;
    char *base = xhci ? registers : d->config;
    unsigned end = xhci ? length : d->config_size;
    unsigned at = xhci ? (mmio_read32(registers + 0x10) >> 16) * 4
                       : mmio_read32(registers + 0x08) >> 8 & 0xfc;

    for (unsigned i = 0; i < STEPS_MAX && at >= PCI_HEADER_END && at + 8 <= end; i++) {
        uint32_t header = mmio_read32(base + at);
        unsigned next = header >> 8 & 0xff;

        if ((header & 0xff) == ID_LEGACY)
            take(d, base + at, xhci ? SMI_RESERVED : 0);
        if ((header & 0xff) == ID_LEGACY || !next)
            return;
        at = xhci ? at + 4 * next : next & ~3u;
    }
}

void pci_usb_take(const struct pci_device *device)
{
    const struct pci_bar *bar = &device->bars[0];
    unsigned length = (unsigned)MIN(bar->size, REACH);
    bool mapped = device->class_code == CLASS_EHCI || device->class_code == CLASS_XHCI;
    char *registers;

    if (device->removed || device->in_reset)
        return;
    if (device->class_code == CLASS_UHCI)
        pci_write16(device, UHCI_LEGACY, UHCI_LEGACY_QUIET);
    if (!mapped || length < REGISTERS_MIN || !bar->base || (bar->flags & PCI_BAR_IO))
        return;
    registers = mmio_map(bar->base, length);
    if (!registers) {
        log_warn("%s: cannot be mapped, to take it from the firmware", pci_name(device));
        return;
    }
    if (pci_set_power(device, 0) || pci_bars_lost(device))
        pci_config_restore(device); /* else it may need its DMA to let go */
    pci_change16(device, PCI_COMMAND, 0, PCI_COMMAND_MEMORY);
    take_mapped(device, registers, length);
    pci_config_restore(device);
    mmio_unmap(registers, length);
}
