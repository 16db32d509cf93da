/* SPDX-License-Identifier: BSD-2-Clause */
/* VFIO groups and devices: calls, regions, interrupts, reset, and the order of the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <linux/vfio.h>

#include "kernel/cpu/time.h"
#include "kernel/file/eventfd.h"
#include "kernel/file/fdtable.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/memobj.h"
#include "kernel/pci/registers.h"
#include "kernel/device/vfio/vfio.h"
#include "tests/unit/host_child.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_thread.h"
#include "tests/unit/host_user.h"
#include "tests/unit/vfio_host.h"

#define REGION(index) ((uint64_t)(index) << 40)
#define CONFIG        REGION(VFIO_PCI_CONFIG_REGION_INDEX)

static size_t heap_before;

/* ---- calls as the payload makes them ---- */

static int64_t call(int fd, uint32_t command, const void *argument)
{
    struct file *file = fd_get(fd);
    int64_t result = -EBADF;

    if (file)
        result = file->ops->ioctl(file, command, user_address(argument));
    file_put(file);
    return result;
}

static int64_t read_at(int fd, uint64_t position, void *to, size_t length)
{
    struct file *file = fd_get(fd);
    int64_t result = file->ops->read(file, user_address(to), length, &position);

    file_put(file);
    return result;
}

static int64_t write_at(int fd, uint64_t position, const void *from, size_t length)
{
    struct file *file = fd_get(fd);
    int64_t result = file->ops->write(file, user_address(from), length, &position);

    file_put(file);
    return result;
}

static int map(int fd, uint64_t offset, uint64_t length, bool shared, struct memobj **out,
               uint64_t *at)
{
    struct file *file = fd_get(fd);
    int result = file->ops->mmap(file, offset, length, 3, shared, out, at);

    file_put(file);
    return result;
}

static int install(struct file *file)
{
    int fd = fd_install(file, false);

    assert_true(fd >= 0);
    return fd;
}

static int open_group(pci_rid_t rid)
{
    struct file *file;

    assert_int_equal(host_open_group(rid, &file), 0);
    return install(file);
}

static int new_eventfd(struct file **out)
{
    *out = eventfd_create(0, 0);
    return install(*out);
}

/* A group in a container. */
static int group_in_container(pci_rid_t rid)
{
    int group = open_group(rid), container = install(host_container_create());

    assert_int_equal(call(group, VFIO_GROUP_SET_CONTAINER, &container), 0);
    assert_int_equal(fd_close(container), 0);
    return group;
}

/* A device, whose group was closed early. */
static int open_device(pci_rid_t rid)
{
    char name[PCI_NAME_SIZE];
    int group = group_in_container(rid);
    int64_t fd = call(group, VFIO_GROUP_GET_DEVICE_FD, pci_name(pci_find(0, rid), name));

    assert_true(fd >= 0);
    assert_int_equal(fd_close(group), 0);
    return (int)fd;
}

static uint16_t read_command(int fd)
{
    uint16_t command = 0;

    assert_int_equal(read_at(fd, CONFIG + PCI_COMMAND, &command, 2), 2);
    return command;
}

static void write_command(int fd, uint16_t command)
{
    assert_int_equal(write_at(fd, CONFIG + PCI_COMMAND, &command, 2), 2);
}

static uint64_t hardware_command(const struct sim_function *f)
{
    return sim_get(f, PCI_COMMAND, 2);
}

static int setup(void **state)
{
    host_fail_nth(0);
    host_bad_user = host_const_user = (struct phys_run){0};
    host_add_group_error = 0;
    host_container_ready = true;
    host_on_leave = NULL;
    host_irq_error = 0;
    host_remapped = true;
    host_bind_error = 0;
    host_attach_error = 0;
    host_reserved = 0xffff;
    sim_access_count = 0;
    rich->reset_time = 0;
    rich->resets = 0;
    rich->answers_from = 0;
    fd_close_all();
    heap_before = heap_used();
    return 0;
}

/* Everything that a test opened goes, and nothing may be left. */
static int teardown(void **state)
{
    host_fail_nth(0);
    fd_close_all();
    assert_int_equal(host_groups_in_container, 0);
    assert_null(host_irqs);
    assert_null(host_bound);
    assert_null(pci_find(0, PLAIN)->claimed_by);
    assert_null(pci_find(0, RICH)->claimed_by);
    assert_int_equal(heap_used(), heap_before);
    return 0;
}

/* ---- groups ---- */

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

static void group_status(void **state)
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

static void containers(void **state)
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
static void reserved_memory(void **state)
{
    struct vfio_group_status status = {.argsz = sizeof(status)};
    int group = open_group(PAIR), container = install(host_container_create());
    struct refusal why;

    host_reserved = PAIR + 1;
    assert_int_equal(call(group, VFIO_GROUP_GET_STATUS, &status), 0);
    assert_int_equal(status.flags, 0);
    assert_int_equal(call(group, VFIO_GROUP_SET_CONTAINER, &container), -EPERM);
    assert_int_equal(vfio_register_groups(&why), -EPERM);
    assert_non_null(strstr(why.sentence, "reserved memory for its device 0000:00:05.1"));
}

enum { REGISTERED, NO_MEMORY, UNTOLD };

static int register_failing(uint64_t n)
{
    struct refusal why = {{0}};

    host_fail_nth(n);
    if (vfio_register_groups(&why) == 0)
        return host_failed() ? UNTOLD : REGISTERED;
    return strcmp(why.sentence, "no memory for the VFIO groups") == 0 ? NO_MEMORY : UNTOLD;
}

/* The kernel does not start then, so what was added before the failure stays. */
static void registration_fails_with_a_sentence(void **state)
{
    uint64_t n = 1;
    int result;

    while ((result = host_in_child(register_failing, n)) == NO_MEMORY)
        n++;
    assert_int_equal(result, REGISTERED);
    assert_int_equal(n - 1, 3 * 5); /* steps: three groups of one assigned device each */
}

