/* SPDX-License-Identifier: BSD-2-Clause */
/* A remapping unit, as the files of kernel/iommu share it. */
#ifndef KERNEL_IOMMU_UNIT_H
#define KERNEL_IOMMU_UNIT_H

#include "kernel/machine/acpi/dmar.h"
#include "kernel/iommu/fault.h"
#include "kernel/iommu/invalidate.h"
#include "kernel/iommu/iommu.h"
#include "kernel/iommu/pagetable.h"
#include "kernel/iommu/regs.h"
#include "kernel/iommu/structures.h"
#include "kernel/lib/list.h"

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

/* A requester id that the unit has a context entry for, or reserved memory. */
struct requester {
    struct list link;
    struct iommu_unit *unit;
    uint16_t rid;
    struct iommu_domain *domain;     /* what its context entry names; NULL: nothing */
    struct iommu_domain *quarantine; /* holds its reserved memory; NULL: it has none */
    bool ats;                        /* its device TLB is on */
    uint8_t ats_depth;               /* invalidations its device TLB queues */
    bool ats_distrusted;             /* its device TLB failed to answer: never again */
    bool silenced;                   /* its faults are not recorded any more */
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
    uint32_t domain_hint;
    struct list domains;
    struct list requesters;
    struct invalidation invalidation;
    struct remap_table remap;
    struct fault_log faults;
};

/* Memory the firmware reserved for a requester and that a domain maps to itself. */
struct reserved_mapping {
    struct list link;
    paddr_t base;
    uint64_t length;
    unsigned users;
};

#define DOMAIN_IDS_KEPT 8u

/* Different requester ids, as many as fit; others are only counted, each time they come. */
struct requester_ids {
    uint16_t ids[DOMAIN_IDS_KEPT];
    unsigned count;
    uint64_t left_out;
};

static inline void requester_ids_add(struct requester_ids *list, uint16_t rid)
{
    for (unsigned i = 0; i < list->count; i++) {
        if (list->ids[i] == rid)
            return;
    }
    if (list->count < DOMAIN_IDS_KEPT)
        list->ids[list->count++] = rid;
    else
        list->left_out++;
}

/* What a domain was, beside what it is: for the report. */
struct domain_history {
    uint64_t created_ns;
    struct requester_ids attached; /* at any time */
    uint64_t peak_bytes;           /* the most that was mapped at once, */
    uint64_t peak_leaves[PT_LEAF_MAX + 1];
};

/*
 * Is this more than was ever mapped? Asked before the tables change shape and when somebody wants
 * to know, not for every page: what single pages in one table add and lose again in between goes
 * unseen, which is less than 2 MiB.
 */
static inline void domain_note_peak(struct domain_history *history, const struct page_table *table)
{
    const uint64_t *leaves = table->leaves;
    uint64_t bytes = leaves[1] * pt_span(1) + leaves[2] * pt_span(2) + leaves[3] * pt_span(3);

    if (bytes <= history->peak_bytes)
        return;
    history->peak_bytes = bytes;
    for (unsigned level = 1; level <= PT_LEAF_MAX; level++)
        history->peak_leaves[level] = leaves[level];
}

struct iommu_domain {
    struct list link;
    struct iommu_unit *unit;
    uint16_t id;
    bool quarantine; /* belongs to one requester, not to a caller */
    unsigned attached;
    unsigned with_ats;    /* attached requesters with a device TLB */
    unsigned open;        /* gathers with removals that may not be invalidated yet */
    struct list reserved; /* struct reserved_mapping */
    struct page_table table;
    uint64_t maps;
    uint64_t unmaps;
    iommu_find_area find_area; /* NULL: nobody told */
    const void *areas;
    struct domain_history history;
};

/* The units found, in the order of the DMAR table, and the options they were started with. */
struct list *iommu_units(void);
const struct iommu_options *iommu_options(void);
const struct dmar_info *iommu_dmar(void);

/* ---- capability.c: reads CAP and ECAP; refuses what cannot be driven with a sentence ---- */

