/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/host_paging.h"
#include <stdlib.h>
#include <string.h>
#include "kernel/mm/direct.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/paging/internal.h"

#define TLB_SIZE 512

struct splittable kernel_table;

static struct {
    uint64_t at;
    struct host_page page;
    bool valid;
} tlb[TLB_SIZE];
static size_t tlb_next;
static paddr_t root;

void host_paging_init(void)
{
    cpu_table_pool = (struct table_pool){0};
    if (cpu_table_init(&kernel_table, true, true))
        abort();
    paging_set_root(virt_to_phys(kernel_table.pages.root));
}

void paging_set_root(paddr_t address)
{
    root = address;
    memset(tlb, 0, sizeof(tlb));
}

void tlb_flush(uint64_t at, uint64_t length)
{
    for (size_t i = 0; i < TLB_SIZE; i++) {
        /* A translation of a large page goes when any address in it is named. */
        uint64_t size = tlb[i].page.size;
        uint64_t start = size ? ALIGN_DOWN(tlb[i].at, size) : 0;

        if (tlb[i].valid && ranges_overlap(start, size, at, length))
            tlb[i].valid = false;
    }
}

static struct host_page walk(uint64_t at)
{
    struct host_page page = {.write = true, .user = true, .execute = true};
    paddr_t table = root;

    for (int shift = 39; shift >= 12; shift -= 9) {
        const uint64_t *entries = phys_to_virt(table);
        uint64_t entry = entries[(at >> shift) & 511];

        if (!(entry & 1))
            return (struct host_page){0};
        page.write &= (entry >> 1) & 1;
        page.user &= (entry >> 2) & 1;
        page.execute &= !(entry >> 63);
        table = entry & UINT64_C(0xffffffffff000);
        if (shift == 12 || entry & 0x80) {
            page.uncached = (entry >> 4) & 1;
            page.size = BIT(shift);
            page.base = table + (at & (page.size - 1) & ~(PAGE_SIZE - 1));
            return page;
        }
    }
    return (struct host_page){0};
}

struct host_page host_translate(uint64_t at)
{
    struct host_page page = walk(at);

    if (page.size) {
        tlb[tlb_next].at = at;
        tlb[tlb_next].page = page;
        tlb[tlb_next].valid = true;
        tlb_next = (tlb_next + 1) % TLB_SIZE;
    }
    return page;
}

static bool same(const struct host_page *a, const struct host_page *b)
{
    return b->size && a->base == b->base && a->write == b->write && a->user == b->user &&
           a->execute == b->execute && a->uncached == b->uncached;
}

bool host_tlb_coherent(void)
{
    for (size_t i = 0; i < TLB_SIZE; i++) {
        struct host_page now = walk(tlb[i].at);

        if (tlb[i].valid && !same(&tlb[i].page, &now))
            return false;
    }
    return true;
}
