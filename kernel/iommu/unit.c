/* SPDX-License-Identifier: BSD-2-Clause */
/* The units there are, commands to one, and the end of trust in it. */
#include "kernel/iommu/unit.h"

#include "kernel/cpu/cache.h"
#include "kernel/cpu/time.h"
#include "kernel/iommu/requester.h"
#include "kernel/lib/error.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/pci/pci.h"

struct list iommu_units = LIST_INIT(iommu_units);
struct list iommu_requesters = LIST_INIT(iommu_requesters);
const struct dmar_info *iommu_dmar;
static struct iommu_options chosen;

void units_begin(const struct dmar_info *dmar, const struct iommu_options *options)
{
    list_init(&iommu_units);
    list_init(&iommu_requesters);
    iommu_dmar = dmar;
    chosen = *options;
}

const struct iommu_options *iommu_options(void)
{
    return &chosen;
}

bool iommu_remaps_interrupts(const struct iommu_unit *unit)
{
    return unit->remapping;
}

void iommu_unit_registers(const struct iommu_unit *unit, uint64_t *cap, uint64_t *ecap)
{
    *cap = unit->cap;
    *ecap = unit->ecap;
}

void *unit_memory(const struct iommu_unit *unit, uint64_t bytes, paddr_t *physical)
{
    unsigned order = 0;

    while ((PAGE_SIZE << order) < bytes)
        order++;
    *physical = frames_alloc(order, FRAMES_ZERO);
    if (*physical == PADDR_NONE)
        return NULL;
    unit_publish(unit, phys_to_virt(*physical), bytes);
    return phys_to_virt(*physical);
}

void unit_publish(const struct iommu_unit *unit, const volatile void *at, size_t length)
{
    if (!unit->can.coherent)
        cache_flush(at, length);
}

/* ---- commands ---- */

/* One-shot bits answer with a status bit that is set when done; WBF with one that is set while
 * busy. */
static bool command_done(uint32_t status, uint32_t bit, bool on)
{
    bool set = status & bit;

    return bit == VTD_GLOBAL_WBF ? !set : set == on;
}

int unit_command(struct iommu_unit *unit, uint32_t bit, bool on)
{
    uint32_t keep = vtd_read32(unit->registers, VTD_GSTS) & VTD_GLOBAL_KEEP;
    uint64_t deadline = time_ns() + UNIT_TIMEOUT_NS;

    vtd_write32(unit->registers, VTD_GCMD, on ? keep | bit : keep & ~bit);
    while (!command_done(vtd_read32(unit->registers, VTD_GSTS), bit, on)) {
        if (time_expired(deadline))
            return -ETIMEDOUT;
    }
    return 0;
}

int unit_flush_writes(struct iommu_unit *unit)
{
    if (!unit->can.write_buffer)
        return 0;
    if (unit->fenced)
        return -EIO;
    if (unit_command(unit, VTD_GLOBAL_WBF, true))
        return unit_fence(unit, "its write buffer was not flushed in time");
    return 0;
}

int unit_fence(struct iommu_unit *unit, const char *reason)
{
    struct requester *requester;

    if (unit->fenced)
        return -EIO;
    unit->fenced = true;
    unit->stores_suffice = false;
    unit->invalidation.notice_at = 0;
    format(unit->fence_reason, sizeof(unit->fence_reason), "%s", reason);
    log_error("iommu%u fenced: %s; its devices are stopped and their memory is not reused",
              unit->index, reason);
    list_for_each_entry (requester, &iommu_requesters, link) {
        if (requester->unit == unit && requester->domain)
            pci_stop_senders(unit->segment, requester->rid);
    }
    return -EIO;
}
