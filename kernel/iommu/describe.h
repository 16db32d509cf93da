/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is told of the IOMMU, whoever asks: the report (docs/report.md) or a text under
 * /sys/kernel/iommu (docs/iommu.md).
 */
#ifndef KERNEL_IOMMU_DESCRIBE_H
#define KERNEL_IOMMU_DESCRIBE_H

#include "kernel/iommu/snapshot.h"
#include "kernel/iommu/survey.h"
#include "kernel/iommu/teller.h"
#include "kernel/iommu/unit.h"

/* In words each behind a space. */
void tell_requesters(const struct teller *to, const char *key, uint16_t segment,
                     const struct requester_ids *requesters);
/* Counts by leaf size, behind the words, with `between` in between; words NULL: not in a text. */
void tell_leaves(const struct teller *to, const char *key, const char *words, const char *between,
                 const uint64_t leaves[PT_LEAF_MAX + 1]);

/* Members of an object that the caller opens and closes; whole lines, or what ends one. */
void tell_unit(const struct teller *to, const struct iommu_unit *unit);
void tell_invalidations(const struct teller *to, const struct invalidation *invalidation);
/* What it mapped in all and at most. */
void tell_figures(const struct teller *to, const struct domain_figures *figures);
/* An object or line each; a mapping for the report alone. */
void tell_mapping(const struct teller *to, const struct survey_mapping *mapping);
void tell_area(const struct teller *to, const struct survey_area *area);
/* The faults of all units. */
void tell_faults(const struct teller *to);

#endif
