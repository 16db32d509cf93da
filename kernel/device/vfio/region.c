/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Regions of a VFIO device: BARs 0 to 5, expansion ROM and configuration space, each at index << 40
 * in the device file. There is no VGA region.
 */
#include <linux/vfio.h>

#include "kernel/cpu/mmio.h"
#include "kernel/cpu/port.h"
#include "kernel/cpu/user.h"
#include "kernel/lib/error.h"
#include "kernel/mm/paging/paging.h"
#include "kernel/pci/registers.h"
#include "kernel/device/uio/uio.h"
#include "kernel/device/vfio/device.h"
#include "kernel/pci/msix_table.h"

#define WINDOW_SIZE     SIZE_2M
#define ACCESS_WORK     1000 /* work (breathe_after()) of one access: a register answers slowly */
#define SPARSE_AREA_MAX 2
#define ROM_SIGNATURE   0xaa55

/* ---- one access ---- */

static const struct pci_bar *bar_of(const struct vfio_device *device, unsigned index)
{
    return index < PCI_BARS ? &device->pci->bars[index] : &device->pci->rom;
}

/* The part of a BAR around an offset, mapped. Windows are aligned, so no access crosses two. */
static volatile void *window_at(struct vfio_device *device, unsigned index, uint64_t offset)
{
    const struct pci_bar *bar = bar_of(device, index);
    struct vfio_window *w = &device->windows[index];
    uint64_t start = ALIGN_DOWN(offset, WINDOW_SIZE);

    if (!w->mapped || w->start != start) {
        if (w->mapped)
            mmio_unmap(w->mapped, w->length);
        w->start = start;
        w->length = MIN(WINDOW_SIZE, bar->size - start);
        w->mapped = mmio_map(bar->base + start, w->length);
    }
    return w->mapped ? w->mapped + (offset - start) : NULL;
}

static uint64_t load(const volatile void *at, uint16_t port, unsigned width)
{
    switch (width) {
    case 8:
        return mmio_read64(at);
    case 4:
        return at ? mmio_read32(at) : port_read32(port);
    case 2:
        return at ? mmio_read16(at) : port_read16(port);
    default:
        return at ? mmio_read8(at) : port_read8(port);
    }
}

static void store_memory(volatile void *at, unsigned width, uint64_t value)
{
    if (width == 8)
        mmio_write64(at, value);
    else if (width == 4)
        mmio_write32(at, (uint32_t)value);
    else if (width == 2)
        mmio_write16(at, (uint16_t)value);
    else
        mmio_write8(at, (uint8_t)value);
}

static void store_port(uint16_t port, unsigned width, uint64_t value)
{
    if (width == 4)
        port_write32(port, (uint32_t)value);
    else if (width == 2)
        port_write16(port, (uint16_t)value);
    else
        port_write8(port, (uint8_t)value);
}

void vfio_region_store(volatile void *at, uint16_t port, unsigned width, uint64_t value)
{
    if (at)
        store_memory(at, width, value);
    else
        store_port(port, width, value);
}

static int access_memory(struct vfio_device *device, unsigned index, uint64_t offset,
                         unsigned width, bool write, uint64_t *value)
{
    volatile void *at = window_at(device, index, offset);

    if (!at)
        return -ENOMEM;
    if (write)
        vfio_region_store(at, 0, width, *value);
    else
        *value = load(at, 0, width);
    return 0;
}

static int access_port(struct vfio_device *device, unsigned index, uint64_t offset, unsigned width,
                       bool write, uint64_t *value)
{
    uint16_t port = (uint16_t)(device->pci->bars[index].base + offset);

    if (!vfio_device_decodes(device, PCI_COMMAND_IO))
        return -EIO;
    if (write)
        vfio_region_store(NULL, port, width, *value);
    else
        *value = load(NULL, port, width);
    return 0;
}

/* -EIO while the BAR is not decoded. The vector table is the kernel's: it reads as ones. */
static int access_bar(struct vfio_device *device, unsigned index, uint64_t offset, unsigned width,
                      bool write, uint64_t *value)
{
    if (!vfio_device_decodes(device, PCI_COMMAND_MEMORY))
        return -EIO;
    if (msix_table_touches(device->pci, index, offset, width)) {
        *value = UINT64_MAX;
        return 0;
    }
    return access_memory(device, index, offset, width, write, value);
}

/* Read back: the ROM answers when this returns. */
static void switch_rom(const struct pci_device *pci, uint32_t enable)
{
    pci_write32(pci, PCI_ROM_DEVICE, (uint32_t)pci->rom.base | enable);
    (void)pci_read32(pci, PCI_ROM_DEVICE);
}

/*
 * The ROM may share its address decoders with the BARs (PCI Local Bus 3.0, 6.2.5.2), so it is
 * switched on for one access at a time: nobody else runs meanwhile.
 */
static int access_rom(struct vfio_device *device, unsigned index, uint64_t offset, unsigned width,
                      bool write, uint64_t *value)
{
    int error;

    if (!vfio_device_decodes(device, PCI_COMMAND_MEMORY))
        return -EIO;
    switch_rom(device->pci, PCI_ROM_ENABLE);
    error = access_memory(device, index, offset, width, false, value);
    switch_rom(device->pci, 0);
    return error;
}

/* As on Linux: without the signature nothing is offered. */
void vfio_rom_find(struct vfio_device *device)
{
    uint64_t signature = 0;

    device->rom_size = 0;
    if (device->pci->rom.base == 0 ||
        access_rom(device, VFIO_PCI_ROM_REGION_INDEX, 0, 2, false, &signature))
        return;
    if (signature == ROM_SIGNATURE)
        device->rom_size = device->pci->rom.size;
}

static int access_config(struct vfio_device *device, unsigned index, uint64_t offset,
                         unsigned width, bool write, uint64_t *value)
{
    unsigned actions;
    int error = 0;

    if (!write) {
        *value = vfio_config_read(&device->config, (unsigned)offset, width);
        return 0;
    }
    actions = vfio_config_write(&device->config, (unsigned)offset, width, (uint32_t)*value);
    if (actions & BIT(CONFIG_VPD))
        vfio_config_vital_data(&device->config);
    if (actions & BIT(CONFIG_RESET))
        error = vfio_device_in_use(device) ? vfio_device_reset(device)
                                           : vfio_device_reset_unused(device);
    else if (!vfio_device_in_use(device) && (actions & BIT(CONFIG_COMMAND)))
        uio_command(device->pci, vfio_config_command(&device->config));
    else if (vfio_device_in_use(device) && (actions & (BIT(CONFIG_COMMAND) | BIT(CONFIG_POWER))))
        vfio_device_follow(device);
    return error == -EINVAL ? 0 : error; /* a reset the function does not have is no error */
}

/* ---- read and write ---- */

/* How a region is reached. */
struct reach {
    int (*access)(struct vfio_device *device, unsigned index, uint64_t offset, unsigned width,
                  bool write, uint64_t *value);
    unsigned widest; /* bytes of one access */
};

static const struct reach memory = {access_bar, 8}, ports = {access_port, 4},
                          configuration = {access_config, 4};
/* Some devices answer 8 bytes with an error. */
static const struct reach rom = {access_rom, 4};

/* The widest access that is aligned and not longer than what is left. */
static unsigned width_at(uint64_t offset, size_t left, unsigned widest)
{
    while (offset % widest || left < widest)
        widest /= 2;
    return widest;
}

/*
 * Bytes done, or the error if there are none. Breathes; the device stays locked, so that nobody
 * resets or closes it meanwhile, and each access looks anew whether the BAR is decoded.
 */
static int64_t transfer(struct vfio_device *device, uint64_t position, const struct reach *reach,
                        bool write, uaddr_t buffer, size_t length)
{
    unsigned index = (unsigned)(position >> VFIO_REGION_SHIFT);
    uint64_t offset = position & VFIO_REGION_MASK;
    size_t done = 0;

    while (done < length) {
        unsigned width = width_at(offset + done, length - done, reach->widest);
        uint64_t value = 0;
        int error = device->pci->removed ? -ENODEV : 0;

        if (!error && device->pci->in_reset && !vfio_device_in_use(device))
            error = -EIO; /* another family's reset does not wait for this */
        if (!error && write)
            error = copy_from_user(&value, buffer + done, width);
        if (!error)
            error = reach->access(device, index, offset + done, width, write, &value);
        if (!error && !write)
            error = copy_to_user(buffer + done, &value, width);
        if (!error)
            done += width;
        if (!error && done < length)
            error = breathe_after(ACCESS_WORK, "vfio region");
        if (error)
            return done ? (int64_t)done : error;
    }
    return (int64_t)done;
}

/* Bytes of a region of memory or ports; 0: it is not there. */
static uint64_t size_of(const struct vfio_device *device, uint64_t index)
{
    if (index == VFIO_PCI_ROM_REGION_INDEX)
        return device->rom_size;
    return index < PCI_BARS ? device->pci->bars[index].size : 0;
}

static const struct reach *reach_of(const struct vfio_device *device, uint64_t index)
{
    if (index == VFIO_PCI_ROM_REGION_INDEX)
        return &rom;
    return device->pci->bars[index].flags & PCI_BAR_IO ? &ports : &memory;
}

int64_t vfio_region_access(struct vfio_device *device, bool write, uaddr_t buffer, size_t length,
                           uint64_t *position)
{
    uint64_t index = *position >> VFIO_REGION_SHIFT, offset = *position & VFIO_REGION_MASK;
    const struct reach *reach = &configuration;
    int64_t done;

    if (length == 0)
        return 0;
    if (index == VFIO_PCI_CONFIG_REGION_INDEX) {
        if (offset + length > vfio_config_size(&device->config))
            return -EFAULT;
    } else if (offset < size_of(device, index)) {
        reach = reach_of(device, index);
        length = MIN(length, size_of(device, index) - offset);
    } else {
        return -EINVAL;
    }
    if (write && reach == &rom)
        return -EINVAL;
    done = transfer(device, *position, reach, write, buffer, length);
    if (done > 0)
        *position += (uint64_t)done;
    return done;
}

/* ---- mmap ---- */

/* A BAR of less than a page is mapped with its page, if nothing else is there. */
static bool can_map(const struct pci_bar *bar)
{
    return bar->size && !(bar->flags & PCI_BAR_IO) && IS_ALIGNED(bar->base, PAGE_SIZE) &&
           (bar->size >= PAGE_SIZE || (bar->flags & PCI_BAR_OWN_PAGE));
}

/* The parts of a BAR that may be mapped: all, but without remapping not the vector table. */
static size_t mappable_areas(const struct vfio_device *device, unsigned index,
                             struct vfio_region_sparse_mmap_area areas[SPARSE_AREA_MAX])
{
    const struct pci_bar *bar = &device->pci->bars[index];
    struct phys_run hole; /* in the BAR */
    size_t count = 0;

    if (!can_map(bar))
        return 0;
    hole = msix_table_pages(device->pci, index);
    if (hole.length == 0 || irq_remapped(device->pci)) {
        areas[0] = (struct vfio_region_sparse_mmap_area){0, ALIGN_UP(bar->size, PAGE_SIZE)};
        return 1;
    }
    if (hole.base > 0)
        areas[count++] = (struct vfio_region_sparse_mmap_area){0, hole.base};
    if (hole.base + hole.length < bar->size)
        areas[count++] = (struct vfio_region_sparse_mmap_area){hole.base + hole.length,
                                                               bar->size - hole.base - hole.length};
    return count;
}

int vfio_region_map(struct vfio_device *device, uint64_t offset, uint64_t length, bool shared,
                    struct memobj **out, uint64_t *object_offset)
{
    struct vfio_region_sparse_mmap_area areas[SPARSE_AREA_MAX];
    uint64_t index = offset >> VFIO_REGION_SHIFT, start = offset & VFIO_REGION_MASK;
    struct memobj *object;
    size_t count, i;
    int error;

    if (!shared || index >= PCI_BARS)
        return -EINVAL;
    count = mappable_areas(device, (unsigned)index, areas);
    for (i = 0; i < count; i++)
        if (start >= areas[i].offset && start < areas[i].offset + areas[i].size &&
            length <= areas[i].offset + areas[i].size - start)
            break;
    if (i == count)
        return -EINVAL;
    error = lease_bar(&device->lease, (unsigned)index, &object);
    if (error)
        return error;
    *out = memobj_get(object);
    *object_offset = start;
    return 0;
}

void vfio_windows_close(struct vfio_device *device)
{
    for (unsigned i = 0; i < VFIO_BARS; i++) {
        struct vfio_window *w = &device->windows[i];

        if (w->mapped)
            mmio_unmap(w->mapped, w->length);
        w->mapped = NULL;
    }
}

/* ---- GET_REGION_INFO ---- */

/* A region info, and behind it one capability: the mappable areas, or only that all is mappable. */
struct info {
    struct vfio_region_info region;
    struct vfio_info_cap_header header;
    uint32_t area_count;
    uint32_t reserved;
    struct vfio_region_sparse_mmap_area areas[SPARSE_AREA_MAX];
};

#define CAP_OFFSET offsetof(struct info, header)
_Static_assert(offsetof(struct info, areas) - CAP_OFFSET ==
                   offsetof(struct vfio_region_info_cap_sparse_mmap, areas),
               "the capability is laid out as the interface says");

/* Returns the bytes of the structure that say something. */
static size_t describe_bar(const struct vfio_device *device, struct info *info)
{
    const struct pci_bar *bar = &device->pci->bars[info->region.index];
    size_t count = mappable_areas(device, info->region.index, info->areas);
    bool whole = count && info->areas[0].size >= bar->size;

    info->region.size = bar->size;
    if (!bar->size)
        return sizeof(info->region);
    info->region.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
    if (!count)
        return sizeof(info->region);
    info->region.flags |= VFIO_REGION_INFO_FLAG_MMAP;
    if (whole && !msix_table_pages(device->pci, info->region.index).length)
        return sizeof(info->region);
    info->region.flags |= VFIO_REGION_INFO_FLAG_CAPS;
    info->header.version = 1;
    info->header.id = whole ? VFIO_REGION_INFO_CAP_MSIX_MAPPABLE : VFIO_REGION_INFO_CAP_SPARSE_MMAP;
    info->area_count = (uint32_t)count;
    return whole ? offsetof(struct info, area_count)
                 : offsetof(struct info, areas) + count * sizeof(info->areas[0]);
}

/* Stores the structure, and the capability if there is room; else says how much room it needs. */
static int store_info(struct info *info, size_t bytes, uaddr_t argument)
{
    if (bytes > sizeof(info->region) && info->region.argsz < bytes) {
        info->region.argsz = (uint32_t)bytes;
        bytes = sizeof(info->region);
    } else if (bytes > sizeof(info->region)) {
        info->region.cap_offset = CAP_OFFSET;
    }
    return copy_to_user(argument, info, bytes);
}

int64_t vfio_region_info(struct ioctl_call *call)
{
    const struct vfio_device *device = ((const struct vfio_opened *)call->context)->device;
    struct info info = {.region = *(const struct vfio_region_info *)call->data};
    size_t bytes = sizeof(info.region);

    if (info.region.index > VFIO_PCI_CONFIG_REGION_INDEX)
        return -EINVAL;
    info.region.flags = 0;
    info.region.cap_offset = 0;
    info.region.size = 0;
    info.region.offset = (uint64_t)info.region.index << VFIO_REGION_SHIFT;
    if (info.region.index == VFIO_PCI_CONFIG_REGION_INDEX) {
        info.region.size = vfio_config_size(&device->config);
        info.region.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
    } else if (info.region.index == VFIO_PCI_ROM_REGION_INDEX) {
        info.region.size = device->rom_size;
        info.region.flags = device->rom_size ? VFIO_REGION_INFO_FLAG_READ : 0;
    } else {
        bytes = describe_bar(device, &info);
    }
    return store_info(&info, bytes, call->argument);
}
