/* SPDX-License-Identifier: BSD-2-Clause */
/* eventfd(2): a 64-bit counter that interrupts add to and programs wait for. */
#ifndef KERNEL_FILE_EVENTFD_H
#define KERNEL_FILE_EVENTFD_H

#include "kernel/file/file.h"

/* flags: Linux EFD_SEMAPHORE (1), FILE_NONBLOCK. NULL when out of memory. */
struct file *eventfd_create(uint64_t initial, unsigned flags);
/* Adds to the counter, saturating; tells listeners; wakes. Safe in interrupt handlers. */
void eventfd_signal(struct file *file, uint64_t count);
/* A reference to the eventfd behind a descriptor of the payload. -EBADF; -EINVAL: is none. */
int eventfd_get(int fd, struct file **out);

/* Of one eventfd: a single signal calls all of them. */
#define EVENTFD_LISTENERS_MAX 64

/*
 * Who acts on an eventfd without a thread: whatever makes it readable, a write or a signal, is
 * taken as a read would take it, and calls `heard`. That runs in the middle of the write or of an
 * interrupt handler: it must not sleep nor signal an eventfd, and of the listeners of its own it
 * may end only itself. Holds the eventfd: one that the payload has closed stays, silent.
 */
struct eventfd_listener {
    void (*heard)(struct eventfd_listener *listener);
    struct file *file; /* NULL: does not listen; filled in here, as is `link` */
    struct list link;
};

/*
 * Begins to listen, with `heard` set and not listening yet. What the counter holds is heard at
 * once, before the return. -ENOSPC: EVENTFD_LISTENERS_MAX do already.
 */
int eventfd_listen(struct eventfd_listener *listener, struct file *file);
/* Ends it: `heard` is not called any more. Harmless for one that does not listen. */
void eventfd_unlisten(struct eventfd_listener *listener);

#endif
