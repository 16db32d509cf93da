/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a boot archive: members lie inside, names are terminated, reading ends. */
#include <stdlib.h>
#include <string.h>
#include "kernel/linux/program/cpio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cpio_reader reader;
    struct cpio_entry entry;
    const char *reason = NULL;
    uint8_t *copy = malloc(size ? size : 1); /* exact, so that ASan sees a read behind it */
    size_t members = 0;
    int result;
    memcpy(copy, data, size);
    cpio_open(&reader, copy, size);
    while ((result = cpio_next(&reader, &entry, &reason)) == 1) {
        size_t at = (size_t)(entry.data - copy);
        if (at > size || entry.size > size - at || strlen(entry.name) >= CPIO_NAME_MAX ||
            ++members > size / 110)
            abort();
    }
    if (result < 0 && (!reason || !*reason))
        abort();
    free(copy);
    return 0;
}
