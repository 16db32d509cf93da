/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VFIO groups (/dev/vfio/N): what is handed out together. In use are, nested as they hold each
 * other: a container while a group is in it, a group while one of its devices is open, a device
 * while a file refers to it. Each inner file keeps the outer one open, so the outer ones end last.
 */
#include <linux/vfio.h>

#include "kernel/cpu/user.h"
#include "kernel/file/file.h"
#include "kernel/file/tree.h"
#include "kernel/iommu/iommu.h"
#include "kernel/device/iommufd/iommufd.h"
#include "kernel/device/ioctl.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap.h"
#include "kernel/pci/group.h"
#include "kernel/pci/reset.h"
#include "kernel/device/vfio/container.h"
#include "kernel/device/vfio/device.h"
#include "kernel/device/vfio/vfio.h"

#define VFIO_MAJOR    241 /* of the range for dynamic numbers; nothing depends on it */
#define NAME_SIZE_MAX 64

struct vfio_group {
    struct pci_group *pci;
    struct list devices; /* struct vfio_device: the assigned members */
    struct mutex lock;   /* calls; taken before a device's */
    struct file *file;   /* the one that is open, if any */
    /* What it was put in, if anything: one of the two. Each is kept open meanwhile. */
    struct vfio_container *container;
    struct vfio_container_member member;
    struct file *iommufd; /* serves as a container */
};

/* ---- viability ---- */

/*
 * Memory the firmware lets a device reach at all times would stay in reach of the payload through
 * any member of the group, and all memory through one that no IOMMU translates for. Returns the
 * first such member, and what it is.
 */
static const struct pci_device *withheld_member(const struct pci_group *group, const char **reason)
{
    for (size_t i = 0; i < group->count; i++) {
        struct requester *const *ids = group->members[i]->requesters;

        for (size_t j = 0; j < PCI_IDS_MAX && ids[j]; j++) {
            *reason = iommu_withholds(ids[j]);
            if (*reason)
                return group->members[i];
        }
    }
    return NULL;
}

static bool viable(const struct vfio_group *group)
{
    const char *reason;

    return !withheld_member(group->pci, &reason);
}

bool vfio_group_opened(const struct vfio_group *group)
{
    return group->file != NULL;
}

/* ---- calls ---- */

static bool devices_in_use(const struct vfio_group *group)
{
    const struct vfio_device *device;

    list_for_each_entry (device, &group->devices, link)
        if (vfio_device_in_use(device))
            return true;
    return false;
}

/* Is the group in use: by its own file, or through a device's? The middle one of three. */
static bool group_in_use(const struct vfio_group *group)
{
    return group->file || devices_in_use(group);
}

/* Is a container, or an iommufd in its place, in use for the group? The outermost of three. */
static bool container_in_use(const struct vfio_group *group)
{
    return group->container || group->iommufd;
}

static int64_t get_status(struct ioctl_call *call)
{
    const struct vfio_group *group = call->context;
    struct vfio_group_status *status = call->data;

    status->flags = viable(group) ? VFIO_GROUP_FLAGS_VIABLE : 0;
    if (container_in_use(group))
        status->flags |= VFIO_GROUP_FLAGS_CONTAINER_SET;
    return ioctl_reply(call);
}

static int join_container(struct vfio_group *group, struct vfio_container *container)
{
    int error = vfio_container_add_group(container, &group->member);

    if (!error)
        group->container = container;
    return error;
}

/* Mapping calls of the container then work on an address space of the iommufd. */
static int join_iommufd(struct vfio_group *group, struct file *file)
{
    int error = iommufd_compat_create(file);

    if (!error)
        group->iommufd = file_get(file);
    return error;
}

static int64_t set_container(struct ioctl_call *call)
{
    struct vfio_group *group = call->context;
    int32_t fd = *(const int32_t *)call->data;
    struct file *given;
    int error;

    given = fd < 0 ? NULL : fd_get(fd);
    if (!given)
        return -EBADF;
    if (container_in_use(group))
        error = -EINVAL;
    else if (!viable(group))
        error = -EPERM;
    else if (vfio_container_of(given))
        error = join_container(group, vfio_container_of(given));
    else if (file_is_iommufd(given))
        error = join_iommufd(group, given);
    else
        error = -EBADFD;
    file_put(given);
    return error;
}

static void leave(struct vfio_group *group)
{
    if (group->container)
        vfio_container_remove_group(group->container, &group->member);
    file_put(group->iommufd);
    group->container = NULL;
    group->iommufd = NULL;
}

static int64_t unset_container(struct ioctl_call *call)
{
    struct vfio_group *group = call->context;

    if (!container_in_use(group))
        return -EINVAL;
    if (devices_in_use(group))
        return -EBUSY;
    leave(group);
    return 0;
}

/* The assigned member of that name ("0000:00:02.0"). */
static struct vfio_device *find_device(const struct vfio_group *group, const char *name)
{
    struct vfio_device *device;

    list_for_each_entry (device, &group->devices, link)
        if (strcmp(pci_name(device->pci), name) == 0)
            return device;
    return NULL;
}

/* A device bound to an iommufd by way of its group is attached at once. */
static int attach_to_compat(struct vfio_device *device)
{
    if (!device->lease.bound || device->users > 1)
        return 0;
    return iommufd_attach(device->lease.bound, NULL);
}

static int use(struct vfio_opened *opened)
{
    int error = vfio_device_use(opened, opened->device->group->iommufd);

    return error ? error : attach_to_compat(opened->device);
}

