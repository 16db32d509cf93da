/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes small cpio archives for tests. */
#ifndef TESTS_UNIT_CPIO_BUILDER_H
#define TESTS_UNIT_CPIO_BUILDER_H

#include <stdio.h>
#include <string.h>
#include "kernel/lib/types.h"

#define CPIO_ROOM 8192

struct cpio_archive {
    char bytes[CPIO_ROOM];
    size_t size;
};

static inline void cpio_add(struct cpio_archive *a, const char *name, unsigned mode,
                            const void *data, size_t size)
{
    char header[111];
    size_t name_size = strlen(name) + 1;
    snprintf(header, sizeof(header), "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x",
             1, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name_size, 0);
    memcpy(a->bytes + a->size, header, 110);
    memcpy(a->bytes + a->size + 110, name, name_size);
    a->size = ALIGN_UP(a->size + 110 + name_size, 4);
    memcpy(a->bytes + a->size, data, size);
    a->size = ALIGN_UP(a->size + size, 4);
}

#endif
