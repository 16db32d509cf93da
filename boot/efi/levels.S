/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes the number of page-table levels (CR4.LA57), which 64-bit mode allows nobody: goes down to
 * 32-bit protected mode without paging and up again (Intel SDM volume 3, 4.1.2 and 10.8.5). Copied
 * to a page below 4 GiB that is writable, executable, and mapped at its own address by both sets of
 * tables; entered at its first byte with interrupts off and
 *   RSI = where to go on, RDI = what to find in RDI there, EDX = new CR3, EBX = new CR4.
 * All other registers, the stack and the segments are lost.
 */
#define CODE_64 8
#define CODE_32 16
#define DATA    24

#define CR0_PG 0x80000000

    .text
    .globl levels_start
levels_start:
    /* The upper halves of registers do not survive 32-bit mode. */
    movq %rsi, levels_target(%rip)
    movq %rdi, levels_argument(%rip)
    leaq levels_start + 4096(%rip), %rsp
    leaq levels_gdt(%rip), %rax
    movq %rax, levels_gdt_pointer + 2(%rip)
    lgdt levels_gdt_pointer(%rip)
    leaq levels_up(%rip), %rbp
    leaq levels_down(%rip), %rax
    pushq $CODE_32
    pushq %rax
    lretq

    .code32
levels_down:
    movl $DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %cr0, %eax
    andl $~CR0_PG, %eax
    movl %eax, %cr0
    movl %ebx, %cr4
    movl %edx, %cr3
    orl $CR0_PG, %eax /* EFER.LME is still set: this is long mode again */
    movl %eax, %cr0
    pushl $CODE_64
    pushl %ebp
    lretl

    .code64
levels_up:
    movq levels_argument(%rip), %rdi
    jmp *levels_target(%rip)

    .balign 8
levels_gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* CODE_64 */
    .quad 0x00cf9b000000ffff /* CODE_32 */
    .quad 0x00cf93000000ffff /* DATA */
levels_gdt_pointer:
    .word . - levels_gdt - 1
    .quad 0
levels_target:
    .quad 0
levels_argument:
    .quad 0
    .globl levels_end
levels_end:
