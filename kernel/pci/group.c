/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Groups are the result of joining functions that could reach each other without the IOMMU seeing
 * it. Five rules, each of which joins; their order does not matter:
 *
 *  1. A bridge to conventional PCI, and everything below it: requests below it may carry the
 *     bridge's id, and devices on a conventional bus hear each other.
 *  2. The functions of one multifunction device, if any of them lacks access control, and is not
 *     known to do without: a request of that one may be answered inside the device. All functions
 *     on the link of a PCI Express port count as one device, virtual ones too.
 *  3. The downstream ports of one switch, if any of them lacks access control: it may route a
 *     request from below it straight to a sibling.
 *  4. A root or downstream port that lacks access control, and everything below it.
 *  5. A function that also sends with an id beside its own, all that may send with that id, and all
 *     functions of its device: whoever has the id has the function's DMA.
 *
 * Where rules 2, 3 and 5 join bridges, what is below those bridges joins too, because a request
 * that went astray can go down again.
 */
#include "kernel/pci/group.h"

#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/pci/pch.h"
#include "kernel/pci/quirks.h"
#include "kernel/pci/registers.h"

#define ACS_NEEDED                                                                                 \
    (PCI_ACS_SOURCE_VALIDATION | PCI_ACS_REQUEST_REDIRECT | PCI_ACS_COMPLETE_REDIRECT |            \
     PCI_ACS_UPSTREAM_FORWARD)
/* Ways past the IOMMU that firmware may have opened. */
#define ACS_HARMFUL (PCI_ACS_EGRESS_CONTROL | PCI_ACS_DIRECT_TRANSLATED)

static struct list groups = LIST_INIT(groups);

struct list *pci_groups(void)
{
    return &groups;
}

bool pci_group_assigned(uint16_t segment, pci_rid_t rid)
{
    struct pci_device *d;

    list_for_each_entry (d, pci_devices(), link) {
        if (d->group && pci_group_has_assigned(d->group) && pci_may_send_as(d, segment, rid))
            return true;
    }
    return false;
}

/* The first (lowest) function of the set a function has been joined with. */
static struct pci_device *first_of(struct pci_device *d)
{
    while (d->joined)
        d = d->joined;
    return d;
}

/* Why functions are being joined. */
struct cause {
    enum pci_join_rule rule;
    const struct pci_device *culprit;
};

/* Two sets become one. The first of the one that is higher keeps the cause: it loses its place. */
static void join(struct pci_device *a, struct pci_device *b, struct cause cause)
{
    struct pci_device *low = first_of(a), *high = first_of(b);

    if (low == high)
        return;
    if (pci_order(low) > pci_order(high)) {
        high = low;
        low = first_of(b);
    }
    high->joined = low;
    high->join_rule = cause.rule;
    high->culprit = cause.culprit;
}

static void join_all_below(struct pci_device *bridge, struct cause cause)
{
    struct pci_device *d;

    pci_for_each_below (d, bridge)
        join(d, bridge, cause);
}

static void join_with_below(struct pci_device *a, struct pci_device *b, struct cause cause)
{
    join(a, b, cause);
    if (pci_is_bridge(a))
        join_all_below(a, cause);
    if (pci_is_bridge(b))
        join_all_below(b, cause);
}

static bool is_switch_port(const struct pci_device *d)
{
    return pci_express_type(d) == PCIE_DOWNSTREAM_PORT;
}

static bool leads_to_conventional(const struct pci_device *d)
{
    int type = pci_express_type(d);

    return pci_is_bridge(d) &&
           (type < 0 || type == PCIE_TO_PCI_BRIDGE || type == PCI_TO_PCIE_BRIDGE);
}

static uint16_t access_control_offered(const struct pci_device *d)
{
    return d->cap_acs ? pci_read16(d, d->cap_acs + PCI_ACS_CAP) & ACS_NEEDED : 0;
}

/*
 * Is every kind of access control on that the function can do? What the capability register does
 * not offer cannot happen in that function, so only the capability itself must exist (PCI Express
 * Base 6.12.1).
 */
static bool has_access_control(const struct pci_device *d)
{
    uint16_t offered = access_control_offered(d);

    if (!d->cap_acs)
        return d->isolated;
    return (pci_read16(d, d->acs_control) & (offered | ACS_HARMFUL)) == offered;
}

