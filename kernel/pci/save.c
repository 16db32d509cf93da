/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers that a reset clears and that software had set, as a table. */
#include "kernel/lib/types.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/reset.h"

enum place {
    IN_HEADER,
    IN_BRIDGE, /* the header of one */
    IN_PCIE,
    IN_LINK,  /* the same capability, where it has a link, */
    IN_PCIE2, /* and of version 2 */
    IN_REBAR,
    IN_LTR,
    IN_L1SS,
    IN_AER,
    IN_VC,
    IN_PTM,
    IN_ACS,
    PLACES,
};

static const uint16_t extended_capabilities[PLACES] = {
    [IN_REBAR] = PCI_EXT_CAP_REBAR, [IN_LTR] = PCI_EXT_CAP_LTR, [IN_L1SS] = PCI_EXT_CAP_L1SS,
    [IN_AER] = PCI_EXT_CAP_AER,     [IN_VC] = PCI_EXT_CAP_VC,   [IN_PTM] = PCI_EXT_CAP_PTM,
    [IN_ACS] = PCI_EXT_CAP_ACS,
};

#define ALL        0xffffffff
#define ABSENT     (-1)
#define REBAR(n)   IN_REBAR, PCI_REBAR_CONTROL(n), 4, n, PCI_REBAR_CONTROL_SIZE
#define CHANNEL(n) IN_VC, PCI_VC_RESOURCE(n), 4, n, ALL & ~PCI_VC_RESOURCE_LOAD

/*
 * In the order in which they are written back: sizes of BARs before addresses, latencies and
 * substates before the link may use them, decoding last.
 */
static const struct {
    uint8_t place;
    uint8_t offset;
    uint8_t width;
    uint8_t entry; /* of a capability with so many of them, from 0 */
    uint32_t keep; /* bits that are written back */
} saved_registers[] = {
    {REBAR(0)},
    {REBAR(1)},
    {REBAR(2)},
    {REBAR(3)},
    {REBAR(4)},
    {REBAR(5)},
    {IN_LTR, PCI_LTR_LATENCY, 4, 0, ALL},
    {IN_L1SS, PCI_L1SS_CONTROL2, 4, 0, ALL},
    {IN_L1SS, PCI_L1SS_CONTROL1, 4, 0, ALL},
    {IN_PCIE, PCIE_DEVICE_CONTROL, 2, 0, ALL & ~PCIE_DEVICE_CONTROL_FLR},
    {IN_PCIE2, PCIE_DEVICE_CTL2, 2, 0, ALL},
    {IN_PCIE2, PCIE_LINK_CTL2, 2, 0, ALL},
    {IN_LINK, PCIE_LINK_CONTROL, 2, 0, ALL},
    {IN_AER, PCI_AER_FATAL_MASK, 4, 0, ALL},
    {IN_AER, PCI_AER_FATAL_SEVERITY, 4, 0, ALL},
    {IN_AER, PCI_AER_MASK, 4, 0, ALL},
    {IN_AER, PCI_AER_CONTROL, 4, 0, PCI_AER_CONTROL_ECRC},
    {IN_VC, PCI_VC_CONTROL, 2, 0, PCI_VC_CONTROL_SELECT},
    {CHANNEL(0)},
    {CHANNEL(1)},
    {CHANNEL(2)},
    {CHANNEL(3)},
    {CHANNEL(4)},
    {CHANNEL(5)},
    {CHANNEL(6)},
    {CHANNEL(7)},
    {IN_PTM, PCI_PTM_CONTROL, 4, 0, ALL},
    {IN_ACS, PCI_ACS_CONTROL, 2, 0, ALL},
    {IN_HEADER, PCI_CACHE_LINE, 2, 0, ALL}, /* and the latency timer */
    /* BARs, or bus numbers and windows */
    {IN_HEADER, PCI_BAR0 + 0, 4, 0, ALL},
    {IN_HEADER, PCI_BAR0 + 4, 4, 0, ALL},
    {IN_HEADER, PCI_BAR0 + 8, 4, 0, ALL},
    {IN_HEADER, PCI_BAR0 + 12, 4, 0, ALL},
    {IN_HEADER, PCI_BAR0 + 16, 4, 0, ALL},
    {IN_HEADER, PCI_BAR0 + 20, 4, 0, ALL},
    {IN_BRIDGE, PCI_PREFETCH_UPPER, 4, 0, ALL},
    {IN_BRIDGE, PCI_PREFETCH_UPPER + 4, 4, 0, ALL},
    {IN_HEADER, PCI_ROM_DEVICE, 4, 0, ALL}, /* or the upper half of the I/O window */
    {IN_BRIDGE, PCI_ROM_BRIDGE, 4, 0, ALL},
    {IN_HEADER, PCI_INTERRUPT_LINE, 2, 0, 0xff},
    {IN_BRIDGE, PCI_BRIDGE_CONTROL, 2, 0, ALL & ~PCI_BRIDGE_BUS_RESET},
    {IN_HEADER, PCI_COMMAND, 2, 0, ALL & ~PCI_COMMAND_MASTER},
};

