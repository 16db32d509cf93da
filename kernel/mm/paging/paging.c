/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's page tables. They are built with the page-table walk that everything else uses, in
 * two steps, because the door maps little more than the image: first, out of a small pool inside
 * the image, the image itself and one piece of RAM; then, with tables from that piece, all RAM.
 */
#include "kernel/cpu/cpu.h"
#include "kernel/lib/image.h"
#include "kernel/lib/string.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/paging/format.h"
#include "kernel/mm/memmap.h"
#include "kernel/mm/paging/internal.h"

/* Root; image: 1 + 1 + 2; its data in the direct map: 1 + 1 + 2; the piece of RAM: 1 + 2 + 4. */
#define POOL_PAGES 16u

struct splittable kernel_table;

static char pool[POOL_PAGES][PAGE_SIZE] __attribute__((aligned(4096)));
static size_t pool_used;
static struct phys_run early; /* rest of the RAM set aside for tables */

static paddr_t pool_alloc(void)
{
    return pool_used < POOL_PAGES ? image_to_phys(pool[pool_used++]) : PADDR_NONE;
}

static paddr_t early_alloc(void)
{
    paddr_t frame = early.base;

    if (early.length == 0)
        return pool_alloc();
    early.base += PAGE_SIZE;
    early.length -= PAGE_SIZE;
    memset(phys_to_virt(frame), 0, PAGE_SIZE);
    return frame;
}

void paging_use_frames(void)
{
    cpu_table_pool.early = NULL;
}

/* The most tables that mapping all RAM can take: both edges of each run, and what lies between. */
static uint64_t tables_bound(const struct memmap *map)
{
    uint64_t tables = 0;

    for (size_t i = 0; i < map->ram_count; i++) {
        uint64_t gigas = map->ram[i].length / SIZE_1G;

        tables += 2 + 2 + 2 + gigas / PT_ENTRIES + (cpu_features.gib_pages ? 0 : gigas);
    }
    /* Two runs more: what is left out splits runs. The windows: one table each. */
    return tables + 2 * 6 + 2;
}

/* Takes `length` bytes off the start of the smallest usable run that has them: that run. */
static struct phys_run *set_aside(struct memmap *map, uint64_t length, struct phys_run *out)
{
    struct phys_run *best = NULL;

    for (size_t i = 0; i < map->usable_count; i++) {
        struct phys_run *run = &map->usable[i];

        if (run->length > length && (!best || run->length < best->length))
            best = run;
    }
    if (!best)
        return NULL;
    *out = (struct phys_run){best->base, length};
    best->base += length;
    best->length -= length;
    return best;
}

static int map_image(void)
{
    const struct {
        const char *from, *to;
        unsigned flags;
    } parts[] = {
        {image_start, image_text_end, PAGE_READ | PAGE_EXEC},
        {image_text_end, image_rodata_end, PAGE_READ},
        {image_rodata_end, image_end, PAGE_READ | PAGE_WRITE},
    };
    int error = 0;

    for (size_t i = 0; i < ARRAY_SIZE(parts) && !error; i++)
        error = cpu_table_map(&kernel_table, (uintptr_t)parts[i].from, image_to_phys(parts[i].from),
                              (uint64_t)(parts[i].to - parts[i].from), parts[i].flags);
    return error;
}

static int map_direct(paddr_t base, paddr_t end)
{
    if (base >= end)
        return 0;
    if (end > DIRECT_END - DIRECT_BASE)
        return -1;
    return cpu_table_map(&kernel_table, DIRECT_BASE + base, base, end - base,
                         PAGE_READ | PAGE_WRITE);
}

/* Maps a run but for what is mapped already or must not be: `skip`, sorted. */
static int map_direct_around(struct phys_run run, const struct phys_run *skip, size_t count)
{
    paddr_t end = run.base + run.length;
    int error = 0;

    for (size_t i = 0; i < count && !error; i++) {
        error = map_direct(run.base, MIN(end, skip[i].base));
        run.base = MAX(run.base, MIN(end, skip[i].base + skip[i].length));
    }
    return error ? error : map_direct(run.base, end);
}

static int map_ram(const struct memmap *map, struct phys_run tables)
{
    struct phys_run skip[2] = {{image_physical, image_size()}, tables};
    int error = 0;

    if (skip[1].base < skip[0].base) {
        skip[0] = tables;
        skip[1] = (struct phys_run){image_physical, image_size()};
    }
    for (size_t i = 0; i < map->ram_count && !error; i++)
        error = map_direct_around(map->ram[i], skip, ARRAY_SIZE(skip));
    return error;
}

/* Entries of the root are copied into every payload's: those of the windows must be there by then.
 */
static int add_window(uint64_t base)
{
    uint64_t *entries = table_alloc(&cpu_table_pool);

    if (!entries)
        return -1;
    kernel_table.pages.root[pt_index(base, CPU_LEVELS)] =
        virt_to_phys(entries) | (PTE_LINK & ~PTE_USER);
    return 0;
}

const char *paging_init(struct memmap *map)
{
    struct phys_run tables, *from;

    /* Until the switch below, tables are reached through the image, where the pool is. */
    image_offset = IMAGE_BASE - image_physical;
    direct_offset = image_offset;
    cpu_table_pool.early = pool_alloc;
    cpu_table_init(&kernel_table, cpu_features.gib_pages, true);
    from = set_aside(map, tables_bound(map) * PAGE_SIZE, &tables);
    if (!from)
        return "no run of memory is large enough for the page tables";
    if (map_image() || map_direct(image_to_phys(image_rodata_end), image_to_phys(image_end)) ||
        map_direct(tables.base, tables.base + tables.length))
        return "the kernel image is too large for its first page tables";
    paging_set_root(virt_to_phys(kernel_table.pages.root));
    direct_offset = DIRECT_BASE;

    early = tables;
    cpu_table_pool.early = early_alloc;
    if (map_ram(map, tables) || add_window(MMIO_BASE) || add_window(STACKS_BASE))
        return "the memory is too large or too scattered for the direct map";
    /* What is left joins the run it came from. */
    from->base -= early.length;
    from->length += early.length;
    early.length = 0;
    return NULL;
}
