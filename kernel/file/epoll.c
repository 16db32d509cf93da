/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An entry hangs on its file's wait queue; when the file wakes it, it joins the ready list and
 * wakes those who wait for the epoll file, which may itself be watched. They are woken once, and
 * again only after somebody has looked: with the bound on all entries, what one event has to do is
 * bounded, whoever watches whom.
 */
#include "kernel/file/epoll.h"
#include "kernel/file/poll.h"
#include "kernel/mm/heap.h"

#define ALWAYS_EVENTS (POLL_ERR | POLL_HUP)
#define CONTROL_BITS  (EPOLL_EXCLUSIVE | EPOLL_WAKEUP | EPOLL_ONESHOT | EPOLL_EDGE)
#define ITEM_WORK     100 /* work (breathe_after()) of looking at an entry, or of freeing it */

struct epoll {
    struct list items;
    struct list ready;
    bool told; /* who waits was woken, and nobody has looked since */
};

static unsigned item_count; /* of all epoll files */

struct epoll_item {
    struct list link;        /* in epoll.items */
    struct list ready;       /* in epoll.ready, or alone */
    struct file_watch watch; /* on the target */
    struct waiter waiter;    /* on target->changed */
    struct file *owner;      /* the epoll file */
    struct file *target;
    int fd;
    struct epoll_event event;
};

static const struct file_ops epoll_ops;

bool file_is_epoll(const struct file *file)
{
    return file->ops == &epoll_ops;
}

/* What an entry would report now. A one-shot entry that has fired asks for nothing. */
static uint32_t item_events(const struct epoll_item *item)
{
    uint32_t wanted = item->event.events & ~(uint32_t)CONTROL_BITS;
    return wanted ? poll_ready(item->target) & (wanted | ALWAYS_EVENTS) : 0;
}

static void item_queue(struct epoll_item *item)
{
    struct epoll *epoll = item->owner->context;
    if (list_empty(&item->ready))
        list_push_back(&epoll->ready, &item->ready);
    if (epoll->told)
        return;
    epoll->told = true;
    waitq_wake(&item->owner->changed);
}

static void item_wake(struct waiter *waiter)
{
    item_queue(container_of(waiter, struct epoll_item, waiter));
}

static void item_free(struct epoll_item *item)
{
    wait_remove(&item->waiter);
    list_remove(&item->watch.link);
    list_remove(&item->ready);
    list_remove(&item->link);
    kfree(item);
    item_count--;
    breath_left -= ITEM_WORK;
}

static void item_gone(struct file_watch *watch)
{
    item_free(container_of(watch, struct epoll_item, watch));
}

static unsigned epoll_poll(struct file *file)
{
    struct epoll *epoll = file->context;
    struct epoll_item *item, *next;
    epoll->told = false;
    list_for_each_entry_safe (item, next, &epoll->ready, ready) {
        breath_left -= ITEM_WORK;
        if (item_events(item))
            return POLL_IN;
        list_remove(&item->ready);
    }
    return 0;
}

static void epoll_release(struct file *file)
{
    struct epoll *epoll = file->context;
    struct epoll_item *item, *next;
    list_for_each_entry_safe (item, next, &epoll->items, link)
        item_free(item);
    kfree(epoll);
}

static const struct file_ops epoll_ops = {
    .poll = epoll_poll,
    .release = epoll_release,
};

struct file *epoll_create(void)
{
    struct epoll *epoll = kzalloc(sizeof(*epoll));
    if (!epoll)
        return NULL;
    list_init(&epoll->items);
    list_init(&epoll->ready);
    struct file *file = file_create(&epoll_ops, epoll, FILE_RDWR, "epoll");
    if (!file)
        kfree(epoll);
    return file;
}

static struct epoll_item *epoll_find(const struct file *epoll, int fd, const struct file *target)
{
    struct file_watch *watch;
    list_for_each_entry (watch, &target->watches, link) {
        struct epoll_item *item = container_of(watch, struct epoll_item, watch);
        if (item->owner == epoll && item->fd == fd)
            return item;
    }
    return NULL;
}

static bool watches_epoll(const struct file *file)
{
    const struct epoll *epoll = file->context;
    const struct epoll_item *item;
    list_for_each_entry (item, &epoll->items, link) {
        if (file_is_epoll(item->target))
            return true;
    }
    return false;
}

/*
 * Two levels at most: a wake then runs through a bounded part of the kernel's stack, and there can
 * be no cycle.
 */
static int check_target(const struct file *epoll, const struct file *target, uint32_t events)
{
    if (target == epoll)
        return -EINVAL;
    if (!target->ops->poll)
        return -EPERM;
    if (!file_is_epoll(target))
        return 0;
    if (events & EPOLL_EXCLUSIVE)
        return -EINVAL;
    if (watches_epoll(target) || !list_empty(&epoll->watches))
        return -ELOOP;
    return 0;
}

int epoll_add(struct file *epoll_file, int fd, struct file *target, const struct epoll_event *event)
{
    struct epoll *epoll = epoll_file->context;
    int error = check_target(epoll_file, target, event->events);
    if (error)
        return error;
    if (epoll_find(epoll_file, fd, target))
        return -EEXIST;
    if (item_count == EPOLL_ITEMS_MAX)
        return -ENOSPC;
    struct epoll_item *item = kzalloc(sizeof(*item));
    if (!item)
        return -ENOMEM;
    item_count++;
    item->owner = epoll_file;
    item->target = target;
    item->fd = fd;
    item->event = *event;
    item->watch.gone = item_gone;
    item->waiter.wake = item_wake;
    list_init(&item->ready);
    list_push_back(&epoll->items, &item->link);
    list_push_back(&target->watches, &item->watch.link);
    wait_add(&target->changed, &item->waiter);
    if (item_events(item))
        item_queue(item);
    return 0;
}

int epoll_change(struct file *epoll, int fd, struct file *target, const struct epoll_event *event)
{
    struct epoll_item *item = epoll_find(epoll, fd, target);
    if (!item)
        return -ENOENT;
    if ((event->events | item->event.events) & EPOLL_EXCLUSIVE)
        return -EINVAL;
    item->event = *event;
    if (item_events(item))
        item_queue(item);
    return 0;
}

int epoll_remove(struct file *epoll, int fd, struct file *target)
{
    struct epoll_item *item = epoll_find(epoll, fd, target);
    if (!item)
        return -ENOENT;
    item_free(item);
    return 0;
}

size_t epoll_take(struct file *epoll_file, struct epoll_event *out, size_t count)
{
    struct epoll *epoll = epoll_file->context;
    struct list again = LIST_INIT(again); /* level-triggered entries, behind the others */
    size_t taken = 0;
    epoll->told = false;
    while (taken < count && !list_empty(&epoll->ready)) {
        breath_left -= ITEM_WORK;
        struct epoll_item *item = list_first(&epoll->ready, struct epoll_item, ready);
        uint32_t events = item_events(item);
        list_remove(&item->ready);
        if (!events)
            continue;
        out[taken++] = (struct epoll_event){.events = events, .data = item->event.data};
        if (item->event.events & EPOLL_ONESHOT)
            item->event.events &= CONTROL_BITS;
        else if (!(item->event.events & EPOLL_EDGE))
            list_push_back(&again, &item->ready);
    }
    while (!list_empty(&again)) {
        struct list *link = again.next;
        list_remove(link);
        list_push_back(&epoll->ready, link);
    }
    return taken;
}
