/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree of mappings. */
#include "kernel/file/file.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/hugepages.h"
#include "kernel/linux/memory/internal.h"

static struct mapping *mapping_of(struct rb_node *node)
{
    return rb_entry(node, struct mapping, node);
}

struct mapping *mapping_from(const struct space *space, uaddr_t at)
{
    struct rb_node *node = space->mappings.root;
    struct mapping *best = NULL;

    while (node) {
        struct mapping *mapping = mapping_of(node);

        if (mapping->end > at)
            best = mapping;
        node = node->child[mapping->end > at ? RB_LEFT : RB_RIGHT];
    }
    return best ? best : mapping_of(rb_last(&space->mappings));
}

struct mapping *mapping_at(const struct space *space, uaddr_t at)
{
    struct mapping *mapping = mapping_from(space, at);

    return mapping->start <= at && at < mapping->end ? mapping : NULL;
}

struct mapping *mapping_next(struct mapping *mapping)
{
    return mapping_of(rb_next(&mapping->node));
}

struct mapping *mapping_before(struct mapping *mapping)
{
    return mapping_of(rb_previous(&mapping->node));
}

static uint64_t largest_below(const struct rb_node *node, enum rb_side side)
{
    return node->child[side] ? mapping_of(node->child[side])->largest_gap : 0;
}

bool mapping_update_gap(struct rb_node *node)
{
    struct mapping *mapping = mapping_of(node);
    uint64_t largest = MAX(largest_below(node, RB_LEFT), largest_below(node, RB_RIGHT));

    largest = MAX(largest, mapping->gap);
    if (mapping->largest_gap == largest)
        return false;
    mapping->largest_gap = largest;
    return true;
}

/* Kept clear below a mapping: a stack may still grow. */
static uint64_t guard_of(const struct mapping *mapping)
{
    return mapping->flags & MAPPING_GROWS_DOWN ? STACK_GUARD : 0;
}

static uint64_t gap_behind(const struct mapping *before, const struct mapping *mapping)
{
    uint64_t free = mapping->start - (before ? before->end : 0);

    return free - MIN(free, guard_of(mapping));
}

static void set_gap(struct mapping *mapping, const struct mapping *before)
{
    mapping->gap = gap_behind(before, mapping);
    rb_changed(&mapping->space->mappings, &mapping->node);
}

/* Addresses that the mapping gets, or loses; its own huge pages are counted as long as it is. */
static void count(const struct mapping *mapping, int64_t bytes)
{
    mapping->space->mapped += (uint64_t)bytes;
    if (mapping->huge_order == ORDER_2M && !(mapping->flags & MAPPING_SHARED))
        hugepages_charge(bytes);
}

void mapping_insert(struct space *space, struct mapping *mapping)
{
    struct rb_node *parent = NULL, *at = space->mappings.root;
    struct mapping *beside[2] = {NULL, NULL}; /* the mappings before and behind */
    enum rb_side side = RB_LEFT;

    while (at) {
        parent = at;
        side = mapping->start >= mapping_of(at)->end ? RB_RIGHT : RB_LEFT;
        beside[side == RB_LEFT] = mapping_of(at);
        at = at->child[side];
    }
    mapping->space = space;
    mapping->cpu = space->cpu;
    mapping->gap = gap_behind(beside[0], mapping);
    mapping->largest_gap = 0;
    rb_insert(&space->mappings, &mapping->node, parent, side);
    if (beside[1])
        set_gap(beside[1], mapping);
    count(mapping, (int64_t)(mapping->end - mapping->start));
}

void mapping_remove(struct mapping *mapping)
{
    struct mapping *next = mapping_next(mapping);

    rb_remove(&mapping->space->mappings, &mapping->node);
    if (next)
        set_gap(next, mapping_before(next));
    count(mapping, (int64_t)(mapping->start - mapping->end));
}

void mapping_set_start(struct mapping *mapping, uaddr_t start)
{
    count(mapping, (int64_t)(mapping->start - start));
    mapping->offset -= mapping->start - start;
    mapping->file_offset -= mapping->start - start;
    mapping->start = start;
    set_gap(mapping, mapping_before(mapping));
}

static void set_end(struct mapping *mapping, uaddr_t end)
{
    count(mapping, (int64_t)(end - mapping->end));
    mapping->end = end;
    set_gap(mapping_next(mapping), mapping);
}

static void unmap(const struct mapping *mapping, uaddr_t start, uaddr_t end)
{
    cpu_space_unmap(mapping->cpu, start, end - start);
    breath_left -= (int64_t)MIN((end - start) / PAGE_SIZE * PAGE_WORK, (uint64_t)BREATH_WORK);
}

static void watch_revoke(struct memobj_watcher *watcher)
{
    const struct mapping *mapping = container_of(watcher, struct mapping, watcher);

    unmap(mapping, mapping->start, mapping->end);
}

/* A fault brings the memory back. */
static void watch_restore(struct memobj_watcher *watcher)
{
}

/* Takes whole pages, whatever their size: what is still there comes back by a fault. */
static void watch_zap(struct memobj_watcher *watcher, uint64_t from, uint64_t to)
{
    const struct mapping *mapping = container_of(watcher, struct mapping, watcher);
    uint64_t length = mapping->end - mapping->start;
    uaddr_t start, end;

    if (mapping->offset >= to || from >= mapping->offset + length)
        return;
    start = mapping->start + (MAX(from, mapping->offset) - mapping->offset);
    end = mapping->start + MIN(to - mapping->offset, length);
    start = ALIGN_DOWN(start, cpu_space_page_size(mapping->cpu, start));
    end = ALIGN_UP(end, cpu_space_page_size(mapping->cpu, end - 1));
    unmap(mapping, MAX(start, mapping->start), MIN(end, mapping->end));
}

