/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an entry of a CPU page table is (Intel SDM volume 3, section 4.5, 4-level paging). Leaves
 * without access (PROT_NONE) keep their address and flags with the present bit clear and a
 * software bit set.
 */
#ifndef KERNEL_MM_PAGING_CPU_TABLE_FORMAT_H
#define KERNEL_MM_PAGING_CPU_TABLE_FORMAT_H

#include "kernel/mm/paging/paging.h"

#define PTE_PRESENT       BIT(0)
#define PTE_WRITE         BIT(1)
#define PTE_USER          BIT(2)
#define PTE_WRITE_THROUGH BIT(3)
#define PTE_CACHE_OFF     BIT(4)
#define PTE_ACCESSED      BIT(5)
#define PTE_DIRTY         BIT(6)
#define PTE_LARGE         BIT(7) /* a leaf above the lowest level */
#define PTE_GLOBAL        BIT(8)
#define PTE_OWNED         BIT(9)  /* software: the frames belong to this mapping */
#define PTE_NONE          BIT(10) /* software: a leaf without access */
#define PTE_FRESH         BIT(11) /* software: mapped by the operation under way */
#define PTE_NO_EXECUTE    BIT(63)
#define PTE_ADDRESS       UINT64_C(0x000ffffffffff000)

#define PTE_UNCACHED (PTE_CACHE_OFF | PTE_WRITE_THROUGH) /* entry 3 of the PAT: UC */
#define PTE_TABLE    (PTE_PRESENT | PTE_WRITE | PTE_USER)

#define TABLE_ENTRIES 512u
#define LEVEL_BITS    9u
#define LEVEL_TOP     3u /* 0: 4 KiB leaves, 1: 2 MiB, 2: 1 GiB, 3: tables only */

static inline unsigned level_shift(unsigned level)
{
    return PAGE_SHIFT + LEVEL_BITS * level;
}

/* Bytes one entry of this level covers. */
static inline uint64_t level_size(unsigned level)
{
    return BIT(level_shift(level));
}

static inline unsigned level_index(uint64_t at, unsigned level)
{
    return (at >> level_shift(level)) & (TABLE_ENTRIES - 1);
}

static inline bool pte_is_table(uint64_t entry, unsigned level)
{
    return level > 0 && (entry & (PTE_PRESENT | PTE_LARGE)) == PTE_PRESENT;
}

/* Accessed and dirty are set beforehand: the CPU need not, and nobody reads them. */
static inline uint64_t pte_flags(unsigned flags)
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

static inline unsigned pte_to_flags(uint64_t entry)
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

static inline uint64_t pte_leaf(paddr_t base, unsigned level, uint64_t bits)
{
    return base | bits | (level > 0 ? PTE_LARGE : 0);
}

#endif
