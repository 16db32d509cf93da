/* SPDX-License-Identifier: BSD-2-Clause */
/* MCFG: memory-mapped configuration space (PCI Firmware specification 3.3, 4.1.2). */
#include "kernel/machine/acpi/acpi.h"
#include "kernel/machine/acpi/table.h"
#include "kernel/lib/error.h"
#include "kernel/mm/grow.h"

enum {
    MCFG_ENTRIES = 44,
    ENTRY_SIZE = 16,
};

#define BUS_SIZE MIB

static uint64_t first_byte(const struct acpi_ecam *e)
{
    return e->base + e->first_bus * BUS_SIZE;
}

static uint64_t size_of(const struct acpi_ecam *e)
{
    return (e->last_bus - e->first_bus + 1u) * BUS_SIZE;
}

static bool clash(const struct acpi_ecam *a, const struct acpi_ecam *b)
{
    if (a->segment == b->segment && a->first_bus <= b->last_bus && b->first_bus <= a->last_bus)
        return true;
    return ranges_overlap(first_byte(a), size_of(a), first_byte(b), size_of(b));
}

static int check(const struct acpi_ecam *e, const struct acpi_info *out, struct refusal *why)
{
    if (e->first_bus > e->last_bus)
        return refuse(why, -EINVAL, "ACPI table MCFG gives buses %u to %u of segment %u",
                      e->first_bus, e->last_bus, e->segment);
    if (e->base == 0 || !IS_ALIGNED(e->base, BUS_SIZE) || e->base > PADDR_NONE - 256 * BUS_SIZE)
        return refuse(why, -EINVAL,
                      "ACPI table MCFG puts the configuration space of segment %u at 0x%lx",
                      e->segment, e->base);
    for (size_t i = 0; i < out->ecam_count; i++)
        if (clash(e, &out->ecams[i]))
            return refuse(why, -EINVAL, "ACPI table MCFG describes segment %u bus %u twice",
                          e->segment, e->first_bus);
    return 0;
}

int acpi_parse_mcfg(const uint8_t *table, size_t length, struct acpi_info *out, struct refusal *why)
{
    if (length < MCFG_ENTRIES + ENTRY_SIZE || (length - MCFG_ENTRIES) % ENTRY_SIZE != 0)
        return refuse(why, -EINVAL, "ACPI table MCFG has an impossible length (%zu bytes)", length);
    for (size_t offset = MCFG_ENTRIES; offset < length; offset += ENTRY_SIZE) {
        const uint8_t *at = table + offset;
        struct acpi_ecam e = {get64(at), get16(at + 8), at[10], at[11]};
        int failed = check(&e, out, why);

        if (failed)
            return failed;
        if (kappend(&out->ecams, &out->ecam_count, &e, sizeof(e)))
            return refuse(why, -ENOMEM, "no memory for the configuration spaces");
    }
    return 0;
}
