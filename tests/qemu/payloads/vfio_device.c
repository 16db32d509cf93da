/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every rule of VFIO device files, one case each, on whatever device is named: what depends on its
 * capabilities is asked of the device first. The same source runs on Linux.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/vfio.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conform.h"
#include "vfio_open.h"

#define PAGE    4096ull
#define COMMAND 4
#define MEMORY  2
#define MASTER  4

static const char *device_name;
static int container = -1, group = -1, device = -1, events[4] = {-1, -1, -1, -1};
static struct vfio_region_info config, regions[6];
static uint32_t irq_counts[5];
static bool can_reset;
static int memory_bar;                /* the first BAR that can be mapped; -1: there is none */
static uint64_t map_offset, map_size; /* its first mappable area */

/* ---- what every case starts from ---- */

static void close_all(void)
{
    int *all[] = {&device, &group, &container, &events[0], &events[1], &events[2], &events[3]};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (*all[i] >= 0)
            close(*all[i]);
        *all[i] = -1;
    }
}

static bool open_device(void)
{
    struct vfio_files files;
    int error = vfio_open(device_name, &files);

    container = files.container;
    group = files.group;
    device = files.device;
    return !error;
}

/* The first area of a region that may be mapped. */
static void find_area(const struct vfio_region_info *region, int index)
{
    union {
        struct vfio_region_info info;
        char bytes[256];
    } with_caps = {.info = {.argsz = sizeof(with_caps), .index = (uint32_t)index}};
    const struct vfio_region_info_cap_sparse_mmap *sparse;

    map_offset = 0;
    map_size = region->size;
    if (!(region->flags & VFIO_REGION_INFO_FLAG_CAPS) ||
        ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &with_caps))
        return;
    sparse = (const void *)(with_caps.bytes + with_caps.info.cap_offset);
    if (with_caps.info.cap_offset && sparse->header.id == VFIO_REGION_INFO_CAP_SPARSE_MMAP) {
        map_offset = sparse->areas[0].offset;
        map_size = sparse->areas[0].size;
    }
}

static bool learn(void)
{
    struct vfio_device_info info = {.argsz = sizeof(info)};

    if (ioctl(device, VFIO_DEVICE_GET_INFO, &info))
        return false;
    can_reset = info.flags & VFIO_DEVICE_FLAGS_RESET;
    memory_bar = -1;
    for (int i = 0; i < 6; i++) {
        regions[i] = (struct vfio_region_info){.argsz = sizeof(regions[i]), .index = (uint32_t)i};
        if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &regions[i]))
            return false;
        if (memory_bar < 0 && (regions[i].flags & VFIO_REGION_INFO_FLAG_MMAP)) {
            memory_bar = i;
            find_area(&regions[i], i);
        }
    }
    config =
        (struct vfio_region_info){.argsz = sizeof(config), .index = VFIO_PCI_CONFIG_REGION_INDEX};
    if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config))
        return false;
    for (uint32_t i = 0; i < 5; i++) {
        struct vfio_irq_info irq = {.argsz = sizeof(irq), .index = i};

        irq_counts[i] = ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &irq) ? 0 : irq.count;
    }
    return true;
}

/* For the beginning of every case. */
#define START()                                                                                    \
    do {                                                                                           \
        if (!open_device() || !learn()) {                                                          \
            CONFORM_FAIL("cannot open the device: %s", strerror(errno));                           \
            return;                                                                                \
        }                                                                                          \
    } while (0)

static uint32_t get_config(unsigned offset, unsigned width)
{
    uint32_t value = 0;

    if (pread(device, &value, width, (off_t)(config.offset + offset)) != (ssize_t)width)
        CONFORM_FAIL("reading %u bytes of configuration at 0x%x: %s", width, offset,
                     strerror(errno));
    return value;
}

