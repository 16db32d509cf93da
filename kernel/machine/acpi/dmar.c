/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/machine/acpi/dmar.h"

#include "kernel/machine/acpi/table.h"
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

/*@ predicate readable(struct structure *s) =
      \valid_read(s) && 4 <= s->length <= 0xffff && \valid_read(s->bytes + (0 .. s->length - 1)) &&
      \valid(s->info) && \valid(s->why) &&
      \separated(s, s->info, s->why, s->bytes + (0 .. s->length - 1)); */

/*@ requires \valid(s->why) && \valid_read(s);
    assigns *s->why;
    ensures \result == -22; */
static int bad(const struct structure *s, const char *what)
{
    return refuse(s->why, -EINVAL, "ACPI table DMAR, structure at offset %zu: %s", s->offset, what);
}

/*@ requires \valid(s->why) && \valid_read(s);
    requires error == 0 || error == -12;
    assigns *s->why;
    ensures \result == error; */
static int added(const struct structure *s, int error)
{
    return error ? refuse(s->why, error, "no memory for what ACPI table DMAR lists") : 0;
}

/*@ requires readable(s) && \valid(scope);
    requires at[1] >= SCOPE_SIZE_MIN && \valid_read(at + (0 .. at[1] - 1));
    requires \separated(scope, at + (0 .. at[1] - 1), s, s->why);
    assigns *scope, *s->why;
    ensures \result == 0 ==> 1 <= scope->hops <= DMAR_HOPS_MAX; */
static int parse_path(const struct structure *s, const uint8_t *at, struct dmar_scope *scope)
{
    size_t bytes = (size_t)at[1] - SCOPE_PATH;

    if (bytes % 2 != 0)
        return bad(s, "a device scope has half a path entry");
    if (bytes / 2 > DMAR_HOPS_MAX)
        return bad(s, "the path of a device scope is too deep");
    scope->hops = (uint8_t)(bytes / 2);
    /*@ loop invariant i <= scope->hops;
        loop assigns i, scope->path[0 .. DMAR_HOPS_MAX - 1], *s->why;
        loop variant scope->hops - i; */
    for (unsigned i = 0; i < scope->hops; i++) {
        const uint8_t *hop = at + SCOPE_PATH + 2 * i;

        if (hop[0] > 31 || hop[1] > 7)
            return bad(s, "a device scope names an impossible device or function");
        scope->path[i] = (struct dmar_hop){hop[0], hop[1]};
    }
    return 0;
}

/*@ requires readable(s) && listed(s->info);
    requires offset < s->length;
    requires \valid(list) && \separated(list, s, s->info, s->why, s->bytes + (0 .. s->length - 1));
    assigns *s->info, list->count, *s->why;
    ensures listed(s->info) && s->info->unit_count == \old(s->info->unit_count);
    ensures \result == 0 ==> 8 <= s->bytes[offset + 1] <= s->length - offset; */
static int parse_scope(const struct structure *s, size_t offset, struct dmar_scope_list *list)
{
    const uint8_t *at = s->bytes + offset;
    size_t left = s->length - offset;
    struct dmar_scope scope = {0};

    if (left < SCOPE_SIZE_MIN || at[1] < SCOPE_SIZE_MIN || at[1] > left)
        return bad(s, "a device scope has an impossible length");
    /* Scopes of types to come cannot name anything we could serve. */
    if (at[0] < DMAR_SCOPE_ENDPOINT || at[0] > DMAR_SCOPE_NAMESPACE)
        return 0;
    scope.type = at[0];
    scope.enumeration_id = at[4];
    scope.bus = at[5];
    if (parse_path(s, at, &scope))
        return -EINVAL;
    list->count++;
    return added(s, dmar_add_scope(s->info, &scope));
}

/*@ requires readable(s) && listed(s->info);
    requires \valid(list) && \separated(list, s, s->info, s->why, s->bytes + (0 .. s->length - 1));
    requires offset <= s->length;
    assigns *s->info, *list, *s->why;
    ensures listed(s->info) && s->info->unit_count == \old(s->info->unit_count); */
