/* SPDX-License-Identifier: BSD-2-Clause */
/* All functions of a bus at once: through groups, and through files of their own. */
#define _GNU_SOURCE
#include <linux/iommufd.h>

#include "vfio_device.h"

#define FUNCTIONS 8

/* linux/vfio.h of Linux 6.1 has neither of these. */
#define FLAG_DEV_ID       1u
#define FLAG_DEV_ID_OWNED 2u

static struct {
    uint32_t argsz, flags, count;
    struct {
        uint32_t id; /* of a group, or in an iommufd */
        uint16_t segment;
        uint8_t bus, devfn;
    } functions[FUNCTIONS];
} info;

static struct {
    uint32_t argsz, flags, count;
    int32_t groups[FUNCTIONS];
} hot;

static int ask(uint32_t room)
{
    info.argsz = 12 + 8 * room;
    info.count = 0;
    return ioctl(device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info);
}

static int hot_reset(uint32_t count)
{
    hot.argsz = 12 + 4 * count;
    hot.flags = 0;
    hot.count = count;
    return ioctl(device, VFIO_DEVICE_PCI_HOT_RESET, &hot);
}

/* Is the device behind a bridge, whose bus can be reset? */
static bool has_bus(void)
{
    return ask(FUNCTIONS) == 0;
}

static bool is_told(void)
{
    unsigned segment, bus, slot, function;

    if (sscanf(device_name, "%x:%x:%x.%x", &segment, &bus, &slot, &function) != 4)
        return false;
    for (uint32_t i = 0; i < info.count; i++)
        if (info.functions[i].segment == segment && info.functions[i].bus == bus &&
            info.functions[i].devfn == (slot << 3 | function))
            return true;
    return false;
}

static void hot_reset_info(void)
{
    uint32_t count;

    START_GROUP();
    if (!has_bus()) {
        CHECK_ERROR(ask(FUNCTIONS), ENODEV);
        CHECK_ERROR(ask(0), ENODEV);
        hot.groups[0] = group;
        CHECK_ERROR(hot_reset(1), ENODEV);
        return;
    }
    CHECK_EQUAL(info.flags, 0);
    CHECK(info.count >= 1 && is_told());
    printf("the bus has %u functions\n", info.count);
    count = info.count;
    CHECK_ERROR(ask(0), ENOSPC);
    CHECK_EQUAL(info.count, count);
    info.argsz = 11;
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info), EINVAL);
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, NULL), EFAULT);
}

static void hot_reset_refused(void)
{
    START_GROUP();
    open_events();
    hot.groups[0] = group;
    if (!has_bus())
        return;
    CHECK_ERROR(hot_reset(0), EINVAL);
    CHECK_ERROR(hot_reset(info.count + 1), EINVAL);
    hot.groups[0] = -1;
    CHECK_ERROR(hot_reset(1), EBADF);
    hot.groups[0] = events[0];
    CHECK_ERROR(hot_reset(1), EINVAL);
    hot.groups[0] = group;
    hot.argsz = 11;
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_PCI_HOT_RESET, &hot), EINVAL);
    hot.argsz = sizeof(hot);
    hot.flags = 1;
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_PCI_HOT_RESET, &hot), EINVAL);
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_PCI_HOT_RESET, NULL), EFAULT);
}

/* The name of another function of the group; NULL: there is none that is told of. */
static const char *other_name(void)
{
    static char name[16];

    for (uint32_t i = 0; i < info.count; i++) {
        snprintf(name, sizeof(name), "%04x:%02x:%02x.%x", info.functions[i].segment,
                 info.functions[i].bus, info.functions[i].devfn >> 3u,
                 info.functions[i].devfn & 7u);
        if (strcmp(name, device_name) != 0)
            return name;
    }
    return NULL;
}

/* A register of an e1000e that no driver needs and a reset clears: the tag of VLANs. */
#define E1000E      0x10d38086
#define VLAN_TAG    0x38
#define TAG_OF_OURS 0x1234

/* Sets the register of an open device; later: was that reset? Other devices have nothing to ask. */
static void spoil(int fd, bool spoilt)
{
    off_t at = (off_t)regions[0].offset + VLAN_TAG;
    uint32_t value = TAG_OF_OURS;

    if (get_config(0, 4) != E1000E)
        return;
    if (!spoilt)
        CHECK_EQUAL(pwrite(fd, &value, 4, at), 4);
    CHECK_EQUAL(pread(fd, &value, 4, at), 4);
    CHECK((value == TAG_OF_OURS) != spoilt);
}

/*
 * What was set in configuration space of each of them is as it was; the devices themselves were
 * reset, and answer.
 */
static void hot_reset_keeps_what_was_set(void)
{
    uint16_t command = MASTER | MEMORY;
    uint32_t value;
    int other = -1;

    START_GROUP();
    if (!has_bus())
        return;
    if (other_name())
        other = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, other_name());
    set_config(COMMAND, 2, command);
    if (other >= 0)
        CHECK_EQUAL(pwrite(other, &command, 2, (off_t)config.offset + COMMAND), 2);
    spoil(device, false);
    if (other >= 0)
        spoil(other, false);
    hot.groups[0] = group;
    CHECK_OK(hot_reset(1));
    spoil(device, true);
    CHECK_EQUAL(get_config(COMMAND, 2) & command, command);
    if (memory_bar >= 0)
        CHECK_EQUAL(pread(device, &value, 4, (off_t)regions[memory_bar].offset), 4);
    if (other < 0)
        return;
    spoil(other, true);
    value = 0;
    CHECK_EQUAL(pread(other, &value, 2, (off_t)config.offset + COMMAND), 2);
    CHECK_EQUAL(value & command, command);
    CHECK_EQUAL(pread(other, &value, 4, (off_t)regions[memory_bar].offset), 4);
    CHECK(value != 0xffffffff);
    close(other);
}

/* The iommufd has all of the group, whether they are bound or not. */
static void hot_reset_by_iommufd(void)
{
    struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind)};
    uint32_t command = MASTER | MEMORY;
    int iommufd;

    START();
    close_all();
    iommufd = open("/dev/iommu", O_RDWR);
    device = open_own();
    if (iommufd < 0 || device < 0)
        return;
    bind.iommufd = iommufd;
    CHECK_OK(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bind));
    if (!has_bus()) {
        CHECK_ERROR(hot_reset(0), ENODEV);
        close(iommufd);
        return;
    }
    CHECK_EQUAL(info.flags, FLAG_DEV_ID | FLAG_DEV_ID_OWNED);
    for (uint32_t i = 0; i < info.count; i++)
        CHECK(info.functions[i].id == bind.out_devid || info.functions[i].id == 0);
    hot.groups[0] = iommufd;
    CHECK_ERROR(hot_reset(1), EINVAL);
    set_config(COMMAND, 2, command);
    CHECK_OK(hot_reset(0));
    CHECK_EQUAL(get_config(COMMAND, 2) & command, command);
    printf("the bus was reset through an iommufd\n");
    close(iommufd);
}

const struct conform_case hot_reset_cases[] = {
    CASE(hot_reset_info),
    CASE(hot_reset_refused),
    CASE(hot_reset_keeps_what_was_set),
    CASE(hot_reset_by_iommufd),
    LAST_CASE,
};
