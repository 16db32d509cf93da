/* SPDX-License-Identifier: BSD-2-Clause */
/* The device's own file: bound to an iommufd, attached, detached and closed, in every order. */
#define _GNU_SOURCE
#include <linux/iommufd.h>
#include <sys/mman.h>

#include "vfio_device.h"

#define CLOSED 1000
#define NO_ID  0x7ffffffu

static int ioas_alloc(int iommufd, uint32_t *id)
{
    struct iommu_ioas_alloc alloc = {.size = sizeof(alloc)};
    int result = ioctl(iommufd, IOMMU_IOAS_ALLOC, &alloc);

    *id = alloc.out_ioas_id;
    return result;
}

static int destroy(int iommufd, uint32_t id)
{
    struct iommu_destroy call = {.size = sizeof(call), .id = id};

    return ioctl(iommufd, IOMMU_DESTROY, &call);
}

static int bind(int file, int iommufd, uint32_t flags, uint32_t *id)
{
    struct vfio_device_bind_iommufd call = {.argsz = 16, .flags = flags, .iommufd = iommufd};
    int result = ioctl(file, VFIO_DEVICE_BIND_IOMMUFD, &call);

    if (id)
        *id = call.out_devid;
    return result;
}

static int attach(uint32_t flags, uint32_t *id)
{
    struct vfio_device_attach_iommufd_pt call = {.argsz = 12, .flags = flags, .pt_id = *id};
    int result = ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &call);

    *id = call.pt_id;
    return result;
}

static int detach(uint32_t flags)
{
    struct vfio_device_detach_iommufd_pt call = {.argsz = 8, .flags = flags};

    return ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &call);
}

int open_own(void)
{
    char path[128];

    for (int i = 0; i < 16; i++) {
        snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev/vfio%d/dev", device_name, i);
        if (access(path, R_OK) == 0) {
            snprintf(path, sizeof(path), "/dev/vfio/devices/vfio%d", i);
            return open(path, O_RDWR);
        }
    }
    errno = ENOENT;
    return -1;
}

/* `container` is the iommufd. */
bool open_through_own_file(void)
{
    uint32_t id;

    device = open_own();
    container = open("/dev/iommu", O_RDWR);
    return device >= 0 && container >= 0 && !bind(device, container, 0, &id) &&
           !ioas_alloc(container, &id) && !attach(0, &id);
}

/* The files, and nothing done to them. False: Linux before 6.6, or without iommufd. */
static bool open_files(void)
{
    device = open_own();
    container = open("/dev/iommu", O_RDWR);
    open_events();
    return device >= 0 && container >= 0;
}

static void own_file_is_no_device_before_it_is_bound(void)
{
    uint32_t data[64] = {sizeof(data)};
    int second;

    if (!open_files())
        return;
    for (int number = 0; number < 256; number++)
        if (_IO(VFIO_TYPE, number) != VFIO_DEVICE_BIND_IOMMUFD)
            CHECK_ERROR(ioctl(device, _IO(VFIO_TYPE, number), data), EINVAL);
    CHECK_ERROR(pread(device, data, 4, (off_t)(7ull << 40)), EINVAL);
    CHECK_ERROR(pwrite(device, data, 4, (off_t)(7ull << 40)), EINVAL);
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, device, 0) == MAP_FAILED && errno == EINVAL);
    second = open_own(); /* opened as often as one likes */
    CHECK_OK(second);
    close(second);
}

