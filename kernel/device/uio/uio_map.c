/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of a device's maps, sorted by number. */
#include "kernel/lib/error.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap.h"
#include "kernel/device/uio/internal.h"

/* Index of the first map whose number is not below `number`. */
static size_t position(const struct uio_device *device, uint32_t number)
{
    size_t low = 0, high = device->map_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (device->maps[middle]->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct uio_map *uio_map_find(const struct uio_device *device, uint32_t number)
{
    size_t at = position(device, number);

    if (at == device->map_count || device->maps[at]->number != number)
        return NULL;
    return device->maps[at];
}

static int make_room(struct uio_device *device)
{
    size_t room = device->map_room ? 2 * device->map_room : 16;

    if (device->map_count < device->map_room)
        return 0;
    struct uio_map **maps = kcalloc(room, sizeof(struct uio_map *));
    if (!maps)
        return -ENOMEM;
    if (device->map_count)
        memcpy(maps, device->maps, device->map_count * sizeof(struct uio_map *));
    kfree(device->maps);
    device->maps = maps;
    device->map_room = room;
    return 0;
}

int uio_map_add(struct uio_device *device, struct uio_map *map)
{
    size_t at = position(device, map->number);

    if (at < device->map_count && device->maps[at]->number == map->number)
        return -EEXIST;
    int error = make_room(device);
    if (error)
        return error;
    memmove(&device->maps[at + 1], &device->maps[at],
            (device->map_count - at) * sizeof(struct uio_map *));
    device->maps[at] = map;
    device->map_count++;
    return 0;
}

void uio_map_remove(struct uio_device *device, struct uio_map *map)
{
    size_t at = position(device, map->number);

    device->map_count--;
    memmove(&device->maps[at], &device->maps[at + 1],
            (device->map_count - at) * sizeof(struct uio_map *));
}

struct uio_map *uio_map_new(struct uio_device *device, bool dynamic)
{
    struct uio_map *map = kzalloc(sizeof(*map));

    if (!map)
        return NULL;
    map->device = device;
    map->dynamic = dynamic;
    return map;
}

void uio_map_free(struct uio_map *map)
{
    /* Failure means a unit went silent: the pins then keep the memory away from everybody. */
    if (map->dynamic && map->size)
        (void)ioas_unmap_deaf(map->device->ioas, map->address, map->address + map->size - 1);
    if (map->object)
        memobj_put(map->object);
    kfree(map);
}
