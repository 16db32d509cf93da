/* SPDX-License-Identifier: BSD-2-Clause */
/* The HEST: errors of PCI Express that the firmware keeps for itself. */
#include "tests/unit/acpi_fixture.h"

#define HEST       OTHER
#define FIRST      1 /* the firmware is, */
#define EVERYWHERE 2 /* of all functions of the kind */
#define ROOT_PORT  6
#define ENDPOINT   7
#define BRIDGE     8

static const unsigned sizes[] = {[ROOT_PORT] = 48, [ENDPOINT] = 44, [BRIDGE] = 56};

static void begin_hest(unsigned count)
{
    begin(&t, "HEST");
    put(&t, count, 4);
}

static void put_source(unsigned type, size_t size, unsigned flags)
{
    size_t at = t.length;

    put_zeros(&t, size);
    set(&t, at, type, 2);
    set(&t, at + 6, flags, 1);
}

static void put_function(unsigned type, unsigned flags, unsigned segment, unsigned rid)
{
    size_t at = t.length;

    put_source(type, sizes[type], flags);
    set(&t, at + 16, segment << 8 | rid >> 8, 4);
    set(&t, at + 20, rid >> 3 & 31, 2);
    set(&t, at + 22, rid & 7, 2);
}

/* What is found of a machine with this table, or without it. */
static void find_with(bool there)
{
    const paddr_t entries[] = {FADT, MADT, MCFG, DMAR, HEST};

    place_finished(HEST);
    place_root(true, entries, there ? 5 : 4);
    assert_int_equal(find(RSDP), 0);
}

static void check(bool kept)
{
    find_with(true);
    assert_int_equal(info.errors_kept, kept);
}

static void without_a_table_nothing_is_kept(void **state)
{
    begin_hest(1);
    put_function(ROOT_PORT, FIRST | EVERYWHERE, 0, 0);
    find_with(false);
    assert_false(info.errors_kept);
}

static void one_function_of_a_kind_is_enough(void **state)
{
    for (unsigned type = ROOT_PORT; type <= BRIDGE; type++) {
        begin_hest(3);
        put_function(ROOT_PORT, 0, 0, 0x00e0);
        put_function(type, FIRST, 3, 0x12e5);
        put_function(ENDPOINT, 0, 0, 0x0300);
        check(true);
        begin_hest(1);
        put_function(type, FIRST | EVERYWHERE, 0, 0);
        check(true);
        begin_hest(1);
        put_function(type, EVERYWHERE, 0, 0);
        check(false);
    }
}

/* Machine checks, NMIs, generic sources: whoever is first there. */
static void other_sources_are_passed_over(void **state)
{
    for (unsigned first = 0; first <= FIRST; first++) {
        begin_hest(7);
        put_source(0, 40 + 3 * 28, FIRST | EVERYWHERE);
        set(&t, t.length - 40 - 3 * 28 + 32, 3, 1); /* banks */
        put_source(1, 48 + 255 * 28, FIRST);
        set(&t, t.length - 48 - 255 * 28 + 44, 255, 1);
        put_source(2, 20, FIRST);
        put_source(9, 64, FIRST | EVERYWHERE);
        put_source(10, 92, FIRST);
        put_source(11, 48, FIRST);
        put_function(ROOT_PORT, first, 0, 0x00e0);
        check(first);
    }
}

/* It is optional: what is wrong with it as a whole keeps no machine from starting, either. */
static void what_cannot_be_read_may_be_all(void **state)
{
    const paddr_t entries[] = {FADT, MADT, MCFG, DMAR, HEST};

    begin_hest(1);
    put_function(ROOT_PORT, 0, 0, 1);
    place_finished(HEST);
    memory[HEST + 35]++; /* the sum is wrong */
    place_root(true, entries, 5);
    assert_int_equal(find(RSDP), 0);
    assert_true(info.errors_kept);
}

static void what_makes_no_sense_may_be_all(void **state)
{
    static const unsigned unknown[] = {3, 4, 5, 12, 0xffff};

    for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
        begin_hest(2);
        put_function(ENDPOINT, 0, 0, 1);
        put_source(unknown[i], 64, 0);
        check(true);
    }
    begin_hest(2); /* one is missing */
    put_function(ENDPOINT, 0, 0, 1);
    check(true);
    begin_hest(1); /* one byte is, or what the banks need */
    put_source(ROOT_PORT, 47, 0);
    check(true);
    begin_hest(1);
    put_source(0, 40 + 27, 0);
    set(&t, 40 + 32, 1, 1);
    check(true);
    begin_hest(1);
    put(&t, 0, 1);
    check(true);
    begin(&t, "HEST");
    put(&t, 0, 3);
    check(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_table_nothing_is_kept), TEST(one_function_of_a_kind_is_enough),
        TEST(other_sources_are_passed_over),   TEST(what_makes_no_sense_may_be_all),
        TEST(what_cannot_be_read_may_be_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
