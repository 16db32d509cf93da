/* SPDX-License-Identifier: BSD-2-Clause */
/* eventfd(2): a 64-bit counter that interrupts add to and programs wait for. */
#ifndef KERNEL_FILE_EVENTFD_H
#define KERNEL_FILE_EVENTFD_H

#include "kernel/file/file.h"

/* flags: Linux EFD_SEMAPHORE (1), FILE_NONBLOCK. NULL when out of memory. */
struct file *eventfd_create(uint64_t initial, unsigned flags);
bool file_is_eventfd(const struct file *file);
/* Adds to the counter, saturating; wakes. Safe in interrupt handlers. */
void eventfd_signal(struct file *file, uint64_t count);

#endif
