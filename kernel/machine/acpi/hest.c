/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HEST: which errors the firmware handles before anybody else (ACPI 18.3.2). Of interest are those
 * of PCI Express: if it is first with some, all are left to it, as where the table cannot be
 * understood. Which functions it names is not asked.
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
    FLAG_FIRMWARE_FIRST = 1,
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

static bool is_kept(const uint8_t *at)
{
    return get16(at) >= SOURCE_ROOT_PORT && get16(at) <= SOURCE_BRIDGE &&
           (at[SOURCE_FLAGS] & FLAG_FIRMWARE_FIRST);
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
            out->errors_kept = true;
            return 0;
        }
        out->errors_kept |= is_kept(table + offset);
    }
    return 0;
}
