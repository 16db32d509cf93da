/* SPDX-License-Identifier: BSD-2-Clause */
/* CPU exceptions in user mode become signals. */
#include "kernel/lib/panic.h"
#include "kernel/linux/memory/space.h"
#include "kernel/linux/threads/task.h"
#include "kernel/linux/calls/trace.h"

enum exception_vector {
    VECTOR_DIVIDE = 0,
    VECTOR_DEBUG = 1,
    VECTOR_BREAKPOINT = 3,
    VECTOR_OVERFLOW = 4,
    VECTOR_BOUND = 5,
    VECTOR_OPCODE = 6,
    VECTOR_DEVICE = 7,
    VECTOR_SEGMENT = 11,
    VECTOR_STACK = 12,
    VECTOR_PROTECTION = 13,
    VECTOR_PAGE = 14,
    VECTOR_X87 = 16,
    VECTOR_ALIGNMENT = 17,
    VECTOR_SIMD = 19,
};

struct exception_signal {
    int number;
    int code;
    bool at_instruction; /* si_addr is the instruction, not 0 */
};

static const struct exception_signal signals[] = {
    [VECTOR_DIVIDE] = {SIG_FPE, CODE_FPE_INTDIV, true},
    [VECTOR_DEBUG] = {SIG_TRAP, CODE_TRAP_TRACE, true},
    [VECTOR_BREAKPOINT] = {SIG_TRAP, CODE_KERNEL, false},
    [VECTOR_OVERFLOW] = {SIG_SEGV, CODE_KERNEL, false},
    [VECTOR_BOUND] = {SIG_SEGV, CODE_KERNEL, false},
    [VECTOR_OPCODE] = {SIG_ILL, 2, true}, /* ILL_ILLOPN */
    [VECTOR_DEVICE] = {SIG_SEGV, CODE_KERNEL, false},
    [VECTOR_SEGMENT] = {SIG_BUS, CODE_KERNEL, false},
    [VECTOR_STACK] = {SIG_BUS, CODE_KERNEL, false},
    [VECTOR_PROTECTION] = {SIG_SEGV, CODE_KERNEL, false},
    [VECTOR_X87] = {SIG_FPE, CODE_FPE_FLTINV, true},
    [VECTOR_ALIGNMENT] = {SIG_BUS, CODE_BUS_ADRALN, false},
    [VECTOR_SIMD] = {SIG_FPE, CODE_FPE_FLTINV, true},
};

static void page_fault_signal(uint64_t address, uint64_t error, struct siginfo *info)
{
    info->number = SIG_SEGV;
    info->address = address;
    switch (space_explain(payload.space, address, error)) {
    case SPACE_UNMAPPED:
        info->code = CODE_SEGV_MAPERR;
        break;
    case SPACE_FORBIDDEN:
        info->code = CODE_SEGV_ACCERR;
        break;
    case SPACE_GONE:
        info->number = SIG_BUS;
        info->code = CODE_BUS_ADRERR;
        break;
    }
}

void task_exception(struct trap_frame *frame, uint64_t address)
{
    struct task *task = task_current();
    struct siginfo info = {0};
    uint64_t vector = frame->vector;
    task->fault_vector = vector;
    task->fault_error = frame->error;
    task->fault_address = address;
    if (vector == VECTOR_PAGE) {
        page_fault_signal(address, frame->error, &info);
    } else {
        ASSERT(vector < ARRAY_SIZE(signals) && signals[vector].number);
        info.number = signals[vector].number;
        info.code = signals[vector].code;
        info.address = signals[vector].at_instruction ? frame->rip : 0;
    }
    trace_exception(frame, address, &info);
    signal_force(&info);
}
