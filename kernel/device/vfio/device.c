/* SPDX-License-Identifier: BSD-2-Clause */
/* The use of a VFIO device: start, command register, reset, stop. */
#include "kernel/device/vfio/device.h"
#include "kernel/device/vfio/vfio.h"

#include "kernel/device/uio/uio.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/reset.h"

static struct list devices = LIST_INIT(devices);

void vfio_device_add(struct vfio_device *device)
{
    list_push_back(&devices, &device->all);
}

struct vfio_device *vfio_device_of(const struct pci_device *pci)
{
    struct vfio_device *device;

    list_for_each_entry (device, &devices, all)
        if (device->pci == pci)
            return device;
    return NULL;
}

static bool has_io(const struct pci_device *pci)
{
    for (unsigned i = 0; i < PCI_BARS; i++)
        if (pci->bars[i].size && (pci->bars[i].flags & PCI_BAR_IO))
            return true;
    return false;
}

/*
 * What the payload wants of the command register, as far as the device can follow. One that did not
 * come back has lost its BARs: it must not decode them, nor reach memory.
 */
static uint16_t wanted_command(const struct vfio_device *device)
{
    bool powered = vfio_config_powered(&device->config) && !device->lost;
    uint16_t wanted = powered ? vfio_config_command(&device->config) : 0;

    if (powered && device->pci->physical)
        wanted |= PCI_COMMAND_MEMORY; /* what it says there means nothing */
    return has_io(device->pci) ? wanted : wanted & (uint16_t)~PCI_COMMAND_IO;
}

/* From the record: a device that is gone would answer anything. */
bool vfio_device_decodes(const struct vfio_device *device, uint16_t space)
{
    return wanted_command(device) & space;
}

/*
 * Translations to BARs go before decoding does: an access in between would hang the bus or raise
 * an error that takes the machine down. That may sleep, and the device be stopped meanwhile.
 */
static void apply(struct vfio_device *device)
{
    uint16_t wanted = wanted_command(device);
    uint16_t command = wanted & (PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
    bool shown = (command & PCI_COMMAND_MEMORY) && !device->low_power.entered;

    if (!shown)
        lease_hide_bars(&device->lease);
    if ((wanted & PCI_COMMAND_MASTER) && !device->pci->stopped)
        command |= PCI_COMMAND_MASTER;
    pci_write16(device->pci, PCI_COMMAND, command | pci_command_bits(device->pci));
    vfio_irqs_follow(device);
    if (shown)
        lease_show_bars(&device->lease);
}

void vfio_device_resume(struct vfio_device *device)
{
    device->lost = device->pci->in_reset;
    if (device->lost) {
        vfio_irqs_disable(device);
        return;
    }
    lease_resume(&device->lease);
    vfio_config_restore(&device->config);
    apply(device);
}

/*
 * A reset of a physical function is one of its virtual functions, too: nobody has them meanwhile.
 * Locked in the order of the list of functions, as always.
 */
static void take_virtuals(const struct vfio_device *physical)
{
    const struct pci_device *d;

    pci_for_each_below (d, physical->pci) {
        struct vfio_device *device = vfio_device_of(d);

        (void)mutex_lock_deaf(&device->lock, "reset of the physical function");
        lease_hide_bars(&device->lease);
    }
}

static void give_virtuals(const struct vfio_device *physical)
{
    const struct pci_device *d;

    pci_for_each_below (d, physical->pci) {
        struct vfio_device *device = vfio_device_of(d);

        if (vfio_device_in_use(device))
            vfio_device_resume(device);
        mutex_unlock(&device->lock);
    }
}

static int reset_by(struct vfio_device *device, int (*reset)(struct pci_device *pci))
{
    int error;

    take_virtuals(device);
    lease_hide_bars(&device->lease);
    error = reset(device->pci);
    give_virtuals(device);
    vfio_device_resume(device);
    return error ? -EIO : 0;
}

int vfio_device_reset(struct vfio_device *device)
{
    if (pci_reset_method(device->pci) == PCI_RESET_NONE)
        return -EINVAL;
    return reset_by(device, pci_reset);
}

int vfio_device_view(struct vfio_device *device)
{
    if (device->pci->in_reset)
        return -EIO;
    if (!device->viewed || device->pci->claimed_by) /* who has it now may change what is there */
        vfio_config_init(&device->config, device->pci);
    device->viewed = !device->pci->claimed_by;
    if (uio_holds(device->pci))
        device->config.copy[PCI_COMMAND + 1] |= PCI_COMMAND_INTX_DISABLE >> 8;
    return 0;
}

void vfio_device_follow(struct vfio_device *device)
{
    if (!(wanted_command(device) & (PCI_COMMAND_MEMORY | PCI_COMMAND_IO)) ||
        !pci_bars_lost(device->pci)) {
        apply(device);
        return;
    }
    log_info("%s: lost its BARs, as in a reset of its own; they are restored",
             pci_name(device->pci));
    (void)reset_by(device, pci_recover);
}

static int start(struct vfio_device *device, struct file *iommufd)
{
    int error;

    take_virtuals(device);
    error = lease_start(&device->lease, iommufd);
    give_virtuals(device);
    if (error)
        return error;
    device->lost = false;
    list_init(&device->ioeventfds);
    vfio_config_init(&device->config, device->pci);
    apply(device);
    vfio_rom_find(device);
    return 0;
}

/* A container takes its translation away later, when the group leaves it. */
static void stop(struct vfio_device *device)
{
    vfio_ioeventfds_close(device);
    vfio_low_power_end(device);
    vfio_windows_close(device);
    take_virtuals(device);
    lease_stop(&device->lease);
    give_virtuals(device);
    lease_drop_bars(&device->lease);
    vfio_irqs_close(device);
    device->viewed = false;
}

/* The count says from the beginning of the start to the end of the stop that the device is in use.
 */
int vfio_device_use(struct vfio_opened *opened, struct file *iommufd)
{
    struct vfio_device *device = opened->device;
    int error = 0;

    if (device->users++ == 0)
        error = start(device, iommufd);
    if (error)
        device->users--;
    else
        opened->ready = true;
    return error;
}

void vfio_device_unuse(struct vfio_opened *opened)
{
    struct vfio_device *device = opened->device;

    opened->ready = false;
    if (device->users == 1)
        stop(device);
    device->users--;
}

/* Both ends of a lease reset it. It is not counted as a use: opening it meanwhile waits. */
int vfio_device_reset_unused(struct vfio_device *device)
{
    int error = -EBUSY;

    if (vfio_device_in_use(device))
        return error;
    take_virtuals(device);
    error = lease_start(&device->lease, NULL);
    if (!error)
        lease_stop(&device->lease);
    give_virtuals(device);
    if (!error)
        lease_drop_bars(&device->lease);
    device->viewed = false;
    return error;
}

void vfio_removed(const struct pci_device *pci)
{
    struct vfio_device *device = vfio_device_of(pci);

    lease_end_bars(pci);
    if (!device)
        return;
    (void)mutex_lock_deaf(&device->lock, "vfio device");
    if (vfio_device_in_use(device))
        vfio_device_resume(device);
    device->viewed = false;
    mutex_unlock(&device->lock);
    vfio_error(pci);
    (void)vfio_request(pci);
}
