/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of their own of devices, bound to an iommufd. */
#include "tests/unit/vfio_fixture.h"

static void nothing_works_before_bind(void **state)
{
    struct vfio_device_info info = {.argsz = sizeof(info)};
    struct vfio_device_attach_iommufd_pt attach = {.argsz = 12};
    struct memobj *object;
    uint64_t at;
    uint32_t value;
    int fd = open_own(PLAIN), iommufd = install(host_iommufd_create());

    assert_int_equal(call(fd, VFIO_DEVICE_GET_INFO, &info), -EINVAL);
    assert_int_equal(call(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach), -EINVAL);
    assert_int_equal(read_at(fd, CONFIG, &value, 4), -EINVAL);
    assert_int_equal(write_at(fd, CONFIG, &value, 4), -EINVAL);
    assert_int_equal(map(fd, 0, 0x1000, true, &object, &at), -EINVAL);
    assert_int_equal(bind_own(fd, iommufd), 0);
    assert_int_equal(call(fd, VFIO_DEVICE_GET_INFO, &info), 0);
    assert_int_equal(read_at(fd, CONFIG, &value, 4), 4);
    assert_int_equal(fd_close(fd), 0); /* unbinds */
    assert_null(host_bound);
}

static void a_bind_refuses_what_linux_refuses(void **state)
{
    struct vfio_device_bind_iommufd bind = {.argsz = 15};
    struct file *event, *file;
    int fd = open_own(PLAIN), second = open_own(PLAIN), iommufd = install(host_iommufd_create());
    int wrong = new_eventfd(&event), group;

    bind.iommufd = iommufd;
    assert_int_equal(call(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind), -EINVAL);
    bind.argsz = sizeof(bind);
    bind.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
    assert_int_equal(call(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind), -EINVAL);
    assert_int_equal(call(fd, VFIO_DEVICE_BIND_IOMMUFD, NULL), -EFAULT);
    assert_int_equal(bind_own(fd, -1), -EINVAL);
    assert_int_equal(bind_own(fd, 77), -EBADF);
    assert_int_equal(bind_own(fd, wrong), -EBADFD);
    host_bind_error = -EBUSY;
    assert_int_equal(bind_own(fd, iommufd), -EBUSY);
    host_bind_error = 0;
    pci_claim(pci_find(0, PLAIN), "uio");
    assert_int_equal(bind_own(fd, iommufd), -EBUSY);
    assert_null(host_bound);
    pci_unclaim(pci_find(0, PLAIN));
    group = open_group(PLAIN); /* the two ways exclude each other */
    assert_int_equal(bind_own(fd, iommufd), -EBUSY);
    assert_int_equal(fd_close(group), 0);
    bind.flags = 0;
    host_const_user = (struct phys_run){user_address(&bind), sizeof(bind)};
    assert_int_equal(call(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind), -EFAULT);
    host_const_user = (struct phys_run){0};
    assert_null(host_bound);
    assert_int_equal(bind_own(fd, iommufd), 0);
    assert_int_equal(bind_own(fd, iommufd), -EINVAL);
    assert_int_equal(bind_own(second, iommufd), -EINVAL);
    assert_int_equal(host_open_group(PLAIN, &file), -EBUSY);
    host_fail_nth(1);
    assert_int_equal(host_open_device(PLAIN, &file), -ENOMEM);
    host_fail_nth(2);
    assert_int_equal(host_open_device(PLAIN, &file), -ENOMEM);
}

