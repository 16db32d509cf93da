/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding the units, taking them over, and switching them on in the safe order. */
#include "kernel/cpu/time.h"
#include "kernel/iommu/context.h"
#include "kernel/iommu/remap.h"
#include "kernel/iommu/requester.h"
#include "kernel/iommu/reserved.h"
#include "kernel/iommu/snapshot.h"
#include "kernel/iommu/unit.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/paging/paging.h"
#include "kernel/pci/pci.h"

/* ---- takeover ---- */

/*
 * Lets a queue go on that has stopped at an error: without what it was given from the malformed
 * request on, which it would only look at again.
 */
static void clear_errors(struct iommu_unit *unit)
{
    uint32_t errors = vtd_read32(unit->registers, VTD_FSTS) & VTD_FSTS_QUEUE;

    if (errors & VTD_FSTS_IQE)
        vtd_write64(unit->registers, VTD_IQT, vtd_read64(unit->registers, VTD_IQH));
    if (errors)
        vtd_write32(unit->registers, VTD_FSTS, errors);
}

/* Waits until the queue that firmware left on has nothing to do, then switches it off. */
static int stop_queue(struct iommu_unit *unit)
{
    uint64_t deadline = time_ns() + UNIT_TIMEOUT_NS;

    do {
        if (time_expired(deadline))
            return -ETIMEDOUT;
        clear_errors(unit);
    } while (vtd_read64(unit->registers, VTD_IQH) != vtd_read64(unit->registers, VTD_IQT));
    return unit_command(unit, VTD_GLOBAL_QIE, false);
}

/*
 * Brings a unit that firmware may have used to the state the start expects. Translation stays on if
 * it is on, so that there is no moment without protection, unless its root table is of another
 * mode, which may only change while translation is off (11.4.5).
 */
static int take_over(struct iommu_unit *unit)
{
    uint32_t status = vtd_read32(unit->registers, VTD_GSTS);
    bool foreign = vtd_read64(unit->registers, VTD_RTADDR) & VTD_RTADDR_TTM;
    bool stopped = vtd_read32(unit->registers, VTD_FSTS) & VTD_FSTS_QUEUE;
    int error = 0;

    vtd_change32(unit->registers, VTD_FECTL, 0, VTD_EVENT_MASK);
    vtd_change32(unit->registers, VTD_IECTL, 0, VTD_EVENT_MASK);
    if (status & (VTD_GLOBAL_TE | VTD_GLOBAL_QIE | VTD_GLOBAL_IRE))
        log_info("iommu%u: firmware left%s%s%s%s on", unit->index,
                 status & VTD_GLOBAL_TE ? " translation" : "",
                 status & VTD_GLOBAL_QIE ? " invalidation-queue" : "",
                 (status & VTD_GLOBAL_QIE) && stopped ? " (stopped at an error)" : "",
                 status & VTD_GLOBAL_IRE ? " interrupt-remapping" : "");
    if ((status & VTD_GLOBAL_TE) && foreign)
        error = unit_command(unit, VTD_GLOBAL_TE, false);
    if (!error && (status & VTD_GLOBAL_QIE))
        error = stop_queue(unit);
    if (!error && (status & VTD_GLOBAL_CFI))
        error = unit_command(unit, VTD_GLOBAL_CFI, false);
    if (!error && (status & VTD_GLOBAL_IRE) && !unit->can.remapping)
        error = unit_command(unit, VTD_GLOBAL_IRE, false);
    return error;
}

/* ---- start ---- */

static int release_protected_memory(struct iommu_unit *unit)
{
    uint64_t deadline = time_ns() + UNIT_TIMEOUT_NS;

    if (!(unit->cap & (BIT(VTD_CAP_PLMR) | BIT(VTD_CAP_PHMR))))
        return 0;
    vtd_change32(unit->registers, VTD_PMEN, VTD_PMEN_EPM, 0);
    while (vtd_read32(unit->registers, VTD_PMEN) & VTD_PMEN_PRS) {
        if (time_expired(deadline))
            return -ETIMEDOUT;
    }
    return 0;
}

static int load_tables(struct iommu_unit *unit)
{
    const struct remap_table *remap = &unit->remap;
    unsigned size_code = 0;
    int error;

    vtd_write64(unit->registers, VTD_RTADDR, unit->root_physical);
    error = unit_command(unit, VTD_GLOBAL_RTP, true);
    if (error || !unit->can.remapping)
        return error;
    while ((2u << size_code) < remap->count)
        size_code++;
    vtd_write64(unit->registers, VTD_IRTA,
                remap->physical | (unit->x2apic ? VTD_IRTA_EIME : 0) | size_code);
    return unit_command(unit, VTD_GLOBAL_IRTP, true);
}

static int switch_on(struct iommu_unit *unit)
{
    int error = 0;

    if (unit->can.remapping)
        error = unit_command(unit, VTD_GLOBAL_IRE, true);
    if (error)
        return error;
    unit->remapping = unit->can.remapping;
    error = unit_command(unit, VTD_GLOBAL_TE, true);
    if (error)
        return error;
    unit->translating = true;
    return release_protected_memory(unit);
}

