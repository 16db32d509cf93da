/* SPDX-License-Identifier: BSD-2-Clause */
/* Every call of a device file with every size, and every number that is no call of one. */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "vfio_device.h"

#define CANARY 0x5a
#define ROOM   256

static const struct {
    unsigned long call;
    uint32_t least; /* argsz that every caller has */
} calls[] = {
    {VFIO_DEVICE_GET_INFO, 16},         {VFIO_DEVICE_GET_REGION_INFO, 32},
    {VFIO_DEVICE_GET_IRQ_INFO, 16},     {VFIO_DEVICE_SET_IRQS, 20},
    {VFIO_DEVICE_PCI_HOT_RESET, 12},    {VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, 12},
    {VFIO_DEVICE_IOEVENTFD, 28},        {VFIO_DEVICE_FEATURE, 8},
    {VFIO_DEVICE_BIND_IOMMUFD, 16},     {VFIO_DEVICE_ATTACH_IOMMUFD_PT, 12},
    {VFIO_DEVICE_DETACH_IOMMUFD_PT, 8},
};
#define CALLS     (sizeof(calls) / sizeof(calls[0]))
#define OWN_CALLS 3 /* the last ones: of the device's own file */

/* Those that the file has; a file of a group knows that it cannot be bound, Linux 6.1 not even
 * that. */
static size_t calls_here(void)
{
    return own_file ? CALLS : CALLS - OWN_CALLS;
}

static void size_too_short(void)
{
    uint32_t data[ROOM / 4] = {0};

    START();
    for (size_t i = 0; i < calls_here(); i++)
        for (data[0] = 0; data[0] < calls[i].least; data[0]++)
            CHECK_ERROR(ioctl(device, calls[i].call, data), EINVAL);
}

/* The structure, or the part of it that every caller has, ends where there is nothing. */
static void size_out_of_reach(void)
{
    unsigned char *page =
        mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    START();
    CHECK(page != MAP_FAILED);
    CHECK_OK(munmap(page + PAGE, PAGE));
    for (size_t i = 0; i < calls_here(); i++) {
        void *cut = page + PAGE - (calls[i].least - 4);

        *(uint32_t *)cut = ROOM;
        CHECK_ERROR(ioctl(device, calls[i].call, NULL), EFAULT);
        CHECK_ERROR(ioctl(device, calls[i].call, cut), EFAULT);
    }
    CHECK_OK(munmap(page, PAGE));
}

/* Asks with each size from `least` on; `index` is the third word of those that have one. */
static void ask_with_every_size(unsigned long call, uint32_t least, uint32_t index)
{
    union {
        uint32_t words[ROOM / 4];
        unsigned char bytes[ROOM];
    } data;

    for (uint32_t size = least; size <= ROOM / 2; size++) {
        memset(&data, CANARY, sizeof(data));
        data.words[0] = size;
        if (call != VFIO_DEVICE_GET_INFO)
            data.words[2] = index;
        CHECK_OK(ioctl(device, call, &data));
        for (uint32_t i = size; i < ROOM; i++)
            CHECK_EQUAL(data.bytes[i], CANARY);
    }
}

static void size_is_all_that_is_written(void)
{
    START();
    ask_with_every_size(VFIO_DEVICE_GET_INFO, 16, 0);
    for (uint32_t region = 0; region < VFIO_PCI_VGA_REGION_INDEX; region++)
        ask_with_every_size(VFIO_DEVICE_GET_REGION_INFO, 32, region);
    for (uint32_t index = 0; index < 5; index++)
        if (irq_counts[index])
            ask_with_every_size(VFIO_DEVICE_GET_IRQ_INFO, 16, index);
}

/* Who has no room for the capabilities is told how much they take, and gets none. */
static void size_of_capabilities(void)
{
    union {
        struct vfio_region_info info;
        char bytes[ROOM];
    } all;
    uint32_t needed;

    START();
    for (uint32_t i = 0; i < 6; i++) {
        if (!(regions[i].flags & VFIO_REGION_INFO_FLAG_CAPS)) {
            CHECK_EQUAL(regions[i].argsz, sizeof(regions[i]));
            continue;
        }
        needed = regions[i].argsz;
        CHECK_EQUAL(regions[i].cap_offset, 0);
        CHECK(needed > sizeof(all.info) && needed <= ROOM);
        all.info = (struct vfio_region_info){.argsz = needed - 1, .index = i};
        CHECK_OK(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &all));
        CHECK_EQUAL(all.info.cap_offset, 0);
        CHECK_EQUAL(all.info.argsz, needed);
        CHECK_OK(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &all));
        CHECK_EQUAL(all.info.cap_offset, sizeof(all.info));
    }
}

/* One type of data of SET_IRQS, whose last byte the caller does not have, or cannot be read. */
static void cut_irq_data(uint32_t flags, uint32_t index, uint32_t bytes, char *end)
{
    struct irq_call *cut = (struct irq_call *)(end - 20 - (bytes - 1));

    memset(&irq, 0xff, sizeof(irq));
    irq = (struct irq_call){.argsz = 20 + bytes - 1, .flags = flags, .index = index, .count = 1};
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_SET_IRQS, &irq), EINVAL);
    irq.argsz = 20 + bytes;
    memcpy(cut, &irq, 20 + bytes - 1);
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_SET_IRQS, cut), EFAULT);
}

static void size_of_irq_data(void)
{
    char *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    START();
    CHECK(page != MAP_FAILED);
    CHECK_OK(munmap(page + PAGE, PAGE));
    for (uint32_t index = 0; index < 5; index++) {
        if (!irq_counts[index])
            continue;
        cut_irq_data(EVENT | TRIGGER, index, 4, page + PAGE);
        cut_irq_data(BOOL | TRIGGER, index, 1, page + PAGE);
    }
    CHECK_OK(munmap(page, PAGE));
}

static bool is_call(unsigned long call)
{
    for (size_t i = 0; i < CALLS; i++)
        if (calls[i].call == call)
            return true;
    return call == VFIO_DEVICE_RESET;
}

/* Those of containers, of groups and of devices of other kinds, and numbers that nobody has. */
static void numbers_of_no_call(void)
{
    uint32_t data[ROOM / 4] = {ROOM};

    START();
    for (int number = 0; number < 256; number++) {
        unsigned long call = _IO(VFIO_TYPE, number);

        if (!is_call(call))
            CHECK_ERROR(ioctl(device, call, data), ENOTTY);
    }
    CHECK_ERROR(ioctl(device, _IO('!', VFIO_BASE + 7), data), ENOTTY);
    CHECK_ERROR(ioctl(device, _IOWR(VFIO_TYPE, VFIO_BASE + 7, struct vfio_device_info), data),
                ENOTTY);
    if (own_file)
        return;
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, data), ENOTTY);
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, data), ENOTTY);
    CHECK_ERROR2(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, data), EINVAL, ENOTTY);
}

const struct conform_case size_cases[] = {
    CASE(size_too_short),
    CASE(size_out_of_reach),
    CASE(size_is_all_that_is_written),
    CASE(size_of_capabilities),
    CASE(size_of_irq_data),
    CASE(numbers_of_no_call),
    LAST_CASE,
};
