/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A firmware with five levels of page tables, which OVMF is not: puts a fifth level above its four,
 * by the same road that the loader takes in the other direction (boot/efi/levels.S), comes back,
 * and starts the loader.
 */
#include "tests/qemu/efi/start.h"

#include <stdint.h>

#define CR4_LA57 0x1000
#define PAGE     4096

extern const char levels_start[], levels_end[];

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);
void switch_levels(void *code, uint64_t cr3, uint64_t cr4);

/*
 * Keeps what the road loses: stack, callee-saved registers (Microsoft's convention), segments and
 * their table. The arguments are in RCX, RDX and R8.
 */
__asm__(".globl switch_levels\n"
        "switch_levels:\n"
        "    pushfq\n"
        "    cli\n"
        "    push %rbx\n push %rbp\n push %rsi\n push %rdi\n"
        "    push %r12\n push %r13\n push %r14\n push %r15\n"
        "    sgdt saved_gdt(%rip)\n"
        "    mov %cs, saved_code(%rip)\n"
        "    mov %ds, saved_data(%rip)\n"
        "    mov %rsp, saved_stack(%rip)\n"
        "    mov %r8, %rbx\n"
        "    lea 1f(%rip), %rsi\n"
        "    jmp *%rcx\n"
        "1:  mov saved_stack(%rip), %rsp\n"
        "    lgdt saved_gdt(%rip)\n"
        "    mov saved_data(%rip), %eax\n"
        "    mov %eax, %ds\n mov %eax, %es\n mov %eax, %ss\n mov %eax, %fs\n mov %eax, %gs\n"
        "    pushq saved_code(%rip)\n"
        "    lea 2f(%rip), %rax\n"
        "    push %rax\n"
        "    lretq\n"
        "2:  pop %r15\n pop %r14\n pop %r13\n pop %r12\n"
        "    pop %rdi\n pop %rsi\n pop %rbp\n pop %rbx\n"
        "    popfq\n"
        "    ret\n"
        "    .data\n"
        "    .balign 8\n"
        "saved_stack: .quad 0\n"
        "saved_code:  .quad 0\n"
        "saved_data:  .quad 0\n"
        "saved_gdt:   .quad 0, 0\n"
        "    .text\n");

static uint64_t read_cr4(void)
{
    uint64_t cr4;

    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    return cr4;
}

static uint64_t read_cr3(void)
{
    uint64_t cr3;

    __asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
    return cr3;
}

/* The code in its first page, the new top table in the second. */
static EFI_STATUS go_up(void)
{
    EFI_PHYSICAL_ADDRESS at = 0xffffffff;
    EFI_STATUS status = services->AllocatePages(AllocateMaxAddress, EfiLoaderCode, 2, &at);
    uint64_t *top = (uint64_t *)(at + PAGE);

    if (EFI_ERROR(status))
        return status;
    services->SetMem(top, PAGE, 0);
    services->CopyMem((void *)at, (void *)levels_start, (UINTN)(levels_end - levels_start));
    top[0] = read_cr3() | 3;
    switch_levels((void *)at, (uint64_t)top, read_cr4() | CR4_LA57);
    return read_cr4() & CR4_LA57 ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
    EFI_HANDLE loader;

    start_init(image, table);
    if (EFI_ERROR(go_up()) || EFI_ERROR(load_loader(&loader))) {
        say(L"five-level: failed\r\n");
        return EFI_ABORTED;
    }
    say(L"five-level: on\r\n");
    return services->StartImage(loader, NULL, NULL);
}
