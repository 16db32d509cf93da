/* SPDX-License-Identifier: BSD-2-Clause */
/* The objects of one open iommufd, and what its files share. Nobody else includes this. */
#ifndef KERNEL_DEVICE_IOMMUFD_INTERNAL_H
#define KERNEL_DEVICE_IOMMUFD_INTERNAL_H

#include <linux/iommufd.h>
#include "kernel/cpu/mutex.h"
#include "kernel/ioas/group.h"
#include "kernel/ioas/ioas.h"
#include "kernel/device/iommufd/iommufd.h"
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
    struct ioas_requesters *requesters;
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

/* Who the memory belongs to (iommufd_register()). */
const struct ioas_user *iommufd_user(void);

static inline uint32_t object_id(const struct object *object)
{
    return (uint32_t)object->node.first;
}

/* Gives the object an id. -ENOSPC when all were used. */
int object_add(struct iommufd *ctx, struct object *object, enum object_type type);
void object_remove(struct iommufd *ctx, struct object *object);
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

/* ---- one call ---- */

struct call {
    struct iommufd *ctx;
    uaddr_t argument;
    uint32_t size; /* what the caller says */
    union {
        uint32_t size_field;
        struct iommu_destroy destroy;
        struct iommu_ioas_alloc ioas_alloc;
        struct iommu_ioas_iova_ranges iova_ranges;
        struct iommu_ioas_allow_iovas allow_iovas;
        struct iommu_ioas_map map;
        struct iommu_ioas_map_file map_file;
        struct iommu_ioas_copy copy;
        struct iommu_ioas_unmap unmap;
        struct iommu_ioas_change_process change_process;
        struct iommu_option option;
        struct iommu_vfio_ioas vfio_ioas;
        struct iommu_hwpt_alloc hwpt_alloc;
        struct iommu_hw_info hw_info;
        struct iommu_hwpt_set_dirty_tracking set_dirty;
        struct iommu_hwpt_get_dirty_bitmap get_dirty;
        struct iommu_hwpt_invalidate invalidate;
        struct iommu_fault_alloc fault_alloc;
        struct iommu_viommu_alloc viommu_alloc;
        struct iommu_vdevice_alloc vdevice_alloc;
        struct iommu_veventq_alloc veventq_alloc;
        struct iommu_hw_queue_alloc hw_queue_alloc;
    } command;
};
/* Copies the structure back, as far as the caller has room. -EFAULT. */
int call_reply(const struct call *call, size_t known);

/* ioas_calls.c */
int call_ioas_alloc(struct call *call);
int call_iova_ranges(struct call *call);
int call_allow_iovas(struct call *call);
int call_map(struct call *call);
int call_map_file(struct call *call);
int call_copy(struct call *call);
int call_unmap(struct call *call);
int call_option(struct call *call);
int call_change_process(struct call *call);
int ioas_object_create(struct iommufd *ctx, struct iommufd_ioas **out);
void ioas_object_destroy(struct iommufd *ctx, struct iommufd_ioas *ioas);

/* hwpt.c */
int call_hwpt_alloc(struct call *call);
int hwpt_create(struct iommufd *ctx, struct iommufd_ioas *ioas, struct iommu_unit *unit,
                bool automatic, struct iommufd_hwpt **out);
void hwpt_destroy(struct iommufd *ctx, struct iommufd_hwpt *hwpt);

/* refused.c: what the hardware cannot do */
int call_set_dirty(struct call *call);
int call_get_dirty(struct call *call);
int call_invalidate(struct call *call);
int call_fault_alloc(struct call *call);
int call_viommu_alloc(struct call *call);
int call_vdevice_alloc(struct call *call);
int call_veventq_alloc(struct call *call);
int call_hw_queue_alloc(struct call *call);

/* device.c */
int call_hw_info(struct call *call);

/* compat.c: VFIO container calls. -ENOTTY for what is none. */
int64_t compat_ioctl(struct iommufd *ctx, uint32_t command, uint64_t argument);
int call_vfio_ioas(struct call *call);

#endif
