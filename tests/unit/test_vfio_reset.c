/* SPDX-License-Identifier: BSD-2-Clause */
/* Reset of a device, and the order of its end. */
#include "tests/unit/vfio_fixture.h"

#include "kernel/pci/quiet.h"
#include "kernel/pci/reset.h"

/* ---- reset ---- */

static void a_reset_waits_and_keeps_the_command(void **state)
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

static void configuration_space_can_reset_the_device(void **state)
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

static void check_silent(void)
{
    assert_int_equal(sim_error(rich, PCI_AER_UNSUPPORTED), SIM_SILENT);
    assert_int_equal(sim_error(rich, PCI_AER_ACCESS_CONTROL), SIM_SILENT);
}

/* SERR, reporting and masks are not the payload's, whatever it writes, and before and after. */
static void its_errors_do_not_become_system_errors(void **state)
{
    static struct sim_function before;
    unsigned control = rich->pcie + PCIE_DEVICE_CONTROL, aer;
    uint32_t masks = PCI_AER_UNSUPPORTED | PCI_AER_ACCESS_CONTROL;
    int fd;

    before = *rich; /* the other tests have it without */
    aer = sim_extended_capability(rich, PCI_EXT_CAP_AER, 44);
    sim_set(rich, aer + PCI_AER_FATAL_MASK, 4, 0, UINT32_MAX);
    sim_set(rich, control, 2, 0x281f, 0xffff);
    memcpy(rich->after_reset + 256, rich->config + 256, sizeof(rich->config) - 256);
    rich->after_reset[control] = 0x1f;
    assert_int_equal(sim_error(rich, PCI_AER_UNSUPPORTED), SIM_SYSTEM_ERROR);
    pci_quiet(pci_find(0, RICH));
    pci_save(pci_find(0, RICH));
    fd = open_device(RICH);
    check_silent();
    write_config(fd, PCI_COMMAND, 2, 7 | PCI_COMMAND_SERR);
    write_config(fd, control, 2, 0x581f);
    write_config(fd, aer + PCI_AER_FATAL_MASK, 4, 0);
    assert_int_equal(read_config(fd, PCI_COMMAND, 2), 7 | PCI_COMMAND_SERR);
    assert_int_equal(read_config(fd, control, 2), 0x5810);
    assert_int_equal(read_config(fd, aer + PCI_AER_FATAL_MASK, 4), masks);
    check_silent();
    assert_int_equal(call(fd, VFIO_DEVICE_RESET, NULL), 0);
    check_silent();
    assert_int_equal(hardware_command(rich), 0x407);
    assert_int_equal(sim_get(rich, control, 2), 0x5810);
    assert_int_equal(sim_get(rich, aer + PCI_AER_FATAL_MASK, 4), masks);
    assert_int_equal(fd_close(fd), 0);
    check_silent();
    *rich = before;
    pci_save(pci_find(0, RICH));
}

static unsigned resets_before_silence;

static void note_silence(const struct sim_function *f, unsigned offset)
{
    if (f == rich && offset == 0xc0)
        resets_before_silence = rich->resets;
}

/* With each opening, and before the reset: the firmware's SMIs would meet a device in reset. */
static void a_usb_controller_is_taken_from_the_firmware(void **state)
{
    uint32_t class_code = pci_find(0, RICH)->class_code;

    pci_find(0, RICH)->class_code = 0x0c0300;
    sim_on_write = note_silence;
    for (unsigned i = 0; i < 2; i++) {
        unsigned resets = rich->resets;

        resets_before_silence = UINT32_MAX;
        assert_int_equal(fd_close(open_device(RICH)), 0);
        assert_int_equal(resets_before_silence, resets);
        assert_true(rich->resets > resets);
    }
    sim_on_write = NULL;
    pci_find(0, RICH)->class_code = class_code;
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
    rich->reset_time = 100 * NS_PER_S;
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
    rich->reset_time = 100 * NS_PER_S;
    assert_int_equal(call(fd, VFIO_DEVICE_RESET, NULL), -EIO);
    host_time_to(host_now_ns + rich->reset_time);
    rich->reset_time = 0;
    assert_int_equal(fd_close(fd), 0);
    fd = open_device(RICH);
    write_command(fd, 7);
    assert_int_equal(hardware_command(rich), 0x407);
}

/* A reset that the device did to itself (an NVM subsystem reset) is noticed when it is to decode
 * again, and it is what it was, vectors and all. */
static void bars_lost_on_the_way_are_put_right(void **state)
{
    struct file *a;
    uint32_t value;
    int fd = open_device(RICH);

    irq.fds[0] = new_eventfd(&a);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 0, 1), 0);
    write_config(fd, PCI_CACHE_LINE, 1, 16);
    write_command(fd, 7);
    memcpy(rich->config, rich->after_reset, sizeof(rich->config));
    write_command(fd, 7);
    assert_int_equal(hardware_command(rich), 0x407);
    assert_int_equal(sim_get(rich, PCI_BAR0, 4), 0xfe000004);
    assert_int_equal(sim_get(rich, PCI_BAR0 + 8, 4), 0xc001);
    assert_int_equal(sim_get(rich, PCI_CACHE_LINE, 1), 16);
    assert_int_equal(host_irqs->restored, 1);
    assert_int_equal(read_at(fd, 0, &value, 4), 4);
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

/* ---- the end ---- */

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_reset_waits_and_keeps_the_command),
        TEST(configuration_space_can_reset_the_device),
        TEST(a_reset_keeps_what_was_set),
        TEST(its_errors_do_not_become_system_errors),
        TEST(a_usb_controller_is_taken_from_the_firmware),
        TEST(a_device_that_does_not_come_back),
        TEST(a_lost_device_stays_silent),
        TEST(bars_lost_on_the_way_are_put_right),
        TEST(a_device_stopped_meanwhile_stays_stopped),
        TEST(the_device_stops_before_its_memory_goes),
        TEST(a_bound_device_stops_before_it_is_unbound),
    };

    return cmocka_run_group_tests(tests, build, NULL);
}
