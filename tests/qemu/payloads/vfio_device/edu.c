/* SPDX-License-Identifier: BSD-2-Clause */
/* What takes a device that does something: QEMU's edu, with one message that it cannot mask. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <time.h>

#include "edu_registers.h"
#include "vfio_device.h"

#define IDS  0x11e81234u
#define IOVA 0x10000000u

static void raise_interrupt(void)
{
    set_register(EDU_RAISE, 1);
    set_register(EDU_ACKNOWLEDGE, 1);
}

/* A message without a mask bit that nobody listened to is lost, not kept for who listens next. */
static void edu_unheard_message_is_lost(void)
{
    START();
    if (get_config(0, 4) != IDS)
        return;
    open_events();
    set_config(COMMAND, 2, MEMORY | MASTER);
    CHECK_OK(bind_event(MSI, 0, events[0]));
    raise_interrupt();
    CHECK_EQUAL(take(events[0]), 1);
    CHECK_OK(bind_event(MSI, 0, -1));
    raise_interrupt();
    CHECK_OK(bind_event(MSI, 0, events[1]));
    CHECK_EQUAL(take(events[0]), 0);
    CHECK_EQUAL(take(events[1]), 0);
    raise_interrupt();
    CHECK_EQUAL(take(events[1]), 1);
}

static void transfer(uint32_t source, uint32_t target, uint32_t command)
{
    const struct timespec pause = {0, 1000000};

    set_register(EDU_SOURCE, source);
    set_register(EDU_TARGET, target);
    set_register(EDU_COUNT, 64);
    set_register(EDU_COMMAND, command | EDU_RUN);
    while (get_register(EDU_COMMAND) & EDU_RUN)
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

    START_GROUP();
    if (get_config(0, 4) != IDS || !can_reset)
        return;
    open_events();
    CHECK(memory != MAP_FAILED);
    map.vaddr = (uintptr_t)memory;
    CHECK_OK(ioctl(container, VFIO_IOMMU_MAP_DMA, &map));
    set_config(COMMAND, 2, MEMORY | MASTER);
    CHECK_OK(bind_event(MSI, 0, events[0]));
    CHECK_OK(ioctl(device, VFIO_DEVICE_RESET));
    memset(memory, 0x6b, 64);
    transfer(IOVA, EDU_BUFFER, EDU_INTERRUPT);
    CHECK_EQUAL(take(events[0]), 1);
    set_register(EDU_ACKNOWLEDGE, 0x100);
    transfer(EDU_BUFFER, IOVA + 64, EDU_TO_MEMORY);
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
    at = (off_t)(regions[0].offset + EDU_SOURCE);
    CHECK_EQUAL(pwrite(device, &wide, 8, at), 8);
    CHECK_EQUAL(pread(device, &value, 8, at), 8);
    if (value >> 32 == 0xffffffff)
        NOTE_LINUX("eight bytes are two accesses");
    else
        CHECK_EQUAL(value, wide);
}

/* ---- the line, which it pulls while no message is enabled ---- */

static void let_arrive(void)
{
    const struct timespec pause = {0, 2000000};

    nanosleep(&pause, NULL);
}

/* With the line enabled for the first eventfd. False: there is none, or another device. */
static bool line_ready(void)
{
    if (get_config(0, 4) != IDS || !irq_counts[INTX])
        return false;
    open_events();
    set_config(COMMAND, 2, MEMORY | MASTER);
    set_register(EDU_ACKNOWLEDGE, ~0u); /* what a case before has raised: no reset clears it */
    return bind_event(INTX, 0, events[0]) == 0;
}

/* What the eventfd has counted when all that was due has come. */
static uint64_t came(void)
{
    let_arrive();
    return take(events[0]);
}

/* The same, for who has just bound an eventfd to a line that is pulled. */
static uint64_t came_for_the_new_one(void)
{
    uint64_t count = came();

    if (count)
        return count;
    NOTE_LINUX("a line that was pulled for nobody is masked");
    return set_irqs(NONE | UNMASK, INTX, 0, 1) ? 0 : came();
}

