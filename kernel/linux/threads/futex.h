/* SPDX-License-Identifier: BSD-2-Clause */
/* futex(2): threads sleep on a word of the payload's memory until another wakes them. */
#ifndef KERNEL_LINUX_THREADS_FUTEX_H
#define KERNEL_LINUX_THREADS_FUTEX_H

#include "kernel/lib/types.h"

#define FUTEX_ANY UINT32_MAX /* the bitset that matches every waiter */

struct task;

/*
 * Sleeps while the word still is `expected`. 0 when woken; -EAGAIN at once when it is not; -EINVAL
 * (misaligned, empty bitset), -EFAULT, -ETIMEDOUT, -EINTR.
 */
int futex_wait(uaddr_t word, uint32_t expected, uint32_t bitset, uint64_t deadline_ns);
/* Wakes up to `count` waiters that share a bit of `bitset`, the oldest first. Returns how many. */
unsigned futex_wake(uaddr_t word, unsigned count, uint32_t bitset);
/*
 * Wakes up to `wake` waiters of `from` and lets up to `move` others wait on `to` from now on.
 * Returns how many were woken and moved.
 */
unsigned futex_requeue(uaddr_t from, uaddr_t to, unsigned wake, unsigned move);
/*
 * FUTEX_WAKE_OP: changes the second word as `encoded` says, wakes up to `count` waiters of the
 * first and, if the old second value passes the comparison, up to `second_count` of the second.
 * Returns how many, or -EFAULT, -EINVAL, -ENOSYS (unknown operation).
 */
int64_t futex_wake_op(uaddr_t first, uaddr_t second, unsigned count, unsigned second_count,
                      uint32_t encoded);
/*
 * A thread is about to go: marks the locks on its robust list (set_robust_list(2)) that it still
 * owns, and wakes one waiter of each.
 */
void futex_exit_robust(struct task *task);

#endif
