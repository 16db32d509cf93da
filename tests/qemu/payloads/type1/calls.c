/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls, each as a function. */
#define _GNU_SOURCE
#include <sys/syscall.h>

#include "type1.h"

#define IPC_LOCK 14 /* capability */

const char *device_name;
char group_path[VFIO_PATH_SIZE];
int container = -1, group = -1, device = -1, other = -1;
unsigned char *memory;

void close_all(void)
{
    int *all[] = {&device, &group, &container, &other};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (*all[i] >= 0)
            close(*all[i]);
        *all[i] = -1;
    }
}

bool open_group(void)
{
    container = open("/dev/vfio/vfio", O_RDWR);
    group = open(group_path, O_RDWR);
    if (container < 0 || group < 0) {
        CONFORM_FAIL("cannot open /dev/vfio/vfio or %s: %s", group_path, strerror(errno));
        return false;
    }
    return true;
}

bool join(void)
{
    if (!open_group())
        return false;
    if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container)) {
        CONFORM_FAIL("VFIO_GROUP_SET_CONTAINER: %s", strerror(errno));
        return false;
    }
    return true;
}

bool start(int type)
{
    if (!join())
        return false;
    if (ioctl(container, VFIO_SET_IOMMU, type)) {
        CONFORM_FAIL("VFIO_SET_IOMMU: %s", strerror(errno));
        return false;
    }
    return true;
}

bool is_unlimited(void)
{
    uint32_t header[] = {0x20080522, 0}, sets[6] = {0}; /* version 3, this process */

    if (syscall(SYS_capget, header, sets) || !(sets[0] >> IPC_LOCK & 1))
        return false;
    NOTE_LINUX("locked memory has no limit for root");
    return true;
}

int map_flags(uint64_t iova, const void *address, uint64_t size, uint32_t flags)
{
    struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m),
                                         .flags = flags,
                                         .vaddr = (uintptr_t)address,
                                         .iova = iova,
                                         .size = size};

    return ioctl(container, VFIO_IOMMU_MAP_DMA, &m);
}

int map(uint64_t iova, const void *address, uint64_t size)
{
    return map_flags(iova, address, size, VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE);
}

long long unmap_flags(uint64_t iova, uint64_t size, uint32_t flags)
{
    struct vfio_iommu_type1_dma_unmap u = {
        .argsz = sizeof(u), .flags = flags, .iova = iova, .size = size};

    return ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u) ? -1 : (long long)u.size;
}

long long unmap(uint64_t iova, uint64_t size)
{
    return unmap_flags(iova, size, 0);
}

struct vfio_iommu_type1_info *get_info(void)
{
    struct vfio_iommu_type1_info small = {.argsz = sizeof(small)};

    if (ioctl(container, VFIO_IOMMU_GET_INFO, &small))
        return NULL;
    struct vfio_iommu_type1_info *info = calloc(1, small.argsz);
    if (!info)
        return NULL;
    info->argsz = small.argsz;
    if (ioctl(container, VFIO_IOMMU_GET_INFO, info)) {
        free(info);
        return NULL;
    }
    return info;
}

const struct vfio_info_cap_header *capability(const struct vfio_iommu_type1_info *info, uint16_t id)
{
    uint32_t at = info->flags & VFIO_IOMMU_INFO_CAPS ? info->cap_offset : 0;

    while (at) {
        if (at + sizeof(struct vfio_info_cap_header) > info->argsz)
            return NULL;
        const struct vfio_info_cap_header *h = (const void *)((const char *)info + at);
        if (h->id == id)
            return h;
        at = h->next;
    }
    return NULL;
}

uint32_t mappings_left(void)
{
    struct vfio_iommu_type1_info *info = get_info();
    uint32_t left = 0;

    if (!info)
        return 0;
    const struct vfio_info_cap_header *h = capability(info, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL);
    if (h)
        left = ((const struct vfio_iommu_type1_info_dma_avail *)(const void *)h)->avail;
    free(info);
    return left;
}

uint64_t last_iova(void)
{
    struct vfio_iommu_type1_info *info = get_info();
    uint64_t last = 0;

    if (!info)
        return 0;
    const struct vfio_info_cap_header *h = capability(info, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
    if (h) {
        const struct vfio_iommu_type1_info_cap_iova_range *r = (const void *)h;
        if (r->nr_iovas)
            last = r->iova_ranges[r->nr_iovas - 1].end;
    }
    free(info);
    return last;
}
