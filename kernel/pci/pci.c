/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration space, capabilities, and small questions about one function. */
#include "kernel/pci/pci.h"

#include "kernel/cpu/mmio.h"
#include "kernel/lib/error.h"
#include "kernel/lib/format.h"
#include "kernel/pci/registers.h"

static volatile void *at(const struct pci_device *device, unsigned offset, unsigned width)
{
    if (device->removed || offset % width != 0 || offset > device->config_size - width)
        return NULL;
    return (char *)device->config + offset;
}

#define CONFIG_ACCESS(bits)                                                                        \
    uint##bits##_t pci_read##bits(const struct pci_device *device, unsigned offset)                \
    {                                                                                              \
        volatile void *p = at(device, offset, sizeof(uint##bits##_t));                             \
        return p ? mmio_read##bits(p) : UINT##bits##_MAX;                                          \
    }                                                                                              \
    void pci_write##bits(const struct pci_device *device, unsigned offset, uint##bits##_t value)   \
    {                                                                                              \
        volatile void *p = at(device, offset, sizeof(uint##bits##_t));                             \
        if (p)                                                                                     \
            mmio_write##bits(p, value);                                                            \
    }
CONFIG_ACCESS(8)
CONFIG_ACCESS(16)
CONFIG_ACCESS(32)

void pci_change16(const struct pci_device *device, unsigned offset, uint16_t clear, uint16_t set)
{
    uint16_t value = pci_read16(device, offset);

    if (value != UINT16_MAX)
        pci_write16(device, offset, (value & (uint16_t)~clear) | set);
}

uint16_t pci_command_bits(const struct pci_device *device)
{
    return device->intx_on ? 0 : PCI_COMMAND_INTX_DISABLE;
}

unsigned pci_find_capability(const struct pci_device *device, uint8_t id)
{
    unsigned offset;

    if (!(pci_read16(device, PCI_STATUS) & PCI_STATUS_CAPABILITIES))
        return 0;
    offset = pci_read8(device, PCI_CAPABILITIES) & ~3u;
    /* As many steps as capabilities fit: a list that loops ends there. */
    for (unsigned i = 0; i < (256 - PCI_HEADER_END) / 4 && offset >= PCI_HEADER_END; i++) {
        if (pci_read8(device, offset) == id)
            return offset;
        offset = pci_read8(device, offset + 1) & ~3u;
    }
    return 0;
}

unsigned pci_find_extended_capability(const struct pci_device *device, uint16_t id)
{
    return pci_next_extended_capability(device, id, 0);
}

unsigned pci_next_extended_capability(const struct pci_device *device, uint16_t id, unsigned after)
{
    unsigned offset = PCI_EXT_CAP_START;

    if (device->config_size <= PCI_EXT_CAP_START)
        return 0;
    for (unsigned i = 0; i < (4096 - 256) / 4 && offset >= PCI_EXT_CAP_START; i++) {
        uint32_t header = pci_read32(device, offset);

        if (header == 0 || header == 0xffffffff)
            return 0;
        if ((header & 0xffff) == id && offset > after)
            return offset;
        offset = (header >> 20) & ~3u;
    }
    return 0;
}

int pci_express_type(const struct pci_device *device)
{
    if (!device->cap_pcie)
        return -1;
    return (pci_read16(device, device->cap_pcie + PCIE_FLAGS) >> 4) & 15;
}

bool pci_is_bridge(const struct pci_device *device)
{
    return device->header_type == PCI_HEADER_BRIDGE;
}

bool pci_is_link_head(const struct pci_device *device)
{
    int type = pci_express_type(device);

    return pci_is_bridge(device) && (type == PCIE_ROOT_PORT || type == PCIE_DOWNSTREAM_PORT);
}

bool pci_has_slot(const struct pci_device *port)
{
    return pci_is_link_head(port) && port->secondary &&
           (pci_read16(port, port->cap_pcie + PCIE_FLAGS) & PCIE_FLAGS_SLOT) &&
           (pci_read32(port, port->cap_pcie + PCIE_SLOT_CAP) & PCIE_SLOT_CAP_HOT_PLUG);
}

bool pci_answers(const struct pci_device *device)
{
    uint32_t ids = pci_read32(device, PCI_VENDOR);

    if (device->physical)
        return (ids & 0xffff) != PCI_VENDOR_RETRY && pci_read16(device, PCI_COMMAND) != UINT16_MAX;
    return ids == (device->vendor | (uint32_t)device->device << 16);
}

bool pci_is_below(const struct pci_device *device, const struct pci_device *bridge)
{
    if (device->physical && device->physical == bridge)
        return true;
    for (device = device->bridge; device; device = device->bridge)
        if (device == bridge)
            return true;
    return false;
}

int pci_claim(struct pci_device *device, const char *owner)
{
    if (device->removed)
        return -ENODEV;
    if (device->claimed_by)
        return -EBUSY;
    device->claimed_by = owner;
    return 0;
}

void pci_unclaim(struct pci_device *device)
{
    device->claimed_by = NULL;
}

const char *pci_write_rid_name(uint16_t segment, pci_rid_t rid, char buffer[PCI_NAME_SIZE])
{
    format(buffer, PCI_NAME_SIZE, "%04x:%02x:%02x.%u", segment, PCI_BUS(rid), PCI_DEVICE(rid),
           PCI_FUNCTION(rid));
    return buffer;
}
