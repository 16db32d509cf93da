/* SPDX-License-Identifier: BSD-2-Clause */
/* madvise(2), msync(2), mincore(2). */
#include "kernel/lib/error.h"
#include "kernel/mm/ramobj.h"
#include "kernel/linux/memory/internal.h"

enum {
    ADVICE_POPULATE_READ = 22,
    ADVICE_POPULATE_WRITE = 23,
};

#define ADVICE_WORK 400 /* of one mapping, where there is nothing to do */

typedef int (*advice_action)(struct mapping *mapping, uaddr_t start, uaddr_t end);

static int ignore(struct mapping *mapping, uaddr_t start, uaddr_t end)
{
    return 0;
}

/* Private memory is given back and reads as at the start; shared memory is only unmapped. */
static int drop(struct mapping *mapping, uaddr_t start, uaddr_t end)
{
    if (mapping->flags & (MAPPING_LOCKED | MAPPING_DEVICE))
        return -EINVAL;
    space_drop(mapping->space, mapping->cpu, start, end);
    return 0;
}

/* MADV_FREE allows to keep the contents. */
static int keep_private(struct mapping *mapping, uaddr_t start, uaddr_t end)
{
    return mapping->object || (mapping->flags & MAPPING_LOCKED) ? -EINVAL : 0;
}

static int punch(struct mapping *mapping, uaddr_t start, uaddr_t end)
{
    if (mapping->flags & (MAPPING_LOCKED | MAPPING_DEVICE))
        return -EINVAL;
    if (!mapping->object || !memobj_is_ram(mapping->object) || memobj_is_guarded(mapping->object))
        return -EINVAL;
    if (!(mapping->flags & MAPPING_SHARED) || !(mapping->access_max & PAGE_WRITE))
        return -EACCES;
    return ramobj_punch(mapping->object, mapping->offset + (start - mapping->start), end - start);
}

static int populate(struct mapping *mapping, uaddr_t start, uaddr_t end, unsigned access)
{
    int error;

    if ((mapping->flags & MAPPING_DEVICE) || !(mapping->access & access))
        return -EINVAL;
    if (end > mapping_backed_end(mapping))
        return -EFAULT;
    error = space_fill_missing(mapping, start, end, 0);
    return error == -EIO ? -EFAULT : error;
}

static int populate_read(struct mapping *mapping, uaddr_t start, uaddr_t end)
{
    return populate(mapping, start, end, PAGE_READ);
}

static int populate_write(struct mapping *mapping, uaddr_t start, uaddr_t end)
{
    return populate(mapping, start, end, PAGE_WRITE);
}

/* By MADV_ number; what is not here is -EINVAL. Hints need no action: memory stays as it is. */
static const advice_action advice_actions[] = {
    [0] = ignore,       /* NORMAL */
    [1] = ignore,       /* RANDOM */
    [2] = ignore,       /* SEQUENTIAL */
    [3] = ignore,       /* WILLNEED */
    [4] = drop,         /* DONTNEED */
    [8] = keep_private, /* FREE */
    [9] = punch,        /* REMOVE */
    [10] = ignore,      /* DONTFORK */
    [11] = ignore,      /* DOFORK */
    [14] = ignore,      /* HUGEPAGE */
    [15] = ignore,      /* NOHUGEPAGE */
    [16] = ignore,      /* DONTDUMP */
    [17] = ignore,      /* DODUMP */
    [18] = ignore,      /* WIPEONFORK */
    [19] = ignore,      /* KEEPONFORK */
    [20] = ignore,      /* COLD */
    [21] = ignore,      /* PAGEOUT */
    [ADVICE_POPULATE_READ] = populate_read,
    [ADVICE_POPULATE_WRITE] = populate_write,
};

/*
 * As Linux does, a gap is reported after the rest of the range has been seen to; populating ends
 * there.
 */