static void device_names(void **state)
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

/* ---- information ---- */

static void device_information(void **state)
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
    assert_int_equal(call(fd, VFIO_DEVICE_FEATURE, &info), -ENOTTY);
    info.argsz = 7;
    assert_int_equal(call(fd, VFIO_DEVICE_FEATURE, &info), -EINVAL);
}

static struct vfio_region_info region_of(int fd, uint32_t index)
{
    struct vfio_region_info info = {.argsz = sizeof(info), .index = index};

    assert_int_equal(call(fd, VFIO_DEVICE_GET_REGION_INFO, &info), 0);
    return info;
}

static void region_information(void **state)
{
    const uint32_t rw = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
    int fd = open_device(PLAIN), rich_fd = open_device(RICH);
    struct vfio_region_info info = region_of(fd, 0);

    assert_int_equal(info.size, MIB);
    assert_int_equal(info.flags, rw | VFIO_REGION_INFO_FLAG_MMAP);
    assert_int_equal(info.offset, 0);
    info = region_of(fd, 3); /* absent */
    assert_int_equal(info.size, 0);
    assert_int_equal(info.flags, 0);
    assert_int_equal(info.offset, REGION(3));
    info = region_of(fd, VFIO_PCI_ROM_REGION_INDEX);
    assert_int_equal(info.size, 0);
    info = region_of(fd, VFIO_PCI_CONFIG_REGION_INDEX);
    assert_int_equal(info.size, 256);
    assert_int_equal(info.flags, rw);
    assert_int_equal(region_of(rich_fd, VFIO_PCI_CONFIG_REGION_INDEX).size, 4096);
    info = region_of(rich_fd, 2); /* I/O ports */
    assert_int_equal(info.size, 32);
    assert_int_equal(info.flags, rw);
    info = region_of(rich_fd, 4); /* less than a page */
    assert_int_equal(info.size, 256);
    assert_int_equal(info.flags, rw);
    info.index = VFIO_PCI_VGA_REGION_INDEX;
    assert_int_equal(call(fd, VFIO_DEVICE_GET_REGION_INFO, &info), -EINVAL);
    info.index = 0xffffffff;
    assert_int_equal(call(fd, VFIO_DEVICE_GET_REGION_INFO, &info), -EINVAL);
    info = (struct vfio_region_info){.argsz = 31};
    assert_int_equal(call(fd, VFIO_DEVICE_GET_REGION_INFO, &info), -EINVAL);
}

/* Where interrupts are remapped the BAR is like any other, and a capability says that it is. */
static void the_vector_table_is_mapped(void **state)
{
    struct {
        struct vfio_region_info region;
        struct vfio_info_cap_header cap;
        uint8_t rest[16];
    } info = {.region = {.argsz = sizeof(info.region) + sizeof(info.cap)}, .rest = {0x77}};
    int fd = open_device(RICH);

    assert_int_equal(call(fd, VFIO_DEVICE_GET_REGION_INFO, &info), 0);
    assert_int_equal(info.region.flags, VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
                                            VFIO_REGION_INFO_FLAG_MMAP |
                                            VFIO_REGION_INFO_FLAG_CAPS);
    assert_int_equal(info.region.cap_offset, 32);
    assert_int_equal(info.region.argsz, 40);
    assert_int_equal(info.cap.id, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE);
    assert_int_equal(info.cap.version, 1);
    assert_int_equal(info.cap.next, 0);
    assert_int_equal(info.rest[0], 0x77); /* a header and no more */
    info.region.argsz = 39;
    assert_int_equal(call(fd, VFIO_DEVICE_GET_REGION_INFO, &info), 0);
    assert_int_equal(info.region.argsz, 40);
    assert_int_equal(info.region.cap_offset, 0);
}

static void the_vector_table_is_left_out(void **state)
{
    struct {
        struct vfio_region_info region;
        uint8_t cap[64];
    } info = {.region = {.argsz = sizeof(info)}};
    struct vfio_region_info_cap_sparse_mmap *sparse = (void *)info.cap;
    int fd = open_device(RICH);

    host_remapped = false;
    assert_int_equal(call(fd, VFIO_DEVICE_GET_REGION_INFO, &info), 0);
    assert_true(info.region.flags & VFIO_REGION_INFO_FLAG_CAPS);
    assert_int_equal(info.region.cap_offset, 32);
    assert_int_equal(sparse->header.id, VFIO_REGION_INFO_CAP_SPARSE_MMAP);
    assert_int_equal(sparse->header.version, 1);
    assert_int_equal(sparse->header.next, 0);
    assert_int_equal(sparse->nr_areas, 2);
    assert_int_equal(sparse->areas[0].offset, 0);
    assert_int_equal(sparse->areas[0].size, 0x2000);
    assert_int_equal(sparse->areas[1].offset, 0x3000);
    assert_int_equal(sparse->areas[1].size, 0x1000);
    /* Too little room: how much is needed, and nothing written behind the structure. */
    memset(&info, 0xee, sizeof(info));
    info.region.argsz = 79;
    info.region.index = 0;
    assert_int_equal(call(fd, VFIO_DEVICE_GET_REGION_INFO, &info), 0);
    assert_int_equal(info.region.argsz, 80);
    assert_int_equal(info.region.cap_offset, 0);
    assert_int_equal(info.cap[0], 0xee);
}

static void interrupt_information(void **state)
{
    static const struct {
        uint32_t index, flags, count;
    } expected[] = {{0, 7, 0}, {1, 9, 4}, {2, 9, 8}, {3, 9, 1}, {4, 9, 1}};
    int fd = open_device(RICH), plain_fd = open_device(PLAIN);
    struct vfio_irq_info info = {.argsz = sizeof(info)};

    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        info.index = expected[i].index;
        assert_int_equal(call(fd, VFIO_DEVICE_GET_IRQ_INFO, &info), 0);
        assert_int_equal(info.flags, expected[i].flags);
        assert_int_equal(info.count, expected[i].count);
    }
    info.index = VFIO_PCI_MSIX_IRQ_INDEX;
    assert_int_equal(call(plain_fd, VFIO_DEVICE_GET_IRQ_INFO, &info), 0);
    assert_int_equal(info.count, 0);
    info.index = VFIO_PCI_ERR_IRQ_INDEX;
    assert_int_equal(call(plain_fd, VFIO_DEVICE_GET_IRQ_INFO, &info), -EINVAL);
    info.index = 5;
    assert_int_equal(call(fd, VFIO_DEVICE_GET_IRQ_INFO, &info), -EINVAL);
    info = (struct vfio_irq_info){.argsz = 15};
    assert_int_equal(call(fd, VFIO_DEVICE_GET_IRQ_INFO, &info), -EINVAL);
    assert_int_equal(call(fd, VFIO_DEVICE_GET_IRQ_INFO, NULL), -EFAULT);
}

/* ---- regions ---- */

static void check_access(size_t i, paddr_t at, unsigned width, bool write)
{
    assert_true(i < sim_access_count);
    assert_int_equal(sim_accesses[i].at, at);
    assert_int_equal(sim_accesses[i].width, width);
    assert_int_equal(sim_accesses[i].write, write);
}

static void widths_follow_alignment(void **state)
{
    uint8_t bytes[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, back[16];
    int fd = open_device(PLAIN);

    assert_int_equal(write_at(fd, 0x40, bytes, 8), 8); /* two accesses, never one of 8 */
    assert_int_equal(sim_access_count, 2);
    check_access(0, 0xfd000040, 4, true);
    check_access(1, 0xfd000044, 4, true);
    assert_int_equal(sim_accesses[0].value, 0x04030201);
    sim_access_count = 0;
    assert_int_equal(read_at(fd, 0x41, back, 7), 7);
    assert_int_equal(sim_access_count, 3);
    check_access(0, 0xfd000041, 1, false);
    check_access(1, 0xfd000042, 2, false);
    check_access(2, 0xfd000044, 4, false);
    assert_memory_equal(back, bytes + 1, 7);
    sim_access_count = 0;
    assert_int_equal(read_at(fd, MIB - 2, back, 16), 2); /* cut at the end of the BAR */
    check_access(0, 0xfd0ffffe, 2, false);
    sim_access_count = 0;
    assert_int_equal(read_at(fd, MIB, back, 1), -EINVAL);
    assert_int_equal(read_at(fd, REGION(1), back, 1), -EINVAL);
    assert_int_equal(read_at(fd, REGION(6), back, 1), -EINVAL);
    assert_int_equal(read_at(fd, REGION(9), back, 1), -EINVAL);
    assert_int_equal(read_at(fd, UINT64_MAX, back, 1), -EINVAL);
    assert_int_equal(read_at(fd, 0, back, 0), 0);
    assert_int_equal(read_at(fd, 0x40, NULL, 4), -EFAULT);
    assert_int_equal(write_at(fd, 0x40, NULL, 4), -EFAULT);
    assert_int_equal(sim_access_count, 1); /* the value was read before the buffer failed */
    host_bad_user = (struct phys_run){user_address(back + 8), 8};
    assert_int_equal(read_at(fd, 0x40, back, 16), 8); /* what was done counts */
}

static void ports(void **state)
{
    uint32_t value = 0xabcdef01;
    int fd = open_device(RICH);

    assert_int_equal(write_at(fd, REGION(2) + 4, &value, 4), 4);
    assert_int_equal(host_port.port, 0xc004);
    assert_int_equal(host_port.width, 4);
    assert_true(host_port.write);
    host_port.value = 0x1234;
    assert_int_equal(read_at(fd, REGION(2) + 2, &value, 2), 2);
    assert_int_equal(host_port.port, 0xc002);
    assert_int_equal(host_port.width, 2);
    assert_int_equal(value & 0xffff, 0x1234);
    assert_int_equal(read_at(fd, REGION(2) + 31, &value, 4), 1);
    assert_int_equal(write_at(fd, REGION(2) + 31, &value, 4), 1);
    assert_int_equal(host_port.width, 1);
    assert_int_equal(write_at(fd, REGION(2) + 30, &value, 2), 2);
    assert_int_equal(read_at(fd, REGION(2), &value, 4), 4);
    write_command(fd, PCI_COMMAND_MEMORY);
    assert_int_equal(read_at(fd, REGION(2), &value, 4), -EIO);
    assert_int_equal(hardware_command(rich) & PCI_COMMAND_IO, 0);
}

static void the_vector_table_is_out_of_reach(void **state)
{
    uint32_t value[4] = {1, 2, 3, 4};
    int fd = open_device(RICH);

    assert_int_equal(write_at(fd, 0x2000, value, 16), 16);
    assert_int_equal(write_at(fd, 0x207c, value, 8), 8); /* the last four bytes, and four beyond */
    assert_int_equal(sim_access_count, 1);
    check_access(0, 0xfe002080, 4, true);
    assert_int_equal(read_at(fd, 0x2000, value, 4), 4);
    assert_int_equal(value[0], 0xffffffff);
    assert_int_equal(read_at(fd, 0x3000, value, 4), 4); /* pending bits may be read */
    check_access(1, 0xfe003000, 4, false);
}

static void configuration_space(void **state)
{
    uint32_t value = 0;
    uint8_t all[256];
    int fd = open_device(PLAIN);

    assert_int_equal(read_at(fd, CONFIG, &value, 4), 4);
    assert_int_equal(value, 0x11e81234);
    assert_int_equal(read_at(fd, CONFIG, all, 256), 256);
    assert_int_equal(all[3], 0x11);
    assert_int_equal(read_at(fd, CONFIG + 1, &value, 3), 3);
    assert_int_equal(read_at(fd, CONFIG + 254, &value, 4), -EFAULT);
    assert_int_equal(read_at(fd, CONFIG + 256, &value, 1), -EFAULT);
    assert_int_equal(write_at(fd, CONFIG + PCI_COMMAND, NULL, 2), -EFAULT);
}

static void the_command_register_is_followed(void **state)
{
    int fd = open_device(RICH);
    struct pci_device *device = pci_find(0, RICH);

    assert_int_equal(read_command(fd), PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    assert_int_equal(hardware_command(rich), 0x403);
    write_command(fd, 0xffff);
    assert_int_equal(read_command(fd), 0x547);
    assert_int_equal(hardware_command(rich), 0x407); /* no SERR, no parity, no INTx */
    write_command(fd, 0);
    assert_int_equal(hardware_command(rich), 0x400);
    device->stopped = true; /* it faulted too often */
    write_command(fd, 7);
    assert_int_equal(hardware_command(rich), 0x403);
    device->stopped = false;
    write_command(fd, 7);
    assert_int_equal(fd_close(fd), 0);
    assert_int_equal(hardware_command(rich) & PCI_COMMAND_MASTER, 0);
}

/* Only a device with I/O BARs may decode I/O. */
static void no_io_decoding_without_ports(void **state)
{
    int fd = open_device(PLAIN);

    write_command(fd, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    assert_int_equal(hardware_command(plain), 0x406);
}

/* ---- mapped BARs ---- */

static unsigned revokes, restores;

static void note_revoke(struct memobj_watcher *watcher)
{
    /* Decoding must still be on when translations go. */
    assert_int_equal(hardware_command(rich) & PCI_COMMAND_MEMORY, PCI_COMMAND_MEMORY);
    revokes++;
}

static void note_restore(struct memobj_watcher *watcher)
{
    assert_int_equal(hardware_command(rich) & PCI_COMMAND_MEMORY, PCI_COMMAND_MEMORY);
    restores++;
}

static void mapping_rules(void **state)
{
    struct memobj *object;
    struct phys_run run;
    uint64_t at;
    int fd = open_device(RICH), plain_fd = open_device(PLAIN);

    assert_int_equal(map(plain_fd, 0, MIB, true, &object, &at), 0);
    assert_int_equal(at, 0);
    assert_int_equal(object->flags, MEMOBJ_DEVICE);
    memobj_put(object);
    assert_int_equal(map(plain_fd, 0x4000, 0x1000, true, &object, &at), 0);
    assert_int_equal(at, 0x4000);
    memobj_put(object);
    assert_int_equal(map(plain_fd, 0, MIB, false, &object, &at), -EINVAL);
    assert_int_equal(map(plain_fd, 0, MIB + 0x1000, true, &object, &at), -EINVAL);
    assert_int_equal(map(plain_fd, 0x1000, MIB, true, &object, &at), -EINVAL);
    assert_int_equal(map(plain_fd, MIB, 0x1000, true, &object, &at), -EINVAL);
    assert_int_equal(map(plain_fd, 0x1000, UINT64_MAX & ~0xfffull, true, &object, &at), -EINVAL);
    assert_int_equal(map(plain_fd, REGION(1), 0x1000, true, &object, &at), -EINVAL);
    assert_int_equal(map(plain_fd, CONFIG, 0x1000, true, &object, &at), -EINVAL);
    assert_int_equal(map(plain_fd, REGION(9), 0x1000, true, &object, &at), -EINVAL);
    assert_int_equal(map(fd, REGION(2), 0x1000, true, &object, &at), -EINVAL); /* ports */
    assert_int_equal(map(fd, REGION(4), 0x1000, true, &object, &at), -EINVAL); /* below a page */
    /* All of it, with the vector table; but not its page where interrupts are not remapped. */
    assert_int_equal(map(fd, 0, 0x4000, true, &object, &at), 0);
    assert_int_equal(memobj_run(object, 0, 0x4000, &run), 0);
    assert_int_equal(run.length, 0x4000);
    memobj_put(object);
    assert_int_equal(fd_close(fd), 0);
    fd = open_device(RICH);
    host_remapped = false;
    rich->answers_from = SIM_NEVER; /* as in a reset: it does not say where its table is */
    assert_int_equal(map(fd, 0, 0x4000, true, &object, &at), -EINVAL);
    rich->answers_from = 0;
    assert_int_equal(map(fd, 0x2000, 0x1000, true, &object, &at), -EINVAL);
    assert_int_equal(map(fd, 0, 0x4000, true, &object, &at), -EINVAL);
    assert_int_equal(map(fd, 0x1000, 0x2000, true, &object, &at), -EINVAL);
    assert_int_equal(map(fd, 0x3000, 0x1000, true, &object, &at), 0);
    /* Whoever holds the object does not get there either. */
    assert_int_equal(memobj_run(object, 0, 0x4000, &run), 0);
    assert_int_equal(run.length, 0x2000);
    assert_int_equal(memobj_run(object, 0x2000, 0x1000, &run), -EFAULT);
    assert_int_equal(memobj_run(object, 0x3000, 0x1000, &run), 0);
    assert_int_equal(run.length, 0x1000);
    memobj_put(object);
    assert_int_equal(fd_close(fd), 0);
    fd = open_device(RICH);
    host_fail_nth(1);
    assert_int_equal(map(fd, 0, 0x2000, true, &object, &at), -ENOMEM);
}

static void mappings_vanish_and_come_back(void **state)
{
    struct memobj_watcher watcher = {.revoke = note_revoke, .restore = note_restore};
    uint16_t d3 = PCI_PM_D3HOT, d0 = 0;
    struct memobj *object;
    struct phys_run run;
    uint64_t at;
    uint32_t value;
    int fd = open_device(RICH);

    revokes = restores = 0;
    assert_int_equal(map(fd, 0, 0x2000, true, &object, &at), 0);
    memobj_watch(object, &watcher);
    assert_int_equal(memobj_run(object, 0x1000, 0x1000, &run), 0);
    assert_int_equal(run.base, 0xfe001000);
    write_command(fd, 0); /* decoding off */
    assert_int_equal(revokes, 1);
    assert_int_equal(memobj_run(object, 0, 0x1000, &run), -EIO);
    assert_int_equal(read_at(fd, 0, &value, 4), -EIO);
    assert_int_equal(write_at(fd, 0, &value, 4), -EIO);
    write_command(fd, PCI_COMMAND_MEMORY);
    assert_int_equal(restores, 1);
    assert_int_equal(memobj_run(object, 0, 0x1000, &run), 0);
    /* A lower power state hides it too. */
    assert_int_equal(write_at(fd, CONFIG + rich->pm + PCI_PM_CONTROL, &d3, 2), 2);
    assert_int_equal(revokes, 2);
    assert_int_equal(read_at(fd, 0, &value, 4), -EIO);
    assert_int_equal(write_at(fd, CONFIG + rich->pm + PCI_PM_CONTROL, &d0, 2), 2);
    assert_int_equal(restores, 2);
    /* So does a reset, while it lasts. */
    assert_int_equal(call(fd, VFIO_DEVICE_RESET, NULL), 0);
    assert_int_equal(revokes, 3);
    assert_int_equal(restores, 3);
    /* After the last close it is gone for good, even when the device is opened again. */
    assert_int_equal(fd_close(fd), 0);
    assert_int_equal(revokes, 4);
    fd = open_device(RICH);
    assert_int_equal(memobj_run(object, 0, 0x1000, &run), -EIO);
    memobj_unwatch(&watcher);
    memobj_put(object);
    write_command(fd, 0);
    assert_int_equal(map(fd, 0, 0x2000, true, &object, &at), 0); /* mapped while hidden */
    assert_int_equal(memobj_run(object, 0, 0x1000, &run), -EIO);
    write_command(fd, PCI_COMMAND_MEMORY);
    assert_int_equal(memobj_run(object, 0, 0x1000, &run), 0);
    memobj_put(object);
}

/* ---- interrupts ---- */

/* struct vfio_irq_set with its data. */
static struct {
    uint32_t argsz, flags, index, start, count;
    int32_t fds[16];
} irq;

_Static_assert(offsetof(struct vfio_irq_set, data) == 20, "the data follow five words");

/* A SET_IRQS call whose data, if any, are in irq.fds. */
static int64_t set_irqs(int fd, uint32_t flags, uint32_t index, uint32_t start, uint32_t count)
{
    irq.argsz = sizeof(irq);
    irq.flags = flags;
    irq.index = index;
    irq.start = start;
    irq.count = count;
    return call(fd, VFIO_DEVICE_SET_IRQS, &irq);
}

#define MSI     VFIO_PCI_MSI_IRQ_INDEX
#define MSIX    VFIO_PCI_MSIX_IRQ_INDEX
#define ERR     VFIO_PCI_ERR_IRQ_INDEX
#define REQ     VFIO_PCI_REQ_IRQ_INDEX
#define NONE    VFIO_IRQ_SET_DATA_NONE
#define BOOL    VFIO_IRQ_SET_DATA_BOOL
#define EVENT   VFIO_IRQ_SET_DATA_EVENTFD
#define MASK    VFIO_IRQ_SET_ACTION_MASK
#define UNMASK  VFIO_IRQ_SET_ACTION_UNMASK
#define TRIGGER VFIO_IRQ_SET_ACTION_TRIGGER

static void bad_interrupt_calls(void **state)
{
    int fd = open_device(RICH);

    memset(irq.fds, 0xff, sizeof(irq.fds));
    assert_int_equal(call(fd, VFIO_DEVICE_SET_IRQS, NULL), -EFAULT);
    irq.argsz = 19;
    irq.flags = NONE | TRIGGER;
    assert_int_equal(call(fd, VFIO_DEVICE_SET_IRQS, &irq), -EINVAL);
    irq.argsz = 27; /* one byte short of two descriptors */
    irq.flags = EVENT | TRIGGER;
    irq.index = MSI;
    irq.count = 2;
    assert_int_equal(call(fd, VFIO_DEVICE_SET_IRQS, &irq), -EINVAL);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, 5, 0, 1), -EINVAL);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER | 64, MSI, 0, 1), -EINVAL);
    /* Sums that wrap must not slip through (CVE-2016-9083, CVE-2016-9084). */
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSI, 4, 0), -EINVAL);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSI, 3, 2), -EINVAL);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSI, 1, 0xffffffff), -EINVAL);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSI, 0xffffffff, 1), -EINVAL);
    assert_int_equal(set_irqs(fd, BOOL | TRIGGER, MSI, 2, 0xfffffffe), -EINVAL);
    /* One data type, else EINVAL; one action, else ENOTTY. */
    assert_int_equal(set_irqs(fd, TRIGGER, MSI, 0, 1), -EINVAL);
    assert_int_equal(set_irqs(fd, EVENT | BOOL | TRIGGER, MSI, 0, 1), -EINVAL);
    assert_int_equal(set_irqs(fd, EVENT, MSI, 0, 1), -ENOTTY);
    assert_int_equal(set_irqs(fd, EVENT | MASK | TRIGGER, MSI, 0, 1), -ENOTTY);
    assert_int_equal(set_irqs(fd, NONE | MASK, MSI, 0, 1), -ENOTTY);
    assert_int_equal(set_irqs(fd, NONE | UNMASK, MSIX, 0, 1), -ENOTTY);
    assert_int_equal(set_irqs(fd, NONE | MASK, REQ, 0, 1), -ENOTTY);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, VFIO_PCI_INTX_IRQ_INDEX, 0, 0), -EINVAL);
    /* Nothing is enabled. */
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, MSI, 0, 0), -EINVAL);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, MSI, 0, 1), -EINVAL);
    assert_int_equal(set_irqs(fd, BOOL | TRIGGER, MSI, 0, 1), -EINVAL);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSI, 0, 0), -ERANGE);
    host_bad_user = (struct phys_run){user_address(irq.fds), 4};
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSI, 0, 1), -EFAULT);
}

