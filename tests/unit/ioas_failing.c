/* SPDX-License-Identifier: BSD-2-Clause */
/* The real frame pins and table pages, with failures injected in front of them: see host_heap.h. */
#define frames_pin  frames_pin_real
#define table_alloc table_alloc_real
#include "kernel/mm/frames_pin.c"
#include "kernel/iommu/tablepool.c"
#undef frames_pin
#undef table_alloc
#include "tests/unit/host_heap.h"

int frames_pin(paddr_t base, uint64_t length);
struct iommu_table_page *table_alloc(struct table_pool *pool, unsigned level);

int frames_pin(paddr_t base, uint64_t length)
{
    return host_must_fail() ? -ENOMEM : frames_pin_real(base, length);
}

struct iommu_table_page *table_alloc(struct table_pool *pool, unsigned level)
{
    return host_must_fail() ? NULL : table_alloc_real(pool, level);
}
