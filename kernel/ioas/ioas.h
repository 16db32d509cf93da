/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IO address spaces: which memory is mapped where for devices, independent of page tables and of
 * file descriptors. A hypervisor core can use this interface to map guest memory.
 *
 * An *area* is a mapped IOVA range; it points into a *pages* object, which names the memory behind
 * it. While at least one page table (iommu_domain) is attached, the pages of every area are pinned
 * and charged, once per pages object. Each operation happens whole or not at all.
 */
#ifndef KERNEL_IOAS_IOAS_H
#define KERNEL_IOAS_IOAS_H

#include "kernel/iommu/iommu.h"
#include "kernel/lib/types.h"

/* Where the memory of a pages object comes from. */
struct ioas_source_ops {
    /*
     * The longest physical run at `offset` of the source, at most `max` bytes, page aligned, with
     * write access if `write`. -EFAULT: not accessible. Fills `device` for device memory.
     */
    int (*run)(void *context, uint64_t offset, uint64_t max, bool write, struct phys_run *out,
               bool *device);
    void (*get)(void *context);
    void (*put)(void *context);
};

struct ioas_source {
    const struct ioas_source_ops *ops;
    void *context;
};

/* Who pays for pinned memory. `limit` in bytes. */
struct ioas_account {
    uint64_t used;
    uint64_t limit;
};

struct ioas;

enum ioas_flags {
    IOAS_READ = IOMMU_READ,
    IOAS_WRITE = IOMMU_WRITE,
    IOAS_FIXED = 4, /* map at *iova; otherwise choose one and store it there */
};

int ioas_create(struct ioas_account *account, struct ioas **out);
/* Unmaps everything. No domain may be attached. */
void ioas_destroy(struct ioas *ioas);

/* Maps `length` bytes of the source from `offset`. Errors as IOMMU_IOAS_MAP of the interface. */
int ioas_map(struct ioas *ioas, const struct ioas_source *source, uint64_t offset, uint64_t length,
             unsigned flags, uint64_t *iova);
int ioas_copy(struct ioas *to, struct ioas *from, uint64_t from_iova, uint64_t length,
              unsigned flags, uint64_t *iova);
/* Areas wholly inside; -ENOENT when one is cut or none is there. Stores the bytes removed. */
int ioas_unmap(struct ioas *ioas, uint64_t iova, uint64_t length, uint64_t *unmapped);
int ioas_unmap_all(struct ioas *ioas, uint64_t *unmapped);

/*
 * Attaches a page table: maps all areas into it (-ENOMEM, -EFAULT, -EADDRINUSE when the domain's
 * geometry or `reserved` breaks an allowed range or hits an area). Nothing changes on failure.
 */
int ioas_attach(struct ioas *ioas, struct iommu_domain *domain, const struct phys_run *reserved,
                size_t reserved_count);
void ioas_detach(struct ioas *ioas, struct iommu_domain *domain);

#endif
