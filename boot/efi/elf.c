/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/efi/elf.h"

#include "kernel/lib/string.h"

/* The kernel lives in the top 2 GiB, and wherever in memory a large leaf may lie. */
const struct elf_rules kernel_rules = {
    .lowest = 0 - 2 * GIB,
    .end = 0 - 64 * MIB,
    .span_max = 64 * MIB,
    .alignment = 2 * MIB,
    .wrong_type = "it is not an executable at fixed addresses",
    .below = "a segment lies outside the kernel's half of the address space",
    .above = "a segment lies outside the kernel's half of the address space",
    .too_large = "it is larger than 64 MiB in memory",
    .misaligned = "it does not begin at a multiple of 2 MiB",
};

void elf_load(const void *file, const struct elf_image *image, void *to)
{
    memset(to, 0, image->high - image->low);
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segments[i];

        memcpy((char *)to + (segment->address - image->low), (const char *)file + segment->offset,
               segment->file_size);
    }
}
