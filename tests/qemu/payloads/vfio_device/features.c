/* SPDX-License-Identifier: BSD-2-Clause */
/* DEVICE_FEATURE and low power. */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "vfio_device.h"

#define GET   VFIO_DEVICE_FEATURE_GET
#define SET   VFIO_DEVICE_FEATURE_SET
#define PROBE VFIO_DEVICE_FEATURE_PROBE
#define ENTRY VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY
#define WAKE  VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP
#define EXIT  VFIO_DEVICE_FEATURE_LOW_POWER_EXIT

static struct {
    uint32_t argsz, flags;
    int32_t event;
    uint32_t reserved;
} ask;

static int feature(uint32_t flags, uint32_t argsz)
{
    ask.argsz = argsz;
    ask.flags = flags;
    return ioctl(device, VFIO_DEVICE_FEATURE, &ask);
}

static void feature_probes(void)
{
    static const uint32_t absent[] = {1, 2, 6, 7, 8, 9, 10, 0x7fff};

    START();
    for (uint32_t index = ENTRY; index <= EXIT; index++) {
        CHECK_OK(feature(index | PROBE, 8));
        CHECK_OK(feature(index | PROBE | SET, 8));
        CHECK_ERROR(feature(index | PROBE | GET, 8), EINVAL);
        CHECK_ERROR(feature(index | GET, 16), EINVAL);
        CHECK_ERROR(feature(index | GET | SET, 16), EINVAL);
        CHECK_ERROR(feature(index, 16), EINVAL);
        CHECK_ERROR(feature(index | PROBE | 1u << 19, 8), EINVAL);
        CHECK_ERROR(feature(index | PROBE, 7), EINVAL);
    }
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
        CHECK_ERROR(feature(absent[i] | PROBE, 8), ENOTTY);
        CHECK_ERROR(feature(absent[i] | SET, 16), ENOTTY);
        CHECK_ERROR(feature(absent[i] | GET | SET, 16), EINVAL);
    }
}

/* Where the first BAR is mapped; NULL: nowhere, and the case has nothing to do. */
static volatile uint32_t *map_bar(void)
{
    void *mapped;

    if (memory_bar < 0)
        return NULL;
    mapped = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device,
                  (off_t)(regions[memory_bar].offset + map_offset));
    return mapped == MAP_FAILED ? NULL : mapped;
}

static void feature_low_power(void)
{
    volatile uint32_t *mapped;
    uint32_t value, ids;
    off_t at;

    START();
    mapped = map_bar();
    if (!mapped)
        return;
    at = (off_t)(regions[memory_bar].offset + map_offset);
    ids = get_config(0, 4);
    set_config(COMMAND, 2, MEMORY | MASTER);
    CHECK_OK(feature(ENTRY | SET, 8));
    CHECK(faults(mapped));
    CHECK_EQUAL(pread(device, &value, 4, at), 4); /* a use wakes it; mappings wait for the exit */
    CHECK_EQUAL(get_config(0, 4), ids);
    CHECK(faults(mapped));
    CHECK_ERROR(feature(ENTRY | SET, 8), EINVAL);
    CHECK_OK(feature(EXIT | SET, 8));
    CHECK(!faults(mapped));
    CHECK_EQUAL(get_config(COMMAND, 2) & (MEMORY | MASTER), MEMORY | MASTER);
    CHECK_OK(feature(EXIT | SET, 8));
    CHECK_OK(munmap((void *)mapped, PAGE));
}

static void feature_wakeup(void)
{
    volatile uint32_t *mapped;

    START();
    open_events();
    mapped = map_bar();
    if (!mapped)
        return;
    ask.event = -1;
    CHECK_ERROR(feature(WAKE | SET, 16), EINVAL);
    ask.event = 1000;
    CHECK_ERROR(feature(WAKE | SET, 16), EBADF);
    ask.event = device;
    CHECK_ERROR(feature(WAKE | SET, 16), EINVAL);
    ask.event = events[0];
    CHECK_ERROR(feature(WAKE | SET, 15), EINVAL);
    CHECK_OK(feature(WAKE | SET, 16));
    CHECK(faults(mapped)); /* which is no use */
    CHECK_EQUAL(take(events[0]), 0);
    (void)get_config(0, 4);
    CHECK_EQUAL(take(events[0]), 1);
    CHECK(!faults(mapped)); /* that was the exit */
    CHECK_OK(munmap((void *)mapped, PAGE));
    CHECK_OK(feature(WAKE | SET, 16));
    close_all(); /* asleep */
    START();
    CHECK(get_config(0, 4) != 0xffffffff);
}

const struct conform_case feature_cases[] = {
    CASE(feature_probes),
    CASE(feature_low_power),
    CASE(feature_wakeup),
    LAST_CASE,
};
