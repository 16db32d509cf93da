/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers that a reset clears and that software had set, as a table. */
#include "kernel/lib/types.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/reset.h"

enum place {
    IN_HEADER,
    IN_PCIE,
    IN_ACS,
};

/* In the order in which they are written back: addresses first, decoding last. */
static const struct {
    uint8_t place;
    uint8_t offset;
    uint8_t width;
    uint32_t keep; /* bits that are written back */
} saved_registers[] = {
    {IN_PCIE, PCIE_DEVICE_CONTROL, 2, 0xffff & ~PCIE_DEVICE_CONTROL_FLR},
    {IN_PCIE, PCIE_LINK_CONTROL, 2, 0xffff},
    {IN_PCIE, PCIE_DEVICE_CTL2, 2, 0xffff},
    {IN_PCIE, PCIE_LINK_CTL2, 2, 0xffff},
    {IN_ACS, PCI_ACS_CONTROL, 2, 0xffff},
    {IN_HEADER, PCI_CACHE_LINE, 2, 0xffff}, /* and the latency timer */
    {IN_HEADER, PCI_BAR0 + 0, 4, 0xffffffff},
    {IN_HEADER, PCI_BAR0 + 4, 4, 0xffffffff},
    {IN_HEADER, PCI_BAR0 + 8, 4, 0xffffffff},
    {IN_HEADER, PCI_BAR0 + 12, 4, 0xffffffff},
    {IN_HEADER, PCI_BAR0 + 16, 4, 0xffffffff},
    {IN_HEADER, PCI_BAR0 + 20, 4, 0xffffffff},
    {IN_HEADER, PCI_ROM_DEVICE, 4, 0xffffffff},
    {IN_HEADER, PCI_INTERRUPT_LINE, 1, 0xff},
    {IN_HEADER, PCI_COMMAND, 2, 0xffff & ~PCI_COMMAND_MASTER},
};

_Static_assert(ARRAY_SIZE(saved_registers) <= PCI_SAVED_MAX, "no room for what is saved");

/* Where register i of the table is, or 0 if the function lacks it. */
static unsigned offset_of(const struct pci_device *d, size_t i)
{
    const unsigned base[] = {0, d->cap_pcie, d->cap_acs};
    unsigned place = saved_registers[i].place;

    if (place != IN_HEADER && base[place] == 0)
        return 0;
    return base[place] + saved_registers[i].offset;
}

static uint32_t read_register(const struct pci_device *d, size_t i)
{
    unsigned offset = offset_of(d, i);

    if (saved_registers[i].width == 1)
        return pci_read8(d, offset);
    return saved_registers[i].width == 2 ? pci_read16(d, offset) : pci_read32(d, offset);
}

void pci_save_all(void)
{
    struct pci_device *d;

    list_for_each_entry (d, pci_devices(), link)
        for (size_t i = 0; i < ARRAY_SIZE(saved_registers); i++)
            d->saved[i] = read_register(d, i);
}

void pci_config_restore(const struct pci_device *device)
{
    for (size_t i = 0; i < ARRAY_SIZE(saved_registers); i++) {
        unsigned offset = offset_of(device, i);
        uint32_t value = device->saved[i] & saved_registers[i].keep;

        if (offset == 0)
            continue;
        if (saved_registers[i].width == 1)
            pci_write8(device, offset, (uint8_t)value);
        else if (saved_registers[i].width == 2)
            pci_write16(device, offset, (uint16_t)value);
        else
            pci_write32(device, offset, value);
    }
    if (device->ats)
        pci_write16(device, device->cap_ats + PCI_ATS_CONTROL, PCI_ATS_ENABLE);
}
