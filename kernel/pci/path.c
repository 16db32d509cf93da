/* SPDX-License-Identifier: BSD-2-Clause */
/* Bus mastering along the path to memory, and the ids that requests carry when they arrive. */
#include "kernel/lib/log.h"
#include "kernel/pci/pci.h"
#include "kernel/pci/registers.h"

void pci_set_bus_master(const struct pci_device *device, bool on)
{
    pci_change16(device, PCI_COMMAND, PCI_COMMAND_MASTER,
                 on && !device->stopped && !device->unserved ? PCI_COMMAND_MASTER : 0);
}

bool pci_stop(struct pci_device *device)
{
    if (device->left)
        return false;
    device->stopped = true;
    pci_set_bus_master(device, false);
    return true;
}

void pci_disable_all_bus_masters(void)
{
    struct pci_device *d;

    list_for_each_entry (d, pci_devices(), link)
        if (!pci_is_bridge(d) && !d->left)
            pci_set_bus_master(d, false);
    list_for_each_entry (d, pci_devices(), link)
        if (pci_is_bridge(d) && !d->left)
            pci_set_bus_master(d, false);
}

void pci_enable_path(const struct pci_device *device)
{
    for (const struct pci_device *b = device->bridge; b; b = b->bridge) {
        pci_change16(b, PCI_COMMAND, 0, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
        pci_set_bus_master(b, true);
    }
}

void pci_update_translated(const struct pci_device *port)
{
    const uint16_t bit = PCI_ACS_BLOCK_TRANSLATED;
    const struct pci_device *d;
    bool blocks = true;

    if (!pci_is_link_head(port) || !port->cap_acs ||
        !(pci_read16(port, port->cap_acs + PCI_ACS_CAP) & bit))
        return;
    pci_for_each_below (d, port)
        blocks &= !d->ats;
    pci_change16(port, port->acs_control, bit, blocks ? bit : 0);
}

/*
 * PCI Express to PCI/PCI-X Bridge specification 1.0, 2.3: such a bridge puts (secondary bus, 00.0)
 * on requests it takes over. A bridge without a PCI Express side puts its own id there. Whatever is
 * highest in the tree has the last word.
 */
static bool alias_of_bridge(const struct pci_device *bridge, pci_rid_t *out)
{
    int type = bridge->hides_express ? PCIE_TO_PCI_BRIDGE : pci_express_type(bridge);

    switch (type) {
    case PCIE_TO_PCI_BRIDGE:
        *out = PCI_RID(bridge->secondary, 0, 0);
        return true;
    case PCI_TO_PCIE_BRIDGE:
    case -1:
        *out = bridge->rid;
        return true;
    default:
        return false;
    }
}

const struct pci_device *pci_taker(const struct pci_device *device, pci_rid_t *alias)
{
    const struct pci_device *taker = NULL;

    for (const struct pci_device *b = device->bridge; b; b = b->bridge)
        if (alias_of_bridge(b, alias))
            taker = b;
    return taker;
}

void pci_set_alias(struct pci_device *device, unsigned number, uint8_t function, const char *why)
{
    pci_rid_t id = PCI_RID(PCI_BUS(device->rid), 0, function);

    device->aliases[number] = PCI_ALIAS | id;
    log_info("%s: is taken to send as %s, too: %s", pci_name(device),
             pci_rid_name(device->segment, id), why);
}

static size_t add_id(pci_rid_t *ids, size_t count, pci_rid_t id)
{
    for (size_t i = 0; i < count; i++)
        if (ids[i] == id)
            return count;
    ids[count] = id;
    return count + 1;
}

size_t pci_requester_ids(const struct pci_device *device, pci_rid_t out[PCI_IDS_MAX])
{
    pci_rid_t alias;
    const struct pci_device *taker = pci_taker(device, &alias);
    size_t count = add_id(out, 0, device->rid);

    for (size_t i = 0; i < ARRAY_SIZE(device->aliases); i++)
        if (device->aliases[i])
            count = add_id(out, count, (pci_rid_t)device->aliases[i]);
    if (!taker)
        return count;
    count = add_id(out, count, alias);
    /* Some PCIe-to-PCI bridges use their own id for what they send on their own account. */
    return add_id(out, count, taker->rid);
}

bool pci_may_send_as(const struct pci_device *device, uint16_t segment, pci_rid_t rid)
{
    pci_rid_t ids[PCI_IDS_MAX];
    size_t count = device->segment == segment ? pci_requester_ids(device, ids) : 0;

    while (count) {
        if (ids[--count] == rid)
            return true;
    }
    return false;
}

void pci_pardon(const struct pci_device *device)
{
    pci_rid_t ids[PCI_IDS_MAX];
    size_t count = pci_requester_ids(device, ids);
    struct pci_device *d;

    list_for_each_entry (d, pci_devices(), link)
        for (size_t i = 0; i < count; i++)
            if (pci_may_send_as(d, device->segment, ids[i]))
                d->stopped = false;
}

unsigned pci_stop_senders(uint16_t segment, pci_rid_t rid)
{
    struct pci_device *d;
    unsigned stopped = 0;

    list_for_each_entry (d, pci_devices(), link)
        if (pci_may_send_as(d, segment, rid))
            stopped += pci_stop(d);
    return stopped;
}
