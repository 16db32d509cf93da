/* SPDX-License-Identifier: BSD-2-Clause */
/* What a device file tells of itself. */
#define _GNU_SOURCE
#include "vfio_device.h"

static void device_info(void)
{
    struct vfio_device_info info = {.argsz = sizeof(info), .cap_offset = 1};

    START();
    CHECK_OK(ioctl(device, VFIO_DEVICE_GET_INFO, &info));
    CHECK(info.flags & VFIO_DEVICE_FLAGS_PCI);
    CHECK(info.num_regions >= 9);
    CHECK_EQUAL(info.num_irqs, 5);
    info.argsz = 16;
    CHECK_OK(ioctl(device, VFIO_DEVICE_GET_INFO, &info));
    info.argsz = 15;
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_GET_INFO, &info), EINVAL);
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_GET_INFO, NULL), EFAULT);
}

static void unknown_call(void)
{
    START();
    CHECK_ERROR(ioctl(device, VFIO_GROUP_GET_STATUS, NULL), ENOTTY);
    CHECK_ERROR(ioctl(device, VFIO_IOMMU_ENABLE, NULL), ENOTTY);
}

static void region_info(void)
{
    struct vfio_region_info info = {.argsz = sizeof(info), .index = VFIO_PCI_VGA_REGION_INDEX};

    START();
    for (int i = 0; i < 6; i++) {
        CHECK_EQUAL(regions[i].offset, (uint64_t)i << 40);
        CHECK((regions[i].size == 0) == (regions[i].flags == 0));
    }
    CHECK_EQUAL(config.offset, 7ull << 40);
    CHECK_EQUAL(config.flags, VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE);
    CHECK(config.size == 256 || config.size == 4096);
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info), EINVAL);
    info.index = 1000;
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info), EINVAL);
    info = (struct vfio_region_info){.argsz = sizeof(info) - 1};
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info), EINVAL);
}

static void irq_info(void)
{
    struct vfio_irq_info info = {.argsz = sizeof(info), .index = VFIO_PCI_MSI_IRQ_INDEX};

    START();
    CHECK_OK(ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &info));
    CHECK_EQUAL(info.flags & ~(uint32_t)VFIO_IRQ_INFO_NORESIZE, VFIO_IRQ_INFO_EVENTFD);
    CHECK_EQUAL(irq_counts[VFIO_PCI_REQ_IRQ_INDEX], 1);
    info.index = 5;
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &info), EINVAL);
    info.index = VFIO_PCI_ERR_IRQ_INDEX;
    if (find_capability(0x10))
        CHECK_OK(ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &info));
    else
        CHECK_ERROR(ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &info), EINVAL);
    info = (struct vfio_irq_info){.argsz = 15};
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &info), EINVAL);
}

const struct conform_case info_cases[] = {
    CASE(device_info), CASE(unknown_call), CASE(region_info), CASE(irq_info), LAST_CASE,
};
