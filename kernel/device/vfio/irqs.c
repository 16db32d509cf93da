/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts of a VFIO device: MSI and MSI-X vectors, and the single interrupts ERR and REQ, each
 * bound to an eventfd. INTx is not offered: its line is shared and would have to be masked for
 * every device on it.
 */
#include <linux/vfio.h>

#include "kernel/cpu/user.h"
#include "kernel/file/eventfd.h"
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap.h"
#include "kernel/device/vfio/device.h"

#define FIRE_WORK 50 /* work (breathe_after()) of firing a vector, and those who wait aside */

/* A SET_IRQS call, copied and checked. */
struct request {
    uint32_t data_type;
    uint32_t action;
    uint32_t index;
    uint32_t start;
    uint32_t count;
    const uint8_t *bools; /* of data type BOOL */
    const int32_t *fds;   /* of data type EVENTFD */
};

static unsigned count_of(const struct vfio_device *device, uint32_t index)
{
    switch (index) {
    case VFIO_PCI_MSI_IRQ_INDEX:
        return irq_count(device->pci, IRQ_MSI);
    case VFIO_PCI_MSIX_IRQ_INDEX:
        return irq_count(device->pci, IRQ_MSIX);
    case VFIO_PCI_ERR_IRQ_INDEX:
        return device->pci->cap_pcie ? 1 : 0;
    case VFIO_PCI_REQ_IRQ_INDEX:
        return 1;
    default:
        return 0; /* INTx */
    }
}

int64_t vfio_irq_info(struct ioctl_call *call)
{
    const struct vfio_device *device = ((const struct vfio_opened *)call->context)->device;
    struct vfio_irq_info *info = call->data;

    if (info->index >= VFIO_PCI_NUM_IRQS)
        return -EINVAL;
    if (info->index == VFIO_PCI_ERR_IRQ_INDEX && !device->pci->cap_pcie)
        return -EINVAL;
    info->flags = VFIO_IRQ_INFO_EVENTFD;
    if (info->index == VFIO_PCI_INTX_IRQ_INDEX)
        info->flags |= VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
    else
        info->flags |= VFIO_IRQ_INFO_NORESIZE;
    info->count = count_of(device, info->index);
    return ioctl_reply(call);
}

/* ---- vectors ---- */

/* Runs in an interrupt handler. */
static void on_interrupt(void *context, unsigned index)
{
    struct vfio_device *device = context;
    struct file *trigger = device->irqs.triggers[index];

    if (trigger)
        eventfd_signal(trigger, 1);
}

static enum irq_kind kind_of(uint32_t index)
{
    return index == VFIO_PCI_MSIX_IRQ_INDEX ? IRQ_MSIX : IRQ_MSI;
}

static bool in_use(const struct vfio_irqs *irqs, uint32_t index)
{
    return irqs->count && irqs->kind == kind_of(index);
}

void vfio_irqs_disable(struct vfio_device *device)
{
    struct vfio_irqs *irqs = &device->irqs;

    if (!irqs->triggers)
        return; /* none are enabled */
    if (device->lease.irqs)
        irq_disable(device->lease.irqs);
    device->lease.irqs = NULL;
    for (unsigned i = 0; i < irqs->count; i++)
        file_put(irqs->triggers[i]);
    kfree(irqs->triggers);
    irqs->triggers = NULL;
    irqs->count = 0;
}

/*
 * Vectors nobody listens to stay masked: the device keeps what it raises, and delivers it when the
 * mask is lifted. Without mask bits it is lost, in on_interrupt().
 */
static void mask_silent(struct vfio_device *device, unsigned start, unsigned count)
{
    for (unsigned i = start; device->lease.irqs && i < start + count; i++)
        irq_mask(device->lease.irqs, i, device->irqs.triggers[i] == NULL);
}

static int enable_vectors(struct vfio_device *device, enum irq_kind kind, unsigned count)
{
    struct vfio_irqs *irqs = &device->irqs;
    int error;

    if (count == 0)
        return -ERANGE;
    if (device->lost)
        return -EIO;
    irqs->triggers = kcalloc(count, sizeof(struct file *));
    if (!irqs->triggers)
        return -ENOMEM;
    error = irq_enable(device->pci, kind, count, on_interrupt, device, &device->lease.irqs);
    if (error) {
        kfree(irqs->triggers);
        irqs->triggers = NULL;
        return error;
    }
    irqs->kind = kind;
    irqs->count = count;
    return 0;
}

void vfio_irqs_close(struct vfio_device *device)
{
    vfio_irqs_disable(device);
    file_put(device->irqs.error);
    file_put(device->irqs.request);
    device->irqs.error = NULL;
    device->irqs.request = NULL;
}

/* ---- eventfds ---- */

/* The eventfd behind a descriptor, with a reference; NULL for negative ones. */
static int get_trigger(int32_t fd, struct file **out)
{
    *out = NULL;
    return fd < 0 ? 0 : eventfd_get(fd, out);
}

/* Binds all of them, or none. */
static int set_triggers(struct vfio_device *device, const struct request *r)
{
    struct vfio_irqs *irqs = &device->irqs;
    struct file **files = kcalloc(r->count, sizeof(struct file *));
    int error = 0;

    ASSERT(r->fds);
    if (!files && r->count)
        return -ENOMEM;
    for (unsigned i = 0; i < r->count && !error; i++)
        error = get_trigger(r->fds[i], &files[i]);
    /* From here on `files` holds what goes: the new ones on failure, else the old ones. */
    for (unsigned i = 0; i < r->count && !error; i++) {
        struct file *old = irqs->triggers[r->start + i];

        irqs->triggers[r->start + i] = files[i];
        files[i] = old;
    }
    for (unsigned i = 0; i < r->count; i++)
        file_put(files[i]);
    kfree(files);
    if (!error)
        mask_silent(device, r->start, r->count);
    return error;
}