static void set_config(unsigned offset, unsigned width, uint32_t value)
{
    if (pwrite(device, &value, width, (off_t)(config.offset + offset)) != (ssize_t)width)
        CONFORM_FAIL("writing %u bytes of configuration at 0x%x: %s", width, offset,
                     strerror(errno));
}

static unsigned find_capability(uint8_t id)
{
    unsigned offset = get_config(0x34, 1) & 0xfc;

    for (int i = 0; i < 48 && offset; i++) {
        if (get_config(offset, 1) == id)
            return offset;
        offset = get_config(offset + 1, 1) & 0xfc;
    }
    return 0;
}

/* ---- information ---- */

static void device_info(void)
{
    struct vfio_device_info info = {.argsz = sizeof(info), .cap_offset = 1};

    START();
    CHECK_OK(ioctl(device, VFIO_DEVICE_GET_INFO, &info));
    CHECK(info.flags & VFIO_DEVICE_FLAGS_PCI);
    CHECK(info.num_regions >= 9);
    CHECK_EQUAL(info.num_irqs, 5);
    info.argsz = 16;
    CHECK_OK(ioctl(device, VFIO_DEVICE_GET_INFO, &info));
    info.argsz = 15;
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_GET_INFO, &info), EINVAL);
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_GET_INFO, NULL), EFAULT);
}

static void unknown_call(void)
{
    START();
    CHECK_ERROR(ioctl(device, VFIO_GROUP_GET_STATUS, NULL), ENOTTY);
    CHECK_ERROR(ioctl(device, VFIO_IOMMU_ENABLE, NULL), ENOTTY);
}

static void region_info(void)
{
    struct vfio_region_info info = {.argsz = sizeof(info), .index = VFIO_PCI_VGA_REGION_INDEX};

    START();
    for (int i = 0; i < 6; i++) {
        CHECK_EQUAL(regions[i].offset, (uint64_t)i << 40);
        CHECK((regions[i].size == 0) == (regions[i].flags == 0));
    }
    CHECK_EQUAL(config.offset, 7ull << 40);
    CHECK_EQUAL(config.flags, VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE);
    CHECK(config.size == 256 || config.size == 4096);
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info), EINVAL);
    info.index = 1000;
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info), EINVAL);
    info = (struct vfio_region_info){.argsz = sizeof(info) - 1};
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info), EINVAL);
}

static void irq_info(void)
{
    struct vfio_irq_info info = {.argsz = sizeof(info), .index = VFIO_PCI_MSI_IRQ_INDEX};

    START();
    CHECK_OK(ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &info));
    CHECK_EQUAL(info.flags & ~(uint32_t)VFIO_IRQ_INFO_NORESIZE, VFIO_IRQ_INFO_EVENTFD);
    CHECK_EQUAL(irq_counts[VFIO_PCI_REQ_IRQ_INDEX], 1);
    info.index = 5;
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &info), EINVAL);
    info.index = VFIO_PCI_ERR_IRQ_INDEX;
    if (find_capability(0x10))
        CHECK_OK(ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &info));
    else
        CHECK_ERROR(ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &info), EINVAL);
    info = (struct vfio_irq_info){.argsz = 15};
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &info), EINVAL);
}

/* ---- configuration space ---- */

static void config_bounds(void)
{
    uint32_t value;

    START();
    CHECK_ERROR(pread(device, &value, 4, (off_t)(config.offset + config.size)), EFAULT);
    CHECK_ERROR(pread(device, &value, 4, (off_t)(config.offset + config.size - 2)), EFAULT);
    CHECK_EQUAL(pread(device, &value, 0, (off_t)config.offset), 0);
    CHECK_EQUAL(pread(device, &value, 3, (off_t)config.offset + 1), 3);
    CHECK_ERROR(pread(device, NULL, 4, (off_t)config.offset), EFAULT);
    CHECK(get_config(0, 2) != 0xffff);
}

