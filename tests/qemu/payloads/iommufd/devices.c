/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices and page tables. */
#define _GNU_SOURCE
#include "iommufd.h"

static void calls_before_bind(void)
{
    struct vfio_device_info info = {.argsz = sizeof(info)};
    uint32_t id = 1;

    device = open(CDEV, O_RDWR);
    CHECK_OK(device);
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_GET_INFO, &info), EINVAL);
    CHECK_ERROR(attach(&id), EINVAL);
    CHECK_ERROR(detach(), EINVAL);
}

static void bind_refusals(void)
{
    struct vfio_device_bind_iommufd b = {.argsz = sizeof(b), .iommufd = -1};

    NEW_IOAS(ioas);
    device = open(CDEV, O_RDWR);
    file = memfd_create("memory", 0);
    CHECK_OK(device);
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &b), EINVAL);
    b.iommufd = 999;
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &b), EBADF);
    b.iommufd = file;
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &b), EBADFD);
    b.iommufd = iommu;
    b.flags = 0x80;
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &b), EINVAL);
    b.flags = 0;
    b.argsz = 15;
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &b), EINVAL);
    b.argsz = sizeof(b);
    CHECK_OK(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &b));
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &b), EINVAL);
    CHECK_ERROR(destroy(b.out_devid), EBUSY);
}

/* A group that is open leaves its devices to the old way in. */
static void bind_with_the_group_open(void)
{
    struct vfio_device_bind_iommufd b = {.argsz = sizeof(b)};
    char path[VFIO_PATH_SIZE];

    NEW_IOAS(ioas);
    b.iommufd = iommu;
    CHECK_OK(vfio_group_path(device_name, path));
    group = open(path, O_RDWR);
    device = open(CDEV, O_RDWR);
    CHECK_OK(group);
    CHECK_OK(device);
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &b), EBUSY);
    close(group);
    group = -1;
    CHECK_OK(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &b));
    CHECK_ERROR(open(path, O_RDWR), EBUSY);
}

static void attach_and_detach(void)
{
    uint32_t id = NO_ID;

    NEW_ATTACHED(ioas);
    CHECK(hwpt_ioas != ioas);
    CHECK_ERROR(destroy(ioas), EBUSY);
    CHECK_ERROR(destroy(hwpt_ioas), EBUSY);
    CHECK_ERROR(attach(&id), ENOENT);
    id = device_id;
    CHECK_ERROR(attach(&id), EINVAL);
    CHECK_OK(detach());
    CHECK_OK(detach());
    CHECK_ERROR(destroy(hwpt_ioas), ENOENT);
    CHECK_OK(destroy(ioas));
}

static void attach_elsewhere_replaces(void)
{
    NEW_ATTACHED(first);
    NEW_IOAS(second);
    uint32_t id = second;
    CHECK_OK(attach(&id));
    CHECK(id != hwpt_first);
    CHECK_ERROR(destroy(hwpt_first), ENOENT);
    CHECK_OK(destroy(first));
    CHECK_ERROR(destroy(second), EBUSY);
}

static int hwpt_alloc(uint32_t dev, uint32_t table, uint32_t flags, uint32_t *out)
{
    struct iommu_hwpt_alloc h = {.size = sizeof(h), .flags = flags, .dev_id = dev, .pt_id = table};
    int result = ioctl(iommu, IOMMU_HWPT_ALLOC, &h);

    *out = h.out_hwpt_id;
    return result;
}

/* From one page table that the program made to another, and back to an IOAS. */
static void attach_from_table_to_table(void)
{
    uint32_t first = 0, second = 0, id;

    NEW_IOAS(ioas);
    NEW_IOAS(other);
    CHECK(bind_device());
    CHECK_OK(hwpt_alloc(device_id, ioas, 0, &first));
    CHECK_OK(hwpt_alloc(device_id, other, 0, &second));
    id = first;
    CHECK_OK(attach(&id));
    id = second;
    CHECK_OK(attach(&id));
    CHECK_EQUAL(id, second);
    CHECK_OK(destroy(first));
    id = ioas;
    CHECK_OK(attach(&id));
    CHECK(id != ioas && id != second);
    CHECK_OK(destroy(second));
    CHECK_OK(destroy(other));
    CHECK_ERROR(destroy(id), EBUSY);
}

