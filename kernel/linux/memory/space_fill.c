/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the memory behind mappings comes from. Frames of anonymous and private memory belong to the
 * page that maps them (PAGE_OWNED); those of shared objects belong to the object. Memory is cleared
 * before it is mapped.
 */
#include "kernel/lib/error.h"
#include "kernel/lib/string.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/ramobj.h"
#include "kernel/mm/zero.h"
#include "kernel/linux/memory/internal.h"

static unsigned page_flags(const struct mapping *mapping)
{
    unsigned flags = mapping->access;

    if (mapping->flags & MAPPING_DEVICE)
        flags |= PAGE_UNCACHED;
    if (!(mapping->flags & MAPPING_SHARED))
        flags |= PAGE_OWNED;
    return flags;
}

#define LARGE_PIECE (16 * MIB) /* released at a time */
#define RUN_WORK    700        /* finding and releasing pages that lie side by side */

/* Drops large pages. They may be pinned in places, so that each frame has to be looked at. */
static uaddr_t drop_large(const struct space *space, struct cpu_space *cpu,
                          const struct cpu_mapping *m)
{
    cpu_space_unmap(cpu, m->at, m->length);
    space_breathe_deaf(space, TABLE_WORK);
    for (uint64_t done = 0; (m->flags & PAGE_OWNED) && done < m->length; done += LARGE_PIECE) {
        uint64_t bytes = MIN(m->length - done, LARGE_PIECE);

        frames_release(m->base + done, bytes);
        space_breathe_deaf(space, bytes / PAGE_SIZE * PAGE_WORK);
    }
    return m->at + m->length;
}

/* Drops what one table holds of the range, from `m` on. */
static uaddr_t drop_small(const struct space *space, struct cpu_space *cpu, struct cpu_mapping m,
                          uaddr_t end)
{
    uaddr_t at = m.at, start;
    uint64_t work = TABLE_WORK;

    end = MIN(end, ALIGN_DOWN(at, SIZE_2M) + SIZE_2M);
    do {
        if (m.flags & PAGE_OWNED)
            frames_release(m.base, m.length);
        start = m.at + m.length;
        work += RUN_WORK + m.length / PAGE_SIZE * PAGE_WORK;
    } while (cpu_space_find(cpu, start, end, &m));
    /* The frames are not handed out again before this: nothing above or below allocates. */
    cpu_space_unmap(cpu, at, start - at);
    space_breathe_deaf(space, work);
    return start;
}

void space_drop(const struct space *space, struct cpu_space *cpu, uaddr_t start, uaddr_t end)
{
    struct cpu_mapping m;

    while (cpu_space_find(cpu, start, end, &m))
        start = m.length > SIZE_2M ? drop_large(space, cpu, &m) : drop_small(space, cpu, m, end);
}

/* The largest block that fits an address range and its alignment. */
static unsigned block_order(uaddr_t at, uint64_t length)
{
    unsigned order = ORDER_1G;

    while (!IS_ALIGNED(at, PAGE_SIZE << order) || length < PAGE_SIZE << order)
        order--;
    return order;
}

/* Copies what a private file mapping starts with; holes of the file are zero already. */
static int copy_from_object(const struct mapping *mapping, uaddr_t at, paddr_t to, uint64_t length)
{
    uint64_t offset = mapping->offset + (at - mapping->start);

    while (length > 0) {
        struct phys_run run;
        int error = 0;

        if (memobj_is_ram(mapping->object))
            run = ramobj_peek(mapping->object, offset, length);
        else
            error = memobj_run(mapping->object, offset, length, &run);
        if (error)
            return error;
        if (run.base != PADDR_NONE)
            memcpy(phys_to_virt(to), phys_to_virt(run.base), run.length);
        offset += run.length;
        to += run.length;
        length -= run.length;
    }
    return 0;
}

#define CLEAR_PIECE MIB
#define SMALL_PIECE (64 * MIB) /* mapped at a time in small pages */
#define LARGE_RUN   (32 * GIB) /* in large ones */
#define FILL_WORK   1000       /* of one block, its contents aside */
#define WORD_WORK   8          /* bytes cleared or copied for a unit of work */

