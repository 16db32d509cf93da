/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts of a card to eventfds: DFL_FPGA_*_GET_IRQ_NUM and _SET_IRQ. */
#include <linux/fpga-dfl.h>

#include "drivers/afu/internal.h"
#include "kernel/cpu/user.h"
#include "kernel/file/eventfd.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"

void afu_interrupt(void *context, unsigned index)
{
    struct afu_device *device = context;

    if (device->eventfds[index])
        eventfd_signal(device->eventfds[index], 1);
}

int afu_irq_number(const struct afu_vectors *vectors, const struct ioctl_call *call)
{
    *(uint32_t *)call->data = vectors->count;
    return ioctl_reply(call);
}

static void put_files(struct file **files, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (files[i])
            file_put(files[i]);
}

static int take_eventfds(uint64_t descriptors, unsigned count, struct file **files)
{
    for (unsigned i = 0; i < count; i++) {
        int32_t fd;
        int error = copy_from_user(&fd, descriptors + i * sizeof(fd), sizeof(fd));

        if (!error && fd >= 0) /* a negative one: none */
            error = eventfd_get(fd, &files[i]);
        if (error) {
            put_files(files, i);
            return error;
        }
    }
    return 0;
}

/* What a vector raises while nobody listens waits in the device, where it has mask bits. */
static void mask_silent(const struct afu_device *device, const struct afu_vectors *vectors)
{
    for (unsigned i = vectors->first; i < vectors->first + vectors->count; i++)
        irq_mask(device->lease.irqs, i, device->eventfds[i] == NULL);
}

int afu_irq_set(struct afu_device *device, const struct afu_vectors *vectors,
                const struct ioctl_call *call)
{
    const struct dfl_fpga_irq_set *set = call->data;
    int error;

    if (set->count == 0 || set->start >= vectors->count || set->count > vectors->count - set->start)
        return -EINVAL;
    struct file **files = kcalloc(set->count, sizeof(struct file *));
    if (!files)
        return -ENOMEM;
    error = take_eventfds(call->argument + sizeof(*set), set->count, files);
    if (error)
        goto free_files;
    /* Everything is in hand, so from here on nothing can fail: swap, then let go of the old. */
    for (unsigned i = 0; i < set->count; i++) {
        struct file **slot = &device->eventfds[vectors->first + set->start + i];
        struct file *old = *slot;

        *slot = files[i];
        files[i] = old;
    }
    put_files(files, set->count);
    mask_silent(device, vectors);
free_files:
    kfree(files);
    return error;
}

void afu_irq_drop(struct afu_device *device, const struct afu_vectors *vectors)
{
    for (unsigned i = 0; i < vectors->count; i++) {
        struct file **slot = &device->eventfds[vectors->first + i];

        if (*slot)
            file_put(*slot);
        *slot = NULL;
    }
    mask_silent(device, vectors);
}
