/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only instructions of the kernel that touch the payload's memory. Each has a row in the table
 * of places where a fault is no fault of the kernel; trap.c resumes at `resume`, the functions then
 * return -EFAULT.
 */
#define EFAULT 14

    .macro may_fault at, resume
    .pushsection .user_fault, "a"
    .quad \at, \resume
    .popsection
    .endm

    .text

/* int user_copy(void *to, const void *from, size_t length): words, then the rest. */
    .globl user_copy
user_copy:
    movq %rdx, %rcx
    shrq $3, %rcx
    andl $7, %edx
1:  rep movsq
    movl %edx, %ecx
2:  rep movsb
    xorl %eax, %eax
    retq
    may_fault 1b, user_fault_return
    may_fault 2b, user_fault_return

/* int user_clear(void *to, size_t length) */
    .globl user_clear
user_clear:
    movq %rsi, %rcx
    shrq $3, %rcx
    andl $7, %esi
    xorl %eax, %eax
3:  rep stosq
    movl %esi, %ecx
4:  rep stosb
    retq
    may_fault 3b, user_fault_return
    may_fault 4b, user_fault_return

/*
 * int64_t user_copy_string(char *to, const char *from, size_t size): bytes before the terminating
 * zero, or `size` if there was none.
 */
    .globl user_copy_string
user_copy_string:
    xorl %eax, %eax
5:  cmpq %rdx, %rax
    jae 7f
6:  movb (%rsi,%rax), %cl
    movb %cl, (%rdi,%rax)
    testb %cl, %cl
    jz 7f
    incq %rax
    jmp 5b
7:  retq
    may_fault 6b, user_fault_return

user_fault_return:
    movq $-EFAULT, %rax
    retq

/* bool peek64(uint64_t address, uint64_t *out): for a backtrace over a stack that may be broken. */
    .globl peek64
peek64:
8:  movq (%rdi), %rax
    movq %rax, (%rsi)
    movl $1, %eax
    retq
9:  xorl %eax, %eax
    retq
    may_fault 8b, 9b
