/* SPDX-License-Identifier: BSD-2-Clause */
/* The DMAR parser: every structure, and every refusal with its sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "kernel/lib/error.h"
#include "tests/unit/acpi_builder.h"
#include "tests/unit/host_heap.h"

static struct table t;
static struct acpi_info acpi;
#define info acpi.dmar
static struct refusal why;
static size_t structure; /* offset of the one being built */

/* The requester id of a scope with a single hop: what I/O APICs and HPETs carry as source id. */
static unsigned source_id_of(const struct dmar_scope *scope)
{
    return (unsigned)scope->bus << 8 | scope->path[0].device << 3 | scope->path[0].function;
}

static void begin_dmar(void)
{
    begin(&t, "DMAR");
    put(&t, 46, 1); /* 47 address bits */
    put(&t, DMAR_INTR_REMAP | DMAR_X2APIC_OPT_OUT, 1);
    put_zeros(&t, 10);
}

static void begin_structure(unsigned type)
{
    structure = t.length;
    put(&t, type, 2);
    put(&t, 0, 2);
}

static void end_structure(void)
{
    set(&t, structure + 2, t.length - structure, 2);
}

static void add_scope(unsigned type, unsigned id, unsigned bus, const struct dmar_hop *path,
                      unsigned hops)
{
    put(&t, type, 1);
    put(&t, 6 + 2 * hops, 1);
    put_zeros(&t, 2);
    put(&t, id, 1);
    put(&t, bus, 1);
    for (unsigned i = 0; i < hops; i++) {
        put(&t, path[i].device, 1);
        put(&t, path[i].function, 1);
    }
}

static void begin_drhd(unsigned flags, unsigned segment, uint64_t registers)
{
    begin_structure(0);
    put(&t, flags, 1);
    put(&t, 0, 1);
    put(&t, segment, 2);
    put(&t, registers, 8);
}

static void begin_rmrr(uint64_t base, uint64_t limit)
{
    begin_structure(1);
    put_zeros(&t, 2);
    put(&t, 0, 2);
    put(&t, base, 8);
    put(&t, limit, 8);
}

static int parse(void)
{
    memset(&why, 0, sizeof(why));
    forget(&acpi);
    return dmar_parse(t.bytes, t.length, &info, &why);
}

static void refused(int error, const char *sentence)
{
    assert_int_equal(parse(), error);
    assert_non_null(strstr(why.sentence, sentence));
}

static const struct dmar_hop one[] = {{2, 1}};
static const struct dmar_hop three[] = {{0x1c, 0}, {0, 0}, {4, 3}};

/* A good unit, behind which the tests put what is to be refused. */
static void begin_good(void)
{
    begin_dmar();
    begin_drhd(1, 0, 0xfed90000);
    end_structure();
}

static void units_with_every_kind_of_scope(void **state)
{
    begin_dmar();
    begin_drhd(0, 3, 0xfed90000);
    set(&t, structure + 5, 2, 1); /* 16 KiB of registers */
    add_scope(DMAR_SCOPE_ENDPOINT, 0, 0, one, 1);
    add_scope(DMAR_SCOPE_BRIDGE, 0, 0x80, three, 3);
    end_structure();
    begin_drhd(1, 3, 0xfed91000 + 0x4000);
    add_scope(DMAR_SCOPE_IO_APIC, 8, 0xff, (struct dmar_hop[]){{0, 0}}, 1);
    add_scope(DMAR_SCOPE_HPET, 1, 0xf0, (struct dmar_hop[]){{31, 7}}, 1);
    add_scope(DMAR_SCOPE_NAMESPACE, 5, 0, one, 1);
    add_scope(77, 0, 0, one, 1); /* a type to come: skipped */
    end_structure();
    assert_int_equal(parse(), 0);

    assert_int_equal(info.address_width, 47);
    assert_int_equal(info.flags, DMAR_INTR_REMAP | DMAR_X2APIC_OPT_OUT);
    assert_int_equal(info.unit_count, 2);
    assert_int_equal(info.units[0].segment, 3);
    assert_false(info.units[0].include_all);
    assert_int_equal(info.units[0].register_size, 0x4000);
    assert_int_equal(info.units[0].registers, 0xfed90000);
    assert_int_equal(info.units[0].scopes.first, 0);
    assert_int_equal(info.units[0].scopes.count, 2);
    assert_true(info.units[1].include_all);
    assert_int_equal(info.units[1].scopes.first, 2);
    assert_int_equal(info.units[1].scopes.count, 3);
    assert_int_equal(info.scopes[1].hops, 3);
    assert_int_equal(info.scopes[1].bus, 0x80);
    assert_memory_equal(info.scopes[1].path, three, sizeof(three));
    assert_int_equal(source_id_of(&info.scopes[2]), 0xff00);
    assert_int_equal(info.scopes[2].enumeration_id, 8);
    assert_int_equal(source_id_of(&info.scopes[3]), 0xf0ff);
    assert_int_equal(info.scopes[4].type, DMAR_SCOPE_NAMESPACE);
}

