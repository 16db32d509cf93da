/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hot reset: all functions below a bridge at once, by its secondary bus. Whoever asks must own each
 * of them: by the files of their groups or, with a file of the device's own, by its iommufd.
 */
#include <linux/vfio.h>

#include "kernel/cpu/user.h"
#include "kernel/device/iommufd/iommufd.h"
#include "kernel/device/vfio/device.h"
#include "kernel/device/vfio/vfio.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/pci/group.h"
#include "kernel/pci/reset.h"

/* What holds a function that nobody uses during the reset. */
static const char claimant[] = "hot reset";

/* One reset at a time holds them, so that the claims are its own. Taken before locks of devices. */
static struct mutex resets = {NULL, LIST_INIT(resets.waiters)};

/* Who asks: one of the two. */
struct owner {
    const struct iommufd_device *bound;
    const struct pci_group **groups;
    size_t count;
};

static size_t count_below(const struct pci_device *bridge)
{
    const struct pci_device *d;
    size_t count = 0;

    pci_for_each_below (d, bridge)
        count++;
    return count;
}

/* ---- GET_PCI_HOT_RESET_INFO ---- */

int64_t vfio_hot_reset_info(struct ioctl_call *call)
{
    const struct vfio_opened *opened = call->context;
    const struct pci_device *d, *bridge = opened->device->pci->bridge;
    struct vfio_pci_hot_reset_info *info = call->data;
    size_t room = (call->size - sizeof(*info)) / sizeof(info->devices[0]);
    uaddr_t at = call->argument + sizeof(*info);
    uint32_t owned = VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED;

    if (!bridge || pci_bus_reset_quirk(bridge))
        return -ENODEV;
    info->count = 0;
    pci_for_each_below (d, bridge) {
        uint32_t id = opened->group ? d->group->id : iommufd_id_of(opened->device->lease.bound, d);
        struct vfio_pci_dependent_device entry = {
            {id}, d->segment, PCI_BUS(d->rid), (uint8_t)d->rid};

        if (id == IOMMUFD_NOT_OWNED)
            owned = 0;
        if (info->count < room &&
            copy_to_user(at + info->count * sizeof(entry), &entry, sizeof(entry)))
            return -EFAULT;
        info->count++;
    }
    info->flags = opened->group ? 0 : VFIO_PCI_HOT_RESET_FLAG_DEV_ID | owned;
    if (ioctl_reply(call))
        return -EFAULT;
    return info->count > room ? -ENOSPC : 0;
}

/* ---- PCI_HOT_RESET: who asks? ---- */

/* Those whose files follow the structure. What is open when it is asked for counts. */
static int get_groups(struct owner *owner, uaddr_t fds)
{
    for (size_t i = 0; i < owner->count; i++) {
        struct file *file;
        int32_t fd;

        if (copy_from_user(&fd, fds + i * sizeof(fd), sizeof(fd)))
            return -EFAULT;
        file = fd < 0 ? NULL : fd_get(fd);
        if (!file)
            return -EBADF;
        owner->groups[i] = vfio_group_of(file);
        file_put(file);
        if (!owner->groups[i])
            return -EINVAL;
    }
    return 0;
}

static bool owns(const struct owner *owner, const struct pci_device *d)
{
    if (owner->bound)
        return iommufd_id_of(owner->bound, d) != IOMMUFD_NOT_OWNED;
    for (size_t i = 0; i < owner->count; i++)
        if (owner->groups[i] == d->group)
            return true;
    return false;
}

static bool owns_all(const struct owner *owner, const struct pci_device *bridge)
{
    const struct pci_device *d;

    pci_for_each_below (d, bridge)
        if (!owns(owner, d))
            return false;
    return true;
}

/* ---- PCI_HOT_RESET: with everybody kept out ---- */

static bool in_use(const struct pci_device *d)
{
    const struct vfio_device *device = vfio_device_of(d);

    return device && vfio_device_in_use(device);
}

/* Lets others in again, but for one device. */
static void release_below(const struct pci_device *bridge, const struct vfio_device *but)
{
    struct pci_device *d;

    pci_for_each_below (d, bridge) {
        struct vfio_device *device = vfio_device_of(d);

        if (d->claimed_by == claimant)
            pci_unclaim(d);
        if (device && device != but && mutex_held(&device->lock))
            mutex_unlock(&device->lock);
    }
    mutex_unlock(&resets);
}

/*
 * Locks all devices, and claims what is not in use. In the order of the list of functions, as
 * everybody who locks several does; so the one that is locked when a call begins is let go first.
 * -EINTR; -EBUSY: another family of device files has one of them. Then none is taken.
 */
static int take_below(const struct pci_device *bridge)
{
    struct pci_device *d;
    int error = mutex_lock(&resets, "hot reset");

    if (error)
        return error;
    pci_for_each_below (d, bridge) {
        struct vfio_device *device = vfio_device_of(d);

        error = device ? mutex_lock(&device->lock, "hot reset") : 0;

        if (!error && !in_use(d) && !d->removed)
            error = pci_claim(d, claimant);
        if (error) {
            release_below(bridge, NULL);
            return error;
        }
    }
    return 0;
}

/* All are taken. What the payload set in those in use is as it was behind it. */
static int reset_all(const struct pci_device *bridge, int (*reset)(const struct pci_device *))
{
    const struct pci_device *d;
    int error;

    pci_for_each_below (d, bridge)
        if (in_use(d))
            lease_hide_bars(&vfio_device_of(d)->lease);
    error = reset(bridge);
    pci_for_each_below (d, bridge)
        if (in_use(d))
            vfio_device_resume(vfio_device_of(d));
    return error ? -ENOTTY : 0;
}

static int reset_as(const struct owner *owner, struct vfio_device *device,
                    const struct pci_device *bridge)
{
    int error;

    mutex_unlock(&device->lock);
    error = take_below(bridge);
    if (error) {
        (void)mutex_lock_deaf(&device->lock, "hot reset"); /* for the caller to unlock */
        return error;
    }
    error = owns_all(owner, bridge) ? reset_all(bridge, pci_reset_below) : -EINVAL;
    release_below(bridge, device);
    return error;
}

int vfio_recover_below(const struct pci_device *port)
{
    int error = take_below(port);

    if (error)
        return error;
    error = reset_all(port, pci_recover_below);
    release_below(port, NULL);
    return error;
}

int64_t vfio_hot_reset(struct ioctl_call *call)
{
    const struct vfio_pci_hot_reset *hot = call->data;
    const struct vfio_opened *opened = call->context;
    const struct pci_device *bridge = opened->device->pci->bridge;
    struct owner owner = {.bound = opened->group ? NULL : opened->device->lease.bound};
    int error;

    /* Groups are named by whoever has the device through one, and by nobody else. */
    if (hot->flags || !hot->count != !opened->group)
        return -EINVAL;
    if (!bridge || pci_bus_reset_quirk(bridge))
        return -ENODEV;
    if (hot->count > count_below(bridge))
        return -EINVAL;
    owner.count = hot->count;
    owner.groups = kcalloc(MAX(owner.count, 1), sizeof(owner.groups[0]));
    if (!owner.groups)
        return -ENOMEM;
    error = get_groups(&owner, call->argument + sizeof(*hot));
    if (!error)
        error = reset_as(&owner, opened->device, bridge);
    kfree(owner.groups);
    return error;
}
