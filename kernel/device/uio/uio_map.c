/* SPDX-License-Identifier: BSD-2-Clause */
/* A device's maps, by number. */
#include "kernel/lib/format.h"
#include "kernel/mm/heap.h"
#include "kernel/device/uio/internal.h"

struct uio_map *uio_map_find(const struct uio_device *device, uint32_t number)
{
    struct itree_node *node = itree_find(&device->maps, number, number);

    return node ? uio_map_of(node) : NULL;
}

struct uio_map *uio_map_new(struct uio_device *device, uint32_t number, bool dynamic)
{
    struct uio_map *map = kzalloc(sizeof(*map));

    if (!map)
        return NULL;
    map->node.first = map->node.last = number;
    map->device = device;
    map->number = number;
    map->dynamic = dynamic;
    format(map->name, sizeof(map->name), dynamic ? "dma%u" : "BAR%u", number);
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
