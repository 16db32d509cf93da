// SPDX-License-Identifier: BSD-2-Clause
/*
 * The page tables the kernel starts on: 2 MiB pages, no permissions taken away. The kernel builds
 * its own at once, so these are short, not tight.
 */
#include "boot/efi/loader.h"

#define PRESENT_WRITABLE UINT64_C(0x3)
#define LARGE            UINT64_C(0x80)
#define ADDRESS          UINT64_C(0x000ffffffffff000)

static unsigned index_at(uint64_t address, int level)
{
    return (address >> (12 + 9 * (level - 1))) & 511;
}

/* The table below an entry, made when there is none yet. NULL: no memory. */
static uint64_t *table_below(uint64_t *entry)
{
    if (!*entry) {
        void *table = pages_allocate(1);

        if (!table)
            return NULL;
        *entry = (uint64_t)table | PRESENT_WRITABLE;
    }
    return (uint64_t *)(*entry & ADDRESS);
}

EFI_STATUS paging_init(struct paging *paging)
{
    paging->top = pages_allocate(1);
    paging->status = paging->top ? EFI_SUCCESS : EFI_OUT_OF_RESOURCES;
    return paging->status;
}

void paging_map(struct paging *paging, uint64_t at, uint64_t physical, uint64_t size)
{
    uint64_t pages = ((at & (MIB_2 - 1)) + size + MIB_2 - 1) / MIB_2;

    at &= ~(MIB_2 - 1);
    physical &= ~(MIB_2 - 1);
    for (uint64_t i = 0; i < pages && !EFI_ERROR(paging->status); i++) {
        uint64_t address = at + i * MIB_2;
        uint64_t *table = table_below(&paging->top[index_at(address, 4)]);

        if (table)
            table = table_below(&table[index_at(address, 3)]);
        if (table)
            table[index_at(address, 2)] = (physical + i * MIB_2) | PRESENT_WRITABLE | LARGE;
        else
            paging->status = EFI_OUT_OF_RESOURCES;
    }
}
