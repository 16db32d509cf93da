/* SPDX-License-Identifier: BSD-2-Clause */
/* Builds ACPI tables byte by byte in a simulated physical memory. */
#ifndef TESTS_UNIT_ACPI_BUILDER_H
#define TESTS_UNIT_ACPI_BUILDER_H

#include <string.h>

#include "kernel/machine/acpi/acpi.h"
#include "kernel/machine/acpi/table.h"
#include "kernel/mm/heap.h"

/* A table under construction. */
struct table {
    uint8_t bytes[32768];
    size_t length;
};

static inline void put(struct table *t, uint64_t value, unsigned width)
{
    for (unsigned i = 0; i < width; i++)
        t->bytes[t->length++] = (uint8_t)(value >> (8 * i));
}

static inline void put_zeros(struct table *t, size_t count)
{
    memset(t->bytes + t->length, 0, count);
    t->length += count;
}

static inline void set(struct table *t, size_t offset, uint64_t value, unsigned width)
{
    for (unsigned i = 0; i < width; i++)
        t->bytes[offset + i] = (uint8_t)(value >> (8 * i));
}

static inline void begin(struct table *t, const char *signature)
{
    t->length = 0;
    put_zeros(t, ACPI_HEADER_SIZE);
    memcpy(t->bytes, signature, 4);
}

/* What a parser made, which the kernel keeps for good. */
static inline void forget(struct acpi_info *info)
{
    kfree(info->io_apics);
    kfree(info->ecams);
    kfree(info->dmar.units);
    kfree(info->dmar.regions);
    kfree(info->dmar.ports);
    kfree(info->dmar.scopes);
    memset(info, 0, sizeof(*info));
}

/* Fills in length and checksum. */
static inline void finish(struct table *t)
{
    set(t, ACPI_HEADER_LENGTH, t->length, 4);
    t->bytes[ACPI_HEADER_CHECKSUM] = 0;
    t->bytes[ACPI_HEADER_CHECKSUM] = (uint8_t)-acpi_sum(t->bytes, t->length);
}

#endif