static void vectors_reach_eventfds(void **state)
{
    struct file *a, *b;
    int fd = open_device(RICH), a_fd = new_eventfd(&a), b_fd = new_eventfd(&b);

    irq.fds[0] = a_fd;
    irq.fds[1] = -1;
    irq.fds[2] = b_fd;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 1, 3), 0); /* vectors 0 to 3 */
    assert_int_equal(host_irqs->count, 4);
    assert_int_equal(host_irqs->kind, IRQ_MSIX);
    assert_true(host_irqs->masked[0]);
    assert_false(host_irqs->masked[1]);
    assert_true(host_irqs->masked[2]);
    assert_false(host_irqs->masked[3]);
    host_irqs->handler(host_irqs->context, 1);
    host_irqs->handler(host_irqs->context, 2);
    host_irqs->handler(host_irqs->context, 3);
    host_irqs->handler(host_irqs->context, 3);
    assert_int_equal(eventfd_take(a), 1);
    assert_int_equal(eventfd_take(b), 2);
    /* By hand: all, or those that are marked. */
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, MSIX, 0, 4), 0);
    assert_int_equal(eventfd_take(a), 1);
    assert_int_equal(eventfd_take(b), 1);
    memcpy(irq.fds, "\0\1\1\0", 4);
    assert_int_equal(set_irqs(fd, BOOL | TRIGGER, MSIX, 0, 4), 0);
    assert_int_equal(eventfd_take(a), 1);
    assert_int_equal(eventfd_take(b), 0);
    /* Another eventfd for a vector, and none. */
    irq.fds[0] = b_fd;
    irq.fds[1] = a_fd;
    irq.fds[2] = -1;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 1, 3), 0);
    host_irqs->handler(host_irqs->context, 1);
    host_irqs->handler(host_irqs->context, 3);
    assert_int_equal(eventfd_take(b), 1);
    assert_int_equal(eventfd_take(a), 0);
    assert_false(host_irqs->masked[2]);
    assert_true(host_irqs->masked[3]);
    /* The set does not grow, the other kind has to wait, and the eventfds outlive their close. */
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 3, 2), -EINVAL);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSI, 0, 1), -EINVAL);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, MSI, 0, 0), -EINVAL);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, MSIX, 3, 2), -EINVAL);
    fd_close(a_fd);
    host_irqs->handler(host_irqs->context, 2);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, MSIX, 0, 0), 0);
    assert_null(host_irqs);
    irq.fds[0] = b_fd;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSI, 0, 1), 0);
    assert_int_equal(host_irqs->kind, IRQ_MSI);
}

