/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invalidation of what a unit caches. Callers add requests and then wait once for all of them:
 * through the invalidation queue, or through registers on units without one. Waits are bounded.
 * A unit that does not answer is fenced.
 */
#ifndef KERNEL_IOMMU_INVALIDATE_H
#define KERNEL_IOMMU_INVALIDATE_H

#include "kernel/iommu/latency.h"
#include "kernel/iommu/structures.h"
#include "kernel/lib/refusal.h"
#include "kernel/lib/types.h"

struct iommu_unit;
struct requester;

#define QUEUE_ENTRIES_MIN 256u
#define QUEUE_ENTRIES_MAX 32768u

/*
 * More naturally aligned blocks than this in one range, and the whole domain is invalidated
 * instead: each block costs a request, but after the whole domain every page in use is walked
 * again. docs/iommu.md tells how the number was found.
 */
#define INVALIDATE_BLOCKS_MAX 16u

enum invalidation_kind {
    INVALIDATED_CONTEXT,
    INVALIDATED_GLOBAL,
    INVALIDATED_DOMAIN,
    INVALIDATED_PAGES,
    INVALIDATED_DEVICE_TLB,
    INVALIDATED_ENTRIES,
    INVALIDATED_KINDS,
};

/*
 * Reading the clock twice costs more than the rest of an invalidation, so only some waits are
 * timed: the first ones, then one in so many.
 */
#define WAITS_TIMED_FIRST 64u
#define WAITS_TIMED_EVERY 256u

/* How requests reach the unit. */
struct invalidation {
    struct vtd_descriptor *ring; /* NULL: the unit has no queue, only registers */
    paddr_t ring_physical;
    /* A page that belongs to the queue for good: a late write cannot hit anything else. */
    volatile uint32_t *status;
    paddr_t status_physical;
    unsigned entries;
    unsigned tail;
    unsigned pending; /* descriptors behind the tail register, at most `room` */
    unsigned room;
    bool flush;             /* the unit does not look into caches when it reads the ring */
    uint32_t sequence;      /* what the last wait descriptor writes */
    uint32_t devices_asked; /* ... or the next one, if it waits for device TLBs */
    uint64_t counts[INVALIDATED_KINDS];
    uint64_t waits;
    uint64_t notice_at; /* the number of waits at which one is looked at: timed, or refused */
    /* From handing over to the answer, of waits that were timed, by what they waited for. */
    struct latency latency[INVALIDATED_KINDS];
    uint64_t wait_ns_total; /* of those that were not over at the first look */
    uint64_t wait_ns_max;
    uint64_t queue_errors; /* IQE */
    uint64_t time_outs;    /* ITE, or more than UNIT_TIMEOUT_NS until a device TLB answered */
    uint64_t completions;  /* ICE */
};

/* Sets up the queue and switches it on, or chooses the registers. The unit's queue must be off. */
int invalidation_start(struct iommu_unit *unit, unsigned entries, struct refusal *why);

/* Context cache: everything, one domain, or one requester (which had `domain`). */
void invalidate_context_all(struct iommu_unit *unit);
void invalidate_context_device(struct iommu_unit *unit, uint16_t domain, uint16_t rid);
/* IOTLB and paging-structure caches. */
void invalidate_all(struct iommu_unit *unit);
void invalidate_domain(struct iommu_unit *unit, uint16_t domain);
/*
 * The pages of [first, last], in which leaves of up to 2^leaf_bits bytes were. `leaf_only`: no
 * table page was removed or added.
 */
void invalidate_range(struct iommu_unit *unit, uint16_t domain, uint64_t first, uint64_t last,
                      unsigned leaf_bits, bool leaf_only);
/* The same for one leaf of 2^leaf_bits bytes in a table which stays; `iova` is where it starts. */
void invalidate_leaf(struct iommu_unit *unit, uint16_t domain, uint64_t iova, unsigned leaf_bits);
/* What is added later starts after what was added so far is done. */
void invalidate_fence(struct iommu_unit *unit);
/*
 * Device TLB of a requester, for the pages of [first, last]. Must come after invalidate_fence(): a
 * device could otherwise fetch the old translation again from the IOTLB.
 */
void invalidate_device_tlb(struct requester *requester, uint64_t first, uint64_t last);
/* Interrupt-entry cache: 2^mask entries from the aligned index, or all. */
void invalidate_entries(struct iommu_unit *unit, uint16_t index, unsigned mask);
void invalidate_all_entries(struct iommu_unit *unit);

/* Submits what was added and waits. 0, or -EIO with the unit fenced. */
int invalidation_wait(struct iommu_unit *unit);

/*
 * The mask of the largest naturally aligned block of pages (2^mask, mask <= max) that starts at
 * page `first` and does not go beyond page `last`, which is not before `first`.
 */
/*@ requires first <= last < 1 << 52 && max <= 63;
    assigns \nothing;
    ensures \result <= max;
    ensures aligned: first % (1 << \result) == 0;
    ensures inside: first + (1 << \result) <= last + 1;
    ensures largest: \forall integer k; \result < k <= max ==>
      first % (1 << k) != 0 || first + (1 << k) > last + 1; */
static inline unsigned invalidation_mask(uint64_t first, uint64_t last, unsigned max)
{
    uint64_t pages = last - first + 1; /* 0 would mean 2^64 pages; page numbers have 52 bits */
    unsigned fits = 63 - (unsigned)__builtin_clzll(pages);
    unsigned aligned = first ? (unsigned)__builtin_ctzll(first) : 63;

    return MIN(max, MIN(fits, aligned));
}

/* The mask of the smallest naturally aligned block of pages that holds both pages. */
static inline unsigned invalidation_cover(uint64_t first, uint64_t last)
{
    return first == last ? 0 : 64 - (unsigned)__builtin_clzll(first ^ last);
}

#endif