static int unit_start(struct iommu_unit *unit, struct refusal *why)
{
    const struct iommu_options *options = iommu_options();
    uint64_t at = unit->described->registers;
    int error;

    if (take_over(unit))
        return refuse(why, -EIO, "the IOMMU at 0x%lx does not let go of the firmware's settings",
                      at);
    error = invalidation_start(unit, options->queue_entries, why);
    if (error)
        return error;
    error = context_init(unit);
    if (!error && unit->can.remapping)
        error = remap_init(unit, options->remap_entries);
    /* Before the new root table counts, so that firmware's own DMA is never cut off. */
    if (!error)
        error = requester_quarantine_all(unit);
    if (error)
        return refuse(why, error, "no memory for the tables of the IOMMU at 0x%lx", at);
    error = load_tables(unit);
    if (!error) {
        invalidate_context_all(unit);
        invalidate_all(unit);
        if (unit->can.remapping)
            invalidate_all_entries(unit);
        error = invalidation_wait(unit);
    }
    if (!error)
        error = fault_start(unit);
    if (!error)
        error = switch_on(unit);
    if (error)
        return refuse(why, error, "the IOMMU at 0x%lx did not start (%s)", at, error_name(error));
    return 0;
}

/* ---- finding ---- */

/* The registers every unit has, then as many as its own capabilities place. */
static int map_registers(struct iommu_unit *unit)
{
    uint64_t base = unit->described->registers;
    uint64_t size = MAX(unit->described->register_size, VTD_REGISTERS_MIN);
    uint64_t end;

    if (!base)
        return 0;
    unit->registers = mmio_map(base, size);
    if (!unit->registers)
        return -ENOMEM;
    unit->register_size = size;
    unit->version = vtd_read32(unit->registers, VTD_VER);
    unit->cap = vtd_read64(unit->registers, VTD_CAP);
    unit->ecap = vtd_read64(unit->registers, VTD_ECAP);
    if (unit->cap == ~UINT64_C(0))
        return 0; /* nobody answers */
    end = MAX(vtd_ecap_iotlb_offset(unit->ecap) + 16,
              vtd_cap_fault_offset(unit->cap) + 16 * vtd_cap_fault_records(unit->cap));
    if (end <= size)
        return 0;
    mmio_unmap((void *)unit->registers, size);
    unit->register_size = ALIGN_UP(end, PAGE_SIZE);
    unit->registers = mmio_map(base, unit->register_size);
    return unit->registers ? 0 : -ENOMEM;
}

/* Some firmware lists a unit without registers, or one that it has switched off. */
static bool is_absent(const struct iommu_unit *unit)
{
    return !unit->registers || (unit->cap & unit->ecap) == ~UINT64_C(0);
}

/* 0 also for one that is not there: no unit is added then. */
static int unit_create(const struct dmar_unit *described, unsigned index, struct refusal *why)
{
    const struct iommu_options *options = iommu_options();
    struct iommu_unit *unit = kzalloc(sizeof(*unit));
    int error;

    if (!unit)
        return refuse(why, -ENOMEM, "no memory for IOMMU number %u", index);
    unit->index = index;
    unit->segment = described->segment;
    unit->include_all = described->include_all;
    unit->described = described;
    list_init(&unit->domains);
    error = map_registers(unit);
    if (error)
        error = refuse(why, error, "the registers of the IOMMU at 0x%lx could not be mapped",
                       described->registers);
    else if (is_absent(unit))
        log_warn("iommu%u at 0x%lx is not there, and none of its devices can be assigned", index,
                 described->registers);
    else
        error = unit_decide(unit, options, iommu_dmar->flags & DMAR_INTR_REMAP, why);
    if (error || is_absent(unit)) {
        if (unit->registers)
            mmio_unmap((void *)unit->registers, unit->register_size);
        kfree(unit);
        return error;
    }
    unit->x2apic = options->x2apic && unit->can.x2apic;
    unit->stores_suffice = !unit->can.caching_mode && !unit->can.write_buffer;
    table_pool_init(&unit->tables, !unit->can.coherent);
    list_push_back(&iommu_units, &unit->link);
    return 0;
}

static void announce(const struct iommu_unit *unit)
{
    log_info("iommu%u at 0x%lx: %u-bit addresses, %u-level tables, leaves up to %s%s%s%s",
             unit->index, unit->described->registers, unit->can.address_bits, unit->can.levels,
             unit->can.largest == 3   ? "1 GiB"
             : unit->can.largest == 2 ? "2 MiB"
                                      : "4 KiB",
             unit->can.queue ? "" : ", no queue", unit->can.caching_mode ? ", caching mode" : "",
             unit->remapping ? ", interrupts remapped" : "");
    if (!unit->remapping)
        log_warn("iommu%u: INTERRUPTS ARE NOT REMAPPED: an assigned device can raise any vector",
                 unit->index);
}

int iommu_init(const struct dmar_info *dmar, const struct iommu_options *options,
               struct refusal *why)
{
    struct iommu_options chosen = *options;
    struct iommu_unit *unit;
    int error = iommu_check_options(&chosen, why);

    if (error)
        return error;
    units_begin(dmar, &chosen);
    if (dmar->unit_count == 0)
        return refuse(why, -ENODEV,
                      "the firmware describes no IOMMU (DMAR table without a remapping unit)");
    snapshot_reset();
    if (reserved_init(dmar))
        return refuse(why, -ENOMEM, "no memory for the regions of reserved memory");
    for (size_t i = 0; i < dmar->unit_count; i++) {
        const char *unusable = unit_unusable(&dmar->units[i]);

        if (unusable) {
            log_warn("the IOMMU at 0x%lx is not used: %s", dmar->units[i].registers, unusable);
            continue;
        }
        error = unit_create(&dmar->units[i], (unsigned)i, why);
        if (error)
            return error;
    }
    if (list_empty(&iommu_units))
        return refuse(why, -ENODEV, "none of the IOMMUs that the firmware describes is there");
    if (requesters_find())
        return refuse(why, -ENOMEM, "no memory for the requester ids");
    error = requesters_check(why);
    if (error)
        return error;
    list_for_each_entry (unit, &iommu_units, link) {
        error = unit_start(unit, why);
        if (error)
            return error;
        announce(unit);
    }
    requesters_resume();
    return 0;
}
