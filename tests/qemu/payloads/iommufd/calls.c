/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls, each as a function. */
#define _GNU_SOURCE
#include "iommufd.h"

int iommu = -1, device = -1, file = -1, group = -1;
uint32_t device_id;
const char *device_name;
unsigned char *memory;

void close_all(void)
{
    int *all[] = {&device, &group, &iommu, &file};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (*all[i] >= 0)
            close(*all[i]);
        *all[i] = -1;
    }
}

/* A new IOAS; 0 on failure. */
uint32_t new_ioas(void)
{
    struct iommu_ioas_alloc a = {.size = sizeof(a)};

    if (iommu < 0)
        iommu = open("/dev/iommu", O_RDWR);
    if (iommu < 0 || ioctl(iommu, IOMMU_IOAS_ALLOC, &a)) {
        CONFORM_FAIL("no IOAS: %s", strerror(errno));
        return 0;
    }
    return a.out_ioas_id;
}

int destroy(uint32_t id)
{
    struct iommu_destroy d = {.size = sizeof(d), .id = id};

    return ioctl(iommu, IOMMU_DESTROY, &d);
}

int map_at(uint32_t ioas, uint32_t flags, uint64_t address, uint64_t length, uint64_t *iova)
{
    struct iommu_ioas_map m = {.size = sizeof(m),
                               .flags = flags,
                               .ioas_id = ioas,
                               .user_va = address,
                               .length = length,
                               .iova = *iova};
    int result = ioctl(iommu, IOMMU_IOAS_MAP, &m);

    *iova = m.iova;
    return result;
}

int map(uint32_t ioas, uint64_t iova, const void *address, uint64_t length)
{
    return map_at(ioas, FIXED, (uintptr_t)address, length, &iova);
}

int map_file(uint32_t ioas, int fd, uint64_t start, uint64_t length, uint64_t iova)
{
    struct iommu_ioas_map_file m = {.size = sizeof(m),
                                    .flags = FIXED,
                                    .ioas_id = ioas,
                                    .fd = fd,
                                    .start = start,
                                    .length = length,
                                    .iova = iova};

    return ioctl(iommu, IOMMU_IOAS_MAP_FILE, &m);
}

int copy(uint32_t to, uint64_t to_iova, uint32_t from, uint64_t from_iova, uint64_t length)
{
    struct iommu_ioas_copy c = {.size = sizeof(c),
                                .flags = FIXED,
                                .dst_ioas_id = to,
                                .src_ioas_id = from,
                                .length = length,
                                .dst_iova = to_iova,
                                .src_iova = from_iova};

    return ioctl(iommu, IOMMU_IOAS_COPY, &c);
}

/* Bytes removed, or -1. */
long long unmap(uint32_t ioas, uint64_t iova, uint64_t length)
{
    struct iommu_ioas_unmap u = {
        .size = sizeof(u), .ioas_id = ioas, .iova = iova, .length = length};

    return ioctl(iommu, IOMMU_IOAS_UNMAP, &u) ? -1 : (long long)u.length;
}

int allow(uint32_t ioas, const struct iommu_iova_range *ranges, uint32_t count)
{
    struct iommu_ioas_allow_iovas a = {
        .size = sizeof(a), .ioas_id = ioas, .num_iovas = count, .allowed_iovas = (uintptr_t)ranges};

    return ioctl(iommu, IOMMU_IOAS_ALLOW_IOVAS, &a);
}

int list_ranges(uint32_t ioas, struct iommu_iova_range *ranges, uint32_t *count,
                uint64_t *alignment)
{
    struct iommu_ioas_iova_ranges r = {.size = sizeof(r),
                                       .ioas_id = ioas,
                                       .num_iovas = *count,
                                       .allowed_iovas = (uintptr_t)ranges};
    int result = ioctl(iommu, IOMMU_IOAS_IOVA_RANGES, &r);

    *count = r.num_iovas;
    *alignment = r.out_iova_alignment;
    return result;
}

int option(uint32_t id, uint16_t op, uint32_t object, uint64_t *value)
{
    struct iommu_option o = {
        .size = sizeof(o), .option_id = id, .op = op, .object_id = object, .val64 = *value};
    int result = ioctl(iommu, IOMMU_OPTION, &o);

    *value = o.val64;
    return result;
}

int set_option(uint32_t id, uint32_t object, uint64_t value)
{
    return option(id, IOMMU_OPTION_OP_SET, object, &value);
}

int vfio_ioas(uint16_t op, uint32_t *id)
{
    struct iommu_vfio_ioas v = {.size = sizeof(v), .ioas_id = *id, .op = op};
    int result = ioctl(iommu, IOMMU_VFIO_IOAS, &v);

    *id = v.ioas_id;
    return result;
}

bool bind_device(void)
{
    struct vfio_device_bind_iommufd b = {.argsz = sizeof(b), .iommufd = iommu};

    device = open(CDEV, O_RDWR);
    if (device < 0 || ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &b)) {
        CONFORM_FAIL("cannot bind %s: %s", CDEV, strerror(errno));
        return false;
    }
    device_id = b.out_devid;
    return true;
}

int attach(uint32_t *id)
{
    struct vfio_device_attach_iommufd_pt a = {.argsz = sizeof(a), .pt_id = *id};
    int result = ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a);

    *id = a.pt_id;
    return result;
}

int detach(void)
{
    struct vfio_device_detach_iommufd_pt d = {.argsz = sizeof(d)};

    return ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &d);
}
