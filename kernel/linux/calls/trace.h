/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What log-level = debug tells of the payload: what it was refused, and its faults; and what goes
 * to the stream if the key `trace` says so.
 */
#ifndef KERNEL_LINUX_CALLS_TRACE_H
#define KERNEL_LINUX_CALLS_TRACE_H

#include "kernel/lib/types.h"

struct siginfo;
struct trap_frame;

/* user_ops.syscall in place of syscall_dispatch(): with a record before the call and one after. */
void trace_call(struct trap_frame *frame);
/* A system call, whose number is in frame->error, gave this error. Not for the usual case. */
void trace_failed_call(const struct trap_frame *frame, int64_t error);
/* An exception became a signal for the current thread. */
void trace_exception(const struct trap_frame *frame, uaddr_t address, const struct siginfo *info);

#endif
