/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of the chain of capabilities that VFIO_IOMMU_GET_INFO gives, whoever answers it (a type1
 * container, or an iommufd in its place): how many mappings there is room for, and the ranges where
 * they may lie.
 */
#ifndef KERNEL_DEVICE_DMA_INFO_H
#define KERNEL_DEVICE_DMA_INFO_H

#include <linux/vfio.h>
#include "kernel/ioas/ioas.h"

struct dma_info {
    struct vfio_iommu_type1_info_dma_avail avail;
    __u32 pad; /* every capability is 8-aligned */
    struct vfio_iommu_type1_info_cap_iova_range ranges;
};

/* Bytes that it takes for this space, with the ranges behind it. */
size_t dma_info_size(const struct ioas *ioas);
/* Fills it in, zeroed before; it lies `at` bytes behind the start of the info structure. */
void dma_info_fill(struct dma_info *out, size_t at, const struct ioas *ioas, uint32_t avail);

#endif
