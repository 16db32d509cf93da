/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the memory behind mappings comes from. Frames of anonymous and private memory belong to the
 * page that maps them (PAGE_OWNED); those of shared objects belong to the object.
 */
#include "kernel/lib/error.h"
#include "kernel/lib/string.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/frames.h"
#include "kernel/mm/ramobj.h"
#include "kernel/payload/space_internal.h"

static unsigned page_flags(const struct mapping *mapping)
{
    unsigned flags = mapping->access;

    if (mapping->flags & MAPPING_DEVICE)
        flags |= PAGE_UNCACHED;
    if (!(mapping->flags & MAPPING_SHARED))
        flags |= PAGE_OWNED;
    return flags;
}

void space_drop(struct cpu_space *cpu, uaddr_t start, uaddr_t end)
{
    struct cpu_mapping m;
    uaddr_t at = start;

    while (cpu_space_find(cpu, at, end, &m)) {
        if (m.flags & PAGE_OWNED)
            frames_release(m.base, m.length);
        at = m.at + m.length;
    }
    /* The frames are not handed out again before this: nothing above or below allocates. */
    cpu_space_unmap(cpu, start, end - start);
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

/* One block at `at`; *order is lowered when there is none so large. Returns the bytes mapped. */
static int64_t fill_block(const struct mapping *mapping, struct cpu_space *cpu, uaddr_t at,
                          uint64_t length, unsigned *order, unsigned flags)
{
    unsigned fits = block_order(at, length);
    unsigned huge = mapping->huge_order;
    unsigned use = huge && fits >= huge ? huge : MIN(fits, *order);
    uint64_t bytes = PAGE_SIZE << use;
    paddr_t base = frames_alloc(use, FRAMES_ZERO | FRAMES_PAYLOAD);
    int error = 0;

    if (base == PADDR_NONE) {
        if (use == 0 || use == huge)
            return -ENOMEM;
        *order = use - 1;
        return 0;
    }
    if (mapping->object)
        error = copy_from_object(mapping, at, base, bytes);
    if (!error)
        error = cpu_space_map(cpu, at, base, bytes, flags);
    if (error) {
        frames_release(base, bytes);
        return error;
    }
    return (int64_t)bytes;
}

/* Anonymous and private memory: frames of its own, in the largest blocks there are. */
static int fill_owned(const struct mapping *mapping, struct cpu_space *cpu, uaddr_t start,
                      uaddr_t end, unsigned flags)
{
    unsigned order = ORDER_1G;
    uaddr_t at = start;

    while (at < end) {
        int64_t bytes = fill_block(mapping, cpu, at, end - at, &order, flags);

        if (bytes < 0) {
            space_drop(cpu, start, at);
            return (int)bytes;
        }
        at += (uint64_t)bytes;
    }
    return 0;
}

/* Shared objects and devices: the object's memory. */
static int fill_shared(const struct mapping *mapping, struct cpu_space *cpu, uaddr_t start,
                       uaddr_t end, unsigned flags)
{
    uaddr_t at = start;

    while (at < end) {
        uint64_t offset = mapping->offset + (at - mapping->start);
        struct phys_run run;
        int error = memobj_run(mapping->object, offset, end - at, &run);

        if (!error && run.length < PAGE_SIZE << mapping->huge_order)
            error = -ENOMEM;
        if (!error)
            error = cpu_space_map(cpu, at, run.base, run.length, flags);
        if (error) {
            cpu_space_unmap(cpu, start, at - start);
            return error;
        }
        at += run.length;
    }
    return 0;
}

int space_fill(const struct mapping *mapping, struct cpu_space *cpu, uaddr_t start, uaddr_t end,
               unsigned marks)
{
    unsigned flags = page_flags(mapping) | marks;

    return flags & PAGE_OWNED ? fill_owned(mapping, cpu, start, end, flags)
                              : fill_shared(mapping, cpu, start, end, flags);
}

int space_fill_missing(const struct mapping *mapping, uaddr_t start, uaddr_t end, unsigned marks)
{
    struct cpu_space *cpu = mapping->space->cpu;
    int error = 0;

    while (start < end && !error) {
        struct cpu_mapping m = {.at = end};
        bool found = cpu_space_find(cpu, start, end, &m);

        if (m.at > start)
            error = space_fill(mapping, cpu, start, m.at, marks);
        start = found ? m.at + m.length : end;
    }
    return error;
}

void space_fill_undo(struct space *space, uaddr_t start, uaddr_t end)
{
    struct cpu_mapping m;

    for (; cpu_space_find(space->cpu, start, end, &m); start = m.at + m.length) {
        if (m.flags & PAGE_FRESH)
            space_drop(space->cpu, m.at, m.at + m.length);
    }
}

bool mapping_is_eager(const struct mapping *mapping)
{
    if (mapping->flags & (MAPPING_LAZY | MAPPING_RESERVATION))
        return false;
    if (!mapping->object || !(mapping->flags & MAPPING_SHARED) || !mapping->file)
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

int space_fill_eager(const struct mapping *mapping, struct cpu_space *cpu, bool asked)
{
    uaddr_t end = mapping_backed_end(mapping);
    bool locked = (mapping->flags & MAPPING_LOCKED) && !mapping->space->lock_on_fault;

    if (!mapping->access || mapping->start == end)
        return 0;
    if (!mapping_is_eager(mapping) && !locked && !asked)
        return 0;
    return space_fill(mapping, cpu, mapping->start, end, 0);
}
