/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VFIO devices: one assigned PCI function behind any number of open files, obtained through its
 * group or through its own device file. The first user starts it, the last one to close stops it.
 */
#ifndef KERNEL_DEVICE_VFIO_DEVICE_H
#define KERNEL_DEVICE_VFIO_DEVICE_H

#include "kernel/cpu/mutex.h"
#include "kernel/device/ioctl.h"
#include "kernel/file/eventfd.h"
#include "kernel/file/file.h"
#include "kernel/device/lease.h"
#include "kernel/device/vfio/config.h"

/* Offsets in a device file: the region's index in the upper bits. */
#define VFIO_REGION_SHIFT 40
#define VFIO_REGION_MASK  (BIT(VFIO_REGION_SHIFT) - 1) /* the offset in it */

struct vfio_group;

/* BARs, and behind them the expansion ROM: the index of a region that is memory or ports. */
#define VFIO_BARS (PCI_BARS + 1)

/* The part of a BAR that read() and write() have mapped. */
struct vfio_window {
    char *mapped;   /* NULL before the first access */
    uint64_t start; /* in the BAR */
    uint64_t length;
};

/* What goes with the vectors of the lease. */
struct vfio_irqs {
    enum irq_kind kind;
    unsigned count;         /* vectors that can be named, 0 when none are in use */
    struct file **triggers; /* an eventfd for each, or NULL */
    /* INTx: masked by a call, or because it fired; and by the command register. */
    bool masked, disabled;
    struct eventfd_listener unmask;
    struct file *error; /* eventfds of the single interrupts ERR and REQ */
    struct file *request;
};

/* What DEVICE_FEATURE asks for. */
struct vfio_low_power {
    bool entered;        /* mappings of BARs stay hidden until the exit */
    bool asleep;         /* nobody has used the device since it entered */
    struct file *wakeup; /* the eventfd that the next use signals, and is the exit; or NULL */
};

struct vfio_device {
    struct list link;  /* in its group */
    struct list all;   /* in the list of all that are assigned */
    struct mutex lock; /* starting, stopping and calls; a reset sleeps under it */
    struct vfio_group *group;
    struct pci_device *pci;
    struct lease lease; /* BARs are shown while decoding is on and the function at full power */
    unsigned number;    /* of its own device file, vfioN */
    unsigned users;     /* open files that may use it */
    bool lost;          /* did not come back from its last reset */
    struct vfio_config config;
    bool viewed; /* nobody uses the device, and the view of its configuration holds */
    struct vfio_window windows[VFIO_BARS];
    uint64_t rom_size; /* 0: it has no expansion ROM that can be read */
    struct vfio_irqs irqs;
    struct vfio_low_power low_power;
    struct list ioeventfds;
    unsigned ioeventfd_count;
};

/* What an open device file refers to. */
struct vfio_opened {
    struct vfio_device *device;
    bool ready;         /* a user of the device; a file of its own is one after BIND only */
    struct file *group; /* held, so that the group's container outlives the device's use; or NULL */
};

/* Makes the device one that vfio_device_of() finds. Once for each, at the start. */
void vfio_device_add(struct vfio_device *device);
/* NULL: the function is not assigned. */
struct vfio_device *vfio_device_of(const struct pci_device *pci);

/* Open device files, whichever way they were obtained. The result is not ready. -ENOMEM: NULL. */
struct file *vfio_device_file(struct vfio_device *device, unsigned flags);
/*
 * What follows is called with the device locked, but for vfio_region_map(), which does not sleep,
 * and vfio_cdev_add().
 *
 * Makes an open file a user of the device. The first one starts it, bound to `iommufd` unless that
 * is NULL. -EBUSY: another device-file family has the device; -EIO: it did not come back from its
 * reset; errors of iommufd_bind().
 */
int vfio_device_use(struct vfio_opened *opened, struct file *iommufd);
/* Does an open file use the device, whichever way it was obtained? The innermost of three. */
static inline bool vfio_device_in_use(const struct vfio_device *device)
{
    return device->users;
}
/* Undoes it: the last user stops the device. */
void vfio_device_unuse(struct vfio_opened *opened);

