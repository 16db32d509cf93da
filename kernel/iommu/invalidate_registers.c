/* SPDX-License-Identifier: BSD-2-Clause */
/* Invalidation through registers (VT-d specification 6.5.1). */
#include "kernel/cpu/time.h"
#include "kernel/iommu/queue.h"

/*
 * Writes a command and waits until hardware clears its top bit. The two bits from `actual` on then
 * say what was done: 0 means nothing, because the request made no sense to the unit.
 */
static void command(struct iommu_unit *unit, struct vtd_reg64 reg, uint64_t value,
                    uint64_t reserved, unsigned actual)
{
    uint64_t deadline = time_ns() + UNIT_TIMEOUT_NS;
    uint64_t answer;

    value |= vtd_read64(unit->registers, reg) & reserved;
    vtd_write64(unit->registers, reg, value | BIT(63));
    while ((answer = vtd_read64(unit->registers, reg)) & BIT(63)) {
        if (time_expired(deadline)) {
            unit_fence(unit, "an invalidation through its registers did not finish");
            return;
        }
    }
    if (bits_get(answer, actual + 1, actual) == 0)
        unit_fence(unit, "it refused an invalidation through its registers");
}

static void context_cache(struct iommu_unit *unit, const struct vtd_descriptor *request)
{
    uint64_t granularity = vtd_descriptor_granularity(request);
    uint64_t domain = bits_get(request->low, 31, 16);
    uint64_t rid = bits_get(request->low, 47, 32);

    command(unit, VTD_CCMD, granularity << VTD_CCMD_CIRG_SHIFT | rid << 16 | domain,
            VTD_CCMD_RESERVED, VTD_CCMD_CAIG_SHIFT);
}

static void iotlb(struct iommu_unit *unit, const struct vtd_descriptor *request)
{
    uint64_t granularity = vtd_descriptor_granularity(request);
    uint64_t domain = bits_get(request->low, 31, 16);
    uint64_t value = granularity << VTD_IOTLB_IIRG_SHIFT | domain << 32;

    if (request->low & VTD_IOTLB_DRAIN_READS)
        value |= VTD_IOTLB_DR;
    if (request->low & VTD_IOTLB_DRAIN_WRITES)
        value |= VTD_IOTLB_DW;
    if (granularity == VTD_PAGES)
        vtd_write64(unit->registers, VTD_IVA(unit->ecap), request->high);
    command(unit, VTD_IOTLB(unit->ecap), value, VTD_IOTLB_RESERVED, VTD_IOTLB_IAIG_SHIFT);
}

void register_execute(struct iommu_unit *unit, const struct vtd_descriptor *request)
{
    /* The others need ECAP.QI: capability.c gives such a unit neither remapping nor device TLBs. */
    if (vtd_descriptor_type(request) == VTD_DESCRIPTOR_CONTEXT)
        context_cache(unit, request);
    else
        iotlb(unit, request);
}
