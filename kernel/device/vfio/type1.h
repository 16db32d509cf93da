/* SPDX-License-Identifier: BSD-2-Clause */
/* The type1 calls of a container (docs/vfio-type1.md), on one IO address space. */
#ifndef KERNEL_DEVICE_VFIO_TYPE1_H
#define KERNEL_DEVICE_VFIO_TYPE1_H

#include "kernel/device/ioctl.h"
#include "kernel/ioas/group.h"
#include "kernel/ioas/ioas.h"

/* Mappings of one container (Linux's default of dma_entry_limit). */
#define TYPE1_MAPPINGS_MAX 65535u

struct type1 {
    const struct ioas_user *user;
    struct ioas *ioas;
    struct ioas_tables tables;
    bool v2;
    bool tracking; /* dirty pages were asked to be tracked */
};

/* The lock is the container's, held around every call; its address space is locked by it. -ENOMEM.
 */
int type1_create(const struct ioas_user *user, struct mutex *lock, bool v2, struct type1 **out);
/* No group may be attached to its tables. */
void type1_destroy(struct type1 *type1);
/* Answers VFIO_CHECK_EXTENSION; NULL before SET_IOMMU. */
int type1_check_extension(const struct type1 *type1, uint64_t extension);
/* MAP_DMA, UNMAP_DMA, GET_INFO, DIRTY_PAGES, whose context is the struct type1; NULL for others. */
const struct ioctl_row *type1_find(uint32_t command);

/* type1_info.c */
int64_t type1_get_info(struct ioctl_call *call);

/* type1_dirty.c */
struct vfio_bitmap;
int64_t type1_dirty_pages(struct ioctl_call *call);
/* Reads the bitmap that follows an UNMAP_DMA structure and checks it for [.., size) bytes. */
int type1_dirty_read(const struct type1 *type1, uaddr_t argument, uint64_t size,
                     struct vfio_bitmap *bitmap);
/*
 * Marks every mapped page of [iova, last] dirty, with iova at bit 0: the hardware does not say
 * which pages devices wrote. -EINVAL: the range cuts a mapping; -EFAULT; -EINTR.
 */
int type1_dirty_mark(const struct type1 *type1, const struct vfio_bitmap *bitmap, uint64_t iova,
                     uint64_t last);

#endif
