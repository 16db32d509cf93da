/* SPDX-License-Identifier: BSD-2-Clause */
/* Root pointers, root tables and the tables behind them, in a simulated physical memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "tests/unit/acpi_builder.h"
#include "tests/unit/host_heap.h"

#define MEMORY_SIZE (2 * MIB)
#define RSDP        0xf5a80
#define ROOT        0x110000
#define SPCR        0x120000
#define FADT        0x121000
#define MADT        0x122000
#define MCFG        0x123000
#define DMAR        0x124000
#define DMAR2       0x125000
#define OTHER       0x126000
#define DSDT        0x127000

static uint8_t memory[MEMORY_SIZE];
static struct table t;
static struct acpi_info info;
static struct refusal why;
/* Where to change a byte after the first read, as a hostile firmware could. */
static paddr_t changes_at;

static int read_memory(void *context, paddr_t at, void *to, size_t length)
{
    if (at > MEMORY_SIZE || length > MEMORY_SIZE - at)
        return -EFAULT;
    memcpy(to, memory + at, length);
    if (changes_at >= at && changes_at < at + length)
        memory[changes_at]++;
    return 0;
}

static const struct acpi_memory machine = {read_memory, NULL};

static void place(paddr_t at)
{
    memcpy(memory + at, t.bytes, t.length);
}

static void place_finished(paddr_t at)
{
    finish(&t);
    place(at);
}

static void place_root(bool wide, const paddr_t *entries, size_t count)
{
    begin(&t, wide ? "XSDT" : "RSDT");
    for (size_t i = 0; i < count; i++)
        put(&t, entries[i], wide ? 8 : 4);
    place_finished(ROOT);
}

static void place_rsdp(paddr_t at, unsigned revision)
{
    t.length = 0;
    put_zeros(&t, 36);
    memcpy(t.bytes, "RSD PTR ", 8);
    t.bytes[15] = (uint8_t)revision;
    set(&t, 16, revision ? 0 : ROOT, 4);
    t.bytes[8] = (uint8_t)-acpi_sum(t.bytes, 20);
    if (revision) {
        set(&t, 20, 36, 4);
        set(&t, 24, ROOT, 8);
        t.bytes[32] = (uint8_t)-acpi_sum(t.bytes, 36);
    } else {
        t.length = 20;
    }
    place(at);
}

static void begin_madt(void)
{
    begin(&t, "APIC");
    put(&t, 0xfee00000, 4);
    put(&t, 1, 4);
}

static void begin_mcfg(uint64_t base, unsigned segment, unsigned first, unsigned last)
{
    begin(&t, "MCFG");
    put_zeros(&t, 8);
    put(&t, base, 8);
    put(&t, segment, 2);
    put(&t, first, 1);
    put(&t, last, 1);
    put_zeros(&t, 4);
}

static void build_dmar(const char *oem, uint64_t registers)
{
    begin(&t, "DMAR");
    memcpy(t.bytes + ACPI_HEADER_OEM_ID, oem, 6);
    put(&t, 38, 1);
    put(&t, DMAR_INTR_REMAP, 1);
    put_zeros(&t, 10);
    put(&t, 0, 2);
    put(&t, 16, 2);
    put(&t, 1, 4);
    put(&t, registers, 8);
}

static void build_madt(void)
{
    begin_madt();
    put(&t, 0x0800, 2); /* local APIC of processor 3, id 7, enabled */
    put(&t, 0x0703, 2);
    put(&t, 1, 4);
    put(&t, 0x0800, 2); /* a disabled one */
    put(&t, 0x0804, 2);
    put(&t, 0, 4);
    put(&t, 0x0c01, 2); /* I/O APIC 2 */
    put(&t, 2, 2);
    put(&t, 0xfec00000, 4);
    put(&t, 24, 4);
    put(&t, 0x0a02, 2); /* ISA 0 is GSI 2; as the bus does */
    put(&t, 0, 2);
    put(&t, 2, 4);
    put(&t, 0, 2);
    put(&t, 0x0a02, 2); /* ISA 9: active low, level */
    put(&t, 9 << 8, 2);
    put(&t, 9, 4);
    put(&t, 0xf, 2);
    put(&t, 0x1009, 2); /* x2APIC id 300 */
    put(&t, 0, 2);
    put(&t, 300, 4);
    put(&t, 1, 4);
    put(&t, 5, 4);
    put(&t, 0x0604, 2); /* NMI: not of interest */
    put_zeros(&t, 4);
}

