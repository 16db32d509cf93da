/* SPDX-License-Identifier: BSD-2-Clause */
/* What an eventfd has counted. */
#ifndef TESTS_UNIT_EVENTFD_TAKE_H
#define TESTS_UNIT_EVENTFD_TAKE_H

#include "kernel/file/eventfd.h"
#include "kernel/file/poll.h"

/* Reads the counter, which is 0 from then on. Does not sleep: 0 if it was 0. */
static inline uint64_t eventfd_take(struct file *file)
{
    uint64_t position = 0, count = 0;

    if (file_poll(file) & POLL_IN)
        assert_int_equal(
            file->ops->read(file, (uaddr_t)(uintptr_t)&count, sizeof(count), &position),
            sizeof(count));
    return count;
}

#endif
