/* SPDX-License-Identifier: BSD-2-Clause */
/* The only instructions of kernel/mm that change how the CPU translates. */
#include "kernel/cpu/cpu.h"
#include "kernel/mm/paging/internal.h"

/* Above this many pages one flush of everything is cheaper. */
#define PAGES_MAX 32

void paging_set_root(paddr_t root)
{
    cr3_write(root);
}

/* Clearing CR4.PGE also drops global translations; without PGE there are none. */
static void flush_all(void)
{
    uint64_t cr4 = cr4_read();

    if (cr4 & CR4_PGE) {
        cr4_write(cr4 & ~CR4_PGE);
        cr4_write(cr4);
    } else {
        cr3_write(cr3_read());
    }
}

void tlb_flush(uint64_t at, uint64_t length)
{
    if (length > PAGES_MAX * PAGE_SIZE) {
        flush_all();
        return;
    }
    /* Also drops the paging-structure caches, so emptied tables are out of use afterwards. */
    for (uint64_t offset = 0; offset < length; offset += PAGE_SIZE)
        __asm__ volatile("invlpg (%0)" : : "r"(at + offset) : "memory");
}
