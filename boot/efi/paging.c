/* SPDX-License-Identifier: BSD-2-Clause */
/* Formats: Intel SDM volume 3, 4.5. */
#include "boot/efi/paging.h"

#include <stddef.h>

#define PRESENT_WRITABLE UINT64_C(0x3)
#define LARGE            UINT64_C(0x80)
#define ADDRESS          UINT64_C(0x000ffffffffff000)

static unsigned index_at(uint64_t address, int level)
{
    return (address >> (12 + 9 * (level - 1))) & 511;
}

/* The table below an entry, made when there is none yet. NULL: no memory. */
static uint64_t *table_below(struct paging *paging, uint64_t *entry)
{
    if (!*entry) {
        void *table = paging->allocate();

        if (!table)
            return NULL;
        *entry = (uint64_t)(uintptr_t)table | PRESENT_WRITABLE;
    }
    return (uint64_t *)(uintptr_t)(*entry & ADDRESS);
}

void paging_init(struct paging *paging, void *(*allocate)(void))
{
    paging->allocate = allocate;
    paging->top = allocate();
    paging->failed = !paging->top;
}

static void map_leaf(struct paging *paging, uint64_t at, uint64_t physical)
{
    uint64_t *table = table_below(paging, &paging->top[index_at(at, 4)]);

    if (table)
        table = table_below(paging, &table[index_at(at, 3)]);
    if (table)
        table[index_at(at, 2)] = physical | PRESENT_WRITABLE | LARGE;
    else
        paging->failed = true;
}

void paging_map(struct paging *paging, uint64_t at, uint64_t physical, uint64_t size)
{
    uint64_t offset = at & (PAGING_LEAF - 1);
    uint64_t leaves = (offset + size + PAGING_LEAF - 1) / PAGING_LEAF;

    for (uint64_t i = 0; i < leaves && !paging->failed; i++)
        map_leaf(paging, at - offset + i * PAGING_LEAF, physical - offset + i * PAGING_LEAF);
}