static int parse_scopes(const struct structure *s, size_t offset, struct dmar_scope_list *list)
{
    list->first = (uint32_t)s->info->scope_count;
    list->count = 0;
    /*@ loop invariant readable(s) && listed(s->info) && offset <= s->length;
        loop invariant *s == \at(*s, Pre);
        loop invariant \separated(list, s, s->info, s->why, s->bytes + (0 .. s->length - 1));
        loop invariant s->info->unit_count == \at(s->info->unit_count, Pre);
        loop assigns offset, *\at(s->info, Pre), list->count, *\at(s->why, Pre);
        loop variant s->length - offset; */
    while (offset < s->length) {
        int error = parse_scope(s, offset, list);

        if (error)
            return error;
        offset += s->bytes[offset + 1];
    }
    return 0;
}

/* Some firmware lists each unit twice. */
/*@ requires \valid_read(a) && \valid_read(b);
    assigns \nothing; */
static bool is_same(const struct dmar_info *info, const struct dmar_unit *a,
                    const struct dmar_unit *b)
{
    return a->registers == b->registers && a->register_size == b->register_size &&
           a->segment == b->segment && a->include_all == b->include_all &&
           a->scopes.count == b->scopes.count &&
           memcmp(info->scopes + a->scopes.first, info->scopes + b->scopes.first,
                  a->scopes.count * sizeof(*info->scopes)) == 0;
}

/* Adds a unit that is there, unless it clashes with another one. */
/*@ requires readable(s) && listed(s->info) && \valid_read(unit);
    requires \separated(unit, s, s->info, s->why, s->bytes + (0 .. s->length - 1));
    assigns *s->info, *s->why;
    ensures listed(s->info); */
static int add_unit(const struct structure *s, const struct dmar_unit *unit)
{
    const struct dmar_info *info = s->info;

    /*@ loop invariant i <= info->unit_count && listed(s->info);
        loop assigns i, *s->why;
        loop variant info->unit_count - i; */
    for (size_t i = 0; i < info->unit_count; i++) {
        const struct dmar_unit *other = &info->units[i];

        if (is_same(info, unit, other))
            return 0;
        if (!other->registers)
            continue;
        if (ranges_overlap(unit->registers, unit->register_size, other->registers,
                           other->register_size))
            return bad(s, "the registers of two remapping units overlap");
        /* Which of the two would serve a device is undefined. */
        if (other->include_all && unit->include_all && other->segment == unit->segment)
            return bad(s, "two remapping units claim all devices of one segment");
    }
    return added(s, dmar_add_unit(s->info, unit));
}

/*@ requires readable(s) && listed(s->info) && s->length >= 16;
    assigns *s->info, *s->why;
    ensures listed(s->info); */
static int parse_drhd(const struct structure *s)
{
    struct dmar_unit unit = {.include_all = s->bytes[4] & 1, .segment = get16(s->bytes + 6)};
    int error;

    unit.register_size = PAGE_SIZE << (s->bytes[5] % 16);
    unit.registers = get64(s->bytes + 8);
    if (!IS_ALIGNED(unit.registers, PAGE_SIZE))
        return bad(s, "the register base of a remapping unit is not page aligned");
    if (unit.registers > PADDR_NONE - unit.register_size)
        return bad(s, "the registers of a remapping unit wrap around the address space");
    error = parse_scopes(s, 16, &unit.scopes);
    if (error)
        return error;
    return unit.registers ? add_unit(s, &unit) : added(s, dmar_add_unit(s->info, &unit));
}

/*@ requires readable(s) && listed(s->info);
    assigns *s->info, *s->why;
    ensures listed(s->info); */
static int parse_rmrr(const struct structure *s)
{
    struct dmar_region region = {.fault = "is cut off"};
    uint64_t limit; /* last byte, inclusive */

    if (s->length < 24)
        return added(s, dmar_add_region(s->info, &region));
    region.segment = get16(s->bytes + 6);
    region.base = get64(s->bytes + 8);
    limit = get64(s->bytes + 16);
    region.length = limit + 1 - region.base;
    region.fault = NULL;
    if (limit <= region.base || limit == PADDR_NONE)
        region.fault = "ends before it starts";
    else if (!IS_ALIGNED(region.base, PAGE_SIZE) || !IS_ALIGNED(limit + 1, PAGE_SIZE))
        region.fault = "is not page aligned";
    switch (parse_scopes(s, 24, &region.scopes)) {
    case -ENOMEM:
        return -ENOMEM;
    case -EINVAL:
        region.fault = "names its devices wrongly";
        break;
    default:
        break;
    }
    return added(s, dmar_add_region(s->info, &region));
}

/*@ requires readable(s) && listed(s->info) && s->length >= 8;
    assigns *s->info, *s->why;
    ensures listed(s->info); */
static int parse_port(const struct structure *s, bool integrated)
{
    struct dmar_port port = {.integrated = integrated, .segment = get16(s->bytes + 6)};
    int error = parse_scopes(s, 8, &port.scopes);

    port.all_ports = !integrated && (s->bytes[4] & 1);
    return error ? error : added(s, dmar_add_port(s->info, &port));
}

/* What a structure of each type is at least. */
static const struct {
    const char *name;
    size_t size_min;
} structure_types[] = {
    {"DRHD", 16}, {"RMRR", 4}, {"ATSR", 8}, {"RHSA", 20}, {"ANDD", 9}, {"SATC", 8},
};

enum { TYPE_DRHD, TYPE_RMRR, TYPE_ATSR, TYPE_RHSA, TYPE_ANDD, TYPE_SATC, TYPES };

/*@ requires readable(s) && listed(s->info) && type < TYPES;
    assigns *s->info, *s->why;
    ensures listed(s->info); */
static int parse_structure(const struct structure *s, unsigned type)
{
    if (s->length < structure_types[type].size_min)
        return refuse(s->why, -EINVAL,
                      "ACPI table DMAR, structure at offset %zu: too short for type %s", s->offset,
                      structure_types[type].name);
    switch (type) {
    case TYPE_DRHD:
        return parse_drhd(s);
    case TYPE_RMRR:
        return parse_rmrr(s);
    case TYPE_ATSR:
    case TYPE_SATC:
        return parse_port(s, type == TYPE_SATC);
    default: /* how near memory is, and names in ACPI: nobody asks for them */
        return 0;
    }
}

/*@ requires \valid_read(table + (0 .. length - 1)) && DMAR_STRUCTURES <= length <= 0xffffffff;
    requires \valid(info) && \valid(why) && listed(info);
    requires \separated(info, why, table + (0 .. length - 1));
    assigns *info, *why;
    ensures listed(info); */
static int walk(const uint8_t *table, size_t length, struct dmar_info *info, struct refusal *why)
{
    size_t offset = DMAR_STRUCTURES;

    /*@ loop invariant listed(info) && offset <= length;
        loop assigns offset, *info, *why;
        loop variant length - offset; */
    while (offset < length) {
        struct structure s = {table + offset, length - offset, offset, info, why};
        unsigned type;
        int failed;

        if (s.length < 4)
            return bad(&s, "the table ends inside a structure");
        type = get16(s.bytes);
        s.length = get16(s.bytes + 2);
        if (s.length < 4 || s.length > length - offset)
            return bad(&s, "the structure has an impossible length");
        offset += s.length;
        failed = type < TYPES ? parse_structure(&s, type) : 0;
        if (failed)
            return failed;
    }
    return 0;
}

int dmar_parse(const uint8_t *table, size_t length, struct dmar_info *out, struct refusal *why)
{
    int failed;

    if (length < DMAR_STRUCTURES)
        return refuse(why, -EINVAL, "ACPI table DMAR is too short (%zu bytes)", length);
    if (table[DMAR_ADDRESS_WIDTH] > 63)
        return refuse(why, -EINVAL, "ACPI table DMAR gives an address width of %u bits",
                      table[DMAR_ADDRESS_WIDTH] + 1u);
    out->address_width = (uint8_t)(table[DMAR_ADDRESS_WIDTH] + 1);
    out->flags = table[DMAR_FLAGS];
    failed = walk(table, length, out, why);
    if (failed)
        return failed;
    if (out->unit_count == 0)
        return refuse(why, -EINVAL, "ACPI table DMAR lists no remapping unit");
    return 0;
}
