/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/machine/acpi/acpi.h"

#include "kernel/machine/acpi/table.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/mm/heap.h"

#define TABLES_MAX     256
#define TABLE_SIZE_MAX (2 * MIB) /* of a table the kernel reads; DSDTs are large */

enum {
    RSDP_SIZE_1 = 20, /* the part that revision 0 has */
    RSDP_SIZE_2 = 36,
    RSDP_REVISION = 15,
    RSDP_RSDT = 16,
    RSDP_LENGTH = 20,
    RSDP_XSDT = 24,
    SEARCH_STEP = 16,
    SEARCH_CHUNK = 256,
};

/* A table as the root table lists it; its body is read only when somebody wants it. */
struct listed {
    paddr_t at;
    uint32_t length;
    uint8_t header[ACPI_HEADER_SIZE];
    char name[5]; /* the signature, fit to be shown */
};

struct finder {
    const struct acpi_memory *memory;
    struct refusal *why;
    struct listed *tables; /* TABLES_MAX of them */
    size_t count;
};

static int read_at(const struct finder *f, paddr_t at, void *to, size_t length)
{
    if (at == 0 || at > PADDR_NONE - length || f->memory->read(f->memory->context, at, to, length))
        return refuse(f->why, -EINVAL, "ACPI points to 0x%lx (%zu bytes), which cannot be read", at,
                      length);
    return 0;
}

/* Reads the header of the table at t->at. */
static int read_header(const struct finder *f, struct listed *t)
{
    int failed = read_at(f, t->at, t->header, sizeof(t->header));

    if (failed)
        return failed;
    for (size_t i = 0; i < 4; i++)
        t->name[i] = t->header[i] > ' ' && t->header[i] < 0x7f ? (char)t->header[i] : '?';
    t->name[4] = '\0';
    t->length = get32(t->header + ACPI_HEADER_LENGTH);
    return 0;
}

/*
 * Reads a header and remembers the table, unless it overlaps one that is listed already. Only of a
 * root table the signature is known beforehand; elsewhere it is NULL.
 */
static int list_table(struct finder *f, paddr_t at, const char *root)
{
    struct listed *t = &f->tables[f->count];
    int failed;

    if (f->count == TABLES_MAX)
        return refuse(f->why, -ENOSPC, "ACPI lists more than %d tables", TABLES_MAX);
    t->at = at;
    failed = read_header(f, t);
    if (failed)
        return failed;
    if (root && memcmp(t->header, root, 4) != 0)
        return refuse(f->why, -EINVAL, "the ACPI root pointer does not lead to an %s", root);
    if (t->length < ACPI_HEADER_SIZE || at > PADDR_NONE - t->length)
        return refuse(f->why, -EINVAL, "ACPI table %s has an impossible length (%u bytes)", t->name,
                      t->length);
    for (size_t i = 0; i < f->count; i++) {
        const struct listed *other = &f->tables[i];

        if (ranges_overlap(at, t->length, other->at, other->length))
            return refuse(f->why, -EINVAL, "ACPI tables %s and %s overlap at 0x%lx", other->name,
                          t->name, at);
    }
    f->count++;
    return 0;
}

/* A checked copy of a listed table, to be freed by the caller. */
static int read_table(const struct finder *f, const struct listed *t, uint8_t **out)
{
    uint8_t *bytes;
    int failed;

    if (t->length > TABLE_SIZE_MAX)
        return refuse(f->why, -EINVAL, "ACPI table %s is too long (%u bytes)", t->name, t->length);
    bytes = kmalloc(t->length);
    if (!bytes)
        return refuse(f->why, -ENOMEM, "out of memory while reading ACPI table %s", t->name);
    failed = read_at(f, t->at, bytes, t->length);
    if (!failed && memcmp(bytes, t->header, ACPI_HEADER_SIZE) != 0)
        failed = refuse(f->why, -EINVAL, "ACPI table %s changed while it was read", t->name);
    if (!failed && acpi_sum(bytes, t->length) != 0)
        failed = refuse(f->why, -EINVAL, "ACPI table %s has a wrong checksum", t->name);
    if (failed) {
        kfree(bytes);
        return failed;
    }
    *out = bytes;
    return 0;
}

