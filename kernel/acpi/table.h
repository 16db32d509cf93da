/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes of ACPI tables: little-endian fields, checksums, and the walk over records in a table. */
#ifndef KERNEL_ACPI_TABLE_H
#define KERNEL_ACPI_TABLE_H

#include "kernel/lib/string.h"
#include "kernel/lib/types.h"

/* Offsets in the header that every table starts with (ACPI 5.2.6). */
enum {
    ACPI_HEADER_LENGTH = 4,
    ACPI_HEADER_CHECKSUM = 9,
    ACPI_HEADER_OEM_ID = 10,
    ACPI_HEADER_SIZE = 36,
};

/* Fields need not be aligned; the caller has checked that they lie inside the table. */
static inline uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] | (at[1] << 8));
}

static inline uint32_t get32(const uint8_t *at)
{
    return get16(at) | ((uint32_t)get16(at + 2) << 16);
}

static inline uint64_t get64(const uint8_t *at)
{
    return get32(at) | ((uint64_t)get32(at + 4) << 32);
}

/* A valid table's bytes sum to zero. */
static inline uint8_t acpi_sum(const uint8_t *bytes, size_t length)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return sum;
}

#endif
