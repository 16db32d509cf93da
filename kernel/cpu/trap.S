/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trap and interrupt entry. Every vector pushes its number; what they share sees to it that an error
 * code (the CPU's, or 0) lies above it, and pushes all registers: struct trap_frame. Then
 * trap_dispatch() decides.
 */
#include "kernel/cpu/layout.h"

    .macro push_registers
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %rax
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    .endm

    .macro pop_registers
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rax
    popq %rcx
    popq %rdx
    popq %rsi
    popq %rdi
    .endm

    .text
    .balign 16
    .globl trap_stubs
trap_stubs:
    vector = 0
    .rept 256
    .balign 16
    pushq $vector
    jmp trap_common
    vector = vector + 1
    .endr

    .balign 16
trap_common:
    /*
     * Whether the CPU pushed an error code depends on what raised the vector: an exception with
     * code does, a message with the same vector does not. The stack tells: the CPU aligns it to 16
     * before it pushes five words, or six with the code, and the stub has pushed one more.
     */
    testb $8, %spl
    jnz 1f
    pushq (%rsp)
    movq $0, 8(%rsp)
1:  push_registers
    cld
    /* User code may have set AC, which would switch SMAP off. */
    cmpb $0, cpu_has_smap(%rip)
    je 1f
    clac
1:  testb $3, FRAME_CS(%rsp)
    jz 2f
    /* From user mode the thread's own stack is empty: leave an IST stack for it. */
    movq cpu_tss + 4(%rip), %rax
    subq $FRAME_SIZE, %rax
    cmpq %rax, %rsp
    je 2f
    movq %rsp, %rsi
    movq %rax, %rdi
    movl $FRAME_SIZE / 8, %ecx
    rep movsq
    movq %rax, %rsp
2:  xorl %ebp, %ebp
    testb $3, FRAME_CS(%rsp)
    jnz 3f
    movq 4 * 8(%rsp), %rbp /* a backtrace goes on through a kernel trap, and ends at user mode */
3:  movq %rsp, %rdi
    call trap_dispatch

    .globl trap_return
trap_return:
    pop_registers
    addq $16, %rsp
    iretq

/*
 * SYSCALL: RCX = return address, R11 = flags, still on the user's stack. Interrupts, direction,
 * trap, alignment-check and nested-task flags are masked (MSR_FMASK). Kept short on purpose: this
 * is the most travelled path of the kernel.
 */
    .balign 16
    .globl syscall_entry
syscall_entry:
    movq %rsp, syscall_user_rsp(%rip)
    movq cpu_tss + 4(%rip), %rsp
    pushq $USER_DS
    pushq syscall_user_rsp(%rip)
    pushq %r11
    pushq $USER_CS
    pushq %rcx
    pushq $0
    pushq $TRAP_SYSCALL
    push_registers
    xorl %ebp, %ebp
    movq %rsp, %rdi
    call *user_ops + 0(%rip)
    cmpl $0, user_return_work(%rip)
    jne syscall_slow_return
    /*
     * The functions called left the registers alone that they have to; RBP was cleared above. What
     * changes the others in the frame (a signal, rt_sigreturn) goes the slow way. SYSRET takes RIP
     * and RFLAGS from RCX and R11: they are what SYSCALL put there, and canonical, because no code
     * lies in the last page of the payload's half.
     */
    movq 4 * 8(%rsp), %rbp
    movq 7 * 8(%rsp), %r10
    movq 8 * 8(%rsp), %r9
    movq 9 * 8(%rsp), %r8
    movq 10 * 8(%rsp), %rax
    movq 12 * 8(%rsp), %rdx
    movq 13 * 8(%rsp), %rsi
    movq 14 * 8(%rsp), %rdi
    movq 17 * 8(%rsp), %rcx
    movq 19 * 8(%rsp), %r11
    movq 20 * 8(%rsp), %rsp
    sysretq

syscall_slow_return:
    movq %rsp, %rdi
    call user_return
    jmp trap_return

/*
 * thread_enter_user(const struct trap_frame *frame): copies the frame to the top of the current thread's
 * stack, where a trap from user mode would have put it. The frame may lie on that very stack, a
 * little lower: so the last word is copied first, and nothing is pushed.
 */
    .globl thread_enter_user
thread_enter_user:
    movq cpu_tss + 4(%rip), %rdx
    leaq FRAME_SIZE - 8(%rdi), %rsi
    leaq -8(%rdx), %rdi
    movl $FRAME_SIZE / 8, %ecx
    std
    rep movsq
    cld
    leaq -FRAME_SIZE(%rdx), %rsp
    xorl %ebp, %ebp
    jmp syscall_slow_return

    .bss
    .align 8
syscall_user_rsp:
    .skip 8
