/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls (ioctl) of device files: a file's table has a row for each, which says how much of the
 * payload's structure is copied in and by which rule, and who answers. The structure is copied in
 * once, before the handler runs, and everything is decided on that copy.
 */
#ifndef KERNEL_DEVICE_IOCTL_H
#define KERNEL_DEVICE_IOCTL_H

#include "kernel/lib/types.h"

enum ioctl_rule {
    /* No size comes with the call. `size` 0: the argument is a value, or the handler reads it. */
    IOCTL_PLAIN,
    /*
     * The structure begins with its size, u32 argsz (VFIO, DFL). Too small for `size_min`: -EINVAL.
     * What the caller has beyond `size` is of no interest.
     */
    IOCTL_ARGSZ,
    /*
     * The structure begins with its size, u32 size (iommufd). Too small for `size_min`: -EINVAL.
     * What is missing up to `size` counts as zero; what there is beyond must be zero: -E2BIG.
     */
    IOCTL_SIZE,
};

struct ioctl_row;

/* One call, as its handler sees it. */
struct ioctl_call {
    void *context;    /* what the call is about */
    uaddr_t argument; /* as the payload gave it */
    void *data;    /* copy of the structure, 8-aligned: row->size bytes, zero where none came in */
    uint32_t size; /* what the caller says there is; IOCTL_PLAIN: row->size */
    const struct ioctl_row *row;
};

struct ioctl_row {
    uint32_t command;
    enum ioctl_rule rule;
    uint8_t size;     /* bytes of the structure that are known here; ioctl_reply() stores them */
    uint8_t size_min; /* bytes that every caller has; all that PLAIN and ARGSZ copy in */
    int64_t (*run)(struct ioctl_call *call); /* what the call returns: -errno, or a number */
};

/* The middle of a row: for a structure of which every caller has all up to the member `last`. */
#define IOCTL_STRUCT(rule, type, last)                                                             \
    rule, sizeof(type), offsetof(type, last) + sizeof(((type *)0)->last)

/* The row of a call. NULL: there is none. */
const struct ioctl_row *ioctl_find(const struct ioctl_row *rows, size_t count, uint32_t command);
/* Carries out a call. -ENOTTY: row is NULL; -EFAULT and what the row's rule says; else run()'s. */
int64_t ioctl_run(const struct ioctl_row *row, void *context, uaddr_t argument);
/* Copies the structure back, as far as the caller has room. -EFAULT. */
int ioctl_reply(const struct ioctl_call *call);

#endif
