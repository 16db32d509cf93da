/* SPDX-License-Identifier: BSD-2-Clause */
/* mremap(2): the same memory at another address or with another length. */
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/heap.h"
#include "kernel/linux/memory/internal.h"

#define TABLE_PAGES 512 /* changed at a time: cpu_space_find() */

enum mremap_flags {
    MREMAP_MAYMOVE = 1,
    MREMAP_FIXED = 2,
};

/* A move from [at, at + old_length) to [to, to + length), where `keep` bytes go along. */
struct move {
    struct space *space;
    struct mapping *from;
    struct mapping *node; /* what will be at `to` */
    uaddr_t at;
    uint64_t old_length;
    uaddr_t to;
    uint64_t length;
    uint64_t keep;
};

/* Takes pages, which belong to others, out of tables. None crosses the ends. */
static void unmap_pages(struct space *space, struct cpu_space *cpu, uaddr_t at, uint64_t length)
{
    uaddr_t end = at + length;
    struct cpu_mapping m;

    for (; cpu_space_find(cpu, at, end, &m); at = m.at + m.length) {
        cpu_space_unmap(cpu, m.at, m.length);
        space_breathe_deaf(space, TABLE_WORK + PAGE_WORK * MIN(m.length / PAGE_SIZE, TABLE_PAGES));
    }
}

/*
 * Maps the pages of [at, at + length) at `to` as well. -ENOMEM, -EINTR: nothing is mapped there.
 */
static int copy_pages(struct space *space, uaddr_t at, uint64_t length, struct cpu_space *cpu,
                      uaddr_t to)
{
    struct cpu_mapping m;
    uaddr_t next = at;

    int error = 0;

    for (; !error && cpu_space_find(space->cpu, next, at + length, &m); next = m.at + m.length) {
        error = cpu_space_map(cpu, to + (m.at - at), m.base, m.length, m.flags);
        if (!error && length >= SIZE_2M) /* what is shorter is as good as done */
            error = space_breathe(space,
                                  TABLE_WORK + PAGE_WORK * MIN(m.length / PAGE_SIZE, TABLE_PAGES));
    }
    if (error)
        unmap_pages(space, cpu, to, next - at);
    return error;
}

/* Pages that the mapping has beyond those that move. */
static int make_more(const struct move *move)
{
    struct mapping grown = *move->node;
    int error;

    if (move->keep == move->length)
        return 0;
    grown.start += move->keep;
    grown.offset += move->keep;
    error = space_fill_eager(&grown, false);
    if (error)
        unmap_pages(move->space, grown.cpu, move->to, move->keep);
    return error;
}

/*
 * Pages at the new place: those that move, and new ones where the mapping grows. As long as it may
 * have pages it watches the object, from behind the mapping that they are copied from: whoever
 * takes them away in between finds first the ones, then the others. A revoked object has none to
 * move.
 */
static int make_pages(const struct move *move)
{
    struct mapping *node = move->node;
    int error = 0;

    mapping_watch(node);
    node->watcher.zapped = move->from->watcher.zapped;
    if (!(node->flags & MAPPING_SHARED) || !node->object || !node->object->revoked)
        error = copy_pages(move->space, move->at, move->keep, node->cpu, move->to);
    if (!error)
        error = make_more(move);
    if (error)
        mapping_unwatch(node);
    return error;
}

/* The half that cannot fail, with the new mapping in the tree: the old one goes. */
static void commit(const struct move *move, struct edit *edit)
{
    unmap_pages(move->space, move->space->cpu, move->at, move->keep);
    edit_clear(edit, move->at, move->at + move->old_length);
    space_insert_end(move->node);
}

/* Onto memory within one 2 MiB: with the table held, single pages can be put there for sure. */
static int move_held(const struct move *move, struct edit *edit)
{
    struct cpu_space *cpu = move->space->cpu;
    int error = cpu_space_hold(cpu, move->to);

    if (error)
        return error;
    edit_clear(edit, move->to, move->to + move->length);
    space_insert(move->space, move->node);
    error = make_pages(move);
    ASSERT(!error);
    commit(move, edit);
    cpu_space_unhold(cpu, move->to);
    return 0;
}

static int move_aside(const struct move *move, struct edit *edit)
{
    struct cpu_space *aside = cpu_space_create();
    int error;

    if (!aside)
        return -ENOMEM;
    move->node->cpu = aside;
    error = make_pages(move);
    if (!error) {
        edit_clear(edit, move->to, move->to + move->length);
        space_insert(move->space, move->node);
        cpu_space_graft(move->space->cpu, aside);
        commit(move, edit);
    }
    cpu_space_destroy(aside);
    return error;
}

