/* SPDX-License-Identifier: BSD-2-Clause */
/* IOEVENTFD: eventfds that write to a BAR. */
#include "tests/unit/vfio_fixture.h"

static struct vfio_device_ioeventfd io;

static int64_t ioeventfd(int fd, uint32_t flags, uint64_t offset, uint64_t data, int event)
{
    io = (struct vfio_device_ioeventfd){sizeof(io), flags, offset, data, event, 0};
    return call(fd, VFIO_DEVICE_IOEVENTFD, &io);
}

static void ring(int event, uint64_t count)
{
    assert_int_equal(write_at(event, 0, &count, 8), 8);
}

static void check_write(size_t i, paddr_t at, unsigned width, uint64_t value)
{
    assert_true(i < sim_access_count);
    assert_int_equal(sim_accesses[i].at, at);
    assert_int_equal(sim_accesses[i].width, width);
    assert_int_equal(sim_accesses[i].value, value);
    assert_true(sim_accesses[i].write);
}

static void each_width_reaches_memory(void **state)
{
    struct file *file;
    int fd = open_device(PLAIN), event = new_eventfd(&file);

    for (unsigned width = 1; width <= 8; width *= 2)
        assert_int_equal(ioeventfd(fd, width, 0x40 * width, UINT64_C(0x8877665544332211), event),
                         0);
    ring(event, 5);
    assert_int_equal(sim_access_count, 4); /* once for each, whatever was added */
    check_write(0, 0xfd000040, 1, 0x11);
    check_write(1, 0xfd000080, 2, 0x2211);
    check_write(2, 0xfd000100, 4, 0x44332211);
    check_write(3, 0xfd000200, 8, UINT64_C(0x8877665544332211));
    assert_int_equal(eventfd_take(file), 0);
    eventfd_signal(file, 1); /* from an interrupt */
    assert_int_equal(sim_access_count, 8);
    /* Each is known by offset, width and value. */
    assert_int_equal(ioeventfd(fd, 1, 0x40, UINT64_C(0x8877665544332211), event), -EEXIST);
    assert_int_equal(ioeventfd(fd, 1, 0x40, 0x11, -1), -ENODEV);
    assert_int_equal(ioeventfd(fd, 2, 0x40, UINT64_C(0x8877665544332211), -1), -ENODEV);
    assert_int_equal(ioeventfd(fd, 1, 0x41, UINT64_C(0x8877665544332211), -1), -ENODEV);
    assert_int_equal(ioeventfd(fd, 1, 0x40, UINT64_C(0x8877665544332211), -1), 0);
    sim_access_count = 0;
    ring(event, 1);
    assert_int_equal(sim_access_count, 3);
}

static void ports_are_written(void **state)
{
    struct file *file;
    int fd = open_device(RICH), event = new_eventfd(&file);

    assert_int_equal(ioeventfd(fd, 4, REGION(2) + 8, 0x12345678, event), 0);
    assert_int_equal(ioeventfd(fd, 8, REGION(2) + 8, 0x12345678, event), -EINVAL);
    host_port.port = 0;
    ring(event, 1);
    assert_int_equal(host_port.port, 0xc008);
    assert_int_equal(host_port.width, 4);
    assert_int_equal(host_port.value, 0x12345678);
    assert_true(host_port.write);
    write_command(fd, PCI_COMMAND_MEMORY);
    host_port.port = 0;
    ring(event, 1);
    assert_int_equal(host_port.port, 0);
}

static void what_cannot_be_is_refused(void **state)
{
    struct file *file;
    int fd = open_device(RICH), event = new_eventfd(&file), group = open_group(PLAIN);

    assert_int_equal(ioeventfd(fd, 4, 0, 0, 77), -EBADF);
    assert_int_equal(ioeventfd(fd, 4, 0, 0, group), -EINVAL);
    assert_int_equal(ioeventfd(fd, 4, 0, 0, -2), -EINVAL);
    assert_int_equal(ioeventfd(fd, 0, 0, 0, event), -EINVAL);
    assert_int_equal(ioeventfd(fd, 3, 0, 0, event), -EINVAL);
    assert_int_equal(ioeventfd(fd, 5, 0, 0, event), -EINVAL);
    assert_int_equal(ioeventfd(fd, 16, 0, 0, event), -EINVAL);
    assert_int_equal(ioeventfd(fd, 4, 0x4000 - 3, 0, event), -EINVAL);
    assert_int_equal(ioeventfd(fd, 4, REGION(1), 0, event), -EINVAL); /* an upper half */
    assert_int_equal(ioeventfd(fd, 4, REGION(3), 0, event), -EINVAL);
    assert_int_equal(ioeventfd(fd, 4, REGION(6), 0, event), -EINVAL);
    assert_int_equal(ioeventfd(fd, 2, CONFIG + PCI_COMMAND, 7, event), -EINVAL);
    assert_int_equal(ioeventfd(fd, 4, REGION(8), 0, event), -EINVAL);
    assert_int_equal(ioeventfd(fd, 4, UINT64_MAX, 0, event), -EINVAL);
    /* The vector table, and what reaches into it. */
    assert_int_equal(ioeventfd(fd, 4, 0x2000, 0, event), -EINVAL);
    assert_int_equal(ioeventfd(fd, 8, 0x1ffc, 0, event), -EINVAL);
    assert_int_equal(ioeventfd(fd, 1, 0x207f, 0, event), -EINVAL);
    assert_int_equal(ioeventfd(fd, 4, 0x1ffc, 0, event), 0);
    assert_int_equal(ioeventfd(fd, 4, 0x2080, 0, event), 0);
    io.argsz = 27;
    assert_int_equal(call(fd, VFIO_DEVICE_IOEVENTFD, &io), -EINVAL);
    assert_int_equal(call(fd, VFIO_DEVICE_IOEVENTFD, NULL), -EFAULT);
    io = (struct vfio_device_ioeventfd){28, 4, 0x100, 0, event, 0};
    assert_int_equal(call(fd, VFIO_DEVICE_IOEVENTFD, &io), 0);
}

