/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls of a payload on the machine of vfio_host.h; nothing a test opened may be left. */
#ifndef TESTS_UNIT_VFIO_FIXTURE_H
#define TESTS_UNIT_VFIO_FIXTURE_H

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
#include "tests/qemu/payloads/irq_names.h"
#include "tests/unit/eventfd_take.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_thread.h"
#include "tests/unit/host_user.h"
#include "tests/unit/vfio_host.h"

#define REGION(index) ((uint64_t)(index) << 40)
#define CONFIG        REGION(VFIO_PCI_CONFIG_REGION_INDEX)

static size_t heap_before;

/* ---- calls as the payload makes them ---- */

static inline int64_t call(int fd, uint32_t command, const void *argument)
{
    struct file *file = fd_get(fd);
    int64_t result = -EBADF;

    if (file)
        result = file->ops->ioctl(file, command, user_address(argument));
    file_put(file);
    return result;
}

static inline int64_t read_at(int fd, uint64_t position, void *to, size_t length)
{
    struct file *file = fd_get(fd);
    int64_t result = file->ops->read(file, user_address(to), length, &position);

    file_put(file);
    return result;
}

static inline int64_t write_at(int fd, uint64_t position, const void *from, size_t length)
{
    struct file *file = fd_get(fd);
    int64_t result = file->ops->write(file, user_address(from), length, &position);

    file_put(file);
    return result;
}

static inline int map(int fd, uint64_t offset, uint64_t length, bool shared, struct memobj **out,
                      uint64_t *at)
{
    struct file *file = fd_get(fd);
    int result = file->ops->mmap(file, offset, length, 3, shared, out, at);

    file_put(file);
    return result;
}

static inline int install(struct file *file)
{
    int fd = fd_install(file, false);

    assert_true(fd >= 0);
    return fd;
}

static inline int open_group(pci_rid_t rid)
{
    struct file *file;

    assert_int_equal(host_open_group(rid, &file), 0);
    return install(file);
}

static inline int new_eventfd(struct file **out)
{
    *out = eventfd_create(0, 0);
    return install(*out);
}

/* A group in a container. */
static inline int group_in_container(pci_rid_t rid)
{
    int group = open_group(rid), container = install(host_container_create());

    assert_int_equal(call(group, VFIO_GROUP_SET_CONTAINER, &container), 0);
    assert_int_equal(fd_close(container), 0);
    return group;
}

/* A device, whose group was closed early. */
static inline int open_device(pci_rid_t rid)
{
    int group = group_in_container(rid);
    int64_t fd = call(group, VFIO_GROUP_GET_DEVICE_FD, pci_name(pci_find(0, rid)));

    assert_true(fd >= 0);
    assert_int_equal(fd_close(group), 0);
    sim_access_count = 0; /* the start looks for the expansion ROM */
    return (int)fd;
}

static inline uint16_t read_command(int fd)
{
    uint16_t command = 0;

    assert_int_equal(read_at(fd, CONFIG + PCI_COMMAND, &command, 2), 2);
    return command;
}

static inline void write_command(int fd, uint16_t command)
{
    assert_int_equal(write_at(fd, CONFIG + PCI_COMMAND, &command, 2), 2);
}

static inline uint64_t hardware_command(const struct sim_function *f)
{
    return sim_get(f, PCI_COMMAND, 2);
}

static inline int open_own(pci_rid_t rid)
{
    struct file *file;

    assert_int_equal(host_open_device(rid, &file), 0);
    return install(file);
}

static inline int bind_own(int fd, int iommufd)
{
    struct vfio_device_bind_iommufd bind = {.argsz = 16, .iommufd = iommufd};
    int error = (int)call(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind);

    if (!error)
        assert_int_equal(bind.out_devid, 42);
    return error;
}

/* ---- interrupts ---- */

/* struct vfio_irq_set with its data. */
static struct {
    uint32_t argsz, flags, index, start, count;
    int32_t fds[16];
} irq;

_Static_assert(offsetof(struct vfio_irq_set, data) == 20, "the data follow five words");

/* A SET_IRQS call whose data, if any, are in irq.fds. */
static inline int64_t set_irqs(int fd, uint32_t flags, uint32_t index, uint32_t start,
                               uint32_t count)
{
    irq.argsz = sizeof(irq);
    irq.flags = flags;
    irq.index = index;
    irq.start = start;
    irq.count = count;
    return call(fd, VFIO_DEVICE_SET_IRQS, &irq);
}

/* ---- mapped BARs ---- */

static unsigned revokes, restores;

static inline void note_revoke(struct memobj_watcher *watcher)
{
    /* Decoding must still be on when translations go. */
    assert_int_equal(hardware_command(rich) & PCI_COMMAND_MEMORY, PCI_COMMAND_MEMORY);
    revokes++;
}

static inline void note_restore(struct memobj_watcher *watcher)
{
    assert_int_equal(hardware_command(rich) & PCI_COMMAND_MEMORY, PCI_COMMAND_MEMORY);
    restores++;
}

/* ---- each test ---- */

static inline int setup(void **state)
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
    host_relaxable = false;
    sim_access_count = 0;
    rich->reset_time = 0;
    rich->resets = 0;
    rich->answers_from = 0;
    fd_close_all();
    heap_before = heap_used();
    return 0;
}

/* Everything that a test opened goes, and nothing may be left. */
static inline int teardown(void **state)
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

static inline int build(void **state)
{
    host_machine_build();
    return 0;
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

#endif