static int move_free(const struct move *move, struct edit *edit)
{
    int error;

    space_insert(move->space, move->node);
    error = make_pages(move);
    if (error)
        space_insert_undo(move->node);
    else
        commit(move, edit);
    return error;
}

static int prepare(const struct move *move, struct edit *edit)
{
    int error = edit_prepare(edit, move->at, move->at + move->old_length);

    if (!error && move->keep < move->old_length)
        error = cpu_space_prepare_cut(move->space->cpu, move->at + move->keep);
    return error ? error : edit_prepare(edit, move->to, move->to + move->length);
}

static int move_pages(const struct move *move, struct edit *edit)
{
    bool one_table =
        ALIGN_DOWN(move->to, SIZE_2M) == ALIGN_DOWN(move->to + move->length - 1, SIZE_2M) &&
        move->length < SIZE_2M;

    if (space_is_free(move->space, move->to, move->to + move->length))
        return move_free(move, edit);
    return one_table && move->keep == move->length ? move_held(move, edit) : move_aside(move, edit);
}

static int run_move(struct move *move, struct edit *edit)
{
    int error = prepare(move, edit);

    if (error)
        return error;
    edit_isolate(edit, move->at, move->at + move->old_length);
    edit_isolate(edit, move->to, move->to + move->length);
    /* What the pages are taken from: faults must not add to it. */
    move->from = mapping_at(move->space, move->at);
    move->from->flags |= MAPPING_BUSY;
    error = move_pages(move, edit);
    if (error) {
        move->from->flags &= (uint8_t)~MAPPING_BUSY;
        mappings_join(move->space, move->at, move->at + move->old_length);
        mappings_join(move->space, move->to, move->to + move->length);
    }
    return error;
}

static int reserve_growth(const struct move *move)
{
    if (!(move->node->flags & MAPPING_LOCKED) || move->length <= move->old_length)
        return 0;
    return space_lock_reserve(move->space, move->length - move->old_length) ? 0 : -EAGAIN;
}

static int64_t do_move(struct move *move)
{
    struct edit edit;
    int error;

    move->keep = MIN(move->old_length, move->length);
    move->node = kzalloc(sizeof(*move->node));
    if (!move->node)
        return -ENOMEM;
    mapping_copy_kind(move->node, move->from);
    mapping_unwatch(move->node); /* until it has pages */
    move->node->start = move->to;
    move->node->end = move->to + move->length;
    move->node->offset += move->at - move->from->start;
    move->node->file_offset += move->at - move->from->start;
    edit_begin(&edit, move->space);
    error = reserve_growth(move);
    if (!error)
        error = run_move(move, &edit);
    if (error)
        mapping_free(move->node);
    space_lock_unreserve(move->space);
    edit_end(&edit);
    return error ? error : (int64_t)move->to;
}

/* The mapping goes on where it ends. */
static int grow_in_place(struct space *space, const struct mapping *mapping, uaddr_t end)
{
    struct mapping *more = kzalloc(sizeof(*more));
    uint64_t length = mapping->end - mapping->start;
    int error;

    if (!more)
        return -ENOMEM;
    mapping_copy_kind(more, mapping);
    more->start = mapping->end;
    more->end = end;
    more->offset += length;
    more->file_offset += length;
    space_insert(space, more);
    error = space_fill_eager(more, false);
    if (error) {
        space_insert_undo(more);
        mapping_free(more);
        return error;
    }
    space_insert_end(more);
    return 0;
}

/* Would the file behind the mapping have to be asked before there is more of it? */
static bool is_guarded(const struct mapping *mapping)
{
    return mapping->object && memobj_is_guarded(mapping->object);
}

/* Old length 0 means a second mapping of the same shared memory. */
static int64_t duplicate(struct space *space, const struct mapping *mapping, uaddr_t at,
                         uint64_t length, unsigned flags, uaddr_t to)
{
    struct space_request request = {
        .at = flags & MREMAP_FIXED ? to : 0,
        .length = length,
        .access = mapping->access,
        .access_max = mapping->access_max,
        .flags = SPACE_SHARED | (flags & MREMAP_FIXED ? SPACE_FIXED : 0),
        .object = mapping->object,
        .offset = mapping->offset + (at - mapping->start),
        .file = mapping->file,
        .file_offset = mapping->file_offset + (at - mapping->start),
        .name = mapping->name,
    };

    if (!(mapping->flags & MAPPING_SHARED) || mapping->huge_order)
        return -EINVAL;
    if (is_guarded(mapping))
        return -EFAULT;
    return flags & MREMAP_MAYMOVE ? space_mmap(space, &request) : -ENOMEM;
}

