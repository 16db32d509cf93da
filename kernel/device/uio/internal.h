/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of kernel/device/uio share. */
#ifndef KERNEL_DEVICE_UIO_INTERNAL_H
#define KERNEL_DEVICE_UIO_INTERNAL_H

#include "kernel/cpu/mutex.h"
#include "kernel/file/file.h"
#include "kernel/device/lease.h"
#include "kernel/ioas/group.h"
#include "kernel/lib/itree.h"
#include "kernel/lib/list.h"
#include "kernel/mm/memobj.h"
#include "kernel/device/uio/uio.h"

#define UIO_NAME_MAX 16
#define UIO_MAJOR    246

/* One row of /sys/class/uio/uioN/maps: a BAR, an unused BAR slot (no object), or a buffer. */
struct uio_map {
    struct itree_node node; /* first = last = number */
    struct uio_device *device;
    uint32_t number;
    bool dynamic;
    char name[UIO_NAME_MAX];
    uint64_t address; /* physical for a BAR, the IOVA for a buffer */
    uint64_t size;    /* bytes; 0: unused slot */
    struct memobj *object;
};

struct uio_device {
    struct list link;
    unsigned id;
    struct pci_device *pci;
    struct lease lease; /* while open */
    bool dma_memory;
    struct mutex lock; /* opening and closing, the maps, the address space */
    struct ioas *ioas;
    struct ioas_tables tables;
    struct itree maps; /* struct uio_map */
    size_t dynamic_count;
    struct list opens; /* struct uio_open of kernel/device/uio/uio_file.c */
    bool held;         /* the program wants no interrupts now */
    bool missed;       /* one came all the same: the device has no mask bit */
    uint32_t events;   /* interrupts so far */
};

static inline struct uio_map *uio_map_of(struct itree_node *node)
{
    return container_of(node, struct uio_map, node);
}

/* The map of that number, or NULL. O(log n). */
struct uio_map *uio_map_find(const struct uio_device *device, uint32_t number);
/* A map, named, without memory, and not among the device's yet; NULL when out of memory. */
struct uio_map *uio_map_new(struct uio_device *device, uint32_t number, bool dynamic);
/* Unmaps a buffer from the device, and frees it. The device must be stopped. */
void uio_map_free(struct uio_map *map);

/* /dev/uioN. */
int uio_file_open(void *context, unsigned flags, struct file **out);
/* The interrupt: counts, and wakes everyone who has the device open. */
void uio_interrupt(void *context, unsigned index);
/* Holds interrupts back, or lets them through. */
void uio_hold(struct uio_device *device, bool held);

/* Rows of /sys/class/uio. */
int uio_sysfs_add(struct uio_device *device);
void uio_sysfs_remove(const struct uio_device *device);
int uio_sysfs_add_map(struct uio_map *map);
void uio_sysfs_remove_map(const struct uio_map *map);

#endif