static void the_other_structures(void **state)
{
    static const char name[] = "\\_SB.PC00.UA00";

    begin_dmar();
    begin_structure(3); /* RHSA, before its unit */
    put_zeros(&t, 4);
    put(&t, 0xfed90000, 8);
    put(&t, 7, 4);
    end_structure();
    begin_drhd(1, 0, 0xfed90000);
    end_structure();
    begin_rmrr(0x7b000000, 0x7b7fffff);
    add_scope(DMAR_SCOPE_ENDPOINT, 0, 0, one, 1);
    add_scope(DMAR_SCOPE_ENDPOINT, 0, 0, three, 3);
    end_structure();
    begin_structure(2); /* ATSR of all ports */
    put(&t, 1, 1);
    put_zeros(&t, 1);
    put(&t, 9, 2);
    end_structure();
    begin_structure(5); /* SATC */
    put(&t, 1, 1);
    put_zeros(&t, 1);
    put(&t, 0, 2);
    add_scope(DMAR_SCOPE_ENDPOINT, 0, 0x6a, one, 1);
    end_structure();
    begin_structure(4); /* ANDD */
    put_zeros(&t, 3);
    put(&t, 5, 1);
    memcpy(t.bytes + t.length, name, sizeof(name));
    t.length += sizeof(name);
    end_structure();
    begin_structure(6); /* a type the parser does not know */
    put_zeros(&t, 20);
    end_structure();
    assert_int_equal(parse(), 0);

    assert_int_equal(info.unit_count, 1);
    assert_int_equal(info.region_count, 1);
    assert_int_equal(info.regions[0].base, 0x7b000000);
    assert_int_equal(info.regions[0].length, 0x800000);
    assert_int_equal(info.regions[0].scopes.count, 2);
    assert_int_equal(info.port_count, 2);
    assert_true(info.ports[0].all_ports);
    assert_false(info.ports[0].integrated);
    assert_int_equal(info.ports[0].segment, 9);
    assert_true(info.ports[1].integrated);
    assert_false(info.ports[1].all_ports);
    assert_int_equal(info.ports[1].scopes.count, 1);
}

static void bad_headers_are_refused(void **state)
{
    begin_dmar();
    t.length--;
    refused(-EINVAL, "too short");
    begin_dmar();
    refused(-EINVAL, "lists no remapping unit");
    begin_good();
    set(&t, 36, 64, 1);
    refused(-EINVAL, "address width of 65 bits");
}

static void bad_structure_lengths(void **state)
{
    static const struct {
        unsigned type;
        size_t too_short;
        const char *name;
    } minima[] = {
        {0, 15, "DRHD"}, {2, 7, "ATSR"}, {3, 19, "RHSA"}, {4, 8, "ANDD"}, {5, 7, "SATC"},
    };

    begin_good();
    put_zeros(&t, 3);
    refused(-EINVAL, "ends inside a structure");
    begin_good();
    begin_structure(0); /* length 0 would never end */
    refused(-EINVAL, "impossible length");
    begin_good();
    begin_structure(9);
    set(&t, structure + 2, 3, 2);
    refused(-EINVAL, "impossible length");
    begin_good();
    begin_structure(9);
    set(&t, structure + 2, 5, 2);
    refused(-EINVAL, "impossible length");
    for (size_t i = 0; i < ARRAY_SIZE(minima); i++) {
        begin_good();
        begin_structure(minima[i].type);
        put_zeros(&t, minima[i].too_short - 4);
        end_structure();
        refused(-EINVAL, minima[i].name);
        refused(-EINVAL, "too short for type");
    }
}