static void triggers_are_set_whole_or_not_at_all(void **state)
{
    struct file *a, *b;
    int fd = open_device(RICH), a_fd = new_eventfd(&a), b_fd = new_eventfd(&b);

    irq.fds[0] = a_fd;
    irq.fds[1] = 77; /* closed */
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 0, 2), -EBADF);
    assert_null(host_irqs);
    irq.fds[1] = fd; /* no eventfd */
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 0, 2), -EINVAL);
    assert_null(host_irqs);
    host_irq_error = -ENOSPC;
    irq.fds[1] = a_fd;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 0, 2), -ENOSPC);
    host_irq_error = 0;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 0, 2), 0);
    irq.fds[0] = b_fd;
    irq.fds[1] = 77;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 0, 2), -EBADF);
    host_irqs->handler(host_irqs->context, 0); /* still the old one */
    assert_int_equal(eventfd_take(a), 1);
    assert_int_equal(eventfd_take(b), 0);
}

static void every_allocation_of_set_irqs_fails(void **state)
{
    struct file *a;
    int fd = open_device(RICH);
    int64_t result = -ENOMEM;
    size_t before;
    uint64_t n;

    irq.fds[0] = irq.fds[1] = new_eventfd(&a);
    before = heap_used();
    for (n = 1; result; n++) {
        host_fail_nth(n);
        result = set_irqs(fd, EVENT | TRIGGER, MSIX, 0, 2);
        if (host_failed()) {
            assert_int_equal(result, -ENOMEM);
            assert_null(host_irqs);
            assert_int_equal(heap_used(), before);
        }
    }
    host_fail_nth(0);
    assert_int_equal(n, 6); /* the data, the triggers, the vectors, the descriptors */
}

static void single_interrupts(void **state)
{
    struct file *a;
    int fd = open_device(RICH), plain_fd = open_device(PLAIN), a_fd = new_eventfd(&a);

    irq.fds[0] = a_fd;
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, REQ, 0, 1), -EINVAL);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, REQ, 0, 1), 0);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, ERR, 0, 1), 0);
    assert_int_equal(set_irqs(plain_fd, EVENT | TRIGGER, ERR, 0, 1), -EINVAL);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, REQ, 0, 0), -EINVAL);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, REQ, 0, 1), 0);
    assert_int_equal(eventfd_take(a), 1);
    irq.fds[0] = 0;
    assert_int_equal(set_irqs(fd, BOOL | TRIGGER, REQ, 0, 1), 0);
    assert_int_equal(eventfd_take(a), 0);
    assert_int_equal(set_irqs(fd, BOOL | TRIGGER, REQ, 0, 0), -EINVAL);
    irq.fds[0] = 1;
    assert_int_equal(set_irqs(fd, BOOL | TRIGGER, ERR, 0, 1), 0);
    assert_int_equal(eventfd_take(a), 1);
    irq.fds[0] = -2;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, REQ, 0, 1), -EINVAL);
    irq.fds[0] = 77;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, REQ, 0, 1), -EBADF);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, REQ, 0, 0), 0);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, REQ, 0, 1), -EINVAL);
    irq.fds[0] = -1;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, ERR, 0, 1), 0);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, ERR, 0, 0), -EINVAL);
}

/* ---- reset and the end ---- */

