/* SPDX-License-Identifier: BSD-2-Clause */
/* What takes a device that does something: QEMU's edu, with one message that it cannot mask. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <time.h>

#include "vfio_device.h"

#define IDS  0x11e81234u
#define IOVA 0x10000000u

enum {
    RAISE = 0x60,
    ACKNOWLEDGE = 0x64,
    SOURCE = 0x80,
    TARGET = 0x88,
    COUNT = 0x90,
    DO = 0x98,
    BUFFER = 0x40000,
    RUN = 1,
    TO_MEMORY = 2,
    INTERRUPT = 4,
};

static void raise_interrupt(void)
{
    set_register(RAISE, 1);
    set_register(ACKNOWLEDGE, 1);
}

static int bind_vector(int event)
{
    irq.data[0] = event;
    return set_irqs(EVENT | TRIGGER, MSI, 0, 1);
}

/* A message without a mask bit that nobody listened to is lost, not kept for who listens next. */
static void edu_unheard_message_is_lost(void)
{
    START();
    if (get_config(0, 4) != IDS)
        return;
    open_events();
    set_config(COMMAND, 2, MEMORY | MASTER);
    CHECK_OK(bind_vector(events[0]));
    raise_interrupt();
    CHECK_EQUAL(take(events[0]), 1);
    CHECK_OK(bind_vector(-1));
    raise_interrupt();
    CHECK_OK(bind_vector(events[1]));
    CHECK_EQUAL(take(events[0]), 0);
    CHECK_EQUAL(take(events[1]), 0);
    raise_interrupt();
    CHECK_EQUAL(take(events[1]), 1);
}

static void transfer(uint32_t source, uint32_t target, uint32_t command)
{
    const struct timespec pause = {0, 1000000};

    set_register(SOURCE, source);
    set_register(TARGET, target);
    set_register(COUNT, 64);
    set_register(DO, command | RUN);
    while (get_register(DO) & RUN)
        nanosleep(&pause, NULL);
}

/* Bus mastering set before a reset is still set behind it, and so is the vector. */
static void edu_works_behind_a_reset(void)
{
    struct vfio_iommu_type1_dma_map map = {.argsz = sizeof(map),
                                           .flags =
                                               VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
                                           .iova = IOVA,
                                           .size = PAGE};
    char *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    START();
    if (get_config(0, 4) != IDS || !can_reset)
        return;
    open_events();
    CHECK(memory != MAP_FAILED);
    map.vaddr = (uintptr_t)memory;
    CHECK_OK(ioctl(container, VFIO_IOMMU_MAP_DMA, &map));
    set_config(COMMAND, 2, MEMORY | MASTER);
    CHECK_OK(bind_vector(events[0]));
    CHECK_OK(ioctl(device, VFIO_DEVICE_RESET));
    memset(memory, 0x6b, 64);
    transfer(IOVA, BUFFER, INTERRUPT);
    CHECK_EQUAL(take(events[0]), 1);
    set_register(ACKNOWLEDGE, 0x100);
    transfer(BUFFER, IOVA + 64, TO_MEMORY);
    CHECK(memcmp(memory, memory + 64, 64) == 0);
    munmap(memory, PAGE);
}

/* Two accesses of four bytes would leave the lower half only: the upper one is no register. */
static void edu_takes_eight_bytes_at_once(void)
{
    const uint64_t wide = 0x123456789ull;
    uint64_t value = 0;
    off_t at;

    START();
    if (get_config(0, 4) != IDS)
        return;
    at = (off_t)(regions[0].offset + SOURCE);
    CHECK_EQUAL(pwrite(device, &wide, 8, at), 8);
    CHECK_EQUAL(pread(device, &value, 8, at), 8);
    CHECK_EQUAL(value, wide);
}

const struct conform_case edu_cases[] = {
    CASE(edu_takes_eight_bytes_at_once),
    CASE(edu_unheard_message_is_lost),
    CASE(edu_works_behind_a_reset),
    LAST_CASE,
};
