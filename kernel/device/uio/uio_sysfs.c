/* SPDX-License-Identifier: BSD-2-Clause */
/* The attributes under /sys/class/uio/uioN. */
#include "kernel/file/tree.h"
#include "kernel/lib/error.h"
#include "kernel/device/uio/internal.h"

#define FOLDER(device)  format_short("/sys/class/uio/uio%u", (device)->id)
#define MAP_FOLDER(map) format_short("%s/maps/map%u", FOLDER((map)->device), (map)->number)

static void show_name(void *context, struct text *out)
{
    const struct uio_device *device = context;

    text_printf(out, "%s\n", pci_name(device->pci));
}

static void show_version(void *context, struct text *out)
{
    text_printf(out, "1\n");
}

TREE_SHOW(show_event, struct uio_device, "%u", events)
TREE_SHOW(show_map_name, struct uio_map, "%s", name)
TREE_SHOW(show_map_addr, struct uio_map, "0x%016lx", address)

/* Maps begin on a page. */
static void show_map_offset(void *context, struct text *out)
{
    text_printf(out, "0x0\n");
}

TREE_SHOW(show_map_size, struct uio_map, "0x%016lx", size)

static const struct tree_text device_attributes[] = {
    {"name", show_name},
    {"version", show_version},
    {"event", show_event},
};

static const struct tree_text map_attributes[] = {
    {"name", show_map_name},
    {"addr", show_map_addr},
    {"offset", show_map_offset},
    {"size", show_map_size},
};

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

    if (error)
        return error;
    error = tree_add_link(format_short("%s/device", folder),
                          format_short("../../../bus/pci/devices/%s", pci_name(device->pci)));
    if (error)
        tree_remove(folder);
    return error;
}

void uio_sysfs_remove(const struct uio_device *device)
{
    tree_remove(FOLDER(device));
}
