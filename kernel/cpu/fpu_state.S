/* SPDX-License-Identifier: BSD-2-Clause */
/* int fpu_xrstor(const void *area, uint64_t mask), int fpu_fxrstor(const void *area): 0, or -1 when
 * the CPU raised #GP over the contents. */
    .text
    .globl fpu_xrstor
fpu_xrstor:
    movl %esi, %eax
    movq %rsi, %rdx
    shrq $32, %rdx
1:  xrstor64 (%rdi)
    xorl %eax, %eax
    retq

    .globl fpu_fxrstor
fpu_fxrstor:
2:  fxrstor64 (%rdi)
    xorl %eax, %eax
    retq

3:  movl $-1, %eax
    retq

    .pushsection .user_fault, "a"
    .quad 1b, 3b, 2b, 3b
    .popsection
