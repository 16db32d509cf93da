/* SPDX-License-Identifier: BSD-2-Clause */
/* DEVICE_FEATURE: what is there, and low power. */
#include "tests/unit/vfio_fixture.h"

#define GET   VFIO_DEVICE_FEATURE_GET
#define SET   VFIO_DEVICE_FEATURE_SET
#define PROBE VFIO_DEVICE_FEATURE_PROBE
#define ENTRY VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY
#define WAKE  VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP
#define EXIT  VFIO_DEVICE_FEATURE_LOW_POWER_EXIT

static struct {
    uint32_t argsz, flags;
    int32_t fd;
    uint32_t reserved;
} ask;

static int64_t feature(int fd, uint32_t flags, uint32_t argsz)
{
    ask.argsz = argsz;
    ask.flags = flags;
    return call(fd, VFIO_DEVICE_FEATURE, &ask);
}

static void features_are_probed(void **state)
{
    static const uint32_t absent[] = {0, 1, 2, 6, 7, 8, 9, 10, 11, 12, 0xffff};
    int fd = open_device(RICH);

    for (uint32_t index = ENTRY; index <= EXIT; index++) {
        assert_int_equal(feature(fd, index | PROBE, 8), 0);
        assert_int_equal(feature(fd, index | PROBE | SET, 8), 0);
        assert_int_equal(feature(fd, index | PROBE | GET, 8), -EINVAL);
        assert_int_equal(feature(fd, index | PROBE | GET | SET, 8), -EINVAL);
        assert_int_equal(feature(fd, index | GET, 16), -EINVAL);
        assert_int_equal(feature(fd, index | GET | SET, 16), -EINVAL);
        assert_int_equal(feature(fd, index, 16), -EINVAL);
        assert_int_equal(feature(fd, index | SET | 1u << 19, 16), -EINVAL);
        assert_int_equal(feature(fd, index | SET, 7), -EINVAL);
    }
    for (size_t i = 0; i < ARRAY_SIZE(absent); i++) {
        assert_int_equal(feature(fd, absent[i] | PROBE, 8), -ENOTTY);
        assert_int_equal(feature(fd, absent[i] | PROBE | GET | SET, 8), -ENOTTY);
        assert_int_equal(feature(fd, absent[i] | GET, 8), -ENOTTY);
        assert_int_equal(feature(fd, absent[i] | SET, 64), -ENOTTY);
        assert_int_equal(feature(fd, absent[i] | GET | SET, 8), -EINVAL);
        assert_int_equal(feature(fd, absent[i] | 1u << 31, 8), -EINVAL);
    }
    assert_int_equal(call(fd, VFIO_DEVICE_FEATURE, NULL), -EFAULT);
    assert_int_equal(hardware_command(rich), 0x403); /* nothing happened */
}

static uint64_t power_state(void)
{
    return sim_get(rich, rich->pm + PCI_PM_CONTROL, 2) & PCI_PM_STATE;
}

