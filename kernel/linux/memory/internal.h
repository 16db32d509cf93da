/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the address space share.
 *
 * A change of the space may take long, so it is done in pieces with breaths in between, under the
 * lock of the space. Faults, and pinning memory for devices, do without the lock: a fault may come
 * in the middle of a copy, where nothing can wait. So at each breath the tree and the page tables
 * are in a state in which a fault can be served: every page belongs to a mapping in the tree, and a
 * mapping that is being made or taken apart is MAPPING_BUSY, which a fault leaves alone; in user
 * mode it then waits for the lock and looks again. And after each breath whoever holds the lock
 * expects that faults have filled holes, and that a stack has grown.
 *
 * The lock is the first to be taken: files are mapped and closed under it, and take their own. No
 * copy from or to the payload's memory is made with it.
 *
 * A *mapping* is a range with one kind of memory and one
 * access. Mappings are in a tree by address; each node knows the gap below it, so that free address
 * space is found in logarithmic time.
 */
#ifndef KERNEL_LINUX_MEMORY_INTERNAL_H
#define KERNEL_LINUX_MEMORY_INTERNAL_H

#include "kernel/cpu/mutex.h"
#include "kernel/lib/rbtree.h"
#include "kernel/mm/memobj.h"
#include "kernel/linux/memory/space.h"

/* Nothing is mapped below: NULL pointers with an offset must fault. */
#define SPACE_LOWEST UINT64_C(0x10000)
/* Kept free below a mapping that grows down, and at least between it and its neighbour. */
#define STACK_GUARD MIB
#define ACCESS_ALL  (PAGE_READ | PAGE_WRITE | PAGE_EXEC)

enum mapping_flags {
    MAPPING_SHARED = 1,
    MAPPING_LAZY = 2,        /* frames come when touched even where the memory is accessible */
    MAPPING_RESERVATION = 4, /* the same, until mprotect makes it accessible */
    MAPPING_GROWS_DOWN = 8,
    MAPPING_LOCKED = 16,
    MAPPING_DEVICE = 32, /* the object is device memory */
    MAPPING_BUSY = 64,   /* being made or taken apart: faults have no business here */
};

struct mapping {
    struct rb_node node;
    struct space *space;
    struct cpu_space *cpu; /* where its pages are: the space's tables, or others while it is made */
    uaddr_t start;
    uaddr_t end;
    uint64_t gap;         /* free bytes below, without what a stack may grow into */
    uint64_t largest_gap; /* of the subtree */
    struct memobj *object;
    uint64_t offset;      /* in the object, of `start` */
    uint64_t file_offset; /* the same as the file counts */
    struct file *file;
    const char *name;
    struct memobj_watcher watcher; /* of the object, if shared */
    struct mapping *next;          /* in a list of mappings that left the tree */
    uint8_t access;
    uint8_t access_max;
    uint8_t flags;
    uint8_t huge_order; /* of the blocks it insists on; 0: any */
};

struct space {
    struct mutex lock;
    struct cpu_space *cpu;
    struct rb_tree mappings;
    struct mapping top; /* an empty one at the end: the gap below it is the last one */
    uint64_t mapped;    /* bytes */
    uint64_t locked;    /* bytes under mlock */
    uint64_t reserved;  /* bytes charged already for what the call under way locks */
    uaddr_t break_start;
    uaddr_t break_end;    /* as the payload set it, not aligned */
    uaddr_t search_top;   /* addresses are chosen below */
    uint64_t stack_limit; /* how far a mapping may grow down */
    bool lock_future;
    bool lock_on_fault; /* what is locked in future need not be present */
    unsigned references;
    struct edit *edit; /* the one that is under way; NULL */
    struct ioas_account *account;
};

/* ---- breathing ---- */

/* Rough costs, for the functions below: a step over one mapping; changing one; a page; a search. */
#define STEP_WORK   30u
#define CHANGE_WORK 2000u
#define PAGE_WORK   40u
#define TABLE_WORK  20000u /* looking through tables for the next page */

/*
 * Counts work, and breathes under the lock. -EINTR. Without the lock, in a fault, it is counted for
 * the call that the fault is part of.
 */
static inline int space_breathe(const struct space *space, uint64_t units)
{
    if (!mutex_held(&space->lock)) {
        breath_left -= (int64_t)MIN(units, BREATH_WORK);
        return 0;
    }
    return breathe_after((uint32_t)MIN(units, BREATH_WORK), "address space");
}
/* For what must be finished. */
static inline void space_breathe_deaf(const struct space *space, uint64_t units)
{
    if (mutex_held(&space->lock))
        breathe_deaf_after((uint32_t)MIN(units, BREATH_WORK), "address space");
}

/* ---- mapping.c: the tree ---- */

/* rb_tree.update */
bool mapping_update_gap(struct rb_node *node);
/* The mapping that contains the address, or NULL. */
struct mapping *mapping_at(const struct space *space, uaddr_t at);
/* The first mapping that ends above the address; `space->top` if there is none. */
struct mapping *mapping_from(const struct space *space, uaddr_t at);
struct mapping *mapping_next(struct mapping *mapping);
struct mapping *mapping_before(struct mapping *mapping);
void mapping_insert(struct space *space, struct mapping *mapping);
void mapping_remove(struct mapping *mapping);
/* Moves the lower end, where nothing else may be. */
void mapping_set_start(struct mapping *mapping, uaddr_t start);
/* Cuts at `at`, inside the mapping, into itself and `upper`, a fresh node. */
void mapping_split(struct mapping *mapping, uaddr_t at, struct mapping *upper);
/* Joins neighbours around and inside [start, end] that differ in nothing. */
void mappings_join(struct space *space, uaddr_t start, uaddr_t end);
/* Copies what it is, not where it is, takes references, and watches. */
void mapping_copy_kind(struct mapping *to, const struct mapping *from);
/* From now on the mapping hears, or does not hear, when memory of a shared object goes. */
void mapping_watch(struct mapping *mapping);
void mapping_unwatch(struct mapping *mapping);
/* Gives the references back and frees the node. May sleep in the last reference of a file. */
void mapping_free(struct mapping *mapping);
/*
 * The highest place for `length` bytes in [low, high) that equals `phase` modulo `align`. False if
 * there is none.
 */
