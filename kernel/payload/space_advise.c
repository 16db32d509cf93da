/* SPDX-License-Identifier: BSD-2-Clause */
/* madvise(2), msync(2), mincore(2). */
#include "kernel/lib/error.h"
#include "kernel/mm/ramobj.h"
#include "kernel/payload/space_internal.h"

enum {
    ADVICE_POPULATE_READ = 22,
    ADVICE_POPULATE_WRITE = 23,
};

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
    space_drop(mapping->space->cpu, start, end);
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
int space_madvise(struct space *space, uaddr_t at, uint64_t length, unsigned advice)
{
    bool populates = advice == ADVICE_POPULATE_READ || advice == ADVICE_POPULATE_WRITE;
    struct mapping *mapping;
    uaddr_t end;
    bool gap;
    int error = 0;

    if (advice >= ARRAY_SIZE(advice_actions) || !advice_actions[advice] ||
        !IS_ALIGNED(at, PAGE_SIZE))
        return -EINVAL;
    if (length == 0)
        return 0;
    if (!range_end(at, length, &end) || end > ALIGN_DOWN(UINT64_MAX, PAGE_SIZE))
        return -EINVAL;
    gap = end > USER_END;
    end = MIN(ALIGN_UP(end, PAGE_SIZE), USER_END);
    if (at >= end)
        return -ENOMEM;
    /* The only step of dropping that can fail, so that it fails before anything is gone. */
    if (advice_actions[advice] == drop)
        error = cpu_space_prepare_cut(space->cpu, at) | cpu_space_prepare_cut(space->cpu, end);
    if (error)
        return -ENOMEM;
    for (mapping = mapping_from(space, at); at < end; mapping = mapping_next(mapping)) {
        if (mapping->start > at) {
            gap = true;
            at = mapping->start;
        }
        if (at >= end || (gap && populates))
            break;
        error = advice_actions[advice](mapping, at, MIN(end, mapping->end));
        if (error)
            return error;
        at = mapping->end;
    }
    return gap ? -ENOMEM : 0;
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
    }
    return 0;
}

int space_mincore(struct space *space, uaddr_t at, uint64_t pages, uint8_t *out)
{
    uaddr_t end;

    if (!IS_ALIGNED(at, PAGE_SIZE))
        return -EINVAL;
    if (pages == 0)
        return 0;
    if (pages > USER_END / PAGE_SIZE || !space_range(at, pages * PAGE_SIZE, &end) ||
        !space_is_mapped(space, at, end))
        return -ENOMEM;
    for (uint64_t i = 0; i < pages; i++)
        out[i] = space_has_pages(space, at + i * PAGE_SIZE, at + (i + 1) * PAGE_SIZE);
    return 0;
}