static void edu_line_is_masked_when_it_fires(void)
{
    START();
    if (!line_ready())
        return;
    CHECK_EQUAL(came(), 0);
    set_register(EDU_RAISE, 1);
    CHECK_EQUAL(came(), 1);
    CHECK_OK(set_irqs(NONE | UNMASK, INTX, 0, 1)); /* still pulled */
    CHECK_EQUAL(came(), 1);
    set_register(EDU_ACKNOWLEDGE, 1);
    CHECK_OK(set_irqs(NONE | UNMASK, INTX, 0, 1));
    CHECK_EQUAL(came(), 0);
    CHECK_OK(set_irqs(NONE | MASK, INTX, 0, 1));
    set_register(EDU_RAISE, 1);
    CHECK_EQUAL(came(), 0);
    irq.data[0] = 0; /* BOOL: not this one */
    CHECK_OK(set_irqs(BOOL | UNMASK, INTX, 0, 1));
    CHECK_EQUAL(came(), 0);
    irq.data[0] = 1;
    CHECK_OK(set_irqs(BOOL | UNMASK, INTX, 0, 1));
    CHECK_EQUAL(came(), 1);
    CHECK_OK(bind_event(INTX, 0, -1)); /* nobody listens: it waits */
    CHECK_OK(set_irqs(NONE | UNMASK, INTX, 0, 1));
    CHECK_EQUAL(came(), 0);
    CHECK_OK(bind_event(INTX, 0, events[0]));
    CHECK_EQUAL(came_for_the_new_one(), 1);
    CHECK_OK(irqs_off(INTX));
    CHECK_EQUAL(came(), 0);
    CHECK_OK(bind_event(INTX, 0, events[0])); /* still pulled */
    if (came_for_the_new_one() == 0)
        return; /* as has been noted: Linux on QEMU waits for the next edge */
    CHECK_OK(irqs_off(INTX));
    CHECK_OK(bind_event(MSI, 0, events[0]));
    set_register(EDU_RAISE, 2);
    CHECK_EQUAL(came(), 1);
}

static void edu_line_is_unmasked_by_an_eventfd(void)
{
    const uint64_t one = 1;

    START();
    if (!line_ready())
        return;
    CHECK_EQUAL(write(events[1], &one, sizeof(one)), 8);
    set_register(EDU_RAISE, 1);
    CHECK_EQUAL(came(), 1);
    irq.data[0] = events[1];
    CHECK_OK(set_irqs(EVENT | UNMASK, INTX, 0, 1)); /* what was written before counts */
    CHECK_EQUAL(came(), 1);
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(write(events[1], &one, sizeof(one)), 8);
        CHECK_EQUAL(came(), 1);
    }
    set_register(EDU_ACKNOWLEDGE, 1);
    CHECK_EQUAL(write(events[1], &one, sizeof(one)), 8);
    CHECK_EQUAL(came(), 0);
    CHECK_EQUAL(take(events[1]), 0);
    set_register(EDU_RAISE, 1);
    CHECK_EQUAL(came(), 1);
    irq.data[0] = -1;
    CHECK_OK(set_irqs(EVENT | UNMASK, INTX, 0, 1));
    CHECK_EQUAL(write(events[1], &one, sizeof(one)), 8);
    CHECK_EQUAL(came(), 0);
    CHECK_EQUAL(take(events[1]), 1);
}

/* Two masks: of the call and of the command register. Clearing the second lifts both, as Linux. */
static void edu_line_follows_the_command_register(void)
{
    START();
    if (!line_ready())
        return;
    set_config(COMMAND, 2, MEMORY | MASTER | NO_INTX);
    set_register(EDU_RAISE, 1);
    CHECK_EQUAL(came(), 0);
    CHECK_OK(set_irqs(NONE | MASK, INTX, 0, 1));
    CHECK_OK(set_irqs(NONE | UNMASK, INTX, 0, 1));
    CHECK_EQUAL(came(), 0);
    set_config(COMMAND, 2, MEMORY);
    CHECK_EQUAL(came(), 1);
    set_config(COMMAND, 2, MEMORY | MASTER); /* no change of the bit: still masked */
    CHECK_EQUAL(came(), 0);
    CHECK_OK(irqs_off(INTX));
    set_config(COMMAND, 2, MEMORY | NO_INTX);
    CHECK_OK(bind_event(INTX, 0, events[0]));
    CHECK_EQUAL(came(), 0);
    set_config(COMMAND, 2, MEMORY);
    CHECK_EQUAL(came(), 1);
}

