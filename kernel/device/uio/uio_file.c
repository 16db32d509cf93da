/* SPDX-License-Identifier: BSD-2-Clause */
/* /dev/uioN: interrupt counts by read and poll, interrupt control by write, maps by mmap. */
#include "kernel/cpu/user.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/device/uio/internal.h"

/* Page offsets of mmap beyond plain map numbers: the 2008 interface, and the flagged form. */
#define PAGE_MAGIC UINT64_C(0xfffff)
#define PAGE_FLAG  BIT(31)

/* One open of the device. */
struct uio_open {
    struct list link;
    struct uio_device *device;
    struct file *file;
    uint32_t seen; /* events when this file was last read */
};

void uio_interrupt(void *context, unsigned index)
{
    struct uio_device *device = context;
    struct uio_open *open;

    if (device->held && !device->pci->removed) {
        device->missed = true;
        return;
    }
    device->events++;
    list_for_each_entry (open, &device->opens, link)
        waitq_wake(&open->file->changed);
}

/* One interrupt that came while they were held is delivered, by the device or from here. */
void uio_hold(struct uio_device *device, bool held)
{
    device->held = held;
    irq_mask(device->lease.irqs, 0, held);
    if (held || !device->missed)
        return;
    device->missed = false;
    uio_interrupt(device, 0);
}

static unsigned uio_poll(struct file *file)
{
    const struct uio_open *open = file->context;

    if (open->device->pci->removed)
        return POLL_IN | POLL_ERR | POLL_HUP;
    return open->seen != open->device->events ? POLL_IN : 0;
}

static int64_t uio_read(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    struct uio_open *open = file->context;

    if (length != sizeof(uint32_t))
        return -EINVAL;
    int error = file_wait(file, POLL_IN, "uio read");
    if (!error && open->device->pci->removed)
        error = -EIO;
    if (error)
        return error;
    uint32_t events = open->device->events;
    error = copy_to_user(buffer, &events, sizeof(events));
    if (error)
        return error;
    open->seen = events;
    return sizeof(events);
}

static int64_t uio_write(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    struct uio_open *open = file->context;
    int32_t enable;

    if (length != sizeof(enable))
        return -EINVAL;
    int error = copy_from_user(&enable, buffer, sizeof(enable));
    if (error)
        return error;
    if ((enable != 0 && enable != 1) || open->device->pci->removed)
        return -EINVAL;
    uio_hold(open->device, !enable);
    return sizeof(enable);
}

/* The map that a page offset names, created if it asks for that. */
static int map_for(struct uio_device *device, uint64_t page, uint64_t length, struct uio_map **out)
{
    bool create = page == PAGE_MAGIC;
    uint32_t number = UIO_ANY;

    if (!create) {
        bool flagged = page & PAGE_FLAG;

        page &= ~PAGE_FLAG;
        if (page >= UIO_MAP_NUMBERS)
            return -EINVAL;
        number = (uint32_t)page;
        struct uio_map *map = uio_map_find(device, number);
        create = flagged && !(map && map->object);
    }
    if (create) {
        /* To a device that did not opt in the offset is like any other unknown one. */
        if (!device->dma_memory)
            return -EINVAL;
        int error = uio_dma_create(device, length, &number);
        if (error)
            return error;
    }
    *out = uio_map_find(device, number);
    return *out && (*out)->object ? 0 : -EINVAL;
}

/*
 * A buffer created here stays even if the program's address space has no room for it: it has a
 * number, so it can be mapped later.
 */
static int uio_mmap(struct file *file, uint64_t offset, uint64_t length, unsigned protection,
                    bool shared, struct memobj **out, uint64_t *object_offset)
{
    struct uio_open *open = file->context;
    struct uio_map *map;

    if (!shared || length == 0)
        return -EINVAL;
    int error = mutex_lock(&open->device->lock, "uio");
    if (error)
        return error;
    error = map_for(open->device, offset >> PAGE_SHIFT, length, &map);
    if (!error && length > map->size)
        error = -EINVAL;
    if (!error)
        *out = memobj_get(map->object);
    *object_offset = 0;
    mutex_unlock(&open->device->lock);
    return error;
}

static void uio_release(struct file *file)
{
    struct uio_open *open = file->context;
    struct uio_device *device = open->device;

    (void)mutex_lock_deaf(&device->lock, "uio");
    list_remove(&open->link);
    kfree(open);
    if (list_empty(&device->opens))
        lease_stop(&device->lease);
    mutex_unlock(&device->lock);
}

static const struct file_ops uio_ops = {
    .read = uio_read,
    .write = uio_write,
    .mmap = uio_mmap,
    .poll = uio_poll,
    .release = uio_release,
};

/* Interrupts are let through when everything else stands. */
static int start(struct uio_device *device)
{
    int error;

    device->held = true;
    device->missed = false;
    error = lease_start(&device->lease, NULL);
    if (!error)
        uio_hold(device, false);
    return error;
}

static int open_locked(struct uio_device *device, unsigned flags, struct file **out)
{
    bool first = list_empty(&device->opens);
    struct uio_open *open = kzalloc(sizeof(*open));
    int error = -ENOMEM;

    if (!open)
        return -ENOMEM;
    if (first) {
        error = start(device);
        if (error)
            goto free_open;
    }
    open->device = device;
    open->seen = device->events;
    open->file = file_create(&uio_ops, open, flags, "uio");
    if (!open->file) {
        error = -ENOMEM;
        goto stop;
    }
    list_push_back(&device->opens, &open->link);
    *out = open->file;
    return 0;

stop:
    if (first)
        lease_stop(&device->lease);
free_open:
    kfree(open);
    return error;
}

int uio_file_open(void *context, unsigned flags, struct file **out)
{
    struct uio_device *device = context;

    return mutex_run(&device->lock, "uio", open_locked(device, flags, out));
}
