/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads cpio archives in the "new ASCII" format (newc, magic 070701): boot archives. */
#ifndef KERNEL_LINUX_PROGRAM_CPIO_H
#define KERNEL_LINUX_PROGRAM_CPIO_H

#include "kernel/lib/types.h"

#define CPIO_NAME_MAX 1024 /* bytes of a name with its terminating zero */

struct cpio_reader {
    const uint8_t *bytes;
    uint64_t size;
    uint64_t offset; /* of the next header */
};

/* One member. The pointers lead into the archive. */
struct cpio_entry {
    const char *name; /* terminated, not empty */
    uint32_t mode;    /* type and permission bits */
    const uint8_t *data;
    uint32_t size;
};

/* Does it begin like an archive? */
bool cpio_detect(const void *bytes, uint64_t size);
void cpio_open(struct cpio_reader *reader, const void *bytes, uint64_t size);
/*
 * The next member: 1 with *entry filled, 0 at the trailer, or -EINVAL with *reason, one sentence
 * without the final stop.
 */
int cpio_next(struct cpio_reader *reader, struct cpio_entry *entry, const char **reason);

#endif
