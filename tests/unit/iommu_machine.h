/* SPDX-License-Identifier: BSD-2-Clause */
/* The usual machine of the IOMMU tests: one unit for everything, and a few devices. */
#ifndef TESTS_UNIT_IOMMU_MACHINE_H
#define TESTS_UNIT_IOMMU_MACHINE_H

#include "kernel/iommu/domain.h"
#include "kernel/iommu/requester.h"
#include "kernel/iommu/unit.h"
#include "tests/unit/iommu_host.h"
#include "tests/unit/translation.h"

#define UNIT_BASE UINT64_C(0xfed90000)
#define DEVICE    PCI_RID(0, 2, 0)
#define OTHER     PCI_RID(0, 3, 0)
#define IOVA      UINT64_C(0x100000000)
#define TARGET    UINT64_C(0x200000000) /* physical memory no test ever reads */

/* Capability words: QEMU's with some bits changed. */
#define CAP_WITH(set, clear)  ((VTD_TEST_CAP & ~(uint64_t)(clear)) | (set))
#define ECAP_WITH(set, clear) ((VTD_TEST_ECAP & ~(uint64_t)(clear)) | (set))

/* Builds the machine without starting it. */
struct vtd_unit *machine_build(uint64_t cap, uint64_t ecap);
/* Builds and starts it; the start must succeed. NULL options: defaults. */
struct vtd_unit *machine_start(uint64_t cap, uint64_t ecap, const struct iommu_options *options);
int machine_init(const struct iommu_options *options);
/* The sentence of the last refusal. */
const char *machine_refusal(void);
/* Frees what the units keep for good, so that a test can look for leaks. */
void machine_stop(void);
/* The only unit. */
struct iommu_unit *machine_unit(void);

/* The handle of an id of segment 0, also of one that came after the start, or that nobody has. */
struct requester *machine_requester(uint16_t rid);
struct iommu_domain *machine_domain(void);
/* Maps one run; must succeed. */
void machine_map(struct iommu_domain *domain, uint64_t iova, paddr_t base, uint64_t length,
                 unsigned permissions);
/* Unmaps and invalidates; must succeed. */
void machine_unmap(struct iommu_domain *domain, uint64_t iova, uint64_t length);

/* Where the tables lead from an IOVA; the kernel never asks. */
static inline bool iommu_translate(const struct iommu_domain *domain, uint64_t iova,
                                   struct iommu_translation *out)
{
    return translate(&domain->table, iova, out);
}

/* A DMA write or read of the device must reach the address, or be refused for the reason. */
void machine_expect_dma(struct vtd_unit *unit, uint16_t rid, uint64_t iova, bool write,
                        paddr_t physical);
void machine_expect_refused(struct vtd_unit *unit, uint16_t rid, uint64_t iova, bool write,
                            unsigned reason);

#endif
