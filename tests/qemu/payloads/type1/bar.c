/* SPDX-License-Identifier: BSD-2-Clause */
/* Device memory: mapped like RAM, but never charged, and gone before its device is closed. */
#define _GNU_SOURCE
#include "leaf_count.h"
#include "type1.h"

static volatile uint8_t *bar;
static uint64_t bar_size;

static bool open_bar(void)
{
    device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, device_name);
    bar = device < 0 || vfio_command(device, 2) ? NULL : vfio_map_bar(device, &bar_size);
    if (!bar)
        CONFORM_FAIL("no BAR: %s", strerror(errno));
    return bar;
}

static void unmap_bar(void)
{
    munmap((void *)(uintptr_t)bar, bar_size);
}

static void bar_maps_and_unmaps(void)
{
    START_V2();
    CHECK(open_bar());
    CHECK_OK(map(IOVA, (void *)(uintptr_t)bar, bar_size));
    CHECK_ERROR(map(IOVA, (void *)(uintptr_t)bar, bar_size), EEXIST);
    CHECK_OK(map_flags(IOVA + 16 * MIB, (void *)(uintptr_t)bar, PAGE, VFIO_DMA_MAP_FLAG_READ));
    CHECK_EQUAL(mappings_left(), QUOTA - 2);
    CHECK_EQUAL(unmap(IOVA, bar_size), bar_size);
    CHECK_EQUAL(unmap(IOVA + 16 * MIB, PAGE), PAGE);
    unmap_bar();
}

/* Device memory counts as a mapping, but not as locked memory. */
static void bar_is_not_charged(void)
{
    struct rlimit old, none = {0, 0};
    int ram, device_memory;

    START_V2();
    CHECK(open_bar());
    CHECK_OK(getrlimit(RLIMIT_MEMLOCK, &old));
    none.rlim_max = old.rlim_max;
    CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &none));
    ram = map(IOVA, memory, PAGE) ? errno : 0;
    device_memory = map(IOVA + 16 * MIB, (void *)(uintptr_t)bar, bar_size);
    setrlimit(RLIMIT_MEMLOCK, &old);
    CHECK(ram == ENOMEM || is_unlimited());
    CHECK_EQUAL(device_memory, 0);
    unmap_bar();
}

/* The mapping stays a mapping when the device goes; it leads nowhere from then on. */
static void bar_mapping_after_the_device_closed(void)
{
    struct leaf_count leaves;

    START_V2();
    CHECK(open_bar());
    CHECK_OK(map(IOVA, (void *)(uintptr_t)bar, bar_size));
    CHECK(leaf_count_at(IOVA, &leaves) != 0);
    unmap_bar();
    close(device);
    device = -1;
    CHECK(leaf_count_at(IOVA, &leaves) <= 0);
    CHECK_EQUAL(mappings_left(), QUOTA - 1);
    CHECK_ERROR(map(IOVA, memory, PAGE), EEXIST);
    CHECK_EQUAL(unmap(IOVA, bar_size), bar_size);
    CHECK_EQUAL(mappings_left(), QUOTA);
}

/* As long as the program can reach the BAR, the device is open. */
static void bar_in_the_program_keeps_the_device(void)
{
    struct leaf_count leaves;

    START_V2();
    CHECK(open_bar());
    CHECK_OK(map(IOVA, (void *)(uintptr_t)bar, bar_size));
    close(device);
    device = -1;
    CHECK(leaf_count_at(IOVA, &leaves) != 0);
    CHECK_ERROR(ioctl(group, VFIO_GROUP_UNSET_CONTAINER), EBUSY);
    unmap_bar();
    CHECK(leaf_count_at(IOVA, &leaves) <= 0);
    CHECK_OK(ioctl(group, VFIO_GROUP_UNSET_CONTAINER));
}

/* Without memory decoding nothing is there that could be mapped. */
static void bar_that_is_not_decoded(void)
{
    START_V2();
    CHECK(open_bar());
    CHECK_OK(vfio_command(device, 0));
    CHECK_ERROR(map(IOVA, (void *)(uintptr_t)bar, PAGE), EFAULT);
    CHECK_OK(vfio_command(device, 2));
    CHECK_OK(map(IOVA, (void *)(uintptr_t)bar, PAGE));
    unmap_bar();
}

const struct conform_case bar_cases[] = {
    CASE(bar_maps_and_unmaps),
    CASE(bar_is_not_charged),
    CASE(bar_mapping_after_the_device_closed),
    CASE(bar_in_the_program_keeps_the_device),
    CASE(bar_that_is_not_decoded),
    LAST_CASE,
};
