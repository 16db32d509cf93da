/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk over 4-level CPU page tables, without any flushing: paging.c and cpu_space.c add that.
 * Addresses, lengths and physical bases are page aligned; ranges do not wrap.
 */
#ifndef KERNEL_MM_PAGING_CPU_TABLE_H
#define KERNEL_MM_PAGING_CPU_TABLE_H

#include "kernel/mm/paging/paging.h"

struct cpu_table {
    paddr_t root;
    paddr_t (*alloc)(void); /* one cleared frame, or PADDR_NONE */
    bool counted;           /* tables are counted and freed when empty; else they stay for good */
    bool gib_pages;         /* the CPU has 1 GiB leaves */
};

/*
 * Maps with the largest leaves that fit. Nothing may be mapped in the range. -ENOMEM leaves the
 * range unmapped.
 */
int cpu_table_map(struct cpu_table *table, uint64_t at, paddr_t base, uint64_t length,
                  unsigned flags);
/* Splits the leaf that `at` lies inside of, so that none crosses `at`. -ENOMEM: still the same. */
int cpu_table_cut(struct cpu_table *table, uint64_t at);
/* No leaf may cross either end. */
void cpu_table_unmap(struct cpu_table *table, uint64_t at, uint64_t length);
/* Replaces access and marks of what is mapped; PAGE_OWNED and PAGE_UNCACHED stay as they are. */
void cpu_table_protect(struct cpu_table *table, uint64_t at, uint64_t length, unsigned flags);
/*
 * The first mapped piece in [at, end): a stretch that is consecutive in virtual and physical memory
 * with the same flags, as long as possible within 512 leaves, which bounds the search. False if
 * nothing is mapped there.
 */
bool cpu_table_find(const struct cpu_table *table, uint64_t at, uint64_t end,
                    struct cpu_mapping *out);
/* The size of what the lowest entry for `at` stands for. */
uint64_t cpu_table_page_size(const struct cpu_table *table, uint64_t at);
/*
 * Splits [at, end) into physical runs, as many as `capacity` (not 0). Stops at the first page that
 * lacks one of the `need` entry bits or differs from the first in caching. Returns the number of
 * runs.
 */
size_t cpu_table_runs(const struct cpu_table *table, uint64_t at, uint64_t end, unsigned need,
                      struct phys_run *out, size_t capacity, bool *device);
/*
 * Makes the lowest table for `at` and keeps it until the unhold, so that mapping single pages in
 * its 2 MiB cannot fail. No large leaf may be there. -ENOMEM.
 */
int cpu_table_hold(struct cpu_table *table, uint64_t at);
void cpu_table_unhold(struct cpu_table *table, uint64_t at);
/* Moves everything below the first `rows` entries of the other root over; nothing may collide. */
void cpu_table_graft(struct cpu_table *table, struct cpu_table *from, unsigned rows);
/* Frees the tables below the entries [first, last] of the root, never what they map. */
void cpu_table_clear(struct cpu_table *table, unsigned first, unsigned last);

#endif