static void edu_line_outlasts_a_reset(void)
{
    START();
    if (!line_ready() || !can_reset)
        return;
    CHECK_OK(set_irqs(NONE | MASK, INTX, 0, 1));
    CHECK_OK(ioctl(device, VFIO_DEVICE_RESET));
    set_register(EDU_RAISE, 1);
    CHECK_EQUAL(came(), 0);
    CHECK_OK(set_irqs(NONE | UNMASK, INTX, 0, 1));
    CHECK_EQUAL(came(), 1);
    set_config(COMMAND, 2, MEMORY | NO_INTX);
    CHECK_OK(ioctl(device, VFIO_DEVICE_RESET));
    set_register(EDU_RAISE, 1);
    CHECK_EQUAL(came(), 0);
    CHECK_EQUAL(get_config(COMMAND, 2), MEMORY | NO_INTX);
    set_config(COMMAND, 2, MEMORY);
    CHECK_EQUAL(came(), 1);
}

/*
 * An eventfd that unmasks what it tells of makes interrupts without end, in which nobody but the
 * kernel has a part. The program goes on all the same, and so does its clock.
 */
static void edu_line_in_a_storm(void)
{
    START();
    if (!line_ready())
        return;
    irq.data[0] = events[0];
    CHECK_OK(set_irqs(EVENT | UNMASK, INTX, 0, 1));
    set_register(EDU_RAISE, 1);
    for (int i = 0; i < 5; i++)
        let_arrive();
    CHECK_EQUAL(get_register(0), 0x010000edu);
    set_register(EDU_ACKNOWLEDGE, 1);
    irq.data[0] = -1;
    CHECK_OK(set_irqs(EVENT | UNMASK, INTX, 0, 1));
    CHECK_OK(set_irqs(NONE | MASK, INTX, 0, 1)); /* whichever the storm ended in */
    take(events[0]);
    set_register(EDU_RAISE, 1);
    CHECK_OK(set_irqs(NONE | UNMASK, INTX, 0, 1));
    CHECK_EQUAL(came(), 1);
}

static int ring_by(int event, uint64_t offset, uint32_t value)
{
    struct vfio_device_ioeventfd call = {
        sizeof(call), VFIO_DEVICE_IOEVENTFD_32, regions[0].offset + offset, value, event, 0};

    return ioctl(device, VFIO_DEVICE_IOEVENTFD, &call);
}

/* A doorbell: no thread is between the eventfd that is written and the message that comes. */
static void edu_ioeventfd_rings(void)
{
    const uint64_t one = 1;

    START();
    if (get_config(0, 4) != IDS)
        return;
    open_events();
    set_config(COMMAND, 2, MEMORY | MASTER);
    CHECK_OK(bind_event(MSI, 0, events[0]));
    CHECK_OK(ring_by(events[1], EDU_RAISE, 1));
    CHECK_EQUAL(write(events[1], &one, 8), 8);
    CHECK_EQUAL(take(events[0]), 1);
    CHECK_EQUAL(take(events[1]), 0); /* it was heard */
    set_register(EDU_ACKNOWLEDGE, 1);
    set_config(COMMAND, 2, MASTER);
    CHECK_EQUAL(write(events[1], &one, 8), 8); /* not decoded: dropped */
    CHECK_EQUAL(take(events[0]), 0);
    set_config(COMMAND, 2, MEMORY | MASTER);
    CHECK_OK(ring_by(-1, EDU_RAISE, 1));
    CHECK_EQUAL(write(events[1], &one, 8), 8);
    CHECK_EQUAL(take(events[0]), 0);
    CHECK_EQUAL(take(events[1]), 1);
}

const struct conform_case edu_cases[] = {
    CASE(edu_ioeventfd_rings),
    CASE(edu_line_is_masked_when_it_fires),
    CASE(edu_line_is_unmasked_by_an_eventfd),
    CASE(edu_line_follows_the_command_register),
    CASE(edu_line_outlasts_a_reset),
    CASE(edu_line_in_a_storm),
    CASE(edu_takes_eight_bytes_at_once),
    CASE(edu_unheard_message_is_lost),
    CASE(edu_works_behind_a_reset),
    LAST_CASE,
};