/*
 * The root table, of this signature and width of entries, becomes entry 0, so that an entry that
 * leads back into it is an overlap.
 */
static int list_tables(struct finder *f, paddr_t at, const char *signature, unsigned entry_size)
{
    uint8_t *root;
    int failed = list_table(f, at, signature);

    if (failed)
        return failed;
    failed = read_table(f, &f->tables[0], &root);
    if (failed)
        return failed;
    if ((f->tables[0].length - ACPI_HEADER_SIZE) % entry_size != 0)
        failed = refuse(f->why, -EINVAL, "ACPI table %s ends inside an entry", signature);
    for (size_t i = ACPI_HEADER_SIZE; !failed && i < f->tables[0].length; i += entry_size) {
        paddr_t entry = entry_size == 8 ? get64(root + i) : get32(root + i);

        /* Firmware leaves empty slots behind tables it decided not to publish. */
        if (entry != 0)
            failed = list_table(f, entry, NULL);
    }
    kfree(root);
    return failed;
}

/* Follows a root pointer (ACPI 5.2.5.3) to whichever root table its revision has. */
static int read_root_pointer(struct finder *f, paddr_t at)
{
    uint8_t p[RSDP_SIZE_2] = {0};
    int failed = read_at(f, at, p, RSDP_SIZE_1);

    if (failed)
        return failed;
    if (memcmp(p, "RSD PTR ", 8) != 0)
        return refuse(f->why, -EINVAL, "there is no ACPI root pointer at 0x%lx", at);
    if (acpi_sum(p, RSDP_SIZE_1) != 0)
        return refuse(f->why, -EINVAL, "the ACPI root pointer has a wrong checksum");
    if (p[RSDP_REVISION] < 2)
        return list_tables(f, get32(p + RSDP_RSDT), "RSDT", 4);
    failed = read_at(f, at, p, RSDP_SIZE_2);
    if (failed)
        return failed;
    if (get32(p + RSDP_LENGTH) != RSDP_SIZE_2 || acpi_sum(p, RSDP_SIZE_2) != 0)
        return refuse(f->why, -EINVAL,
                      "the ACPI root pointer (revision 2) has a wrong length or checksum");
    if (get64(p + RSDP_XSDT) == 0)
        return list_tables(f, get32(p + RSDP_RSDT), "RSDT", 4);
    return list_tables(f, get64(p + RSDP_XSDT), "XSDT", 8);
}

/* The first root pointer with a good checksum in a range, or 0. */
static paddr_t search_range(const struct acpi_memory *memory, paddr_t from, paddr_t to)
{
    for (paddr_t chunk = from; chunk < to; chunk += SEARCH_CHUNK) {
        uint8_t bytes[SEARCH_CHUNK + RSDP_SIZE_1] = {0};
        size_t length = MIN(sizeof(bytes), to - chunk);

        if (memory->read(memory->context, chunk, bytes, length))
            continue;
        for (size_t i = 0; i < SEARCH_CHUNK; i += SEARCH_STEP)
            if (memcmp(bytes + i, "RSD PTR ", 8) == 0 && acpi_sum(bytes + i, RSDP_SIZE_1) == 0)
                return chunk + i;
    }
    return 0;
}

/* ACPI 5.2.5.1: the first KiB of the extended BIOS data area, then the BIOS area. */
static paddr_t search_root_pointer(const struct acpi_memory *memory)
{
    uint8_t segment[2];
    paddr_t found = 0;

    if (memory->read(memory->context, 0x40e, segment, sizeof(segment)) == 0) {
        paddr_t ebda = (paddr_t)get16(segment) << 4;

        if (ebda >= 0x80000 && ebda < 0xa0000)
            found = search_range(memory, ebda, ebda + KIB);
    }
    return found ? found : search_range(memory, 0xe0000, 0x100000);
}