static void config_command(void)
{
    START();
    CHECK_EQUAL(get_config(COMMAND, 2) & MASTER, 0);
    set_config(COMMAND, 2, get_config(COMMAND, 2) | MASTER);
    CHECK_EQUAL(get_config(COMMAND, 2) & MASTER, MASTER);
    close_all();
    START();
    CHECK_EQUAL(get_config(COMMAND, 2) & MASTER, 0); /* silent again */
}

static void config_identity_stays(void)
{
    uint32_t ids;

    START();
    ids = get_config(0, 4);
    set_config(0, 4, 0x12345678);
    CHECK_EQUAL(get_config(0, 4), ids);
    ids = get_config(0x34, 1);
    set_config(0x34, 1, 0xfc);
    CHECK_EQUAL(get_config(0x34, 1), ids);
}

static void config_bar_sizing(void)
{
    START();
    for (unsigned i = 0; i < 6; i++) {
        uint32_t was = get_config(0x10 + 4 * i, 4), mask;
        uint32_t low = was & 1 ? 3 : 15;

        if (regions[i].size == 0)
            continue;
        set_config(0x10 + 4 * i, 4, 0xffffffff);
        mask = get_config(0x10 + 4 * i, 4);
        CHECK_EQUAL(mask & low, was & low);
        CHECK_EQUAL(-(mask & ~low), regions[i].size);
        set_config(0x10 + 4 * i, 4, was);
        CHECK_EQUAL(get_config(0x10 + 4 * i, 4), was);
    }
    if (memory_bar >= 0) { /* the hardware did not move */
        uint32_t value;

        CHECK_EQUAL(pread(device, &value, 4, (off_t)regions[memory_bar].offset), 4);
    }
}

static void config_capabilities(void)
{
    unsigned msi, msix;

    START();
    msi = find_capability(0x05);
    msix = find_capability(0x11);
    CHECK_EQUAL(msi != 0, irq_counts[VFIO_PCI_MSI_IRQ_INDEX] != 0);
    CHECK_EQUAL(msix != 0, irq_counts[VFIO_PCI_MSIX_IRQ_INDEX] != 0);
    if (msix)
        CHECK_EQUAL((get_config(msix + 2, 2) & 0x7ff) + 1, irq_counts[VFIO_PCI_MSIX_IRQ_INDEX]);
    if (msi)
        CHECK_EQUAL(1u << ((get_config(msi + 2, 2) >> 1) & 7), irq_counts[VFIO_PCI_MSI_IRQ_INDEX]);
}

/* ---- BARs ---- */

static void bar_bounds(void)
{
    uint32_t value;

    START();
    for (int i = 0; i < 6; i++) {
        off_t end = (off_t)(regions[i].offset + regions[i].size);

        CHECK_ERROR(pread(device, &value, 4, end), EINVAL);
    }
    CHECK_ERROR(pread(device, &value, 4, (off_t)(9ull << 40)), EINVAL);
}

static void bar_read_forms(void)
{
    uint32_t words[2], bytes_as_word;
    off_t at;

    START();
    if (memory_bar < 0)
        return;
    at = (off_t)regions[memory_bar].offset;
    CHECK_EQUAL(pread(device, words, 4, at), 4);
    CHECK_EQUAL(pread(device, words, 8, at), 8); /* two accesses of four bytes */
    CHECK_EQUAL(pread(device, &bytes_as_word, 4, at), 4);
    CHECK_EQUAL(bytes_as_word, words[0]);
    CHECK_ERROR(pread(device, NULL, 4, at), EFAULT);
}

static void bar_map_rules(void)
{
    off_t at;

    START();
    if (memory_bar < 0)
        return;
    at = (off_t)regions[memory_bar].offset;
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, device, at) == MAP_FAILED && errno == EINVAL);
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, device, at + (off_t)regions[memory_bar].size) ==
              MAP_FAILED &&
          errno == EINVAL);
    CHECK(mmap(NULL, regions[memory_bar].size + PAGE, PROT_READ, MAP_SHARED, device, at) ==
              MAP_FAILED &&
          errno == EINVAL);
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, device, (off_t)config.offset) == MAP_FAILED &&
          errno == EINVAL);
}