_Static_assert(ARRAY_SIZE(saved_registers) <= PCI_SAVED_MAX, "no room for what is saved");

/* Functions inside the root complex have no link. */
static bool has_link(const struct pci_device *d)
{
    int type = pci_express_type(d);

    return d->cap_pcie && type != PCIE_ROOT_ENDPOINT && type != PCIE_EVENT_COLLECTOR;
}

static bool has_version_2(const struct pci_device *d)
{
    return d->cap_pcie && (pci_read16(d, d->cap_pcie + PCIE_FLAGS) & PCIE_FLAGS_VERSION) >= 2;
}

/* Where the registers of a place begin, or ABSENT. */
static int base_of(const struct pci_device *d, enum place place)
{
    unsigned found = d->cap_pcie;

    switch (place) {
    case IN_HEADER:
        return 0;
    case IN_BRIDGE:
        return pci_is_bridge(d) ? 0 : ABSENT;
    case IN_PCIE:
        break;
    case IN_LINK:
        found = has_link(d) ? found : 0;
        break;
    case IN_PCIE2:
        found = has_version_2(d) ? found : 0;
        break;
    default:
        found = pci_find_extended_capability(d, extended_capabilities[place]);
    }
    return found ? (int)found : ABSENT;
}

/* How many entries a capability at `base` has. */
static unsigned entries_of(const struct pci_device *d, enum place place, unsigned base)
{
    if (place == IN_REBAR)
        return pci_read32(d, base + PCI_REBAR_CONTROL(0)) >> PCI_REBAR_CONTROL_COUNT & 7;
    return place == IN_VC ? 1 + (pci_read32(d, base + PCI_VC_CAP) & 7) : 1;
}

static uint32_t read_register(const struct pci_device *d, unsigned offset, unsigned width)
{
    return width == 2 ? pci_read16(d, offset) : pci_read32(d, offset);
}

static void write_register(const struct pci_device *d, unsigned offset, unsigned width,
                           uint32_t value)
{
    if (width == 2)
        pci_write16(d, offset, (uint16_t)value);
    else
        pci_write32(d, offset, value);
}

void pci_save(struct pci_device *device)
{
    unsigned entries[PLACES];
    int bases[PLACES];

    for (unsigned place = 0; place < PLACES; place++) {
        bases[place] = base_of(device, place);
        entries[place] =
            bases[place] == ABSENT ? 0 : entries_of(device, place, (unsigned)bases[place]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(saved_registers); i++) {
        unsigned place = saved_registers[i].place;

        device->saved_at[i] = 0;
        if (saved_registers[i].entry >= entries[place])
            continue;
        device->saved_at[i] = (uint16_t)((unsigned)bases[place] + saved_registers[i].offset);
        device->saved[i] = read_register(device, device->saved_at[i], saved_registers[i].width);
    }
}

void pci_save_all(void)
{
    struct pci_device *d;

    list_for_each_entry (d, pci_devices(), link)
        pci_save(d);
}

void pci_config_restore(const struct pci_device *device)
{
    /* Nothing is decoded while addresses change. */
    pci_write16(device, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE);
    for (size_t i = 0; i < ARRAY_SIZE(saved_registers); i++) {
        uint32_t value = device->saved[i] & saved_registers[i].keep;

        if (saved_registers[i].place == IN_HEADER && saved_registers[i].offset == PCI_COMMAND)
            value |= PCI_COMMAND_INTX_DISABLE;
        if (device->saved_at[i])
            write_register(device, device->saved_at[i], saved_registers[i].width, value);
    }
    if (device->ats)
        pci_write16(device, device->cap_ats + PCI_ATS_CONTROL, PCI_ATS_ENABLE);
}

static bool bar_lost(const struct pci_device *d, unsigned index)
{
    const struct pci_bar *bar = &d->bars[index];
    uint32_t mask = bar->flags & PCI_BAR_IO ? PCI_BAR_IO_MASK : PCI_BAR_MEM_MASK;
    unsigned offset = PCI_BAR0 + 4 * index;

    if (!bar->size || !bar->base)
        return false;
    if ((pci_read32(d, offset) & mask) != (uint32_t)bar->base)
        return true;
    return (bar->flags & PCI_BAR_64) && index + 1 < PCI_BARS &&
           pci_read32(d, offset + 4) != (uint32_t)(bar->base >> 32);
}

bool pci_bars_lost(const struct pci_device *device)
{
    if (pci_read16(device, PCI_VENDOR) != device->vendor)
        return false; /* it does not answer at all */
    for (unsigned i = 0; i < PCI_BARS; i++)
        if (bar_lost(device, i))
            return true;
    return false;
}
