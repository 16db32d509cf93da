/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of virtual functions in use when their physical one is reset, by whomever. */
#include "tests/unit/vfio_fixture.h"

#include "kernel/pci/reset.h"

#define COMMAND (PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER)
#define ENABLED (PCI_SRIOV_CONTROL_ENABLE | PCI_SRIOV_CONTROL_MEMORY)

static uint64_t control(void)
{
    return sim_get(physical, physical->sriov + PCI_SRIOV_CONTROL, 2);
}

/* ---- the first virtual function in use: with a vector, bus mastering, and BAR 0 mapped ---- */

static struct memobj *bar;
static struct memobj_watcher watcher;
static struct file *event;
static unsigned resets;
static int fd, group_of_first;

/* The mapping goes before the device does, and comes back when it is there, and decodes. */
static void gone(struct memobj_watcher *which)
{
    assert_int_equal(virtuals[0]->resets, resets);
    revokes++;
}

static void back(struct memobj_watcher *which)
{
    assert_int_equal(control(), ENABLED);
    assert_true(hardware_command(virtuals[0]) & PCI_COMMAND_MEMORY);
    restores++;
}

static void use(void)
{
    uint64_t at;

    group_of_first = group_in_container(VIRTUAL(0));
    fd = (int)call(group_of_first, VFIO_GROUP_GET_DEVICE_FD, "0000:03:00.1");
    assert_true(fd >= 0);
    irq.fds[0] = new_eventfd(&event);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 1, 1), 0);
    write_command(fd, COMMAND);
    assert_int_equal(map(fd, 0, 0x1000, true, &bar, &at), 0);
    watcher = (struct memobj_watcher){.revoke = gone, .restore = back};
    memobj_watch(bar, &watcher);
    resets = virtuals[0]->resets;
    revokes = restores = 0;
}

static void no_use(void)
{
    memobj_unwatch(&watcher);
    memobj_put(bar);
}

/* All that the payload had is there again, after one reset. */
static void is_as_it_was(void)
{
    struct phys_run run;
    uint32_t value;

    assert_int_equal(control(), ENABLED);
    assert_int_equal(revokes, 1);
    assert_int_equal(restores, 1);
    assert_int_equal(memobj_run(bar, 0, 0x1000, &run), 0);
    assert_int_equal(run.base, 0xfc410000);
    assert_int_equal(read_command(fd), COMMAND);
    assert_int_equal(hardware_command(virtuals[0]), COMMAND | PCI_COMMAND_INTX_DISABLE);
    assert_int_equal(host_irqs->restored, 1);
    assert_false(host_irqs->masked[1]);
    host_irqs->handler(host_irqs->context, 1);
    assert_int_equal(eventfd_take(event), 1);
    assert_int_equal(read_at(fd, CONFIG, &value, 4), 4);
    assert_int_equal(value, 0x10ca1b36);
}

/* Whoever has it is told, and reaches nothing. */
static void is_lost(void)
{
    struct phys_run run;
    uint32_t value;

    assert_int_equal(memobj_run(bar, 0, 0x1000, &run), -EIO);
    assert_int_equal(restores, 0);
    assert_int_equal(read_at(fd, 0, &value, 4), -EIO);
    assert_null(host_irqs);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 1, 1), -EIO);
}

static int come_to(void **state)
{
    for (unsigned i = 0; i < 2; i++) {
        virtuals[i]->reset_time = virtuals[i]->answers_from = 0;
        pci_find(0, VIRTUAL(i))->lost = false;
    }
    physical->reset_time = physical->answers_from = 0;
    pci_find(0, PHYSICAL)->lost = false;
    return pci_reset(pci_find(0, PHYSICAL)) || setup(state);
}

/* ---- resets of the physical function ---- */

static void a_reset_of_the_physical_function(void **state)
{
    int all = open_device(PHYSICAL);

    use();
    assert_int_equal(call(all, VFIO_DEVICE_RESET, NULL), 0);
    assert_int_equal(virtuals[0]->resets, resets + 1);
    is_as_it_was();
    no_use();
}

static void its_first_open_and_last_close(void **state)
{
    int all;

    use();
    all = open_device(PHYSICAL);
    is_as_it_was();
    revokes = restores = 0;
    host_irqs->restored = 0;
    resets = virtuals[0]->resets;
    assert_int_equal(fd_close(all), 0);
    assert_int_equal(virtuals[0]->resets, resets + 1);
    is_as_it_was();
    no_use();
}

/* Hidden meanwhile, too, but not for who comes later. */
static void one_that_nobody_uses(void **state)
{
    int all = open_device(PHYSICAL), later;
    struct memobj *object;
    struct phys_run run;
    uint64_t at;

    assert_int_equal(call(all, VFIO_DEVICE_RESET, NULL), 0);
    later = open_device(VIRTUAL(1));
    assert_int_equal(read_command(later), PCI_COMMAND_MEMORY);
    assert_int_equal(map(later, 0, 0x1000, true, &object, &at), 0);
    assert_int_equal(memobj_run(object, 0, 0x1000, &run), 0);
    assert_int_equal(run.base, 0xfc414000);
    memobj_put(object);
}

static void a_virtual_function_is_reset_alone(void **state)
{
    unsigned of_physical, of_other;

    use();
    of_physical = physical->resets;
    of_other = virtuals[1]->resets;
    assert_int_equal(call(fd, VFIO_DEVICE_RESET, NULL), 0);
    assert_int_equal(virtuals[0]->resets, resets + 1);
    assert_int_equal(physical->resets, of_physical);
    assert_int_equal(virtuals[1]->resets, of_other);
    is_as_it_was();
    no_use();
}

