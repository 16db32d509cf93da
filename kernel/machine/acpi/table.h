/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes of ACPI tables: little-endian fields, checksums, and the walk over records in a table. */
#ifndef KERNEL_MACHINE_ACPI_TABLE_H
#define KERNEL_MACHINE_ACPI_TABLE_H

#include "kernel/lib/string.h"
#include "kernel/lib/types.h"

/* Offsets in the header that every table starts with (ACPI 5.2.6). */
enum {
    ACPI_HEADER_LENGTH = 4,
    ACPI_HEADER_CHECKSUM = 9,
    ACPI_HEADER_SIZE = 36,
};

/* Fields need not be aligned; the caller has checked that they lie inside the table. */
/*@ requires \valid_read(at + (0 .. 1));
    assigns \nothing;
    ensures \result == at[0] + 256 * at[1]; */
static inline uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] + 0x100u * at[1]);
}

/*@ requires \valid_read(at + (0 .. 3));
    assigns \nothing;
    ensures \result == at[0] + 0x100 * at[1] + 0x10000 * at[2] + 0x1000000 * at[3]; */
static inline uint32_t get32(const uint8_t *at)
{
    return get16(at) + 0x10000u * get16(at + 2);
}

/*@ requires \valid_read(at + (0 .. 7));
    assigns \nothing; */
static inline uint64_t get64(const uint8_t *at)
{
    return get32(at) + 0x100000000u * get32(at + 4);
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
