/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a payload: what is accepted keeps every promise of elf.h. */
#include <stdlib.h>
#include <string.h>
#include "kernel/mm/paging/paging.h"
#include "kernel/linux/program/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct elf_image *image, uint64_t size)
{
    uint64_t end = 0;
    bool entry = false;
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct elf_segment *s = &image->segments[i];
        if (s->memory_size == 0 || s->file_size > s->memory_size || s->offset > size ||
            s->file_size > size - s->offset || (s->write && s->execute))
            abort();
        if (s->address >= USER_END || s->memory_size > USER_END - s->address)
            abort();
        if (ALIGN_DOWN(s->address, PAGE_SIZE) < end || s->address < image->low)
            abort();
        end = ALIGN_UP(s->address + s->memory_size, PAGE_SIZE);
        entry |=
            s->execute && image->entry >= s->address && image->entry < s->address + s->memory_size;
    }
    if (!entry || end != image->high || image->high - image->low > program_rules.span_max)
        abort();
    if (!image->relocatable && image->low < program_rules.lowest)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elf_image image;
    uint8_t *copy = malloc(size ? size : 1); /* exact, so that ASan sees a read behind it */
    memcpy(copy, data, size);
    if (!elf_check(copy, size, &program_rules, &image))
        check(&image, size);
    free(copy);
    return 0;
}
