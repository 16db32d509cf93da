/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages objects: a piece of a source, shared by the areas that map it. While it has users (areas
 * with a page table), its memory is pinned and charged as a whole, once, and the runs it consists
 * of are kept: they are what is mapped and, later, what is unpinned.
 */
#ifndef KERNEL_IOAS_PAGES_H
#define KERNEL_IOAS_PAGES_H

#include "kernel/ioas/ioas.h"
#include "kernel/lib/itree.h"
#include "kernel/lib/list.h"
#include "kernel/mm/memobj.h"

/* Consecutive runs of one kind. The first run of a pages object is kept in the object itself. */
struct run_chunk {
    struct run_chunk *next;
    uint64_t bytes;
    uint32_t count;
    uint32_t room;
    bool device;
    struct phys_run runs[];
};

/* Device memory behind a pages object: when it is revoked, every translation goes. */
struct device_watch {
    struct memobj_watcher watcher;
    struct memobj *object;
    struct ioas_pages *pages;
    struct device_watch *next;
};

/* A mapped IOVA range: which part of which pages is there. */
struct ioas_area {
    struct itree_node node; /* the range, in the tree of its ioas */
    struct ioas *ioas;
    struct ioas_pages *pages;
    struct list link; /* in pages->areas */
    uint64_t offset;  /* byte of the pages that is mapped first */
    unsigned permissions;
};

struct ioas_pages {
    struct ioas_source source;
    uint64_t offset; /* in the source; whole pages */
    uint64_t length;
    struct ioas_account *account;
    struct mutex *lock;  /* of every address space that has areas of it */
    unsigned references; /* areas */
    unsigned users;      /* areas with a page table */
    unsigned flags;      /* that it was asked for with: IOAS_WRITE, IOAS_RAM_ONLY */
    bool revoked;        /* device memory of it has gone: translates to nothing any more */
    bool stuck;          /* an invalidation failed: pins and charge stay for ever */
    bool first_device;   /* `first` is device memory */
    struct phys_run first;
    struct run_chunk *chunks;
    struct run_chunk *last_chunk;
    struct device_watch *watches;
    uint64_t charged;
    struct list areas;
    struct ioas_area own; /* the area it was made for: few pages objects ever have another */
};

/* With the last reference gone. */
void pages_destroy(struct ioas_pages *pages);

/* Adds the first user: pins and charges everything. Errors as ioas_map(). */
int pages_pin_all(struct ioas_pages *pages);
/* With the last user gone. */
void pages_unpin_all(struct ioas_pages *pages);

static inline void pages_put(struct ioas_pages *pages)
{
    if (--pages->references == 0)
        pages_destroy(pages);
}

/* Adds a user; the first one pins and charges. Errors as ioas_map(). */
static inline int pages_pin(struct ioas_pages *pages)
{
    if (pages->users == 0)
        return pages_pin_all(pages);
    pages->users++;
    return 0;
}

/* Takes a user away. No page table may translate to the memory for it any more. */
static inline void pages_unpin(struct ioas_pages *pages)
{
    if (--pages->users == 0)
        pages_unpin_all(pages);
}

/*
 * Maps `length` bytes from byte `offset` of the pages (page aligned) at `iova`. On failure a part
 * may be mapped.
 */
int pages_map(const struct ioas_pages *pages, struct iommu_domain *domain, uint64_t iova,
              uint64_t offset, uint64_t length, unsigned permissions, unsigned flags);

/* The longest run, and at which byte of the pages it starts. Pinned pages only. */
struct phys_run pages_longest_run(const struct ioas_pages *pages, uint64_t *at);

#endif
