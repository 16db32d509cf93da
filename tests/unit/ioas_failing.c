/* SPDX-License-Identifier: BSD-2-Clause */
/* The real frame pins and table pages, with failures injected in front of them: see host_heap.h. */
#define frames_pin_runs frames_pin_runs_real
#define table_alloc     table_alloc_real
#include "kernel/mm/frames/frames_pin.c"
#include "kernel/table/pool.c"
#undef frames_pin_runs
#undef table_alloc
#include "tests/unit/host_heap.h"

int frames_pin_runs(const struct phys_run *runs, size_t count);
uint64_t *table_alloc(struct table_pool *pool);

int frames_pin_runs(const struct phys_run *runs, size_t count)
{
    return host_must_fail() ? -ENOMEM : frames_pin_runs_real(runs, count);
}

uint64_t *table_alloc(struct table_pool *pool)
{
    return host_must_fail() ? NULL : table_alloc_real(pool);
}