static int advise_range(struct space *space, uaddr_t at, uaddr_t end, unsigned advice)
{
    bool populates = advice == ADVICE_POPULATE_READ || advice == ADVICE_POPULATE_WRITE;
    bool gap = false;
    int error = 0;

    for (struct mapping *m = mapping_from(space, at); !error && at < end; m = mapping_next(m)) {
        if (m->start > at) {
            gap = true;
            at = m->start;
        }
        if (at >= end || (gap && populates))
            break;
        error = advice_actions[advice](m, at, MIN(end, m->end));
        if (!error)
            error = space_breathe(space, ADVICE_WORK);
        at = m->end;
    }
    return error ? error : gap ? -ENOMEM : 0;
}

/* Memory to be dropped is cut at both ends first, so that this fails before anything is gone. */
static int drop_range(struct space *space, uaddr_t at, uaddr_t end, unsigned advice)
{
    struct edit edit;
    int error;

    edit_begin(&edit, space);
    error = edit_prepare(&edit, at, end);
    if (!error) {
        edit_isolate(&edit, at, end);
        error = advise_range(space, at, end, advice);
        mappings_join(space, at, end);
    }
    edit_end(&edit);
    return error;
}

int space_madvise(struct space *space, uaddr_t at, uint64_t length, unsigned advice)
{
    uaddr_t end;
    bool beyond;
    int error;

    if (advice >= ARRAY_SIZE(advice_actions) || !advice_actions[advice] ||
        !IS_ALIGNED(at, PAGE_SIZE))
        return -EINVAL;
    if (length == 0)
        return 0;
    if (!range_end(at, length, &end) || end > ALIGN_DOWN(UINT64_MAX, PAGE_SIZE))
        return -EINVAL;
    beyond = end > USER_END;
    end = MIN(ALIGN_UP(end, PAGE_SIZE), USER_END);
    if (at >= end)
        return -ENOMEM;
    error = advice_actions[advice] == drop ? drop_range(space, at, end, advice)
                                           : advise_range(space, at, end, advice);
    return !error && beyond ? -ENOMEM : error;
}

enum msync_flags {
    MSYNC_ASYNC = 1,
    MSYNC_INVALIDATE = 2,
    MSYNC_SYNC = 4,
};

/* Files are memory: there is nothing to write back, only arguments to judge. */
int space_msync(struct space *space, uaddr_t at, uint64_t length, unsigned flags)
{
    struct mapping *mapping;
    uaddr_t end;

    if ((flags & ~(unsigned)(MSYNC_ASYNC | MSYNC_INVALIDATE | MSYNC_SYNC)) ||
        !IS_ALIGNED(at, PAGE_SIZE) ||
        (flags & (MSYNC_ASYNC | MSYNC_SYNC)) == (MSYNC_ASYNC | MSYNC_SYNC))
        return -EINVAL;
    if (length == 0)
        return 0;
    if (!space_range(at, length, &end) || !space_is_mapped(space, at, end))
        return -ENOMEM;
    mapping = mapping_from(space, at);
    for (; mapping->start < end; mapping = mapping_next(mapping)) {
        if ((flags & MSYNC_INVALIDATE) && (mapping->flags & MAPPING_LOCKED))
            return -EBUSY;
        space_breathe_deaf(space, STEP_WORK);
    }
    return 0;
}

void space_pages(struct space *space, uaddr_t at, uaddr_t end, struct space_pages *out)
{
    struct cpu_mapping m = {.at = end};
    bool found = cpu_space_find(space->cpu, at, end, &m);

    if (m.at > at)
        *out = (struct space_pages){.end = m.at};
    else
        *out = (struct space_pages){m.at + m.length, found, !(m.flags & PAGE_OWNED)};
}

int space_mincore(struct space *space, uaddr_t at, uaddr_t end, struct space_pages *out)
{
    const struct mapping *mapping = mapping_at(space, at);

    if (!mapping)
        return -ENOMEM;
    space_pages(space, at, MIN(end, mapping->end), out);
    return 0;
}
