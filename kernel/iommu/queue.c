/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The invalidation queue (VT-d specification 6.5.2). Every wait waits for all that was submitted,
 * so the queue is empty whenever requests are added.
 */
#include "kernel/iommu/queue.h"

#include "kernel/cpu/cache.h"
#include "kernel/cpu/time.h"
#include "kernel/iommu/ats.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/mm/frames/frames.h"

/* PCIe 10.3.1: a device has a minute to answer, and the unit half of one more to notice that not.
 */
#define DEVICE_TLB_TIMEOUT_NS (100 * NS_PER_S)

/* Errors answered in one wait before the unit counts as broken, and ring slots kept free for it. */
#define RECOVERIES_MAX 4u
#define SLOTS_KEPT     (4 * RECOVERIES_MAX)

/* Ends what was put with a wait descriptor of a new number and hands all of it to the unit. */
static void submit(struct iommu_unit *unit)
{
    struct invalidation *queue = &unit->invalidation;
    const struct vtd_descriptor *slot;

    /* A late answer to a wait that was given up carries an old number and satisfies nobody. */
    slot = queue_put(queue, vtd_wait(queue->status_physical, ++queue->sequence));
    if (queue->flush)
        cache_flush_line(slot);
    queue->pending = 0;
    vtd_write64(unit->registers, VTD_IQT, (uint64_t)queue->tail * sizeof(*queue->ring));
}

/*
 * What to invalidate instead of a request that the unit did not understand: everything of that
 * kind. False: there is nothing larger.
 */
static bool widen(struct iommu_unit *unit, struct vtd_descriptor *bad)
{
    struct vtd_descriptor wide;

    switch (vtd_descriptor_type(bad)) {
    case VTD_DESCRIPTOR_IOTLB:
        wide = vtd_invalidate_iotlb(VTD_GLOBAL, 0, 0, 0, false, unit->can.drain);
        break;
    case VTD_DESCRIPTOR_ENTRY_CACHE:
        wide = vtd_invalidate_all_entries();
        break;
    case VTD_DESCRIPTOR_DEVICE_TLB:
        /* Without device TLBs there is nothing to invalidate in them, once this is known. */
        ats_distrust(unit);
        wide = vtd_invalidate_context(VTD_GLOBAL, 0, 0);
        break;
    case VTD_DESCRIPTOR_CONTEXT:
        wide = vtd_invalidate_context(VTD_GLOBAL, 0, 0);
        break;
    default:
        return false;
    }
    if (bad->low == wide.low && bad->high == wide.high)
        return false;
    *bad = wide;
    unit_publish(unit, bad, sizeof(*bad));
    return true;
}

/* The unit stopped at a descriptor it calls malformed (IQE). */
static int repair_descriptor(struct iommu_unit *unit)
{
    struct invalidation *queue = &unit->invalidation;
    uint64_t head = vtd_read64(unit->registers, VTD_IQH) / sizeof(*queue->ring);
    struct vtd_descriptor *bad = &queue->ring[head & (queue->entries - 1)];

    queue->queue_errors++;
    log_error("iommu%u: malformed invalidation request 0x%lx 0x%lx (error record 0x%lx)",
              unit->index, bad->low, bad->high, vtd_read64(unit->registers, VTD_IQERCD));
    if (!widen(unit, bad))
        return unit_fence(unit, "its invalidation queue refused a request");
    vtd_write32(unit->registers, VTD_FSTS, VTD_FSTS_IQE);
    vtd_write64(unit->registers, VTD_IQT, (uint64_t)queue->tail * sizeof(*queue->ring));
    return 0;
}

/*
 * A device did not answer a device-TLB invalidation (ITE), and waits in the queue were dropped, or
 * it took its time. From now on no device TLB is believed, and everything is invalidated once, in
 * place of what was asked.
 */
static int recover_time_out(struct iommu_unit *unit)
{
    struct invalidation *queue = &unit->invalidation;

    queue->time_outs++;
    log_error("iommu%u: a device TLB did not answer in time; address translation services are off",
              unit->index);
    ats_distrust(unit);
    vtd_write32(unit->registers, VTD_FSTS, VTD_FSTS_ITE);
    queue_put(queue, vtd_invalidate_context(VTD_GLOBAL, 0, 0));
    queue_put(queue, vtd_invalidate_iotlb(VTD_GLOBAL, 0, 0, 0, false, unit->can.drain));
    if (unit->can.remapping)
        queue_put(queue, vtd_invalidate_all_entries());
    submit(unit);
    return 0;
}

