/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's memory, as acpi_find() reads it. */
#include "kernel/machine/acpi/acpi.h"
#include "kernel/lib/error.h"
#include "kernel/lib/string.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/paging/paging.h"

/* Tables may lie in RAM of ours (the BIOS data area), or in RAM the firmware kept. */
static int read_page(paddr_t at, uint8_t *to, size_t length)
{
    void *mapped;

    if (frames_owned(ALIGN_DOWN(at, PAGE_SIZE), PAGE_SIZE)) {
        memcpy(to, phys_to_virt(at), length);
        return 0;
    }
    mapped = mmio_map(at, length);
    if (!mapped)
        return -EFAULT;
    memcpy(to, mapped, length);
    mmio_unmap(mapped, length);
    return 0;
}

static int read_physical(void *context, paddr_t at, void *to, size_t length)
{
    uint8_t *next = to;

    while (length) {
        size_t part = MIN(length, PAGE_SIZE - at % PAGE_SIZE);
        int error = read_page(at, next, part);

        if (error)
            return error;
        at += part;
        next += part;
        length -= part;
    }
    return 0;
}

const struct acpi_memory acpi_physical_memory = {read_physical, NULL};