bool space_find_gap(const struct space *space, uint64_t length, uint64_t align, uint64_t phase,
                    uaddr_t low, uaddr_t high, uaddr_t *out);
bool space_is_free(const struct space *space, uaddr_t start, uaddr_t end);
/* Is every page of the range in some mapping? */
bool space_is_mapped(const struct space *space, uaddr_t start, uaddr_t end);

/* ---- space_edit.c: changes that cannot fail half way ---- */

/* What an edit may need, taken beforehand. */
#define EDIT_NODES  6
#define EDIT_RANGES 2
struct edit {
    struct space *space;
    struct mapping *node[EDIT_NODES];
    unsigned nodes;
    struct mapping *gone; /* mappings taken out, to be freed at the end */
    struct {
        uaddr_t start, end;
    } range[EDIT_RANGES]; /* what was prepared: no stack grows into it */
    unsigned ranges;
};

/*
 * Makes room for cutting mappings and page tables at both ends of a range; may be called for more
 * than one range of an edit. -ENOMEM, -EINVAL (inside a huge page): nothing has changed; call
 * edit_end().
 */
void edit_begin(struct edit *edit, struct space *space);
int edit_prepare(struct edit *edit, uaddr_t start, uaddr_t end);
/* Does the edit that is under way, if any, touch what a mapping gets that grows down from `end`? */
bool edit_meets(const struct space *space, uaddr_t start, uaddr_t end);
/* Makes no mapping cross start or end. Needs edit_prepare() of the range. */
void edit_isolate(struct edit *edit, uaddr_t start, uaddr_t end);
/* Takes all mappings with their pages out of a range that edit_prepare() saw. */
void edit_clear(struct edit *edit, uaddr_t start, uaddr_t end);
/* Frees what was not used and what was taken out. The last step: it may sleep. */
void edit_end(struct edit *edit);

/* ---- space_fill.c: frames ---- */

/*
 * Puts memory behind what is missing in a range of the mapping, or, where that is of huge pages,
 * in all of those that it touches. `marks`: PAGE_FRESH or 0. What is
 * beyond the end of the object stays missing. -ENOMEM, -EIO (revoked), -EINTR: what was put in
 * before stays.
 */
int space_fill_missing(const struct mapping *mapping, uaddr_t start, uaddr_t end, unsigned marks);
/* The same for a range that is empty and nobody's yet: a failure leaves nothing behind. */
int space_fill(const struct mapping *mapping, uaddr_t start, uaddr_t end, unsigned marks);
/* Takes everything marked PAGE_FRESH in the range out again. */
void space_fill_undo(struct space *space, uaddr_t start, uaddr_t end);
/* Releases owned frames of a range of the tables and unmaps it. No page may cross the ends. */
void space_drop(const struct space *space, struct cpu_space *cpu, uaddr_t start, uaddr_t end);
/* Does the mapping get its memory as soon as it is accessible? */
bool mapping_is_eager(const struct mapping *mapping);
/* Gives a new mapping the memory it must have from the start. */
int space_fill_eager(const struct mapping *mapping, bool asked);
/* Where the memory behind the mapping ends: its end, or that of the object. */
uaddr_t mapping_backed_end(const struct mapping *mapping);

/* ---- space_map.c ---- */

/*
 * An address for `length` bytes whose alignment allows the largest pages, at least `least_align`;
 * `offset` is that of the object behind it. `low_32`: below 2 GiB. False: no room.
 */
bool space_choose(const struct space *space, uint64_t length, uint64_t offset, uint64_t least_align,
                  bool low_32, uaddr_t *out);
/* Puts a mapping into the tree, busy as long as space_insert_end() has not been called. */
void space_insert(struct space *space, struct mapping *mapping);
/* Its pages are there: it may be used, and joins its neighbours. */
void space_insert_end(struct mapping *mapping);
/* Takes it out again, with its pages; the node stays the caller's. */
void space_insert_undo(struct mapping *mapping);

/* ---- space_show.c ---- */

/* Its line of /proc/self/maps. */
void mapping_show(const struct mapping *mapping, struct text *out);

/* ---- space_source.c ---- */

/* Gives a reference back; the structure goes with the last one. */
void space_put(struct space *space);

/* ---- space_lock.c ---- */

/* May `bytes` more be locked? What devices have pinned counts as well. */
bool space_lock_allowed(const struct space *space, uint64_t bytes);
void space_lock_charge(struct space *space, uint64_t bytes);
/*
 * Charges what a call is going to lock, before it lets others in: mapping_set_locked() takes from
 * that first. False: not allowed. What is left is given back at the end of the call.
 */
bool space_lock_reserve(struct space *space, uint64_t bytes);
void space_lock_unreserve(struct space *space);
/* Marks a mapping locked or not, and accounts for it. */
void mapping_set_locked(struct mapping *mapping, bool locked);

/* A page-aligned range of the payload's half, not empty? Stores the end. */
static inline bool space_range(uaddr_t at, uint64_t length, uaddr_t *end)
{
    if (!IS_ALIGNED(at, PAGE_SIZE) || length == 0 || at >= USER_END || length > USER_END - at)
        return false;
    *end = ALIGN_UP(at + length, PAGE_SIZE);
    return true;
}

#endif
