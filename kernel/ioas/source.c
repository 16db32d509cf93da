/* SPDX-License-Identifier: BSD-2-Clause */
/* A memory object as the source of a mapping. */
#include "kernel/ioas/source.h"
#include "kernel/lib/error.h"
#include "kernel/mm/ramobj.h"

static bool is_hole(const struct memobj *object, uint64_t offset, uint64_t length)
{
    return memobj_is_ram(object) && offset < object->size &&
           ramobj_peek(object, offset, length).base == PADDR_NONE;
}

/*
 * Clearing memory takes long. So large blocks come before anything is handed out, with breaths, and
 * what is handed out ends at the next hole: the caller breathes, and asks again.
 */
static int memobj_runs(void *context, uint64_t offset, uint64_t length, bool write,
                       struct phys_run *out, size_t room, struct memobj **device)
{
    struct memobj *object = context;
    size_t count = 0;
    int error = memobj_is_ram(object) ? ramobj_populate(object, offset, length) : 0;

    if (error < 0)
        return error;
    *device = object->flags & MEMOBJ_DEVICE ? object : NULL;
    while (length > 0 && !(count && is_hole(object, offset, length))) {
        struct phys_run run;

        error = memobj_run(object, offset, length, &run);
        if (error)
            return count ? (int)count : error;
        if (count && out[count - 1].base + out[count - 1].length == run.base)
            out[count - 1].length += run.length;
        else if (count == room)
            break;
        else
            out[count++] = run;
        offset += run.length;
        length -= run.length;
    }
    return (int)count;
}

static void memobj_source_get(void *context)
{
    memobj_get(context);
}

static void memobj_source_put(void *context)
{
    memobj_put(context);
}

const struct ioas_source_ops ioas_memobj_ops = {
    .runs = memobj_runs,
    .get = memobj_source_get,
    .put = memobj_source_put,
};
