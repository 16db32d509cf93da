/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers: past their ends, in another way than is offered, and while they are not there. */
#include "hostile.h"

/* ---- mmap ---- */

static void refuse_map(enum which which, off_t offset, uint64_t size, int flags)
{
    START(ONLY(which));
    CHECK(mmap(NULL, size, PROT_READ | PROT_WRITE, flags, units[which].device, offset) ==
          MAP_FAILED);
    CHECK_EQUAL(errno, EINVAL);
}

#define REFUSED(name, which, offset, size, flags)                                                  \
    static void name(void)                                                                         \
    {                                                                                              \
        refuse_map(which, offset, size, flags);                                                    \
    }

REFUSED(mmap_behind_a_bar, EDU, BAR(0) + (1 << 20), PAGE, MAP_SHARED)
REFUSED(mmap_over_the_end, EDU, BAR(0) + (1 << 20) - (off_t)PAGE, 2 * PAGE, MAP_SHARED)
REFUSED(mmap_a_larger_bar, CARD, BAR(0), 1 << 20, MAP_SHARED)
REFUSED(mmap_into_the_next_region, EDU, BAR(1) - (off_t)PAGE, 2 * PAGE, MAP_SHARED)
REFUSED(mmap_a_bar_that_is_not, EDU, BAR(3), PAGE, MAP_SHARED)
REFUSED(mmap_upper_half_of_a_bar, DISK, BAR(1), PAGE, MAP_SHARED)
REFUSED(mmap_ports, CARD, BAR(2), PAGE, MAP_SHARED)
REFUSED(mmap_the_rom, CARD, ROM, PAGE, MAP_SHARED)
REFUSED(mmap_configuration_space, CARD, CONFIG, PAGE, MAP_SHARED)
REFUSED(mmap_vga, CARD, BAR(8), PAGE, MAP_SHARED)
REFUSED(mmap_a_region_far_away, CARD, BAR(1000), PAGE, MAP_SHARED)
REFUSED(mmap_private, EDU, BAR(0), PAGE, MAP_PRIVATE)

/* The last page there can be: offset and length wrap. */
static void mmap_wrapping(void)
{
    START(ONLY(EDU));
    CHECK(mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, units[EDU].device, -(off_t)PAGE) ==
          MAP_FAILED);
    CHECK(mmap(NULL, SIZE_MAX & ~(PAGE - 1), PROT_READ, MAP_SHARED, units[EDU].device, 0) ==
          MAP_FAILED);
}

static void mmap_grown_by_mremap(void)
{
    void *mapped;

    START(ONLY(EDU));
    mapped = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, units[EDU].device, 0);
    CHECK(mapped != MAP_FAILED);
    CHECK(mremap(mapped, PAGE, 1024 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
    CHECK(mremap(mapped, 0, PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
    CHECK_OK(munmap(mapped, PAGE));
}

/* Registers are no code. */
static void mmap_executed(void)
{
    void *mapped;

    START(ONLY(EDU));
    mapped = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, units[EDU].device, 0);
    if (mapped != MAP_FAILED)
        CHECK_OK(munmap(mapped, PAGE));
}

/* ---- reads and writes ---- */

static void refuse_access(enum which which, off_t offset)
{
    uint32_t value = 0xffffffff;

    START(ONLY(which));
    CHECK_EQUAL(pwrite(units[which].device, &value, 4, offset), -1);
    CHECK_EQUAL(pread(units[which].device, &value, 4, offset), -1);
    CHECK_EQUAL(value, 0xffffffff);
}

#define NO_ACCESS(name, which, offset)                                                             \
    static void name(void)                                                                         \
    {                                                                                              \
        refuse_access(which, offset);                                                              \
    }

NO_ACCESS(access_behind_a_bar, EDU, BAR(0) + (1 << 20))
NO_ACCESS(access_a_bar_that_is_not, EDU, BAR(5))
NO_ACCESS(access_vga, CARD, BAR(8) + 0x3b0)
NO_ACCESS(access_a_region_far_away, CARD, BAR(1000))
NO_ACCESS(access_before_everything, CARD, -4)
NO_ACCESS(access_ports_not_decoded, CARD, BAR(2))

static void access_over_the_end(void)
{
    static uint8_t bytes[2 * PAGE];

    START(ONLY(CARD));
    CHECK(pread(units[CARD].device, bytes, sizeof(bytes), BAR(0) + 0x20000 - 8) <= 8);
    CHECK(pread(units[CARD].device, bytes, SIZE_MAX / 2, BAR(0) + 0x20000 - 8) <= 8);
}

/* From and to what is no memory of the program: nothing is read or written there. */
static void access_with_foreign_memory(void)
{
    START(ONLY(EDU));
    CHECK_ERROR(pread(units[EDU].device, (void *)0xffffffff80200000, 4, BAR(0)), EFAULT);
    CHECK_ERROR(pwrite(units[EDU].device, (void *)0xffffffff80200000, 4, BAR(0) + 4), EFAULT);
    CHECK_ERROR(pread(units[EDU].device, (void *)0xffff800000000000, 4, CONFIG), EFAULT);
    CHECK_ERROR(ioctl(units[EDU].device, VFIO_DEVICE_GET_INFO, (void *)0xffffffff80200000), EFAULT);
}

/* Registers of one device are where another's call reads from: copied, not handed on. */
static void access_with_registers_as_memory(void)
{
    START(ONLY(EDU) | ONLY(OTHER));
    (void)pread(units[EDU].device, (void *)units[OTHER].bar, 4, BAR(0));
    (void)pwrite(units[EDU].device, (void *)units[OTHER].bar, 4, BAR(0) + 4);
    CHECK_EQUAL(*(volatile uint32_t *)units[OTHER].bar, 0x010000edu);
}

static void access_rom_by_writing(void)
{
    uint32_t value = 0;

    START(ONLY(CARD));
    CHECK_EQUAL(pwrite(units[CARD].device, &value, 4, ROM), -1);
}

/* ---- while they are not there ---- */

static void access_not_decoded(void)
{
    uint32_t value;

    START(ONLY(EDU));
    set_config(EDU, COMMAND, 2, MASTER);
    CHECK(faults(units[EDU].bar));
    CHECK_ERROR(pread(units[EDU].device, &value, 4, BAR(0)), EIO);
    set_config(EDU, COMMAND, 2, MEMORY | MASTER);
    CHECK(!faults(units[EDU].bar));
}

static void access_asleep(void)
{
    unsigned pm;
    uint32_t value;

    START(ONLY(CARD));
    pm = find_capability(CARD, PM);
    set_config(CARD, pm + 4, 2, 3);
    CHECK(faults(units[CARD].bar));
    CHECK_ERROR(pread(units[CARD].device, &value, 4, BAR(0)), EIO);
    CHECK_ERROR(pwrite(units[CARD].device, &value, 4, BAR(0)), EIO);
    set_config(CARD, pm + 4, 2, 0);
    CHECK(!faults(units[CARD].bar));
}

static void access_in_low_power(void)
{
    struct vfio_device_feature feature = {.argsz = sizeof(feature),
                                          .flags = VFIO_DEVICE_FEATURE_SET |
                                                   VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY};

    START(ONLY(DISK));
    CHECK_OK(ioctl(units[DISK].device, VFIO_DEVICE_FEATURE, &feature));
    CHECK(faults(units[DISK].bar));
    CHECK_ERROR(ioctl(units[DISK].device, VFIO_DEVICE_FEATURE, &feature), EINVAL);
    feature.flags = VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_LOW_POWER_EXIT;
    CHECK_OK(ioctl(units[DISK].device, VFIO_DEVICE_FEATURE, &feature));
    CHECK(!faults(units[DISK].bar));
}

static volatile bool done;

static void *touch(void *argument)
{
    while (!done)
        (void)faults(units[EDU].bar);
    return NULL;
}

static void access_during_a_reset(void)
{
    pthread_t thread;

    START(ONLY(EDU));
    done = false;
    CHECK_EQUAL(pthread_create(&thread, NULL, touch, NULL), 0);
    for (int i = 0; i < 3; i++)
        CHECK_OK(ioctl(units[EDU].device, VFIO_DEVICE_RESET));
    done = true;
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    CHECK(!faults(units[EDU].bar));
}

/* The mapping is all that is left of the device: it keeps it open, and alone. */
static void access_behind_the_close(void)
{
    char path[VFIO_PATH_SIZE];

    START(ONLY(EDU));
    close(units[EDU].device);
    close(units[EDU].group);
    units[EDU].device = units[EDU].group = -1;
    CHECK_EQUAL(*(volatile uint32_t *)units[EDU].bar, 0x010000edu);
    CHECK_OK(vfio_group_path(units[EDU].name, path));
    CHECK_ERROR(open(path, O_RDWR), EBUSY);
}

/* ---- eventfds that write ---- */

static void refuse_doorbell(enum which which, uint32_t flags, uint64_t offset)
{
    struct vfio_device_ioeventfd call = {
        .argsz = sizeof(call), .flags = flags, .offset = offset, .data = 1};

    START(ONLY(which));
    open_events();
    call.fd = events[0];
    CHECK_ERROR(ioctl(units[which].device, VFIO_DEVICE_IOEVENTFD, &call), EINVAL);
}

#define NO_DOORBELL(name, which, flags, offset)                                                    \
    static void name(void)                                                                         \
    {                                                                                              \
        refuse_doorbell(which, flags, (uint64_t)(offset));                                         \
    }

NO_DOORBELL(doorbell_behind_a_bar, EDU, 4, BAR(0) + (1 << 20))
NO_DOORBELL(doorbell_over_the_end, EDU, 8, BAR(0) + (1 << 20) - 4)
NO_DOORBELL(doorbell_of_configuration_space, CARD, 2, CONFIG + COMMAND)
NO_DOORBELL(doorbell_of_the_rom, CARD, 4, ROM)
NO_DOORBELL(doorbell_of_a_bar_that_is_not, EDU, 4, BAR(4))
NO_DOORBELL(doorbell_of_vga, CARD, 4, BAR(8))
NO_DOORBELL(doorbell_far_away, CARD, 4, -4)
NO_DOORBELL(doorbell_of_vectors, DISK, 4, BAR(0) + 0x2000)
NO_DOORBELL(doorbell_across_vectors, DISK, 8, BAR(0) + 0x2000 - 4)
NO_DOORBELL(doorbell_of_no_width, EDU, 0, BAR(0))
NO_DOORBELL(doorbell_of_two_widths, EDU, 12, BAR(0))

/* Rung when the device is gone: it rings no other. */
static void doorbell_of_a_closed_device(void)
{
    struct vfio_device_ioeventfd call = {
        .argsz = sizeof(call), .flags = 4, .offset = (uint64_t)BAR(0) + EDU_RAISE, .data = 1};
    const uint64_t one = 1;

    START(ONLY(EDU) | ONLY(OTHER));
    open_events();
    call.fd = events[0];
    CHECK_OK(bind_event(OTHER, MSI, 0, events[1]));
    CHECK_OK(ioctl(units[EDU].device, VFIO_DEVICE_IOEVENTFD, &call));
    close_unit(&units[EDU]);
    CHECK_EQUAL(write(events[0], &one, 8), 8);
    CHECK_EQUAL(take(events[1]), 0);
    CHECK_EQUAL(take(events[0]), 1);
}

/* An eventfd that rings what signals it. */
static void doorbell_in_a_circle(void)
{
    struct vfio_device_ioeventfd call = {
        .argsz = sizeof(call), .flags = 4, .offset = (uint64_t)BAR(0) + EDU_RAISE, .data = 1};
    const uint64_t one = 1;

    START(ONLY(EDU));
    open_events();
    call.fd = events[0];
    CHECK_OK(bind_event(EDU, MSI, 0, events[0]));
    CHECK_OK(ioctl(units[EDU].device, VFIO_DEVICE_IOEVENTFD, &call));
    CHECK_EQUAL(write(events[0], &one, 8), 8);
    for (int i = 0; i < 5; i++)
        let_arrive();
    close_unit(&units[EDU]); /* in the middle of it */
}

const struct attack window_attacks[] = {
    ATTACK(mmap_behind_a_bar, QUIET),
    ATTACK(mmap_over_the_end, QUIET),
    ATTACK(mmap_a_larger_bar, QUIET),
    ATTACK(mmap_into_the_next_region, QUIET),
    ATTACK(mmap_a_bar_that_is_not, QUIET),
    ATTACK(mmap_upper_half_of_a_bar, QUIET),
    ATTACK(mmap_ports, QUIET),
    ATTACK(mmap_the_rom, QUIET),
    ATTACK(mmap_configuration_space, QUIET),
    ATTACK(mmap_vga, QUIET),
    ATTACK(mmap_a_region_far_away, QUIET),
    ATTACK(mmap_private, QUIET),
    ATTACK(mmap_wrapping, QUIET),
    ATTACK(mmap_grown_by_mremap, QUIET),
    ATTACK(mmap_executed, QUIET),
    ATTACK(access_behind_a_bar, QUIET),
    ATTACK(access_a_bar_that_is_not, QUIET),
    ATTACK(access_vga, QUIET),
    ATTACK(access_a_region_far_away, QUIET),
    ATTACK(access_before_everything, QUIET),
    ATTACK(access_ports_not_decoded, QUIET),
    ATTACK(access_over_the_end, QUIET),
    ATTACK(access_with_foreign_memory, QUIET),
    ATTACK(access_with_registers_as_memory, QUIET),
    ATTACK(access_rom_by_writing, QUIET),
    ATTACK(access_not_decoded, QUIET),
    ATTACK(access_asleep, QUIET),
    ATTACK(access_in_low_power, QUIET),
    ATTACK(access_during_a_reset, QUIET),
    ATTACK(access_behind_the_close, QUIET),
    ATTACK(doorbell_behind_a_bar, QUIET),
    ATTACK(doorbell_over_the_end, QUIET),
    ATTACK(doorbell_of_configuration_space, QUIET),
    ATTACK(doorbell_of_the_rom, QUIET),
    ATTACK(doorbell_of_a_bar_that_is_not, QUIET),
    ATTACK(doorbell_of_vga, QUIET),
    ATTACK(doorbell_far_away, QUIET),
    ATTACK(doorbell_of_vectors, QUIET),
    ATTACK(doorbell_across_vectors, QUIET),
    ATTACK(doorbell_of_no_width, QUIET),
    ATTACK(doorbell_of_two_widths, QUIET),
    ATTACK(doorbell_of_a_closed_device, QUIET),
    ATTACK(doorbell_in_a_circle, QUIET),
    LAST_ATTACK,
};
