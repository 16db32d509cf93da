/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/device/vfio/config_rules.h"

#include "kernel/pci/registers.h"

#define COMMAND_BITS                                                                               \
    (PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |               \
     PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE)

#define ALL32 0xffffffff

/*
 * Header type 0. The command register is a copy: what reaches the hardware is decided by
 * CONFIG_COMMAND, which never passes on parity and system-error reporting. The pin reads as 0 if
 * INTx is not offered; the line is a scratch byte. BIST could stop the device for seconds. BARs and
 * the expansion ROM's come from the device's own (config.c).
 */
const struct config_field config_header[] = {
    {PCI_COMMAND, 2, CONFIG_COMMAND, 0xffff, COMMAND_BITS},
    {PCI_CACHE_LINE, 2, CONFIG_NOTHING, 0, 0xffff}, /* and the latency timer */
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

/* The kernel carries each cycle out, when the byte with the flag was written. */
static const struct config_field vital_data[] = {
    {PCI_VPD_ADDRESS, 1, CONFIG_NOTHING, 0xff, 0xfc},
    {PCI_VPD_ADDRESS + 1, 1, CONFIG_VPD, 0xff, 0xff},
    {PCI_VPD_DATA, 4, CONFIG_NOTHING, ALL32, ALL32},
};

/* Which of the rows the data register shows. */
static const struct config_field power_budget[] = {
    {PCI_PWR_SELECT, 1, CONFIG_NOTHING, 0, 0xff},
};

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

#define FIELDS(f) f, ARRAY_SIZE(f)
#define LOOK_ONLY NULL, NULL, 0 /* read from the hardware, never written */

/*
 * Left out are capabilities that reach past the function: hot plug, bridges, enhanced allocation.
 * A vendor-specific one is its header: what follows is for raw-config to open.
 */
static const struct config_capability capabilities[] = {
    {PCI_CAP_PM, 8, NULL, FIELDS(power)},
    {0x02, 0, LOOK_ONLY}, /* AGP */
    {PCI_CAP_VPD, 8, NULL, FIELDS(vital_data)},
    {PCI_CAP_MSI, 0, size_msi, FIELDS(msi)},
    {0x07, 0, LOOK_ONLY}, /* PCI-X */
    {0x08, 0, LOOK_ONLY}, /* HyperTransport */
    {0x09, 2, LOOK_ONLY}, /* vendor specific */
    {PCI_CAP_PCIE, 0, size_express, FIELDS(express)},
    {PCI_CAP_MSIX, 12, NULL, FIELDS(msix)},
    {0x12, 0, LOOK_ONLY}, /* SATA */
    {PCI_CAP_AF, 6, NULL, FIELDS(advanced_features)},
};

/*
 * Those that Linux shows. Error reporting, access control, translation services, virtual functions
 * and the sizes of BARs are the kernel's. Process ids, page multiplexing, containment, link states
 * and time measurement are left out, there and here.
 */
static const struct config_capability extended[] = {
    {0x0001, 72, LOOK_ONLY}, /* error reporting */
    {0x0002, 0, LOOK_ONLY},  /* virtual channels */
    {0x0003, 12, LOOK_ONLY}, /* serial number */
    {0x0004, 16, NULL, FIELDS(power_budget)},
    {0x0008, 0, LOOK_ONLY}, /* virtual channels of several functions */
    {0x0009, 0, LOOK_ONLY}, /* virtual channels beside those */
    {0x000b, 4, LOOK_ONLY}, /* vendor specific */
    {PCI_EXT_CAP_ACS, 0, LOOK_ONLY},
    {0x000e, 8, LOOK_ONLY}, /* alternative routing ids */
    {PCI_EXT_CAP_ATS, 8, LOOK_ONLY},
    {PCI_EXT_CAP_SRIOV, 64, LOOK_ONLY},
    {0x0012, 48, LOOK_ONLY}, /* multicast */
    {0x0013, 16, LOOK_ONLY}, /* page requests */
    {0x0015, 0, LOOK_ONLY},  /* resizable BARs */
    {0x0016, 0, LOOK_ONLY},  /* dynamic power allocation */
    {0x0017, 0, LOOK_ONLY},  /* processing hints */
    {0x0018, 8, LOOK_ONLY},  /* latency tolerance */
    {0x0023, 4, LOOK_ONLY},  /* designated vendor specific */
};

const struct config_capability *config_capability_find(bool is_extended, uint16_t id)
{
    const struct config_capability *row = is_extended ? extended : capabilities;
    size_t count = is_extended ? ARRAY_SIZE(extended) : ARRAY_SIZE(capabilities);

    for (; count--; row++)
        if (row->id == id)
            return row;
    return NULL;
}