static int check_arguments(uaddr_t at, uint64_t old_length, uint64_t length, unsigned flags,
                           uaddr_t to)
{
    uaddr_t end;

    if ((flags & ~(unsigned)(MREMAP_MAYMOVE | MREMAP_FIXED)) || !IS_ALIGNED(at, PAGE_SIZE) ||
        length == 0)
        return -EINVAL;
    if (!(flags & MREMAP_FIXED))
        return 0;
    if (!(flags & MREMAP_MAYMOVE) || !space_range(to, length, &end))
        return -EINVAL;
    return at < end && to < at + MAX(old_length, PAGE_SIZE) ? -EINVAL : 0;
}

/* What growing needs beside room. */
static int check_growth(const struct space *space, const struct mapping *mapping, uint64_t bytes)
{
    if (is_guarded(mapping))
        return -EFAULT;
    if (mapping->huge_order) /* as Linux */
        return -EINVAL;
    if ((mapping->flags & MAPPING_LOCKED) && !space_lock_allowed(space, bytes))
        return -EAGAIN;
    return 0;
}

/* What is kept must be of one mapping; what is cut off is unmapped, whatever it is. */
static int check_move(const struct move *move, bool fixed)
{
    bool stays = !fixed && move->length < move->old_length;
    uint64_t granule = PAGE_SIZE << move->from->huge_order;

    if (!stays && MIN(move->old_length, move->length) > move->from->end - move->at)
        return -EFAULT;
    if (move->old_length > USER_END - move->at || !IS_ALIGNED(move->at, granule))
        return -EINVAL;
    if (fixed && (move->length > USER_END - move->to || !IS_ALIGNED(move->to, granule)))
        return -EINVAL;
    if (fixed && move->to < SPACE_LOWEST)
        return -EPERM;
    return move->length > move->old_length
               ? check_growth(move->space, move->from, move->length - move->old_length)
               : 0;
}

/* Without MREMAP_FIXED: shrinks or grows where it is if possible, else finds a new place. */
static int64_t remap_anywhere(struct move *move, unsigned flags)
{
    struct space *space = move->space;
    const struct mapping *mapping = move->from;
    uaddr_t old_end = move->at + move->old_length, end = move->at + move->length;
    uint64_t offset = mapping->offset + (move->at - mapping->start);
    int error = 0;

    if (move->length < move->old_length) {
        error = space_munmap(space, end, old_end - end);
        return error ? error : (int64_t)move->at;
    }
    if (move->length == move->old_length)
        return (int64_t)move->at;
    if (mapping->end == old_end && end <= USER_END && space_is_free(space, old_end, end)) {
        error = grow_in_place(space, mapping, end);
        return error ? error : (int64_t)move->at;
    }
    if (!(flags & MREMAP_MAYMOVE) ||
        !space_choose(space, move->length, offset, PAGE_SIZE, false, &move->to))
        return -ENOMEM;
    return do_move(move);
}

int64_t space_mremap(struct space *space, uaddr_t at, uint64_t old_length, uint64_t length,
                     unsigned flags, uaddr_t to)
{
    struct move move = {.space = space, .at = at, .to = to};
    int error;

    if (length > USER_END)
        return -EINVAL;
    move.old_length = ALIGN_UP(MIN(old_length, USER_END + PAGE_SIZE), PAGE_SIZE);
    move.length = ALIGN_UP(length, PAGE_SIZE);
    error = check_arguments(at, move.old_length, move.length, flags, to);
    if (error)
        return error;
    move.from = mapping_at(space, at);
    if (!move.from)
        return -EFAULT;
    move.old_length = ALIGN_UP(move.old_length, PAGE_SIZE << move.from->huge_order);
    move.length = ALIGN_UP(move.length, PAGE_SIZE << move.from->huge_order);
    if (move.old_length == 0)
        return duplicate(space, move.from, at, move.length, flags, to);
    error = check_move(&move, flags & MREMAP_FIXED);
    if (error)
        return error;
    return flags & MREMAP_FIXED ? do_move(&move) : remap_anywhere(&move, flags);
}
