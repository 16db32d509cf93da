/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The entries of requesters in the root and context tables. These are stores: what the unit has
 * cached of an entry is invalidated by who changes it.
 */
#ifndef KERNEL_IOMMU_CONTEXT_H
#define KERNEL_IOMMU_CONTEXT_H

#include "kernel/lib/types.h"

struct iommu_domain;
struct iommu_unit;
struct requester;

/* An empty root table: every request is refused. -ENOMEM. */
int context_init(struct iommu_unit *unit);
/* Sees to it that there is a context table with a place for the entry of the id. -ENOMEM. */
int context_make_room(struct iommu_unit *unit, uint16_t rid);

/* From no domain into one; from one into another; out of one, for which wiping is the second half.
 */
void context_install(struct requester *requester, const struct iommu_domain *domain, bool ats);
void context_exchange(struct requester *requester, const struct iommu_domain *domain, bool ats);
void context_revoke(struct requester *requester);
void context_wipe(struct requester *requester);
/* No translated requests any more. */
void context_refuse_translated(struct requester *requester);
/* Are its faults not recorded, whatever domain it is in later? */
void context_silence(struct requester *requester, bool on);

#endif