static void bad_units_are_refused(void **state)
{
    begin_dmar();
    begin_drhd(1, 0, 0xfed90800);
    end_structure();
    refused(-EINVAL, "is not page aligned");
    begin_dmar();
    begin_drhd(1, 0, ~UINT64_C(0xfff));
    end_structure();
    refused(-EINVAL, "wrap around");
    begin_good();
    begin_drhd(0, 1, 0xfed90000);
    end_structure();
    refused(-EINVAL, "two remapping units overlap");
    begin_good();
    begin_drhd(1, 0, 0xfed91000);
    end_structure();
    refused(-EINVAL, "claim all devices");
}

static void bad_scopes_are_refused(void **state)
{
    static const struct dmar_hop deep[DMAR_HOPS_MAX + 1];
    static const struct dmar_hop bad_device[] = {{32, 0}}, bad_function[] = {{0, 8}};

    begin_dmar();
    begin_drhd(0, 0, 0xfed90000);
    put_zeros(&t, 7);
    end_structure();
    refused(-EINVAL, "impossible length");
    begin_dmar();
    begin_drhd(0, 0, 0xfed90000);
    add_scope(DMAR_SCOPE_ENDPOINT, 0, 0, NULL, 0);
    put_zeros(&t, 2);
    end_structure();
    refused(-EINVAL, "impossible length");
    begin_dmar();
    begin_drhd(0, 0, 0xfed90000);
    add_scope(DMAR_SCOPE_ENDPOINT, 0, 0, one, 1);
    set(&t, structure + 17, 9, 1); /* one byte past the structure */
    end_structure();
    refused(-EINVAL, "impossible length");
    begin_dmar();
    begin_drhd(0, 0, 0xfed90000);
    add_scope(DMAR_SCOPE_ENDPOINT, 0, 0, one, 1);
    put_zeros(&t, 1);
    set(&t, structure + 17, 9, 1);
    end_structure();
    refused(-EINVAL, "half a path entry");
    begin_dmar();
    begin_drhd(0, 0, 0xfed90000);
    add_scope(DMAR_SCOPE_ENDPOINT, 0, 0, deep, ARRAY_SIZE(deep));
    end_structure();
    refused(-EINVAL, "too deep");
    begin_dmar();
    begin_drhd(0, 0, 0xfed90000);
    add_scope(DMAR_SCOPE_ENDPOINT, 0, 0, bad_device, 1);
    end_structure();
    refused(-EINVAL, "impossible device or function");
    begin_dmar();
    begin_drhd(0, 0, 0xfed90000);
    add_scope(DMAR_SCOPE_ENDPOINT, 0, 0, bad_function, 1);
    end_structure();
    refused(-EINVAL, "impossible device or function");
}