static void bar_map_sees_the_same(void)
{
    volatile uint32_t *mapped;
    uint32_t value;

    START();
    if (memory_bar < 0)
        return;
    mapped = mmap(NULL, map_size, PROT_READ | PROT_WRITE, MAP_SHARED, device,
                  (off_t)(regions[memory_bar].offset + map_offset));
    CHECK(mapped != MAP_FAILED);
    CHECK_EQUAL(pread(device, &value, 4, (off_t)(regions[memory_bar].offset + map_offset)), 4);
    CHECK_EQUAL(mapped[0], value);
    CHECK_OK(munmap((void *)mapped, map_size));
}

static sigjmp_buf back;

static void on_bus_error(int number)
{
    siglongjmp(back, 1);
}

/* True if the access faults. */
static bool faults(const volatile uint32_t *at)
{
    struct sigaction action = {.sa_handler = on_bus_error}, old;
    volatile bool faulted = true;

    sigaction(SIGBUS, &action, &old);
    if (sigsetjmp(back, 1) == 0) {
        (void)*at;
        faulted = false;
    }
    sigaction(SIGBUS, &old, NULL);
    return faulted;
}

static void bar_hides_when_not_decoded(void)
{
    volatile uint32_t *mapped;
    uint32_t value, command;
    off_t at;

    START();
    if (memory_bar < 0)
        return;
    at = (off_t)(regions[memory_bar].offset + map_offset);
    mapped = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device, at);
    CHECK(mapped != MAP_FAILED);
    CHECK(!faults(mapped));
    command = get_config(COMMAND, 2);
    set_config(COMMAND, 2, command & ~(uint32_t)MEMORY);
    CHECK_ERROR(pread(device, &value, 4, at), EIO);
    CHECK_ERROR(pwrite(device, &value, 4, at), EIO);
    CHECK(faults(mapped));
    set_config(COMMAND, 2, command);
    CHECK_EQUAL(pread(device, &value, 4, at), 4);
    CHECK(!faults(mapped));
    CHECK_OK(munmap((void *)mapped, PAGE));
}

/* ---- interrupts ---- */

/* struct vfio_irq_set with its data. */
static struct {
    uint32_t argsz, flags, index, start, count;
    int32_t data[8];
} irq;

static int set_irqs(uint32_t flags, uint32_t index, uint32_t start, uint32_t count)
{
    irq.argsz = sizeof(irq);
    irq.flags = flags;
    irq.index = index;
    irq.start = start;
    irq.count = count;
    return ioctl(device, VFIO_DEVICE_SET_IRQS, &irq);
}

#define NONE    VFIO_IRQ_SET_DATA_NONE
#define BOOL    VFIO_IRQ_SET_DATA_BOOL
#define EVENT   VFIO_IRQ_SET_DATA_EVENTFD
#define MASK    VFIO_IRQ_SET_ACTION_MASK
#define TRIGGER VFIO_IRQ_SET_ACTION_TRIGGER
#define MSI     VFIO_PCI_MSI_IRQ_INDEX
#define MSIX    VFIO_PCI_MSIX_IRQ_INDEX
#define REQ     VFIO_PCI_REQ_IRQ_INDEX

static void open_events(void)
{
    for (int i = 0; i < 4; i++)
        events[i] = eventfd(0, EFD_NONBLOCK);
}

