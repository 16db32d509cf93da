/* SPDX-License-Identifier: BSD-2-Clause */
/* The FADT, the soft off in the DSDT, the SPCR and the HPET: registers at fixed places. */
#include "tests/unit/acpi_fixture.h"

static void fixed_registers_are_where_the_newest_field_says(void **state)
{
    build_fadt();
    t.length = 115;
    place_finished(FADT);
    refused(-EINVAL, "FADT is too short");
    build_fadt();
    t.length = 116; /* ACPI 1.0: no reset register */
    place_finished(FADT);
    assert_int_equal(find(RSDP), 0);
    assert_int_equal(info.reset.space, ACPI_SPACE_NONE);
    assert_int_equal(info.pm_timer.address, 0x608);
    build_fadt();
    set(&t, 208, 0, 1); /* the extended field wins: memory */
    set(&t, 212, 0xfe001808, 8);
    set(&t, 112, 0, 4);
    place_finished(FADT);
    assert_int_equal(find(RSDP), 0);
    assert_int_equal(info.pm_timer.space, ACPI_SPACE_MEMORY);
    assert_int_equal(info.reset.space, ACPI_SPACE_NONE);
    assert_false(info.pm_timer_32bit);
    build_fadt();
    set(&t, 76, 0x10000, 4); /* no such port */
    set(&t, 120, 0x12345, 8);
    place_finished(FADT);
    assert_int_equal(find(RSDP), 0);
    assert_int_equal(info.pm_timer.space, ACPI_SPACE_NONE);
    assert_int_equal(info.reset.space, ACPI_SPACE_NONE);
}

static void events_of_fixed_hardware_are_where_there_is_some(void **state)
{
    for (unsigned reduced = 0; reduced < 2; reduced++) {
        build_fadt();
        set(&t, 112, reduced << 20, 4);
        set(&t, 56, 0x600, 4);
        set(&t, 60, 0x700, 4);
        set(&t, 88, 5, 1); /* half a byte too many */
        set(&t, 80, 0x620, 4);
        set(&t, 92, 16, 1);
        set(&t, 220, 1, 1); /* the extended field wins */
        set(&t, 224, 0x640, 8);
        set(&t, 84, 0xfff8, 4);
        set(&t, 93, 16, 1); /* beyond the last port */
        place_finished(FADT);
        assert_int_equal(find(RSDP), 0);
        assert_int_equal(info.events[0].at.address, reduced ? 0 : 0x600);
        assert_int_equal(info.events[0].at.space, reduced ? ACPI_SPACE_NONE : ACPI_SPACE_IO);
        assert_int_equal(info.events[0].fixed, !reduced);
        assert_int_equal(info.events[1].bytes, reduced ? 0 : 4);
        assert_int_equal(info.events[2].at.address, reduced ? 0 : 0x640);
        assert_int_equal(info.events[2].bytes, reduced ? 0 : 16);
        assert_false(info.events[2].fixed);
        assert_int_equal(info.events[3].at.space, ACPI_SPACE_NONE);
    }
    build_fadt();
    set(&t, 56, 0x600, 4);
    set(&t, 88, 3, 1); /* no room for both registers */
    place_finished(FADT);
    assert_int_equal(find(RSDP), 0);
    assert_int_equal(info.events[0].at.space, ACPI_SPACE_NONE);
}

/* Name (\\_S5, Package (4) {5, 7, Zero, Zero}), behind other things that look like it. */
static const uint8_t s5[] = {0x10, 0x05, '_',  'S',  '5',  '_', 0x08, '_', 'S', '5',
                             '_',  0x0a, 5,    0x08, '\\', '_', 'S',  '5', '_', 0x12,
                             8,    4,    0x0a, 5,    0x0a, 7,   0,    0};

static void the_sleep_types_are_read_from_whole_packages_only(void **state)
{
    uint8_t types[2] = {0xff, 0xff};
    uint8_t aml[sizeof(s5)];

    assert_true(acpi_parse_soft_off(s5, sizeof(s5), types));
    assert_int_equal(types[0], 5);
    assert_int_equal(types[1], 7);
    /* Cut anywhere before the second number's end there is nothing to find. */
    for (size_t length = 0; length < sizeof(s5) - 2; length++) {
        uint8_t *exact = malloc(length ? length : 1);

        memcpy(exact, s5, length);
        assert_false(acpi_parse_soft_off(exact, length, types));
        free(exact);
    }
    memcpy(aml, s5, sizeof(aml));
    aml[23] = 8; /* larger than the field */
    assert_false(acpi_parse_soft_off(aml, sizeof(aml), types));
    aml[22] = 0x0b; /* a word */
    assert_false(acpi_parse_soft_off(aml, sizeof(aml), types));
    aml[21] = 1; /* one element */
    assert_false(acpi_parse_soft_off(aml, sizeof(aml), types));
    memcpy(aml, s5, sizeof(aml));
    aml[20] = 0xc8; /* a package length of four bytes that swallows the numbers */
    assert_false(acpi_parse_soft_off(aml, sizeof(aml), types));
    aml[13] = 0x10; /* not a name */
    assert_false(acpi_parse_soft_off(aml, sizeof(aml), types));
}

