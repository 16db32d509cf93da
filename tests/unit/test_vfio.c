/* SPDX-License-Identifier: BSD-2-Clause */
/* VFIO groups: status, containers, and the devices that are opened through them. */
#include "tests/unit/host_child.h"
#include "tests/unit/vfio_fixture.h"

static void a_group_is_open_once(void **state)
{
    struct file *file;
    int group = open_group(PLAIN);

    assert_int_equal(host_open_group(PLAIN, &file), -EBUSY);
    assert_int_equal(fd_close(group), 0);
    group = open_group(PLAIN);
    assert_int_equal(host_open_group(OTHER, &file), -ENOENT); /* nothing assigned: no file */
    host_fail_nth(1);
    assert_int_equal(host_open_group(RICH, &file), -ENOMEM);
    open_group(RICH);
    assert_int_equal(call(group, VFIO_DEVICE_GET_INFO, NULL), -ENOTTY);
}

static void a_group_tells_its_status(void **state)
{
    struct vfio_group_status status = {.argsz = sizeof(status), .flags = 0xff};
    int group = open_group(PLAIN), container = install(host_container_create());

    assert_int_equal(call(group, VFIO_GROUP_GET_STATUS, &status), 0);
    assert_int_equal(status.flags, VFIO_GROUP_FLAGS_VIABLE);
    assert_int_equal(call(group, VFIO_GROUP_SET_CONTAINER, &container), 0);
    assert_int_equal(call(group, VFIO_GROUP_GET_STATUS, &status), 0);
    assert_int_equal(status.flags, VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET);
    status.argsz = 7;
    assert_int_equal(call(group, VFIO_GROUP_GET_STATUS, &status), -EINVAL);
    assert_int_equal(call(group, VFIO_GROUP_GET_STATUS, NULL), -EFAULT);
    status.argsz = sizeof(status);
    host_const_user = (struct phys_run){user_address(&status), sizeof(status)};
    assert_int_equal(call(group, VFIO_GROUP_GET_STATUS, &status), -EFAULT);
}

static void a_group_joins_one_container_and_leaves_it(void **state)
{
    struct file *event;
    int group = open_group(PLAIN), container = install(host_container_create());
    int bad = -1, closed = 55, wrong = new_eventfd(&event);

    assert_int_equal(call(group, VFIO_GROUP_SET_CONTAINER, NULL), -EFAULT);
    assert_int_equal(call(group, VFIO_GROUP_SET_CONTAINER, &bad), -EBADF);
    assert_int_equal(call(group, VFIO_GROUP_SET_CONTAINER, &closed), -EBADF);
    assert_int_equal(call(group, VFIO_GROUP_SET_CONTAINER, &wrong), -EBADFD);
    assert_int_equal(call(group, VFIO_GROUP_UNSET_CONTAINER, NULL), -EINVAL);
    host_add_group_error = -EADDRINUSE;
    assert_int_equal(call(group, VFIO_GROUP_SET_CONTAINER, &container), -EADDRINUSE);
    host_add_group_error = 0;
    assert_int_equal(call(group, VFIO_GROUP_SET_CONTAINER, &container), 0);
    assert_int_equal(call(group, VFIO_GROUP_SET_CONTAINER, &container), -EINVAL);
    assert_int_equal(host_groups_in_container, 1);
    assert_int_equal(call(group, VFIO_GROUP_UNSET_CONTAINER, NULL), 0);
    assert_int_equal(host_groups_in_container, 0);
    assert_int_equal(call(group, VFIO_GROUP_SET_CONTAINER, &container), 0);
    assert_int_equal(fd_close(group), 0); /* leaves by itself */
    assert_int_equal(host_groups_in_container, 0);
}

