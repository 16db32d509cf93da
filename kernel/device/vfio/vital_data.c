/* SPDX-License-Identifier: BSD-2-Clause */
/* Cycles of vital product data (PCI Local Bus 3.0, appendix I), each bounded and asleep. */
#include "kernel/cpu/thread.h"
#include "kernel/cpu/time.h"
#include "kernel/lib/string.h"
#include "kernel/pci/registers.h"
#include "kernel/device/vfio/config.h"

#define CYCLE_BOUND_NS (125 * NS_PER_MS) /* as long as Linux waits */
#define CYCLE_POLL_NS  (1 * NS_PER_MS)

/* The device turns the flag when it is done. */
static bool run_cycle(const struct pci_device *d, unsigned at, uint16_t address)
{
    uint64_t deadline = time_ns() + CYCLE_BOUND_NS;

    pci_write16(d, at, address);
    while (!((pci_read16(d, at) ^ address) & PCI_VPD_FLAG)) {
        if (time_expired(deadline))
            return false;
        thread_nap("vital product data", CYCLE_POLL_NS);
    }
    return true;
}

void vfio_config_vital_data(struct vfio_config *c)
{
    unsigned base = c->vital_data;
    uint16_t address;
    uint32_t data;

    memcpy(&address, c->copy + base + PCI_VPD_ADDRESS, sizeof(address));
    memcpy(&data, c->copy + base + PCI_VPD_DATA, sizeof(data));
    if (base == 0 || ((address & PCI_VPD_FLAG) && !c->device->raw_config))
        return;
    if (address & PCI_VPD_FLAG)
        pci_write32(c->device, base + PCI_VPD_DATA, data);
    if (!run_cycle(c->device, base + PCI_VPD_ADDRESS, address))
        return;
    if (!(address & PCI_VPD_FLAG))
        data = pci_read32(c->device, base + PCI_VPD_DATA);
    address ^= PCI_VPD_FLAG;
    memcpy(c->copy + base + PCI_VPD_ADDRESS, &address, sizeof(address));
    memcpy(c->copy + base + PCI_VPD_DATA, &data, sizeof(data));
}