static const struct listed *find_table(const struct finder *f, const char *signature)
{
    for (size_t i = 1; i < f->count; i++)
        if (memcmp(f->tables[i].header, signature, 4) == 0)
            return &f->tables[i];
    return NULL;
}

static int parse_dmar(const uint8_t *table, size_t length, struct acpi_info *out,
                      struct refusal *why)
{
    return dmar_parse(table, length, &out->dmar, why);
}

/* Without it the machine cannot be switched off by software, which is no reason not to start. */
static void read_dsdt(const struct finder *f, struct acpi_info *out)
{
    struct refusal ignored;
    struct finder quiet = {f->memory, &ignored, NULL, 0};
    struct listed dsdt = {.at = out->dsdt};
    uint8_t *bytes;

    if (read_header(&quiet, &dsdt) || dsdt.length < ACPI_HEADER_SIZE ||
        read_table(&quiet, &dsdt, &bytes))
        return;
    out->soft_off = acpi_parse_soft_off(bytes + ACPI_HEADER_SIZE, dsdt.length - ACPI_HEADER_SIZE,
                                        out->sleep_types);
    kfree(bytes);
}

/* What the kernel reads, in this order. A table with no `missing` sentence is optional. */
static const struct {
    const char *signature;
    int (*parse)(const uint8_t *table, size_t length, struct acpi_info *out, struct refusal *why);
    const char *missing;
    const char *spare; /* how it goes on without one that is wrong; NULL: not at all */
} wanted[] = {
    {"SPCR", acpi_parse_spcr, NULL, "no console is taken from it"},
    {"FACP", acpi_parse_fadt, NULL, NULL},
    {"HPET", acpi_parse_hpet, NULL, "timers of the HPET stay as they are"},
    {"APIC", acpi_parse_madt, "ACPI has no MADT table, so the interrupt controllers are unknown",
     NULL},
    {"MCFG", acpi_parse_mcfg,
     "ACPI has no MCFG table, so PCI configuration space cannot be reached", NULL},
    {"DMAR", parse_dmar,
     "ACPI has no DMAR table: this machine has no VT-d IOMMU, or it is switched off in the "
     "firmware",
     NULL},
    {"HEST", acpi_parse_hest, NULL, "errors of PCI Express are left to the firmware"},
};

static int parse_tables(const struct finder *f, struct acpi_info *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        const struct listed *t = find_table(f, wanted[i].signature);
        uint8_t *bytes;
        int failed;

        if (!t && wanted[i].missing)
            return refuse(f->why, -ENOENT, "%s", wanted[i].missing);
        if (!t)
            continue;
        failed = read_table(f, t, &bytes);
        if (!failed) {
            failed = wanted[i].parse(bytes, t->length, out, f->why);
            kfree(bytes);
        }
        if (failed == -EINVAL && wanted[i].spare) {
            log_warn("%s: %s", f->why->sentence, wanted[i].spare);
            out->errors_kept |= wanted[i].parse == acpi_parse_hest;
            continue;
        }
        if (failed)
            return failed;
        if (wanted[i].parse == acpi_parse_fadt)
            read_dsdt(f, out);
    }
    return 0;
}

int acpi_find(const struct acpi_memory *memory, paddr_t rsdp, struct acpi_info *out,
              struct refusal *why)
{
    struct finder f = {memory, why, NULL, 0};
    int failed;

    memset(out, 0, sizeof(*out));
    why->sentence[0] = '\0';
    if (rsdp == 0)
        rsdp = search_root_pointer(memory);
    if (rsdp == 0)
        return refuse(why, -ENOENT, "no ACPI root pointer was found in the BIOS areas");
    f.tables = kcalloc(TABLES_MAX, sizeof(*f.tables));
    if (!f.tables)
        return refuse(why, -ENOMEM, "out of memory while reading ACPI tables");
    failed = read_root_pointer(&f, rsdp);
    if (!failed)
        failed = parse_tables(&f, out);
    kfree(f.tables);
    return failed;
}
