/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups, and the devices they hand out. */
#define _GNU_SOURCE
#include "type1.h"

static void group_opens_once(void)
{
    CHECK(open_group());
    CHECK_ERROR(open(group_path, O_RDWR), EBUSY);
}

static void group_status(void)
{
    struct vfio_group_status s = {.argsz = sizeof(s)};

    CHECK(open_group());
    CHECK_OK(ioctl(group, VFIO_GROUP_GET_STATUS, &s));
    CHECK_EQUAL(s.flags, VFIO_GROUP_FLAGS_VIABLE);
    CHECK_OK(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container));
    CHECK_OK(ioctl(group, VFIO_GROUP_GET_STATUS, &s));
    CHECK_EQUAL(s.flags, VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET);
    s.argsz = sizeof(s) - 1;
    CHECK_ERROR(ioctl(group, VFIO_GROUP_GET_STATUS, &s), EINVAL);
}

static void group_busy_while_a_device_is_open(void)
{
    START_V2();
    device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, device_name);
    CHECK_OK(device);
    close(group);
    group = open(group_path, O_RDWR);
    CHECK_EQUAL(group, -1);
    CHECK_EQUAL(errno, EBUSY);
    close(device);
    device = -1;
    group = open(group_path, O_RDWR);
    CHECK_OK(group);
}

/* Those of containers and devices, and numbers that nobody has. */
static void group_unknown_call(void)
{
    uint32_t data[16] = {sizeof(data)};

    CHECK(open_group());
    for (unsigned number = 0; number < 256; number++)
        if (number < VFIO_BASE + 3 || number > VFIO_BASE + 6)
            CHECK_ERROR(ioctl(group, _IO(VFIO_TYPE, number), data), ENOTTY);
    CHECK_ERROR(ioctl(group, _IO('!', VFIO_BASE + 3), data), ENOTTY);
    CHECK_ERROR(read(group, data, 4), EINVAL);
    CHECK_ERROR(write(group, data, 4), EINVAL);
}

static void group_status_sizes(void)
{
    struct {
        struct vfio_group_status status;
        uint32_t canary;
    } s = {.canary = CANARY};

    CHECK(open_group());
    CHECK_ERROR(ioctl(group, VFIO_GROUP_GET_STATUS, NULL), EFAULT);
    for (s.status.argsz = 0; s.status.argsz < 8; s.status.argsz++)
        CHECK_ERROR(ioctl(group, VFIO_GROUP_GET_STATUS, &s), EINVAL);
    s.status.argsz = sizeof(s);
    CHECK_OK(ioctl(group, VFIO_GROUP_GET_STATUS, &s));
    CHECK_EQUAL(s.canary, CANARY);
}

static void set_container_refusals(void)
{
    int bad = -1, closed;

    CHECK(open_group());
    CHECK_ERROR(ioctl(group, VFIO_GROUP_SET_CONTAINER, &bad), EBADF);
    other = eventfd(0, 0);
    CHECK_OK(other);
    CHECK_ERROR2(ioctl(group, VFIO_GROUP_SET_CONTAINER, &other), EBADFD, EINVAL);
    closed = 999;
    CHECK_ERROR(ioctl(group, VFIO_GROUP_SET_CONTAINER, &closed), EBADF);
    CHECK_ERROR(ioctl(group, VFIO_GROUP_SET_CONTAINER, NULL), EFAULT);
    CHECK_OK(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container));
    CHECK_ERROR(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container), EINVAL);
}

static void unset_container(void)
{
    CHECK(open_group());
    CHECK_ERROR(ioctl(group, VFIO_GROUP_UNSET_CONTAINER), EINVAL);
    CHECK_OK(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container));
    CHECK_OK(ioctl(group, VFIO_GROUP_UNSET_CONTAINER));
    CHECK_OK(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container));
    CHECK_OK(ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
    device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, device_name);
    CHECK_OK(device);
    CHECK_ERROR(ioctl(group, VFIO_GROUP_UNSET_CONTAINER), EBUSY);
}

static void get_device_refusals(void)
{
    CHECK(open_group());
    CHECK_ERROR(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, device_name), EINVAL);
    CHECK_OK(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container));
    CHECK_ERROR(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, device_name), EINVAL);
    CHECK_OK(ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
    CHECK_ERROR(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, "0000:7f:1f.7"), ENODEV);
    CHECK_ERROR(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, ""), ENODEV);
}

static void device_outlives_container_and_group_files(void)
{
    struct vfio_device_info info = {.argsz = sizeof(info)};

    START_V2();
    device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, device_name);
    CHECK_OK(device);
    close(container);
    close(group);
    container = group = -1;
    CHECK_OK(ioctl(device, VFIO_DEVICE_GET_INFO, &info));
}

const struct conform_case group_cases[] = {
    CASE(group_opens_once),
    CASE(group_status),
    CASE(group_status_sizes),
    CASE(group_busy_while_a_device_is_open),
    CASE(group_unknown_call),
    CASE(set_container_refusals),
    CASE(unset_container),
    CASE(get_device_refusals),
    CASE(device_outlives_container_and_group_files),
    LAST_CASE,
};
