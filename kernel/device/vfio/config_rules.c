/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/device/vfio/config_rules.h"

#include "kernel/pci/registers.h"

#define COMMAND_BITS                                                                               \
    (PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |               \
     PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE)

#define ALL32 0xffffffff

/*
 * Header type 0. The command register is a copy: what reaches the hardware is decided by
 * CONFIG_COMMAND, which never passes on parity and system-error reporting. There is no INTx, so
 * the pin reads as 0; the line is a scratch byte. BIST could stop the device for seconds.
 */
const struct config_field config_header[] = {
    {PCI_COMMAND, 2, CONFIG_COMMAND, 0xffff, COMMAND_BITS},
    {PCI_CACHE_LINE, 2, CONFIG_NOTHING, 0, 0xffff}, /* and the latency timer */
    {PCI_BAR0 + 0, 4, CONFIG_BAR, ALL32, ALL32},
    {PCI_BAR0 + 4, 4, CONFIG_BAR, ALL32, ALL32},
    {PCI_BAR0 + 8, 4, CONFIG_BAR, ALL32, ALL32},
    {PCI_BAR0 + 12, 4, CONFIG_BAR, ALL32, ALL32},
    {PCI_BAR0 + 16, 4, CONFIG_BAR, ALL32, ALL32},
    {PCI_BAR0 + 20, 4, CONFIG_BAR, ALL32, ALL32},
    {PCI_ROM_DEVICE, 4, CONFIG_NOTHING, ALL32, 0}, /* no expansion ROM is offered */
    {PCI_CAPABILITIES, 1, CONFIG_NOTHING, 0xff, 0},
    {PCI_INTERRUPT_LINE, 1, CONFIG_NOTHING, 0xff, 0xff},
    {PCI_INTERRUPT_PIN, 1, CONFIG_NOTHING, 0xff, 0},
};
const size_t config_header_count = ARRAY_SIZE(config_header);

/* The power state is a copy: the device stays at full power, and its memory hides (CONFIG_POWER).
 */
static const struct config_field power[] = {
    {PCI_PM_CONTROL, 2, CONFIG_POWER, 0x8103, PCI_PM_STATE},
};

/* Messages are set up through SET_IRQS; everything here is scratch. Bits that describe are not. */
static const struct config_field msi[] = {
    {2, 2, CONFIG_NOTHING, 0x0071, 0x0071}, /* enable, number of vectors in use */
    {4, 4, CONFIG_NOTHING, ALL32, ALL32},   /* address */
    {8, 4, CONFIG_NOTHING, ALL32, ALL32},   /* upper address or data */
    {12, 4, CONFIG_NOTHING, ALL32, ALL32},  /* data or mask bits */
    {16, 4, CONFIG_NOTHING, ALL32, ALL32},  /* mask or pending bits */
    {20, 4, CONFIG_NOTHING, ALL32, 0},      /* pending bits */
};

static const struct config_field msix[] = {
    {2, 2, CONFIG_NOTHING, 0xc000, 0xc000}, /* enable, mask all */
};

/*
 * Device control: relaxed ordering, no-snoop and the read request size are the driver's; error
 * reporting and payload size concern the bridges above, which are the kernel's.
 */
static const struct config_field express[] = {
    {PCIE_DEVICE_CONTROL, 2, CONFIG_RESET, PCIE_DEVICE_CONTROL_FLR, 0xf810},
};

static const struct config_field advanced_features[] = {
    {PCI_AF_CONTROL, 1, CONFIG_RESET, PCI_AF_FLR, PCI_AF_FLR},
};

static unsigned size_power(const struct pci_device *d, unsigned offset)
{
    return 8;
}

static unsigned size_msi(const struct pci_device *d, unsigned offset)
{
    uint16_t control = pci_read16(d, offset + 2);
    bool wide = control & 0x80, masks = control & 0x100;

    return 10 + (wide ? 4 : 0) + (masks ? 10 : 0);
}

/* Version 2 structures have all registers; of version 1, endpoints have the first five dwords. */
static unsigned size_express(const struct pci_device *d, unsigned offset)
{
    return (pci_read16(d, offset + PCIE_FLAGS) & 15) > 1 ? 60 : 20;
}

static unsigned size_msix(const struct pci_device *d, unsigned offset)
{
    return 12;
}

static unsigned size_advanced_features(const struct pci_device *d, unsigned offset)
{
    return 6;
}

#define FIELDS(f) f, ARRAY_SIZE(f)

/*
 * Vital product data is left out: writing it can ruin a card. So are capabilities that reach past
 * the function (hot plug, bridges, enhanced allocation).
 */
static const struct config_capability capabilities[] = {
    {PCI_CAP_PM, size_power, FIELDS(power)},
    {PCI_CAP_MSI, size_msi, FIELDS(msi)},
    {0x09, NULL, NULL, 0}, /* vendor specific: look, do not touch */
    {PCI_CAP_PCIE, size_express, FIELDS(express)},
    {PCI_CAP_MSIX, size_msix, FIELDS(msix)},
    {PCI_CAP_AF, size_advanced_features, FIELDS(advanced_features)},
};

/*
 * Only what describes: error reporting, serial number, vendor specific. Address translation
 * services, page requests, process ids, SR-IOV, access control, resizable BARs are the kernel's.
 */
static const uint16_t extended[] = {0x0001, 0x0003, 0x000b};

const struct config_capability *config_capability_find(uint8_t id)
{
    for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++)
        if (capabilities[i].id == id)
            return &capabilities[i];
    return NULL;
}

bool config_extended_shown(uint16_t id)
{
    for (size_t i = 0; i < ARRAY_SIZE(extended); i++)
        if (extended[i] == id)
            return true;
    return false;
}
