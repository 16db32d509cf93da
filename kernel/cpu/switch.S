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

    .globl thread_begin
thread_begin:
    xorl %ebp, %ebp
    call thread_first_run
    ud2
