/* SPDX-License-Identifier: BSD-2-Clause */
/* timerfd_create(2): expirations of a timer as a file that can be read and polled. */
#ifndef KERNEL_FILE_TIMERFD_H
#define KERNEL_FILE_TIMERFD_H

#include "kernel/file/file.h"

struct timerfd_setting {
    uint64_t value_ns;    /* until the next expiration; 0: not set */
    uint64_t interval_ns; /* between later ones; 0: only one */
};

/* flags: FILE_NONBLOCK. `clock` is only remembered. NULL when out of memory. */
struct file *timerfd_create(int clock, unsigned flags);
int timerfd_clock(const struct file *file);
bool file_is_timerfd(const struct file *file);
/* Sets the timer to a time in time_ns() terms (0: stops it) and clears what had expired. */
void timerfd_set(struct file *file, uint64_t deadline_ns, uint64_t interval_ns);
void timerfd_get(struct file *file, struct timerfd_setting *out);

#endif