/* Memory the firmware reserved for a device keeps its whole group out of the payload's hands. */
static void reserved_memory_keeps_a_group_from_the_payload(void **state)
{
    struct vfio_group_status status = {.argsz = sizeof(status)};
    int group = open_group(PAIR), container = install(host_container_create());
    struct refusal why;

    host_reserved = PAIR + 1;
    assert_int_equal(call(group, VFIO_GROUP_GET_STATUS, &status), 0);
    assert_int_equal(status.flags, 0);
    assert_int_equal(call(group, VFIO_GROUP_SET_CONTAINER, &container), -EPERM);
    assert_int_equal(vfio_add_groups(&why), -EPERM);
    assert_non_null(strstr(why.sentence, "reserved memory for its device 0000:00:05.1"));
}

static int add_relaxable(uint64_t n)
{
    struct refusal why;

    host_reserved = PAIR + 1;
    host_relaxable = true;
    pci_set_bus_master(pci_find(0, PAIR + 1), true);
    return vfio_add_groups(&why) == 0 && host_reserved == 0xffff;
}

/* What firmware needs only until a driver comes is no reason: it ends, bus mastering first. */
static void what_firmware_reserved_until_then_leaves_with_its_use(void **state)
{
    assert_int_equal(host_in_child(add_relaxable, 0), 1);
}

enum { ADDED, NO_MEMORY, UNTOLD };

static int add_failing(uint64_t n)
{
    struct refusal why = {{0}};

    host_fail_nth(n);
    if (vfio_add_groups(&why) == 0)
        return host_failed() ? UNTOLD : ADDED;
    return strcmp(why.sentence, "no memory for the VFIO groups") == 0 ? NO_MEMORY : UNTOLD;
}

/* The kernel does not start then, so what was added before the failure stays. */
static void adding_groups_fails_with_a_sentence(void **state)
{
    uint64_t n = 1;
    int result;

    while ((result = host_in_child(add_failing, n)) == NO_MEMORY)
        n++;
    assert_int_equal(result, ADDED);
    assert_int_equal(n - 1, 9 * 8); /* steps: nine groups of one assigned device each */
}

static void a_device_is_opened_by_its_name(void **state)
{
    int group = open_group(PAIR), container = install(host_container_create());
    char longest[100];

    memset(longest, 'x', sizeof(longest) - 1);
    longest[99] = 0;
    assert_int_equal(call(group, VFIO_GROUP_GET_DEVICE_FD, "0000:00:05.0"), -EINVAL);
    assert_int_equal(call(group, VFIO_GROUP_SET_CONTAINER, &container), 0);
    host_container_ready = false;
    assert_int_equal(call(group, VFIO_GROUP_GET_DEVICE_FD, "0000:00:05.0"), -EINVAL);
    host_container_ready = true;
    assert_int_equal(call(group, VFIO_GROUP_GET_DEVICE_FD, "0000:00:05.1"), -ENODEV);
    assert_int_equal(call(group, VFIO_GROUP_GET_DEVICE_FD, "0000:00:02.0"), -ENODEV);
    assert_int_equal(call(group, VFIO_GROUP_GET_DEVICE_FD, ""), -ENODEV);
    assert_int_equal(call(group, VFIO_GROUP_GET_DEVICE_FD, longest), -ENODEV);
    assert_int_equal(call(group, VFIO_GROUP_GET_DEVICE_FD, NULL), -EFAULT);
    pci_claim(pci_find(0, PAIR), "uio");
    assert_int_equal(call(group, VFIO_GROUP_GET_DEVICE_FD, "0000:00:05.0"), -EBUSY);
    pci_unclaim(pci_find(0, PAIR));
    assert_true(call(group, VFIO_GROUP_GET_DEVICE_FD, "0000:00:05.0") >= 0);
    assert_int_equal(call(group, VFIO_GROUP_UNSET_CONTAINER, NULL), -EBUSY);
}

static void no_descriptor_left(void **state)
{
    int group = group_in_container(PLAIN);

    fd_set_limit(1);
    assert_int_equal(call(group, VFIO_GROUP_GET_DEVICE_FD, "0000:00:02.0"), -EMFILE);
    assert_null(pci_find(0, PLAIN)->claimed_by);
    fd_set_limit(FD_LIMIT_DEFAULT);
    assert_true(call(group, VFIO_GROUP_GET_DEVICE_FD, "0000:00:02.0") >= 0);
}

