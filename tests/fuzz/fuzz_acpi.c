/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arbitrary ACPI tables. The input is: number of tables, one 16-bit offset for each, then the
 * memory that holds them. The root table is built around it and checksums are mended, since the
 * fuzzer would not guess them; everything else is the fuzzer's.
 */
#include <stdio.h>
#include <stdlib.h>

#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "tests/unit/acpi_builder.h"

#define RSDP        0x1000
#define ROOT        0x2000
#define BLOB        0x10000
#define BLOB_MAX    0x10000
#define ENTRIES_MAX 16

static uint8_t memory[BLOB + BLOB_MAX];
static struct acpi_info info;
static struct table t;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_memory(void *context, paddr_t at, void *to, size_t length)
{
    if (at > sizeof(memory) || length > sizeof(memory) - at)
        return -EFAULT;
    memcpy(to, memory + at, length);
    return 0;
}

static void mend_checksum(uint8_t *table, size_t room)
{
    uint32_t length;

    if (room < ACPI_HEADER_SIZE)
        return;
    length = get32(table + ACPI_HEADER_LENGTH);
    if (length < ACPI_HEADER_SIZE || length > room)
        return;
    table[ACPI_HEADER_CHECKSUM] = 0;
    table[ACPI_HEADER_CHECKSUM] = (uint8_t)-acpi_sum(table, length);
}

static void build_root(const uint8_t *offsets, size_t count)
{
    begin(&t, "XSDT");
    for (size_t i = 0; i < count; i++)
        put(&t, BLOB + get16(offsets + 2 * i), 8);
    finish(&t);
    memcpy(memory + ROOT, t.bytes, t.length);
    t.length = 0;
    put_zeros(&t, 36);
    memcpy(t.bytes, "RSD PTR ", 8);
    t.bytes[15] = 2;
    t.bytes[8] = (uint8_t)-acpi_sum(t.bytes, 20);
    set(&t, 20, 36, 4);
    set(&t, 24, ROOT, 8);
    t.bytes[32] = (uint8_t)-acpi_sum(t.bytes, 36);
    memcpy(memory + RSDP, t.bytes, t.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct acpi_memory machine = {read_memory, NULL};
    struct refusal why;
    size_t count = size ? data[0] % (ENTRIES_MAX + 1) : 0;
    size_t blob;
    int error;

    if (size < 1 + 2 * count)
        return 0;
    blob = MIN(size - 1 - 2 * count, BLOB_MAX);
    memset(memory, 0, sizeof(memory));
    memcpy(memory + BLOB, data + 1 + 2 * count, blob);
    build_root(data + 1, count);
    for (size_t i = 0; i < count; i++) {
        size_t offset = get16(data + 1 + 2 * i);

        mend_checksum(memory + BLOB + offset, BLOB_MAX - offset);
    }
    error = acpi_find(&machine, RSDP, &info, &why);
    forget(&info);
    /* Refused with a sentence, or accepted; never a leak. */
    if (heap_used() != 0 || (error && why.sentence[0] == '\0'))
        abort();
    return 0;
}
