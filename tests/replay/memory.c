/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/replay/memory.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/cpu/cache.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/frames/frames.h"
#include "tests/unit/host_memory.h"
#include "tests/unit/vtd_memory.h"

#define POOL_MAX     (4 * GIB)
#define POOL_DEFAULT (16 * MIB) /* where it is if the file tells of no memory */
#define REACHED      BIT(38)    /* by every unit */

static const struct phys_run *ram;
static size_t ram_count;
static paddr_t next, end;

/* The largest run that every unit reaches. Untouched pages cost nothing. */
void memory_place(const struct phys_run *runs, size_t count)
{
    struct phys_run best = {POOL_DEFAULT, 0};

    ram = runs;
    ram_count = count;
    for (size_t i = 0; i < count; i++)
        if (runs[i].length > best.length && runs[i].base < REACHED)
            best = runs[i];
    if (!best.length)
        best.length = POOL_MAX;
    next = ALIGN_UP(best.base, PAGE_SIZE);
    end = next + MIN(best.length, POOL_MAX);
    host_memory_create(next, end - next);
}

/* ---- kernel/mm/frames/frames.h: what is given back is not used again ---- */

paddr_t frames_alloc(unsigned order, unsigned flags)
{
    uint64_t length = PAGE_SIZE << order;
    paddr_t base = ALIGN_UP(next, length);

    if (base > end - length)
        return PADDR_NONE;
    next = base + length;
    memset(phys_to_virt(base), flags & FRAMES_ZERO ? 0 : 0xff, length);
    return base;
}

void frames_release(paddr_t base, uint64_t length)
{
}

void *frames_note(paddr_t frame)
{
    static uint64_t *notes;

    if (!notes)
        notes = calloc(POOL_MAX / PAGE_SIZE + 1, sizeof(*notes));
    return &notes[frame / PAGE_SIZE % (POOL_MAX / PAGE_SIZE)];
}

bool frames_owned(paddr_t base, uint64_t length)
{
    for (size_t i = 0; i < ram_count; i++)
        if (base >= ram[i].base && base + length <= ram[i].base + ram[i].length)
            return true;
    return false;
}

/* ---- tests/unit/vtd_memory.h: units see every store at once ---- */

const void *vtd_memory_seen(paddr_t address, bool flushed)
{
    return phys_to_virt(address);
}

void vtd_memory_write32(paddr_t address, uint32_t value)
{
    memcpy(phys_to_virt(address), &value, sizeof(value));
}

void vtd_memory_drain(void)
{
}

/* ---- kernel/cpu/cache.h ---- */

void cache_flush(const volatile void *at, size_t length)
{
}

void cache_flush_line(const volatile void *at)
{
}

void store_128(volatile void *at, uint64_t low, uint64_t high)
{
    volatile uint64_t *half = at;

    half[0] = low;
    half[1] = high;
}