/* They are told apart from good ones, and stop nothing. */
static void bad_regions_are_marked(void **state)
{
    static const struct {
        uint64_t base, limit;
        const char *fault;
    } bad[] = {
        {0, 0, "ends before it starts"},
        {0x1000800, 0x1001fff, "is not page aligned"},
        {0x1000000, 0x1000ffe, "is not page aligned"},
        {0x1001000, 0x1000fff, "ends before it starts"},
        {0x1000000, UINT64_MAX, "ends before it starts"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        begin_good();
        begin_rmrr(bad[i].base, bad[i].limit);
        add_scope(DMAR_SCOPE_ENDPOINT, 0, 0, one, 1);
        end_structure();
        begin_rmrr(0x1000000, 0x1000fff);
        end_structure();
        assert_int_equal(parse(), 0);
        assert_int_equal(info.region_count, 2);
        assert_string_equal(info.regions[0].fault, bad[i].fault);
        assert_int_equal(info.regions[0].scopes.count, 1);
        assert_null(info.regions[1].fault);
        assert_int_equal(info.regions[1].length, 0x1000);
    }
}

/* Two units at address 0, one of them for all the rest, and a third that is there. */
static void units_without_registers_are_kept_for_what_they_name(void **state)
{
    begin_dmar();
    begin_drhd(0, 0, 0);
    add_scope(DMAR_SCOPE_ENDPOINT, 0, 0, one, 1);
    end_structure();
    begin_drhd(1, 0, 0);
    end_structure();
    begin_drhd(1, 0, 0xfed90000);
    end_structure();
    assert_int_equal(parse(), 0);
    assert_int_equal(info.unit_count, 3);
    assert_int_equal(info.units[0].registers | info.units[1].registers, 0);
    assert_int_equal(info.units[0].scopes.count, 1);
    assert_int_equal(info.units[2].registers, 0xfed90000);
}

static void put_pair(unsigned flags, unsigned device)
{
    begin_drhd(0, 0, 0xfed90000);
    add_scope(DMAR_SCOPE_ENDPOINT, 0, 0, (struct dmar_hop[]){{(uint8_t)device, 0}}, 1);
    end_structure();
    begin_drhd(flags, 0, 0xfed91000);
    add_scope(DMAR_SCOPE_IO_APIC, 2, 0xf0, (struct dmar_hop[]){{31, 0}}, 1);
    end_structure();
}

/* All of them a second time: the same in every byte, or it is another unit in the same place. */
static void a_unit_that_is_listed_twice_is_one(void **state)
{
    begin_dmar();
    put_pair(1, 2);
    put_pair(1, 2);
    assert_int_equal(parse(), 0);
    assert_int_equal(info.unit_count, 2);
    assert_int_equal(info.units[1].registers, 0xfed91000);
    begin_dmar();
    put_pair(1, 2);
    put_pair(1, 3);
    refused(-EINVAL, "two remapping units overlap");
    begin_dmar();
    put_pair(1, 2);
    put_pair(0, 2);
    refused(-EINVAL, "two remapping units overlap");
}

/* Neither says whose it is. */
static void regions_that_name_nobody_are_marked(void **state)
{
    begin_good();
    begin_structure(1);
    put_zeros(&t, 4);
    end_structure();
    begin_rmrr(0x1000000, 0x1000fff);
    add_scope(DMAR_SCOPE_ENDPOINT, 0, 0, one, 1);
    put_zeros(&t, 3);
    end_structure();
    assert_int_equal(parse(), 0);
    assert_int_equal(info.region_count, 2);
    assert_string_equal(info.regions[0].fault, "is cut off");
    assert_string_equal(info.regions[1].fault, "names its devices wrongly");
    assert_int_equal(info.regions[1].scopes.count, 1);
}

enum { UNITS = 300, REGIONS = 200, PORTS = 100, SCOPES = 3 };

static void put_many(void)
{
    begin_dmar();
    for (unsigned i = 0; i < UNITS; i++) {
        begin_drhd(0, 0, 0xf0000000 + i * 0x1000);
        for (unsigned k = 0; k < SCOPES; k++)
            add_scope(DMAR_SCOPE_ENDPOINT, 0, i % 256, one, 1);
        end_structure();
    }
    for (unsigned i = 0; i < REGIONS; i++) {
        begin_rmrr(0x1000 * i, 0x1000 * i + 0xfff);
        end_structure();
    }
    for (unsigned i = 0; i < PORTS; i++) {
        begin_structure(2);
        put_zeros(&t, 4);
        end_structure();
    }
}

static void there_may_be_as_many_as_memory_holds(void **state)
{
    put_many();
    assert_int_equal(parse(), 0);
    assert_int_equal(info.unit_count, UNITS);
    assert_int_equal(info.region_count, REGIONS);
    assert_int_equal(info.port_count, PORTS);
    assert_int_equal(info.scope_count, UNITS * SCOPES);
    for (unsigned i = 0; i < UNITS; i++) {
        assert_int_equal(info.units[i].registers, 0xf0000000 + i * 0x1000);
        assert_int_equal(info.units[i].scopes.first, i * SCOPES);
        assert_int_equal(info.scopes[i * SCOPES].bus, i % 256);
    }
}

/* Each allocation fails in turn, and nothing is lost. */
static void without_memory_it_says_so(void **state)
{
    uint64_t n = 0;
    int error;

    put_many();
    do {
        host_fail_nth(++n);
        error = parse();
        assert_int_equal(error, host_failed() ? -ENOMEM : 0);
        assert_true(!error || strstr(why.sentence, "no memory"));
    } while (error);
    host_fail_nth(0);
    assert_true(n > 30); /* each of the lists grew again and again */
    forget(&acpi);
    assert_int_equal(heap_used(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_with_every_kind_of_scope),
        cmocka_unit_test(the_other_structures),
        cmocka_unit_test(bad_headers_are_refused),
        cmocka_unit_test(bad_structure_lengths),
        cmocka_unit_test(bad_units_are_refused),
        cmocka_unit_test(bad_scopes_are_refused),
        cmocka_unit_test(bad_regions_are_marked),
        cmocka_unit_test(units_without_registers_are_kept_for_what_they_name),
        cmocka_unit_test(a_unit_that_is_listed_twice_is_one),
        cmocka_unit_test(regions_that_name_nobody_are_marked),
        cmocka_unit_test(there_may_be_as_many_as_memory_holds),
        cmocka_unit_test(without_memory_it_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
