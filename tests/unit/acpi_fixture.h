/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of a machine like QEMU's q35 in a simulated memory; tests break one thing in it. */
#ifndef TESTS_UNIT_ACPI_FIXTURE_H
#define TESTS_UNIT_ACPI_FIXTURE_H

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

static inline int read_memory(void *context, paddr_t at, void *to, size_t length)
{
    if (at > MEMORY_SIZE || length > MEMORY_SIZE - at)
        return -EFAULT;
    memcpy(to, memory + at, length);
    if (changes_at >= at && changes_at < at + length)
        memory[changes_at]++;
    return 0;
}

static const struct acpi_memory machine = {read_memory, NULL};

static inline void place(paddr_t at)
{
    memcpy(memory + at, t.bytes, t.length);
}

static inline void place_finished(paddr_t at)
{
    finish(&t);
    place(at);
}

static inline void place_root(bool wide, const paddr_t *entries, size_t count)
{
    begin(&t, wide ? "XSDT" : "RSDT");
    for (size_t i = 0; i < count; i++)
        put(&t, entries[i], wide ? 8 : 4);
    place_finished(ROOT);
}

static inline void place_rsdp(paddr_t at, unsigned revision)
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

static inline void begin_madt(void)
{
    begin(&t, "APIC");
    put(&t, 0xfee00000, 4);
    put(&t, 1, 4);
}

static inline void begin_mcfg(uint64_t base, unsigned segment, unsigned first, unsigned last)
{
    begin(&t, "MCFG");
    put_zeros(&t, 8);
    put(&t, base, 8);
    put(&t, segment, 2);
    put(&t, first, 1);
    put(&t, last, 1);
    put_zeros(&t, 4);
}

static inline void build_dmar(uint64_t registers)
{
    begin(&t, "DMAR");
    put(&t, 38, 1);
    put(&t, DMAR_INTR_REMAP, 1);
    put_zeros(&t, 10);
    put(&t, 0, 2);
    put(&t, 16, 2);
    put(&t, 1, 4);
    put(&t, registers, 8);
}

static inline void build_madt(void)
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

static inline void build_fadt(void)
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

static inline void build_spcr(unsigned type, unsigned space, uint64_t address)
{
    begin(&t, "SPCR");
    put_zeros(&t, 80 - t.length);
    set(&t, 36, type, 1);
    set(&t, 40, space, 1);
    set(&t, 44, address, 8);
}

/* A machine like QEMU's q35. Tests break one thing in it. */
static inline int build_machine(void **state)
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
    build_dmar(0xfed90000);
    place_finished(DMAR);
    place_root(true, entries, ARRAY_SIZE(entries));
    place_rsdp(RSDP, 2);
    return 0;
}

static inline int no_leak(void **state)
{
    forget(&info);
    return heap_used() == 0 ? 0 : -1;
}

static inline int find(paddr_t rsdp)
{
    forget(&info);
    return acpi_find(&machine, rsdp, &info, &why);
}

static inline void refused_from(paddr_t rsdp, int error, const char *sentence)
{
    assert_int_equal(find(rsdp), error);
    if (!strstr(why.sentence, sentence))
        fail_msg("'%s' does not say '%s'", why.sentence, sentence);
}

static inline void refused(int error, const char *sentence)
{
    refused_from(RSDP, error, sentence);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, build_machine, no_leak)

#endif