/* Is vector i of the request to be fired by hand? */
static bool fires(const struct request *r, unsigned i)
{
    return r->data_type == VFIO_IRQ_SET_DATA_NONE || r->bools[i];
}

/* ---- what a call does, by index ---- */

static int trigger_vectors(struct vfio_device *device, const struct request *r)
{
    struct vfio_irqs *irqs = &device->irqs;
    int error;

    if (in_use(irqs, r->index) && r->count == 0 && r->data_type == VFIO_IRQ_SET_DATA_NONE) {
        vfio_irqs_disable(device);
        return 0;
    }
    if (irqs->count && !in_use(irqs, r->index))
        return -EINVAL; /* the other kind is enabled */
    if (r->data_type == VFIO_IRQ_SET_DATA_EVENTFD) {
        bool fresh = irqs->count == 0;

        error = fresh ? enable_vectors(device, kind_of(r->index), r->start + r->count) : 0;
        if (!error && r->start + r->count > irqs->count)
            error = -EINVAL;
        if (!error)
            error = set_triggers(device, r);
        if (error && fresh)
            vfio_irqs_disable(device);
        return error;
    }
    if (!irqs->count || r->start + r->count > irqs->count)
        return -EINVAL;
    for (unsigned i = 0; i < r->count; i++) {
        if (irqs->triggers[r->start + i] && fires(r, i))
            eventfd_signal(irqs->triggers[r->start + i], 1);
        breathe_deaf_after(FIRE_WORK, "vfio interrupts");
    }
    return 0;
}

/* ERR and REQ: one eventfd each, which the kernel signals; NONE with count 0 lets go of it. */
static int trigger_single(struct file **trigger, const struct request *r)
{
    struct file *file;
    int error;

    if (r->data_type == VFIO_IRQ_SET_DATA_EVENTFD) {
        if (r->count == 0 || r->fds[0] < -1)
            return -EINVAL;
        error = get_trigger(r->fds[0], &file);
        if (error)
            return error;
        file_put(*trigger);
        *trigger = file;
        return 0;
    }
    if (r->data_type == VFIO_IRQ_SET_DATA_BOOL && r->count == 0)
        return -EINVAL;
    if (!*trigger)
        return r->data_type == VFIO_IRQ_SET_DATA_NONE ? -EINVAL : 0;
    if (r->count == 0) {
        file_put(*trigger);
        *trigger = NULL;
    } else if (fires(r, 0)) {
        eventfd_signal(*trigger, 1);
    }
    return 0;
}

static int carry_out(struct vfio_device *device, const struct request *r)
{
    if (r->action != VFIO_IRQ_SET_ACTION_TRIGGER)
        return -ENOTTY;
    if (r->index == VFIO_PCI_ERR_IRQ_INDEX)
        return trigger_single(&device->irqs.error, r);
    if (r->index == VFIO_PCI_REQ_IRQ_INDEX)
        return trigger_single(&device->irqs.request, r);
    return trigger_vectors(device, r);
}

/* ---- the call ---- */

/* Bytes per vector of a data type; negative if there is no such type. */
static int data_size(uint32_t data_type)
{
    switch (data_type) {
    case VFIO_IRQ_SET_DATA_NONE:
        return 0;
    case VFIO_IRQ_SET_DATA_BOOL:
        return sizeof(uint8_t);
    case VFIO_IRQ_SET_DATA_EVENTFD:
        return sizeof(int32_t);
    default:
        return -EINVAL;
    }
}

/* Bytes of data that follow the header, or an error. Nothing here can overflow: see the order. */
static int check(const struct vfio_device *device, const struct vfio_irq_set *set)
{
    const uint32_t known = VFIO_IRQ_SET_DATA_TYPE_MASK | VFIO_IRQ_SET_ACTION_TYPE_MASK;
    unsigned max;
    int each;

    if (set->index >= VFIO_PCI_NUM_IRQS || (set->flags & ~known))
        return -EINVAL;
    max = count_of(device, set->index);
    if (set->start >= max || set->count > max - set->start)
        return -EINVAL;
    each = data_size(set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK);
    if (each < 0 || set->argsz - sizeof(*set) < set->count * (unsigned)each)
        return -EINVAL;
    return (int)set->count * each;
}

int64_t vfio_irqs_set(struct ioctl_call *call)
{
    struct vfio_device *device = ((struct vfio_opened *)call->context)->device;
    const struct vfio_irq_set *set = call->data;
    struct request r;
    int bytes, error;
    void *data;

    bytes = check(device, set);
    if (bytes < 0)
        return bytes;
    data = kmalloc((size_t)bytes + 1); /* no data: still something to point at */
    if (!data)
        return -ENOMEM;
    error = copy_from_user(data, call->argument + sizeof(*set), (size_t)bytes);
    if (error)
        goto free_data;
    r = (struct request){
        .data_type = set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK,
        .action = set->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK,
        .index = set->index,
        .start = set->start,
        .count = set->count,
        .bools = data,
        .fds = data,
    };
    error = carry_out(device, &r);

free_data:
    kfree(data);
    return error;
}