int unit_decide(struct iommu_unit *unit, const struct iommu_options *options, bool platform_remaps,
                struct refusal *why);

/* ---- unit.c ---- */

/* Write-buffer flush where CAP.RWBF asks for one and no invalidation follows. */
int unit_flush_writes(struct iommu_unit *unit);
/* Turns a GCMD bit on or off, or fires a one-shot bit, and waits. -ETIMEDOUT. */
int unit_command(struct iommu_unit *unit, uint32_t bit, bool on);
/*
 * The unit cannot be trusted any more: devices attached to it lose bus mastering, and every later
 * operation on it fails with -EIO. Says so loudly, once. Returns -EIO.
 */
int unit_fence(struct iommu_unit *unit, const char *reason);
/* Stores to a structure the unit reads; flushed if it does not snoop. */
void unit_publish(const struct iommu_unit *unit, const volatile void *at, size_t length);

/* ---- context.c ---- */

/* An empty root table: every request is refused. -ENOMEM. */
int context_init(struct iommu_unit *unit);
struct requester *requester_find(struct iommu_unit *unit, uint16_t rid);
/* Finds or creates, with the context table that its entry will be in. NULL when out of memory. */
struct requester *requester_get(struct iommu_unit *unit, uint16_t rid);
/*
 * Makes DMA of the requester go through `domain` (NULL: be refused) instead of what it went through
 * before, and invalidates. -EIO: the unit is fenced, and the requester in no domain.
 */
int context_switch(struct requester *requester, struct iommu_domain *domain);
/* No more fault records from this requester, whatever it does. */
int context_silence(struct requester *requester);
/*
 * Device TLBs did not answer: stops the devices that have one, and lets no translated request of
 * theirs pass once the context cache has been invalidated, which is the caller's.
 */
void context_distrust_ats(struct iommu_unit *unit);
/* Bus mastering off for the devices behind a requester id. */
void requester_stop(const struct iommu_unit *unit, uint16_t rid);

/* ---- ats.c: device TLBs (PCIe address translation services) ---- */

/* Do the options, the unit, the platform and the device allow a device TLB? Stores its depth. */
bool ats_allowed(const struct iommu_unit *unit, uint16_t rid, uint8_t *depth);
void ats_enable(const struct iommu_unit *unit, uint16_t rid, bool on);
/* May its device TLB hold something, and will it answer? */
bool ats_holds(const struct requester *requester);

/* ---- domain.c ---- */

/* As iommu_domain_create(). */
int domain_create(struct iommu_unit *unit, bool quarantine, struct iommu_domain **out);
/* Invalidates everything the unit and device TLBs may have cached of a domain, and waits. */
int domain_invalidate(struct iommu_domain *domain);
/* Adds the invalidation of [first, last] in the device TLBs that serve the domain. */
void domain_invalidate_device_tlbs(struct iommu_domain *domain, uint64_t first, uint64_t last);
/* The last IOVA of the domain. */
uint64_t domain_last(const struct iommu_domain *domain);

/* ---- reserved.c ---- */

/* Joins overlapping regions and drops those that are not reserved memory. */
void reserved_init(const struct dmar_info *dmar);
bool reserved_any(uint16_t segment, uint16_t rid);
/* Maps every region of the requester to itself. -ENOMEM, -EADDRINUSE, -EIO; all or nothing. */
int reserved_map(struct iommu_domain *domain, uint16_t rid);
/* Drops what reserved_map() did, and invalidates. -EIO. */
int reserved_unmap(struct iommu_domain *domain, uint16_t rid);
/* Frees the records of a domain that goes; its tables are the caller's business. */
void reserved_forget(struct iommu_domain *domain);
/* Gives each requester with reserved memory a quarantine domain and attaches it. */
int reserved_quarantine_all(struct iommu_unit *unit);

/* ---- remap.c ---- */

/* An empty interrupt-remapping table: every interrupt request is refused. -ENOMEM. */
int remap_init(struct iommu_unit *unit, unsigned entries);

#endif
