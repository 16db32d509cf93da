/* SPDX-License-Identifier: BSD-2-Clause */
/* mmap(2), munmap(2), mprotect(2). */
#include "kernel/lib/error.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/hugepages.h"
#include "kernel/mm/ramobj.h"
#include "kernel/linux/memory/internal.h"
#include "kernel/machine/console/trace.h"

#define HUGE_MASK   0x3fu
#define LOW_32_FROM GIB
#define LOW_32_END  (2 * GIB)

/* The order of the blocks that MAP_HUGETLB insists on; 0: the flag is not there. */
static int huge_order(const struct space_request *request)
{
    unsigned shift = (request->flags >> SPACE_HUGE_SHIFT) & HUGE_MASK;

    if (!(request->flags & SPACE_HUGETLB))
        return 0;
    if (request->flags & SPACE_GROWSDOWN)
        return -EINVAL;
    if (shift == 0 || shift == PAGE_SHIFT + ORDER_2M)
        return ORDER_2M;
    return shift == PAGE_SHIFT + ORDER_1G ? ORDER_1G : -EINVAL;
}

/*
 * A mapping of 1 GiB shall be one page of 1 GiB if memory permits, so address and object offset
 * must agree modulo the largest page that the length has room for.
 */
bool space_choose(const struct space *space, uint64_t length, uint64_t offset, uint64_t least_align,
                  bool low_32, uaddr_t *out)
{
    uaddr_t low = low_32 ? LOW_32_FROM : SPACE_LOWEST;
    uaddr_t high = low_32 ? LOW_32_END : space->search_top;

    for (uint64_t align = SIZE_1G; align >= least_align; align >>= 9) {
        if ((length >= align || align == least_align) &&
            space_find_gap(space, length, align, offset & (align - 1), low, high, out))
            return true;
    }
    return false;
}

/* Where the mapping goes. 0, or an error of mmap(2). */
static int place(const struct space *space, const struct space_request *request, uint64_t length,
                 uint64_t least_align, uaddr_t *out)
{
    bool fixed = request->flags & (SPACE_FIXED | SPACE_FIXED_NOREPLACE);
    uaddr_t at = request->at;

    if (fixed && (at > USER_END || length > USER_END - at))
        return -ENOMEM;
    if (fixed && !IS_ALIGNED(at, least_align))
        return -EINVAL;
    if (fixed && at < SPACE_LOWEST)
        return -EPERM;
    *out = at;
    if (request->flags & SPACE_FIXED_NOREPLACE)
        return space_is_free(space, at, at + length) ? 0 : -EEXIST;
    if (fixed)
        return 0;
    /* A hint is rounded down to a page, and up where nothing may be. */
    at = ALIGN_DOWN(at, PAGE_SIZE);
    *out = at && at <= USER_END ? ALIGN_UP(MAX(at, SPACE_LOWEST), least_align) : 0;
    if (*out && *out < USER_END && length <= USER_END - *out &&
        space_is_free(space, *out, *out + length))
        return 0;
    return space_choose(space, length, request->offset, least_align, request->flags & SPACE_32BIT,
                        out)
               ? 0
               : -ENOMEM;
}

static void describe(struct mapping *mapping, struct space *space,
                     const struct space_request *request)
{
    struct mapping kind = {
        .space = space,
        .cpu = space->cpu,
        .object = request->object,
        .offset = request->offset,
        .file_offset = request->file_offset,
        .file = request->file,
        .name = request->name,
        .access = (uint8_t)request->access,
        .access_max = (uint8_t)request->access_max,
        .huge_order = (uint8_t)huge_order(request),
    };

    if ((request->flags & SPACE_TYPE) != SPACE_PRIVATE)
        kind.flags |= MAPPING_SHARED;
    if (request->flags & SPACE_GROWSDOWN)
        kind.flags |= MAPPING_GROWS_DOWN | MAPPING_LAZY;
    if (request->flags & SPACE_STACK)
        kind.flags |= MAPPING_LAZY;
    if (request->flags & SPACE_NORESERVE)
        kind.flags |= MAPPING_RESERVATION;
    if (request->object && (request->object->flags & MEMOBJ_DEVICE))
        kind.flags |= MAPPING_DEVICE;
    else if ((request->flags & SPACE_LOCK) || space->lock_future)
        kind.flags |= MAPPING_LOCKED;
    mapping_copy_kind(mapping, &kind);
}

