/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mm/memobj.h"
#include "kernel/cpu/mutex.h"
#include "kernel/cpu/thread.h"
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"

/* Of one watcher, mostly, and of one that has it behind it: breathe_deaf_after(). */
#define ZAP_WORK  50
#define SKIP_WORK 5

void memobj_init(struct memobj *object, const struct memobj_ops *ops, uint64_t size, unsigned flags)
{
    object->ops = ops;
    object->size = size;
    object->flags = flags;
    object->references = 1;
    object->revoked = false;
    list_init(&object->watchers);
    object->watch_changes = object->zaps = 0;
}

struct memobj *memobj_get(struct memobj *object)
{
    object->references++;
    return object;
}

void memobj_put(struct memobj *object)
{
    ASSERT(object->references != 0);
    if (--object->references == 0) {
        ASSERT(list_empty(&object->watchers));
        object->ops->destroy(object);
    }
}

int memobj_run(struct memobj *object, uint64_t offset, uint64_t max, struct phys_run *out)
{
    if (!IS_ALIGNED(offset | max, PAGE_SIZE) || max == 0)
        return -EINVAL;
    if (offset >= object->size)
        return -EFAULT;
    if (object->revoked)
        return -EIO;
    return object->ops->run(object, offset, MIN(max, object->size - offset), out);
}

void memobj_watch(struct memobj *object, struct memobj_watcher *watcher)
{
    list_push_back(&object->watchers, &watcher->link);
    watcher->object = object;
    watcher->zapped = object->zaps;
    object->watch_changes++;
}

void memobj_unwatch(struct memobj_watcher *watcher)
{
    if (watcher->object)
        watcher->object->watch_changes++;
    watcher->object = NULL;
    list_remove(&watcher->link);
}

/*
 * Takes the lock of the first watcher. False: the watcher is another one now, because its lock had
 * to be waited for.
 */
static bool lock_first(struct list *watchers)
{
    struct memobj_watcher *watcher = list_first(watchers, struct memobj_watcher, link);
    struct mutex *lock = watcher->lock;

    if (mutex_lock_deaf(lock, "revoking memory"))
        return false;
    if (!list_empty(watchers) && list_first(watchers, struct memobj_watcher, link) == watcher)
        return true;
    mutex_unlock(lock);
    return false;
}

/*
 * Takes a mark in the list of watchers behind the next of them, which it returns; NULL at the end.
 * Between two steps others may come, behind the mark, and go.
 */
static struct memobj_watcher *next_watcher(struct memobj *object, struct memobj_watcher *mark)
{
    struct list *next = mark->link.next;

    list_remove(&mark->link);
    if (next == &object->watchers)
        return NULL;
    list_add_after(next, &mark->link);
    return list_entry(next, struct memobj_watcher, link);
}

/* Those without a lock, who may come and go between two of them. The others move to `left`. */
static void revoke_unlocked(struct memobj *object, struct list *left)
{
    struct memobj_watcher mark = {0}, *watcher;

    list_push_front(&object->watchers, &mark.link);
    while ((watcher = next_watcher(object, &mark))) {
        if (watcher->lock) {
            list_remove(&watcher->link);
            list_push_back(left, &watcher->link);
        } else {
            watcher->revoke(watcher);
        }
        breathe_deaf_after(ZAP_WORK, "revoking memory");
    }
}

/* First refuses new translations, then has the old ones removed. */
void memobj_revoke(struct memobj *object)
{
    struct list left = LIST_INIT(left);

    if (object->revoked)
        return;
    object->revoked = true;
    revoke_unlocked(object, &left);
    while (!list_empty(&left)) {
        struct memobj_watcher *watcher;

        if (!lock_first(&left))
            continue;
        watcher = list_first(&left, struct memobj_watcher, link);
        list_remove(&watcher->link);
        list_push_back(&object->watchers, &watcher->link);
        struct mutex *lock = watcher->lock;
        watcher->revoke(watcher);
        mutex_unlock(lock);
    }
}

void memobj_restore(struct memobj *object)
{
    struct memobj_watcher *watcher;

    if (!object->revoked)
        return;
    object->revoked = false;
    list_for_each_entry (watcher, &object->watchers, link)
        if (watcher->restore)
            watcher->restore(watcher);
}

/*
 * When watchers have changed during a breath it begins anew, so that none is left out; those that
 * were told before are passed over, so that it comes to its end however often they change.
 */
void memobj_zap(struct memobj *object, uint64_t from, uint64_t to)
{
    struct list *at = object->watchers.next;
    uint64_t number = ++object->zaps;

    while (at != &object->watchers) {
        struct memobj_watcher *watcher = list_entry(at, struct memobj_watcher, link);
        uint64_t changes = object->watch_changes;
        bool told = watcher->zapped == number;

        watcher->zapped = number;
        if (watcher->zap && !told)
            watcher->zap(watcher, from, to);
        breathe_deaf_after(told ? SKIP_WORK : ZAP_WORK, "memory of a file");
        at = changes == object->watch_changes ? at->next : object->watchers.next;
    }
}
