/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of drivers/afu share. */
#ifndef DRIVERS_AFU_INTERNAL_H
#define DRIVERS_AFU_INTERNAL_H

#include "drivers/afu/afu.h"
#include "drivers/afu/cards.h"
#include "drivers/afu/dfl.h"
#include "drivers/afu/regions.h"
#include "kernel/cpu/mutex.h"
#include "kernel/device/ioctl.h"
#include "kernel/file/file.h"
#include "kernel/device/lease.h"
#include "kernel/ioas/group.h"
#include "kernel/lib/list.h"
#include "kernel/mm/memobj.h"

#define AFU_OWNER "dfl"

struct afu_device;
struct afu_port;

/* Vectors of the device that belong to one purpose. */
struct afu_vectors {
    unsigned first;
    unsigned count;
};

/* Counts the opens of a device file. O_EXCL keeps everybody else out. */
struct afu_opens {
    unsigned count;
    bool exclusive;
};

struct afu_port_ops {
    /* Stops the AFU and starts it afresh. -ETIMEDOUT: it does not answer, and stays stopped. */
    int (*reset)(struct afu_port *port);
    /* Must the AFU's registers be left alone? */
    bool (*held)(const struct afu_port *port);
};

/* A part of a BAR that the payload may map. */
struct afu_window {
    unsigned bar;
    uint64_t offset; /* in the BAR */
    uint64_t size;   /* 0: the port has no such region */
};

enum afu_window_index {
    AFU_WINDOW_AFU, /* DFL_PORT_REGION_INDEX_AFU */
    AFU_WINDOW_STP,
    AFU_WINDOWS,
};

struct afu_port {
    unsigned id; /* N of /dev/dfl-port.N */
    struct afu_device *device;
    const struct afu_port_ops *ops;
    const struct dfl_unit *unit; /* NULL: not a DFL port */
    volatile void *header;       /* the port's, or the edu device's, registers */
    uint64_t header_size;
    struct afu_window windows[AFU_WINDOWS];
    struct afu_vectors error_irqs, user_irqs;
    struct afu_opens opens;
    struct afu_regions regions;
};

struct afu_fme {
    unsigned id; /* N of /dev/dfl-fme.N */
    struct afu_device *device;
    volatile void *header;
    struct afu_vectors error_irqs;
    struct afu_opens opens;
};

/* One PCI function: its FME, its ports, and what they share. */
struct afu_device {
    struct list link;
    unsigned region; /* N of /sys/class/fpga_region/regionN */
    struct pci_device *pci;
    struct lease lease; /* while any node is open */
    struct mutex lock;  /* opening, closing and calls; a reset sleeps under it */
    uint64_t reset_bound_ns;
    struct dfl dfl;
    bool has_fme;
    struct afu_fme fme;
    unsigned port_count;
    struct afu_port ports[DFL_PORTS_MAX];
    const struct ioas_user *user;
    struct ioas *ioas;
    struct ioas_tables tables;
    unsigned users; /* open files of all nodes */
    unsigned vectors;
    struct file **eventfds; /* one slot a vector */
};

/* irqs.c: eventfds bound to vectors. What both calls on them do. */
int afu_irqs(struct afu_device *device, const struct afu_vectors *vectors,
             const struct ioctl_call *call);
/* The middle of the rows of GET_IRQ_NUM, which stores a u32, and of SET_IRQ. */
#define AFU_IRQ_NUMBER IOCTL_PLAIN, sizeof(uint32_t), 0
#define AFU_IRQ_SET    IOCTL_STRUCT(IOCTL_PLAIN, struct dfl_fpga_irq_set, count)
void afu_irq_drop(struct afu_device *device, const struct afu_vectors *vectors);
void afu_interrupt(void *context, unsigned index);

/* A device file as node.c opens it. */
struct afu_node {
    struct afu_device *device;
    struct afu_opens *opens;
    const struct file_ops *ops;
    void *context; /* of the file */
    const char *name;
};

/*
 * Opens the file, and starts the device with the first one. -EBUSY as O_EXCL demands; -EINTR;
 * -ENOMEM; errors of lease_start().
 */
int afu_node_open(const struct afu_node *node, unsigned flags, struct file **out);
/* True for the last close. */
bool afu_opens_drop(struct afu_opens *opens);
/* The first open of any node starts the device, the last close stops it: here. */
void afu_device_unuse(struct afu_device *device);
/* Of the lease: a port that the function's own reset left held is let go. */
int afu_device_awake(void *context);

/* Carries out a call of a device file, with the device locked. -EINVAL: row is NULL; -EINTR. */
int64_t afu_ioctl(struct afu_device *device, const struct ioctl_row *row, void *node,
                  uint64_t argument);
/* Calls that both kinds of files have. */
int64_t afu_api_version(struct ioctl_call *call);
int64_t afu_no_extensions(struct ioctl_call *call);

/* Device files. */
int afu_port_open(void *context, unsigned flags, struct file **out);
int afu_fme_open(void *context, unsigned flags, struct file **out);

/* Providers. */
extern const struct afu_port_ops afu_dfl_ops;
extern const struct afu_port_ops afu_edu_ops;

/* sysfs.c */
int afu_sysfs_add(struct afu_device *device);
void afu_sysfs_remove(const struct afu_device *device);

#endif