/* Memory that cannot be pinned in the new space leaves the device in the old one. */
static void attach_elsewhere_fails_whole(void)
{
    uint64_t iova = IOVA;
    uint32_t id;

    NEW_ATTACHED(first);
    NEW_IOAS(second);
    CHECK_OK(map(first, IOVA, memory, PAGE));
    CHECK_OK(map_at(second, FIXED, PAGE, PAGE, &iova)); /* nothing is there */
    id = second;
    CHECK_ERROR(attach(&id), EFAULT);
    CHECK_ERROR(destroy(hwpt_first), EBUSY);
    CHECK_EQUAL(unmap(second, IOVA, PAGE), PAGE);
    CHECK_OK(attach(&id));
    CHECK_EQUAL(unmap(first, IOVA, PAGE), PAGE);
}

/* Device memory is no memory to pin: refused at once, or when a page table needs it. */
static void device_memory_refused(void)
{
    uint64_t size = 0;
    int attached, later, kept;

    NEW_ATTACHED(ioas);
    NEW_IOAS(fresh);
    uint32_t id = fresh;
    void *bar = (void *)(uintptr_t)vfio_map_bar(device, &size);
    CHECK(bar);
    attached = map(ioas, IOVA, bar, PAGE) ? errno : 0;
    kept = map(fresh, IOVA, bar, PAGE);
    later = attach(&id) ? errno : 0;
    munmap(bar, size);
    CHECK_EQUAL(attached, EFAULT);
    CHECK_EQUAL(kept, 0);
    CHECK_EQUAL(later, EFAULT);
    CHECK_ERROR(destroy(hwpt_ioas), EBUSY);
    CHECK_OK(map(ioas, IOVA, memory, PAGE)); /* nothing was left behind */
}

/* Process address spaces need scalable mode. */
static void process_address_spaces_refused(void)
{
    NEW_ATTACHED(ioas);
    struct vfio_device_attach_iommufd_pt a = {
        .argsz = sizeof(a), .flags = VFIO_DEVICE_ATTACH_PASID, .pt_id = ioas, .pasid = 1};
    struct vfio_device_detach_iommufd_pt d = {
        .argsz = sizeof(d), .flags = VFIO_DEVICE_DETACH_PASID, .pasid = 1};

    CHECK_ERROR(ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a), EOPNOTSUPP);
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &d), EOPNOTSUPP);
    a.argsz = d.argsz = 12; /* without the pasid */
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a), EINVAL);
    d.argsz = 8;
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &d), EINVAL);
    a.argsz = sizeof(a);
    a.flags = 0x80;
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a), EINVAL);
    CHECK_ERROR(destroy(hwpt_ioas), EBUSY);
}

/* As in programs that were written for a container: the group, and mappings through the iommufd. */
static void a_group_takes_an_iommufd_as_container(void)
{
    char path[VFIO_PATH_SIZE];
    uint32_t id = 0;

    NEW_IOAS(ioas);
    CHECK_OK(vfio_group_path(device_name, path));
    group = open(path, O_RDWR);
    CHECK_OK(group);
    CHECK_OK(ioctl(group, VFIO_GROUP_SET_CONTAINER, &iommu));
    CHECK_ERROR(ioctl(group, VFIO_GROUP_SET_CONTAINER, &iommu), EINVAL);
    CHECK_OK(vfio_ioas(IOMMU_VFIO_IOAS_GET, &id)); /* made by the group */
    device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, device_name);
    CHECK_OK(device);
    CHECK_OK(map(id, IOVA, memory, PAGE));
    CHECK_ERROR(destroy(id), EBUSY);
    CHECK_ERROR(attach(&ioas), ENOTTY); /* a call of devices opened by their own file */
    CHECK_ERROR(ioctl(group, VFIO_GROUP_UNSET_CONTAINER), EBUSY);
    close(device);
    device = -1;
    CHECK_OK(ioctl(group, VFIO_GROUP_UNSET_CONTAINER));
    CHECK_EQUAL(unmap(id, IOVA, PAGE), PAGE);
}

