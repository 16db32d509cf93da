/* SPDX-License-Identifier: BSD-2-Clause */
/* All functions of a bus reset at once: what is told of them, who may, and what they are behind it.
 */
#include "tests/unit/vfio_fixture.h"

static struct {
    uint32_t argsz, flags, count;
    struct vfio_pci_dependent_device devices[4];
} info;

static struct {
    uint32_t argsz, flags, count;
    int32_t groups[4];
} hot;

static int64_t ask(int fd, uint32_t room)
{
    memset(&info, 0, sizeof(info));
    info.argsz = 12 + 8 * room;
    return call(fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info);
}

/* With so many of hot.groups. */
static int64_t hot_reset(int fd, uint32_t count)
{
    hot.argsz = 12 + 4 * count;
    hot.flags = 0;
    hot.count = count;
    return call(fd, VFIO_DEVICE_PCI_HOT_RESET, &hot);
}

static int device_of(int group, pci_rid_t rid)
{
    int fd = (int)call(group, VFIO_GROUP_GET_DEVICE_FD, pci_name(pci_find(0, rid)));

    assert_true(fd >= 0);
    return fd;
}

/* Both groups below the first port. */
static int open_both(void)
{
    hot.groups[0] = group_in_container(LEFT);
    hot.groups[1] = group_in_container(RIGHT);
    return device_of(hot.groups[0], LEFT);
}

static void all_below_the_bridge_are_told(void **state)
{
    int fd = open_both();

    assert_int_equal(ask(fd, 0), -ENOSPC);
    assert_int_equal(info.count, 2);
    assert_int_equal(ask(fd, 1), -ENOSPC);
    assert_int_equal(info.count, 2);
    assert_int_equal(ask(fd, 4), 0);
    assert_int_equal(info.count, 2);
    assert_int_equal(info.flags, 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(info.devices[i].group_id, pci_find(0, LEFT + i)->group->id);
        assert_int_equal(info.devices[i].segment, 0);
        assert_int_equal(info.devices[i].bus, 1);
        assert_int_equal(info.devices[i].devfn, i);
    }
    assert_int_equal(info.devices[2].bus, 0);
    info.argsz = 11;
    assert_int_equal(call(fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info), -EINVAL);
    assert_int_equal(call(fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, NULL), -EFAULT);
    assert_int_equal(fd_close(fd), 0);
    /* Those that nobody can open are told of, too. */
    fd = open_device(JOINT);
    assert_int_equal(ask(fd, 4), 0);
    assert_int_equal(info.count, 2);
    assert_int_equal(info.devices[1].devfn, 1);
}

static void a_root_bus_has_none(void **state)
{
    int fd = open_device(RICH), group = open_group(PLAIN);

    assert_int_equal(ask(fd, 4), -ENODEV);
    hot.groups[0] = group;
    assert_int_equal(hot_reset(fd, 1), -ENODEV);
}

static void a_file_of_its_own_tells_ids(void **state)
{
    int own = open_own(LEFT), second = open_own(RIGHT), one = install(host_iommufd_create()),
        joint_fd;

    assert_int_equal(bind_own(own, one), 0);
    assert_int_equal(ask(own, 4), 0);
    assert_int_equal(info.flags, VFIO_PCI_HOT_RESET_FLAG_DEV_ID);
    assert_int_equal(info.devices[0].devid, 42);
    assert_int_equal(info.devices[1].devid, (uint32_t)VFIO_PCI_DEVID_NOT_OWNED);
    assert_int_equal(bind_own(second, one), 0);
    assert_int_equal(ask(own, 4), 0);
    assert_int_equal(info.flags,
                     VFIO_PCI_HOT_RESET_FLAG_DEV_ID | VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED);
    assert_int_equal(info.devices[1].devid, 42);
    joint_fd = open_own(JOINT);
    assert_int_equal(bind_own(joint_fd, one), 0);
    assert_int_equal(ask(joint_fd, 4), 0); /* nobody else can have the second: it is of the group */
    assert_int_equal(info.devices[1].devid, VFIO_PCI_DEVID_OWNED);
    assert_int_equal(info.flags,
                     VFIO_PCI_HOT_RESET_FLAG_DEV_ID | VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED);
}

