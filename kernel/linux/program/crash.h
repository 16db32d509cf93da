/* SPDX-License-Identifier: BSD-2-Clause */
/* What the log says when a signal ends the payload. */
#ifndef KERNEL_LINUX_PROGRAM_CRASH_H
#define KERNEL_LINUX_PROGRAM_CRASH_H

#include "kernel/linux/program/payload.h"

struct siginfo;
struct task;
struct trap_frame;

/*
 * One block: the thread's registers unless it was asked to end, and on the last line the signal,
 * its cause in words, and where it happened. Returns how the payload ended; the words stay until
 * the next report.
 */
struct payload_exit crash_report(const struct task *task, const struct trap_frame *frame,
                                 const struct siginfo *info);
/* One line, for an end that no instruction of the payload caused. `cause` is kept. */
struct payload_exit crash_report_kill(int signal, const char *cause);

/*
 * Sends to the stream (docs/report.md) how the payload stands whose end was reported last: the
 * signal, its threads, its mappings, and `limit` bytes of its memory. Its threads are held
 * (payload_end()). Lets others in; hears nothing.
 */
void crash_send(uint64_t limit);

#endif
