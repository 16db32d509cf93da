/* SPDX-License-Identifier: BSD-2-Clause */
/* From the number of a system call to the function that does it. */
#include "kernel/linux/calls/syscall.h"
#include "kernel/cpu/trap.h"
#include "kernel/file/epoll.h"
#include "kernel/file/fdtable.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/linux/calls/clock.h"
#include "kernel/linux/calls/syscall_table.h"
#include "kernel/linux/threads/task.h"
#include "kernel/linux/calls/trace.h"
#include "kernel/linux/calls/user_path.h"

#define CALL_RT_SIGRETURN 15 /* its result is whatever the interrupted program had there */
#define ERROR_MAX         4095
#define CALL_RSEQ         334 /* every glibc program tries it and does well without: not worth a line */

/* The argument registers, by how many of them a call takes. */
#define ARGUMENTS_F(f) (f)
#define ARGUMENTS_0(f)
#define ARGUMENTS_1(f) (f)->rdi
#define ARGUMENTS_2(f) ARGUMENTS_1(f), (f)->rsi
#define ARGUMENTS_3(f) ARGUMENTS_2(f), (f)->rdx
#define ARGUMENTS_4(f) ARGUMENTS_3(f), (f)->r10
#define ARGUMENTS_5(f) ARGUMENTS_4(f), (f)->r8
#define ARGUMENTS_6(f) ARGUMENTS_5(f), (f)->r9

#define CALL_RESTARTS(number, name, parameters, count, restart) [number] = (restart) == RESTART,
#define RESULT_RESTARTS(number, name, expression, restart)      [number] = (restart) == RESTART,
static const bool restarts[SYSCALL_COUNT] = {SYSCALL_TABLE(CALL_RESTARTS, RESULT_RESTARTS)};

/* The last one is for all numbers behind the others. */
static bool reported[SYSCALL_COUNT + 1];

/* Kept out of line: the way in saves only the registers that it needs. */
static APART int64_t syscall_missing(uint64_t number)
{
    bool *told = &reported[number < SYSCALL_COUNT ? number : SYSCALL_COUNT];
    if (number != CALL_RSEQ && !*told)
        log_warn("system call %lu is not supported", number);
    *told = true;
    return -ENOSYS;
}

#define CALL_CASE(number, name, parameters, count, restart)                                        \
    RESULT_CASE(number, name, sys_##name(ARGUMENTS_##count(frame)), restart)
#define RESULT_CASE(number, name, expression, restart)                                             \
    case number:                                                                                   \
        result = (expression);                                                                     \
        break;

/*
 * A jump table, which is the shortest way in. The number stays in the frame's error field, for
 * whoever has to start the call again.
 */
void syscall_dispatch(struct trap_frame *frame)
{
    int64_t result;
    frame->error = frame->rax;
    switch (frame->rax) {
        SYSCALL_TABLE(CALL_CASE, RESULT_CASE)
    default:
        result = syscall_missing(frame->rax);
    }
    frame->rax = (uint64_t)result;
    if (__builtin_expect(frame->rax >= (uint64_t)-ERROR_MAX, 0) &&
        frame->error != CALL_RT_SIGRETURN)
        trace_failed_call(frame, result);
}

bool syscall_restarts(uint64_t number)
{
    return number < SYSCALL_COUNT && restarts[number];
}

void syscall_reset(void)
{
    memset(reported, 0, sizeof(reported));
}
