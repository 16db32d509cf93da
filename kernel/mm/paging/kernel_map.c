/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two windows of kernel space that come and go: device registers and kernel stacks. Each window is
 * a sorted list of the ranges in use; there are few, so the first gap is found by walking.
 */
#include "kernel/cpu/cpu.h"
#include "kernel/lib/list.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/paging/internal.h"

struct range {
    struct list link;
    uint64_t at;
    uint64_t length;
};

struct window {
    struct list ranges;
    uint64_t base;
};

static struct window mmio = {LIST_INIT(mmio.ranges), MMIO_BASE};
static struct window stacks = {LIST_INIT(stacks.ranges), STACKS_BASE};

/*
 * Reserves `length` bytes at the first address that equals `phase` modulo `align`. An unused page
 * follows each range. NULL: no memory or no room.
 */
static struct range *range_take(struct window *window, uint64_t length, uint64_t align,
                                uint64_t phase)
{
    struct range *range = kmalloc(sizeof(*range));
    struct range *next;
    uint64_t end = window->base + KERNEL_WINDOW;
    uint64_t at = window->base + phase;

    if (!range)
        return NULL;
    list_for_each_entry (next, &window->ranges, link) {
        if (at + length + PAGE_SIZE <= next->at)
            break;
        at = ALIGN_UP(next->at + next->length + PAGE_SIZE - phase, align) + phase;
    }
    if (at >= end || length + PAGE_SIZE > end - at) {
        kfree(range);
        return NULL;
    }
    range->at = at;
    range->length = length;
    list_push_back(&next->link, &range->link);
    return range;
}

static struct range *range_find(struct window *window, uint64_t at)
{
    struct range *range;

    list_for_each_entry (range, &window->ranges, link)
        if (range->at == at)
            return range;
    panic("kernel window: nothing at %lx", at);
}

static void range_return(struct range *range)
{
    list_remove(&range->link);
    kfree(range);
}

static bool touches_owned_ram(paddr_t base, uint64_t length)
{
    for (uint64_t offset = 0; offset < length; offset += PAGE_SIZE)
        if (frames_owned(base + offset, PAGE_SIZE))
            return true;
    return false;
}

/* The largest leaf that a mapping of this length can use decides its alignment. */
static uint64_t alignment_for(uint64_t length)
{
    if (length >= SIZE_1G)
        return SIZE_1G;
    return length >= SIZE_2M ? SIZE_2M : PAGE_SIZE;
}

void *mmio_map(paddr_t base, uint64_t length)
{
    paddr_t first = ALIGN_DOWN(base, PAGE_SIZE);
    uint64_t end, bytes, align;
    struct range *range;

    if (length == 0 || length > KERNEL_WINDOW || !range_end(base, length, &end) ||
        end > BIT(cpu_features.physical_bits))
        return NULL;
    bytes = ALIGN_UP(end, PAGE_SIZE) - first;
    align = alignment_for(bytes);
    if (touches_owned_ram(first, bytes))
        return NULL;
    range = range_take(&mmio, bytes, align, first & (align - 1));
    if (!range)
        return NULL;
    if (cpu_table_map(&kernel_table, range->at, first, bytes,
                      PAGE_READ | PAGE_WRITE | PAGE_UNCACHED)) {
        tlb_flush(range->at, bytes); /* the CPU may have used what was mapped for a moment */
        range_return(range);
        return NULL;
    }
    return (void *)(uintptr_t)(range->at + (base - first));
}

void mmio_unmap(void *mapped, uint64_t length)
{
    struct range *range = range_find(&mmio, ALIGN_DOWN((uintptr_t)mapped, PAGE_SIZE));

    cpu_table_unmap(&kernel_table, range->at, range->length);
    tlb_flush(range->at, range->length);
    range_return(range);
}

/* Unmaps a stack and gives its frames back. */
static void stack_clear(uint64_t at, uint64_t length)
{
    struct cpu_mapping m;
    uint64_t next = at;

    while (cpu_table_find(&kernel_table, next, at + length, &m)) {
        frames_release(m.base, m.length);
        next = m.at + m.length;
    }
    /* No frame is handed out again before this has happened: nothing here allocates. */
    cpu_table_unmap(&kernel_table, at, length);
    tlb_flush(at, length);
}

void *stack_alloc(size_t bytes)
{
    uint64_t length = ALIGN_UP(bytes, PAGE_SIZE);
    /* One page more below, never mapped: the guard. */
    struct range *range = range_take(&stacks, length + PAGE_SIZE, PAGE_SIZE, 0);
    uint64_t bottom;

    if (!range)
        return NULL;
    bottom = range->at + PAGE_SIZE;
    for (uint64_t done = 0; done < length; done += PAGE_SIZE) {
        paddr_t frame = frames_alloc(ORDER_4K, FRAMES_ZERO);

        if (frame == PADDR_NONE ||
            cpu_table_map(&kernel_table, bottom + done, frame, PAGE_SIZE, PAGE_READ | PAGE_WRITE)) {
            if (frame != PADDR_NONE)
                frames_release(frame, PAGE_SIZE);
            stack_clear(bottom, done);
            range_return(range);
            return NULL;
        }
    }
    return (void *)(uintptr_t)(bottom + length);
}

void stack_free(void *top, size_t bytes)
{
    uint64_t length = ALIGN_UP(bytes, PAGE_SIZE);
    uint64_t bottom = (uintptr_t)top - length;

    stack_clear(bottom, length);
    range_return(range_find(&stacks, bottom - PAGE_SIZE));
}
