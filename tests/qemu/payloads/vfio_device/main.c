/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every rule of VFIO device files, one case each, on whatever device is named: what depends on its
 * capabilities is asked of the device first. The same source runs on Linux.
 */
#define _GNU_SOURCE
#include "vfio_device.h"

#define OWN "own:" /* the device's own file is the way in, not its group */

const char *device_name;
int container = -1, group = -1, device = -1, events[4] = {-1, -1, -1, -1};
struct vfio_region_info config, rom, regions[6];
uint32_t irq_counts[5];
bool can_reset, own_file;
int memory_bar;
uint64_t map_offset, map_size;
struct irq_call irq;

static const struct conform_case *const tables[] = {
    info_cases, size_cases,      config_cases,  bar_cases, irq_cases,    file_cases,
    own_cases,  hot_reset_cases, feature_cases, edu_cases, e1000e_cases,
};

void close_all(void)
{
    int *all[] = {&device, &group, &container, &events[0], &events[1], &events[2], &events[3]};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (*all[i] >= 0)
            close(*all[i]);
        *all[i] = -1;
    }
}

bool open_device(void)
{
    struct vfio_files files;

    if (own_file)
        return open_through_own_file();
    int error = vfio_open(device_name, &files);

    container = files.container;
    group = files.group;
    device = files.device;
    return !error;
}

const struct vfio_info_cap_header *region_capability(uint32_t index, uint16_t id)
{
    static union {
        struct vfio_region_info info;
        char bytes[256];
    } all;
    uint32_t at;

    all.info = (struct vfio_region_info){.argsz = sizeof(all), .index = index};
    if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &all) ||
        !(all.info.flags & VFIO_REGION_INFO_FLAG_CAPS))
        return NULL;
    for (at = all.info.cap_offset; at && at < sizeof(all) - 8;) {
        const struct vfio_info_cap_header *header = (const void *)(all.bytes + at);

        if (header->id == id)
            return header;
        at = header->next;
    }
    return NULL;
}

/* The first area of a region that may be mapped. */
static void find_area(const struct vfio_region_info *region, uint32_t index)
{
    const struct vfio_region_info_cap_sparse_mmap *sparse =
        (const void *)region_capability(index, VFIO_REGION_INFO_CAP_SPARSE_MMAP);

    map_offset = sparse ? sparse->areas[0].offset : 0;
    map_size = sparse ? sparse->areas[0].size : region->size;
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
            find_area(&regions[i], (uint32_t)i);
        }
    }
    config =
        (struct vfio_region_info){.argsz = sizeof(config), .index = VFIO_PCI_CONFIG_REGION_INDEX};
    rom = (struct vfio_region_info){.argsz = sizeof(rom), .index = VFIO_PCI_ROM_REGION_INDEX};
    if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config) ||
        ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &rom))
        return false;
    for (uint32_t i = 0; i < 5; i++) {
        struct vfio_irq_info irq = {.argsz = sizeof(irq), .index = i};

        irq_counts[i] = ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &irq) ? 0 : irq.count;
    }
    return true;
}

bool start(void)
{
    if (open_device() && learn())
        return true;
    CONFORM_FAIL("cannot open the device: %s", strerror(errno));
    return false;
}

uint32_t get_config(unsigned offset, unsigned width)
{
    uint32_t value = 0;

    if (pread(device, &value, width, (off_t)(config.offset + offset)) != (ssize_t)width)
        CONFORM_FAIL("reading %u bytes of configuration at 0x%x: %s", width, offset,
                     strerror(errno));
    return value;
}

void set_config(unsigned offset, unsigned width, uint32_t value)
{
    if (pwrite(device, &value, width, (off_t)(config.offset + offset)) != (ssize_t)width)
        CONFORM_FAIL("writing %u bytes of configuration at 0x%x: %s", width, offset,
                     strerror(errno));
}

unsigned find_capability(uint8_t id)
{
    unsigned offset = get_config(0x34, 1) & 0xfc;

    for (int i = 0; i < 48 && offset; i++) {
        if (get_config(offset, 1) == id)
            return offset;
        offset = get_config(offset + 1, 1) & 0xfc;
    }
    return 0;
}

bool find_table(uint32_t *bar, uint64_t *offset)
{
    unsigned msix = find_capability(0x11);
    uint32_t location = msix ? get_config(msix + 4, 4) : 0;

    *bar = location & 7;
    *offset = location & ~7u;
    return msix;
}

uint32_t get_register(unsigned offset)
{
    uint32_t value = 0;

    if (pread(device, &value, 4, (off_t)(regions[0].offset + offset)) != 4)
        CONFORM_FAIL("reading the register at 0x%x: %s", offset, strerror(errno));
    return value;
}

void set_register(unsigned offset, uint32_t value)
{
    if (pwrite(device, &value, 4, (off_t)(regions[0].offset + offset)) != 4)
        CONFORM_FAIL("writing the register at 0x%x: %s", offset, strerror(errno));
}

int set_irqs(uint32_t flags, uint32_t index, uint32_t start, uint32_t count)
{
    irq.argsz = sizeof(irq);
    irq.flags = flags;
    irq.index = index;
    irq.start = start;
    irq.count = count;
    return ioctl(device, VFIO_DEVICE_SET_IRQS, &irq);
}

int bind_event(uint32_t index, uint32_t vector, int event)
{
    irq.data[0] = event;
    return set_irqs(EVENT | TRIGGER, index, vector, 1);
}

int irqs_off(uint32_t index)
{
    return set_irqs(NONE | TRIGGER, index, 0, 0);
}

void open_events(void)
{
    for (int i = 0; i < 4; i++)
        events[i] = eventfd(0, EFD_NONBLOCK);
}

uint64_t take(int event)
{
    uint64_t count = 0;

    return read(event, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        printf("usage: vfio_device [own:]ADDRESS [CASE...]\n");
        return 2;
    }
    own_file = strncmp(argv[1], OWN, strlen(OWN)) == 0;
    device_name = argv[1] + (own_file ? strlen(OWN) : 0);
    return conform_run_tables(tables, sizeof(tables) / sizeof(tables[0]), close_all, argc, argv);
}
