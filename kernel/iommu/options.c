/* SPDX-License-Identifier: BSD-2-Clause */
/* What may be asked of the units, before there are any: tools/check asks on the build machine. */
#include "kernel/iommu/invalidate.h"
#include "kernel/iommu/iommu.h"
#include "kernel/lib/error.h"
#include "kernel/lib/refusal.h"

#define REMAP_ENTRIES_MIN    256u
#define REMAP_ENTRIES_PRESET 4096u
#define REMAP_ENTRIES_MAX    65536u

static bool power_of_two_between(unsigned value, unsigned low, unsigned high)
{
    return value >= low && value <= high && (value & (value - 1)) == 0;
}

int iommu_check_options(struct iommu_options *options, struct refusal *why)
{
    if (options->queue_entries == 0)
        options->queue_entries = QUEUE_ENTRIES_MIN;
    if (options->remap_entries == 0)
        options->remap_entries = REMAP_ENTRIES_PRESET;
    if (!power_of_two_between(options->queue_entries, QUEUE_ENTRIES_MIN, QUEUE_ENTRIES_MAX))
        return refuse(
            why, -EINVAL,
            "the IOMMU invalidation queue must have 256 to 32768 entries, a power of two");
    if (!power_of_two_between(options->remap_entries, REMAP_ENTRIES_MIN, REMAP_ENTRIES_MAX))
        return refuse(
            why, -EINVAL,
            "the interrupt-remapping table must have 256 to 65536 entries, a power of two");
    return 0;
}
