/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a VFIO device: start, command register, reset, stop. */
#include "kernel/vfio/device.h"

#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/mm/heap.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/reset.h"
#include "kernel/pci/use.h"

/* What a device file refers to. */
struct opened {
    struct vfio_device *device;
    struct file *group; /* held, so that the group leaves its container after the device stopped */
};

struct vfio_device *vfio_device_of(const struct file *file)
{
    return ((struct opened *)file->context)->device;
}

static bool has_io(const struct pci_device *pci)
{
    for (unsigned i = 0; i < PCI_BARS; i++)
        if (pci->bars[i].size && (pci->bars[i].flags & PCI_BAR_IO))
            return true;
    return false;
}

/*
 * Translations to BARs go before decoding does: an access in between would hang the bus or raise
 * an error that takes the machine down.
 */
void vfio_device_follow(struct vfio_device *device)
{
    bool powered = vfio_config_powered(&device->config);
    uint16_t wanted = powered ? vfio_config_command(&device->config) : 0;
    uint16_t command = PCI_COMMAND_INTX_DISABLE;

    if (wanted & PCI_COMMAND_MEMORY)
        command |= PCI_COMMAND_MEMORY;
    if ((wanted & PCI_COMMAND_IO) && has_io(device->pci))
        command |= PCI_COMMAND_IO;
    if ((wanted & PCI_COMMAND_MASTER) && !device->pci->stopped)
        command |= PCI_COMMAND_MASTER;
    device->reachable = command & PCI_COMMAND_MEMORY;
    if (!device->reachable)
        vfio_regions_revoke(device);
    pci_write16(device->pci, PCI_COMMAND, command);
    if (device->reachable)
        vfio_regions_restore(device);
}

int vfio_device_reset(struct vfio_device *device)
{
    char name[PCI_NAME_SIZE];

    if (pci_reset_method(device->pci) == PCI_RESET_NONE)
        return -EINVAL;
    device->reachable = false;
    vfio_regions_revoke(device);
    vfio_irqs_suspend(device);
    if (pci_use_reset(device->pci)) {
        log_error("%s: did not come back from its reset", pci_name(device->pci, name));
        return -EIO;
    }
    vfio_config_init(&device->config, device->pci);
    vfio_device_follow(device);
    vfio_irqs_resume(device);
    return 0;
}

static int start(struct vfio_device *device)
{
    int error = pci_use_begin(device->pci, "vfio");

    if (error)
        return error;
    vfio_config_init(&device->config, device->pci);
    vfio_device_follow(device);
    return 0;
}

/*
 * The order in which nothing is left that could still be used: no CPU can reach the device, then
 * the device can reach nothing, then its vectors go. Its group leaves the container after this.
 */
static void stop(struct vfio_device *device)
{
    device->reachable = false;
    vfio_regions_close(device);
    pci_use_end(device->pci);
    vfio_irqs_close(device);
}

int vfio_device_open(struct vfio_device *device, struct file *group, struct file **out)
{
    struct opened *opened = kzalloc(sizeof(*opened));
    int error;

    if (!opened)
        return -ENOMEM;
    error = device->users ? 0 : start(device);
    if (error)
        goto free_opened;
    *out = file_create(&vfio_device_ops, opened, FILE_RDWR, "vfio-device");
    if (!*out) {
        error = -ENOMEM;
        goto stop_device;
    }
    opened->device = device;
    opened->group = file_get(group);
    (*out)->seekable = true;
    device->users++;
    return 0;

stop_device:
    if (!device->users)
        stop(device);
free_opened:
    kfree(opened);
    return error;
}

void vfio_device_release(struct file *file)
{
    struct opened *opened = file->context;

    if (--opened->device->users == 0)
        stop(opened->device);
    file_put(opened->group);
    kfree(opened);
}
