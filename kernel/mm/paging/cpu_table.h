/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPU page tables, without any flushing: paging.c and cpu_space.c add that. The tables of
 * kernel/table/ in the format of format.h. Addresses, lengths and physical bases are page aligned;
 * ranges do not wrap.
 */
#ifndef KERNEL_MM_PAGING_CPU_TABLE_H
#define KERNEL_MM_PAGING_CPU_TABLE_H

#include "kernel/mm/paging/paging.h"
#include "kernel/table/split.h"

/* Where all of them come from. */
extern struct table_pool cpu_table_pool;

/*
 * An empty table. `gib_pages`: the CPU has 1 GiB leaves. `permanent`: what tables are made stay for
 * good. -ENOMEM.
 */
int cpu_table_init(struct splittable *table, bool gib_pages, bool permanent);

/*
 * Maps with the largest leaves that fit. Nothing may be mapped in the range. -ENOMEM leaves the
 * range unmapped.
 */
int cpu_table_map(struct splittable *table, uint64_t at, paddr_t base, uint64_t length,
                  unsigned flags);
/* No leaf may cross either end: page_table_cut(). */
void cpu_table_unmap(struct splittable *table, uint64_t at, uint64_t length);
/* Replaces access and marks of what is mapped; PAGE_OWNED and PAGE_UNCACHED stay as they are. */
void cpu_table_protect(struct splittable *table, uint64_t at, uint64_t length, unsigned flags);
/*
 * The first mapped piece in [at, end): a stretch that is consecutive in virtual and physical memory
 * with the same flags, as long as possible within 512 leaves, which bounds the search. False if
 * nothing is mapped there.
 */
bool cpu_table_find(const struct splittable *table, uint64_t at, uint64_t end,
                    struct cpu_mapping *out);
/*
 * Splits [at, end) into physical runs, as many as `capacity` (not 0). Stops at the first page that
 * lacks one of the `need` entry bits or differs from the first in caching. Returns the number of
 * runs.
 */
size_t cpu_table_runs(const struct splittable *table, uint64_t at, uint64_t end, unsigned need,
                      struct phys_run *out, size_t capacity, bool *device);
/* The run of [at, end) if one cached leaf with the `need` entry bits covers all of it. */
bool cpu_table_run_of_leaf(const struct splittable *table, uint64_t at, uint64_t end, unsigned need,
                           struct phys_run *out);
/* As page_table_hold() and page_table_unhold(). No large leaf may be there. */
int cpu_table_hold(struct splittable *table, uint64_t at);
void cpu_table_unhold(struct splittable *table, uint64_t at);

#endif
