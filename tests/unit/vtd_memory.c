/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/vtd_memory.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/cpu/cache.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/frames/frames.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_memory.h"

#define FRAMES (VTD_MEMORY_SIZE / PAGE_SIZE)

static uint8_t *flushed_copy;
static uint8_t frame_used[FRAMES];
static uint64_t notes[FRAMES];
static uint64_t used;
static size_t search_from;
static bool denied_now;

void (*vtd_memory_on_flush)(void);
uint64_t vtd_memory_flushes;

void vtd_memory_reset(void)
{
    if (!flushed_copy) {
        host_memory_create(VTD_MEMORY_BASE, VTD_MEMORY_SIZE);
        flushed_copy = malloc(VTD_MEMORY_SIZE);
        memset(phys_to_virt(VTD_MEMORY_BASE), 0xff, VTD_MEMORY_SIZE);
        memset(flushed_copy, 0xff, VTD_MEMORY_SIZE);
    }
    memset(frame_used, 0, sizeof(frame_used));
    used = 0;
    search_from = 0;
    denied_now = false;
    vtd_memory_on_flush = NULL;
    vtd_memory_flushes = 0;
}

void vtd_memory_deny_frames(bool denied)
{
    denied_now = denied;
}

uint64_t vtd_memory_used(void)
{
    return used;
}

static uint64_t offset_of(paddr_t address)
{
    if (address < VTD_MEMORY_BASE || address - VTD_MEMORY_BASE >= VTD_MEMORY_SIZE)
        abort();
    return address - VTD_MEMORY_BASE;
}

const void *vtd_memory_seen(paddr_t address, bool flushed)
{
    uint64_t offset = offset_of(address);

    return flushed ? (const void *)(flushed_copy + offset) : phys_to_virt(address);
}

void vtd_memory_write32(paddr_t address, uint32_t value)
{
    memcpy(flushed_copy + offset_of(address), &value, sizeof(value));
    memcpy(phys_to_virt(address), &value, sizeof(value));
}

void vtd_memory_drain(void)
{
    for (size_t frame = 0; frame < FRAMES; frame++) {
        if (frame_used[frame])
            memcpy(flushed_copy + frame * PAGE_SIZE,
                   phys_to_virt(VTD_MEMORY_BASE + frame * PAGE_SIZE), PAGE_SIZE);
    }
}

/* ---- kernel/cpu/cache.h ---- */

void cache_flush(const volatile void *at, size_t length)
{
    paddr_t first = ALIGN_DOWN(virt_to_phys((const void *)at), CACHE_LINE);
    paddr_t end = ALIGN_UP(virt_to_phys((const void *)at) + length, CACHE_LINE);

    if (vtd_memory_on_flush)
        vtd_memory_on_flush();
    memcpy(flushed_copy + offset_of(first), phys_to_virt(first), end - first);
    vtd_memory_flushes += (end - first) / CACHE_LINE;
}

void cache_flush_line(const volatile void *at)
{
    cache_flush(at, 1);
}

void store_128(volatile void *at, uint64_t low, uint64_t high)
{
    volatile uint64_t *half = at;

    if (vtd_memory_on_flush)
        vtd_memory_on_flush();
    half[0] = low;
    half[1] = high;
}

/* ---- kernel/mm/frames/frames.h ---- */

static bool is_free(size_t frame, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (frame_used[frame + i])
            return false;
    }
    return true;
}

paddr_t frames_alloc(unsigned order, unsigned flags)
{
    size_t count = (size_t)1 << order;
    size_t start = ALIGN_UP(search_from, count);

    if (denied_now || host_must_fail())
        return PADDR_NONE;
    /* Next fit, so that a page given back too early is not by luck used by the same owner. */
    for (size_t tried = 0; tried < FRAMES; tried += count) {
        size_t frame = (start + tried) % FRAMES;
        paddr_t base = VTD_MEMORY_BASE + frame * PAGE_SIZE;

        if (frame + count > FRAMES || !is_free(frame, count))
            continue;
        memset(&frame_used[frame], 1, count);
        memset(phys_to_virt(base), flags & FRAMES_ZERO ? 0 : 0xff, count * PAGE_SIZE);
        used += count;
        search_from = frame + count;
        return base;
    }
    abort();
}

void frames_release(paddr_t base, uint64_t length)
{
    size_t frame = offset_of(base) / PAGE_SIZE;

    for (size_t i = 0; i < length / PAGE_SIZE; i++) {
        if (!frame_used[frame + i])
            abort();
        frame_used[frame + i] = 0;
        used--;
    }
    memset(phys_to_virt(base), 0xff, length);
}

void *frames_note(paddr_t frame)
{
    return &notes[offset_of(frame) / PAGE_SIZE];
}

/* All of RAM belongs to the kernel; reserved regions of tests lie elsewhere. */
bool frames_owned(paddr_t base, uint64_t length)
{
    return base >= VTD_MEMORY_BASE && base + length <= VTD_MEMORY_BASE + VTD_MEMORY_SIZE;
}