static void nothing_is_written_to_who_does_not_listen(void **state)
{
    uint16_t d3 = PCI_PM_D3HOT, d0 = 0;
    struct {
        uint32_t argsz, flags;
    } sleep = {8, VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY | VFIO_DEVICE_FEATURE_SET};
    struct file *file;
    int fd = open_device(RICH), event = new_eventfd(&file);

    assert_int_equal(ioeventfd(fd, 4, 0, 1, event), 0);
    assert_int_equal(ioeventfd(fd, 4, REGION(2), 1, event), 0);
    host_port.port = 0;
    write_command(fd, 0);
    ring(event, 1);
    write_command(fd, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
    assert_int_equal(write_at(fd, CONFIG + rich->pm + PCI_PM_CONTROL, &d3, 2), 2);
    ring(event, 1);
    assert_int_equal(write_at(fd, CONFIG + rich->pm + PCI_PM_CONTROL, &d0, 2), 2);
    assert_int_equal(call(fd, VFIO_DEVICE_FEATURE, &sleep), 0);
    ring(event, 1);
    sleep.flags = VFIO_DEVICE_FEATURE_LOW_POWER_EXIT | VFIO_DEVICE_FEATURE_SET;
    assert_int_equal(call(fd, VFIO_DEVICE_FEATURE, &sleep), 0);
    pci_find(0, RICH)->in_reset = true;
    ring(event, 1);
    pci_find(0, RICH)->in_reset = false;
    assert_int_equal(sim_access_count, 0);
    assert_int_equal(host_port.port, 0);
    assert_int_equal(eventfd_take(file), 0); /* dropped, not kept */
    ring(event, 1);
    assert_int_equal(sim_access_count, 1);
    assert_int_equal(host_port.port, 0xc000);
    /* Closed on both sides. */
    assert_int_equal(fd_close(fd), 0);
    ring(event, 1);
    assert_int_equal(sim_access_count, 1);
    assert_int_equal(eventfd_take(file), 1);
}

static void there_is_a_limit(void **state)
{
    struct file *file;
    int fd = open_device(PLAIN), events[16];

    for (unsigned i = 0; i < 16; i++)
        events[i] = new_eventfd(&file);
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(ioeventfd(fd, 4, 4 * i, 0, events[i / 64]), 0);
    assert_int_equal(ioeventfd(fd, 4, 0x8000, 0, events[15]), -ENOSPC);
    assert_int_equal(ioeventfd(fd, 4, 0, 0, -1), 0);
    assert_int_equal(ioeventfd(fd, 4, 0x8000, 0, events[1]), -ENOSPC); /* of one eventfd */
    assert_int_equal(ioeventfd(fd, 4, 0x8000, 0, events[0]), 0);
}

static void an_ioeventfd_fails_whole(void **state)
{
    struct file *file;
    size_t mappings, heap;
    int fd = open_device(PLAIN), event = new_eventfd(&file);

    mappings = sim_mappings;
    heap = heap_used();
    host_fail_nth(1);
    assert_int_equal(ioeventfd(fd, 4, 0, 0, event), -ENOMEM);
    host_fail_nth(0);
    sim_map_fails = true;
    assert_int_equal(ioeventfd(fd, 4, 0, 0, event), -ENOMEM);
    sim_map_fails = false;
    assert_int_equal(sim_mappings, mappings);
    assert_int_equal(heap_used(), heap);
    assert_int_equal(ioeventfd(fd, 4, 0, 0, event), 0);
    assert_int_equal(fd_close(event), 0);
    assert_int_equal(fd_close(fd), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_width_reaches_memory), TEST(ports_are_written),
        TEST(what_cannot_be_is_refused), TEST(nothing_is_written_to_who_does_not_listen),
        TEST(there_is_a_limit),          TEST(an_ioeventfd_fails_whole),
    };

    return cmocka_run_group_tests(tests, build, NULL);
}
