/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every pair of calls on one device, its group and its container: two threads make one each, again
 * and again, on a kernel that lets the other in wherever it may. What a call gives is not asked:
 * it finds what the other is in the middle of. Behind each pair the machine has to do its work.
 */
#include "hostile.h"

#define TIMES 4

static uint8_t *memory;
static struct unit *const unit = &units[EDU];

static void call_reset(void)
{
    ioctl(unit->device, VFIO_DEVICE_RESET);
}

static void call_bus_reset(void)
{
    struct {
        uint32_t argsz, flags, count;
        int32_t file;
    } reset = {sizeof(reset), 0, 1, unit->group};

    ioctl(unit->device, VFIO_DEVICE_PCI_HOT_RESET, &reset);
}

static void call_info(void)
{
    struct vfio_device_info device = {.argsz = sizeof(device)};
    struct vfio_region_info region = {.argsz = sizeof(region)};

    ioctl(unit->device, VFIO_DEVICE_GET_INFO, &device);
    ioctl(unit->device, VFIO_DEVICE_GET_REGION_INFO, &region);
}

static void call_read(void)
{
    static uint8_t bytes[PAGE];

    (void)pread(unit->device, bytes, sizeof(bytes), BAR(0) + EDU_BUFFER);
}

static void call_write(void)
{
    const uint32_t value = 1;

    (void)pwrite(unit->device, &value, 4, BAR(0) + EDU_RAISE);
    (void)pwrite(unit->device, &value, 4, BAR(0) + EDU_ACKNOWLEDGE);
}

static void call_command(void)
{
    uint16_t off = 0, on = MEMORY | MASTER;

    (void)pwrite(unit->device, &off, 2, CONFIG + COMMAND);
    (void)pwrite(unit->device, &on, 2, CONFIG + COMMAND);
}

static void call_mmap(void)
{
    void *mapped = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, unit->device, 0);

    if (mapped == MAP_FAILED)
        return;
    (void)faults(mapped);
    munmap(mapped, PAGE);
}

static void call_vector(void)
{
    bind_event(EDU, MSI, 0, events[0]);
    set_irqs(EDU, NONE | TRIGGER, MSI, 0, 1, NULL);
    set_irqs(EDU, NONE | TRIGGER, MSI, 0, 0, NULL);
}

static void call_line(void)
{
    const int32_t data[4] = {events[2]};

    bind_event(EDU, INTX, 0, events[1]);
    set_irqs(EDU, NONE | MASK, INTX, 0, 1, NULL);
    set_irqs(EDU, EVENT | UNMASK, INTX, 0, 1, data);
    set_irqs(EDU, NONE | TRIGGER, INTX, 0, 0, NULL);
}

static void call_doorbell(void)
{
    struct vfio_device_ioeventfd call = {
        .argsz = sizeof(call), .flags = 4, .offset = EDU_RAISE, .data = 1, .fd = events[3]};
    const uint64_t one = 1;

    ioctl(unit->device, VFIO_DEVICE_IOEVENTFD, &call);
    (void)write(events[3], &one, 8);
    call.fd = -1;
    ioctl(unit->device, VFIO_DEVICE_IOEVENTFD, &call);
}

static void call_low_power(void)
{
    struct vfio_device_feature feature = {.argsz = sizeof(feature),
                                          .flags = VFIO_DEVICE_FEATURE_SET |
                                                   VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY};

    ioctl(unit->device, VFIO_DEVICE_FEATURE, &feature);
    feature.flags = VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_LOW_POWER_EXIT;
    ioctl(unit->device, VFIO_DEVICE_FEATURE, &feature);
}

static void call_map(void)
{
    dma_map(IOVA, memory, PAGES * PAGE, READ | WRITE);
}

static void call_unmap(void)
{
    dma_unmap(IOVA, PAGES * PAGE);
}

/* Always from the buffer to memory: QEMU aborts when it is told an address beyond it. */
static void call_transfer(void)
{
    const uint64_t values[] = {EDU_BUFFER, IOVA, BYTES, EDU_RUN | EDU_TO_MEMORY};

    for (unsigned i = 0; i < 4; i++)
        if (pwrite(unit->device, &values[i], 8, BAR(0) + EDU_SOURCE + 8 * i) != 8)
            return;
}

static void call_reopen(void)
{
    close(unit->device);
    unit->device = ioctl(unit->group, VFIO_GROUP_GET_DEVICE_FD, unit->name);
}

static void call_container(void)
{
    ioctl(unit->group, VFIO_GROUP_UNSET_CONTAINER);
    ioctl(unit->group, VFIO_GROUP_SET_CONTAINER, &container);
    ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
}

/* clang-format off */
#define CALL(name) {#name, call_##name}
/* clang-format on */
static const struct {
    const char *name;
    void (*run)(void);
} calls[] = {
    CALL(reset), CALL(bus_reset), CALL(info),   CALL(read),      CALL(write),     CALL(command),
    CALL(mmap),  CALL(vector),    CALL(line),   CALL(doorbell),  CALL(low_power), CALL(map),
    CALL(unmap), CALL(transfer),  CALL(reopen), CALL(container),
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

static void *repeat(void *argument)
{
    void (*const *run)(void) = argument;

    for (int i = 0; i < TIMES; i++)
        (*run)();
    return NULL;
}

static void race(unsigned first, unsigned second)
{
    pthread_t threads[2];
    uint8_t *beside;

    START(ONLY(EDU));
    open_events();
    memory = new_memory(PAGES * PAGE, 0);
    beside = new_memory(PAGES * PAGE, 0xa5);
    CHECK_EQUAL(pthread_create(&threads[0], NULL, repeat, (void *)&calls[first].run), 0);
    CHECK_EQUAL(pthread_create(&threads[1], NULL, repeat, (void *)&calls[second].run), 0);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    CHECK(is_filled(beside, PAGES * PAGE, 0xa5));
}

bool race_every_pair(void)
{
    bool good = true;

    for (unsigned first = 0; first < CALLS; first++)
        for (unsigned second = first; second < CALLS; second++) {
            char name[64];

            snprintf(name, sizeof(name), "race_%s_with_%s", calls[first].name, calls[second].name);
            begin_attack(name);
            race(first, second);
            good &= end_attack(name);
        }
    return good;
}
