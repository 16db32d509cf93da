/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts of a VFIO device: INTx, MSI and MSI-X vectors, and the single interrupts ERR and REQ,
 * each bound to an eventfd.
 */
#include <linux/vfio.h>

#include "kernel/cpu/user.h"
#include "kernel/file/eventfd.h"
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap.h"
#include "kernel/pci/registers.h"
#include "kernel/device/vfio/device.h"
#include "kernel/device/vfio/vfio.h"

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

/* The kinds have the numbers of the interface. */
_Static_assert((int)IRQ_INTX == VFIO_PCI_INTX_IRQ_INDEX && (int)IRQ_MSI == VFIO_PCI_MSI_IRQ_INDEX &&
                   (int)IRQ_MSIX == VFIO_PCI_MSIX_IRQ_INDEX,
               "include/uapi/linux/vfio.h");

static const uint32_t info_flags[VFIO_PCI_NUM_IRQS] = {
    [VFIO_PCI_INTX_IRQ_INDEX] =
        VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED,
    [VFIO_PCI_MSI_IRQ_INDEX] = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE,
    [VFIO_PCI_MSIX_IRQ_INDEX] = VFIO_IRQ_INFO_EVENTFD,
    [VFIO_PCI_ERR_IRQ_INDEX] = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE,
    [VFIO_PCI_REQ_IRQ_INDEX] = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE,
};

static unsigned count_of(const struct vfio_device *device, uint32_t index)
{
    if (index == VFIO_PCI_ERR_IRQ_INDEX)
        return device->pci->cap_pcie ? 1 : 0;
    return index == VFIO_PCI_REQ_IRQ_INDEX ? 1 : irq_count(device->pci, (enum irq_kind)index);
}

int64_t vfio_irq_info(struct ioctl_call *call)
{
    const struct vfio_device *device = ((const struct vfio_opened *)call->context)->device;
    struct vfio_irq_info *info = call->data;

    if (info->index >= VFIO_PCI_NUM_IRQS)
        return -EINVAL;
    if (info->index == VFIO_PCI_ERR_IRQ_INDEX && !device->pci->cap_pcie)
        return -EINVAL;
    info->flags = info_flags[info->index];
    info->count = count_of(device, info->index);
    return ioctl_reply(call);
}

/* ---- vectors ---- */

/* Runs in an interrupt handler. INTx is masked by now. */
static void on_interrupt(void *context, unsigned index)
{
    struct vfio_device *device = context;
    struct file *trigger = device->irqs.triggers[index];

    device->irqs.masked = true;
    if (trigger)
        eventfd_signal(trigger, 1);
}

static bool in_use(const struct vfio_irqs *irqs, uint32_t index)
{
    return irqs->count && irqs->kind == index;
}