/* The device sleeps until it is used; mappings come back at the exit. */
static void low_power_until_the_exit(void **state)
{
    unsigned control = rich->pcie + PCIE_DEVICE_CONTROL;
    struct memobj *object;
    struct phys_run run;
    struct file *a;
    uint64_t at;
    uint32_t value = 0;
    int fd = open_device(RICH);

    irq.fds[0] = new_eventfd(&a);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 2, 1), 0);
    write_command(fd, 7);
    value = 0x5810;
    assert_int_equal(write_at(fd, CONFIG + control, &value, 2), 2);
    assert_int_equal(map(fd, 0, 0x2000, true, &object, &at), 0);
    assert_int_equal(feature(fd, ENTRY | SET, 8), 0);
    assert_int_equal(power_state(), PCI_PM_D3HOT);
    assert_int_equal(hardware_command(rich), 0x400);
    assert_int_equal(memobj_run(object, 0, 0x1000, &run), -EIO);
    assert_int_equal(read_at(fd, 0, &value, 4), 4); /* wakes it */
    assert_int_equal(power_state(), 0);
    assert_int_equal(hardware_command(rich), 0x407);
    assert_int_equal(host_irqs->restored, 1);
    assert_int_equal(memobj_run(object, 0, 0x1000, &run), -EIO);
    assert_int_equal(feature(fd, ENTRY | SET, 8), -EINVAL); /* it did not leave */
    ask.fd = irq.fds[0];
    assert_int_equal(feature(fd, WAKE | SET, 16), -EINVAL);
    write_command(fd, 7);
    assert_int_equal(memobj_run(object, 0, 0x1000, &run), -EIO);
    assert_int_equal(map(fd, 0, 0x2000, true, &object, &at), 0);
    assert_int_equal(memobj_run(object, 0, 0x1000, &run), -EIO);
    memobj_put(object);
    assert_int_equal(feature(fd, EXIT | SET, 8), 0);
    assert_int_equal(memobj_run(object, 0, 0x1000, &run), 0);
    assert_int_equal(sim_get(rich, control, 2), 0x5810);
    assert_int_equal(feature(fd, EXIT | SET, 8), 0);
    memobj_put(object);
}

/* It forgets its configuration on the way back: the record has it, and what the payload set. */
static void low_power_of_a_forgetful_device(void **state)
{
    unsigned control = rich->pcie + PCIE_DEVICE_CONTROL;
    uint32_t value = 0x5810;
    int fd = open_device(RICH);

    rich->pm_keeps_state = false;
    write_command(fd, 7);
    assert_int_equal(write_at(fd, CONFIG + control, &value, 2), 2);
    assert_int_equal(feature(fd, ENTRY | SET, 8), 0);
    sim_set(rich, PCI_BAR0, 4, 0, 0xffffc000);
    assert_int_equal(read_command(fd), 7);
    assert_int_equal(sim_get(rich, PCI_BAR0, 4), 0xfe000004);
    assert_int_equal(sim_get(rich, control, 2), 0x5810);
    assert_int_equal(hardware_command(rich), 0x407);
    rich->pm_keeps_state = true;
}

static void a_use_tells_the_wakeup(void **state)
{
    struct vfio_device_info info = {.argsz = sizeof(info)};
    struct memobj *object;
    struct phys_run run;
    struct file *event;
    uint64_t at;
    int fd = open_device(RICH), group = open_group(PLAIN);

    assert_int_equal(map(fd, 0, 0x2000, true, &object, &at), 0);
    ask.fd = -1;
    assert_int_equal(feature(fd, WAKE | SET, 16), -EINVAL);
    ask.fd = 77;
    assert_int_equal(feature(fd, WAKE | SET, 16), -EBADF);
    ask.fd = group;
    assert_int_equal(feature(fd, WAKE | SET, 16), -EINVAL);
    ask.fd = new_eventfd(&event);
    assert_int_equal(feature(fd, WAKE | SET, 15), -EINVAL);
    host_bad_user = (struct phys_run){user_address(&ask.fd), 4};
    assert_int_equal(feature(fd, WAKE | SET, 16), -EFAULT);
    host_bad_user = (struct phys_run){0};
    assert_int_equal(feature(fd, WAKE | SET, 16), 0);
    assert_int_equal(power_state(), PCI_PM_D3HOT);
    assert_int_equal(memobj_run(object, 0, 0x1000, &run), -EIO); /* no use: a fault */
    assert_int_equal(eventfd_take(event), 0);
    assert_int_equal(call(fd, VFIO_DEVICE_GET_INFO, &info), 0);
    assert_int_equal(eventfd_take(event), 1);
    assert_int_equal(power_state(), 0);
    assert_int_equal(memobj_run(object, 0, 0x1000, &run), 0); /* that was the exit */
    assert_int_equal(call(fd, VFIO_DEVICE_GET_INFO, &info), 0);
    assert_int_equal(eventfd_take(event), 0);
    /* The entry itself is a use, too. */
    assert_int_equal(feature(fd, WAKE | SET, 16), 0);
    assert_int_equal(feature(fd, WAKE | SET, 16), 0);
    assert_int_equal(eventfd_take(event), 1);
    assert_int_equal(fd_close(fd), 0); /* nobody is told */
    assert_int_equal(eventfd_take(event), 0);
    assert_int_equal(power_state(), 0);
    memobj_put(object);
}

