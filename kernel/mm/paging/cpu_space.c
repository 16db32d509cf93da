/* SPDX-License-Identifier: BSD-2-Clause */
/* The payload's page tables: the page-table walk, and the flushes that each change needs. */
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/paging/cpu_table_format.h"
#include "kernel/mm/paging/internal.h"

struct cpu_space {
    struct cpu_table table;
};

static struct cpu_space *active;

static paddr_t frame_alloc(void)
{
    return frames_alloc(ORDER_4K, FRAMES_ZERO);
}

struct cpu_space *cpu_space_create(void)
{
    struct cpu_space *space = kzalloc(sizeof(*space));
    uint64_t *rows;

    if (!space)
        return NULL;
    space->table = (struct cpu_table){.root = frame_alloc(),
                                      .alloc = frame_alloc,
                                      .counted = true,
                                      .gib_pages = kernel_table.gib_pages};
    if (space->table.root == PADDR_NONE) {
        kfree(space);
        return NULL;
    }
    *frames_note(space->table.root) = 0;
    rows = phys_to_virt(space->table.root);
    memcpy(rows + FIRST_KERNEL_ROW, (uint64_t *)phys_to_virt(kernel_table.root) + FIRST_KERNEL_ROW,
           (TABLE_ENTRIES - FIRST_KERNEL_ROW) * sizeof(*rows));
    return space;
}

void cpu_space_destroy(struct cpu_space *space)
{
    ASSERT(space != active);
    cpu_table_clear(&space->table, 0, FIRST_KERNEL_ROW - 1);
    frames_release(space->table.root, PAGE_SIZE);
    kfree(space);
}

void cpu_space_activate(struct cpu_space *space)
{
    if (space == active)
        return;
    active = space;
    paging_set_root(space ? space->table.root : kernel_table.root);
}

static void flush(const struct cpu_space *space, uaddr_t at, uint64_t length)
{
    /* Another space's translations went when its root was replaced. */
    if (space == active && length != 0)
        tlb_flush(at, length);
}

int cpu_space_map(struct cpu_space *space, uaddr_t at, paddr_t base, uint64_t length,
                  unsigned flags)
{
    int error = cpu_table_map(&space->table, at, base, length, flags | PAGE_USER);

    /* The CPU keeps nothing of what was not present, but may have used what had to be undone. */
    if (error)
        flush(space, at, length);
    return error;
}

int cpu_space_prepare_cut(struct cpu_space *space, uaddr_t at)
{
    int error = cpu_table_cut(&space->table, at);

    /* The same translation, but two sizes of it must not be cached at a time. */
    flush(space, at, PAGE_SIZE);
    return error;
}

void cpu_space_unmap(struct cpu_space *space, uaddr_t at, uint64_t length)
{
    /* Tables that become empty are free before the flush: nothing is allocated in between. */
    cpu_table_unmap(&space->table, at, length);
    flush(space, at, length);
}

void cpu_space_protect(struct cpu_space *space, uaddr_t at, uint64_t length, unsigned flags)
{
    cpu_table_protect(&space->table, at, length, flags | PAGE_USER);
    flush(space, at, length);
}

int cpu_space_hold(struct cpu_space *space, uaddr_t at)
{
    return cpu_table_hold(&space->table, at);
}

void cpu_space_unhold(struct cpu_space *space, uaddr_t at)
{
    cpu_table_unhold(&space->table, at);
    flush(space, at, PAGE_SIZE);
}

void cpu_space_graft(struct cpu_space *space, struct cpu_space *from)
{
    ASSERT(from != active);
    cpu_table_graft(&space->table, &from->table, FIRST_KERNEL_ROW);
}

bool cpu_space_find(const struct cpu_space *space, uaddr_t at, uaddr_t end, struct cpu_mapping *out)
{
    return cpu_table_find(&space->table, at, end, out);
}

uint64_t cpu_space_page_size(const struct cpu_space *space, uaddr_t at)
{
    return cpu_table_page_size(&space->table, at);
}

size_t cpu_space_runs(const struct cpu_space *space, uaddr_t at, uaddr_t end, bool write,
                      struct phys_run *out, size_t capacity, bool *device)
{
    return cpu_table_runs(&space->table, at, end, PTE_PRESENT | PTE_USER | (write ? PTE_WRITE : 0),
                          out, capacity, device);
}