/* A DSDT that is absent, elsewhere or damaged only takes away the way to switch off. */
static void a_damaged_dsdt_takes_only_the_soft_off_away(void **state)
{
    begin(&t, "DSDT");
    memcpy(t.bytes + t.length, s5, sizeof(s5));
    t.length += sizeof(s5);
    place_finished(DSDT);
    build_fadt();
    set(&t, 40, DSDT, 4);
    set(&t, 48, 0xb2, 4);
    set(&t, 52, 2, 1);
    set(&t, 64, 0x604, 4);
    place_finished(FADT);
    assert_int_equal(find(RSDP), 0);
    assert_true(info.soft_off);
    assert_int_equal(info.sleep_types[1], 7);
    assert_int_equal(info.pm_control[0].space, ACPI_SPACE_IO);
    assert_int_equal(info.pm_control[0].address, 0x604);
    assert_int_equal(info.pm_control[1].space, ACPI_SPACE_NONE);
    assert_int_equal(info.smi_command, 0xb2);
    assert_int_equal(info.smi_enable_acpi, 2);
    set(&t, 140, DSDT + 1, 8); /* the 64-bit field wins, and leads nowhere */
    place_finished(FADT);
    assert_int_equal(find(RSDP), 0);
    assert_false(info.soft_off);
    set(&t, 140, sizeof(memory), 8);
    place_finished(FADT);
    assert_int_equal(find(RSDP), 0);
    assert_false(info.soft_off);
    set(&t, 140, DSDT, 8);
    place_finished(FADT);
    memory[DSDT + 20]++;
    assert_int_equal(find(RSDP), 0);
    assert_false(info.soft_off);
}

static void only_a_16550_is_a_console(void **state)
{
    build_spcr(0, 1, 0x3f8);
    t.length = 51;
    place_finished(SPCR);
    assert_int_equal(find(RSDP), 0); /* it is of use, and not needed */
    assert_int_equal(info.console.space, ACPI_SPACE_NONE);
    build_spcr(3, 0, 0x9000000); /* a PL011, not ours */
    place_finished(SPCR);
    assert_int_equal(find(RSDP), 0);
    assert_int_equal(info.console.space, ACPI_SPACE_NONE);
    build_spcr(0x12, 0, 0xfe030000);
    place_finished(SPCR);
    assert_int_equal(find(RSDP), 0);
    assert_int_equal(info.console.space, ACPI_SPACE_MEMORY);
    build_spcr(0, 7, 0x3f8); /* an address space nobody has */
    place_finished(SPCR);
    assert_int_equal(find(RSDP), 0);
    assert_int_equal(info.console.space, ACPI_SPACE_NONE);
}

static int find_hpet(uint8_t space, uint64_t address, size_t length)
{
    const paddr_t entries[] = {FADT, MADT, MCFG, OTHER, DMAR};

    begin(&t, "HPET");
    put_zeros(&t, 56 - t.length);
    set(&t, 40, space, 1);
    set(&t, 44, address, 8);
    t.length = length;
    place_finished(OTHER);
    place_root(true, entries, ARRAY_SIZE(entries));
    return find(RSDP);
}

static void only_memory_holds_timers(void **state)
{
    assert_int_equal(find(RSDP), 0);
    assert_int_equal(info.hpet, 0);
    assert_int_equal(find_hpet(0, 0xfed00000, 56), 0);
    assert_int_equal(info.hpet, 0xfed00000);
    assert_int_equal(find_hpet(0, 0xfed00400, 56), 0);
    assert_int_equal(info.hpet, 0xfed00400);
    assert_int_equal(find_hpet(0, 0xfed00200, 56), 0); /* amid a block */
    assert_int_equal(info.hpet, 0);
    assert_int_equal(find_hpet(1, 0xd000, 56), 0); /* ports */
    assert_int_equal(info.hpet, 0);
    assert_int_equal(find_hpet(0, 0xfed00000, 51), 0);
    assert_int_equal(info.hpet, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fixed_registers_are_where_the_newest_field_says),
        TEST(events_of_fixed_hardware_are_where_there_is_some),
        cmocka_unit_test(the_sleep_types_are_read_from_whole_packages_only),
        TEST(a_damaged_dsdt_takes_only_the_soft_off_away),
        TEST(only_a_16550_is_a_console),
        TEST(only_memory_holds_timers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
