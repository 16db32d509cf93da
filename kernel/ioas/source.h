/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the memory of a mapping comes from: a payload's addresses, a file, a guest's memory. */
#ifndef KERNEL_IOAS_SOURCE_H
#define KERNEL_IOAS_SOURCE_H

#include "kernel/lib/types.h"

struct memobj;

struct ioas_source_ops {
    /*
     * The physical runs behind [offset, offset + length), in order and without a gap, page aligned
     * throughout, each as long as it can be (neighbours that follow each other physically are one
     * run), with write access if `write`. Fills at most `room` of `out`, which may cover only the
     * beginning of the range, and returns how many (at least 1).
     * May breathe before it looks at the first of them.
     * All runs of one call are of one kind: RAM that kernel/mm/frames/frames.h owns (*device is
     * NULL), or device memory of the object *device (borrowed from the source). -EFAULT: nothing
     * (writable) at `offset`; -ENOMEM: no frame to put there; -EIO: revoked.
     */
    int (*runs)(void *context, uint64_t offset, uint64_t length, bool write, struct phys_run *out,
                size_t room, struct memobj **device);
    /* Keep the context alive as long as something is mapped. */
    void (*get)(void *context);
    void (*put)(void *context);
};

struct ioas_source {
    const struct ioas_source_ops *ops;
    void *context;
};

/* A memory object as a source; offsets count from its start. */
extern const struct ioas_source_ops ioas_memobj_ops;
static inline struct ioas_source ioas_source_memobj(struct memobj *object)
{
    return (struct ioas_source){&ioas_memobj_ops, object};
}

#endif
