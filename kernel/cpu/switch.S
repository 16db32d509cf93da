/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * void thread_switch(uint64_t *save_rsp, uint64_t load_rsp): parks the caller's registers on its
 * stack and goes on where the other thread was parked. A new thread's stack is laid out by
 * thread_create() as if it had been parked in front of thread_begin.
 */
    .text
    .globl thread_switch
thread_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    retq

/*
 * void idle_wait(void): waits with interrupts on. STI takes effect after HLT has begun, so nothing
 * that makes a thread ready is missed in between; but for an NMI there, after which interrupts come
 * before HLT: trap.c then goes on at idle_over.
 */
    .globl idle_wait, idle_halt, idle_over
idle_wait:
    sti
idle_halt:
    hlt
idle_over:
    cli
    retq

    .globl thread_begin
thread_begin:
    xorl %ebp, %ebp
    call thread_first_run
    ud2
