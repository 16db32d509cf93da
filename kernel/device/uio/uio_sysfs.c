/* SPDX-License-Identifier: BSD-2-Clause */
/* The attributes under /sys/class/uio/uioN. */
#include "kernel/file/tree.h"
#include "kernel/lib/error.h"
#include "kernel/device/uio/internal.h"

#define PATH_SIZE 80

static void show_name(void *context, struct text *out)
{
    const struct uio_device *device = context;

    text_printf(out, "%s\n", pci_name(device->pci));
}

static void show_version(void *context, struct text *out)
{
    text_printf(out, "1\n");
}

static void show_event(void *context, struct text *out)
{
    const struct uio_device *device = context;

    text_printf(out, "%u\n", device->events);
}

static void show_map_name(void *context, struct text *out)
{
    const struct uio_map *map = context;

    text_printf(out, "%s\n", map->name);
}

static void show_map_addr(void *context, struct text *out)
{
    const struct uio_map *map = context;

    text_printf(out, "0x%016lx\n", map->address);
}

/* Maps begin on a page. */
static void show_map_offset(void *context, struct text *out)
{
    text_printf(out, "0x0\n");
}

static void show_map_size(void *context, struct text *out)
{
    const struct uio_map *map = context;

    text_printf(out, "0x%016lx\n", map->size);
}

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

static void map_folder(const struct uio_map *map, char path[PATH_SIZE])
{
    format(path, PATH_SIZE, "/sys/class/uio/uio%u/maps/map%u", map->device->id, map->number);
}

int uio_sysfs_add_map(struct uio_map *map)
{
    char path[PATH_SIZE];

    map_folder(map, path);
    return tree_add_texts(path, map_attributes, ARRAY_SIZE(map_attributes), map);
}

void uio_sysfs_remove_map(const struct uio_map *map)
{
    char path[PATH_SIZE];

    map_folder(map, path);
    tree_remove(path);
}

int uio_sysfs_add(struct uio_device *device)
{
    char path[PATH_SIZE], link[PATH_SIZE], target[PATH_SIZE];

    format(path, sizeof(path), "/sys/class/uio/uio%u", device->id);
    int error = tree_add_texts(path, device_attributes, ARRAY_SIZE(device_attributes), device);
    if (error)
        return error;
    format(link, sizeof(link), "%s/device", path);
    format(target, sizeof(target), "../../../bus/pci/devices/%s", pci_name(device->pci));
    error = tree_add_link(link, target);
    if (error)
        tree_remove(path);
    return error;
}

void uio_sysfs_remove(const struct uio_device *device)
{
    char path[PATH_SIZE];

    format(path, sizeof(path), "/sys/class/uio/uio%u", device->id);
    tree_remove(path);
}
