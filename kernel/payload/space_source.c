/* SPDX-License-Identifier: BSD-2-Clause */
/* The payload's memory as kernel/ioas pins it: physical runs behind addresses. */
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/payload/space_internal.h"

void space_put(struct space *space)
{
    if (--space->references == 0)
        kfree(space);
}

/* Device memory: asked of the object, whether the CPU has it mapped at the moment or not. */
static int device_runs(const struct mapping *mapping, uaddr_t at, uaddr_t end, struct phys_run *out,
                       size_t room)
{
    size_t count = 0;

    for (end = MIN(end, mapping->end); at < end; at += out[count - 1].length) {
        struct phys_run run;
        int error =
            memobj_run(mapping->object, mapping->offset + (at - mapping->start), end - at, &run);

        if (error)
            return count ? (int)count : error;
        if (count == room)
            break;
        out[count++] = run;
    }
    return (int)count;
}

static int space_runs(void *context, uint64_t at, uint64_t length, bool write, struct phys_run *out,
                      size_t room, struct memobj **device)
{
    struct space *space = context;
    uaddr_t end = length < USER_END && at < USER_END - length ? at + length : USER_END;
    const struct mapping *mapping;
    bool uncached;
    size_t count;
    int error;

    *device = NULL;
    if (!space->cpu || at >= end || room == 0)
        return -EFAULT;
    count = cpu_space_runs(space->cpu, at, end, write, out, room, &uncached);
    if (count != 0 && !uncached)
        return (int)count;
    mapping = mapping_at(space, at);
    if (!mapping || !(mapping->access & (write ? PAGE_WRITE : ACCESS_ALL)))
        return -EFAULT;
    if (mapping->flags & MAPPING_DEVICE) {
        *device = mapping->object;
        return device_runs(mapping, at, end, out, room);
    }
    /* Accessible, but not there yet: a reservation, a file, what madvise dropped. */
    end = MIN(end, mapping_backed_end(mapping));
    if (at >= end)
        return -EFAULT;
    error = space_fill_missing(mapping, at, end, 0);
    if (error)
        return error;
    return (int)cpu_space_runs(space->cpu, at, end, write, out, room, &uncached);
}

static void source_get(void *context)
{
    struct space *space = context;

    space->references++;
}

static void source_put(void *context)
{
    space_put(context);
}

static const struct ioas_source_ops source_ops = {space_runs, source_get, source_put};

struct ioas_source space_source(struct space *space)
{
    return (struct ioas_source){&source_ops, space};
}