void space_insert(struct space *space, struct mapping *mapping)
{
    bool locked = mapping->flags & MAPPING_LOCKED;

    mapping->flags &= (uint8_t)~MAPPING_LOCKED;
    mapping->flags |= MAPPING_BUSY;
    mapping_insert(space, mapping);
    if (locked)
        mapping_set_locked(mapping, true);
}

void space_insert_end(struct mapping *mapping)
{
    mapping->flags &= (uint8_t)~MAPPING_BUSY;
    TRACE(TRACE_MAPS, TRACE_MAP, 0, mapping->flags, mapping->start, mapping->end, mapping->access);
    mappings_join(mapping->space, mapping->start, mapping->end);
}

void space_insert_undo(struct mapping *mapping)
{
    space_drop(mapping->space, mapping->cpu, mapping->start, mapping->end);
    mapping_set_locked(mapping, false);
    mapping_remove(mapping);
}

/* Where nothing is in the way the pages come when the mapping is there. */
static int install_free(struct space *space, struct mapping *mapping, bool populate)
{
    int error;

    space_insert(space, mapping);
    error = space_fill_eager(mapping, populate);
    if (error)
        space_insert_undo(mapping);
    else
        space_insert_end(mapping);
    return error;
}

/* In place of something the pages are made aside, to be grafted when nothing can fail any more. */
static int install_over(struct edit *edit, struct mapping *mapping, bool populate)
{
    struct space *space = edit->space;
    struct cpu_space *aside = cpu_space_create();
    int error;

    if (!aside)
        return -ENOMEM;
    mapping->cpu = aside;
    error = edit_prepare(edit, mapping->start, mapping->end);
    if (!error) {
        edit_isolate(edit, mapping->start, mapping->end);
        error = space_fill_eager(mapping, populate);
        if (error)
            mappings_join(space, mapping->start, mapping->end);
    }
    if (!error) {
        edit_clear(edit, mapping->start, mapping->end);
        space_insert(space, mapping);
        cpu_space_graft(space->cpu, aside);
        space_insert_end(mapping);
    }
    cpu_space_destroy(aside);
    return error;
}

/* Puts a mapping in place of whatever is there. */
static int install(struct edit *edit, struct mapping *mapping, bool populate)
{
    if (space_is_free(edit->space, mapping->start, mapping->end))
        return install_free(edit->space, mapping, populate);
    return install_over(edit, mapping, populate);
}

/* Huge pages round the mapping up. */
struct memobj *space_object(const struct space_request *request)
{
    unsigned order = (unsigned)MAX(huge_order(request), 0);
    uint64_t size = ALIGN_UP(request->length, PAGE_SIZE << order);

    return ramobj_create(size, order == ORDER_2M ? SIZE_2M : PAGE_SIZE);
}

/* The checks of mmap(2), and where the mapping goes. */
static int plan(const struct space *space, const struct space_request *request, uint64_t *length,
                uaddr_t *at)
{
    int huge = huge_order(request);
    uint64_t least_align = PAGE_SIZE << MAX(huge, 0);
    int error;

    if (huge < 0 || request->length == 0)
        return -EINVAL;
    *length = ALIGN_UP(request->length, least_align);
    if (request->length > USER_END || *length > USER_END)
        return -ENOMEM;
    error = place(space, request, *length, least_align, at);
    if (!error && request->offset > (uint64_t)INT64_MAX - *length)
        error = -EOVERFLOW;
    /* Those of an object are its own concern. */
    if (!error && huge == ORDER_2M && (request->flags & SPACE_TYPE) == SPACE_PRIVATE &&
        hugepages(HUGEPAGES_FREE) < *length / SIZE_2M)
        error = -ENOMEM;
    if (!error && ((request->flags & SPACE_LOCK) || space->lock_future) &&
        !space_lock_allowed(space, *length))
        error = -EAGAIN;
    return error;
}

int space_check(const struct space *space, const struct space_request *request)
{
    uint64_t length;
    uaddr_t at;

    return plan(space, request, &length, &at);
}