void vfio_irqs_disable(struct vfio_device *device)
{
    struct vfio_irqs *irqs = &device->irqs;

    if (!irqs->triggers)
        return; /* none are enabled */
    eventfd_unlisten(&irqs->unmask);
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
 * mask is lifted. Without mask bits it is lost, in on_interrupt(). INTx has three reasons to be.
 */
static void set_masks(struct vfio_device *device, unsigned start, unsigned count)
{
    const struct vfio_irqs *irqs = &device->irqs;
    bool all = irqs->kind == IRQ_INTX && (irqs->masked || irqs->disabled);

    for (unsigned i = start; device->lease.irqs && i < start + count; i++)
        irq_mask(device->lease.irqs, i, all || !irqs->triggers[i]);
}

static int enable_vectors(struct vfio_device *device, enum irq_kind kind, unsigned count)
{
    struct vfio_irqs *irqs = &device->irqs;
    unsigned named; /* vectors of MSI-X come by and by */
    int error;

    if (count == 0)
        return -ERANGE;
    if (device->lost)
        return -EIO;
    named = kind == IRQ_MSIX ? MAX(count, irq_count(device->pci, kind)) : count;
    irqs->triggers = kcalloc(named, sizeof(struct file *));
    if (!irqs->triggers)
        return -ENOMEM;
    error = irq_enable(device->pci, kind, count, on_interrupt, device, &device->lease.irqs);
    if (error) {
        kfree(irqs->triggers);
        irqs->triggers = NULL;
        return error;
    }
    irqs->kind = kind;
    irqs->count = named;
    irqs->masked = false;
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
    for (unsigned i = 0; i < r->count && !error && irqs->kind == IRQ_MSIX; i++)
        error = files[i] ? irq_add(device->lease.irqs, r->start + i) : 0;
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
        set_masks(device, r->start, r->count);
    return error;
}

/* Is the request about vector i of it, without an eventfd? */
static bool fires(const struct request *r, unsigned i)
{
    return r->data_type == VFIO_IRQ_SET_DATA_NONE || r->bools[i];
}

/* By hand. What is disabled in the command register stays silent then, too. */
static void fire_vectors(const struct vfio_irqs *irqs, const struct request *r)
{
    for (unsigned i = 0; i < r->count && r->start + i < irqs->count; i++) {
        struct file *trigger = irqs->triggers[r->start + i];

        if (trigger && fires(r, i) && !(irqs->kind == IRQ_INTX && irqs->disabled))
            eventfd_signal(trigger, 1);
        breathe_deaf_after(FIRE_WORK, "vfio interrupts");
    }
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
        return -EINVAL; /* another kind is enabled */
    if (r->index == VFIO_PCI_INTX_IRQ_INDEX && r->count != 1)
        return -EINVAL;
    if (r->data_type == VFIO_IRQ_SET_DATA_EVENTFD) {
        bool fresh = irqs->count == 0;

        error = fresh ? enable_vectors(device, (enum irq_kind)r->index, r->start + r->count) : 0;
        if (!error && r->start + r->count > irqs->count)
            error = -EINVAL;
        if (!error)
            error = set_triggers(device, r);
        if (error && fresh)
            vfio_irqs_disable(device);
        return error;
    }
    if (!irqs->count)
        return -EINVAL;
    fire_vectors(irqs, r);
    return 0;
}

/* ---- the line ---- */

void vfio_irqs_follow(struct vfio_device *device)
{
    struct vfio_irqs *irqs = &device->irqs;
    bool disabled = vfio_config_command(&device->config) & PCI_COMMAND_INTX_DISABLE;

    if (irqs->disabled && !disabled)
        irqs->masked = false; /* as on Linux, whoever masked it */
    irqs->disabled = disabled;
    if (in_use(irqs, VFIO_PCI_INTX_IRQ_INDEX))
        set_masks(device, 0, 1);
}

static void mask_line(struct vfio_device *device, bool masked)
{
    device->irqs.masked = masked;
    set_masks(device, 0, 1);
}

/* May run in an interrupt handler, in the middle of a reset, or when the vectors are gone. */
static void unmask_heard(struct eventfd_listener *listener)
{
    mask_line(container_of(listener, struct vfio_device, irqs.unmask), false);
}

static int listen_for_unmask(struct vfio_irqs *irqs, int32_t fd)
{
    struct file *file;
    int error;

    if (fd < 0) {
        eventfd_unlisten(&irqs->unmask);
        return 0;
    }
    error = eventfd_get(fd, &file);
    if (error)
        return error;
    irqs->unmask.heard = unmask_heard;
    error = irqs->unmask.file ? -EBUSY : eventfd_listen(&irqs->unmask, file);
    file_put(file);
    return error;
}

static int act_on_line(struct vfio_device *device, const struct request *r)
{
    bool masks = r->action == VFIO_IRQ_SET_ACTION_MASK;

    if (r->action == VFIO_IRQ_SET_ACTION_TRIGGER)
        return trigger_vectors(device, r);
    if (!masks && r->action != VFIO_IRQ_SET_ACTION_UNMASK)
        return -ENOTTY;
    if (!in_use(&device->irqs, r->index) || r->count != 1)
        return -EINVAL;
    if (r->data_type == VFIO_IRQ_SET_DATA_EVENTFD)
        return masks ? -ENOTTY : listen_for_unmask(&device->irqs, r->fds[0]);
    if (fires(r, 0))
        mask_line(device, masks);
    return 0;
}

/* ---- the single ones ---- */

void vfio_error(const struct pci_device *pci)
{
    const struct vfio_device *device = vfio_device_of(pci);

    if (device && device->irqs.error)
        eventfd_signal(device->irqs.error, 1);
}

bool vfio_request(const struct pci_device *pci)
{
    const struct vfio_device *device = vfio_device_of(pci);

    if (!device || !device->irqs.request)
        return false;
    eventfd_signal(device->irqs.request, 1);
    return true;
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
    if (r->index == VFIO_PCI_INTX_IRQ_INDEX)
        return act_on_line(device, r);
    if (r->action != VFIO_IRQ_SET_ACTION_TRIGGER)
        return -ENOTTY;
    if (r->index == VFIO_PCI_ERR_IRQ_INDEX)
        return trigger_single(&device->irqs.error, r);
    if (r->index == VFIO_PCI_REQ_IRQ_INDEX)
        return trigger_single(&device->irqs.request, r);
    return trigger_vectors(device, r);
}

/* ---- the call ---- */

/* Bytes per vector of a data type, and one more; 0: there is no such type. */
static const uint8_t data_sizes[VFIO_IRQ_SET_DATA_TYPE_MASK + 1] = {
    [VFIO_IRQ_SET_DATA_NONE] = 1,
    [VFIO_IRQ_SET_DATA_BOOL] = 1 + sizeof(uint8_t),
    [VFIO_IRQ_SET_DATA_EVENTFD] = 1 + sizeof(int32_t),
};

/* Bytes of data that follow the header, or an error. Nothing here can overflow: see the order. */
static int check(const struct vfio_device *device, const struct vfio_irq_set *set)
{
    const uint32_t known = VFIO_IRQ_SET_DATA_TYPE_MASK | VFIO_IRQ_SET_ACTION_TYPE_MASK;
    unsigned max, each;

    if (set->index >= VFIO_PCI_NUM_IRQS || (set->flags & ~known))
        return -EINVAL;
    max = count_of(device, set->index);
    if (set->start >= max || set->count > max - set->start)
        return -EINVAL;
    each = data_sizes[set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK];
    if (each == 0 || set->argsz - sizeof(*set) < set->count * (each - 1))
        return -EINVAL;
    return (int)(set->count * (each - 1));
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
