/* SPDX-License-Identifier: BSD-2-Clause */
/* The two ways an invalidation reaches a unit (VT-d specification 6.5.1 and 6.5.2). */
#ifndef KERNEL_IOMMU_QUEUE_H
#define KERNEL_IOMMU_QUEUE_H

#include "kernel/cpu/cache.h"
#include "kernel/iommu/unit.h"

#define SLOTS_PER_LINE (CACHE_LINE / sizeof(struct vtd_descriptor))

/* Allocates a queue and switches it on. -ENOMEM, -EIO. */
int queue_start(struct iommu_unit *unit, unsigned entries, struct refusal *why);
/* Hands everything added to the unit and waits. 0, or -EIO with the unit fenced. */
int queue_wait(struct iommu_unit *unit);
/* The same in the middle of a batch, for room. */
int queue_drain(struct iommu_unit *unit);

/*
 * Puts a descriptor into the next slot, and returns the slot. Lines of the cache are flushed when
 * their last slot is filled; the line of the last slot of all is left to who hands it over.
 */
static inline const struct vtd_descriptor *queue_put(struct invalidation *queue,
                                                     struct vtd_descriptor descriptor)
{
    struct vtd_descriptor *slot = &queue->ring[queue->tail];

    queue->tail = (queue->tail + 1) & (queue->entries - 1);
    *slot = descriptor;
    if (queue->flush && queue->tail % SLOTS_PER_LINE == 0)
        cache_flush_line(slot);
    return slot;
}

static inline void queue_add(struct iommu_unit *unit, struct vtd_descriptor descriptor)
{
    struct invalidation *queue = &unit->invalidation;

    if (queue->pending == queue->room && queue_drain(unit))
        return;
    queue->pending++;
    queue_put(queue, descriptor);
}

/* Units without ECAP.QI: carries the same request out through registers. */
void register_execute(struct iommu_unit *unit, const struct vtd_descriptor *request);

#endif
