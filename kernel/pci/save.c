/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers that a reset clears and that software had set, as a table. */
#include "kernel/lib/types.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/reset.h"

/* Where a register is, if not in an extended capability. */
#define HEADER  0x10000
#define EXPRESS 0x10001
#define ACCESS  0x10002 /* the register of access control, which is not always in its place */

/* What functions have that have it. */
enum need {
    BRIDGE = 1, /* a bridge's header */
    LINK = 2,   /* one of PCI Express: they are not inside the root complex */
    SLOT = 4,
    VERSION_2 = 8, /* of the PCI Express capability, which is longer */
};

#define ALL        0xffffffffu
#define LOW        0x0000ffffu /* above is a status, whose bits zeros do not change */
#define AS_IT_SAYS 0
#define CHANNELS(capability)                                                                       \
    {capability, 0, PCI_VC_CONTROL, 1, 0, PCI_VC_CONTROL_SELECT},                                  \
    {                                                                                              \
        capability, 0, PCI_VC_RESOURCE(0), AS_IT_SAYS, 12, ALL & ~PCI_VC_RESOURCE_LOAD             \
    }

/*
 * In the order in which they are written back: sizes of BARs before addresses, latencies and
 * substates before the link may use them, masks before errors are reported, virtual functions when
 * all is known of them, decoding last. All are of 32 bits.
 */
static const struct {
    uint32_t where; /* or an extended capability */
    uint8_t needs;  /* enum need */
    uint8_t offset;
    uint8_t count, stride; /* so many of them, or as many as the capability says */
    uint32_t keep;         /* bits that are written back */
} rows[] = {
    {PCI_EXT_CAP_REBAR, 0, PCI_REBAR_CONTROL(0), AS_IT_SAYS, 8, PCI_REBAR_CONTROL_SIZE},
    {PCI_EXT_CAP_LTR, 0, PCI_LTR_LATENCY, 1, 0, ALL},
    {PCI_EXT_CAP_L1SS, 0, PCI_L1SS_CONTROL2, 1, 0, ALL},
    {PCI_EXT_CAP_L1SS, 0, PCI_L1SS_CONTROL1, 1, 0, ALL},
    {PCI_EXT_CAP_AER, 0, PCI_AER_FATAL_MASK, 2, 4, ALL}, /* and severity */
    {PCI_EXT_CAP_AER, 0, PCI_AER_MASK, 1, 0, ALL},
    {PCI_EXT_CAP_AER, 0, PCI_AER_CONTROL, 1, 0, PCI_AER_CONTROL_ECRC},
    {EXPRESS, 0, PCIE_DEVICE_CONTROL, 1, 0, LOW & ~PCIE_DEVICE_CONTROL_FLR},
    {EXPRESS, BRIDGE, PCIE_DEVICE_CONTROL, 1, 0, LOW}, /* the same bit: passes retry status on */
    {EXPRESS, VERSION_2, PCIE_DEVICE_CTL2, 1, 0, LOW},
    {EXPRESS, VERSION_2, PCIE_LINK_CTL2, 1, 0, LOW},
    {EXPRESS, LINK, PCIE_LINK_CONTROL, 1, 0, LOW},
    {EXPRESS, BRIDGE | SLOT, PCIE_SLOT_CONTROL, 1, 0, LOW},
    CHANNELS(PCI_EXT_CAP_VC),
    CHANNELS(PCI_EXT_CAP_VC_BESIDE),
    CHANNELS(PCI_EXT_CAP_MFVC),
    {PCI_EXT_CAP_PTM, 0, PCI_PTM_CONTROL, 1, 0, ALL},
    {ACCESS, 0, 0, 1, 0, ALL},
    {PCI_EXT_CAP_DPC, 0, PCI_DPC_CAP, 1, 0, ALL & ~LOW},
    {HEADER, 0, PCI_CACHE_LINE, 1, 0, LOW}, /* and the latency timer */
    /* BARs and expansion ROM, or bus numbers and windows. */
    {HEADER, 0, PCI_BAR0, 9, 4, ALL},
    {HEADER, BRIDGE, PCI_ROM_BRIDGE, 1, 0, ALL},
    {HEADER, 0, PCI_INTERRUPT_LINE, 1, 0, 0xff | (LOW & ~PCI_BRIDGE_BUS_RESET) << 16},
    /* QEMU's says after a reset that they are still there: off, then on. */
    {PCI_EXT_CAP_SRIOV, 0, PCI_SRIOV_CONTROL, 1, 0, PCI_SRIOV_CONTROL_ARI},
    {PCI_EXT_CAP_SRIOV, 0, PCI_SRIOV_PAGE, 1 + PCI_BARS, 4, ALL}, /* and BARs */
    {PCI_EXT_CAP_SRIOV, 0, PCI_SRIOV_COUNT, 1, 0, LOW},
    {PCI_EXT_CAP_SRIOV, 0, PCI_SRIOV_CONTROL, 1, 0, LOW},
    {HEADER, 0, PCI_COMMAND, 1, 0, LOW & ~PCI_COMMAND_MASTER},
};

