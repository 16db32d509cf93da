/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The DMA regions of one AFU: memory of the payload that the accelerator may reach, in an ordered
 * tree of the AFU's own, keyed by IOVA. The tree says what the payload mapped; the IO address space
 * below pins, charges and maps.
 */
#ifndef DRIVERS_AFU_REGIONS_H
#define DRIVERS_AFU_REGIONS_H

#include "kernel/ioas/ioas.h"
#include "kernel/lib/itree.h"

struct afu_region {
    struct itree_node range; /* IOVAs */
};

struct afu_regions {
    struct itree tree;
    struct ioas *ioas;
    const struct ioas_user *user;
};

void afu_regions_init(struct afu_regions *regions, struct ioas *ioas, const struct ioas_user *user);

/*
 * Makes `length` bytes of the payload's memory from `user_address` reachable for reading and
 * writing, at an IOVA that is stored. Physically scattered memory is welcome: the IOMMU makes it
 * contiguous. -EINVAL: not page aligned, length 0, or not within the payload's half of the address
 * space; -ENOMEM: no memory, or the locked-memory limit; -EFAULT: not all of it is writable memory;
 * -EEXIST: a region has that IOVA already; -ENOSPC: no IOVA left. Nothing changes on failure.
 */
int afu_dma_map(struct afu_regions *regions, uint64_t user_address, uint64_t length,
                uint64_t *iova);
/*
 * Takes away the region that starts at `iova`. -EINVAL: none starts there; -EIO: the IOMMU did not
 * confirm, the region is gone but its memory stays pinned for ever.
 */
int afu_dma_unmap(struct afu_regions *regions, uint64_t iova);
/* Takes away every region: the AFU must be in reset or stopped. */
void afu_dma_remove_all(struct afu_regions *regions);

#endif