void mapping_watch(struct mapping *mapping)
{
    if (!mapping->object || !(mapping->flags & MAPPING_SHARED))
        return;
    mapping->watcher =
        (struct memobj_watcher){.revoke = watch_revoke, .restore = watch_restore, .zap = watch_zap};
    memobj_watch(mapping->object, &mapping->watcher);
}

void mapping_unwatch(struct mapping *mapping)
{
    if (mapping->object && (mapping->flags & MAPPING_SHARED))
        memobj_unwatch(&mapping->watcher);
}

void mapping_copy_kind(struct mapping *to, const struct mapping *from)
{
    to->space = from->space;
    to->cpu = from->cpu;
    to->object = from->object;
    to->offset = from->offset;
    to->file_offset = from->file_offset;
    to->file = from->file;
    to->name = from->name;
    to->access = from->access;
    to->access_max = from->access_max;
    to->flags = from->flags;
    to->huge_order = from->huge_order;
    if (to->file)
        file_get(to->file);
    if (to->object)
        memobj_get(to->object);
    mapping_watch(to);
}

void mapping_free(struct mapping *mapping)
{
    mapping_unwatch(mapping);
    if (mapping->object)
        memobj_put(mapping->object);
    file_put(mapping->file);
    kfree(mapping);
}

void mapping_split(struct mapping *mapping, uaddr_t at, struct mapping *upper)
{
    mapping_copy_kind(upper, mapping);
    upper->watcher.zapped = mapping->watcher.zapped;
    upper->start = at;
    upper->end = mapping->end;
    upper->offset += at - mapping->start;
    upper->file_offset += at - mapping->start;
    set_end(mapping, at);
    mapping_insert(mapping->space, upper);
}

static bool continues(const struct mapping *a, const struct mapping *b)
{
    uint64_t length = a->end - a->start;

    return !(a->flags & MAPPING_BUSY) && a->end == b->start && a->object == b->object &&
           a->file == b->file && a->name == b->name && a->access == b->access &&
           a->access_max == b->access_max && a->flags == b->flags &&
           a->huge_order == b->huge_order && !(a->flags & MAPPING_GROWS_DOWN) &&
           b != &b->space->top &&
           (!a->object ||
            (a->offset + length == b->offset && a->file_offset + length == b->file_offset));
}

void mappings_join(struct space *space, uaddr_t start, uaddr_t end)
{
    struct mapping *mapping = mapping_from(space, start ? start - 1 : 0);

    while (mapping->start <= end && mapping != &space->top) {
        struct mapping *next = mapping_next(mapping);
        uaddr_t next_end = next->end;
        uint64_t zapped;

        space_breathe_deaf(space, STEP_WORK);
        if (!continues(mapping, next)) {
            mapping = next;
            continue;
        }
        zapped = next->watcher.zapped == mapping->watcher.zapped ? mapping->watcher.zapped : 0;
        mapping_remove(next);
        mapping_free(next); /* another reference of its file remains: does not sleep */
        /* Behind what it takes over: who tells the watchers in turn may not have come to that. */
        mapping_unwatch(mapping);
        mapping_watch(mapping);
        mapping->watcher.zapped = zapped;
        count(mapping, (int64_t)(next_end - mapping->end));
        mapping->end = next_end;
        set_gap(mapping_next(mapping), mapping);
        space_breathe_deaf(space, CHANGE_WORK);
    }
}

/* What a search for a gap looks for. */
struct wish {
    uint64_t length; /* of a gap that has a place for sure, whatever its alignment */
    uint64_t bytes;
    uint64_t align;
    uint64_t phase;
    uaddr_t low;
    uaddr_t high;
};

/* The highest place in the gap below a mapping. */
static bool place_in_gap(const struct wish *wish, const struct mapping *mapping, uaddr_t *out)
{
    uaddr_t end = mapping->start - guard_of(mapping);
    uaddr_t low = MAX(end - mapping->gap, wish->low);
    uaddr_t high = MIN(end, wish->high);
    uaddr_t at;

    if (high < low || high - low < wish->bytes || high - wish->bytes < wish->phase)
        return false;
    at = ALIGN_DOWN(high - wish->bytes - wish->phase, wish->align) + wish->phase;
    if (at < low)
        return false;
    *out = at;
    return true;
}

/* Depth is the height of the tree: below 60 for as many mappings as memory could hold. */
static bool search(const struct wish *wish, struct rb_node *node, uaddr_t *out)
{
    struct mapping *mapping = mapping_of(node);

    if (!mapping || mapping->largest_gap < wish->length)
        return false;
    if (mapping->end < wish->high && search(wish, node->child[RB_RIGHT], out))
        return true;
    if (mapping->gap >= wish->length && place_in_gap(wish, mapping, out))
        return true;
    return mapping->start > wish->low && search(wish, node->child[RB_LEFT], out);
}

bool space_find_gap(const struct space *space, uint64_t length, uint64_t align, uint64_t phase,
                    uaddr_t low, uaddr_t high, uaddr_t *out)
{
    struct wish wish = {length + (align - PAGE_SIZE), length, align, phase, low, high};

    return search(&wish, space->mappings.root, out);
}

bool space_is_free(const struct space *space, uaddr_t start, uaddr_t end)
{
    return mapping_from(space, start)->start >= end;
}

bool space_is_mapped(const struct space *space, uaddr_t start, uaddr_t end)
{
    struct mapping *mapping = mapping_from(space, start);

    while (mapping->start <= start && mapping != &space->top) {
        if (mapping->end >= end)
            return true;
        space_breathe_deaf(space, STEP_WORK);
        start = mapping->end;
        mapping = mapping_next(mapping);
    }
    return false;
}
