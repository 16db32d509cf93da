/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/linux/calls/trace.h"
#include "kernel/cpu/time.h"
#include "kernel/cpu/trap.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/linux/threads/task.h"
#include "kernel/machine/console/trace.h"

/* A program may fail as often as it likes; who reads of it does not want to. */
static bool admit(void)
{
    static struct log_limit limit = {.window_ns = NS_PER_S, .burst = 100};
    if (!log_shows(LOG_DEBUG) || !log_admit(&limit))
        return false;
    if (limit.suppressed)
        log_debug("payload: %lu such lines were left out", limit.suppressed);
    limit.suppressed = 0;
    return true;
}

/* With the first three arguments: for ioctl they are all. */
void trace_failed_call(const struct trap_frame *frame, int64_t error)
{
    if (admit())
        log_debug("payload: thread %d: call %lu(0x%lx, 0x%lx, 0x%lx): %s", task_current()->id,
                  frame->error, frame->rdi, frame->rsi, frame->rdx, error_name((int)error));
}

void trace_exception(const struct trap_frame *frame, uaddr_t address, const struct siginfo *info)
{
    TRACE(TRACE_FAULTS, TRACE_EXCEPTION, task_current()->id, frame->vector, address, frame->error,
          frame->rip, (uint64_t)info->number);
    if (admit())
        log_debug("payload: thread %d: %s at rip 0x%lx, address 0x%lx: %s", task_current()->id,
                  trap_name(frame->vector), frame->rip, address, signal_name(info->number));
}
