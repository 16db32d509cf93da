/* SPDX-License-Identifier: BSD-2-Clause */
/* epoll(7): a file that knows which of the files it watches are ready. */
#ifndef KERNEL_FILE_EPOLL_H
#define KERNEL_FILE_EPOLL_H

#include "kernel/file/file.h"

/* Linux values of the event bits beyond enum poll_events. */
enum epoll_flags {
    EPOLL_EXCLUSIVE = 1 << 28,
    EPOLL_WAKEUP = 1 << 29,
    EPOLL_ONESHOT = 1 << 30,
    EPOLL_EDGE = 1u << 31,
};

/* struct epoll_event of the interface: packed on x86-64, 12 bytes. */
struct epoll_event {
    uint32_t events;
    uint64_t data;
} __attribute__((packed));
_Static_assert(sizeof(struct epoll_event) == 12, "layout of the Linux interface");

/* Entries of all epoll files together: one event may go through all of them. */
#define EPOLL_ITEMS_MAX 8192

/* NULL when out of memory. */
struct file *epoll_create(void);
bool file_is_epoll(const struct file *file);

/*
 * Entries are named by descriptor and file together. -EEXIST (add), -ENOENT (change, remove),
 * -EINVAL (itself, EPOLL_EXCLUSIVE with a change or a nested epoll), -ELOOP (more than two levels
 * of epoll files), -EPERM (a file that is always ready, such as one in RAM), -ENOSPC (too many
 * entries), -ENOMEM.
 */
int epoll_add(struct file *epoll_file, int fd, struct file *target,
              const struct epoll_event *event);
int epoll_change(struct file *epoll, int fd, struct file *target, const struct epoll_event *event);
int epoll_remove(struct file *epoll, int fd, struct file *target);

/*
 * Takes up to `count` ready entries without sleeping; a level-triggered entry stays queued behind
 * the others. Returns how many.
 */
size_t epoll_take(struct file *epoll_file, struct epoll_event *out, size_t count);

#endif
