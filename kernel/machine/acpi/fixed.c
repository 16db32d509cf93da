/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FADT, SPCR and HPET: single registers of the platform (ACPI 5.2.9; Microsoft SPCR specification;
 * IA-PC HPET specification 1.0a, 3.2.4).
 */
#include "kernel/machine/acpi/acpi.h"
#include "kernel/machine/acpi/table.h"
#include "kernel/lib/error.h"

enum {
    FADT_DSDT = 40,
    FADT_SMI_COMMAND = 48,
    FADT_ACPI_ENABLE = 52,
    FADT_PM1A_EVENTS = 56,
    FADT_PM1B_EVENTS = 60,
    FADT_PM1A_CONTROL = 64,
    FADT_PM1B_CONTROL = 68,
    FADT_PM_TIMER = 76,
    FADT_GPE0 = 80,
    FADT_GPE1 = 84,
    FADT_PM1_EVENTS_LENGTH = 88,
    FADT_PM_TIMER_LENGTH = 91,
    FADT_GPE0_LENGTH = 92,
    FADT_GPE1_LENGTH = 93,
    FADT_FLAGS = 112,
    FADT_RESET = 116,
    FADT_RESET_VALUE = 128,
    FADT_X_DSDT = 140,
    FADT_X_PM1A_EVENTS = 148,
    FADT_X_PM1B_EVENTS = 160,
    FADT_X_PM1A_CONTROL = 172,
    FADT_X_PM1B_CONTROL = 184,
    FADT_X_PM_TIMER = 208,
    FADT_X_GPE0 = 220,
    FADT_X_GPE1 = 232,
    FADT_SIZE_1 = 116, /* without the fields from RESET_REG on */
    GAS_SIZE = 12,

    FADT_TIMER_32BIT = 1 << 8,
    FADT_RESET_SUPPORTED = 1 << 10,
    FADT_HARDWARE_REDUCED = 1 << 20,

    SPCR_TYPE = 36,
    SPCR_BASE = 40,
    SPCR_SIZE_MIN = SPCR_BASE + GAS_SIZE,
    SPCR_TYPE_16550 = 0,
    SPCR_TYPE_16450 = 1,
    SPCR_TYPE_16550_GAS = 0x12,

    HPET_BASE = 40,
    HPET_SIZE_MIN = HPET_BASE + GAS_SIZE,
    HPET_ALIGNMENT = 1024,
};

/* Generic address structure (ACPI 5.2.3.2); other address spaces are of no use to the kernel. */
static struct acpi_register read_gas(const uint8_t *at)
{
    static const enum acpi_space spaces[] = {ACPI_SPACE_MEMORY, ACPI_SPACE_IO, ACPI_SPACE_PCI};
    uint64_t address = get64(at + 4);

    if (at[0] >= ARRAY_SIZE(spaces) || !address ||
        (spaces[at[0]] == ACPI_SPACE_IO && address > 0xffff))
        return (struct acpi_register){ACPI_SPACE_NONE, 0};
    return (struct acpi_register){spaces[at[0]], address};
}

/* A port block that has an old 32-bit field and a newer generic address, which wins. */
static struct acpi_register read_block(const uint8_t *table, size_t length, size_t old,
                                       size_t extended)
{
    struct acpi_register r = {ACPI_SPACE_NONE, 0};

    if (length >= extended + GAS_SIZE)
        r = read_gas(table + extended);
    if (r.space == ACPI_SPACE_NONE && get32(table + old) - 1 < 0xffff)
        r = (struct acpi_register){ACPI_SPACE_IO, get32(table + old)};
    return r;
}

/* What it takes to switch the machine off. */
static void parse_sleep(const uint8_t *table, size_t length, struct acpi_info *out)
{
    out->pm_control[0] = read_block(table, length, FADT_PM1A_CONTROL, FADT_X_PM1A_CONTROL);
    out->pm_control[1] = read_block(table, length, FADT_PM1B_CONTROL, FADT_X_PM1B_CONTROL);
    if (get32(table + FADT_SMI_COMMAND) <= 0xffff)
        out->smi_command = get16(table + FADT_SMI_COMMAND);
    out->smi_enable_acpi = table[FADT_ACPI_ENABLE];
    out->dsdt = get32(table + FADT_DSDT);
    if (length >= FADT_X_DSDT + 8 && get64(table + FADT_X_DSDT) != 0)
        out->dsdt = get64(table + FADT_X_DSDT);
}

static void parse_events(const uint8_t *table, size_t length, struct acpi_info *out)
{
    static const struct {
        uint8_t old, extended, length;
        bool fixed;
    } blocks[] = {
        {FADT_PM1A_EVENTS, FADT_X_PM1A_EVENTS, FADT_PM1_EVENTS_LENGTH, true},
        {FADT_PM1B_EVENTS, FADT_X_PM1B_EVENTS, FADT_PM1_EVENTS_LENGTH, true},
        {FADT_GPE0, FADT_X_GPE0, FADT_GPE0_LENGTH, false},
        {FADT_GPE1, FADT_X_GPE1, FADT_GPE1_LENGTH, false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
        struct acpi_register at = read_block(table, length, blocks[i].old, blocks[i].extended);
        uint8_t bytes = table[blocks[i].length] & ~1;

        if (bytes >= (blocks[i].fixed ? 4 : 2) && at.address + bytes <= 0x10000)
            out->events[i] = (struct acpi_events){at, bytes, blocks[i].fixed};
    }
}

int acpi_parse_fadt(const uint8_t *table, size_t length, struct acpi_info *out, struct refusal *why)
{
    uint32_t flags;

    if (length < FADT_SIZE_1)
        return refuse(why, -EINVAL, "ACPI table FADT is too short (%zu bytes)", length);
    flags = get32(table + FADT_FLAGS);
    if (table[FADT_PM_TIMER_LENGTH] == 4)
        out->pm_timer = read_block(table, length, FADT_PM_TIMER, FADT_X_PM_TIMER);
    parse_sleep(table, length, out);
    if (!(flags & FADT_HARDWARE_REDUCED))
        parse_events(table, length, out);
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

int acpi_parse_hpet(const uint8_t *table, size_t length, struct acpi_info *out, struct refusal *why)
{
    struct acpi_register r;

    if (length < HPET_SIZE_MIN)
        return refuse(why, -EINVAL, "ACPI table HPET is too short (%zu bytes)", length);
    r = read_gas(table + HPET_BASE);
    if (r.space == ACPI_SPACE_MEMORY && IS_ALIGNED(r.address, HPET_ALIGNMENT))
        out->hpet = r.address;
    return 0;
}
