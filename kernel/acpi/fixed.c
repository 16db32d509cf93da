/* SPDX-License-Identifier: BSD-2-Clause */
/* FADT and SPCR: single registers of the platform (ACPI 5.2.9; Microsoft SPCR specification). */
#include "kernel/acpi/acpi.h"
#include "kernel/acpi/table.h"
#include "kernel/lib/error.h"

enum {
    FADT_PM_TIMER = 76,
    FADT_PM_TIMER_LENGTH = 91,
    FADT_FLAGS = 112,
    FADT_RESET = 116,
    FADT_RESET_VALUE = 128,
    FADT_X_PM_TIMER = 208,
    FADT_SIZE_1 = 116, /* without the fields from RESET_REG on */
    GAS_SIZE = 12,

    FADT_TIMER_32BIT = 1 << 8,
    FADT_RESET_SUPPORTED = 1 << 10,

    SPCR_TYPE = 36,
    SPCR_BASE = 40,
    SPCR_SIZE_MIN = SPCR_BASE + GAS_SIZE,
    SPCR_TYPE_16550 = 0,
    SPCR_TYPE_16450 = 1,
    SPCR_TYPE_16550_GAS = 0x12,
};

/* Generic address structure (ACPI 5.2.3.2); other address spaces are of no use to the kernel. */
static struct acpi_register read_gas(const uint8_t *at)
{
    static const enum acpi_space spaces[] = {ACPI_SPACE_MEMORY, ACPI_SPACE_IO, ACPI_SPACE_PCI};
    struct acpi_register r = {ACPI_SPACE_NONE, get64(at + 4)};

    if (at[0] >= ARRAY_SIZE(spaces) || r.address == 0)
        return (struct acpi_register){ACPI_SPACE_NONE, 0};
    r.space = spaces[at[0]];
    if (r.space == ACPI_SPACE_IO && r.address > 0xffff)
        return (struct acpi_register){ACPI_SPACE_NONE, 0};
    return r;
}

int acpi_parse_fadt(const uint8_t *table, size_t length, struct acpi_info *out, struct refusal *why)
{
    uint32_t flags;

    if (length < FADT_SIZE_1)
        return refuse(why, -EINVAL, "ACPI table FADT is too short (%zu bytes)", length);
    flags = get32(table + FADT_FLAGS);
    if (length >= FADT_X_PM_TIMER + GAS_SIZE)
        out->pm_timer = read_gas(table + FADT_X_PM_TIMER);
    if (out->pm_timer.space == ACPI_SPACE_NONE && table[FADT_PM_TIMER_LENGTH] == 4 &&
        get32(table + FADT_PM_TIMER) - 1 < 0xffff)
        out->pm_timer = (struct acpi_register){ACPI_SPACE_IO, get32(table + FADT_PM_TIMER)};
    out->pm_timer_32bit = flags & FADT_TIMER_32BIT;
    if ((flags & FADT_RESET_SUPPORTED) && length > FADT_RESET_VALUE) {
        out->reset = read_gas(table + FADT_RESET);
        out->reset_value = table[FADT_RESET_VALUE];
    }
    return 0;
}

int acpi_parse_spcr(const uint8_t *table, size_t length, struct acpi_info *out, struct refusal *why)
{
    uint8_t type;

    if (length < SPCR_SIZE_MIN)
        return refuse(why, -EINVAL, "ACPI table SPCR is too short (%zu bytes)", length);
    type = table[SPCR_TYPE];
    if (type == SPCR_TYPE_16550 || type == SPCR_TYPE_16450 || type == SPCR_TYPE_16550_GAS)
        out->console = read_gas(table + SPCR_BASE);
    return 0;
}
