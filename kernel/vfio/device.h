/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VFIO devices: one assigned PCI function behind any number of open files, which were obtained
 * through its group. The first one starts the device, the last one to close stops it.
 */
#ifndef KERNEL_VFIO_DEVICE_H
#define KERNEL_VFIO_DEVICE_H

#include "kernel/file/file.h"
#include "kernel/irq/irq.h"
#include "kernel/mm/memobj.h"
#include "kernel/pci/pci.h"
#include "kernel/vfio/config.h"

/* Offsets in a device file: the region's index in the upper bits. */
#define VFIO_REGION_SHIFT 40

struct vfio_bar {
    struct memobj *object; /* what payload mappings refer to; NULL before the first */
    char *window;          /* mapping for read() and write(), NULL before the first */
    uint64_t window_start; /* in the BAR */
    uint64_t window_length;
};

struct vfio_irqs {
    struct irq_set *set; /* MSI or MSI-X vectors in use; NULL: none */
    enum irq_kind kind;
    unsigned count;         /* vectors, 0 when none are in use */
    struct file **triggers; /* an eventfd for each, or NULL */
    struct file *error;     /* eventfds of the single interrupts ERR and REQ */
    struct file *request;
};

struct vfio_device {
    struct list link; /* in its group */
    struct pci_device *pci;
    unsigned users; /* open files */
    bool reachable; /* memory BARs answer: decoding is on and the function at full power */
    struct vfio_config config;
    struct vfio_bar bars[PCI_BARS];
    struct vfio_irqs irqs;
};

/*
 * A new open file for the device. It keeps `group` (a file) open. -EBUSY: another device-file
 * family has the device; -EIO: it did not come back from its reset; -ENOMEM.
 */
int vfio_device_open(struct vfio_device *device, struct file *group, struct file **out);

/* ---- shared by the files of this folder ---- */

extern const struct file_ops vfio_device_ops;
/* The device behind an open device file. */
struct vfio_device *vfio_device_of(const struct file *file);

/* file_ops.release: the last file stops the device. */
void vfio_device_release(struct file *file);

/* Makes the hardware follow the command register and power state that the payload set. */
void vfio_device_follow(struct vfio_device *device);
/* -EINVAL: no method; -EIO: it did not come back, and cannot be reached any more. */
int vfio_device_reset(struct vfio_device *device);

/* Region index and what is at an offset; see region.c. */
int64_t vfio_region_access(struct vfio_device *device, bool write, uaddr_t buffer, size_t length,
                           uint64_t *position);
int vfio_region_map(struct vfio_device *device, uint64_t offset, uint64_t length, bool shared,
                    struct memobj **out, uint64_t *object_offset);
int vfio_region_info(struct vfio_device *device, uaddr_t argument);
/* No translation to a BAR is left on return; what is mapped later fails until restored. */
void vfio_regions_revoke(struct vfio_device *device);
void vfio_regions_restore(struct vfio_device *device);
/* Revokes for good and gives everything back. */
void vfio_regions_close(struct vfio_device *device);

int vfio_irq_info(struct vfio_device *device, uaddr_t argument);
int vfio_irqs_set(struct vfio_device *device, uaddr_t argument);
/* Takes the vectors off the hardware and puts them back, around a reset; triggers stay. */
void vfio_irqs_suspend(struct vfio_device *device);
void vfio_irqs_resume(struct vfio_device *device);
void vfio_irqs_close(struct vfio_device *device);

#endif