static void all_groups_must_be_named(void **state)
{
    struct file *event;
    int fd = open_both(), left_group = hot.groups[0], right_group = hot.groups[1];

    left_below->resets = right_below->resets = 0;
    assert_int_equal(hot_reset(fd, 1), -EINVAL);
    hot.groups[0] = right_group;
    assert_int_equal(hot_reset(fd, 1), -EINVAL);
    hot.groups[1] = right_group;
    assert_int_equal(hot_reset(fd, 2), -EINVAL);
    assert_int_equal(hot_reset(fd, 0), -EINVAL); /* that is for files of their own */
    hot.groups[0] = left_group;
    assert_int_equal(hot_reset(fd, 3), -EINVAL); /* more than there can be */
    hot.groups[1] = -1;
    assert_int_equal(hot_reset(fd, 2), -EBADF);
    hot.groups[1] = 99;
    assert_int_equal(hot_reset(fd, 2), -EBADF);
    hot.groups[1] = new_eventfd(&event);
    assert_int_equal(hot_reset(fd, 2), -EINVAL);
    hot.groups[1] = fd;
    assert_int_equal(hot_reset(fd, 2), -EINVAL);
    hot.argsz = 11;
    assert_int_equal(call(fd, VFIO_DEVICE_PCI_HOT_RESET, &hot), -EINVAL);
    hot.argsz = 20;
    hot.flags = 1;
    assert_int_equal(call(fd, VFIO_DEVICE_PCI_HOT_RESET, &hot), -EINVAL);
    hot.groups[1] = right_group;
    host_fail_nth(1);
    assert_int_equal(hot_reset(fd, 2), -ENOMEM);
    assert_int_equal(left_below->resets + right_below->resets, 0);
    assert_int_equal(hot_reset(fd, 2), 0);
    assert_true(left_below->resets && right_below->resets);
    /* Nobody has the second device, but somebody might take it meanwhile. */
    assert_null(pci_find(0, RIGHT)->claimed_by);
}

static void a_device_of_another_family_is_not_reset(void **state)
{
    int fd = open_both();

    left_below->resets = 0;
    assert_int_equal(pci_claim(pci_find(0, RIGHT), "uio"), 0);
    assert_int_equal(hot_reset(fd, 2), -EBUSY);
    assert_int_equal(left_below->resets, 0);
    assert_string_equal(pci_find(0, RIGHT)->claimed_by, "uio");
    pci_unclaim(pci_find(0, RIGHT));
    assert_int_equal(hot_reset(fd, 2), 0);
}

/* Both are in use: what the payload set in them, a vector of the one, a mapping of the other. */
struct work {
    int left, right;
    struct memobj *mapped;
};

static struct work put_to_work(void)
{
    struct work w = {.left = open_both(), .right = device_of(hot.groups[1], RIGHT)};
    struct file *event;
    uint64_t at;

    irq.fds[0] = new_eventfd(&event);
    assert_int_equal(set_irqs(w.left, EVENT | TRIGGER, MSI, 0, 1), 0);
    write_command(w.left, 6);
    write_command(w.right, 2);
    assert_int_equal(map(w.right, 0, 0x1000, true, &w.mapped, &at), 0);
    return w;
}

static void assert_works_on(const struct work *w)
{
    struct phys_run run;

    assert_int_equal(hardware_command(left_below), 0x406);
    assert_int_equal(hardware_command(right_below), 0x402);
    assert_int_equal(sim_get(left_below, PCI_BAR0, 4), 0xfc000000);
    assert_int_equal(sim_get(right_below, PCI_BAR0, 4), 0xfc100000);
    assert_int_equal(host_irqs->restored, 1);
    assert_int_equal(memobj_run(w->mapped, 0, PAGE_SIZE, &run), 0);
    memobj_put(w->mapped);
}

/* What the payload set in any of them is as it was, and so are vectors; a mapping comes back. */
static void all_in_use_work_on(void **state)
{
    struct work w = put_to_work();

    assert_int_equal(hot_reset(w.left, 2), 0);
    assert_int_equal(read_command(w.left), 6);
    assert_works_on(&w);
}

static void a_silent_member_has_its_record(void **state)
{
    int fd;

    hot.groups[0] = group_in_container(JOINT);
    fd = device_of(hot.groups[0], JOINT);
    silent->resets = 0;
    assert_int_equal(hot_reset(fd, 1), 0);
    assert_true(silent->resets > 0);
    assert_int_equal(sim_get(silent, PCI_BAR0, 4), 0xfc300000);
    assert_int_equal(hardware_command(silent) & PCI_COMMAND_MASTER, 0);
}

