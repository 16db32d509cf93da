/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as the kernel file of the UEFI loader: what passes the check loads inside its bounds.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "boot/efi/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elf_plan plan;
    char *file = malloc(size ? size : 1); /* an exact copy, so that ASan sees a read behind it */

    memcpy(file, data, size);
    if (!elf_check(file, size, &plan)) {
        char *image = malloc(plan.size);

        if (plan.base % ELF_ALIGNMENT || plan.size > ELF_SIZE_MAX || plan.size % 4096 ||
            plan.entry < plan.base || plan.entry - plan.base >= plan.size)
            abort();
        elf_load(file, &plan, image);
        free(image);
    }
    free(file);
    return 0;
}
