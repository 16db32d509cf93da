/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What firmware set up to end the machine at an error is taken back: a request of a device that is
 * blocked or malformed must not become an SMI, an NMI or a machine check. An error leaves a
 * function if SERR# is enabled or a bit of Device Control, whichever (PCI Express Base 6.2.6); so
 * both are off, and a function says nothing but where kernel/pcie/aer.c lets it.
 */
#include "kernel/pci/quiet.h"

#include "kernel/cpu/mmio.h"
#include "kernel/lib/log.h"
#include "kernel/mm/paging/paging.h"
#include "kernel/pci/quirks.h"
#include "kernel/pci/registers.h"

/* Errors that a device makes at will by asking for what it may not have. */
#define AT_WILL (PCI_AER_UNSUPPORTED | PCI_AER_ACCESS_CONTROL)

/* False: they are not set, because there is nothing, or the firmware locked it. */
static bool set_bits(const struct pci_device *d, unsigned offset, uint32_t bits)
{
    pci_write32(d, offset, pci_read32(d, offset) | bits);
    return offset < d->config_size && (pci_read32(d, offset) & bits) == bits;
}

/* Also of what a device sends by itself, whatever it was told: a root port then makes none of it
 * a system error, and a bridge does not pass it on. */
static void mute_port(const struct pci_device *d)
{
    int type = pci_express_type(d);
    unsigned dpc = pci_find_extended_capability(d, PCI_EXT_CAP_DPC);

    if (dpc && (pci_read16(d, dpc + PCI_DPC_CAP) & PCI_DPC_CAP_ROOT)) {
        pci_write32(d, dpc + PCI_DPC_PIO_SYSTEM, 0);
        pci_write32(d, dpc + PCI_DPC_PIO_EXCEPTION, 0);
    }
    if (type == PCIE_ROOT_PORT || type == PCIE_EVENT_COLLECTOR)
        pci_change16(d, d->cap_pcie + PCIE_ROOT_CONTROL, PCIE_ROOT_CONTROL_ERRORS, 0);
    if (pci_is_bridge(d))
        pci_change16(d, PCI_BRIDGE_CONTROL, PCI_BRIDGE_SERR, 0);
}

void pci_quiet(const struct pci_device *device)
{
    unsigned aer = pci_find_extended_capability(device, PCI_EXT_CAP_AER);

    if (aer)
        (void)set_bits(device, aer + PCI_AER_FATAL_MASK, AT_WILL);
    pci_change16(device, PCI_COMMAND, PCI_COMMAND_SERR, 0);
    if (device->cap_pcie)
        pci_change16(device, device->cap_pcie + PCIE_DEVICE_CONTROL, PCIE_DEVICE_CONTROL_ERRORS, 0);
    mute_port(device);
}

/* ---- chipsets that make more of it: Linux and Xen (XSA-59) have these bits ---- */

#define NOT_TAKEN "its register does not take it"

static const char *mask_faults(const struct pci_device *d, const struct pci_machine *m)
{
    return set_bits(d, 0x1ac, BIT(31)) ? NULL : NOT_TAKEN;
}

/* Where the port is a link to the chipset, registers of the same kind are a vendor's own. */
static unsigned find_registers(const struct pci_device *d)
{
    unsigned at = pci_find_extended_capability(d, PCI_EXT_CAP_AER);

    if (at)
        return at;
    while ((at = pci_next_extended_capability(d, PCI_EXT_CAP_VENDOR, at)))
        if ((pci_read32(d, at + 4) & 0xfffff) == 0x10004) /* revision and id */
            return at + 4;
    return 0;
}

static const char *mask_port(const struct pci_device *d, const struct pci_machine *m)
{
    unsigned at = find_registers(d);
    bool taken = set_bits(d, 0x20c, BIT(4));

    if (!at)
        return "it has no registers of errors";
    taken &= set_bits(d, at + PCI_AER_FATAL_MASK, PCI_AER_UNSUPPORTED);
    taken &= set_bits(d, at + PCI_AER_MASK, PCI_AER_ADVISORY);
    return taken ? NULL : NOT_TAKEN;
}

static const char *mask_link(const struct pci_device *d, const struct pci_machine *m)
{
    uint64_t bar = pci_read32(d, 0x68) | (uint64_t)pci_read32(d, 0x6c) << 32;
    paddr_t base = bar & UINT64_C(0x7ffffff000);
    char *registers;
    bool taken;

    if (pci_order(d)) /* a card may say that it is what it likes, but not from here */
        return "it is not where host bridges are";
    if (!(bar & 1) || !base)
        return "the registers are not decoded";
    for (size_t i = 0; i < m->ram_count; i++)
        if (ranges_overlap(base, PAGE_SIZE, m->ram[i].base, m->ram[i].length))
            return "the registers lie over RAM";
    registers = mmio_map(base, PAGE_SIZE);
    if (!registers)
        return "the registers cannot be mapped";
    mmio_write32(registers + 0x1c8, mmio_read32(registers + 0x1c8) | BIT(20));
    taken = mmio_read32(registers + 0x1c8) & BIT(20);
    mmio_unmap(registers, PAGE_SIZE);
    return taken ? NULL : NOT_TAKEN;
}

static const struct {
    enum pci_quirk_kind kind;
    const char *(*mask)(const struct pci_device *d, const struct pci_machine *m); /* or why not */
} escalations[] = {
    {QUIRK_FAULTS_ESCALATE, mask_faults},
    {QUIRK_PORT_ESCALATES, mask_port},
    {QUIRK_LINK_ESCALATES, mask_link},
};

static void stop_escalation(const struct pci_device *d, const struct pci_machine *m)
{
    for (size_t i = 0; i < ARRAY_SIZE(escalations); i++) {
        const struct pci_quirk *quirk = pci_quirk(d, escalations[i].kind);
        const char *failed = quirk ? escalations[i].mask(d, m) : NULL;

        if (failed)
            log_warn("%s: %s, which cannot be masked: %s", pci_name(d), quirk->why, failed);
        else if (quirk)
            log_info("%s: %s: masked", pci_name(d), quirk->why);
    }
}

void pci_quiet_all(const struct pci_machine *machine)
{
    const struct pci_device *d;

    list_for_each_entry (d, pci_devices(), link) {
        if (d->left)
            continue;
        pci_quiet(d);
        stop_escalation(d, machine);
    }
}