static void reset_of_a_device(void **state)
{
    struct file *a;
    int fd = open_device(RICH), plain_fd = open_device(PLAIN);
    unsigned resets = rich->resets;

    assert_int_equal(call(plain_fd, VFIO_DEVICE_RESET, NULL), -EINVAL);
    irq.fds[0] = new_eventfd(&a);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 2, 1), 0);
    write_command(fd, 7);
    host_irq_enables = 0;
    assert_int_equal(call(fd, VFIO_DEVICE_RESET, NULL), 0);
    assert_int_equal(rich->resets, resets + 1);
    assert_int_equal(read_command(fd), 7); /* as the payload set it */
    assert_int_equal(hardware_command(rich), 0x407);
    assert_int_equal(host_irq_enables, 0);    /* the vectors stay, */
    assert_int_equal(host_irqs->restored, 1); /* and are programmed again */
    assert_true(host_irqs->masked[1]);
    host_irqs->handler(host_irqs->context, 2);
    assert_int_equal(eventfd_take(a), 1);
}

static void reset_through_configuration_space(void **state)
{
    int fd = open_device(RICH), plain_fd = open_device(PLAIN);
    unsigned resets = rich->resets;
    uint16_t control = PCIE_DEVICE_CONTROL_FLR;

    write_command(fd, 7);
    assert_int_equal(write_at(fd, CONFIG + rich->pcie + PCIE_DEVICE_CONTROL, &control, 2), 2);
    assert_int_equal(rich->resets, resets + 1);
    assert_int_equal(read_command(fd), 7);
    assert_int_equal(hardware_command(rich), 0x407);
    assert_int_equal(write_at(plain_fd, CONFIG + 0x48, &control, 2), 2); /* nothing is there */
}

static uint32_t read_config(int fd, unsigned offset, unsigned width)
{
    uint32_t value = 0;

    assert_int_equal(read_at(fd, CONFIG + offset, &value, width), width);
    return value;
}

static void write_config(int fd, unsigned offset, unsigned width, uint32_t value)
{
    assert_int_equal(write_at(fd, CONFIG + offset, &value, width), width);
}

/* All that the payload can set is as it was, but for the power state. */
static void a_reset_keeps_what_was_set(void **state)
{
    int fd = open_device(RICH);
    unsigned control = rich->pcie + PCIE_DEVICE_CONTROL, power = rich->pm + PCI_PM_CONTROL;

    write_config(fd, PCI_COMMAND, 2, PCI_COMMAND_MASTER | PCI_COMMAND_SERR);
    write_config(fd, PCI_BAR0, 4, 0xabcd0000);
    write_config(fd, PCI_INTERRUPT_LINE, 1, 0x77);
    write_config(fd, PCI_CACHE_LINE, 1, 16);
    write_config(fd, control, 2, 0x5810);
    write_config(fd, power, 2, PCI_PM_D3HOT);
    assert_int_equal(call(fd, VFIO_DEVICE_RESET, NULL), 0);
    assert_int_equal(read_config(fd, PCI_COMMAND, 2), PCI_COMMAND_MASTER | PCI_COMMAND_SERR);
    assert_int_equal(read_config(fd, PCI_BAR0, 4), 0xabcd0004);
    assert_int_equal(read_config(fd, PCI_INTERRUPT_LINE, 1), 0x77);
    assert_int_equal(read_config(fd, PCI_CACHE_LINE, 1), 16);
    assert_int_equal(read_config(fd, control, 2), 0x5810);
    assert_int_equal(read_config(fd, power, 2) & PCI_PM_STATE, 0);
    assert_int_equal(hardware_command(rich), PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
    assert_int_equal(sim_get(rich, PCI_BAR0, 4), 0xfe000004);
    assert_int_equal(sim_get(rich, control, 2), 0x5810);
    assert_int_equal(sim_get(rich, PCI_CACHE_LINE, 1), 16);
    /* The next user gets the device as the machine started with it. */
    assert_int_equal(fd_close(fd), 0);
    fd = open_device(RICH);
    assert_int_equal(read_config(fd, PCI_COMMAND, 2), 3);
    assert_int_equal(read_config(fd, PCI_BAR0, 4), 0xfe000004);
    assert_int_equal(read_config(fd, PCI_CACHE_LINE, 1), 0);
}

static void a_device_that_does_not_come_back(void **state)
{
    struct file *a;
    uint32_t value;
    int fd = open_device(RICH);

    irq.fds[0] = new_eventfd(&a);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 0, 1), 0);
    rich->reset_time = SIM_NEVER;
    assert_int_equal(call(fd, VFIO_DEVICE_RESET, NULL), -EIO);
    assert_int_equal(read_at(fd, 0, &value, 4), -EIO);
    assert_null(host_irqs);
    assert_int_equal(fd_close(fd), 0); /* ends all the same */
}

/* Even when it answers again later: its BARs are where the reset put them, until another reset. */
static void a_lost_device_stays_silent(void **state)
{
    struct file *a;
    uint32_t value;
    int fd = open_device(RICH);

    irq.fds[0] = new_eventfd(&a);
    write_command(fd, 7);
    rich->reset_time = 5 * NS_PER_S;
    assert_int_equal(call(fd, VFIO_DEVICE_RESET, NULL), -EIO);
    host_time_to(host_now_ns + rich->reset_time);
    write_command(fd, 7);
    assert_int_equal(hardware_command(rich), PCI_COMMAND_INTX_DISABLE);
    assert_int_equal(read_at(fd, 0, &value, 4), -EIO);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 0, 1), -EIO);
    rich->reset_time = 0;
    assert_int_equal(call(fd, VFIO_DEVICE_RESET, NULL), 0);
    assert_int_equal(hardware_command(rich), 0x407);
    assert_int_equal(read_at(fd, 0, &value, 4), 4);
    /* A new user has nothing of it. */
    rich->reset_time = 5 * NS_PER_S;
    assert_int_equal(call(fd, VFIO_DEVICE_RESET, NULL), -EIO);
    host_time_to(host_now_ns + rich->reset_time);
    rich->reset_time = 0;
    assert_int_equal(fd_close(fd), 0);
    fd = open_device(RICH);
    write_command(fd, 7);
    assert_int_equal(hardware_command(rich), 0x407);
}

