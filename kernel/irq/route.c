/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which interrupt the INTx pin of a device reaches. Firmware tells in byte code (ACPI _PRT), which
 * nobody here reads: it is known of chipsets that have a row below, and else the operator's word.
 */
#include "kernel/cpu/mmio.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/line.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/mm/paging/paging.h"
#include "kernel/pci/pci.h"
#include "kernel/pci/registers.h"

/* The LPC bridge of an ICH9 (its data sheet: 13.1.35, 10.1.46 and following). */
enum ich9 {
    ICH9_COMPLEX = 0xf0, /* where its root complex registers are; bit 0: reachable */
    ICH9_COMPLEX_ENABLE = 1,
    ICH9_COMPLEX_SIZE = 0x4000,
    ICH9_PIRQ_A = 16, /* its interrupt, and so on to H */
    ICH9_PIRQ_E = 20,
};

/* Interrupt routes of devices of the root bus from 25 on, a nibble for each pin; 30 has none. */
static const uint16_t ich9_routes[] = {0x3150, 0x314c, 0x3148, 0x3146, 0x3144, 0, 0x3140};

static unsigned ich9_own_route(const struct pci_device *lpc, unsigned slot, unsigned pin)
{
    uint32_t complex = pci_read32(lpc, ICH9_COMPLEX);
    unsigned gsi = 0;
    char *registers = mmio_map(ALIGN_DOWN(complex, ICH9_COMPLEX_SIZE), ICH9_COMPLEX_SIZE);

    if (registers && (complex & ICH9_COMPLEX_ENABLE))
        gsi = ICH9_PIRQ_A + (mmio_read16(registers + ich9_routes[slot - 25]) >> 4 * pin & 7);
    if (registers)
        mmio_unmap(registers, ICH9_COMPLEX_SIZE);
    return gsi;
}

/* QEMU's q35: PIRQE to H in turn for all slots that are not the chipset's own. */
static unsigned q35_gsi(const struct pci_device *lpc, pci_rid_t rid, unsigned pin)
{
    unsigned slot = PCI_DEVICE(rid);

    if (slot == 30)
        return ICH9_PIRQ_E + pin;
    if (PCI_BUS(rid) != 0 || slot < 25)
        return ICH9_PIRQ_E + (slot + pin) % 4;
    return ich9_own_route(lpc, slot, pin);
}

/*
 * Chipsets by their LPC bridge. The subsystem tells QEMU's machine from silicon, where the slots of
 * the root bus are the board's: the operator's word is needed there.
 */
static const struct wiring {
    uint16_t vendor, device, subsystem_vendor, subsystem_device;
    /* Of pin 0 to 3 of a function on a root bus; 0: not known. */
    unsigned (*gsi)(const struct pci_device *lpc, pci_rid_t rid, unsigned pin);
} wirings[] = {
    /* Source: hw/isa/lpc_ich9.c and hw/pci-bridge/pci_expander_bridge.c of QEMU 7.2. */
    {0x8086, 0x2918, 0x1af4, 0x1100, q35_gsi},
};

static const struct wiring *wiring;
static const struct pci_device *lpc;

static void silence(const struct pci_device *d)
{
    pci_change16(d, PCI_COMMAND, 0, PCI_COMMAND_INTX_DISABLE);
    if (d->cap_msi && !d->left)
        pci_change16(d, d->cap_msi + PCI_MSI_CONTROL, PCI_MSI_ENABLE, 0);
    if (d->cap_msix && !d->left)
        pci_change16(d, d->cap_msix + PCI_MSIX_CONTROL, PCI_MSIX_ENABLE, 0);
}

void irq_routes_init(void)
{
    const struct wiring *w;
    struct pci_device *d;

    list_for_each_entry (d, pci_devices(), link) {
        silence(d);
        for (w = wirings; w < wirings + ARRAY_SIZE(wirings); w++) {
            if (d->vendor != w->vendor || d->device != w->device ||
                d->subsystem_vendor != w->subsystem_vendor ||
                d->subsystem_device != w->subsystem_device)
                continue;
            wiring = w;
            lpc = d;
        }
    }
}

/* Each bridge turns the pins by the slot (PCI-to-PCI bridge specification 1.2, 9.1). */
static unsigned wired_gsi(const struct pci_device *device)
{
    unsigned pin = device->intx_pin - 1u;

    if (!wiring || device->segment != lpc->segment)
        return 0;
    for (; device->bridge; device = device->bridge)
        if (!pci_is_link_head(device->bridge)) /* a link has device 0 only, whatever its id says */
            pin = (PCI_DEVICE(device->rid) + pin) % 4;
    return wiring->gsi(lpc, device->rid, pin);
}

int irq_route(struct pci_device *device, unsigned gsi, struct refusal *why)
{
    const char *name = pci_name(device);

    if (gsi && !device->intx_pin)
        return refuse(why, -EINVAL, "%s has no interrupt pin, so intx=%u means nothing", name, gsi);
    if (gsi && !irq_line_exists(gsi))
        return refuse(why, -EINVAL, "intx=%u of %s: no I/O APIC has this interrupt", gsi, name);
    if (!gsi && device->intx_pin)
        gsi = wired_gsi(device);
    device->intx_gsi = irq_line_exists(gsi) ? (uint16_t)gsi : 0;
    if (device->intx_pin && !device->intx_gsi)
        log_info("%s: no INTx, because it is not known which interrupt its pin reaches (intx=GSI "
                 "says so)",
                 name);
    return 0;
}
