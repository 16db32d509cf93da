/* SPDX-License-Identifier: BSD-2-Clause */
/* Buffers for DMA that the payload creates by mmap, or a driver by a call. */
#include "kernel/lib/error.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/ramobj.h"
#include "kernel/device/uio/internal.h"

/* Memory for the buffer, reachable by the device. */
static int back(struct uio_map *map, uint64_t length)
{
    map->object = ramobj_create(length, PAGE_SIZE);
    if (!map->object)
        return -ENOMEM;
    map->object->flags |= MEMOBJ_GUARDED;
    struct ioas_source source = ioas_source_memobj(map->object);
    int error = ioas_map(map->device->ioas, &source, 0, length,
                         IOAS_READ | IOAS_WRITE | IOAS_RAM_ONLY, &map->address);
    if (error)
        return error;
    map->size = length;
    return 0;
}

/* Tells the program where its buffer is. Written once, never read back: it may say anything. */
static int write_words(struct uio_map *map)
{
    struct phys_run run;
    int error = memobj_run(map->object, 0, PAGE_SIZE, &run);

    if (error)
        return error;
    volatile uint64_t *words = phys_to_virt(run.base);
    words[0] = map->address;
    words[1] = map->number;
    return 0;
}

/*
 * Settles for a number: UIO_ANY becomes the lowest free one from UIO_FIRST_DYNAMIC on, of as many
 * as there may be buffers. An unused BAR slot of that number makes way; its nodes are replaced by
 * the buffer's.
 */
static int take_number(const struct uio_device *device, uint32_t *number)
{
    const struct uio_map *map;

    if (*number > UIO_ANY)
        return -EINVAL;
    if (*number == UIO_ANY)
        for (*number = UIO_FIRST_DYNAMIC; uio_map_find(device, *number);)
            ++*number;
    if (*number >= UIO_MAP_NUMBERS)
        return -ENOSPC;
    map = uio_map_find(device, *number);
    return map && map->object ? -EEXIST : 0;
}

static int publish_map(struct uio_device *device, struct uio_map *map)
{
    struct uio_map *slot = uio_map_find(device, map->number);
    int error;

    if (slot) {
        uio_sysfs_remove_map(slot);
        itree_remove(&device->maps, &slot->node);
    }
    (void)itree_insert(&device->maps, &map->node);
    error = uio_sysfs_add_map(map);
    if (!error) {
        if (slot)
            uio_map_free(slot);
        return 0;
    }
    itree_remove(&device->maps, &map->node);
    /* Only the nodes' memory can be missing. */
    if (slot && itree_insert(&device->maps, &slot->node))
        (void)uio_sysfs_add_map(slot);
    return error;
}

int uio_dma_create(struct uio_device *device, uint64_t length, uint32_t *number)
{
    uint32_t chosen = *number;
    uint64_t end;
    int error;

    if (!device->dma_memory)
        return -EPERM;
    if (length == 0 || !range_end(length, PAGE_SIZE - 1, &end))
        return -EINVAL;
    if (device->dynamic_count == UIO_DYNAMIC_MAX)
        return -ENOSPC;
    error = take_number(device, &chosen);
    if (error)
        return error;
    struct uio_map *map = uio_map_new(device, chosen, true);
    if (!map)
        return -ENOMEM;
    error = back(map, ALIGN_DOWN(end, PAGE_SIZE));
    if (!error)
        error = write_words(map);
    if (!error)
        error = publish_map(device, map);
    if (error) {
        uio_map_free(map);
        return error;
    }
    device->dynamic_count++;
    *number = chosen;
    return 0;
}