static void files_of_their_own_need_one_iommufd(void **state)
{
    int own = open_own(LEFT), second = open_own(RIGHT);
    int one = install(host_iommufd_create()), two = install(host_iommufd_create());

    assert_int_equal(bind_own(own, one), 0);
    left_below->resets = 0;
    assert_int_equal(hot_reset(own, 0), -EINVAL); /* the other is nobody's */
    assert_int_equal(bind_own(second, two), 0);
    assert_int_equal(hot_reset(own, 0), -EINVAL);
    assert_int_equal(fd_close(second), 0);
    second = open_own(RIGHT);
    assert_int_equal(bind_own(second, one), 0);
    hot.groups[0] = one;
    assert_int_equal(hot_reset(own, 1), -EINVAL); /* that is for groups */
    assert_int_equal(left_below->resets, 0);
    assert_int_equal(hot_reset(own, 0), 0);
    assert_true(left_below->resets > 0);
}

static void a_bus_that_does_not_come_back(void **state)
{
    int fd = open_both(), other_fd = device_of(hot.groups[1], RIGHT);
    uint32_t value;

    write_command(fd, 2);
    write_command(other_fd, 2);
    right_below->reset_time = SIM_NEVER;
    assert_int_equal(hot_reset(fd, 2), -ENOTTY);
    assert_int_equal(read_at(other_fd, 0, &value, 4), -EIO);
    assert_int_equal(read_at(fd, 0, &value, 4), 4); /* this one did */
    right_below->reset_time = right_below->answers_from = 0;
    assert_int_equal(hot_reset(fd, 2), 0);
    assert_int_equal(read_at(other_fd, 0, &value, 4), 4);
}

/* ---- a port that took its link down: what is below was reset, and nobody asked ---- */

/* Both are as after a reset; the link is up, or stays down. */
static const struct pci_device *lose_both(bool for_ever)
{
    struct sim_function *const lost[] = {left_below, right_below};
    struct sim_function *port = (struct sim_function *)left_below->above;

    sim_link(port);
    port->link_from = for_ever ? SIM_NEVER : 0;
    for (size_t i = 0; i < ARRAY_SIZE(lost); i++) {
        memcpy(lost[i]->config, lost[i]->after_reset, sizeof(lost[i]->config));
        lost[i]->answers_from = port->link_from;
    }
    return pci_find(0, LEFT)->bridge;
}

static void what_is_in_use_is_recovered(void **state)
{
    struct work w = put_to_work();

    left_below->resets = right_below->resets = 0;
    assert_int_equal(vfio_recover_below(lose_both(false)), 0);
    assert_int_equal(left_below->resets + right_below->resets, 0); /* they were */
    assert_works_on(&w);
    assert_int_equal(fd_close(w.right), 0); /* and nobody is kept out */
    assert_int_equal(fd_close(w.left), 0);
}

static void what_is_not_is_lost(void **state)
{
    int fd = open_both();
    uint32_t value;

    assert_int_equal(vfio_recover_below(lose_both(true)), -ENOTTY);
    assert_int_equal(read_at(fd, 0, &value, 4), -EIO);
    lose_both(false);
    assert_int_equal(hot_reset(fd, 2), 0);
    assert_int_equal(read_at(fd, 0, &value, 4), 4);
}

static void a_device_of_another_family_stays(void **state)
{
    assert_int_equal(pci_claim(pci_find(0, RIGHT), "uio"), 0);
    assert_int_equal(vfio_recover_below(lose_both(false)), -EBUSY);
    assert_null(pci_find(0, LEFT)->claimed_by);
    pci_unclaim(pci_find(0, RIGHT));
    assert_int_equal(vfio_recover_below(lose_both(false)), 0);
    assert_null(pci_find(0, RIGHT)->claimed_by);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_below_the_bridge_are_told),
        TEST(a_root_bus_has_none),
        TEST(a_file_of_its_own_tells_ids),
        TEST(all_groups_must_be_named),
        TEST(a_device_of_another_family_is_not_reset),
        TEST(all_in_use_work_on),
        TEST(a_silent_member_has_its_record),
        TEST(files_of_their_own_need_one_iommufd),
        TEST(a_bus_that_does_not_come_back),
        TEST(what_is_in_use_is_recovered),
        TEST(what_is_not_is_lost),
        TEST(a_device_of_another_family_stays),
    };

    return cmocka_run_group_tests(tests, build, NULL);
}
