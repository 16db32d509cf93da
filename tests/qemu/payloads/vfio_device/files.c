/* SPDX-License-Identifier: BSD-2-Clause */
/* Reset, and the life of the files. */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "vfio_device.h"

#define INTERRUPT_LINE 0x3c
#define BAR0           0x10
#define POWER_CONTROL  4

/* What a driver sets before it resets its device, and expects to find behind. */
static void set_what_must_stay(void)
{
    set_config(COMMAND, 2, get_config(COMMAND, 2) | MASTER);
    set_config(INTERRUPT_LINE, 1, 0x5c);
    set_config(BAR0, 4, 0x43210000);
    if (irq_counts[MSIX] && bind_event(MSIX, 0, events[0]))
        CONFORM_FAIL("cannot bind a vector: %s", strerror(errno));
    if (find_capability(PM))
        set_config(find_capability(PM) + POWER_CONTROL, 2, 3); /* but for this: D0 behind a reset */
}

static void check_what_must_stay(uint32_t bar0)
{
    CHECK_EQUAL(get_config(COMMAND, 2) & (MASTER | MEMORY), MASTER | MEMORY);
    CHECK_EQUAL(get_config(INTERRUPT_LINE, 1), 0x5c);
    CHECK_EQUAL(get_config(BAR0, 4), bar0);
    if (find_capability(PM))
        CHECK_EQUAL(get_config(find_capability(PM) + POWER_CONTROL, 2) & 3, 0);
    if (irq_counts[MSIX]) {
        CHECK_OK(set_irqs(NONE | TRIGGER, MSIX, 0, 1));
        CHECK_EQUAL(take(events[0]), 1);
    }
}

static void reset(void)
{
    uint32_t bar0;

    START();
    if (!can_reset) {
        CHECK_ERROR(ioctl(device, VFIO_DEVICE_RESET), EINVAL);
        return;
    }
    open_events();
    set_what_must_stay();
    bar0 = get_config(BAR0, 4);
    CHECK_OK(ioctl(device, VFIO_DEVICE_RESET));
    check_what_must_stay(bar0);
    close_all();
    START();
    CHECK_EQUAL(get_config(COMMAND, 2) & MASTER, 0); /* the next user starts afresh */
    CHECK(get_config(BAR0, 4) != bar0 || bar0 == 0);
}

/* By the bit of the PCI Express capability that asks for it. */
static void reset_through_configuration(void)
{
    unsigned express;
    uint32_t bar0;

    START();
    express = find_capability(EXPRESS);
    if (!express || !(get_config(express + 4, 4) & 1u << 28))
        return;
    open_events();
    set_what_must_stay();
    bar0 = get_config(BAR0, 4);
    set_config(express + 8, 2, get_config(express + 8, 2) | 0x8000);
    check_what_must_stay(bar0);
    CHECK_EQUAL(get_config(express + 8, 2) & 0x8000, 0);
}

static void second_file(void)
{
    int second;

    START_GROUP();
    second = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, device_name);
    CHECK_OK(second);
    set_config(COMMAND, 2, get_config(COMMAND, 2) | MASTER);
    close(second);
    CHECK_EQUAL(get_config(COMMAND, 2) & MASTER, MASTER); /* still in use */
    CHECK_ERROR(ioctl(group, VFIO_GROUP_UNSET_CONTAINER), EBUSY);
}

static void early_close(void)
{
    int kept;

    START_GROUP();
    kept = device;
    close(group);
    close(container);
    group = container = -1;
    CHECK(get_config(0, 2) != 0xffff);
    CHECK(!open_device() && errno == EBUSY); /* the device keeps its group open */
    device = kept;
    CHECK(get_config(0, 2) != 0xffff);
}

/* mmap, then close: what the program can still reach is still in use. */
static void mapping_keeps_the_device_open(void)
{
    volatile uint32_t *mapped;

    START_GROUP();
    if (memory_bar < 0)
        return;
    mapped = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device,
                  (off_t)(regions[memory_bar].offset + map_offset));
    CHECK(mapped != MAP_FAILED);
    set_config(COMMAND, 2, get_config(COMMAND, 2) | MASTER);
    (void)mapped[0];
    close(device);
    device = -1;
    (void)mapped[0]; /* no SIGBUS */
    CHECK_ERROR(ioctl(group, VFIO_GROUP_UNSET_CONTAINER), EBUSY);
    device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, device_name);
    CHECK_OK(device);
    CHECK_EQUAL(get_config(COMMAND, 2) & MASTER, MASTER); /* nobody stopped it meanwhile */
    close(device);
    device = -1;
    close(group);
    group = -1;
    (void)mapped[0];
    CHECK(!open_device() && errno == EBUSY);
    close_all();
    CHECK_OK(munmap((void *)mapped, PAGE));
    START();
    CHECK_EQUAL(get_config(COMMAND, 2) & MASTER, 0);
}

/* A device reached for the wrong way. */
static void wrong_names(void)
{
    START_GROUP();
    CHECK_ERROR(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, "0000:ff:1f.7"), ENODEV);
    CHECK_ERROR(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, NULL), EFAULT);
    CHECK_ERROR(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, ""), ENODEV);
}

const struct conform_case file_cases[] = {
    CASE(reset),       CASE(reset_through_configuration),   CASE(second_file),
    CASE(early_close), CASE(mapping_keeps_the_device_open), CASE(wrong_names),
    LAST_CASE,
};