/* A file through which the device can be used. It keeps the group's file open. */
static int open_device(struct vfio_device *device, struct file **out)
{
    struct file *file = vfio_device_file(device, FILE_RDWR);
    struct vfio_opened *opened;
    int error;

    if (!file)
        return -ENOMEM;
    opened = file->context;
    opened->group = file_get(device->group->file);
    error = mutex_run(&device->lock, "vfio device", use(opened));
    if (error) {
        file_put(file);
        return error;
    }
    *out = file;
    return 0;
}

static int64_t get_device_fd(struct ioctl_call *call)
{
    const struct vfio_group *group = call->context;
    struct vfio_device *device;
    char name[NAME_SIZE_MAX];
    struct file *opened;
    int error = copy_string_from_user(name, call->argument, sizeof(name));

    if (error == -ENAMETOOLONG)
        return -ENODEV;
    if (error < 0)
        return error;
    device = find_device(group, name);
    if (!device)
        return -ENODEV;
    if (!group->iommufd && !(group->container && vfio_container_ready(group->container)))
        return -EINVAL;
    error = open_device(device, &opened);
    return error ? error : fd_install(opened, true);
}

static const struct ioctl_row calls[] = {
    {VFIO_GROUP_GET_STATUS, IOCTL_STRUCT(IOCTL_ARGSZ, struct vfio_group_status, flags), get_status},
    {VFIO_GROUP_SET_CONTAINER, IOCTL_PLAIN, sizeof(int32_t), sizeof(int32_t), set_container},
    {VFIO_GROUP_UNSET_CONTAINER, IOCTL_PLAIN, 0, 0, unset_container},
    {VFIO_GROUP_GET_DEVICE_FD, IOCTL_PLAIN, 0, 0, get_device_fd},
};

static int64_t group_ioctl(struct file *file, uint32_t command, uint64_t argument)
{
    struct vfio_group *group = file->context;

    return mutex_run(&group->lock, "vfio group",
                     ioctl_run(ioctl_find(calls, ARRAY_SIZE(calls), command), group, argument));
}

/* Open devices hold the group's file, so none is open here. */
static void group_release(struct file *file)
{
    struct vfio_group *group = file->context;

    leave(group);
    group->file = NULL;
}

static const struct file_ops group_ops = {
    .ioctl = group_ioctl,
    .release = group_release,
};

const struct pci_group *vfio_group_of(const struct file *file)
{
    const struct vfio_group *group = file->ops == &group_ops ? file->context : NULL;

    return group ? group->pci : NULL;
}

static int group_open(void *context, unsigned flags, struct file **out)
{
    struct vfio_group *group = context;

    /* A device may be in use through a file of its own. */
    if (group_in_use(group))
        return -EBUSY;
    *out = file_create(&group_ops, group, flags, "vfio-group");
    if (!*out)
        return -ENOMEM;
    group->file = *out;
    return 0;
}

/* ---- adding the groups ---- */

static int add_devices(struct vfio_group *group)
{
    static unsigned next_number;

    for (size_t i = 0; i < group->pci->count; i++) {
        struct pci_device *pci = group->pci->members[i];
        struct vfio_device *device;

        if (!pci->assigned)
            continue;
        device = kzalloc(sizeof(*device));
        if (!device)
            return -ENOMEM;
        device->pci = pci;
        device->lease = (struct lease){.pci = pci, .terms = {.owner = "vfio"}};
        device->group = group;
        mutex_init(&device->lock);
        device->number = next_number++;
        list_push_back(&group->devices, &device->link);
        vfio_device_add(device);
        if (vfio_cdev_add(device))
            return -ENOMEM;
        if (pci_reset_method(pci) == PCI_RESET_NONE)
            log_info("%s has no reset: who uses it next finds it as it was left", pci_name(pci));
    }
    return 0;
}

/* What the firmware did with its devices it does no more. */
static int take_from_firmware(const struct pci_group *group)
{
    int error = 0;

    for (size_t i = 0; i < group->count; i++)
        if (!pci_is_bridge(group->members[i]))
            pci_set_bus_master(group->members[i], false);
    for (size_t i = 0; !error && i < group->requester_count; i++)
        error = iommu_end_reservation(group->requesters[i]);
    return error;
}

static int check_viable(const struct pci_group *group, struct refusal *why)
{
    const struct pci_device *culprit;
    const char *reason;

    if (take_from_firmware(group))
        return refuse(why, -EIO, "group %u cannot be handed out: its IOMMU does not answer",
                      group->id);
    culprit = withheld_member(group, &reason);
    if (!culprit)
        return 0;
    return refuse(why, -EPERM, "group %u cannot be handed out: %s %s", group->id, reason,
                  pci_name(culprit));
}

TREE_SHOW(show_numbers, struct vfio_group, "%u:%u", VFIO_MAJOR, it->pci->id)

static int create_group(struct pci_group *pci)
{
    struct vfio_group *group = kzalloc(sizeof(*group));

    if (!group)
        return -ENOMEM;
    group->pci = group->member.group = pci;
    list_init(&group->devices);
    mutex_init(&group->lock);
    if (add_devices(group) ||
        tree_add_text(format_short("/sys/class/vfio/%u/dev", pci->id), show_numbers, group) ||
        tree_add_device(format_short("/dev/vfio/%u", pci->id), VFIO_MAJOR, pci->id, group_open,
                        group))
        return -ENOMEM;
    return 0;
}

int vfio_add_groups(struct refusal *why)
{
    struct pci_group *group;
    int error = 0;

    list_for_each_entry (group, pci_groups(), link)
        if (!error && pci_group_has_assigned(group))
            error = check_viable(group, why);
    list_for_each_entry (group, pci_groups(), link)
        if (!error && pci_group_has_assigned(group) && create_group(group))
            error = refuse(why, -ENOMEM, "no memory for the VFIO groups");
    return error;
}
