/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes to the tree of mappings in two halves: one that may fail, one that cannot. */
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/heap.h"
#include "kernel/linux/memory/internal.h"
#include "kernel/machine/console/trace.h"

void edit_begin(struct edit *edit, struct space *space)
{
    ASSERT(!space->edit);
    edit->space = space;
    edit->nodes = edit->ranges = 0;
    edit->gone = NULL;
    space->edit = edit;
}

static bool add_mapping(struct edit *edit)
{
    struct mapping *node = kzalloc(sizeof(*node));

    if (!node)
        return false;
    ASSERT(edit->nodes < EDIT_NODES);
    edit->node[edit->nodes++] = node;
    return true;
}

/*
 * What cutting at one address takes: a node and small pages, if the address is inside something. A
 * mapping of huge pages is not cut inside one.
 */
static int prepare_cut(struct edit *edit, uaddr_t at)
{
    struct mapping *mapping = mapping_at(edit->space, at);

    if (!mapping)
        return 0;
    if (mapping->start != at) {
        if (!IS_ALIGNED(at, PAGE_SIZE << mapping->huge_order))
            return -EINVAL;
        if (!add_mapping(edit))
            return -ENOMEM;
    }
    return cpu_space_prepare_cut(edit->space->cpu, at);
}

int edit_prepare(struct edit *edit, uaddr_t start, uaddr_t end)
{
    int error = prepare_cut(edit, start);

    ASSERT(edit->ranges < EDIT_RANGES);
    edit->range[edit->ranges].start = start;
    edit->range[edit->ranges++].end = end;
    return error ? error : prepare_cut(edit, end);
}

bool edit_meets(const struct space *space, uaddr_t start, uaddr_t end)
{
    const struct edit *edit = space->edit;

    for (unsigned i = 0; edit && i < edit->ranges; i++) {
        if (start < edit->range[i].end && end >= edit->range[i].start)
            return true;
    }
    return false;
}

static void cut(struct edit *edit, uaddr_t at)
{
    struct mapping *mapping;

    if (edit->nodes == 0) /* then edit_prepare() saw nothing to cut */
        return;
    mapping = mapping_at(edit->space, at);
    if (!mapping || mapping->start == at)
        return;
    mapping_split(mapping, at, edit->node[--edit->nodes]);
}

void edit_isolate(struct edit *edit, uaddr_t start, uaddr_t end)
{
    cut(edit, start);
    cut(edit, end);
}

/* From now on nobody finds it, by its address or by what it maps. */
static void take_out(struct edit *edit, struct mapping *mapping)
{
    TRACE(TRACE_MAPS, TRACE_UNMAP, 0, mapping->flags, mapping->start, mapping->end);
    mapping_set_locked(mapping, false);
    mapping_remove(mapping);
    mapping_unwatch(mapping);
    mapping->next = edit->gone;
    edit->gone = mapping;
}

void edit_clear(struct edit *edit, uaddr_t start, uaddr_t end)
{
    struct space *space = edit->space;
    struct mapping *mapping;

    edit_isolate(edit, start, end);
    mapping = mapping_from(space, start);
    while (mapping->start < end && mapping != &space->top) {
        struct mapping *next = mapping_next(mapping);

        mapping->flags |= MAPPING_BUSY;
        space_drop(space, space->cpu, mapping->start, mapping->end);
        take_out(edit, mapping);
        space_breathe_deaf(space, CHANGE_WORK);
        mapping = next;
    }
}

void edit_end(struct edit *edit)
{
    edit->space->edit = NULL;
    while (edit->nodes > 0)
        kfree(edit->node[--edit->nodes]);
    while (edit->gone) {
        struct mapping *mapping = edit->gone;

        edit->gone = mapping->next;
        mapping_free(mapping);
        space_breathe_deaf(edit->space, CHANGE_WORK);
    }
}