static void opening_fails_whole(void **state)
{
    int group = group_in_container(RICH);
    int64_t fd = -ENOMEM;

    for (uint64_t n = 1; fd < 0; n++) {
        host_fail_nth(n);
        fd = call(group, VFIO_GROUP_GET_DEVICE_FD, "0000:00:03.0");
        if (host_failed()) {
            assert_int_equal(fd, -ENOMEM);
            assert_null(pci_find(0, RICH)->claimed_by);
        }
    }
    host_fail_nth(0);
    assert_int_equal(fd_close((int)fd), 0);
    rich->reset_time = SIM_NEVER;
    assert_int_equal(call(group, VFIO_GROUP_GET_DEVICE_FD, "0000:00:03.0"), -EIO);
    assert_null(pci_find(0, RICH)->claimed_by);
}

static void a_device_tells_what_it_has(void **state)
{
    struct vfio_device_info info = {.argsz = sizeof(info), .cap_offset = 99};
    int fd = open_device(RICH), plain_fd = open_device(PLAIN);

    assert_int_equal(call(fd, VFIO_DEVICE_GET_INFO, &info), 0);
    assert_int_equal(info.flags, VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET);
    assert_int_equal(info.num_regions, 9);
    assert_int_equal(info.num_irqs, 5);
    assert_int_equal(info.cap_offset, 0);
    info = (struct vfio_device_info){.argsz = 16, .cap_offset = 99};
    assert_int_equal(call(plain_fd, VFIO_DEVICE_GET_INFO, &info), 0);
    assert_int_equal(info.flags, VFIO_DEVICE_FLAGS_PCI);
    assert_int_equal(info.cap_offset, 99); /* beyond what the caller has */
    info.argsz = 15;
    assert_int_equal(call(fd, VFIO_DEVICE_GET_INFO, &info), -EINVAL);
    assert_int_equal(call(fd, VFIO_DEVICE_GET_INFO, NULL), -EFAULT);
    assert_int_equal(call(fd, VFIO_GROUP_GET_STATUS, &info), -ENOTTY);
    assert_int_equal(call(fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info), -ENODEV);
}

/* Nobody may reset the bus of a device that does not come back from that. */
static void a_bus_that_stays_lost_has_no_hot_reset(void **state)
{
    struct vfio_pci_hot_reset_info info = {.argsz = sizeof(info)};
    struct vfio_pci_hot_reset reset = {.argsz = sizeof(reset), .count = 1};
    struct pci_device *lost = pci_find(0, LEFT);
    uint16_t vendor = lost->vendor, device = lost->device;
    int fd = open_device(LEFT);

    assert_int_equal(call(fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info), -ENOSPC);
    lost->vendor = 0x168c;
    lost->device = 0x0030;
    assert_int_equal(call(fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info), -ENODEV);
    assert_int_equal(call(fd, VFIO_DEVICE_PCI_HOT_RESET, &reset), -ENODEV);
    lost->vendor = vendor;
    lost->device = device;
    assert_int_equal(call(fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info), -ENOSPC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_group_is_open_once),
        TEST(a_group_tells_its_status),
        TEST(a_group_joins_one_container_and_leaves_it),
        TEST(reserved_memory_keeps_a_group_from_the_payload),
        TEST(what_firmware_reserved_until_then_leaves_with_its_use),
        TEST(adding_groups_fails_with_a_sentence),
        TEST(a_device_is_opened_by_its_name),
        TEST(no_descriptor_left),
        TEST(opening_fails_whole),
        TEST(a_device_tells_what_it_has),
        TEST(a_bus_that_stays_lost_has_no_hot_reset),
    };

    return cmocka_run_group_tests(tests, build, NULL);
}
