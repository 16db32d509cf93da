/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mlock(2) and its relatives. Memory here never goes away by itself, so locking means: present, and
 * charged to the same limit as what devices pin.
 */
#include "kernel/lib/error.h"
#include "kernel/linux/memory/internal.h"

enum mlockall_flags {
    LOCK_CURRENT = 1,
    LOCK_FUTURE = 2,
    LOCK_ON_FAULT = 4,
};

bool space_lock_allowed(const struct space *space, uint64_t bytes)
{
    return ioas_account_allows(space->account, bytes);
}

/* With a limit of 0 the call itself is refused, whatever it asks for. */
static bool may_lock(const struct space *space)
{
    return space->account->limit > 0 || space_lock_allowed(space, 1);
}

void space_lock_charge(struct space *space, uint64_t bytes)
{
    space->locked += bytes;
    space->account->used += bytes;
}

bool space_lock_reserve(struct space *space, uint64_t bytes)
{
    if (!space_lock_allowed(space, bytes))
        return false;
    space->account->used += bytes;
    space->reserved = bytes;
    return true;
}

void space_lock_unreserve(struct space *space)
{
    space->account->used -= space->reserved;
    space->reserved = 0;
}

void mapping_set_locked(struct mapping *mapping, bool locked)
{
    struct space *space = mapping->space;
    uint64_t bytes = mapping->end - mapping->start;

    if (locked == !!(mapping->flags & MAPPING_LOCKED) || (mapping->flags & MAPPING_DEVICE))
        return;
    mapping->flags ^= MAPPING_LOCKED;
    if (locked) {
        uint64_t taken = MIN(bytes, space->reserved);

        space->reserved -= taken;
        space->account->used -= taken;
        space_lock_charge(space, bytes);
    } else {
        space->locked -= bytes;
        space->account->used -= bytes;
    }
}

/* What locking the part of a mapping in [start, end) would charge. */
static uint64_t unlocked_bytes_of(const struct mapping *mapping, uaddr_t start, uaddr_t end)
{
    if (mapping->flags & (MAPPING_LOCKED | MAPPING_DEVICE))
        return 0;
    return MIN(end, mapping->end) - MAX(start, mapping->start);
}

static uint64_t unlocked_bytes(const struct space *space, uaddr_t start, uaddr_t end)
{
    struct mapping *mapping = mapping_from(space, start);
    uint64_t bytes = 0;

    for (; mapping->start < end; mapping = mapping_next(mapping)) {
        bytes += unlocked_bytes_of(mapping, start, end);
        space_breathe_deaf(space, STEP_WORK);
    }
    return bytes;
}

/* mlock(2): -ENOMEM for memory that cannot be reached, -EAGAIN when there are no frames. */
static int make_present(struct space *space, uaddr_t start, uaddr_t end)
{
    struct mapping *mapping = mapping_from(space, start);

    for (; mapping->start < end; mapping = mapping_next(mapping)) {
        uaddr_t to = MIN(end, mapping->end);
        int error;

        if (mapping->flags & MAPPING_DEVICE)
            continue;
        if (!mapping->access || to > mapping_backed_end(mapping))
            return -ENOMEM;
        error = space_fill_missing(mapping, MAX(start, mapping->start), to, 0);
        if (!error)
            error = space_breathe(space, STEP_WORK);
        if (error == -EINTR)
            return error;
        if (error)
            return error == -ENOMEM ? -EAGAIN : -ENOMEM;
    }
    return 0;
}

static int set_range(struct space *space, uaddr_t start, uaddr_t end, bool locked)
{
    struct mapping *mapping;
    struct edit edit;
    int error;

    edit_begin(&edit, space);
    error = edit_prepare(&edit, start, end);
    if (!error) {
        edit_isolate(&edit, start, end);
        mapping = mapping_from(space, start);
        for (; mapping->start < end; mapping = mapping_next(mapping)) {
            mapping_set_locked(mapping, locked);
            space_breathe_deaf(space, STEP_WORK);
        }
        mappings_join(space, start, end);
    }
    edit_end(&edit);
    return error;
}

