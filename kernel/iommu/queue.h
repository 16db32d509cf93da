/* SPDX-License-Identifier: BSD-2-Clause */
/* The two ways an invalidation reaches a unit (VT-d specification 6.5.1 and 6.5.2). */
#ifndef KERNEL_IOMMU_QUEUE_H
#define KERNEL_IOMMU_QUEUE_H

#include "kernel/iommu/unit.h"

/* Allocates a queue and switches it on. -ENOMEM, -EIO. */
int queue_start(struct iommu_unit *unit, unsigned entries, struct refusal *why);
/* Hands everything added to the unit and waits. 0, or -EIO with the unit fenced. */
int queue_wait(struct iommu_unit *unit);

static inline void queue_put(struct invalidation *queue, struct vtd_descriptor descriptor)
{
    unsigned tail = queue->tail;

    queue->tail = (tail + 1) & (queue->entries - 1);
    queue->pending++;
    queue->ring[tail] = descriptor;
}

static inline void queue_add(struct iommu_unit *unit, struct vtd_descriptor descriptor)
{
    struct invalidation *queue = &unit->invalidation;

    if (queue->pending == queue->room && queue_wait(unit))
        return;
    queue_put(queue, descriptor);
}

/* Units without ECAP.QI: carries the same request out through registers. */
void register_execute(struct iommu_unit *unit, const struct vtd_descriptor *request);

#endif
