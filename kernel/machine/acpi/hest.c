/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HEST: which errors the firmware handles before anybody else (ACPI 18.3.2). Of interest are those
 * of PCI Express. Where the table cannot be understood, all of them may be the firmware's.
 */
#include "kernel/lib/log.h"
#include "kernel/machine/acpi/acpi.h"
#include "kernel/machine/acpi/table.h"

enum {
    HEST_COUNT = 36,
    HEST_SOURCES = 40,
    SOURCE_ROOT_PORT = 6, /* and two more of PCI Express: endpoints, bridges */
    SOURCE_BRIDGE = 8,
    SOURCE_FLAGS = 6,
    SOURCE_BUS = 16, /* segment in 23:8 */
    SOURCE_DEVICE = 20,
    SOURCE_FUNCTION = 22,
    FLAG_FIRMWARE_FIRST = 1,
    FLAG_GLOBAL = 2,
    BANK_SIZE = 28,
};

/* Sizes by type; some end with banks, whose number is at the offset. */
static const struct {
    uint8_t size, banks;
} sources[] = {{40, 32}, {48, 44}, {20, 0}, {0, 0},  {0, 0},  {0, 0},
               {48, 0},  {44, 0},  {56, 0}, {64, 0}, {92, 0}, {48, 44}};

/* 0: it is of no type that is known, or cut off. It may be longer than what is left. */
static size_t size_of(const uint8_t *at, size_t left)
{
    unsigned type = left < 2 ? ARRAY_SIZE(sources) : get16(at);

    if (type >= ARRAY_SIZE(sources) || sources[type].size > left)
        return 0;
    return sources[type].size +
           (sources[type].banks ? (size_t)at[sources[type].banks] * BANK_SIZE : 0);
}

static void read_source(const uint8_t *at, struct acpi_info *out)
{
    unsigned type = get16(at), flags = at[SOURCE_FLAGS];

    if (type < SOURCE_ROOT_PORT || type > SOURCE_BRIDGE || !(flags & FLAG_FIRMWARE_FIRST))
        return;
    if ((flags & FLAG_GLOBAL) || out->errors_kept_count == ACPI_ERRORS_MAX) {
        out->errors_kept_all = true;
        return;
    }
    out->errors_kept[out->errors_kept_count++] = (struct acpi_function){
        .segment = get16(at + SOURCE_BUS + 1),
        .rid = (uint16_t)(at[SOURCE_BUS] << 8 | (at[SOURCE_DEVICE] & 31) << 3 |
                          (at[SOURCE_FUNCTION] & 7)),
    };
}

int acpi_parse_hest(const uint8_t *table, size_t length, struct acpi_info *out, struct refusal *why)
{
    uint32_t count = length < HEST_SOURCES ? 1 : get32(table + HEST_COUNT);
    size_t offset = MIN(HEST_SOURCES, length), size;

    for (uint32_t i = 0; i < count; i++, offset += size) {
        size = size_of(table + offset, length - offset);
        if (!size || size > length - offset) {
            log_warn("ACPI table HEST makes no sense at byte %zu: errors of PCI Express are left "
                     "to the firmware",
                     offset);
            out->errors_kept_all = true;
            return 0;
        }
        read_source(table + offset, out);
    }
    return 0;
}