static void hwpt_alloc_rules(void)
{
    struct iommu_hwpt_alloc h = {.size = sizeof(h), .data_len = 8};
    uint32_t id = 0, hwpt = 0;

    NEW_IOAS(ioas);
    CHECK(bind_device());
    h.dev_id = device_id;
    h.pt_id = ioas;
    CHECK_ERROR(ioctl(iommu, IOMMU_HWPT_ALLOC, &h), EINVAL);
    CHECK_ERROR(hwpt_alloc(NO_ID, ioas, 0, &id), ENOENT);
    CHECK_ERROR(hwpt_alloc(device_id, device_id, 0, &id), EINVAL);
    for (uint32_t flag = 1; flag; flag <<= 1)
        CHECK_ERROR(hwpt_alloc(device_id, ioas, flag, &id), EOPNOTSUPP);
    CHECK_OK(hwpt_alloc(device_id, ioas, 0, &hwpt));
    id = hwpt;
    CHECK_OK(attach(&id));
    CHECK_EQUAL(id, hwpt);
    CHECK_ERROR(destroy(hwpt), EBUSY);
    CHECK_OK(detach());
    CHECK_ERROR(destroy(ioas), EBUSY);
    CHECK_OK(destroy(hwpt));
    CHECK_OK(destroy(ioas));
}

static void hardware_information(void)
{
    unsigned char data[64];

    NEW_IOAS(ioas);
    CHECK(bind_device());
    memset(data, 0x5a, sizeof(data));
    struct iommu_hw_info i = {
        .size = sizeof(i), .dev_id = device_id, .data_len = 32, .data_uptr = (uintptr_t)data};
    CHECK_OK(ioctl(iommu, IOMMU_GET_HW_INFO, &i));
    CHECK_EQUAL(i.data_len, 24);
    CHECK_EQUAL(i.out_data_type, IOMMU_HW_INFO_TYPE_INTEL_VTD);
    for (size_t at = 24; at < 32; at++)
        CHECK_EQUAL(data[at], 0);
    CHECK_EQUAL(data[32], 0x5a);
    memset(data, 0x5a, sizeof(data));
    i.data_len = 8;
    CHECK_OK(ioctl(iommu, IOMMU_GET_HW_INFO, &i));
    CHECK_EQUAL(i.data_len, 24);
    CHECK_EQUAL(data[8], 0x5a);
    i.data_len = 0;
    CHECK_OK(ioctl(iommu, IOMMU_GET_HW_INFO, &i));
    i.flags = 0x80;
    CHECK_ERROR(ioctl(iommu, IOMMU_GET_HW_INFO, &i), EOPNOTSUPP);
    i.flags = 0;
    i.dev_id = NO_ID;
    CHECK_ERROR(ioctl(iommu, IOMMU_GET_HW_INFO, &i), ENOENT);
}

const struct conform_case devices_cases[] = {
    CASE(calls_before_bind),
    CASE(bind_refusals),
    CASE(bind_with_the_group_open),
    CASE(attach_and_detach),
    CASE(attach_elsewhere_replaces),
    CASE(attach_from_table_to_table),
    CASE(attach_elsewhere_fails_whole),
    CASE(device_memory_refused),
    CASE(process_address_spaces_refused),
    CASE(a_group_takes_an_iommufd_as_container),
    CASE(hwpt_alloc_rules),
    CASE(hardware_information),
    LAST_CASE,
};
