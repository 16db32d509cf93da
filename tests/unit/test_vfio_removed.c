/* SPDX-License-Identifier: BSD-2-Clause */
/* A device that was taken out of its slot while somebody uses it. */
#include "kernel/cpu/timer.h"
#include "kernel/pci/reset.h"
#include "tests/unit/vfio_fixture.h"

/* Nothing answers any more; a little later the kernel knows. */
static void pull(pci_rid_t rid, struct sim_function *f)
{
    struct pci_device *d = pci_find(0, rid);

    f->answers_from = SIM_NEVER;
    d->removed = d->in_reset = true;
}

/* For the tests behind this one: the same device is back in its slot. */
static void put_back(pci_rid_t rid, struct sim_function *f)
{
    struct pci_device *d = pci_find(0, rid);

    f->answers_from = 0;
    d->removed = d->in_reset = d->lost = false;
    pci_config_restore(d);
}

static unsigned gone;

static void count_revoke(struct memobj_watcher *watcher)
{
    gone++;
}

static struct file *bind_single(int fd, unsigned index)
{
    struct file *file;

    irq.fds[0] = new_eventfd(&file);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, index, 0, 1), 0);
    return file;
}

static void its_user_is_told_and_gets_nothing_of_it(void **state)
{
    struct vfio_device_info info = {.argsz = sizeof(info)};
    struct memobj_watcher watcher = {.revoke = count_revoke, .restore = note_restore};
    int fd = open_device(RICH);
    struct file *error = bind_single(fd, ERR), *request = bind_single(fd, REQ);
    struct memobj *object;
    struct phys_run run;
    uint32_t value = 7;
    uint64_t at, before;

    (void)bind_single(fd, MSIX);
    assert_int_equal(map(fd, 0, 0x2000, true, &object, &at), 0);
    write_command(fd, 7);
    memobj_watch(object, &watcher);
    gone = 0;
    pull(RICH, rich);
    sim_config_writes = 0;
    vfio_removed(pci_find(0, RICH));
    assert_int_equal(gone, 1);
    assert_int_equal(memobj_run(object, 0, 0x1000, &run), -EIO);
    assert_null(host_irqs);
    assert_int_equal(eventfd_take(error), 1);
    assert_int_equal(eventfd_take(request), 1);
    assert_int_equal(read_at(fd, 0, &value, 4), -ENODEV);
    assert_int_equal(write_at(fd, 0, &value, 4), -ENODEV);
    assert_int_equal(read_at(fd, CONFIG, &value, 4), -ENODEV);
    assert_int_equal(write_at(fd, CONFIG + PCI_COMMAND, &value, 2), -ENODEV);
    assert_int_equal(call(fd, VFIO_DEVICE_GET_INFO, &info), -ENODEV);
    assert_int_equal(call(fd, VFIO_DEVICE_RESET, NULL), -ENODEV);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 0, 1), -ENODEV);
    assert_int_equal(map(fd, 0, 0x2000, true, &object, &at), -ENODEV);
    memobj_unwatch(&watcher);
    memobj_put(object);
    before = host_now_ns;
    assert_int_equal(fd_close(fd), 0); /* waits for nothing */
    assert_int_equal(host_now_ns, before);
    assert_int_equal(sim_config_writes, 0); /* what is there now is another's affair */
    put_back(RICH, rich);
}

static void nobody_gets_it_before_it_is_back(void **state)
{
    int group = group_in_container(RICH), fd;

    pull(RICH, rich);
    vfio_removed(pci_find(0, RICH)); /* nobody uses it: nothing happens */
    assert_int_equal(call(group, VFIO_GROUP_GET_DEVICE_FD, "0000:00:03.0"), -ENODEV);
    fd = open_own(RICH);
    assert_int_equal(bind_own(fd, install(host_iommufd_create())), -EBUSY);
    assert_int_equal(fd_close(group), 0);
    assert_int_equal(bind_own(fd, install(host_iommufd_create())), -ENODEV);
    put_back(RICH, rich);
    assert_int_equal(bind_own(fd, install(host_iommufd_create())), 0);
}

/* The mark comes when it comes: in the middle of the waits of a reset. */
static void take_out_in_reset(struct timer *timer)
{
    pull(RICH, rich);
}

static void a_reset_does_not_wait_for_it(void **state)
{
    int fd = open_device(RICH);
    uint64_t before = host_now_ns;
    struct timer hand;

    rich->reset_time = SIM_NEVER;
    timer_init(&hand, take_out_in_reset);
    timer_set(&hand, before + 200 * NS_PER_MS);
    assert_int_equal(call(fd, VFIO_DEVICE_RESET, NULL), -EIO);
    assert_true(host_now_ns - before < NS_PER_S);
    assert_int_equal(call(fd, VFIO_DEVICE_RESET, NULL), -ENODEV);
    put_back(RICH, rich);
}

/* In low power it is not woken, and the next user finds it awake. */
static void low_power_ends_with_it(void **state)
{
    struct vfio_device_feature entry = {.argsz = sizeof(entry),
                                        .flags = VFIO_DEVICE_FEATURE_SET |
                                                 VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY};
    int fd = open_device(RICH);
    uint32_t value;

    assert_int_equal(call(fd, VFIO_DEVICE_FEATURE, &entry), 0);
    pull(RICH, rich);
    vfio_removed(pci_find(0, RICH));
    assert_int_equal(read_at(fd, 0, &value, 4), -ENODEV);
    assert_int_equal(fd_close(fd), 0);
    put_back(RICH, rich);
    fd = open_device(RICH);
    write_command(fd, PCI_COMMAND_MEMORY);
    assert_int_equal(read_at(fd, 0, &value, 4), 4);
    assert_int_equal(call(fd, VFIO_DEVICE_FEATURE, &entry), 0); /* it has not entered yet */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(its_user_is_told_and_gets_nothing_of_it),
        TEST(nobody_gets_it_before_it_is_back),
        TEST(a_reset_does_not_wait_for_it),
        TEST(low_power_ends_with_it),
    };

    return cmocka_run_group_tests(tests, build, NULL);
}
