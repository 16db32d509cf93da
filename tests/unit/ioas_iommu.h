/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stand-in for kernel/iommu in the tests of the layers above: the real page tables, and units that
 * keep what was unmapped reachable until it is invalidated, as hardware may. Requests of devices
 * can be tried, and every unit can be told to stop answering.
 */
#ifndef TESTS_UNIT_IOAS_IOMMU_H
#define TESTS_UNIT_IOAS_IOMMU_H

#include "kernel/iommu/iommu.h"
#include "kernel/lib/list.h"
#include "kernel/table/page_table.h"
#include "tests/unit/translation.h"

#define UNITS 3

/* Unit 0 translates for bus 0x00 to 0x3f of segment 0, unit 1 to 0x7f, unit 2 to 0xbf. */
static inline uint16_t unit_bus(unsigned unit)
{
    return (uint16_t)(unit << 6);
}

struct iommu_domain {
    struct list link;
    struct iommu_unit *unit;
    const void *owner; /* iommu_domain_set_areas() */
    bool snoop;
    struct page_table table;
    unsigned attached;
    struct iommu_gather *open; /* a gather with changes that are not synced yet */
    struct phys_run *stale;    /* what the unit may still reach besides the table */
    size_t stale_count;
};

/* What was asked of the page tables, and the most that was asked at a time. */
struct ioas_iommu_calls {
    unsigned maps;
    unsigned syncs;
    uint64_t most_mapped;   /* bytes, in one call */
    uint64_t most_unmapped; /* bytes, for one sync */
};
extern struct ioas_iommu_calls ioas_iommu_calls; /* the test sets it to 0 */

/* Forgets everything; all units answer, with 48, 39 and 48 address bits. */
void ioas_iommu_reset(void);
/* Checks that nothing is left: no domain, no requester, no table page. */
void ioas_iommu_finish(void);
struct iommu_unit *ioas_iommu_unit(unsigned unit);
void ioas_iommu_set_geometry(unsigned unit, unsigned address_bits, bool snoop);
/* From now on invalidations of the unit fail and it is fenced. */
void ioas_iommu_kill(unsigned unit);
/* The same from within the n-th change of a requester on (1 is the next), which fails. */
void ioas_iommu_kill_in(unsigned n);
/* The handle of a requester id. */
struct requester *ioas_iommu_requester(uint16_t rid);
/* Reserved memory of a requester. */
void ioas_iommu_set_reserved(uint16_t rid, paddr_t base, uint64_t length);
/* The n-th domain over all units, or NULL. */
struct iommu_domain *ioas_iommu_domain(size_t n);
/* The domain of a requester, or NULL. */
struct iommu_domain *ioas_iommu_domain_of(uint16_t rid);
/* Gives the idle tables up, so that an operation needs the same steps every time. */
void ioas_iommu_forget_idle(void);
/* Where the tables lead from an IOVA; the kernel never asks. */
bool iommu_translate(const struct iommu_domain *domain, uint64_t iova,
                     struct iommu_translation *out);
/* Table pages in use, over all units, but for the idle ones that page tables keep for later. */
uint64_t ioas_iommu_tables(void);
/* Calls back for every piece of memory that a unit may reach, by table or by stale translation. */
void ioas_iommu_each_reachable(void (*piece)(paddr_t base, uint64_t length));

#endif