static void build_fadt(void)
{
    begin(&t, "FACP");
    put_zeros(&t, 244 - t.length);
    set(&t, 76, 0x608, 4);
    set(&t, 91, 4, 1);
    set(&t, 112, (1 << 8) | (1 << 10), 4);
    set(&t, 116, 1, 1); /* reset register: port 0xcf9 */
    set(&t, 120, 0xcf9, 8);
    set(&t, 128, 0x0f, 1);
}

static void build_spcr(unsigned type, unsigned space, uint64_t address)
{
    begin(&t, "SPCR");
    put_zeros(&t, 80 - t.length);
    set(&t, 36, type, 1);
    set(&t, 40, space, 1);
    set(&t, 44, address, 8);
}

/* A machine like QEMU's q35. Tests break one thing in it. */
static int build_machine(void **state)
{
    const paddr_t entries[] = {FADT, 0, MADT, MCFG, SPCR, DMAR};

    memset(memory, 0, sizeof(memory));
    changes_at = PADDR_NONE;
    build_fadt();
    place_finished(FADT);
    build_madt();
    place_finished(MADT);
    begin_mcfg(0xb0000000, 0, 0, 255);
    place_finished(MCFG);
    build_spcr(0, 1, 0x2f8);
    place_finished(SPCR);
    build_dmar("BULKHD", 0xfed90000);
    place_finished(DMAR);
    place_root(true, entries, ARRAY_SIZE(entries));
    place_rsdp(RSDP, 2);
    return 0;
}

static int no_leak(void **state)
{
    return heap_used() == 0 ? 0 : -1;
}

static int find(paddr_t rsdp)
{
    return acpi_find(&machine, rsdp, NULL, &info, &why);
}

static void refused_from(paddr_t rsdp, int error, const char *sentence)
{
    assert_int_equal(find(rsdp), error);
    if (!strstr(why.sentence, sentence))
        fail_msg("'%s' does not say '%s'", why.sentence, sentence);
}

static void refused(int error, const char *sentence)
{
    refused_from(RSDP, error, sentence);
}

