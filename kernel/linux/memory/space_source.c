/* SPDX-License-Identifier: BSD-2-Clause */
/* The payload's memory as kernel/ioas pins it: physical runs behind addresses. */
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/linux/memory/internal.h"

void space_put(struct space *space)
{
    if (--space->references == 0)
        kfree(space);
}

bool space_is_memory(const struct space *space, uaddr_t at)
{
    const struct mapping *mapping = mapping_at(space, at);

    return mapping && !(mapping->flags & MAPPING_DEVICE);
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

/* Memory that the page tables do not show: a device's, or not there yet, or not to be had. */
static APART int hidden_runs(struct space *space, uaddr_t at, uaddr_t end, bool write,
                             struct phys_run *out, size_t room, struct memobj **device)
{
    const struct mapping *mapping = mapping_at(space, at);
    bool uncached;
    int error;

    if (!mapping || (mapping->flags & MAPPING_BUSY) ||
        !(mapping->access & (write ? PAGE_WRITE : ACCESS_ALL)))
        return -EFAULT;
    if (mapping->flags & MAPPING_DEVICE) {
        *device = mapping->object;
        return device_runs(mapping, at, end, out, room);
    }
    /* Accessible, but not there yet: a reservation, a file, what madvise dropped. */
    end = MIN(end, mapping_backed_end(mapping));
    end = MIN(end, ALIGN_DOWN(at, SIZE_2M) + SIZE_2M); /* no more than a fault brings in */
    if (at >= end)
        return -EFAULT;
    error = space_fill_missing(mapping, at, end, 0);
    if (error)
        return error;
    return (int)cpu_space_runs(space->cpu, at, end, write, out, room, &uncached);
}

static APART int any_runs(void *context, uint64_t at, uint64_t length, bool write,
                          struct phys_run *out, size_t room, struct memobj **device)
{
    struct space *space = context;
    uaddr_t end = at + length;
    bool uncached = false;
    size_t count;

    *device = NULL;
    if (!space->cpu || at >= USER_END)
        return -EFAULT;
    if (end > USER_END || end < at)
        end = USER_END;
    count = cpu_space_runs(space->cpu, at, end, write, out, room, &uncached);
    if (count != 0 && !uncached)
        return (int)count;
    return hidden_runs(space, at, end, write, out, room, device);
}

static int space_runs(void *context, uint64_t at, uint64_t length, bool write, struct phys_run *out,
                      size_t room, struct memobj **device)
{
    const struct space *space = context;

    *device = NULL;
    if (space->cpu && at < USER_END && length <= USER_END - at &&
        cpu_space_run_of_leaf(space->cpu, at, at + length, write, out))
        return 1;
    return any_runs(context, at, length, write, out, room, device);
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
