/* SPDX-License-Identifier: BSD-2-Clause */
/* What each trap means, and what must happen before user mode is entered again. */
#include "kernel/cpu/apic.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/layout.h"
#include "kernel/cpu/thread.h"
#include "kernel/cpu/internal.h"
#include "kernel/mm/paging/paging.h"

_Static_assert(sizeof(struct trap_frame) == FRAME_SIZE, "layout.h");
_Static_assert(offsetof(struct trap_frame, rcx) == FRAME_RCX, "layout.h");
_Static_assert(offsetof(struct trap_frame, vector) == FRAME_VECTOR, "layout.h");
_Static_assert(offsetof(struct trap_frame, rip) == FRAME_RIP, "layout.h");
_Static_assert(offsetof(struct trap_frame, cs) == FRAME_CS, "layout.h");
_Static_assert(offsetof(struct trap_frame, rflags) == FRAME_RFLAGS, "layout.h");
_Static_assert(offsetof(struct user_ops, syscall) == 0, "trap.S");

enum {
    VECTOR_DEBUG = 1,
    VECTOR_NMI = 2,
    VECTOR_DOUBLE_FAULT = 8,
    VECTOR_GENERAL_PROTECTION = 13,
    VECTOR_PAGE_FAULT = 14,
};

#define FAULT_USER BIT(2) /* in a page fault's error code */

/* Flags that user mode may hold: arithmetic, TF, DF, RF, AC, ID. Everything else is ours. */
#define USER_FLAGS (0xcd5 | RFLAGS_TF | RFLAGS_DF | RFLAGS_RF | RFLAGS_AC | BIT(21))

/* One place in the kernel that may fault on the payload's memory, and where it goes on then. */
struct user_fault {
    uint64_t at;
    uint64_t resume;
};
extern const struct user_fault user_fault_table[], user_fault_table_end[];

struct user_ops user_ops;
uint32_t user_return_work;

/* switch.S */
extern const char idle_halt[], idle_over[];

void user_set_ops(const struct user_ops *ops)
{
    user_ops = *ops;
}

/*
 * May interrupt any instruction of the kernel, so it touches nothing but its counter; and where it
 * came between STI and HLT, the place to go on (switch.S).
 */
static void nmi(struct trap_frame *frame)
{
    nmi_arrived();
    if (frame->rip == (uintptr_t)idle_halt)
        frame->rip = (uintptr_t)idle_over;
}

static bool from_user(const struct trap_frame *frame)
{
    return frame->cs & 3;
}

static const struct user_fault *find_user_fault(uint64_t rip)
{
    for (const struct user_fault *f = user_fault_table; f < user_fault_table_end; f++) {
        if (f->at == rip)
            return f;
    }
    return NULL;
}

/* The layer above may bring the page in: a stack that grows. */
static bool page_fault_repaired(const struct trap_frame *frame, uint64_t address)
{
    return frame->vector == VECTOR_PAGE_FAULT && address < USER_END && user_ops.page_fault &&
           user_ops.page_fault(address, frame->error);
}

static void kernel_exception(struct trap_frame *frame, uint64_t address)
{
    const struct user_fault *place = find_user_fault(frame->rip);
    bool expected =
        frame->vector == VECTOR_PAGE_FAULT || frame->vector == VECTOR_GENERAL_PROTECTION;

    if (!place || !expected)
        panic_trap(frame, address);
    if (!page_fault_repaired(frame, address))
        frame->rip = place->resume;
}

static void exception(struct trap_frame *frame)
{
    bool has_address = frame->vector == VECTOR_PAGE_FAULT || frame->vector == VECTOR_DOUBLE_FAULT;
    uint64_t address = has_address ? cr2_read() : 0;

    /* Nothing is known to be right any more, the payload's memory least. */
    if (frame->vector == VECTOR_MACHINE_CHECK)
        panic_trap(frame, 0);
    if (!from_user(frame)) {
        kernel_exception(frame, address);
        return;
    }
    if (page_fault_repaired(frame, address))
        return;
    user_ops.exception(frame, address);
}

/* Vectors of exceptions are messages only while they are let in, and the local APIC knows which. */
static bool is_message(unsigned vector)
{
    return vector >= VECTOR_FIRST || (held_let_in && apic_in_service(vector));
}

/*
 * Called for every vector. A debug trap in kernel mode can only be a leftover of user mode's trap
 * flag.
 */
void trap_dispatch(struct trap_frame *frame)
{
    if (is_message((unsigned)frame->vector)) {
        vector_dispatch((unsigned)frame->vector);
        if (from_user(frame))
            user_return(frame);
        return;
    }
    if (frame->vector == VECTOR_NMI) {
        nmi(frame);
        return;
    }
    if (frame->vector == VECTOR_DEBUG && !from_user(frame)) {
        frame->rflags &= ~RFLAGS_TF;
        return;
    }
    exception(frame);
    if (from_user(frame))
        user_return(frame);
}

/* Registers that the layer above (or the payload, through a signal frame) may have spoilt. */
static void sanitize(struct trap_frame *frame)
{
    frame->cs = USER_CS;
    frame->ss = USER_DS;
    frame->rflags = (frame->rflags & USER_FLAGS) | RFLAGS_FIXED | RFLAGS_IF;
}

/*
 * The slow way out. Loops because the work of one kind may ask for the other. An instruction
 * pointer outside the payload's half is reported as the fault that IRETQ would raise in the kernel.
 */
void user_return(struct trap_frame *frame)
{
    for (;;) {
        if (user_return_work & RETURN_RESCHEDULE) {
            thread_yield("tick");
        } else if (user_return_work & RETURN_WORK) {
            user_return_work &= ~(uint32_t)RETURN_WORK;
            thread_work_taken();
            user_ops.work(frame);
        } else if (frame->rip >= USER_END) {
            frame->vector = VECTOR_GENERAL_PROTECTION;
            frame->error = 0;
            user_ops.exception(frame, frame->rip);
        } else {
            break;
        }
    }
    sanitize(frame);
}
