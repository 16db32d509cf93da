/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The free lists: a buddy system of blocks from 4 KiB to 1 GiB over one flat metadata table, and a
 * small stack of single frames in front, so that taking and returning one frame does not split and
 * join blocks each time.
 */
#include "kernel/mm/frames/frames.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/frames/internal.h"

#define CACHE_SIZE   64u
#define REFILL_ORDER 4u

struct frames frames;

static uint32_t free_list[ORDER_COUNT];
static uint32_t cache[CACHE_SIZE];
static uint32_t cached;

static void list_insert(uint32_t number, unsigned order)
{
    struct frame *frame = frame_of(number);

    frame->state = FRAME_FREE;
    frame->order = (uint8_t)order;
    frame->prev = FRAME_NONE;
    frame->next = free_list[order];
    if (frame->next != FRAME_NONE)
        frame_of(frame->next)->prev = number;
    free_list[order] = number;
    frames.stats.blocks += (1u << order) / FRAMES_PER_2M;
}

static void list_take(uint32_t number, unsigned order)
{
    struct frame *frame = frame_of(number);

    if (frame->prev == FRAME_NONE)
        free_list[order] = frame->next;
    else
        frame_of(frame->prev)->next = frame->next;
    if (frame->next != FRAME_NONE)
        frame_of(frame->next)->prev = frame->prev;
    frame->state = FRAME_HELD;
    frame->order = 0;
    frames.stats.blocks -= (1u << order) / FRAMES_PER_2M;
}

static bool is_free_block(uint32_t number, unsigned order)
{
    uint32_t index = number - frames.base;

    return index < frames.count && frames.frame[index].state == FRAME_FREE &&
           frames.frame[index].order == order;
}

static void put_block(uint32_t number, unsigned order)
{
    while (order < ORDER_1G && is_free_block(number ^ (1u << order), order)) {
        list_take(number ^ (1u << order), order);
        number &= ~(1u << order);
        order++;
    }
    list_insert(number, order);
}

static void cache_drain(uint32_t keep)
{
    while (cached > keep) {
        uint32_t number = cache[--cached];

        frame_of(number)->state = FRAME_HELD;
        put_block(number, 0);
    }
}

/* Splits the smallest block that is large enough. */
static uint32_t take_block(unsigned order)
{
    unsigned have = order;
    uint32_t number;

    while (have < ORDER_COUNT && free_list[have] == FRAME_NONE)
        have++;
    if (have == ORDER_COUNT)
        return FRAME_NONE;
    number = free_list[have];
    list_take(number, have);
    while (have > order) {
        have--;
        list_insert(number + (1u << have), have);
    }
    return number;
}

static uint32_t take_large(unsigned order)
{
    uint32_t number = take_block(order);

    if (number == FRAME_NONE && cached != 0) {
        /* The single frames on the stack may be the missing part of a larger block. */
        cache_drain(0);
        number = take_block(order);
    }
    return number;
}

static void cache_refill(void)
{
    unsigned order = REFILL_ORDER;
    uint32_t number = take_block(order);

    while (number == FRAME_NONE && order > 0)
        number = take_block(--order);
    if (number == FRAME_NONE)
        return;
    /* Backwards, so that frames leave in ascending order and stay physically consecutive. */
    for (uint32_t i = 1u << order; i-- > 0;) {
        frame_of(number + i)->state = FRAME_CACHED;
        cache[cached++] = number + i;
    }
}

static uint32_t take_one(void)
{
    uint32_t number;

    if (cached == 0) {
        cache_refill();
        if (cached == 0)
            return FRAME_NONE;
    }
    number = cache[--cached];
    frame_of(number)->state = FRAME_HELD;
    return number;
}

static uint32_t take(unsigned order, unsigned flags)
{
    if ((flags & FRAMES_PAYLOAD) && frames.stats.free < (1u << order) + frames.stats.reserve)
        return FRAME_NONE;
    return order == 0 ? take_one() : take_large(order);
}

paddr_t frames_alloc(unsigned order, unsigned flags)
{
    uint32_t number = take(order, flags);

    while (number == FRAME_NONE && frames_settle())
        number = take(order, flags);
    if (number == FRAME_NONE)
        return PADDR_NONE;
    frames.stats.free -= 1u << order;
    if (flags & FRAMES_ZERO)
        memset(phys_to_virt((paddr_t)number << PAGE_SHIFT), 0, PAGE_SIZE << order);
    return (paddr_t)number << PAGE_SHIFT;
}

void frames_put_one(uint32_t number)
{
    struct frame *frame = frame_of(number);

    ASSERT(frame->state == FRAME_HELD);
    if (cached == CACHE_SIZE)
        cache_drain(CACHE_SIZE / 2);
    frame->state = FRAME_CACHED;
    cache[cached++] = number;
    frames.stats.free++;
}

void frames_put_free(uint32_t first, uint32_t count)
{
    frames.stats.free += count;
    while (count > 0) {
        unsigned order = (unsigned)__builtin_ctz(first | FRAMES_PER_1G);
        unsigned fits = 31u - (unsigned)__builtin_clz(count);

        order = MIN(order, fits);
        ASSERT(frame_of(first)->state == FRAME_HELD);
        put_block(first, order);
        first += 1u << order;
        count -= 1u << order;
    }
}

void frames_reset(void)
{
    frames = (struct frames){0};
    for (unsigned i = 0; i < ORDER_COUNT; i++)
        free_list[i] = FRAME_NONE;
    cached = 0;
}

bool frames_owned(paddr_t base, uint64_t length)
{
    uint64_t index = (base >> PAGE_SHIFT) - frames.base;
    uint64_t count = length >> PAGE_SHIFT;

    if (index >= frames.count || count > frames.count - index)
        return false;
    for (uint64_t i = 0; i < count; i++)
        if (frames.frame[index + i].state == FRAME_HOLE)
            return false;
    return true;
}

void *frames_note(paddr_t frame)
{
    return frame_of((uint32_t)(frame >> PAGE_SHIFT))->note;
}

void frames_stats(struct frames_stats *out)
{
    *out = frames.stats;
}
