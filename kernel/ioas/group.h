/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Isolation groups and IO address spaces: every requester id of every member of a group goes
 * through the page tables of one ioas, or of none. Whoever hands out a device (VFIO, UIO, DFL)
 * attaches its group; members nobody opened ride along with bus mastering held off by their owner.
 */
#ifndef KERNEL_IOAS_GROUP_H
#define KERNEL_IOAS_GROUP_H

#include "kernel/ioas/ioas.h"
#include "kernel/pci/group.h"

/*
 * The page tables an ioas owns, one for each unit its groups are behind. Not every ioas has such a
 * set: iommufd makes its page tables one by one.
 */
struct ioas_tables {
    struct ioas *ioas;
    struct list domains; /* struct table, one per unit */
};
void ioas_tables_init(struct ioas_tables *tables, struct ioas *ioas);

/*
 * Attaches all requester ids of the group, with new page tables for units that have none yet.
 * -ENODEV: no unit translates for a member; -EBUSY: a requester has a domain already;
 * -EADDRINUSE: the group's reserved memory or width is in the way; -ENOMEM, -EFAULT (populating),
 * -ENOSPC, -EIO. Nothing changes on failure.
 */
int ioas_attach_group(struct ioas_tables *tables, struct pci_group *group);
/*
 * Detaches the group, and destroys page tables nobody needs any more. From the return on, DMA of
 * its members is refused. The ioas keeps its areas.
 */
void ioas_detach_group(struct ioas_tables *tables, struct pci_group *group);

/*
 * For owners of page tables of their own (iommufd): attaches all requester ids of a group to one
 * domain, without a gap if they come `from` another (else NULL), or detaches them. Each happens for
 * all ids or for none; errors as iommu_attach().
 */
int ioas_requesters_attach(const struct pci_group *group, struct iommu_domain *from,
                           struct iommu_domain *to);
void ioas_requesters_detach(const struct pci_group *group, struct iommu_domain *domain);
/* The unit that translates for all of them; NULL if there is none or more than one. */
struct iommu_unit *ioas_requesters_unit(const struct pci_group *group);
/* Reserves the group's reserved memory (RMRR), with the group as owner. As ioas_reserve(). */
int ioas_reserve_group(struct ioas *ioas, struct pci_group *group);

#endif