/*
 * Makes the view of configuration space that of the hardware, unless that was done since the last
 * use or reset; nobody uses the device. -EIO: it is in a reset, or was removed.
 */
int vfio_device_view(struct vfio_device *device);
/*
 * Makes the hardware follow the command register and power state that the payload set. A device
 * that reset itself is put right, as after vfio_device_reset().
 */
void vfio_device_follow(struct vfio_device *device);
/* Does the hardware decode its memory (PCI_COMMAND_MEMORY) or ports (PCI_COMMAND_IO) now? */
bool vfio_device_decodes(const struct vfio_device *device, uint16_t space);
/*
 * Resets the function; what the payload set in configuration space and its vectors are kept and
 * applied again. So it is with its virtual functions, whose users are kept out meanwhile. -EINVAL:
 * no method; -EIO: one of them did not come back, and cannot be reached any more.
 */
int vfio_device_reset(struct vfio_device *device);
/* One that nobody uses is reset as by a use. -EBUSY: somebody does; errors of vfio_device_use(). */
int vfio_device_reset_unused(struct vfio_device *device);
/*
 * The end of a reset of a device in use: what the hardware has, and what the payload set, is as
 * before, unless it did not come back, and is lost.
 */
void vfio_device_resume(struct vfio_device *device);

/* ---- calls of a file that is ready; their context is the struct vfio_opened ---- */

int64_t vfio_region_info(struct ioctl_call *call);
int64_t vfio_irq_info(struct ioctl_call *call);
int64_t vfio_irqs_set(struct ioctl_call *call);
int64_t vfio_feature(struct ioctl_call *call);
int64_t vfio_ioeventfd(struct ioctl_call *call);

/*
 * Comes before whatever else a file is asked: a device in low power is woken, as it was. -EIO: it
 * did not come back, and cannot be reached any more. -ENODEV: it was removed.
 */
int vfio_low_power_wake(struct vfio_device *device);
/* Ends it with the use of the device; nobody is told. */
void vfio_low_power_end(struct vfio_device *device);

/*
 * hot_reset.c. While all devices concerned are locked, that of the call is not for a moment. Errors
 * as Linux; -EBUSY: another family of device files has one of them; -ENOTTY: one did not come back.
 */
int64_t vfio_hot_reset_info(struct ioctl_call *call);
int64_t vfio_hot_reset(struct ioctl_call *call);

/* Finds out whether there is an expansion ROM. The device must decode its memory. */
void vfio_rom_find(struct vfio_device *device);
/* read() and write(): BARs, expansion ROM and configuration space. */
int64_t vfio_region_access(struct vfio_device *device, bool write, uaddr_t buffer, size_t length,
                           uint64_t *position);
int vfio_region_map(struct vfio_device *device, uint64_t offset, uint64_t length, bool shared,
                    struct memobj **out, uint64_t *object_offset);
/* One write to mapped memory (1, 2, 4 or 8 bytes) or, if `at` is NULL, to a port. */
void vfio_region_store(volatile void *at, uint16_t port, unsigned width, uint64_t value);
/* Ends what read() and write() have mapped. */
void vfio_windows_close(struct vfio_device *device);

/* Makes INTx follow the command register that the payload set. */
void vfio_irqs_follow(struct vfio_device *device);
/* Gives up the vectors in use. */
void vfio_irqs_disable(struct vfio_device *device);
void vfio_irqs_close(struct vfio_device *device);
/* Takes all of them away. */
void vfio_ioeventfds_close(struct vfio_device *device);

/* Opens `config` under /sys of the device, the context. */
int vfio_config_open(void *context, unsigned flags, struct file **out);

/* ---- the device's own file ---- */

/* Adds /dev/vfio/devices/vfioN and its name under /sys. -ENOMEM. */
int vfio_cdev_add(struct vfio_device *device);
int64_t vfio_cdev_bind(struct ioctl_call *call);
int64_t vfio_cdev_attach(struct ioctl_call *call);
int64_t vfio_cdev_detach(struct ioctl_call *call);

/* Is the group's file open? Then its devices are used through it. */
bool vfio_group_opened(const struct vfio_group *group);
/* The group that a file stands for; NULL: it is something else. */
const struct pci_group *vfio_group_of(const struct file *file);

#endif
