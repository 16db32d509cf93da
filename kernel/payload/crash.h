/* SPDX-License-Identifier: BSD-2-Clause */
/* What the log says when a signal ends the payload. */
#ifndef KERNEL_PAYLOAD_CRASH_H
#define KERNEL_PAYLOAD_CRASH_H

struct siginfo;
struct task;
struct trap_frame;

/* One block: the signal, its cause in words, and the thread's registers. */
void crash_report(const struct task *task, const struct trap_frame *frame,
                  const struct siginfo *info);
/* One line, for an end that no instruction of the payload caused. */
void crash_report_kill(int signal, const char *reason);

#endif
