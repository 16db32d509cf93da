/* SPDX-License-Identifier: BSD-2-Clause */
/* A remapping unit, and what everything else in kernel/iommu stands on: unit.c and capability.c. */
#ifndef KERNEL_IOMMU_UNIT_H
#define KERNEL_IOMMU_UNIT_H

#include "kernel/machine/acpi/dmar.h"
#include "kernel/iommu/fault.h"
#include "kernel/iommu/invalidate.h"
#include "kernel/iommu/iommu.h"
#include "kernel/iommu/regs.h"
#include "kernel/iommu/structures.h"
#include "kernel/lib/list.h"
#include "kernel/table/pool.h"
#include "kernel/table/shape.h"

/* How long a unit may take to answer a command before it counts as broken. */
#define UNIT_TIMEOUT_NS UINT64_C(1000000000)

/* What the unit can do, decided once from CAP and ECAP. */
struct unit_abilities {
    unsigned levels;       /* depth of the page tables: 3, 4 or 5 */
    unsigned address_bits; /* of IOVAs */
    unsigned largest;      /* highest level with leaves */
    uint32_t domains;
    unsigned max_mask;        /* page-selective invalidation of up to 2^max_mask pages */
    bool page_selective;      /* CAP.PSI */
    bool coherent;            /* ECAP.C: table walks snoop caches */
    bool snoop_control;       /* ECAP.SC */
    bool caching_mode;        /* CAP.CM: absent entries may be cached */
    bool write_buffer;        /* CAP.RWBF */
    bool queue;               /* ECAP.QI */
    bool remapping;           /* ECAP.IR, and the platform allows it */
    bool x2apic;              /* ECAP.EIM */
    bool device_tlb;          /* ECAP.DT */
    bool throttles;           /* ECAP.DIT: counts device-TLB invalidations per physical function */
    unsigned max_handle_mask; /* invalidation of up to 2^max_handle_mask interrupt entries */
    uint64_t drain;           /* drain bits of IOTLB invalidations */
    unsigned fault_count;     /* fault records */
};

/* Interrupt-remapping table. */
struct remap_table {
    struct vtd_irte *entries;
    paddr_t physical;
    unsigned count;
    uint8_t *used; /* one byte per entry */
    unsigned in_use;
};

struct iommu_unit {
    struct list link;
    unsigned index;
    uint16_t segment;
    bool include_all;
    const struct dmar_unit *described;
    volatile uint8_t *registers;
    uint64_t register_size;
    uint32_t version;
    uint64_t cap;
    uint64_t ecap;
    struct unit_abilities can;
    bool translating;
    bool remapping;      /* interrupts go through the table */
    bool x2apic;         /* destinations have 32 bits */
    bool stores_suffice; /* new leaves need neither invalidation nor flush of write buffers */
    bool fenced;         /* the unit stopped answering: nothing it could reach may be reused */
    char fence_reason[80];
    struct vtd_root_entry *root;
    paddr_t root_physical;
    struct table_pool tables;
    uint64_t leaves_made[PT_LEAF_MAX + 1]; /* by level, in domains that are gone */
    uint64_t tables_stranded; /* table pages never given back because the unit was fenced */
    uint64_t *domain_ids;     /* bitmap */
    struct list domains;
    struct invalidation invalidation;
    struct remap_table remap;
    struct fault_log faults;
};

/* ---- unit.c ---- */

/* Forgets units and requesters; those to come are described by `dmar`, which must stay valid. */
void units_begin(const struct dmar_info *dmar, const struct iommu_options *options);
/* The units found, in the order of the DMAR table, and the options they were started with. */
extern struct list iommu_units;
extern struct list iommu_requesters; /* of all segments, in the order in which they were found */
extern const struct dmar_info *iommu_dmar;
const struct iommu_options *iommu_options(void);

/* Write-buffer flush where CAP.RWBF asks for one and no invalidation follows. */
int unit_flush_writes(struct iommu_unit *unit);
/* Turns a GCMD bit on or off, or fires a one-shot bit, and waits. -ETIMEDOUT. */
int unit_command(struct iommu_unit *unit, uint32_t bit, bool on);
/*
 * The unit cannot be trusted any more: devices attached to it lose bus mastering, and every later
 * operation on it fails with -EIO. Says so loudly, once. Returns -EIO.
 */
int unit_fence(struct iommu_unit *unit, const char *reason);
/* Cleared memory for a structure the unit reads, in whole pages. NULL: there is none. */
void *unit_memory(const struct iommu_unit *unit, uint64_t bytes, paddr_t *physical);
/* Stores to such a structure; flushed if the unit does not snoop. */
void unit_publish(const struct iommu_unit *unit, const volatile void *at, size_t length);

/* ---- capability.c: reads CAP and ECAP; refuses what cannot be driven with a sentence ---- */

int unit_decide(struct iommu_unit *unit, const struct iommu_options *options, bool platform_remaps,
                struct refusal *why);
/*
 * Why a unit is not to be used at all; NULL: it is. What it would serve is then served by none:
 * requesters_check().
 */
const char *unit_unusable(const struct dmar_unit *described);

#endif
