/* SPDX-License-Identifier: BSD-2-Clause */
/* The payload's page tables: the page-table walk, and the flushes that each change needs. */
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/paging/format.h"
#include "kernel/mm/paging/internal.h"

struct cpu_space {
    struct splittable table;
};

static struct cpu_space *active;

struct cpu_space *cpu_space_create(void)
{
    struct cpu_space *space = kzalloc(sizeof(*space));

    if (!space)
        return NULL;
    if (cpu_table_init(&space->table, kernel_table.pages.largest == PT_LEAF_MAX, false)) {
        kfree(space);
        return NULL;
    }
    /* Not counted as entries of this table, so they stay when it goes. */
    memcpy(space->table.pages.root + FIRST_KERNEL_ENTRY,
           kernel_table.pages.root + FIRST_KERNEL_ENTRY,
           (PT_ENTRIES - FIRST_KERNEL_ENTRY) * sizeof(uint64_t));
    return space;
}

void cpu_space_destroy(struct cpu_space *space)
{
    ASSERT(space != active);
    page_table_destroy(&space->table.pages);
    kfree(space);
}

void cpu_space_activate(struct cpu_space *space)
{
    if (space == active)
        return;
    active = space;
    paging_set_root(virt_to_phys(space ? space->table.pages.root : kernel_table.pages.root));
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
    int error = page_table_cut(&space->table, at);

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
    page_table_graft(&space->table.pages, &from->table.pages, FIRST_KERNEL_ENTRY);
}

bool cpu_space_find(const struct cpu_space *space, uaddr_t at, uaddr_t end, struct cpu_mapping *out)
{
    return cpu_table_find(&space->table, at, end, out);
}

uint64_t cpu_space_page_size(const struct cpu_space *space, uaddr_t at)
{
    return pt_span(page_table_seek(&space->table.pages, at).level);
}

static unsigned need(bool write)
{
    return PTE_PRESENT | PTE_USER | (write ? PTE_WRITE : 0);
}

size_t cpu_space_runs(const struct cpu_space *space, uaddr_t at, uaddr_t end, bool write,
                      struct phys_run *out, size_t capacity, bool *device)
{
    return cpu_table_runs(&space->table, at, end, need(write), out, capacity, device);
}

bool cpu_space_run_of_leaf(const struct cpu_space *space, uaddr_t at, uaddr_t end, bool write,
                           struct phys_run *out)
{
    return cpu_table_run_of_leaf(&space->table, at, end, need(write), out);
}
