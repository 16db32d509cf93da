/* SPDX-License-Identifier: BSD-2-Clause */
/* Root pointers, root tables, and the way to the tables behind them. */
#include "tests/unit/acpi_fixture.h"

static void check_machine(void)
{
    assert_int_equal(info.local_apic, 0xfee00000);
    assert_int_equal(info.io_apic_count, 1);
    assert_int_equal(info.io_apics[0].id, 2);
    assert_int_equal(info.io_apics[0].base, 0xfec00000);
    assert_int_equal(info.io_apics[0].gsi_base, 24);
    assert_int_equal(info.ecam_count, 1);
    assert_int_equal(info.ecams[0].base, 0xb0000000);
    assert_int_equal(info.ecams[0].last_bus, 255);
    assert_int_equal(info.console.space, ACPI_SPACE_IO);
    assert_int_equal(info.console.address, 0x2f8);
    assert_int_equal(info.pm_timer.space, ACPI_SPACE_IO);
    assert_int_equal(info.pm_timer.address, 0x608);
    assert_true(info.pm_timer_32bit);
    assert_int_equal(info.reset.space, ACPI_SPACE_IO);
    assert_int_equal(info.reset.address, 0xcf9);
    assert_int_equal(info.reset_value, 0x0f);
    assert_int_equal(info.dmar.unit_count, 1);
}

static void revision_2_leads_to_every_table(void **state)
{
    assert_int_equal(find(RSDP), 0);
    check_machine();
}

static void revision_0_leads_to_every_table(void **state)
{
    const paddr_t entries[] = {FADT, MADT, MCFG, SPCR, DMAR};

    place_root(false, entries, ARRAY_SIZE(entries));
    place_rsdp(RSDP, 0);
    assert_int_equal(find(RSDP), 0);
    check_machine();
}

static void revision_2_without_an_xsdt_uses_the_rsdt(void **state)
{
    const paddr_t entries[] = {FADT, MADT, MCFG, SPCR, DMAR};

    place_root(false, entries, ARRAY_SIZE(entries));
    place_rsdp(RSDP, 2);
    set(&t, 16, ROOT, 4);
    set(&t, 24, 0, 8);
    t.bytes[8] = 0;
    t.bytes[8] = (uint8_t)-acpi_sum(t.bytes, 20);
    t.bytes[32] = 0;
    t.bytes[32] = (uint8_t)-acpi_sum(t.bytes, 36);
    place(RSDP);
    assert_int_equal(find(RSDP), 0);
    check_machine();
}

static void the_bios_areas_are_searched(void **state)
{
    assert_int_equal(find(0), 0);
    check_machine();
    /* One in the extended BIOS data area comes first; one with a wrong checksum is no match. */
    memset(memory + RSDP, 0, 36);
    refused_from(0, -ENOENT, "no ACPI root pointer");
    memory[0x40f] = 0x9f;
    place_rsdp(0x9f3f0, 2);
    assert_int_equal(find(0), 0);
    memory[0x9f3f0 + 15]++;
    refused_from(0, -ENOENT, "no ACPI root pointer");
    place_rsdp(0xffff0 - 16, 0);
    place_root(false, (const paddr_t[]){MADT, MCFG, DMAR}, 3);
    assert_int_equal(find(0), 0);
}

static void bad_root_pointers_are_refused(void **state)
{
    refused_from(RSDP + 16, -EINVAL, "no ACPI root pointer at 0xf5a90");
    refused_from(MEMORY_SIZE - 8, -EINVAL, "cannot be read");
    refused_from(PADDR_NONE - 8, -EINVAL, "cannot be read");
    memory[RSDP + 9]++;
    refused(-EINVAL, "root pointer has a wrong checksum");
    place_rsdp(RSDP, 2);
    memory[RSDP + 33]++;
    refused(-EINVAL, "(revision 2) has a wrong length or checksum");
    place_rsdp(RSDP, 2);
    memory[RSDP + 20] = 200;
    memory[RSDP + 32] = (uint8_t)(memory[RSDP + 32] - (200 - 36));
    refused(-EINVAL, "(revision 2) has a wrong length or checksum");
}

static void bad_root_tables_are_refused(void **state)
{
    memory[ROOT] = 'Y';
    refused(-EINVAL, "does not lead to an XSDT");
    memory[ROOT + 4] = memory[ROOT + 5] = memory[ROOT + 6] = memory[ROOT + 7] = 0;
    refused(-EINVAL, "does not lead to an XSDT"); /* whatever else is there */
    place_root(true, (const paddr_t[]){MADT}, 1);
    memory[ROOT + 36]++;
    refused(-EINVAL, "XSDT has a wrong checksum");
    place_root(true, (const paddr_t[]){MADT}, 1);
    set(&t, 4, t.length - 1, 4);
    t.bytes[9] = 0;
    t.bytes[9] = (uint8_t)-acpi_sum(t.bytes, t.length - 1);
    place(ROOT);
    refused(-EINVAL, "ends inside an entry");
    place_root(true, (const paddr_t[]){MADT}, 1);
    set(&t, 4, 35, 4);
    place(ROOT);
    refused(-EINVAL, "XSDT has an impossible length");
    set(&t, 4, 0x80000000, 4);
    place(ROOT);
    refused(-EINVAL, "XSDT is too long");
}

