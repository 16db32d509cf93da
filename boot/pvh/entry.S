/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PVH door's first steps (Xen "x86/HVM direct boot ABI"): 32-bit protected mode, paging off,
 * EBX = physical address of struct hvm_start_info. Runs at the load address, so every symbol is
 * taken down by KERNEL_OFFSET. Builds page tables that map the first 4 GiB at their own address and
 * the kernel at its link address, enters 64-bit mode and calls pvh_collect().
 */
#define KERNEL_OFFSET 0xffffffff80000000
#define LOW(symbol)   ((symbol) - KERNEL_OFFSET)

#define PRESENT_WRITABLE       0x3
#define PRESENT_WRITABLE_LARGE 0x83
#define CR0_PG_WP              0x80010000
#define CR4_PAE                0x20
#define MSR_EFER               0xc0000080
#define EFER_LME               0x100

#define XEN_ELFNOTE_PHYS32_ENTRY 18

    .section .note.pvh, "a", @note
    .align 4
    .long 4, 8, XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .quad LOW(pvh_entry)

    .text
    .code32
    .globl pvh_entry
pvh_entry:
    cli
    cld
    movl $LOW(pvh_stack_top), %esp
    rdtsc
    movl %eax, LOW(pvh_entry_tsc)
    movl %edx, LOW(pvh_entry_tsc) + 4
    movl %ebx, LOW(pvh_start_info)

    /* 2048 entries of 2 MiB: the first 4 GiB. */
    movl $LOW(pvh_directories), %edi
    movl $PRESENT_WRITABLE_LARGE, %eax
    movl $2048, %ecx
1:  movl %eax, (%edi)
    movl $0, 4(%edi)
    addl $0x200000, %eax
    addl $8, %edi
    loop 1b

    /* Low half: four directories. High half: the first of them at 510, for the kernel. */
    movl $LOW(pvh_directories) + PRESENT_WRITABLE, %eax
    movl %eax, LOW(pvh_high_pointers) + 510 * 8
    movl $LOW(pvh_low_pointers), %edi
    movl $4, %ecx
2:  movl %eax, (%edi)
    addl $0x1000, %eax
    addl $8, %edi
    loop 2b
    movl $LOW(pvh_low_pointers) + PRESENT_WRITABLE, LOW(pvh_top)
    movl $LOW(pvh_high_pointers) + PRESENT_WRITABLE, LOW(pvh_top) + 511 * 8

    movl $CR4_PAE, %eax
    movl %eax, %cr4
    movl $LOW(pvh_top), %eax
    movl %eax, %cr3
    movl $MSR_EFER, %ecx
    rdmsr
    orl $EFER_LME, %eax
    wrmsr
    movl %cr0, %eax
    orl $CR0_PG_WP, %eax
    movl %eax, %cr0
    lgdt LOW(pvh_gdt_pointer)
    ljmp $8, $LOW(pvh_long_mode)

    .code64
pvh_long_mode:
    movabsq $pvh_high, %rax
    jmp *%rax
pvh_high:
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    leaq pvh_stack_top(%rip), %rsp
    xorl %ebp, %ebp
    movl pvh_start_info(%rip), %edi
    movq pvh_entry_tsc(%rip), %rsi
    call pvh_collect
    movq %rax, %rdi
    jmp kernel_entry

    .section .rodata
    .align 8
pvh_gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* 64-bit code */
    .quad 0x00cf93000000ffff /* data */
pvh_gdt_pointer:
    .word . - pvh_gdt - 1
    .long LOW(pvh_gdt)

    .bss
    .align 4096
pvh_top:
    .skip 4096
pvh_low_pointers:
    .skip 4096
pvh_high_pointers:
    .skip 4096
pvh_directories:
    .skip 4 * 4096
    .skip 4096
pvh_stack_top:
pvh_entry_tsc:
    .skip 8
pvh_start_info:
    .skip 8