static void stop_device(struct memobj_watcher *watcher)
{
    pci_find(0, RICH)->stopped = true;
}

/* Revoking sleeps, and the device may be stopped for its faults then. */
static void a_device_stopped_meanwhile_stays_stopped(void **state)
{
    struct memobj_watcher watcher = {.revoke = stop_device, .restore = note_restore};
    struct memobj *object;
    uint64_t at;
    int fd = open_device(RICH);

    write_command(fd, PCI_COMMAND_MEMORY);
    assert_int_equal(map(fd, 0, 0x2000, true, &object, &at), 0);
    memobj_watch(object, &watcher);
    write_command(fd, PCI_COMMAND_MASTER);
    assert_true(pci_find(0, RICH)->stopped);
    assert_int_equal(hardware_command(rich) & PCI_COMMAND_MASTER, 0);
    pci_find(0, RICH)->stopped = false;
    memobj_unwatch(&watcher);
    memobj_put(object);
}

static struct memobj *watched;
static bool left;

/* When the group leaves its container, memory is about to be unmapped and unpinned. */
static void check_stopped(struct pci_group *group)
{
    struct phys_run run;

    left = true;
    assert_int_equal(hardware_command(rich) & PCI_COMMAND_MASTER, 0);
    assert_true(rich->resets >= 2); /* when it was opened, and now */
    assert_int_equal(memobj_run(watched, 0, 0x1000, &run), -EIO);
    assert_null(host_irqs);
    /* Unbinding lets others in, who must not get the device before it is done. */
    assert_int_equal(pci_find(0, RICH)->claimed_by != NULL, host_bound != NULL);
}

/* Every way to the end is this one: closing politely, dying with everything open. */
static void the_device_stops_before_its_memory_goes(void **state)
{
    struct file *a, *file;
    uint64_t at;
    int group = group_in_container(RICH), fd, second;

    left = false;
    host_on_leave = check_stopped;
    fd = (int)call(group, VFIO_GROUP_GET_DEVICE_FD, "0000:00:03.0");
    second = (int)call(group, VFIO_GROUP_GET_DEVICE_FD, "0000:00:03.0");
    assert_int_equal(rich->resets, 1); /* the second file shares the device as it is */
    assert_int_equal(map(fd, 0, 0x2000, true, &watched, &at), 0);
    irq.fds[0] = new_eventfd(&a);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 0, 1), 0);
    write_command(fd, 7);
    assert_int_equal(fd_close(group), 0);
    assert_int_equal(fd_close(fd), 0);
    assert_int_equal(rich->resets, 1);
    assert_false(left);
    assert_int_equal(host_open_group(RICH, &file), -EBUSY); /* open through the device */
    assert_int_equal(read_command(second), 7);
    assert_int_equal(fd_close(second), 0);
    assert_true(left);
    memobj_put(watched);
    assert_int_equal(host_open_group(RICH, &file), 0);
    file_put(file);
}

/* ---- files of their own, bound to an iommufd ---- */

static int open_own(pci_rid_t rid)
{
    struct file *file;

    assert_int_equal(host_open_device(rid, &file), 0);
    return install(file);
}

static int bind_own(int fd, int iommufd)
{
    struct vfio_device_bind_iommufd bind = {.argsz = 16, .iommufd = iommufd};
    int error = (int)call(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind);

    if (!error)
        assert_int_equal(bind.out_devid, 42);
    return error;
}

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

static void binding_rules(void **state)
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

static void attaching(void **state)
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

static void a_bound_device_stops_before_it_is_unbound(void **state)
{
    uint64_t at;
    int fd = open_own(RICH);

    left = false;
    assert_int_equal(bind_own(fd, install(host_iommufd_create())), 0);
    assert_int_equal(map(fd, 0, 0x2000, true, &watched, &at), 0);
    write_command(fd, 7);
    host_on_leave = check_stopped;
    assert_int_equal(fd_close(fd), 0);
    assert_true(left);
    memobj_put(watched);
}

static void an_iommufd_as_container(void **state)
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

static int build(void **state)
{
    host_machine_build();
    return 0;
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_group_is_open_once),
        TEST(group_status),
        TEST(containers),
        TEST(reserved_memory),
        TEST(registration_fails_with_a_sentence),
        TEST(device_names),
        TEST(no_descriptor_left),
        TEST(opening_fails_whole),
        TEST(device_information),
        TEST(region_information),
        TEST(the_vector_table_is_mapped),
        TEST(the_vector_table_is_left_out),
        TEST(interrupt_information),
        TEST(widths_follow_alignment),
        TEST(ports),
        TEST(the_vector_table_is_out_of_reach),
        TEST(configuration_space),
        TEST(the_command_register_is_followed),
        TEST(no_io_decoding_without_ports),
        TEST(mapping_rules),
        TEST(mappings_vanish_and_come_back),
        TEST(bad_interrupt_calls),
        TEST(vectors_reach_eventfds),
        TEST(triggers_are_set_whole_or_not_at_all),
        TEST(every_allocation_of_set_irqs_fails),
        TEST(single_interrupts),
        TEST(reset_of_a_device),
        TEST(reset_through_configuration_space),
        TEST(a_reset_keeps_what_was_set),
        TEST(a_device_that_does_not_come_back),
        TEST(a_lost_device_stays_silent),
        TEST(a_device_stopped_meanwhile_stays_stopped),
        TEST(the_device_stops_before_its_memory_goes),
        TEST(nothing_works_before_bind),
        TEST(binding_rules),
        TEST(attaching),
        TEST(a_bound_device_stops_before_it_is_unbound),
        TEST(an_iommufd_as_container),
    };

    return cmocka_run_group_tests(tests, build, NULL);
}
