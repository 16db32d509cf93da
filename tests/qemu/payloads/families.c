/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device is open through one family of device files at a time. The device has all of them: VFIO,
 * UIO and FPGA port.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "conform.h"
#include "vfio_open.h"

#define UIO  "/dev/uio0"
#define PORT "/dev/dfl-port.0"

static const char *device_name;
static int one = -1, two = -1, group = -1, container = -1;

static void close_all(void)
{
    int *all[] = {&one, &two, &group, &container};

    for (unsigned i = 0; i < 4; i++) {
        if (*all[i] >= 0)
            close(*all[i]);
        *all[i] = -1;
    }
}

/* A container and group that are ready to hand out the device. 0 or -1. */
static int ready_vfio(void)
{
    struct vfio_files files;
    int error = vfio_join(device_name, &files);

    container = files.container;
    group = files.group;
    return error ? error : ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
}

static void uio_keeps_the_port_out(void)
{
    one = open(UIO, O_RDWR);
    CHECK_OK(one);
    CHECK_ERROR(open(PORT, O_RDWR), EBUSY);
    two = open(UIO, O_RDWR);
    CHECK_OK(two);
    close(one);
    one = -1;
    CHECK_ERROR(open(PORT, O_RDWR), EBUSY);
    close(two);
    two = open(PORT, O_RDWR);
    CHECK_OK(two);
}

static void port_keeps_uio_out(void)
{
    one = open(PORT, O_RDWR);
    CHECK_OK(one);
    CHECK_ERROR(open(UIO, O_RDWR), EBUSY);
    close(one);
    one = open(UIO, O_RDWR);
    CHECK_OK(one);
}

static void uio_keeps_vfio_out(void)
{
    one = open(UIO, O_RDWR);
    CHECK_OK(one);
    CHECK_EQUAL(ready_vfio(), -1);
    CHECK_EQUAL(errno, EBUSY);
}

static void vfio_keeps_the_others_out(void)
{
    CHECK_OK(ready_vfio());
    CHECK_ERROR(open(UIO, O_RDWR), EBUSY);
    CHECK_ERROR(open(PORT, O_RDWR), EBUSY);
    one = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, device_name);
    CHECK_OK(one);
    CHECK_ERROR(open(UIO, O_RDWR), EBUSY);
    CHECK_ERROR(open(PORT, O_RDWR), EBUSY);
    close_all();
    one = open(UIO, O_RDWR);
    CHECK_OK(one);
}

static const struct conform_case cases[] = {
    CASE(uio_keeps_the_port_out),
    CASE(port_keeps_uio_out),
    CASE(uio_keeps_vfio_out),
    CASE(vfio_keeps_the_others_out),
};

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: families 0000:bb:dd.f [CASE]...\n");
        return 2;
    }
    device_name = argv[1];
    return conform_run(cases, sizeof(cases) / sizeof(cases[0]), close_all, argc, argv);
}
