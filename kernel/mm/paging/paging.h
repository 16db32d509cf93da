/* SPDX-License-Identifier: BSD-2-Clause */
/* CPU page tables (Intel SDM volume 3, chapter 4): the kernel's own and the payload's. */
#ifndef KERNEL_MM_PAGING_PAGING_H
#define KERNEL_MM_PAGING_PAGING_H

#include "kernel/lib/types.h"

enum page_flags {
    PAGE_READ = 1,
    PAGE_WRITE = 2,
    PAGE_EXEC = 4,
    PAGE_USER = 8,
    PAGE_UNCACHED = 16,
    PAGE_OWNED = 32, /* a mark for the address space: the frames belong to this mapping */
    PAGE_FRESH = 64, /* a mark for the address space: mapped by the operation under way */
};

struct memmap;

/*
 * Builds the kernel's page tables and activates them. Takes what it needs for tables out of a
 * usable run of the map. Returns NULL or a sentence.
 */
const char *paging_init(struct memmap *map);
/* From now on tables of kernel space come from the frame allocator. */
void paging_use_frames(void);

/* First address that is no longer the payload's (Linux's TASK_SIZE on x86-64). */
#define USER_END UINT64_C(0x7ffffffff000)

/*
 * Maps device memory uncached into kernel space. `base` need not be aligned. NULL when out of
 * memory or address space, or beyond the CPU's physical addresses. Never maps RAM that the frame
 * allocator owns.
 */
void *mmio_map(paddr_t base, uint64_t length);
void mmio_unmap(void *mapped, uint64_t length);

/*
 * Kernel stacks with an unmapped guard page below: returns the highest address (exclusive) or NULL.
 */
void *stack_alloc(size_t bytes);
void stack_free(void *top, size_t bytes);

/* The page tables of one payload; the kernel half is shared. All addresses are page aligned. */
struct cpu_space;
struct cpu_space *cpu_space_create(void);
/* The space must not be active. Frees tables only, never what they map. */
void cpu_space_destroy(struct cpu_space *space);
/* NULL: the kernel's own, without a payload. */
void cpu_space_activate(struct cpu_space *space);

/*
 * Maps a physical run with the largest pages that alignment, length and the CPU allow. Replaces
 * nothing: the range must be unmapped. -ENOMEM leaves the range unmapped.
 */
int cpu_space_map(struct cpu_space *space, uaddr_t at, paddr_t base, uint64_t length,
                  unsigned flags);
/*
 * The range may not begin or end inside a large page: `cpu_space_prepare_cut` splits one
 * beforehand (-ENOMEM) at one address, after which these two cannot fail. Protecting sets access
 * and PAGE_FRESH; access 0 keeps the memory mapped without access.
 */
int cpu_space_prepare_cut(struct cpu_space *space, uaddr_t at);
void cpu_space_unmap(struct cpu_space *space, uaddr_t at, uint64_t length);
void cpu_space_protect(struct cpu_space *space, uaddr_t at, uint64_t length, unsigned flags);

/*
 * Makes sure that mapping single pages in the 2 MiB around `at`, where no large page may be, cannot
 * fail until the unhold. -ENOMEM.
 */
int cpu_space_hold(struct cpu_space *space, uaddr_t at);
void cpu_space_unhold(struct cpu_space *space, uaddr_t at);
/* Moves everything that `from` maps into `space`, where nothing may be mapped. Cannot fail. */
void cpu_space_graft(struct cpu_space *space, struct cpu_space *from);

/* One stretch of mapped memory, consecutive in virtual and physical addresses. */
struct cpu_mapping {
    uaddr_t at;
    uint64_t length;
    paddr_t base;
    unsigned flags; /* enum page_flags; no access bits: mapped without access */
};
/*
 * The first stretch in [at, end), as long as possible within 512 pages of whatever size. False:
 * nothing is mapped there.
 */
bool cpu_space_find(const struct cpu_space *space, uaddr_t at, uaddr_t end,
                    struct cpu_mapping *out);
/* The size of the page, or of the hole that one entry of the tables stands for, around `at`. */
uint64_t cpu_space_page_size(const struct cpu_space *space, uaddr_t at);
/*
 * Splits the accessible memory from `at` on into physical runs, at most `capacity` and not beyond
 * `end`; stops at the first page without access (write access if `write`) and where cached meets
 * uncached (`device`) memory. Returns the number of runs.
 */
size_t cpu_space_runs(const struct cpu_space *space, uaddr_t at, uaddr_t end, bool write,
                      struct phys_run *out, size_t capacity, bool *device);
/* The run of [at, end) if one page, accessible like that and cached, covers all of it. */
bool cpu_space_run_of_leaf(const struct cpu_space *space, uaddr_t at, uaddr_t end, bool write,
                           struct phys_run *out);

#endif
