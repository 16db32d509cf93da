/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/device/dma_info.h"

/* Stores the valid ranges at `out` (NULL: nowhere). Returns how many there are. */
static uint32_t list_ranges(const struct ioas *ioas, struct vfio_iova_range *out)
{
    struct ioas_range range;
    uint32_t count = 0;

    ioas_for_each_usable(range, ioas)
    {
        if (out)
            out[count] = (struct vfio_iova_range){range.first, range.last};
        count++;
    }
    return count;
}

size_t dma_info_size(const struct ioas *ioas)
{
    return sizeof(struct dma_info) + list_ranges(ioas, NULL) * sizeof(struct vfio_iova_range);
}

void dma_info_fill(struct dma_info *out, size_t at, const struct ioas *ioas, uint32_t avail)
{
    const uint32_t next = (uint32_t)(at + offsetof(struct dma_info, ranges));

    out->avail.header = (struct vfio_info_cap_header){VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, 1, next};
    out->avail.avail = avail;
    out->ranges.header = (struct vfio_info_cap_header){VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, 1, 0};
    out->ranges.nr_iovas = list_ranges(ioas, out->ranges.iova_ranges);
}