static void an_attach_can_be_replaced_and_undone(void **state)
{
    struct vfio_device_attach_iommufd_pt attach = {.argsz = 11, .pt_id = 5};
    struct vfio_device_detach_iommufd_pt detach = {.argsz = 7};
    int fd = open_own(PLAIN);

    assert_int_equal(bind_own(fd, install(host_iommufd_create())), 0);
    assert_int_equal(call(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach), -EINVAL);
    assert_int_equal(call(fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach), -EINVAL);
    attach.argsz = sizeof(attach);
    detach.argsz = sizeof(detach);
    attach.flags = 2;
    detach.flags = 2;
    assert_int_equal(call(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach), -EINVAL);
    assert_int_equal(call(fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach), -EINVAL);
    attach.flags = detach.flags = 1;
    assert_int_equal(call(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach), -EOPNOTSUPP);
    assert_int_equal(call(fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach), -EOPNOTSUPP);
    attach.flags = detach.flags = 0;
    assert_int_equal(call(fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach), 0); /* no error */
    host_attach_error = -ENOENT;
    assert_int_equal(call(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach), -ENOENT);
    host_attach_error = 0;
    assert_int_equal(call(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach), 0);
    assert_int_equal(attach.pt_id, 105);
    assert_int_equal(host_bound->attached, 5);
    host_const_user = (struct phys_run){user_address(&attach), sizeof(attach)};
    assert_int_equal(call(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach), -EFAULT);
    assert_int_equal(host_bound->attached, 0); /* nobody was told where */
    host_const_user = (struct phys_run){0};
    attach.pt_id = 5;
    assert_int_equal(call(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach), 0);
    assert_int_equal(call(fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach), 0);
    assert_int_equal(host_bound->attached, 0);
    assert_int_equal(call(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, NULL), -EFAULT);
    assert_int_equal(call(fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, NULL), -EFAULT);
}

static void an_iommufd_is_a_container_too(void **state)
{
    struct vfio_group_status status = {.argsz = sizeof(status)};
    int group = open_group(PLAIN), iommufd = install(host_iommufd_create());
    int64_t fd, second;

    host_compat = false;
    host_fail_nth(1);
    assert_int_equal(call(group, VFIO_GROUP_SET_CONTAINER, &iommufd), -ENOMEM);
    assert_int_equal(call(group, VFIO_GROUP_GET_STATUS, &status), 0);
    assert_false(status.flags & VFIO_GROUP_FLAGS_CONTAINER_SET);
    assert_int_equal(call(group, VFIO_GROUP_SET_CONTAINER, &iommufd), 0);
    assert_true(host_compat);
    assert_int_equal(call(group, VFIO_GROUP_SET_CONTAINER, &iommufd), -EINVAL);
    assert_int_equal(call(group, VFIO_GROUP_GET_STATUS, &status), 0);
    assert_true(status.flags & VFIO_GROUP_FLAGS_CONTAINER_SET);
    fd_close(iommufd);
    host_compat = false; /* IOMMU_VFIO_IOAS took it away */
    assert_int_equal(call(group, VFIO_GROUP_GET_DEVICE_FD, "0000:00:02.0"), -ENODEV);
    assert_null(host_bound);
    host_compat = true;
    host_attach_error = -EADDRINUSE;
    assert_int_equal(call(group, VFIO_GROUP_GET_DEVICE_FD, "0000:00:02.0"), -EADDRINUSE);
    assert_null(host_bound);
    host_attach_error = 0;
    fd = call(group, VFIO_GROUP_GET_DEVICE_FD, "0000:00:02.0");
    assert_int_equal(host_bound->attached, 7);
    host_bound->attached = 8; /* moved meanwhile: another file does not move it back */
    second = call(group, VFIO_GROUP_GET_DEVICE_FD, "0000:00:02.0");
    assert_true(fd >= 0 && second >= 0);
    assert_int_equal(host_bound->attached, 8);
    assert_int_equal(call((int)fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &status), -ENOTTY);
    assert_int_equal(bind_own((int)fd, 3), -EINVAL);
    assert_int_equal(call(group, VFIO_GROUP_UNSET_CONTAINER, NULL), -EBUSY);
    fd_close((int)fd);
    assert_non_null(host_bound);
    fd_close((int)second);
    assert_null(host_bound);
    assert_int_equal(call(group, VFIO_GROUP_UNSET_CONTAINER, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_works_before_bind),
        TEST(a_bind_refuses_what_linux_refuses),
        TEST(an_attach_can_be_replaced_and_undone),
        TEST(an_iommufd_is_a_container_too),
    };

    return cmocka_run_group_tests(tests, build, NULL);
}