/* Clears a block that nobody else has seen yet; breathes between pieces. -EINTR. */
static int clear_block(const struct mapping *mapping, paddr_t base, uint64_t bytes)
{
    int error = 0;

    for (; bytes > CLEAR_PIECE && !error; base += CLEAR_PIECE, bytes -= CLEAR_PIECE) {
        memory_zero(base, CLEAR_PIECE);
        error = space_breathe(mapping->space, CLEAR_PIECE / WORD_WORK);
    }
    if (!error)
        memory_zero(base, bytes);
    return error;
}

/*
 * How large a block may be: as large as it fits; what is copied from an object only so large that
 * the object is not let out of sight.
 */
static unsigned largest_order(const struct mapping *mapping, uaddr_t at, uint64_t length)
{
    unsigned fits = block_order(at, length);

    return mapping->object ? MIN(fits, ORDER_2M) : fits;
}

/* Puts a cleared block where nothing is. */
static int map_block(const struct mapping *mapping, uaddr_t at, paddr_t base, uint64_t bytes,
                     unsigned flags)
{
    int error = mapping->object ? copy_from_object(mapping, at, base, bytes) : 0;

    return error ? error : cpu_space_map(mapping->cpu, at, base, bytes, flags);
}

/*
 * One block at `at`; *order is lowered when there is none so large. Returns the bytes mapped: 0
 * also when a fault was faster, or the object was shortened, while the block was cleared.
 */
static int64_t fill_block(const struct mapping *mapping, uaddr_t at, uint64_t length,
                          unsigned *order, unsigned flags)
{
    unsigned fits = largest_order(mapping, at, length);
    unsigned huge = mapping->huge_order;
    unsigned use = huge && fits >= huge ? huge : MIN(fits, *order);
    uint64_t bytes = PAGE_SIZE << use;
    paddr_t base = frames_alloc(use, FRAMES_PAYLOAD);
    struct cpu_mapping m;
    bool taken;
    int error;

    if (base == PADDR_NONE) {
        if (use == 0 || use == huge)
            return -ENOMEM;
        *order = use - 1;
        return 0;
    }
    error = clear_block(mapping, base, bytes);
    taken = !error && bytes > CLEAR_PIECE &&
            (at + bytes > mapping_backed_end(mapping) ||
             cpu_space_find(mapping->cpu, at, at + bytes, &m));
    if (!error && !taken)
        error = map_block(mapping, at, base, bytes, flags);
    if (error || taken)
        frames_release(base, bytes);
    return error ? error : taken ? 0 : (int64_t)bytes;
}

/*
 * Frames for the object in large blocks, if there may be breaths; what is small run() makes. 1:
 * others were let in.
 */
static int populate_object(const struct mapping *mapping, uint64_t offset, uint64_t length)
{
    if (!mutex_held(&mapping->space->lock) || !memobj_is_ram(mapping->object))
        return 0;
    return ramobj_populate(mapping->object, offset, length);
}

/* Shared objects and devices: the object's memory. */
static int64_t fill_shared(const struct mapping *mapping, uaddr_t at, uaddr_t end, unsigned flags)
{
    uint64_t offset = mapping->offset + (at - mapping->start);
    struct phys_run run = {0};
    int error = populate_object(mapping, offset, end - at);

    if (error)
        return MIN(error, 0);
    error = memobj_run(mapping->object, offset, end - at, &run);
    if (!error && run.length < PAGE_SIZE << mapping->huge_order)
        error = -ENOMEM;
    run.length = MIN(run.length, IS_ALIGNED(at | run.base, SIZE_2M) ? LARGE_RUN : SMALL_PIECE);
    if (!error)
        error = cpu_space_map(mapping->cpu, at, run.base, run.length, flags);
    return error ? error : (int64_t)run.length;
}