/* The pages that [at, at + length) touches. */
static bool touched_range(uaddr_t at, uint64_t length, uaddr_t *start, uaddr_t *end)
{
    *start = ALIGN_DOWN(at, PAGE_SIZE);
    if (!range_end(at, length, end) || *end > ALIGN_DOWN(UINT64_MAX, PAGE_SIZE))
        return false;
    *end = ALIGN_UP(*end, PAGE_SIZE);
    return true;
}

int space_mlock(struct space *space, uaddr_t at, uint64_t length, bool on_fault)
{
    uaddr_t start, end;
    int error;

    if (!may_lock(space))
        return -EPERM;
    if (!touched_range(at, length, &start, &end))
        return -EINVAL;
    if (start == end)
        return 0;
    if (end > USER_END || !space_is_mapped(space, start, end) ||
        !space_lock_reserve(space, unlocked_bytes(space, start, end)))
        return -ENOMEM;
    error = on_fault ? 0 : make_present(space, start, end);
    if (!error)
        error = set_range(space, start, end, true);
    space_lock_unreserve(space);
    return error;
}

int space_munlock(struct space *space, uaddr_t at, uint64_t length)
{
    uaddr_t start, end;

    if (!touched_range(at, length, &start, &end))
        return -EINVAL;
    if (start == end)
        return 0;
    if (end > USER_END || !space_is_mapped(space, start, end))
        return -ENOMEM;
    return set_range(space, start, end, false);
}

/* As Linux does, what cannot be brought in is locked all the same. */
static int lock_one(struct mapping *mapping, bool on_fault)
{
    struct space *space = mapping->space;
    uint64_t bytes;

    if (!on_fault && mapping->access &&
        space_fill_missing(mapping, mapping->start, mapping_backed_end(mapping), 0) == -EINTR)
        return -EINTR;
    bytes = unlocked_bytes_of(mapping, 0, USER_END);
    /* A stack may have grown since it was counted. */
    if (bytes > space->reserved && !space_lock_allowed(space, bytes - space->reserved))
        return -ENOMEM;
    mapping_set_locked(mapping, true);
    return space_breathe(space, STEP_WORK);
}

static int lock_all(struct space *space, bool on_fault)
{
    struct mapping *mapping = mapping_from(space, 0);
    int error = 0;

    if (!space_lock_reserve(space, unlocked_bytes(space, 0, USER_END)))
        return -ENOMEM;
    for (; mapping != &space->top && !error; mapping = mapping_next(mapping))
        error = lock_one(mapping, on_fault);
    mappings_join(space, 0, USER_END);
    space_lock_unreserve(space);
    return error;
}

int space_mlockall(struct space *space, unsigned flags)
{
    const unsigned known = LOCK_CURRENT | LOCK_FUTURE | LOCK_ON_FAULT;
    int error = 0;

    if ((flags & ~known) || !(flags & (LOCK_CURRENT | LOCK_FUTURE)))
        return -EINVAL;
    if (!may_lock(space))
        return -EPERM;
    if (flags & LOCK_CURRENT)
        error = lock_all(space, flags & LOCK_ON_FAULT);
    if (error)
        return error;
    space->lock_future = flags & LOCK_FUTURE;
    space->lock_on_fault = flags & LOCK_ON_FAULT;
    return 0;
}

void space_munlockall(struct space *space)
{
    struct mapping *mapping = mapping_from(space, 0);

    for (; mapping != &space->top; mapping = mapping_next(mapping)) {
        mapping_set_locked(mapping, false);
        space_breathe_deaf(space, STEP_WORK);
    }
    mappings_join(space, 0, USER_END);
    space->lock_future = space->lock_on_fault = false;
}
