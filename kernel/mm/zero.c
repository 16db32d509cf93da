/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mm/zero.h"

#include "kernel/cpu/cache.h"
#include "kernel/lib/string.h"
#include "kernel/mm/direct.h"

static bool past_caches;

void memory_zero_past_caches(void)
{
    past_caches = true;
}

void memory_zero(paddr_t base, uint64_t length)
{
    if (past_caches)
        cache_zero(phys_to_virt(base), length);
    else
        memset(phys_to_virt(base), 0, length);
}
