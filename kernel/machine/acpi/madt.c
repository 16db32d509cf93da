/* SPDX-License-Identifier: BSD-2-Clause */
/* MADT: interrupt controllers (ACPI 5.2.12). */
#include "kernel/machine/acpi/acpi.h"
#include "kernel/machine/acpi/table.h"
#include "kernel/lib/error.h"
#include "kernel/mm/grow.h"

enum {
    MADT_LOCAL_APIC = 36,
    MADT_ENTRIES = 44,

    ENTRY_IO_APIC = 1,
    ENTRY_LOCAL_APIC_ADDRESS = 5,
    ENTRY_SIZE_MIN = 12, /* of both */
};

static int parse_io_apic(const uint8_t *e, struct acpi_info *out, struct refusal *why)
{
    struct acpi_io_apic apic = {e[2], get32(e + 4), get32(e + 8)};

    if (apic.base == 0 || !IS_ALIGNED(apic.base, 16))
        return refuse(why, -EINVAL, "ACPI table MADT puts I/O APIC %u at 0x%lx", apic.id,
                      apic.base);
    if (kappend(&out->io_apics, &out->io_apic_count, &apic, sizeof(apic)))
        return refuse(why, -ENOMEM, "no memory for the I/O APICs");
    return 0;
}

/*
 * Of processors nothing is asked, as this runs on one, nor how ISA interrupts are wired, as there
 * is no driver for one.
 */
static int parse_entry(const uint8_t *e, struct acpi_info *out, struct refusal *why)
{
    if (e[0] != ENTRY_IO_APIC && e[0] != ENTRY_LOCAL_APIC_ADDRESS)
        return 0;
    if (e[1] < ENTRY_SIZE_MIN)
        return refuse(why, -EINVAL, "ACPI table MADT: entry of type %u is too short", e[0]);
    if (e[0] == ENTRY_IO_APIC)
        return parse_io_apic(e, out, why);
    out->local_apic = get64(e + 4);
    return 0;
}

int acpi_parse_madt(const uint8_t *table, size_t length, struct acpi_info *out, struct refusal *why)
{
    size_t offset = MADT_ENTRIES;

    if (length < MADT_ENTRIES)
        return refuse(why, -EINVAL, "ACPI table MADT is too short (%zu bytes)", length);
    out->local_apic = get32(table + MADT_LOCAL_APIC);
    while (offset < length) {
        size_t left = length - offset;
        int failed;

        if (left < 2 || table[offset + 1] < 2 || table[offset + 1] > left)
            return refuse(why, -EINVAL,
                          "ACPI table MADT: the entry at offset %zu has an impossible length",
                          offset);
        failed = parse_entry(table + offset, out, why);
        if (failed)
            return failed;
        offset += table[offset + 1];
    }
    if (out->local_apic == 0 || !IS_ALIGNED(out->local_apic, PAGE_SIZE))
        return refuse(why, -EINVAL, "ACPI table MADT puts the local APIC at 0x%lx",
                      out->local_apic);
    return 0;
}
