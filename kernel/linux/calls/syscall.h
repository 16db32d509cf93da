/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls: Linux x86-64 numbers, arguments and errors. The table of those we have is
 * syscall_table.h; a call that is not in it returns -ENOSYS and says so once in the log,
 * by its number: ./bulkhead run shows names (tools/bulkhead/calls.py).
 */
#ifndef KERNEL_LINUX_CALLS_SYSCALL_H
#define KERNEL_LINUX_CALLS_SYSCALL_H

#include "kernel/lib/types.h"

/* One more than the highest number that Linux gives to a call. */
#define SYSCALL_COUNT 473

struct trap_frame;

/* user_ops.syscall: number in rax, result to rax; the number is kept in frame->error. */
void syscall_dispatch(struct trap_frame *frame);
/* May a call that a signal interrupted start again (SA_RESTART)? */
bool syscall_restarts(uint64_t number);
/* Forgets which missing calls were already reported. */
void syscall_reset(void);

#endif
