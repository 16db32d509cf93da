/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where every door arrives (include/bulkhead/boot_info.h): 64-bit mode, the image mapped at its
 * link address, RDI = physical address of struct boot_info. Leaves the door's stack.
 */
    .text
    .globl kernel_entry
kernel_entry:
    cli
    cld
    leaq boot_stack_top(%rip), %rsp
    xorl %ebp, %ebp
    call kernel_main
    ud2

/* linker/kernel.ld puts read-only memory below it: an overflow is a fault, not a surprise. */
    .section .boot_stack, "aw"
    .align 4096
    .skip 16 * 1024
    .globl boot_stack_top
boot_stack_top:
