/* SPDX-License-Identifier: BSD-2-Clause */
/* The attributes under /sys/class/uio/uioN. */
#include "kernel/file/tree.h"
#include "kernel/lib/error.h"
#include "kernel/device/uio/internal.h"

#define FOLDER(device) format_short("/sys/class/uio/uio%u", (device)->id)
/* A program that looks from the device finds it there. */
#define FROM_DEVICE(device)                                                                        \
    format_short("/sys/bus/pci/devices/%s/uio/uio%u", pci_name((device)->pci), (device)->id)
#define MAP_FOLDER(map) format_short("%s/maps/map%u", FOLDER((map)->device), (map)->number)

TREE_SHOW(show_name, struct uio_device, "%s", pci_name(it->pci))
TREE_SHOW(show_version, struct uio_device, "%u", 1)
TREE_SHOW(show_event, struct uio_device, "%u", it->events)
TREE_SHOW(show_numbers, struct uio_device, "%u:%u", UIO_MAJOR, it->id)
TREE_SHOW(show_map_name, struct uio_map, "%s", it->name)
TREE_SHOW(show_map_addr, struct uio_map, "0x%016lx", it->address)
TREE_SHOW(show_map_offset, struct uio_map, "0x%x", 0) /* maps begin on a page */
TREE_SHOW(show_map_size, struct uio_map, "0x%016lx", it->size)

static const struct tree_text device_attributes[] = {
    TREE_READ("name", show_name), TREE_READ("version", show_version),
    TREE_READ("event", show_event), TREE_READ("dev", show_numbers)};

static const struct tree_text map_attributes[] = {
    TREE_READ("name", show_map_name), TREE_READ("addr", show_map_addr),
    TREE_READ("offset", show_map_offset), TREE_READ("size", show_map_size)};

int uio_sysfs_add_map(struct uio_map *map)
{
    return tree_add_texts(MAP_FOLDER(map), map_attributes, ARRAY_SIZE(map_attributes), map);
}

void uio_sysfs_remove_map(const struct uio_map *map)
{
    tree_remove(MAP_FOLDER(map));
}

int uio_sysfs_add(struct uio_device *device)
{
    const char *folder = FOLDER(device);
    int error = tree_add_texts(folder, device_attributes, ARRAY_SIZE(device_attributes), device);

    if (!error)
        error = tree_add_link(format_short("%s/device", folder),
                              format_short("../../../bus/pci/devices/%s", pci_name(device->pci)));
    if (!error)
        error = tree_add_link(FROM_DEVICE(device),
                              format_short("../../../../../class/uio/uio%u", device->id));
    if (error)
        uio_sysfs_remove(device);
    return error;
}

void uio_sysfs_remove(const struct uio_device *device)
{
    tree_remove(FOLDER(device));
    tree_remove(FROM_DEVICE(device));
}
