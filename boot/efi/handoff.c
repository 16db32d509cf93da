/* SPDX-License-Identifier: BSD-2-Clause */
/* The last steps, after the firmware is gone. */
#include "boot/efi/internal.h"

#include "kernel/lib/string.h"

#define CR4_LA57 (UINT64_C(1) << 12)

extern const char levels_start[], levels_end[]; /* levels.S */

static uint64_t read_cr4(void)
{
    uint64_t cr4;

    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    return cr4;
}

EFI_STATUS handoff_prepare(void **levels)
{
    *levels = NULL;
    if (!(read_cr4() & CR4_LA57))
        return EFI_SUCCESS;
    *levels = code_page_allocate_low();
    if (!*levels)
        return refuse("there is no memory below 4 GiB");
    memcpy(*levels, levels_start, (size_t)(levels_end - levels_start));
    return EFI_SUCCESS;
}

_Noreturn void handoff(void *levels, const uint64_t *page_tables, uint64_t entry,
                       const struct boot_info *info)
{
    if (levels)
        __asm__ volatile("cli\n"
                         "jmp *%0\n"
                         :
                         : "r"(levels), "S"(entry), "D"(info), "d"(page_tables),
                           "b"(read_cr4() & ~CR4_LA57)
                         : "memory");
    __asm__ volatile("cli\n"
                     "mov %0, %%cr3\n"
                     "jmp *%1\n"
                     :
                     : "r"(page_tables), "r"(entry), "D"(info)
                     : "memory");
    __builtin_unreachable();
}
