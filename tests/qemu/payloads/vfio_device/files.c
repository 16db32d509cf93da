/* SPDX-License-Identifier: BSD-2-Clause */
/* Reset, and the life of the files. */
#define _GNU_SOURCE
#include "vfio_device.h"

static void reset(void)
{
    START();
    if (!can_reset) {
        CHECK_ERROR(ioctl(device, VFIO_DEVICE_RESET), EINVAL);
        return;
    }
    open_events();
    set_config(COMMAND, 2, get_config(COMMAND, 2) | MASTER);
    if (irq_counts[MSIX]) {
        irq.data[0] = events[0];
        CHECK_OK(set_irqs(EVENT | TRIGGER, MSIX, 0, 1));
    }
    CHECK_OK(ioctl(device, VFIO_DEVICE_RESET));
    CHECK_EQUAL(get_config(COMMAND, 2) & (MASTER | MEMORY), MEMORY);
    if (irq_counts[MSIX]) {
        CHECK_OK(set_irqs(NONE | TRIGGER, MSIX, 0, 1));
        CHECK_EQUAL(take(events[0]), 1);
    }
}

static void second_file(void)
{
    int second;

    START();
    second = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, device_name);
    CHECK_OK(second);
    set_config(COMMAND, 2, get_config(COMMAND, 2) | MASTER);
    close(second);
    CHECK_EQUAL(get_config(COMMAND, 2) & MASTER, MASTER); /* still in use */
    CHECK_ERROR(ioctl(group, VFIO_GROUP_UNSET_CONTAINER), EBUSY);
}

static void early_close(void)
{
    int kept;

    START();
    kept = device;
    close(group);
    close(container);
    group = container = -1;
    CHECK(get_config(0, 2) != 0xffff);
    CHECK(!open_device() && errno == EBUSY); /* the device keeps its group open */
    device = kept;
    CHECK(get_config(0, 2) != 0xffff);
}

/* A device reached for the wrong way. */
static void wrong_names(void)
{
    START();
    CHECK_ERROR(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, "0000:ff:1f.7"), ENODEV);
    CHECK_ERROR(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, NULL), EFAULT);
    CHECK_ERROR(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, ""), ENODEV);
}

const struct conform_case file_cases[] = {
    CASE(reset), CASE(second_file), CASE(early_close), CASE(wrong_names), LAST_CASE,
};