static uint64_t take(int event)
{
    uint64_t count = 0;

    return read(event, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

static void irq_errors(void)
{
    uint32_t max;

    START();
    max = irq_counts[MSI];
    open_events();
    memset(irq.data, 0xff, sizeof(irq.data));
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_SET_IRQS, NULL), EFAULT);
    CHECK_ERROR(set_irqs(EVENT | TRIGGER, 5, 0, 1), EINVAL);
    CHECK_ERROR(set_irqs(EVENT | TRIGGER | 64, MSI, 0, 1), EINVAL);
    CHECK_ERROR(set_irqs(EVENT | TRIGGER, MSI, max, 0), EINVAL);
    CHECK_ERROR(set_irqs(EVENT | TRIGGER, MSI, 0, max + 1), EINVAL);
    CHECK_ERROR(set_irqs(EVENT | TRIGGER, MSI, 1, 0xffffffff), EINVAL);
    CHECK_ERROR(set_irqs(EVENT | TRIGGER, MSI, 0xffffffff, 1), EINVAL);
    if (max == 0)
        return;
    CHECK_ERROR(set_irqs(TRIGGER, MSI, 0, 1), EINVAL);
    CHECK_ERROR(set_irqs(EVENT | BOOL | TRIGGER, MSI, 0, 1), EINVAL);
    CHECK_ERROR(set_irqs(EVENT, MSI, 0, 1), ENOTTY);
    CHECK_ERROR(set_irqs(EVENT | MASK | TRIGGER, MSI, 0, 1), ENOTTY);
    CHECK_ERROR(set_irqs(NONE | MASK, MSI, 0, 1), ENOTTY);
    CHECK_ERROR(set_irqs(EVENT | TRIGGER, MSI, 0, 0), ERANGE);
    CHECK_ERROR(set_irqs(NONE | TRIGGER, MSI, 0, 1), EINVAL);
    irq.data[0] = 1000;
    CHECK_ERROR(set_irqs(EVENT | TRIGGER, MSI, 0, 1), EBADF);
    irq.data[0] = device;
    CHECK_ERROR(set_irqs(EVENT | TRIGGER, MSI, 0, 1), EINVAL);
}

/* Fires vectors by hand and sees them arrive; count 0 switches the kind off. */
static void loop_back(uint32_t index, uint32_t count)
{
    if (count > 4)
        count = 4;
    for (uint32_t i = 0; i < count; i++)
        irq.data[i] = events[i];
    CHECK_OK(set_irqs(EVENT | TRIGGER, index, 0, count));
    CHECK_OK(set_irqs(NONE | TRIGGER, index, 0, count));
    for (uint32_t i = 0; i < count; i++)
        CHECK_EQUAL(take(events[i]), 1);
    memset(irq.data, 0, sizeof(irq.data));
    ((uint8_t *)irq.data)[count - 1] = 1;
    CHECK_OK(set_irqs(BOOL | TRIGGER, index, 0, count));
    for (uint32_t i = 0; i < count; i++)
        CHECK_EQUAL(take(events[i]), i == count - 1);
    irq.data[0] = -1;
    CHECK_OK(set_irqs(EVENT | TRIGGER, index, 0, 1));
    CHECK_OK(set_irqs(NONE | TRIGGER, index, 0, 1));
    CHECK_EQUAL(take(events[0]), 0);
    if (count > 1) { /* another kind has to wait */
        uint32_t other = index == MSI ? MSIX : MSI;

        irq.data[0] = events[0];
        if (irq_counts[other])
            CHECK_ERROR(set_irqs(EVENT | TRIGGER, other, 0, 1), EINVAL);
    }
    CHECK_OK(set_irqs(NONE | TRIGGER, index, 0, 0));
    CHECK_ERROR(set_irqs(NONE | TRIGGER, index, 0, 1), EINVAL);
}

static void irq_msi(void)
{
    START();
    open_events();
    if (irq_counts[MSI])
        loop_back(MSI, irq_counts[MSI]);
}

static void irq_msix(void)
{
    START();
    open_events();
    if (irq_counts[MSIX])
        loop_back(MSIX, irq_counts[MSIX]);
}

static void irq_request(void)
{
    START();
    open_events();
    irq.data[0] = events[0];
    CHECK_OK(set_irqs(EVENT | TRIGGER, REQ, 0, 1));
    CHECK_OK(set_irqs(NONE | TRIGGER, REQ, 0, 1));
    CHECK_EQUAL(take(events[0]), 1);
    CHECK_OK(set_irqs(NONE | TRIGGER, REQ, 0, 0));
    CHECK_ERROR(set_irqs(NONE | TRIGGER, REQ, 0, 1), EINVAL);
}

/* A vector survives what happens to its descriptors. */
static void irq_eventfd_closed(void)
{
    START();
    open_events();
    if (!irq_counts[MSI])
        return;
    irq.data[0] = events[0];
    CHECK_OK(set_irqs(EVENT | TRIGGER, MSI, 0, 1));
    close(events[0]);
    events[0] = -1;
    CHECK_OK(set_irqs(NONE | TRIGGER, MSI, 0, 1));
}

/* ---- reset and files ---- */

static void reset(void)
{
    START();
    if (!can_reset) {
        CHECK_ERROR(ioctl(device, VFIO_DEVICE_RESET), EINVAL);
        return;
    }
    open_events();
    set_config(COMMAND, 2, get_config(COMMAND, 2) | MASTER);
    if (irq_counts[MSIX]) {
        irq.data[0] = events[0];
        CHECK_OK(set_irqs(EVENT | TRIGGER, MSIX, 0, 1));
    }
    CHECK_OK(ioctl(device, VFIO_DEVICE_RESET));
    CHECK_EQUAL(get_config(COMMAND, 2) & (MASTER | MEMORY), MEMORY);
    if (irq_counts[MSIX]) {
        CHECK_OK(set_irqs(NONE | TRIGGER, MSIX, 0, 1));
        CHECK_EQUAL(take(events[0]), 1);
    }
}

static void second_file(void)
{
    int second;

    START();
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

    START();
    kept = device;
    close(group);
    close(container);
    group = container = -1;
    CHECK(get_config(0, 2) != 0xffff);
    CHECK(!open_device() && errno == EBUSY); /* the device keeps its group open */
    device = kept;
    CHECK(get_config(0, 2) != 0xffff);
}

/* A device reached for the wrong way. */
static void wrong_names(void)
{
    START();
    CHECK_ERROR(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, "0000:ff:1f.7"), ENODEV);
    CHECK_ERROR(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, NULL), EFAULT);
    CHECK_ERROR(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, ""), ENODEV);
}

static const struct conform_case cases[] = {
    {"device_info", device_info},
    {"unknown_call", unknown_call},
    {"region_info", region_info},
    {"irq_info", irq_info},
    {"config_bounds", config_bounds},
    {"config_command", config_command},
    {"config_identity_stays", config_identity_stays},
    {"config_bar_sizing", config_bar_sizing},
    {"config_capabilities", config_capabilities},
    {"bar_bounds", bar_bounds},
    {"bar_read_forms", bar_read_forms},
    {"bar_map_rules", bar_map_rules},
    {"bar_map_sees_the_same", bar_map_sees_the_same},
    {"bar_hides_when_not_decoded", bar_hides_when_not_decoded},
    {"irq_errors", irq_errors},
    {"irq_msi", irq_msi},
    {"irq_msix", irq_msix},
    {"irq_request", irq_request},
    {"irq_eventfd_closed", irq_eventfd_closed},
    {"reset", reset},
    {"second_file", second_file},
    {"early_close", early_close},
    {"wrong_names", wrong_names},
};

int main(int argc, char **argv)
{
    if (argc < 2) {
        printf("usage: vfio_device ADDRESS [CASE...]\n");
        return 2;
    }
    device_name = argv[1];
    return conform_run(cases, sizeof(cases) / sizeof(cases[0]), close_all, argc, argv);
}
