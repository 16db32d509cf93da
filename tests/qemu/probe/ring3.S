/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs one instruction in ring 3 and ends QEMU with what came of it: 1 it ran (the UD2 behind it
 * was reached), 2 a general-protection fault. A Multiboot image at 1 MiB, all in one section, so
 * that the halves of an address in a descriptor are known: BASE and the distance from the start.
 */
    .set BASE_HIGH, 0x10
    .text
start:
    .balign 4
    .long 0x1badb002, 0, -0x1badb002

    .globl _start
_start:
    lgdt gdt_register
    lidt idt_register
    ljmpl $0x08, $reloaded
reloaded:
    movl $0x10, %eax
    movl %eax, %ss
    movl $0x28, %eax
    ltr %ax
    pushl $0x23 /* SS, ESP, EFLAGS, CS, EIP of ring 3 */
    pushl $stack
    pushl $0x2
    pushl $0x1b
    pushl $ring3
    iretl

ring3:
    INSTRUCTION
    ud2

ran:
    movb $1, %al
    jmp tell
refused:
    movb $2, %al
tell:
    outb %al, $0xf4
    hlt

    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9a000000ffff /* 0x08: code, ring 0 */
    .quad 0x00cf92000000ffff /* 0x10: data, ring 0 */
    .quad 0x00cffa000000ffff /* 0x18: code, ring 3 */
    .quad 0x00cff2000000ffff /* 0x20: data, ring 3 */
    .word 103, tss - start   /* 0x28: task state */
    .byte BASE_HIGH, 0x89, 0, 0
gdt_register:
    .word . - gdt - 1
    .long gdt

    .balign 8
idt:
    .fill 6, 8, 0
    .word ran - start, 0x08, 0x8e00, BASE_HIGH /* 6: invalid opcode */
    .fill 6, 8, 0
    .word refused - start, 0x08, 0x8e00, BASE_HIGH /* 13: general protection */
idt_register:
    .word . - idt - 1
    .long idt

    .balign 8
tss:
    .long 0, stack, 0x10
    .fill 92, 1, 0

    .fill 512, 1, 0
stack:
