/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/acpi/dmar.h"

#include "kernel/acpi/table.h"
#include "kernel/lib/error.h"

enum {
    DMAR_ADDRESS_WIDTH = 36,
    DMAR_FLAGS = 37,
    DMAR_STRUCTURES = 48,
    SCOPE_PATH = 6,
    SCOPE_SIZE_MIN = SCOPE_PATH + 2,
};

/* One remapping structure: its bytes, and where the result goes. */
struct structure {
    const uint8_t *bytes;
    size_t length;
    size_t offset; /* in the table, for messages */
    struct dmar_info *info;
    struct refusal *why;
};

static int bad(const struct structure *s, const char *what)
{
    return refuse(s->why, -EINVAL, "ACPI table DMAR, structure at offset %zu: %s", s->offset, what);
}

static int full(const struct structure *s, const char *what)
{
    return refuse(s->why, -ENOSPC, "ACPI table DMAR lists more %s than this kernel supports", what);
}

static int parse_path(const struct structure *s, const uint8_t *at, struct dmar_scope *scope)
{
    size_t bytes = (size_t)at[1] - SCOPE_PATH;

    if (bytes % 2 != 0)
        return bad(s, "a device scope has half a path entry");
    if (bytes / 2 > DMAR_HOPS_MAX)
        return bad(s, "the path of a device scope is too deep");
    scope->hops = (uint8_t)(bytes / 2);
    for (unsigned i = 0; i < scope->hops; i++) {
        const uint8_t *hop = at + SCOPE_PATH + 2 * i;

        if (hop[0] > 31 || hop[1] > 7)
            return bad(s, "a device scope names an impossible device or function");
        scope->path[i] = (struct dmar_hop){hop[0], hop[1]};
    }
    return 0;
}

static int parse_scope(const struct structure *s, size_t offset, struct dmar_scope_list *list)
{
    const uint8_t *at = s->bytes + offset;
    size_t left = s->length - offset;
    struct dmar_info *info = s->info;
    struct dmar_scope *scope;

    if (left < SCOPE_SIZE_MIN || at[1] < SCOPE_SIZE_MIN || at[1] > left)
        return bad(s, "a device scope has an impossible length");
    /* Scopes of types to come cannot name anything we could serve. */
    if (at[0] < DMAR_SCOPE_ENDPOINT || at[0] > DMAR_SCOPE_NAMESPACE)
        return 0;
    if (info->scope_count == DMAR_SCOPES_MAX)
        return full(s, "device scopes");
    scope = &info->scopes[info->scope_count];
    scope->type = at[0];
    scope->enumeration_id = at[4];
    scope->bus = at[5];
    if (parse_path(s, at, scope))
        return -EINVAL;
    info->scope_count++;
    list->count++;
    return 0;
}

static int parse_scopes(const struct structure *s, size_t offset, struct dmar_scope_list *list)
{
    list->first = (uint16_t)s->info->scope_count;
    list->count = 0;
    while (offset < s->length) {
        int error = parse_scope(s, offset, list);

        if (error)
            return error;
        offset += s->bytes[offset + 1];
    }
    return 0;
}

static int parse_drhd(const struct structure *s)
{
    struct dmar_info *info = s->info;
    struct dmar_unit *unit;

    if (info->unit_count == DMAR_UNITS_MAX)
        return full(s, "remapping units");
    unit = &info->units[info->unit_count];
    unit->include_all = s->bytes[4] & 1;
    unit->register_size = PAGE_SIZE << (s->bytes[5] & 15);
    unit->segment = get16(s->bytes + 6);
    unit->registers = get64(s->bytes + 8);
    if (unit->registers == 0 || !IS_ALIGNED(unit->registers, PAGE_SIZE))
        return bad(s, "the register base of a remapping unit is zero or not page aligned");
    if (unit->registers > PADDR_NONE - unit->register_size)
        return bad(s, "the registers of a remapping unit wrap around the address space");
    for (size_t i = 0; i < info->unit_count; i++) {
        const struct dmar_unit *other = &info->units[i];

        if (ranges_overlap(unit->registers, unit->register_size, other->registers,
                           other->register_size))
            return bad(s, "the registers of two remapping units overlap");
        /* Which of the two would serve a device is undefined. */
        if (other->include_all && unit->include_all && other->segment == unit->segment)
            return bad(s, "two remapping units claim all devices of one segment");
    }
    info->unit_count++;
    return parse_scopes(s, 16, &unit->scopes);
}

static int parse_rmrr(const struct structure *s)
{
    struct dmar_info *info = s->info;
    struct dmar_region *region;
    uint64_t limit = get64(s->bytes + 16); /* last byte, inclusive */

    if (info->region_count == DMAR_REGIONS_MAX)
        return full(s, "reserved memory regions");
    region = &info->regions[info->region_count];
    region->segment = get16(s->bytes + 6);
    region->base = get64(s->bytes + 8);
    if (!IS_ALIGNED(region->base, PAGE_SIZE) || !IS_ALIGNED(limit + 1, PAGE_SIZE))
        return bad(s, "a reserved memory region is not page aligned");
    if (limit <= region->base || limit == PADDR_NONE)
        return bad(s, "a reserved memory region ends before it starts");
    region->length = limit + 1 - region->base;
    info->region_count++;
    return parse_scopes(s, 24, &region->scopes);
}

static int parse_port(const struct structure *s, bool integrated)
{
    struct dmar_info *info = s->info;
    struct dmar_port *port;
    bool flag = s->bytes[4] & 1;

    if (info->port_count == DMAR_PORTS_MAX)
        return full(s, "ATS structures");
    port = &info->ports[info->port_count++];
    port->integrated = integrated;
    port->all_ports = !integrated && flag;
    port->ats_required = integrated && flag;
    port->segment = get16(s->bytes + 6);
    return parse_scopes(s, 8, &port->scopes);
}

static int parse_atsr(const struct structure *s)
{
    return parse_port(s, false);
}

static int parse_satc(const struct structure *s)
{
    return parse_port(s, true);
}

/* Units are told apart by their register base; RHSA structures may come before or after theirs. */
static int parse_rhsa(const struct structure *s)
{
    paddr_t registers = get64(s->bytes + 8);

    for (size_t i = 0; i < s->info->unit_count; i++) {
        struct dmar_unit *unit = &s->info->units[i];

        if (unit->registers != registers)
            continue;
        unit->has_proximity = true;
        unit->proximity_domain = get32(s->bytes + 16);
    }
    return 0;
}

static int parse_andd(const struct structure *s)
{
    struct dmar_info *info = s->info;
    struct dmar_name *name;
    const char *text = (const char *)s->bytes + 8;
    size_t length = strnlen(text, s->length - 8);

    if (length == s->length - 8)
        return bad(s, "the name of an ACPI device has no end");
    if (info->name_count == DMAR_NAMES_MAX)
        return full(s, "named ACPI devices");
    name = &info->names[info->name_count++];
    name->number = s->bytes[7];
    length = MIN(length, sizeof(name->name) - 1);
    memcpy(name->name, text, length);
    name->name[length] = '\0';
    return 0;
}

/* What a structure of each type is at least, and who reads it. */
static const struct {
    const char *name;
    size_t size_min;
    int (*parse)(const struct structure *s);
} structure_types[] = {
    {"DRHD", 16, parse_drhd}, {"RMRR", 24, parse_rmrr}, {"ATSR", 8, parse_atsr},
    {"RHSA", 20, parse_rhsa}, {"ANDD", 9, parse_andd},  {"SATC", 8, parse_satc},
};

enum { TYPE_RHSA = 3 };

/*
 * One walk over all structures. RHSA structures are read in a second walk, when all units are
 * known; the first walk has checked every length by then.
 */
static int walk(const uint8_t *table, size_t length, bool rhsa, struct dmar_info *info,
                struct refusal *why)
{
    size_t offset = DMAR_STRUCTURES;

    while (offset < length) {
        struct structure s = {table + offset, 0, offset, info, why};
        unsigned type;
        int failed;

        if (length - offset < 4)
            return bad(&s, "the table ends inside a structure");
        type = get16(s.bytes);
        s.length = get16(s.bytes + 2);
        if (s.length < 4 || s.length > length - offset)
            return bad(&s, "the structure has an impossible length");
        offset += s.length;
        if (type >= ARRAY_SIZE(structure_types))
            continue;
        if (s.length < structure_types[type].size_min)
            return refuse(why, -EINVAL,
                          "ACPI table DMAR, structure at offset %zu: too short for type %s",
                          s.offset, structure_types[type].name);
        if ((type == TYPE_RHSA) != rhsa)
            continue;
        failed = structure_types[type].parse(&s);
        if (failed)
            return failed;
    }
    return 0;
}

int dmar_parse(const uint8_t *table, size_t length, struct dmar_info *out, struct refusal *why)
{
    int failed;

    memset(out, 0, sizeof(*out));
    if (length < DMAR_STRUCTURES)
        return refuse(why, -EINVAL, "ACPI table DMAR is too short (%zu bytes)", length);
    memcpy(out->oem_id, table + ACPI_HEADER_OEM_ID, sizeof(out->oem_id) - 1);
    if (table[DMAR_ADDRESS_WIDTH] > 63)
        return refuse(why, -EINVAL, "ACPI table DMAR gives an address width of %u bits",
                      table[DMAR_ADDRESS_WIDTH] + 1u);
    out->address_width = (uint8_t)(table[DMAR_ADDRESS_WIDTH] + 1);
    out->flags = table[DMAR_FLAGS];
    failed = walk(table, length, false, out, why);
    if (!failed)
        failed = walk(table, length, true, out, why);
    if (failed)
        return failed;
    if (out->unit_count == 0)
        return refuse(why, -EINVAL, "ACPI table DMAR lists no remapping unit");
    return 0;
}