_Static_assert(ARRAY_SIZE(rows) + 1 + 8 + 5 + 6 + 3 * 7 <= PCI_SAVED_MAX,
               "no room for what is saved");

/* What the function has of enum need. */
static unsigned features_of(const struct pci_device *d)
{
    int type = pci_express_type(d);
    uint16_t flags = pci_read16(d, d->cap_pcie + PCIE_FLAGS); /* if it has the capability */
    unsigned features = pci_is_bridge(d) ? BRIDGE : 0;

    if (type != PCIE_ROOT_ENDPOINT && type != PCIE_EVENT_COLLECTOR)
        features |= LINK;
    if (flags & PCIE_FLAGS_SLOT)
        features |= SLOT;
    return (flags & PCIE_FLAGS_VERSION) >= 2 ? features | VERSION_2 : features;
}

/* How many registers of a row the function has, and where the first one is. */
static unsigned find(const struct pci_device *d, size_t row, unsigned *at)
{
    uint32_t where = rows[row].where;
    unsigned base = where == EXPRESS ? d->cap_pcie : where == ACCESS ? d->acs_control & ~3u : 0;

    if (where < HEADER)
        base = pci_find_extended_capability(d, (uint16_t)where);
    *at = base + rows[row].offset;
    if (where != HEADER && !base)
        return 0;
    if (rows[row].count != AS_IT_SAYS)
        return rows[row].count;
    if (where == PCI_EXT_CAP_REBAR)
        return MIN(pci_read32(d, *at) >> PCI_REBAR_CONTROL_COUNT & 7, 6);
    return 1 + (pci_read32(d, base + PCI_VC_CAP) & 7);
}

void pci_save(struct pci_device *device)
{
    unsigned features = features_of(device), at;
    struct pci_saved *saved = device->saved;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].needs & ~features)
            continue;
        for (unsigned n = find(device, i, &at); n; n--, at += rows[i].stride)
            *saved++ = (struct pci_saved){(uint16_t)at, pci_read32(device, at) & rows[i].keep};
    }
    saved[-1].value |= PCI_COMMAND_INTX_DISABLE; /* of the command register */
    device->saved_count = (unsigned)(saved - device->saved);
}

void pci_save_all(void)
{
    struct pci_device *d;

    list_for_each_entry (d, pci_devices(), link)
        if (!d->removed)
            pci_save(d);
}

void pci_config_restore(const struct pci_device *device)
{
    /* Nothing is decoded while addresses change. */
    pci_write16(device, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE);
    for (unsigned i = 0; i < device->saved_count; i++)
        pci_write32(device, device->saved[i].at, device->saved[i].value);
    pci_update_translated(device);
    if (device->ats)
        pci_write16(device, device->cap_ats + PCI_ATS_CONTROL, PCI_ATS_ENABLE);
}

bool pci_bars_lost(const struct pci_device *device)
{
    if (pci_read16(device, PCI_VENDOR) != device->vendor)
        return false; /* it does not answer at all */
    if (device->virtuals &&
        !(pci_read16(device, device->cap_sriov + PCI_SRIOV_CONTROL) & PCI_SRIOV_CONTROL_ENABLE))
        return true;
    for (const struct pci_saved *s = device->saved; s < device->saved + device->saved_count; s++)
        if (s->at >= PCI_BAR0 && s->at < PCI_BAR0 + 4 * PCI_BARS &&
            pci_read32(device, s->at) != s->value)
            return true;
    return false;
}