/* In D3hot it could not finish them. */
static void what_is_in_flight_is_waited_for_before_the_sleep(void **state)
{
    uint64_t before;
    int fd = open_device(RICH);

    write_command(fd, 7);
    rich->pending_time = 300 * NS_PER_MS;
    before = host_now_ns;
    assert_int_equal(feature(fd, ENTRY | SET, 8), 0);
    assert_true(host_now_ns - before >= 300 * NS_PER_MS);
    assert_int_equal(power_state(), PCI_PM_D3HOT);
    rich->pending_time = 0;
}

static void never_works(const struct sim_function *f, const char *event)
{
    if (f == rich && strcmp(event, "bus mastering on") == 0)
        fail_msg("a device that is being given back works again");
}

/* It is reset from where it is, at full power but silent. */
static void the_last_close_does_not_wake_it_for_work(void **state)
{
    void (*note)(const struct sim_function *, const char *) = sim_on_change;
    int fd = open_device(RICH);

    write_command(fd, 7);
    assert_int_equal(feature(fd, ENTRY | SET, 8), 0);
    rich->resets = 0;
    sim_on_change = never_works;
    assert_int_equal(fd_close(fd), 0);
    sim_on_change = note;
    assert_int_equal(rich->resets, 1);
    assert_int_equal(power_state(), 0);
    fd = open_device(RICH); /* nothing is left of it */
    assert_int_equal(feature(fd, ENTRY | SET, 8), 0);
}

static void without_power_management_mappings_hide(void **state)
{
    struct memobj *object;
    struct phys_run run;
    uint64_t at;
    int fd = open_device(PLAIN);

    assert_int_equal(map(fd, 0, MIB, true, &object, &at), 0);
    write_command(fd, 6);
    assert_int_equal(feature(fd, ENTRY | SET, 8), 0);
    assert_int_equal(hardware_command(plain), 0x406); /* it goes on */
    assert_int_equal(memobj_run(object, 0, 0x1000, &run), -EIO);
    assert_int_equal(feature(fd, EXIT | SET, 8), 0);
    assert_int_equal(memobj_run(object, 0, 0x1000, &run), 0);
    memobj_put(object);
}

/* Its device TLB could not be told to forget: it stays at full power. */
static void a_device_that_caches_translations_stays_awake(void **state)
{
    int fd = open_device(RICH);

    pci_find(0, RICH)->ats = true;
    assert_int_equal(feature(fd, ENTRY | SET, 8), 0);
    pci_find(0, RICH)->ats = false;
    assert_int_equal(power_state(), 0);
    assert_int_equal(fd_close(fd), 0);
}

static void a_device_that_stays_asleep_is_lost(void **state)
{
    uint32_t value;
    int fd = open_device(RICH);

    assert_int_equal(feature(fd, ENTRY | SET, 8), 0);
    rich->answers_from = SIM_NEVER;
    assert_int_equal(read_at(fd, 0, &value, 4), -EIO);
    assert_int_equal(feature(fd, EXIT | SET, 8), 0);
    assert_int_equal(read_at(fd, 0, &value, 4), -EIO);
    rich->answers_from = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(features_are_probed),
        TEST(low_power_until_the_exit),
        TEST(low_power_of_a_forgetful_device),
        TEST(a_use_tells_the_wakeup),
        TEST(what_is_in_flight_is_waited_for_before_the_sleep),
        TEST(the_last_close_does_not_wake_it_for_work),
        TEST(without_power_management_mappings_hide),
        TEST(a_device_that_caches_translations_stays_awake),
        TEST(a_device_that_stays_asleep_is_lost),
    };

    return cmocka_run_group_tests(tests, build, NULL);
}
