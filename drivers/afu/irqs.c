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

/* What a vector raises while nobody listens waits in the device, where it has mask bits. */
static void mask_silent(const struct afu_device *device, const struct afu_vectors *vectors)
{
    for (unsigned i = vectors->first; i < vectors->first + vectors->count; i++)
        irq_mask(device->lease.irqs, i, device->eventfds[i] == NULL);
}

static int set_irqs(struct afu_device *device, const struct afu_vectors *vectors,
                    const struct ioctl_call *call)
{
    const struct dfl_fpga_irq_set *set = call->data;
    int error = 0;

    if (set->count == 0 || set->start >= vectors->count || set->count > vectors->count - set->start)
        return -EINVAL;
    struct file **files = kcalloc(set->count, sizeof(struct file *));
    if (!files)
        return -ENOMEM;
    for (unsigned i = 0; i < set->count && !error; i++) {
        int32_t fd;

        error = copy_from_user(&fd, call->argument + sizeof(*set) + i * sizeof(fd), sizeof(fd));
        if (!error && fd >= 0) /* a negative one: none */
            error = eventfd_get(fd, &files[i]);
    }
    /* From here on `files` holds what goes: the new ones on failure, else the old ones. */
    for (unsigned i = 0; i < set->count && !error; i++) {
        struct file **slot = &device->eventfds[vectors->first + set->start + i];
        struct file *old = *slot;

        *slot = files[i];
        files[i] = old;
    }
    for (unsigned i = 0; i < set->count; i++)
        file_put(files[i]);
    kfree(files);
    if (!error)
        mask_silent(device, vectors);
    return error;
}

int afu_irqs(struct afu_device *device, const struct afu_vectors *vectors,
             const struct ioctl_call *call)
{
    if (call->row->size_min) /* a structure comes with the call */
        return set_irqs(device, vectors, call);
    *(uint32_t *)call->data = vectors->count;
    return ioctl_reply(call);
}

void afu_irq_drop(struct afu_device *device, const struct afu_vectors *vectors)
{
    for (unsigned i = 0; i < vectors->count; i++) {
        struct file **slot = &device->eventfds[vectors->first + i];

        file_put(*slot);
        *slot = NULL;
    }
    mask_silent(device, vectors);
}
