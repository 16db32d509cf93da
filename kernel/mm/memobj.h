/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory objects: memory with an offset that can be mapped into the payload or into an IO address
 * space: a file in RAM, a BAR, a DMA buffer. Reference counted.
 */
#ifndef KERNEL_MM_MEMOBJ_H
#define KERNEL_MM_MEMOBJ_H

#include "kernel/lib/list.h"
#include "kernel/lib/types.h"

enum memobj_flags {
    MEMOBJ_DEVICE = 1, /* device memory: uncached, neither pinned nor charged, may be revoked */
    /*
     * Which part may be mapped is for the file that hands it out to say, each time: a mapping of it
     * is neither grown nor duplicated. True of all device memory.
     */
    MEMOBJ_GUARDED = 2,
};

struct memobj;

struct memobj_ops {
    /*
     * The longest physical run that starts at `offset` (page aligned), at most `max` bytes.
     * Allocates where the object is sparse, in blocks no larger than `max`. -ENOMEM, -EFAULT
     * beyond the end, -EIO if revoked. Called through memobj_run().
     */
    int (*run)(struct memobj *object, uint64_t offset, uint64_t max, struct phys_run *out);
    /* Called with the last reference gone. */
    void (*destroy)(struct memobj *object);
};

/*
 * Whoever maps an object into page tables watches it: `revoke` must remove every translation to it
 * before it returns (CPU and IO page tables alike), `restore` may put CPU translations back.
 * `zap`: memory in [from, to) is about to be released; CPU translations to it must go (a
 * later access asks run() again). IO page tables need not care: they hold pins. Callbacks must not
 * take watchers out. Whoever has a `lock` holds it to take the watcher out. Others are let in
 * between two callbacks: whoever takes translations over from another watcher has to be behind it.
 */
struct mutex;

struct memobj_watcher {
    struct list link;
    struct mutex *lock;    /* held while `revoke` is called, which may breathe only then; or NULL */
    struct memobj *object; /* NULL: watches nothing */
    uint64_t zapped;       /* memobj.zaps of the last zap it has behind it */
    void (*revoke)(struct memobj_watcher *watcher);
    void (*restore)(struct memobj_watcher *watcher);                         /* may be NULL */
    void (*zap)(struct memobj_watcher *watcher, uint64_t from, uint64_t to); /* may be NULL */
};

struct memobj {
    const struct memobj_ops *ops;
    uint64_t size; /* bytes, page aligned */
    unsigned flags;
    unsigned references;
    bool revoked;
    struct list watchers;   /* whoever is new comes last */
    uint64_t watch_changes; /* how often one came or went */
    uint64_t zaps;          /* memobj_zap() so far */
};

/* Must the file be asked about every page of the object that is mapped? */
static inline bool memobj_is_guarded(const struct memobj *object)
{
    return object->flags & (MEMOBJ_DEVICE | MEMOBJ_GUARDED);
}

/* Fills the common part, with one reference held by the caller. */
void memobj_init(struct memobj *object, const struct memobj_ops *ops, uint64_t size,
                 unsigned flags);
struct memobj *memobj_get(struct memobj *object);
void memobj_put(struct memobj *object);
/* ops->run() behind the checks that every object needs: alignment, end, revocation. */
int memobj_run(struct memobj *object, uint64_t offset, uint64_t max, struct phys_run *out);
/*
 * A zap that is under way leaves the watcher out. Whoever hands translations on from one watcher to
 * another hands on `zapped` too, and 0 if they come from several that differ in it.
 */
void memobj_watch(struct memobj *object, struct memobj_watcher *watcher);
void memobj_unwatch(struct memobj_watcher *watcher);
/* Tells all watchers; run() fails with -EIO until restored. Idempotent. May sleep. */
void memobj_revoke(struct memobj *object);
void memobj_restore(struct memobj *object);
/*
 * For the owner of an object, before it releases memory that run() does not hand out any more. Lets
 * others in.
 */
void memobj_zap(struct memobj *object, uint64_t from, uint64_t to);

#endif
