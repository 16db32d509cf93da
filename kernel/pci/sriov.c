/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/pci/sriov.h"

#include "kernel/cpu/thread.h"
#include "kernel/cpu/time.h"
#include "kernel/lib/error.h"
#include "kernel/pci/place.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/reset.h"

/* How long nothing may be asked: PCI Express Base 9.3.3.3.1. */
#define AFTER_DISABLE_NS (1000 * NS_PER_MS)
#define ON               (PCI_SRIOV_CONTROL_ENABLE | PCI_SRIOV_CONTROL_MEMORY)

static uint16_t get(const struct pci_device *d, unsigned offset)
{
    return pci_read16(d, d->cap_sriov + offset);
}

/* Sets and clears bits of the control register. */
static void control(const struct pci_device *d, uint16_t set, uint16_t clear)
{
    pci_write16(d, d->cap_sriov + PCI_SRIOV_CONTROL,
                (get(d, PCI_SRIOV_CONTROL) & (uint16_t)~clear) | set);
}

void pci_virtual_disable_all(void)
{
    const struct pci_device *d;

    list_for_each_entry (d, pci_devices(), link) {
        if (!d->cap_sriov || d->left || !(get(d, PCI_SRIOV_CONTROL) & ON))
            continue;
        control(d, 0, ON);
        thread_nap("virtual functions", AFTER_DISABLE_NS);
    }
}

/*
 * Lets function numbers above 7 be reached on the device's link, where both ends can do alternative
 * routing ids. The device must know before it says where its virtual functions begin.
 */
static void use_ari(const struct pci_device *device)
{
    const struct pci_device *d, *port = device->bridge;
    unsigned control2;

    if (!port || !pci_is_link_head(port) ||
        !pci_find_extended_capability(device, PCI_EXT_CAP_ARI) ||
        !(pci_read32(port, port->cap_pcie + PCIE_DEVICE_CAP2) & PCIE_DEVICE_CAP2_ARI))
        return;
    control2 = port->cap_pcie + PCIE_DEVICE_CTL2;
    pci_write16(port, control2, pci_read16(port, control2) | PCIE_DEVICE_CTL2_ARI);
    list_for_each_entry (d, pci_devices(), link)
        if (d->bridge == port && d->cap_sriov && !d->left)
            control(d, PCI_SRIOV_CONTROL_ARI, 0);
}

static bool is_taken(uint16_t segment, pci_rid_t rid)
{
    const struct pci_device *d;

    list_for_each_entry (d, pci_devices(), link)
        if (pci_may_send_as(d, segment, rid))
            return true;
    return false;
}

/* Adds the next one, if nothing is in its way. */
static int add(struct pci_device *device, const struct pci_bar bars[PCI_BARS],
               const struct pci_machine *machine, struct refusal *why)
{
    unsigned last = device->bridge ? device->bridge->subordinate : PCI_BUS(device->rid);
    unsigned number = device->virtuals;
    unsigned rid =
        device->rid + get(device, PCI_SRIOV_FIRST) + number * get(device, PCI_SRIOV_STRIDE);
    const char *name = pci_name(device);
    bool beyond = rid >> 8 > last;
    struct pci_device *d;

    if (beyond || is_taken(device->segment, (pci_rid_t)rid))
        return refuse(why, -EINVAL, "virtual function %u of device %s would be %s, which is %s",
                      number, name, pci_rid_name(device->segment, (pci_rid_t)rid),
                      beyond ? "beyond the buses that the firmware gave to the bridge above"
                             : "taken");
    d = pci_add_virtual(device, (pci_rid_t)rid);
    if (!d)
        return refuse(why, -ENOSPC, "there is no room for all virtual functions of %s", name);
    for (unsigned i = 0; i < PCI_BARS; i++) {
        d->bars[i] = bars[i];
        d->bars[i].base += bars[i].size * number;
    }
    return pci_check_resources(d, machine, why);
}

static int switch_on(struct pci_device *device, struct refusal *why)
{
    struct pci_device *d;

    control(device, ON, 0);
    thread_nap("virtual functions", PCI_AFTER_ENABLE_NS);
    (void)pci_come_back_below(device);
    pci_for_each_below (d, device) {
        if (d->in_reset)
            return refuse(why, -EIO, "virtual function %s does not answer", pci_name(d));
        pci_learn(d);
    }
    return 0;
}

int pci_virtual_enable(struct pci_device *device, unsigned count, const struct pci_machine *machine,
                       struct refusal *why)
{
    unsigned most = device->cap_sriov ? get(device, PCI_SRIOV_TOTAL) : 0;
    struct pci_bar bars[PCI_BARS] = {0};
    int error;

    if (count > most)
        return refuse(why, -EINVAL, "device %s has at most %u virtual functions, not %u",
                      pci_name(device), most, count);
    use_ari(device);
    pci_write16(device, device->cap_sriov + PCI_SRIOV_COUNT, (uint16_t)count);
    pci_write32(device, device->cap_sriov + PCI_SRIOV_PAGE, PCI_SRIOV_PAGE_4K);
    pci_size_bars_at(device, device->cap_sriov + PCI_SRIOV_BAR0, PCI_BARS, bars);
    error = pci_place_bars(device, bars, count, machine, why);
    while (!error && device->virtuals < count)
        error = add(device, bars, machine, why);
    if (!error)
        error = switch_on(device, why);
    if (error) {
        control(device, 0, ON);
        pci_forget_virtuals(device);
    }
    return error;
}