static void check_machine(void)
{
    assert_int_equal(info.local_apic, 0xfee00000);
    assert_true(info.legacy_pics);
    assert_int_equal(info.cpu_count, 2);
    assert_int_equal(info.cpu_apic_ids[0], 7);
    assert_int_equal(info.cpu_apic_ids[1], 300);
    assert_int_equal(info.io_apic_count, 1);
    assert_int_equal(info.io_apics[0].id, 2);
    assert_int_equal(info.io_apics[0].base, 0xfec00000);
    assert_int_equal(info.io_apics[0].gsi_base, 24);
    assert_int_equal(info.override_count, 2);
    assert_int_equal(info.overrides[0].gsi, 2);
    assert_false(info.overrides[0].level || info.overrides[0].active_low);
    assert_int_equal(info.overrides[1].source, 9);
    assert_true(info.overrides[1].level && info.overrides[1].active_low);
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

static void revision_2(void **state)
{
    assert_int_equal(find(RSDP), 0);
    check_machine();
}

static void revision_0(void **state)
{
    const paddr_t entries[] = {FADT, MADT, MCFG, SPCR, DMAR};

    place_root(false, entries, ARRAY_SIZE(entries));
    place_rsdp(RSDP, 0);
    assert_int_equal(find(RSDP), 0);
    check_machine();
}

static void revision_2_without_xsdt(void **state)
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

static void search_in_the_bios_areas(void **state)
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

static void bad_root_pointers(void **state)
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

static void bad_root_tables(void **state)
{
    memory[ROOT] = 'Y';
    refused(-EINVAL, "does not lead to an XSDT");
    memory[ROOT] = 'X';
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

static void tables_that_overlap_or_lead_back(void **state)
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

static void bad_tables(void **state)
{
    const paddr_t all[] = {FADT, MADT, MCFG, SPCR, DMAR};
    static const char *const names[] = {"FACP", "APIC", "MCFG", "SPCR", "DMAR"};

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        char sentence[64];

        memory[all[i] + 35]++;
        snprintf(sentence, sizeof(sentence), "%s has a wrong checksum", names[i]);
        refused(-EINVAL, sentence);
        memory[all[i] + 35]--;
    }
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

static void missing_tables(void **state)
{
    place_root(true, (const paddr_t[]){MCFG, DMAR}, 2);
    refused(-ENOENT, "no MADT table");
    place_root(true, (const paddr_t[]){MADT, DMAR}, 2);
    refused(-ENOENT, "no MCFG table");
    place_root(true, (const paddr_t[]){MADT, MCFG}, 2);
    refused(-ENOENT, "no DMAR table");
    assert_int_equal(info.ecam_count, 1); /* what came before the error is valid */
}

static void too_many_tables(void **state)
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

static void the_dmar_is_chosen_by_oem_id(void **state)
{
    build_dmar("OTHER1", 0xfec91000);
    place_finished(DMAR2);
    place_root(true, (const paddr_t[]){MADT, MCFG, DMAR, DMAR2}, 4);
    assert_int_equal(find(RSDP), 0);
    assert_int_equal(info.dmar.units[0].registers, 0xfed90000);
    assert_int_equal(acpi_find(&machine, RSDP, "OTHER1", &info, &why), 0);
    assert_int_equal(info.dmar.units[0].registers, 0xfec91000);
    assert_string_equal(info.dmar.oem_id, "OTHER1");
    assert_int_equal(acpi_find(&machine, RSDP, "NONE", &info, &why), -ENOENT);
    assert_non_null(strstr(why.sentence, "OEM id 'NONE'"));
}

static void bad_madt(void **state)
{
    begin(&t, "APIC");
    put_zeros(&t, 7);
    place_finished(MADT);
    refused(-EINVAL, "MADT is too short");
    begin_madt();
    put(&t, 0, 1);
    place_finished(MADT);
    refused(-EINVAL, "offset 44 has an impossible length");
    begin_madt();
    put(&t, 0x0100, 2);
    place_finished(MADT);
    refused(-EINVAL, "offset 44 has an impossible length");
    begin_madt();
    put(&t, 0x0900, 2);
    put_zeros(&t, 6);
    place_finished(MADT);
    refused(-EINVAL, "offset 44 has an impossible length");
    begin_madt();
    put(&t, 0x0401, 2);
    put_zeros(&t, 2);
    place_finished(MADT);
    refused(-EINVAL, "entry of type 1 is too short");
    begin_madt();
    put(&t, 0x0c01, 2);
    put_zeros(&t, 10);
    place_finished(MADT);
    refused(-EINVAL, "puts I/O APIC 0 at 0x0");
    begin_madt();
    put(&t, 0x0a02, 2);
    put(&t, 0x1000, 2); /* ISA has 16 interrupts */
    put_zeros(&t, 6);
    place_finished(MADT);
    refused(-EINVAL, "overrides interrupt 16 of bus 0");
    begin_madt();
    set(&t, 36, 0xfee00010, 4);
    place_finished(MADT);
    refused(-EINVAL, "puts the local APIC at 0xfee00010");
}

static void full_madt(void **state)
{
    begin_madt();
    for (unsigned i = 0; i <= ACPI_IO_APICS_MAX; i++) {
        put(&t, 0x0c01, 2);
        put(&t, i, 2);
        put(&t, 0xfec00000 + i * 0x1000, 4);
        put(&t, i * 24, 4);
    }
    place_finished(MADT);
    refused(-ENOSPC, "more than 16 I/O APICs");
    begin_madt();
    for (unsigned i = 0; i <= ACPI_OVERRIDES_MAX; i++) {
        put(&t, 0x0a02, 2);
        put_zeros(&t, 8);
    }
    place_finished(MADT);
    refused(-ENOSPC, "more than 32 overrides");
    begin_madt();
    for (unsigned i = 0; i < ACPI_CPUS_MAX + 10; i++) {
        put(&t, 0x0800, 2);
        put(&t, (i & 255) << 8, 2);
        put(&t, 1, 4);
    }
    place_finished(MADT);
    assert_int_equal(find(RSDP), 0);
    assert_int_equal(info.cpu_count, ACPI_CPUS_MAX + 10);
}

static void madt_with_a_64_bit_local_apic(void **state)
{
    begin_madt();
    put(&t, 0x0c05, 2);
    put_zeros(&t, 2);
    put(&t, UINT64_C(0x1fee00000), 8);
    place_finished(MADT);
    assert_int_equal(find(RSDP), 0);
    assert_int_equal(info.local_apic, UINT64_C(0x1fee00000));
}

static void bad_mcfg(void **state)
{
    begin(&t, "MCFG");
    put_zeros(&t, 8);
    place_finished(MCFG);
    refused(-EINVAL, "MCFG has an impossible length");
    begin_mcfg(0xb0000000, 0, 0, 255);
    put_zeros(&t, 15);
    place_finished(MCFG);
    refused(-EINVAL, "MCFG has an impossible length");
    begin_mcfg(0xb0000000, 1, 9, 8);
    place_finished(MCFG);
    refused(-EINVAL, "buses 9 to 8 of segment 1");
    begin_mcfg(0, 0, 0, 255);
    place_finished(MCFG);
    refused(-EINVAL, "segment 0 at 0x0");
    begin_mcfg(0xb0001000, 0, 0, 255);
    place_finished(MCFG);
    refused(-EINVAL, "segment 0 at 0xb0001000");
    begin_mcfg(UINT64_C(0xfffffffff0000000), 0, 0, 0);
    place_finished(MCFG);
    refused(-EINVAL, "segment 0 at 0xfffffffff0000000");
}

static void two_ecam_windows(void **state)
{
    begin_mcfg(0xb0000000, 0, 0, 127);
    put(&t, 0xb0000000, 8);
    put(&t, 1, 2);
    put(&t, 0xff80, 2);
    put_zeros(&t, 4);
    place_finished(MCFG);
    assert_int_equal(find(RSDP), 0);
    assert_int_equal(info.ecam_count, 2);
    assert_int_equal(info.ecams[1].first_bus, 128);
    set(&t, 68, 0, 2); /* the same segment: buses apart, still fine */
    place_finished(MCFG);
    assert_int_equal(find(RSDP), 0);
    set(&t, 70, 0xff7f, 2); /* bus 127 twice */
    place_finished(MCFG);
    refused(-EINVAL, "describes segment 0 bus 127 twice");
    set(&t, 68, 1, 2); /* other segment, same addresses */
    place_finished(MCFG);
    refused(-EINVAL, "describes segment 1 bus 127 twice");
}

static void too_many_ecam_windows(void **state)
{
    begin_mcfg(0x80000000, 0, 0, 0);
    for (unsigned i = 1; i <= ACPI_ECAMS_MAX; i++) {
        put(&t, 0x80000000 + i * MIB, 8);
        put(&t, i, 2);
        put_zeros(&t, 6);
    }
    place_finished(MCFG);
    refused(-ENOSPC, "more than 16 entries");
}

static void fixed_registers(void **state)
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

/* Name (\\_S5, Package (4) {5, 7, Zero, Zero}), behind other things that look like it. */
static const uint8_t s5[] = {0x10, 0x05, '_',  'S',  '5',  '_', 0x08, '_', 'S', '5',
                             '_',  0x0a, 5,    0x08, '\\', '_', 'S',  '5', '_', 0x12,
                             8,    4,    0x0a, 5,    0x0a, 7,   0,    0};

static void soft_off(void **state)
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
static void soft_off_of_the_machine(void **state)
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

static void consoles(void **state)
{
    build_spcr(0, 1, 0x3f8);
    t.length = 51;
    place_finished(SPCR);
    refused(-EINVAL, "SPCR is too short");
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

static void every_allocation_fails_in_turn(void **state)
{
    uint64_t n = 0;

    do {
        host_fail_nth(++n);
        assert_int_equal(find(RSDP), host_failed() ? -ENOMEM : 0);
        assert_int_equal(heap_used(), 0);
    } while (host_failed());
    host_fail_nth(0);
    assert_true(n > 5);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, build_machine, no_leak)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(revision_2),
        TEST(revision_0),
        TEST(revision_2_without_xsdt),
        TEST(search_in_the_bios_areas),
        TEST(bad_root_pointers),
        TEST(bad_root_tables),
        TEST(tables_that_overlap_or_lead_back),
        TEST(bad_tables),
        TEST(a_table_that_changes_is_refused),
        TEST(missing_tables),
        TEST(too_many_tables),
        TEST(the_dmar_is_chosen_by_oem_id),
        TEST(bad_madt),
        TEST(full_madt),
        TEST(madt_with_a_64_bit_local_apic),
        TEST(bad_mcfg),
        TEST(two_ecam_windows),
        TEST(too_many_ecam_windows),
        TEST(fixed_registers),
        cmocka_unit_test(soft_off),
        TEST(soft_off_of_the_machine),
        TEST(consoles),
        TEST(every_allocation_fails_in_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
