/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as the kernel file of the UEFI loader: what passes the check loads inside its bounds.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "boot/efi/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elf_image image;
    char *file = malloc(size ? size : 1); /* an exact copy, so that ASan sees a read behind it */

    memcpy(file, data, size);
    if (!elf_check(file, size, &kernel_rules, &image)) {
        uint64_t room = image.high - image.low;
        char *at = malloc(room);

        if (image.low % (2 * MIB) || room > 64 * MIB || room % 4096 || image.low < 0 - 2 * GIB ||
            image.entry < image.low || image.entry - image.low >= room)
            abort();
        elf_load(file, &image, at);
        free(at);
    }
    free(file);
    return 0;
}
