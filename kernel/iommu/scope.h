/* SPDX-License-Identifier: BSD-2-Clause */
/* Which requester ids the device scopes of the DMAR table mean (VT-d specification 8.3.1). */
#ifndef KERNEL_IOMMU_SCOPE_H
#define KERNEL_IOMMU_SCOPE_H

#include "kernel/machine/acpi/dmar.h"
#include "kernel/lib/types.h"

struct iommu_unit;

/*
 * The requester id at the end of a scope's path. Bus numbers of bridges on the way come from
 * enumeration. False if a bridge on the way does not exist.
 */
bool scope_resolve(const struct dmar_scope *scope, uint16_t segment, uint16_t *rid);
/* Does one of the scopes name the requester id, itself or as something below a bridge? */
bool scope_list_contains(const struct dmar_info *dmar, struct dmar_scope_list list,
                         uint16_t segment, uint16_t rid);
/*
 * The unit whose scopes name the requester id, else the one for all the rest; NULL: there is none,
 * or the table lists one (scope_unit_absent()) that is not there.
 */
struct iommu_unit *scope_unit_for(uint16_t segment, uint16_t rid);
bool scope_unit_absent(uint16_t segment, uint16_t rid);

#endif