/* Puts memory behind the beginning of a hole; returns the bytes. */
static int64_t fill_step(const struct mapping *mapping, uaddr_t at, uaddr_t end, unsigned *order,
                         unsigned flags)
{
    if (flags & PAGE_OWNED)
        return fill_block(mapping, at, end - at, order, flags);
    return fill_shared(mapping, at, end, flags);
}

/* What fill_step() did and has not counted: the last piece cleared, what came from an object. */
static uint64_t fill_work(const struct mapping *mapping, uint64_t bytes)
{
    uint64_t touched = MIN(bytes, CLEAR_PIECE) + (mapping->object ? MIN(bytes, SIZE_2M) : 0);

    return FILL_WORK + touched / WORD_WORK;
}

/* Fills a hole from *at on; stops early, *at being where, when others may have been let in. */
static int fill_hole(const struct mapping *mapping, uaddr_t *at, uaddr_t end, unsigned *order,
                     unsigned flags)
{
    bool alone = true;
    int error = 0;

    while (*at < end && alone && !error) {
        int64_t bytes = fill_step(mapping, *at, end, order, flags);
        int64_t left = breath_left;

        if (bytes < 0)
            return (int)bytes;
        *at += (uint64_t)bytes;
        error = space_breathe(mapping->space, fill_work(mapping, (uint64_t)bytes));
        alone = bytes > 0 && bytes <= (int64_t)CLEAR_PIECE &&
                (!mutex_held(&mapping->space->lock) || breath_left < left);
    }
    return error;
}

int space_fill_missing(const struct mapping *mapping, uaddr_t start, uaddr_t end, unsigned marks)
{
    unsigned order = ORDER_1G, flags = page_flags(mapping) | marks;
    int error = 0;

    if (mapping->huge_order) {
        start = ALIGN_DOWN(start, SIZE_2M);
        end = ALIGN_UP(end, SIZE_2M);
    }
    while (!error) {
        struct cpu_mapping m;
        bool found;

        /* The object may have been shortened during a breath. */
        end = MIN(end, mapping_backed_end(mapping));
        if (start >= end)
            break;
        m.at = end;
        found = cpu_space_find(mapping->cpu, start, end, &m);
        error = fill_hole(mapping, &start, m.at, &order, flags);
        if (!error && found && start == m.at)
            start += m.length;
        if (!error)
            error = space_breathe(mapping->space, TABLE_WORK);
    }
    return error;
}

int space_fill(const struct mapping *mapping, uaddr_t start, uaddr_t end, unsigned marks)
{
    int error = space_fill_missing(mapping, start, end, marks);

    if (error)
        space_drop(mapping->space, mapping->cpu, start, end);
    return error;
}

void space_fill_undo(struct space *space, uaddr_t start, uaddr_t end)
{
    struct cpu_mapping m;

    for (; cpu_space_find(space->cpu, start, end, &m); start = m.at + m.length) {
        if (m.flags & PAGE_FRESH)
            space_drop(space, space->cpu, m.at, m.at + m.length);
    }
}

bool mapping_is_eager(const struct mapping *mapping)
{
    if (mapping->flags & (MAPPING_LAZY | MAPPING_RESERVATION))
        return false;
    if (!mapping->object || !(mapping->flags & MAPPING_SHARED) || !mapping->file ||
        mapping->huge_order)
        return true;
    return (mapping->flags & MAPPING_DEVICE) && !mapping->object->revoked;
}

uaddr_t mapping_backed_end(const struct mapping *mapping)
{
    uint64_t backed;

    if (!mapping->object)
        return mapping->end;
    backed = mapping->object->size > mapping->offset ? mapping->object->size - mapping->offset : 0;
    return mapping->start + MIN(backed, mapping->end - mapping->start);
}

int space_fill_eager(const struct mapping *mapping, bool asked)
{
    uaddr_t end = mapping_backed_end(mapping);
    bool locked = (mapping->flags & MAPPING_LOCKED) && !mapping->space->lock_on_fault;

    if (!mapping->access || mapping->start == end)
        return 0;
    if (!mapping_is_eager(mapping) && !locked && !asked)
        return 0;
    return space_fill(mapping, mapping->start, end, 0);
}