static void tables_that_overlap_or_lead_back_are_refused(void **state)
{
    place_root(true, (const paddr_t[]){MADT, MADT}, 2);
    refused(-EINVAL, "tables APIC and APIC overlap");
    place_root(true, (const paddr_t[]){MADT, ROOT}, 2);
    refused(-EINVAL, "tables XSDT and XSDT overlap");
    /* A second header inside the body of another table. */
    memcpy(memory + FADT + 100, memory + MADT, 36);
    place_root(true, (const paddr_t[]){FADT, FADT + 100}, 2);
    refused(-EINVAL, "tables FACP and APIC overlap");
}

static void bad_tables_are_refused_by_name(void **state)
{
    const paddr_t all[] = {FADT, MADT, MCFG, DMAR};
    static const char *const names[] = {"FACP", "APIC", "MCFG", "DMAR"};

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        char sentence[64];

        memory[all[i] + 35]++;
        snprintf(sentence, sizeof(sentence), "%s has a wrong checksum", names[i]);
        refused(-EINVAL, sentence);
        memory[all[i] + 35]--;
    }
    memory[SPCR + 35]++; /* of use, and not needed */
    assert_int_equal(find(RSDP), 0);
    assert_int_equal(info.console.space, ACPI_SPACE_NONE);
    forget(&info);
    memory[SPCR + 35]--;
    place_root(true, (const paddr_t[]){MEMORY_SIZE - 20}, 1);
    refused(-EINVAL, "cannot be read");
    memcpy(memory + MEMORY_SIZE - 40, "APIC\xff\xff\x00\x00", 8);
    place_root(true, (const paddr_t[]){MEMORY_SIZE - 40}, 1);
    refused(-EINVAL, "cannot be read");
    memcpy(memory + MEMORY_SIZE - 40, "APIC\xff\xff\xff\x00", 8);
    refused(-EINVAL, "APIC is too long");
}

static void a_table_that_changes_is_refused(void **state)
{
    changes_at = MCFG + ACPI_HEADER_LENGTH;
    refused(-EINVAL, "MCFG changed while it was read");
}

static void missing_tables_are_named(void **state)
{
    place_root(true, (const paddr_t[]){MCFG, DMAR}, 2);
    refused(-ENOENT, "no MADT table");
    place_root(true, (const paddr_t[]){MADT, DMAR}, 2);
    refused(-ENOENT, "no MCFG table");
    place_root(true, (const paddr_t[]){MADT, MCFG}, 2);
    refused(-ENOENT, "no DMAR table");
    assert_int_equal(info.ecam_count, 1); /* what came before the error is valid */
}

static void more_tables_than_fit_are_refused(void **state)
{
    paddr_t entries[257];

    for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
        entries[i] = OTHER + i * 64;
        begin(&t, "SSDT");
        place_finished(entries[i]);
    }
    place_root(true, entries, ARRAY_SIZE(entries));
    refused(-ENOSPC, "more than 256 tables");
}

static void the_first_of_two_tables_counts(void **state)
{
    build_dmar(0xfec91000);
    place_finished(DMAR2);
    place_root(true, (const paddr_t[]){MADT, MCFG, DMAR, DMAR2}, 4);
    assert_int_equal(find(RSDP), 0);
    assert_int_equal(info.dmar.units[0].registers, 0xfed90000);
    place_root(true, (const paddr_t[]){MADT, MCFG, DMAR2, DMAR}, 4);
    assert_int_equal(find(RSDP), 0);
    assert_int_equal(info.dmar.units[0].registers, 0xfec91000);
}

static void every_allocation_fails_in_turn(void **state)
{
    uint64_t n = 0;

    do {
        host_fail_nth(++n);
        assert_int_equal(find(RSDP), host_failed() ? -ENOMEM : 0);
        forget(&info);
        assert_int_equal(heap_used(), 0);
    } while (host_failed());
    host_fail_nth(0);
    assert_true(n > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(revision_2_leads_to_every_table),
        TEST(revision_0_leads_to_every_table),
        TEST(revision_2_without_an_xsdt_uses_the_rsdt),
        TEST(the_bios_areas_are_searched),
        TEST(bad_root_pointers_are_refused),
        TEST(bad_root_tables_are_refused),
        TEST(tables_that_overlap_or_lead_back_are_refused),
        TEST(bad_tables_are_refused_by_name),
        TEST(a_table_that_changes_is_refused),
        TEST(missing_tables_are_named),
        TEST(more_tables_than_fit_are_refused),
        TEST(the_first_of_two_tables_counts),
        TEST(every_allocation_fails_in_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
