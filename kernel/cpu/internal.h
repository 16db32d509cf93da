/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared between the entry code and the C files of kernel/cpu. */
#ifndef KERNEL_CPU_INTERNAL_H
#define KERNEL_CPU_INTERNAL_H

#include "kernel/cpu/trap.h"

#define VECTOR_MACHINE_CHECK 18

/* Why the current thread must not go straight back to user mode. */
enum return_work {
    RETURN_RESCHEDULE = 1, /* its time slice is over */
    RETURN_WORK = 2,       /* user_ops.work wants to see it */
};
extern uint32_t user_return_work;
extern struct user_ops user_ops;

/* A vector that came by message, from 32 on or while held_let_in. */
void vector_dispatch(unsigned vector);
/* A vector of the kernel's own, for good. */
void vector_own(unsigned vector, vector_handler handler);
/* Holds its interrupts back, if who owns it can. */
void vector_hold(unsigned vector, bool on);
/* trap.S */
extern const char syscall_entry[];
/* For cpu_init(): sets every bit of the control, debug and model-specific registers that matter. */
void control_init(void);

/* An interrupt below VECTOR_TIMER was served, from `start` (time_ns() terms) until now. */
void storm_count(unsigned vector, uint64_t start);
void trap_dispatch(struct trap_frame *frame);
void user_return(struct trap_frame *frame);
/* The current thread is about to be shown to user_ops.work. */
void thread_work_taken(void);
/*
 * held.c: takes the messages with the vectors of exceptions that have come. They are let in nowhere
 * else. The caller stands on a thread's stack and interrupts no handler.
 */
void held_take(void);
extern bool held_let_in;
/* Counts a non-maskable interrupt, and touches nothing else. */
void nmi_arrived(void);
/* Tells of the non-maskable interrupts that came since: where they come nothing can be said. */
void trap_tell_nmis(void);
/* Prints a trap that nothing can be done about and ends. */
_Noreturn void panic_trap(const struct trap_frame *frame, uint64_t address);

#endif