static void own_file_is_bound_once(void)
{
    uint32_t id = 0, again = 0;
    int second;

    if (!open_files())
        return;
    second = open_own();
    CHECK_ERROR(bind(device, -1, 0, &id), EINVAL);
    CHECK_ERROR(bind(device, CLOSED, 0, &id), EBADF);
    CHECK_ERROR(bind(device, events[0], 0, &id), EBADFD);
    CHECK_ERROR(bind(device, device, 0, &id), EBADFD);
    for (uint32_t flag = 1; flag; flag <<= 1)
        CHECK_ERROR(bind(device, container, flag, &id), EINVAL);
    CHECK_OK(bind(device, container, 0, &id));
    CHECK(id != 0);
    CHECK_ERROR(bind(device, container, 0, &again), EINVAL);
    CHECK_ERROR(bind(second, container, 0, &again), EINVAL);
    CHECK_ERROR(destroy(container, id), EBUSY);
    close(device);
    device = second;
    CHECK_ERROR(destroy(container, id), ENOENT); /* it went with the file */
    CHECK_OK(bind(device, container, 0, &again));
}

static void own_file_is_attached_and_detached(void)
{
    uint32_t ioas = 0, bound = 0, id, other;

    if (!open_files())
        return;
    CHECK_OK(bind(device, container, 0, &bound));
    CHECK_OK(ioas_alloc(container, &ioas));
    CHECK_OK(detach(0)); /* from nothing */
    id = 0;
    CHECK_ERROR(attach(0, &id), ENOENT);
    id = NO_ID;
    CHECK_ERROR(attach(0, &id), ENOENT);
    CHECK_EQUAL(id, NO_ID);
    id = bound;
    CHECK_ERROR(attach(0, &id), EINVAL);
    for (uint32_t flag = 1; flag; flag <<= 1) {
        id = ioas;
        CHECK_ERROR(attach(flag, &id), EINVAL); /* 1: there is no room for the number */
        CHECK_ERROR(detach(flag), EINVAL);
    }
    CHECK_OK(attach(0, &id));
    other = ioas;
    CHECK_OK(attach(0, &other)); /* where it is already */
    CHECK_EQUAL(other, id);
    CHECK_ERROR(destroy(container, ioas), EBUSY);
    CHECK_OK(detach(0));
    CHECK_OK(detach(0));
    CHECK_ERROR(destroy(container, id), ENOENT);
    id = ioas;
    CHECK_OK(attach(0, &id));
    close(device);
    device = -1;
    CHECK_ERROR(destroy(container, id), ENOENT); /* the last close detaches */
    CHECK_OK(destroy(container, ioas));
}

/* The device keeps what its iommufd's file was opened for. */
static void own_file_outlives_the_iommufd(void)
{
    struct vfio_device_info info = {.argsz = sizeof(info)};
    uint32_t ioas = 0, id;

    if (!open_files())
        return;
    CHECK_OK(bind(device, container, 0, NULL));
    CHECK_OK(ioas_alloc(container, &ioas));
    close(container);
    container = -1;
    CHECK_OK(ioctl(device, VFIO_DEVICE_GET_INFO, &info));
    id = ioas;
    CHECK_OK(attach(0, &id));
    CHECK_OK(detach(0));
    id = ioas;
    CHECK_OK(attach(0, &id));
}

/* One way in at a time: through the group, or through its own file. */
static void own_file_or_group(void)
{
    struct vfio_files files;
    char path[VFIO_PATH_SIZE];

    if (!open_files())
        return;
    CHECK_OK(vfio_group_path(device_name, path));
    group = open(path, O_RDWR); /* not bound yet: nobody uses the device */
    CHECK_OK(group);
    CHECK_ERROR(bind(device, container, 0, NULL), EBUSY);
    close(group);
    CHECK_OK(bind(device, container, 0, NULL));
    group = open(path, O_RDWR);
    CHECK(group < 0 && errno == EBUSY);
    close_all();
    CHECK_OK(vfio_open(device_name, &files)); /* with a container */
    container = files.container;
    group = files.group;
    device = files.device;
}

const struct conform_case own_cases[] = {
    CASE(own_file_is_no_device_before_it_is_bound),
    CASE(own_file_is_bound_once),
    CASE(own_file_is_attached_and_detached),
    CASE(own_file_outlives_the_iommufd),
    CASE(own_file_or_group),
    LAST_CASE,
};
