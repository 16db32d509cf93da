/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The format of CPU page tables (Intel SDM volume 3, section 4.5, 4-level paging): what an entry
 * holds beside what kernel/table/shape.h says. Leaves without access (PROT_NONE) keep their address
 * and flags with the present bit clear and a software bit set.
 */
#ifndef KERNEL_MM_PAGING_FORMAT_H
#define KERNEL_MM_PAGING_FORMAT_H

#include "kernel/mm/paging/paging.h"
#include "kernel/table/shape.h"

#define PTE_PRESENT       BIT(0)
#define PTE_WRITE         BIT(1)
#define PTE_USER          BIT(2)
#define PTE_WRITE_THROUGH BIT(3)
#define PTE_CACHE_OFF     BIT(4)
#define PTE_ACCESSED      BIT(5)
#define PTE_DIRTY         BIT(6)
#define PTE_GLOBAL        BIT(8)
#define PTE_OWNED         BIT(9)  /* software: the frames belong to this mapping */
#define PTE_NONE          BIT(10) /* software: a leaf without access */
#define PTE_FRESH         BIT(11) /* software: mapped by the operation under way */
#define PTE_NO_EXECUTE    BIT(63)

#define PTE_UNCACHED (PTE_CACHE_OFF | PTE_WRITE_THROUGH) /* entry 3 of the PAT: UC */
/* An entry that points to a table: what is allowed is up to the leaves. */
#define PTE_LINK (PTE_PRESENT | PTE_WRITE | PTE_USER)

#define CPU_LEVELS       4u
#define CPU_ADDRESS_BITS 48u /* those above are copies of the last one */

/*
 * The bits of a leaf. Accessed and dirty are set beforehand: the CPU need not, and nobody reads
 * them.
 */
static inline uint64_t pte_bits(unsigned flags)
{
    uint64_t bits = PTE_ACCESSED | PTE_DIRTY;

    bits |= flags & (PAGE_READ | PAGE_WRITE | PAGE_EXEC) ? PTE_PRESENT : PTE_NONE;
    bits |= flags & PAGE_WRITE ? PTE_WRITE : 0;
    bits |= flags & PAGE_EXEC ? 0 : PTE_NO_EXECUTE;
    bits |= flags & PAGE_USER ? PTE_USER : PTE_GLOBAL;
    bits |= flags & PAGE_UNCACHED ? PTE_UNCACHED : 0;
    bits |= flags & PAGE_OWNED ? PTE_OWNED : 0;
    return bits | (flags & PAGE_FRESH ? PTE_FRESH : 0);
}

static inline unsigned pte_flags(uint64_t entry)
{
    unsigned flags = 0;

    if (entry & PTE_PRESENT) {
        flags = PAGE_READ;
        flags |= entry & PTE_WRITE ? PAGE_WRITE : 0;
        flags |= entry & PTE_NO_EXECUTE ? 0 : PAGE_EXEC;
    }
    flags |= entry & PTE_USER ? PAGE_USER : 0;
    flags |= entry & PTE_CACHE_OFF ? PAGE_UNCACHED : 0;
    flags |= entry & PTE_OWNED ? PAGE_OWNED : 0;
    return flags | (entry & PTE_FRESH ? PAGE_FRESH : 0);
}

#endif