/* The bus takes all of them along: who asks owns the groups of all. */
static void a_hot_reset(void **state)
{
    struct {
        uint32_t argsz, flags, count;
        int32_t groups[3];
    } hot = {.argsz = sizeof(hot), .count = 2};
    int all;

    use();
    hot.groups[0] = group_in_container(PHYSICAL);
    hot.groups[1] = open_group(VIRTUAL(1));
    hot.groups[2] = group_of_first;
    all = (int)call(hot.groups[0], VFIO_GROUP_GET_DEVICE_FD, "0000:03:00.0");
    assert_true(all >= 0);
    revokes = restores = host_irqs->restored = 0;
    resets = virtuals[0]->resets;
    assert_int_equal(call(all, VFIO_DEVICE_PCI_HOT_RESET, &hot), -EINVAL);
    assert_int_equal(virtuals[0]->resets, resets);
    hot.count = 3;
    assert_int_equal(call(all, VFIO_DEVICE_PCI_HOT_RESET, &hot), 0);
    assert_true(virtuals[0]->resets > resets);
    is_as_it_was();
    no_use();
}

/* ---- those that do not come back ---- */

static void a_virtual_function_that_stays_away(void **state)
{
    int all = open_device(PHYSICAL);
    uint32_t value;

    use();
    virtuals[0]->reset_time = SIM_NEVER;
    assert_int_equal(call(all, VFIO_DEVICE_RESET, NULL), -EIO);
    is_lost();
    assert_int_equal(read_at(all, 0, &value, 4), 4); /* the physical function is back */
    /* Until another reset brings it back. */
    virtuals[0]->reset_time = virtuals[0]->answers_from = 0;
    assert_int_equal(call(all, VFIO_DEVICE_RESET, NULL), 0);
    assert_int_equal(control(), ENABLED);
    assert_int_equal(hardware_command(virtuals[0]), COMMAND | PCI_COMMAND_INTX_DISABLE);
    no_use();
}

static void a_physical_function_that_stays_away(void **state)
{
    int all = open_device(PHYSICAL);
    uint32_t value;

    use();
    physical->reset_time = SIM_NEVER;
    assert_int_equal(call(all, VFIO_DEVICE_RESET, NULL), -EIO);
    assert_int_equal(read_at(all, 0, &value, 4), -EIO);
    is_lost();
    no_use();
}

/* ---- a physical function that resets itself ---- */

static void lose(struct sim_function *f)
{
    memcpy(f->config, f->after_reset, sizeof(f->config));
    f->resets++;
}

static void all_is_lost_and_put_right(void **state)
{
    int all = open_device(PHYSICAL);
    uint32_t value;

    use();
    write_command(all, COMMAND);
    lose(physical);
    lose(virtuals[0]);
    resets++;
    assert_int_equal(read_at(fd, CONFIG + PCI_REVISION, &value, 4), 4);
    assert_int_equal(value, UINT32_MAX); /* nobody answers */
    write_command(all, COMMAND);
    assert_int_equal(sim_get(physical, PCI_BAR0, 4), 0xfc400000);
    assert_int_equal(hardware_command(physical), COMMAND | PCI_COMMAND_INTX_DISABLE);
    is_as_it_was();
    no_use();
}

/* That alone shows it, where the BARs are what they were. */
static void virtual_functions_that_are_off(void **state)
{
    int all = open_device(PHYSICAL);

    use();
    write_command(all, COMMAND);
    revokes = restores = 0;
    sim_set(physical, physical->sriov + PCI_SRIOV_CONTROL, 2, PCI_SRIOV_CONTROL_MEMORY, 0x1f);
    lose(virtuals[0]);
    resets++;
    write_command(all, COMMAND);
    is_as_it_was();
    /* What is in order is left alone. */
    write_command(all, COMMAND);
    assert_int_equal(revokes, 1);
    no_use();
}

/* One of them does not come back from that: it is lost, and the others are there. */
static void one_that_is_lost_by_that(void **state)
{
    int all = open_device(PHYSICAL);
    uint32_t value;

    use();
    write_command(all, COMMAND);
    lose(physical);
    virtuals[0]->answers_from = SIM_NEVER;
    write_command(all, COMMAND);
    is_lost();
    assert_int_equal(read_at(all, 0, &value, 4), 4);
    assert_int_equal(control(), ENABLED);
    no_use();
}

#define TEST_VIRTUAL(t) cmocka_unit_test_setup_teardown(t, come_to, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_VIRTUAL(a_reset_of_the_physical_function),
        TEST_VIRTUAL(its_first_open_and_last_close),
        TEST_VIRTUAL(one_that_nobody_uses),
        TEST_VIRTUAL(a_virtual_function_is_reset_alone),
        TEST_VIRTUAL(a_hot_reset),
        TEST_VIRTUAL(a_virtual_function_that_stays_away),
        TEST_VIRTUAL(a_physical_function_that_stays_away),
        TEST_VIRTUAL(all_is_lost_and_put_right),
        TEST_VIRTUAL(virtual_functions_that_are_off),
        TEST_VIRTUAL(one_that_is_lost_by_that),
    };

    return cmocka_run_group_tests(tests, build, NULL);
}
