/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The payload's descriptors. There is one payload, so there is one table; fd_get() and
 * fd_install(), which the device-file families use, are declared in file.h.
 */
#ifndef KERNEL_FILE_FDTABLE_H
#define KERNEL_FILE_FDTABLE_H

#include "kernel/file/file.h"

/* The hard limit of RLIMIT_NOFILE; the soft limit starts at FD_LIMIT_DEFAULT. */
#define FD_LIMIT_MAX     4096
#define FD_LIMIT_DEFAULT 1024

/* An empty table with the default limit. The table must hold nothing. */
void fd_table_init(void);
/* One more than the highest descriptor that may be opened (RLIMIT_NOFILE). */
unsigned fd_limit(void);
void fd_set_limit(unsigned limit);

/* As fd_install(), but the lowest free descriptor that is at least `minimum`. -EINVAL, -EMFILE. */
int fd_install_from(int minimum, struct file *file, bool close_on_exec);
/* dup2: puts the file at exactly `fd`, closing what was there. The reference is taken over in any
 * case. Returns fd, -EBADF when out of range, -ENOMEM. */
int fd_replace(int fd, struct file *file, bool close_on_exec);
/* As fd_get(), also for what was opened with O_PATH. */
struct file *fd_get_path(int fd);
/* Would fd_get() find a file? */
bool fd_is_file(int fd);
/* The lowest descriptor in use from `from` on; -1: none. */
int fd_next(int from);
/* 0 or -EBADF. */
int fd_close(int fd);
/* The close-on-exec mark: 0 or 1, -EBADF. */
int fd_close_on_exec(int fd);
int fd_set_close_on_exec(int fd, bool on);
/* Closes (or only marks close-on-exec) every descriptor from first to last, inclusive. */
void fd_close_range(unsigned first, unsigned last, bool only_mark);
/* Closes everything and gives the table's memory back. */
void fd_close_all(void);

#endif
