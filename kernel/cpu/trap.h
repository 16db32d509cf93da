/* SPDX-License-Identifier: BSD-2-Clause */
/* Traps, interrupts and the way in from user mode. */
#ifndef KERNEL_CPU_TRAP_H
#define KERNEL_CPU_TRAP_H

#include "kernel/lib/types.h"

/* Registers saved on entry, in the order the entry code pushes them. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, rbp, rbx;
    uint64_t r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t vector;
    uint64_t error;
    uint64_t rip, cs, rflags, rsp, ss;
};

/* An exception's name in words: "page fault". */
const char *trap_name(uint64_t vector);

/* What the layer that runs the payload does. Set once, before the first thread enters user mode. */
struct user_ops {
    /* System call: number in rax, arguments rdi rsi rdx r10 r8 r9, result to rax. */
    void (*syscall)(struct trap_frame *frame);
    /* Exception in user mode. `address` is CR2 for a page fault. */
    void (*exception)(struct trap_frame *frame, uint64_t address);
    /*
     * A page fault at an address of the payload's half, in user mode or in a copy to or from the
     * payload. True if the page is there now and the access may be tried again. May be NULL.
     */
    bool (*page_fault)(uaddr_t address, uint64_t error);
    /* Before every return to user mode that some work asked for: signals, exit. */
    void (*work)(struct trap_frame *frame);
};
void user_set_ops(const struct user_ops *ops);
/* Makes the current thread pass through user_ops.work before it reaches user mode again. */
struct thread;
void user_request_work(struct thread *thread);

/* Vectors below are those of exceptions. */
#define VECTOR_FIRST 32
/* From here on the kernel's own: they come while devices are kept quiet (kernel/cpu/storm.c). */
#define VECTOR_TIMER 240
/* Interrupt vectors. The handler runs with interrupts off and gets `context`. */
typedef void (*vector_handler)(void *context);
/*
 * A free vector of those for devices, or -ENOSPC. `hold` holds its interrupts back where they come
 * from, and lets them through again; NULL: nobody can. Called with interrupts off, when the vector
 * alone takes too much of the CPU. What is held must not be lost, or not matter.
 */
int vector_alloc(vector_handler handler, void (*hold)(void *context, bool on), void *context);
void vector_free(unsigned vector);
/* How many vectors have a handler. */
unsigned vector_used(void);
/* Interrupts that arrived on vectors nobody owns, those of exceptions among them. */
uint64_t vector_strays(void);
/* Non-maskable interrupts, which are counted, and told of in the log. */
uint64_t trap_nmis(void);
/* Who knows more when some have come: called when they are told of, at most once a second. */
void trap_set_nmi_teller(void (*more)(void));

/* The local APIC id of the one CPU, for interrupt messages. */
uint32_t cpu_apic_id(void);

#endif
