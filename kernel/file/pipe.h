/* SPDX-License-Identifier: BSD-2-Clause */
/* pipe(7): a byte stream of bounded length between two files. */
#ifndef KERNEL_FILE_PIPE_H
#define KERNEL_FILE_PIPE_H

#include "kernel/file/file.h"

#define PIPE_CAPACITY (64 * KIB)
#define PIPE_ATOMIC   4096 /* a write up to this length is never mixed with another */

/* The two ends, each with one reference; flags: FILE_NONBLOCK for both. -ENOMEM. */
int pipe_create(unsigned flags, struct file **reader, struct file **writer);
bool file_is_pipe(const struct file *file);

#endif