/* The whole register: nothing stays as firmware set it. */
static void enable_access_control(struct pci_device *d)
{
    d->isolated =
        pci_quirk(d, QUIRK_ISOLATED) || (pci_quirk(d, QUIRK_PCH_PORT) && pci_isolate_port(d));
    if (!d->cap_acs)
        return;
    pci_change16(d, d->acs_control, UINT16_MAX, access_control_offered(d));
    pci_update_translated(d);
}

/* Virtual functions are of the device of their physical one, whatever their numbers are. */
static bool same_device(const struct pci_device *a, const struct pci_device *b)
{
    a = a->physical ? a->physical : a;
    b = b->physical ? b->physical : b;
    if (a->segment != b->segment || PCI_BUS(a->rid) != PCI_BUS(b->rid))
        return false;
    return PCI_DEVICE(a->rid) == PCI_DEVICE(b->rid) || (a->bridge && pci_is_link_head(a->bridge));
}

static bool same_switch(const struct pci_device *a, const struct pci_device *b)
{
    return is_switch_port(a) && is_switch_port(b) && a->bridge && a->bridge == b->bridge;
}

static bool shares_alias(const struct pci_device *d, const struct pci_device *other)
{
    for (size_t i = 0; i < ARRAY_SIZE(d->aliases); i++)
        if (d->aliases[i] &&
            (same_device(d, other) || pci_may_send_as(other, d->segment, (pci_rid_t)d->aliases[i])))
            return true;
    return false;
}

static void apply_rules(struct pci_device *d)
{
    struct pci_device *other;
    bool open = !has_access_control(d);

    list_for_each_entry (other, pci_devices(), link)
        if (other != d && shares_alias(d, other))
            join_with_below(d, other, (struct cause){PCI_JOIN_ALIAS, d});
    if (leads_to_conventional(d))
        join_all_below(d, (struct cause){PCI_JOIN_BUS, d});
    else if (pci_is_link_head(d) && open)
        join_all_below(d, (struct cause){PCI_JOIN_PORT, d});
    if (!open)
        return;
    list_for_each_entry (other, pci_devices(), link) {
        if (other != d && same_device(d, other))
            join_with_below(d, other, (struct cause){PCI_JOIN_FUNCTIONS, d});
        else if (other != d && same_switch(d, other))
            join_with_below(d, other, (struct cause){PCI_JOIN_SWITCH, d});
    }
}

/* An empty group with room for every function that joined `first`. */
static struct pci_group *new_group(struct pci_device *first, unsigned id)
{
    struct pci_group *g = kzalloc(sizeof(*g));
    struct pci_device *d;
    size_t count = 0;

    if (!g)
        return NULL;
    list_for_each_entry (d, pci_devices(), link)
        if (first_of(d) == first)
            count++;
    g->members = kcalloc(count, sizeof(*g->members));
    g->requesters = kcalloc(count * PCI_IDS_MAX, sizeof(struct requester *));
    if (!g->members || !g->requesters) {
        kfree(g->requesters);
        kfree(g->members);
        kfree(g);
        return NULL;
    }
    g->id = id;
    list_push_back(&groups, &g->link);
    return g;
}

static bool has_requester(const struct pci_group *group, const struct requester *requester)
{
    for (size_t i = 0; i < group->requester_count; i++) {
        if (group->requesters[i] == requester)
            return true;
    }
    return false;
}

static void add_member(struct pci_group *group, struct pci_device *device)
{
    group->members[group->count++] = device;
    for (size_t i = 0; i < PCI_IDS_MAX && device->requesters[i]; i++) {
        if (!has_requester(group, device->requesters[i]))
            group->requesters[group->requester_count++] = device->requesters[i];
    }
}

int pci_groups_build(void)
{
    struct pci_device *d;
    unsigned next_id = 0;

    list_for_each_entry (d, pci_devices(), link)
        enable_access_control(d);
    list_for_each_entry (d, pci_devices(), link)
        apply_rules(d);
    list_for_each_entry (d, pci_devices(), link) {
        struct pci_device *first = first_of(d);

        /* The list is sorted, so the first member comes before the others. */
        if (first == d)
            d->group = new_group(d, next_id++);
        if (!first->group)
            return -ENOMEM;
        d->group = first->group;
        add_member(d->group, d);
    }
    return 0;
}
