/* SPDX-License-Identifier: BSD-2-Clause */
/* The objects of one open iommufd, and what its files share. Nobody else includes this. */
#ifndef KERNEL_DEVICE_IOMMUFD_INTERNAL_H
#define KERNEL_DEVICE_IOMMUFD_INTERNAL_H

#include <linux/iommufd.h>
#include "kernel/cpu/mutex.h"
#include "kernel/ioas/group.h"
#include "kernel/ioas/ioas.h"
#include "kernel/device/iommufd/iommufd.h"
#include "kernel/device/ioctl.h"
#include "kernel/lib/itree.h"
#include "kernel/lib/list.h"

enum object_type {
    OBJECT_IOAS,
    OBJECT_HWPT,
    OBJECT_DEVICE,
};

struct object {
    struct itree_node node; /* first = last = id */
    enum object_type type;
    unsigned users; /* why DESTROY says EBUSY */
};

struct iommufd {
    struct file *file;
    struct mutex lock; /* everything below, all objects and their address spaces */
    struct itree objects;
    uint32_t last_id;
    struct iommufd_ioas *compat; /* what VFIO container calls work on; NULL: none */
    uint64_t rlimit_mode;
};

struct iommufd_ioas {
    struct object object; /* users: its HWPTs */
    struct ioas *ioas;
    struct list hwpts;
};

struct iommufd_hwpt {
    struct object object; /* users: groups that go through it */
    struct iommufd_ioas *ioas;
    struct iommu_unit *unit;
    struct iommu_domain *domain;
    bool automatic; /* made by an attach; goes with the last group */
    struct list link;
};

/* A group with devices bound to an iommufd: its devices are attached together. */
struct iommufd_group {
    struct list link;
    struct iommufd *owner;
    struct pci_group *pci;
    unsigned bound;            /* devices */
    unsigned attached;         /* of them */
    struct iommufd_hwpt *hwpt; /* while attached */
};

struct iommufd_device {
    struct object object; /* users: whoever bound it */
    struct iommufd *owner;
    struct pci_device *pci;
    struct iommufd_group *group;
    bool attached;
};

/* Who the memory belongs to (iommufd_add_file()). */
extern const struct ioas_user *iommufd_user;

static inline uint32_t object_id(const struct object *object)
{
    return (uint32_t)object->node.first;
}

/* Gives the object an id. -ENOSPC when all were used. */
int object_add(struct iommufd *ctx, struct object *object, enum object_type type);
/*
 * Every call holds the lock of the file from before it looks an object up until it is done, so what
 * it found stays.
 */
#define LOCK_POINT "iommufd"

/* NULL: no such id. */
struct object *object_find(const struct iommufd *ctx, uint32_t id);
/* NULL: no such id, or of another type. */
struct iommufd_ioas *find_ioas(const struct iommufd *ctx, uint32_t id);
struct iommufd_hwpt *find_hwpt(const struct iommufd *ctx, uint32_t id);
struct iommufd_device *find_device(const struct iommufd *ctx, uint32_t id);

/* ---- calls: the handlers of the table in iommufd.c ---- */

/* ioas_calls.c */
int64_t call_ioas_alloc(struct ioctl_call *call);
int64_t call_iova_ranges(struct ioctl_call *call);
int64_t call_allow_iovas(struct ioctl_call *call);
int64_t call_map(struct ioctl_call *call);
int64_t call_map_file(struct ioctl_call *call);
int64_t call_copy(struct ioctl_call *call);
int64_t call_unmap(struct ioctl_call *call);
int64_t call_option(struct ioctl_call *call);
int64_t call_change_process(struct ioctl_call *call);
int ioas_object_create(struct iommufd *ctx, struct iommufd_ioas **out);
void ioas_object_destroy(struct iommufd *ctx, struct iommufd_ioas *ioas);

/* hwpt.c */
int64_t call_hwpt_alloc(struct ioctl_call *call);
int hwpt_create(struct iommufd *ctx, struct iommufd_ioas *ioas, struct iommu_unit *unit,
                bool automatic, struct iommufd_hwpt **out);
void hwpt_destroy(struct iommufd *ctx, struct iommufd_hwpt *hwpt);

/* refused.c: what the hardware cannot do */
int64_t call_set_dirty(struct ioctl_call *call);
int64_t call_get_dirty(struct ioctl_call *call);
int64_t call_invalidate(struct ioctl_call *call);
int64_t call_fault_alloc(struct ioctl_call *call);
int64_t call_viommu_alloc(struct ioctl_call *call);
int64_t call_vdevice_alloc(struct ioctl_call *call);
int64_t call_veventq_alloc(struct ioctl_call *call);
int64_t call_hw_queue_alloc(struct ioctl_call *call);

/* device.c */
int64_t call_hw_info(struct ioctl_call *call);

/* compat.c: VFIO container calls, and what they work on */
int64_t compat_api_version(struct ioctl_call *call);
int64_t compat_check_extension(struct ioctl_call *call);
int64_t compat_set_iommu(struct ioctl_call *call);
int64_t compat_get_info(struct ioctl_call *call);
int64_t compat_map_dma(struct ioctl_call *call);
int64_t compat_unmap_dma(struct ioctl_call *call);
int64_t call_vfio_ioas(struct ioctl_call *call);

#endif
