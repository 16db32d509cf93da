/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IO address spaces: which memory is mapped where for devices, independent of page tables and of
 * file descriptors. A hypervisor core can use this interface to map guest memory (docs/ioas.md).
 *
 * An *area* is a mapped IOVA range; it points into a *pages* object, which names the memory behind
 * it. While at least one page table (iommu_domain) is attached, the pages of every area are pinned
 * and charged, once per pages object. Each operation happens whole or not at all.
 *
 * Calls may work for long, and then let other threads in. So that nobody sees or changes what is
 * half done, the owner of a space holds the space's lock around every call below (ioas_create()
 * gives it one). All of them that end with an error also know -EINTR: the thread's calls are to
 * end; nothing has changed then, but for ioas_unmap() and ioas_unmap_all(), which may have removed
 * some areas.
 *
 * IOVA ranges are inclusive at both ends, so that the last byte of the address space has a name.
 */
#ifndef KERNEL_IOAS_IOAS_H
#define KERNEL_IOAS_IOAS_H

#include "kernel/cpu/mutex.h"
#include "kernel/ioas/source.h"
#include "kernel/iommu/iommu.h"
#include "kernel/lib/types.h"

/*
 * Who pays for pinned memory, in bytes. One account may serve many address spaces; it must outlive
 * them. Pins whose invalidation failed stay charged.
 */
struct ioas_account {
    uint64_t used;
    uint64_t limit;
};

/*
 * May `bytes` more be pinned or locked? The limit may have been lowered below what is in use. A
 * refusal is told in the log with the numbers, at most once a minute.
 */
bool ioas_account_allows(const struct ioas_account *account, uint64_t bytes);

/* The program on whose behalf device files map memory. */
struct ioas_user {
    struct ioas_source memory;
    struct ioas_account *account;
};

struct ioas_range {
    uint64_t first;
    uint64_t last;
};

struct ioas;

enum ioas_flags {
    IOAS_READ = IOMMU_READ,
    IOAS_WRITE = IOMMU_WRITE,
    IOAS_FIXED = 4,    /* map at *iova; otherwise choose one and store it there */
    IOAS_RAM_ONLY = 8, /* device memory is refused (-EFAULT) */
};

/* ---- life ---- */

/* Spaces between which memory is copied (ioas_copy()) must share one lock. -ENOMEM. */
int ioas_create(struct ioas_account *account, struct mutex *lock, struct ioas **out);
/* Unmaps everything. No domain may be attached. */
void ioas_destroy(struct ioas *ioas);

/* ---- mapping ---- */

/*
 * Maps `length` bytes of the source from `offset`.
 * -EINVAL: length 0, no permission, misaligned, or (IOAS_FIXED) not wholly in a usable range;
 * -EOVERFLOW: offset or iova + length - 1 wraps; -EEXIST: an area is there;
 * -ENOSPC: no room for an IOVA of the ioas' own choice; -ENOMEM: no memory, or the account is
 * exhausted; -EFAULT: the source has no (writable) memory there. The last two kinds can only come
 * from the memory itself while a domain is attached: before that nothing is looked up.
 */
int ioas_map(struct ioas *ioas, const struct ioas_source *source, uint64_t offset, uint64_t length,
             unsigned flags, uint64_t *iova);
/*
 * Maps what `from` has in [from_iova, from_iova + length), which may be parts of several adjacent
 * areas, sharing the memory. Errors as ioas_map(); -ENOENT: a hole; -EPERM: IOAS_WRITE for what was
 * mapped without. `to` and `from` may be the same.
 */
int ioas_copy(struct ioas *to, struct ioas *from, uint64_t from_iova, uint64_t length,
              unsigned flags, uint64_t *iova);

/*
 * Removes the areas in [iova, last] and stores how many bytes they had.
 * -ENOENT: none there; -EINVAL: one is cut by an end of the range; nothing is changed then.
 * -EIO: a unit did not confirm the invalidation. The areas are gone all the same, but devices may
 * still reach the memory: it stays pinned and charged for ever.
 */
int ioas_unmap(struct ioas *ioas, uint64_t iova, uint64_t last, uint64_t *unmapped);
/* The same for everything; an empty ioas gives 0 bytes. */
int ioas_unmap_all(struct ioas *ioas, uint64_t *unmapped);
/* As ioas_unmap(), for undoing and teardown: cannot be ended. */
int ioas_unmap_deaf(struct ioas *ioas, uint64_t iova, uint64_t last);
/*
 * Splits areas so that none crosses either end of [iova, last]. -ENOMEM; -EINVAL: an area would
 * have to be split inside a large leaf (large leaves are allowed) or misaligned.
 */
int ioas_cut(struct ioas *ioas, uint64_t iova, uint64_t last);

/* The lowest area that shares a byte with [iova, last]. */
bool ioas_find(const struct ioas *ioas, uint64_t iova, uint64_t last, struct ioas_range *area);
size_t ioas_area_count(const struct ioas *ioas);
/* Does every area come from a source of this kind? */
bool ioas_all_from(const struct ioas *ioas, const struct ioas_source_ops *ops);

/* ---- ranges and options ---- */

/* Where areas may lie now: the lowest such range that has something at or above `from`. */
bool ioas_usable(const struct ioas *ioas, uint64_t from, struct ioas_range *range);
/* For all of them, lowest first. */
#define ioas_for_each_usable(range, ioas)                                                          \
    for (bool there_ = ioas_usable(ioas, 0, &(range)); there_;                                     \
         there_ = (range).last != UINT64_MAX && ioas_usable(ioas, (range).last + 1, &(range)))
/* What IOVAs, lengths and offsets must be multiples of: 1 before a domain or option asks more. */
uint64_t ioas_alignment(const struct ioas *ioas);
/*
 * A promise that these ranges stay usable; IOVAs of the ioas' own choice come from them. Replaces
 * the list; count 0 clears it. -EINVAL: first >= last or they overlap; -EADDRINUSE: not usable now;
 * -ENOMEM.
 */
int ioas_allow(struct ioas *ioas, const struct ioas_range *ranges, size_t count);
/*
 * Takes a range out of the usable ones on behalf of `owner`. -EADDRINUSE: an area or an allowed
 * range is there; -ENOMEM.
 */
int ioas_reserve(struct ioas *ioas, const void *owner, uint64_t first, uint64_t last);
/* Gives back everything the owner reserved. */
void ioas_unreserve(struct ioas *ioas, const void *owner);
/*
 * Only 4 KiB leaves from now on (or the largest ones again). -EINVAL: a domain has large leaves
 * already; -EADDRINUSE: an area is not page aligned.
 */
int ioas_set_small_leaves(struct ioas *ioas, bool small);
bool ioas_small_leaves(const struct ioas *ioas);

/* ---- page tables ---- */

/*
 * Attaches a page table: maps all areas into it (-ENOMEM, -EFAULT; -EADDRINUSE when the domain's
 * width or the interrupt window breaks an allowed range or hits an area, or an area is not page
 * aligned). Nothing changes on failure. Reserved memory is reserved beforehand: ioas_reserve().
 */
int ioas_attach(struct ioas *ioas, struct iommu_domain *domain);
/*
 * Unmaps all areas from it; with the last domain, pins and charge go too. The domain may still have
 * requesters attached, but what they do is refused from then on.
 */
void ioas_detach(struct ioas *ioas, struct iommu_domain *domain);
/* What all page tables can do; without any, nothing stands in the way of anything. */
struct iommu_geometry ioas_geometry(const struct ioas *ioas);

#endif
