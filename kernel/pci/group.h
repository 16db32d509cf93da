/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Isolation groups: the smallest sets of functions that the hardware can keep apart. Decided by
 * requester-id aliases, access control services (ACS) on the path, and multifunction rules.
 */
#ifndef KERNEL_PCI_GROUP_H
#define KERNEL_PCI_GROUP_H

#include "kernel/pci/pci.h"

struct pci_group {
    struct list link;
    unsigned id;
    size_t count;
    struct pci_device **members; /* `count` of them, sorted */
    /* What its members' requests may carry, aliases too, each id once. */
    size_t requester_count;
    struct requester **requesters;
};

/*
 * Switches on the access control that isolation needs wherever a function offers it, then builds
 * the groups of all enumerated functions (once per boot). Numbers are stable for a given machine:
 * groups are numbered in the order of their first members. -ENOMEM.
 */
int pci_groups_build(void);
struct list *pci_groups(void);
/* Is a function of it assigned? */
static inline bool pci_group_has_assigned(const struct pci_group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        if (group->members[i]->assigned)
            return true;
    }
    return false;
}
/*
 * Is the request's sender in a group of which a function is assigned? The id may be an alias of
 * its bridge. False for an id that nobody has, and before the groups are built.
 */
bool pci_group_assigned(uint16_t segment, pci_rid_t rid);

#endif