static int handle_errors(struct iommu_unit *unit, unsigned *recoveries)
{
    uint32_t status = vtd_read32(unit->registers, VTD_FSTS);

    if (status & VTD_FSTS_ICE) {
        unit->invalidation.completions++;
        vtd_write32(unit->registers, VTD_FSTS, VTD_FSTS_ICE);
    }
    if (!(status & (VTD_FSTS_IQE | VTD_FSTS_ITE)))
        return 0;
    if (++*recoveries > RECOVERIES_MAX)
        return unit_fence(unit, "its invalidation queue keeps failing");
    return status & VTD_FSTS_ITE ? recover_time_out(unit) : repair_descriptor(unit);
}

/* Polls, with an eye on the error bits and on the clock. */
static int await(struct iommu_unit *unit, uint64_t bound, unsigned *recoveries)
{
    struct invalidation *queue = &unit->invalidation;
    uint64_t deadline = time_ns() + bound;
    int error;

    while (*queue->status != queue->sequence) {
        error = handle_errors(unit, recoveries);
        if (error)
            return error;
        if (time_expired(deadline))
            return unit_fence(unit, "its invalidation queue did not answer");
    }
    return 0;
}

/*
 * The answer is not there at once. A device TLB has so long for its own that everybody else would
 * stand still meanwhile. So that happens to a unit once: what made it wait is not asked again.
 */
static APART int wait_longer(struct iommu_unit *unit)
{
    struct invalidation *queue = &unit->invalidation;
    bool devices = queue->devices_asked == queue->sequence;
    uint64_t start = time_ns(), took;
    uint64_t time_outs = queue->time_outs;
    unsigned recoveries = 0;
    int error = await(unit, devices ? DEVICE_TLB_TIMEOUT_NS : UNIT_TIMEOUT_NS, &recoveries);

    took = time_ns() - start;
    if (!error && devices && time_outs == queue->time_outs && took > UNIT_TIMEOUT_NS) {
        recover_time_out(unit);
        error = await(unit, UNIT_TIMEOUT_NS, &recoveries);
    }
    if (error)
        return error;
    queue->wait_ns_total += took;
    queue->wait_ns_max = MAX(queue->wait_ns_max, took);
    return 0;
}

int queue_wait(struct iommu_unit *unit)
{
    struct invalidation *queue = &unit->invalidation;

    submit(unit);
    return *queue->status == queue->sequence ? 0 : wait_longer(unit);
}

APART int queue_drain(struct iommu_unit *unit)
{
    return queue_wait(unit);
}

static int queue_alloc(struct iommu_unit *unit, unsigned entries)
{
    struct invalidation *queue = &unit->invalidation;

    queue->status = unit_memory(unit, PAGE_SIZE, &queue->status_physical);
    if (!queue->status)
        return -ENOMEM;
    queue->ring = unit_memory(unit, entries * sizeof(*queue->ring), &queue->ring_physical);
    if (!queue->ring) {
        frames_release(queue->status_physical, PAGE_SIZE);
        return -ENOMEM;
    }
    queue->entries = entries;
    queue->flush = !unit->can.coherent;
    queue->room = entries - SLOTS_KEPT;
    return 0;
}

int queue_start(struct iommu_unit *unit, unsigned entries, struct refusal *why)
{
    struct invalidation *queue = &unit->invalidation;

    if (queue_alloc(unit, entries))
        return refuse(why, -ENOMEM, "no memory for an invalidation queue of %u entries", entries);
    vtd_write32(unit->registers, VTD_FSTS, VTD_FSTS_QUEUE);
    vtd_write64(unit->registers, VTD_IQT, 0);
    /* Its size: 2^n pages. */
    vtd_write64(unit->registers, VTD_IQA,
                queue->ring_physical | (unsigned)__builtin_ctz(entries / QUEUE_ENTRIES_MIN));
    if (unit_command(unit, VTD_GLOBAL_QIE, true))
        return refuse(why, -EIO, "the IOMMU at 0x%lx did not start its invalidation queue",
                      unit->described->registers);
    return 0;
}