int64_t space_mmap(struct space *space, const struct space_request *request)
{
    bool populate = (request->flags & SPACE_LOCK) ||
                    (request->flags & (SPACE_POPULATE | SPACE_NONBLOCK)) == SPACE_POPULATE;
    struct mapping *mapping;
    struct edit edit;
    uint64_t length;
    uaddr_t at;
    int error = plan(space, request, &length, &at);

    if (error)
        return error;
    mapping = kzalloc(sizeof(*mapping));
    if (!mapping)
        return -ENOMEM;
    describe(mapping, space, request);
    mapping->start = at;
    mapping->end = at + length;
    if ((mapping->flags & MAPPING_LOCKED) && !space_lock_reserve(space, length))
        error = -EAGAIN;
    edit_begin(&edit, space);
    if (!error)
        error = install(&edit, mapping, populate);
    if (error)
        mapping_free(mapping);
    space_lock_unreserve(space);
    edit_end(&edit);
    return error ? error : (int64_t)at;
}

int space_munmap(struct space *space, uaddr_t at, uint64_t length)
{
    struct edit edit;
    uaddr_t end;
    int error;

    if (!space_range(at, length, &end))
        return -EINVAL;
    edit_begin(&edit, space);
    error = edit_prepare(&edit, at, end);
    if (!error)
        edit_clear(&edit, at, end);
    edit_end(&edit);
    return error;
}

static bool access_allowed(const struct space *space, uaddr_t start, uaddr_t end, unsigned access)
{
    struct mapping *mapping = mapping_from(space, start);

    for (; mapping->start < end; mapping = mapping_next(mapping)) {
        if (access & ~(unsigned)mapping->access_max)
            return false;
        space_breathe_deaf(space, STEP_WORK);
    }
    return true;
}

/* Frames for what was a reservation. They come without access; the caller gives it. */
static int fill_reservations(struct space *space, uaddr_t start, uaddr_t end)
{
    struct mapping *mapping = mapping_from(space, start);
    int error = 0;

    for (; mapping->start < end && !error; mapping = mapping_next(mapping)) {
        bool file = (mapping->flags & MAPPING_SHARED) && mapping->file;
        bool lazy = (mapping->flags & MAPPING_LAZY) || file || mapping->access;
        uaddr_t from = MAX(start, mapping->start);
        uaddr_t to = MIN(end, mapping_backed_end(mapping));

        if (!lazy && from < to)
            error = space_fill_missing(mapping, from, to, PAGE_FRESH);
        if (!error)
            error = space_breathe(space, STEP_WORK);
    }
    if (error)
        space_fill_undo(space, start, end);
    return error;
}

/* The pages of a range within one mapping, table by table. */
static void protect_pages(struct space *space, uaddr_t start, uaddr_t end, unsigned access)
{
    struct cpu_mapping m;

    while (cpu_space_find(space->cpu, start, end, &m)) {
        uaddr_t to = MIN(end, MAX(m.at + m.length, ALIGN_DOWN(m.at, SIZE_2M) + SIZE_2M));

        cpu_space_protect(space->cpu, m.at, to - m.at, access);
        start = to;
        space_breathe_deaf(space, TABLE_WORK + MIN(to - m.at, SIZE_2M) / PAGE_SIZE * PAGE_WORK);
    }
}

static void set_access(struct space *space, uaddr_t start, uaddr_t end, unsigned access)
{
    struct mapping *mapping = mapping_from(space, start);

    for (; mapping->start < end; mapping = mapping_next(mapping)) {
        mapping->access = (uint8_t)access;
        if (access)
            mapping->flags &= (uint8_t)~MAPPING_RESERVATION;
        protect_pages(space, MAX(start, mapping->start), MIN(end, mapping->end), access);
        space_breathe_deaf(space, STEP_WORK);
    }
    mappings_join(space, start, end);
}

int space_protect(struct space *space, uaddr_t at, uint64_t length, unsigned access)
{
    struct edit edit;
    uaddr_t end;
    int error;

    if (!IS_ALIGNED(at, PAGE_SIZE) || (access & ~(unsigned)ACCESS_ALL))
        return -EINVAL;
    if (length == 0)
        return 0;
    if (!space_range(at, length, &end) || !space_is_mapped(space, at, end))
        return -ENOMEM;
    if (!access_allowed(space, at, end, access))
        return -EACCES;
    edit_begin(&edit, space);
    error = edit_prepare(&edit, at, end);
    if (!error) {
        edit_isolate(&edit, at, end);
        error = access ? fill_reservations(space, at, end) : 0;
        if (error)
            mappings_join(space, at, end);
        else
            set_access(space, at, end, access);
    }
    edit_end(&edit);
    return error;
}
