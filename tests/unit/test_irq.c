/* SPDX-License-Identifier: BSD-2-Clause */
/* MSI and MSI-X through interrupt-remapping entries, as the device and the unit see them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/cpu/trap.h"
#include "kernel/iommu/remap.h"
#include "kernel/irq/irq.h"
#include "kernel/lib/error.h"
#include "kernel/pci/registers.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/iommu_machine.h"

#define MSI        0x50
#define MSIX       0x70
#define BAR        UINT64_C(0xfe000000)
#define BAR_SIZE   (4 * PAGE_SIZE)
#define TABLE      0x1000
#define PENDING    0x2ff8
#define MSIX_COUNT 65

static uint8_t *bar;
static unsigned calls[256];
static int context_word;

static void on_irq(void *context, unsigned index)
{
    assert_ptr_equal(context, &context_word);
    calls[index]++;
}

static struct pci_device *device(void)
{
    return pci_find(0, DEVICE);
}

/* 32 vectors, 64-bit; per-vector masks if asked. */
static void give_msi(struct pci_device *to, uint16_t control)
{
    to->cap_msi = MSI;
    pci_write16(to, MSI + 2, control);
}

static void give_msix(struct pci_device *to)
{
    to->cap_msix = MSIX;
    pci_write16(to, MSIX + 2, MSIX_COUNT - 1);
    pci_write32(to, MSIX + 4, TABLE | 2);
    pci_write32(to, MSIX + 8, PENDING | 2);
    to->bars[2] = (struct pci_bar){.base = BAR, .size = BAR_SIZE, .flags = PCI_BAR_64};
}

static struct vtd_unit *start(uint64_t cap, const struct iommu_options *options)
{
    struct vtd_unit *unit = machine_build(cap, VTD_TEST_ECAP);

    bar = host_bar_add(BAR, BAR_SIZE);
    give_msi(device(), 0x18a);
    give_msix(device());
    memset(calls, 0, sizeof(calls));
    assert_int_equal(machine_init(options), 0);
    return unit;
}

/* The device raises MSI vector `index`: the low bits of the data are its own to set. */
static unsigned raise_msi(struct vtd_unit *unit, uint16_t rid, unsigned index)
{
    uint64_t address = pci_read32(device(), MSI + 4) | (uint64_t)pci_read32(device(), MSI + 8)
                                                           << 32;
    uint32_t destination, data = pci_read16(device(), MSI + 12) | index;
    uint8_t vector;
    bool level;
    unsigned reason = vtd_unit_interrupt(unit, rid, address, data, &vector, &destination, &level);

    if (!reason)
        assert_true(host_raise(vector));
    return reason;
}

static uint32_t entry_word(unsigned index, unsigned word)
{
    uint32_t value;

    memcpy(&value, bar + TABLE + index * 16 + word * 4, 4);
    return value;
}

static unsigned raise_msix(struct vtd_unit *unit, uint16_t rid, unsigned index)
{
    uint64_t address = entry_word(index, 0) | (uint64_t)entry_word(index, 1) << 32;
    uint32_t destination;
    uint8_t vector;
    bool level;
    unsigned reason =
        vtd_unit_interrupt(unit, rid, address, entry_word(index, 2), &vector, &destination, &level);

    if (!reason)
        assert_true(host_raise(vector));
    return reason;
}

static struct irq_set *enable(enum irq_kind kind, unsigned count)
{
    struct irq_set *set;

    assert_int_equal(irq_enable(device(), kind, count, on_irq, &context_word, &set), 0);
    for (unsigned v = 0; v < count; v++)
        irq_mask(set, v, false);
    return set;
}

/* ---- MSI ---- */

static void msi_vectors_arrive_through_remapping(void **state)
{
    static const unsigned counts[] = {1, 2, 3, 8, 17, 32};

    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        struct vtd_unit *unit = start(VTD_TEST_CAP, NULL);
        unsigned vectors = host_vectors(), log2 = 0;
        struct irq_set *set;

        assert_int_equal(irq_count(device(), IRQ_MSI), 32);
        set = enable(IRQ_MSI, counts[i]);
        while ((1u << log2) < counts[i])
            log2++;
        assert_int_equal(pci_read16(device(), MSI + 2) & 0x71, 1 | log2 << 4);
        for (unsigned v = 0; v < counts[i]; v++) {
            assert_int_equal(raise_msi(unit, DEVICE, v), 0);
            assert_int_equal(calls[v], 1);
        }
        /* Rounded up to a power of two: what nobody asked for is refused. */
        for (unsigned v = counts[i]; v < 1u << log2; v++)
            assert_int_equal(raise_msi(unit, DEVICE, v), 0x22);
        irq_disable(set);
        assert_int_equal(pci_read16(device(), MSI + 2) & 0x71, 0);
        assert_int_equal(raise_msi(unit, DEVICE, 0), 0x22);
        assert_int_equal(host_vectors(), vectors);
        assert_int_equal(machine_unit()->remap.in_use, 0);
        machine_stop();
    }
}

/* The vectors a device may send beyond the ones in use belong to nobody else, not even to itself.
 */
static void msi_keeps_its_whole_block(void **state)
{
    struct vtd_unit *unit = start(VTD_TEST_CAP, NULL);
    struct irq_set *first = enable(IRQ_MSI, 3), *second = enable(IRQ_MSIX, 1);

    assert_int_equal(raise_msi(unit, DEVICE, 3), 0x22);
    irq_disable(second);
    irq_disable(first);
    machine_stop();
}

/* Nothing keeps their interrupts: who does not want them has to ignore them. */
static void msi_without_mask_bits_cannot_be_masked(void **state)
{
    struct vtd_unit *unit = start(VTD_TEST_CAP, NULL);
    struct irq_set *set;

    give_msi(device(), 0x8a); /* no per-vector masks */
    set = enable(IRQ_MSI, 2);
    assert_false(irq_mask(set, 1, true));
    assert_int_equal(raise_msi(unit, DEVICE, 1), 0);
    assert_int_equal(calls[1], 1);
    assert_false(irq_mask(set, 1, false));
    assert_int_equal(calls[1], 1);
    assert_false(irq_mask(set, 7, true)); /* no such vector: nothing happens */
    irq_disable(set);
    machine_stop();
}

static void msi_mask_bits_are_used_where_they_exist(void **state)
{
    struct vtd_unit *unit = start(VTD_TEST_CAP, NULL);
    struct irq_set *set;

    assert_int_equal(irq_enable(device(), IRQ_MSI, 3, on_irq, &context_word, &set), 0);
    assert_int_equal(pci_read32(device(), MSI + 16), 0xffffffff);
    assert_true(irq_mask(set, 2, false));
    assert_int_equal(pci_read32(device(), MSI + 16), 0xfffffffb);
    assert_true(irq_mask(set, 0, false));
    assert_true(irq_mask(set, 2, true));
    assert_int_equal(pci_read32(device(), MSI + 16), 0xfffffffe);
    assert_false(irq_mask(set, 3, false)); /* no such vector: nothing happens */
    assert_int_equal(pci_read32(device(), MSI + 16), 0xfffffffe);
    assert_true(irq_mask(set, 2, false));
    assert_int_equal(raise_msi(unit, DEVICE, 2), 0);
    assert_int_equal(calls[2], 1);
    irq_disable(set);
    give_msi(device(), 0x182); /* two vectors: the other mask bits do not exist */
    set = enable(IRQ_MSI, 1);
    assert_int_equal(pci_read32(device(), MSI + 16), 2);
    irq_disable(set);
    machine_stop();
}

/* What a reset of the function cleared is there again, masks and all. */
static void msi_is_programmed_again(void **state)
{
    struct vtd_unit *unit = start(VTD_TEST_CAP, NULL);
    struct irq_set *set = enable(IRQ_MSI, 4);

    irq_mask(set, 1, true);
    pci_write16(device(), MSI + 2, 0x18a);
    for (unsigned offset = 4; offset < 20; offset += 4)
        pci_write32(device(), MSI + offset, 0);
    irq_restore(set);
    assert_int_equal(pci_read16(device(), MSI + 2), 0x1ab);
    assert_int_equal(pci_read32(device(), MSI + 16), 0xfffffff2);
    assert_int_equal(raise_msi(unit, DEVICE, 3), 0);
    assert_int_equal(calls[3], 1);
    irq_disable(set);
    machine_stop();
}

/* A 32-bit capability has its data right behind the address. */
static void msi_with_32_bit_addresses(void **state)
{
    struct irq_set *set;

    start(VTD_TEST_CAP, NULL);
    give_msi(device(), 0x00);
    pci_write32(device(), MSI + 12, 0x11111111);
    set = enable(IRQ_MSI, 1);
    assert_int_equal(pci_read32(device(), MSI + 4) & 0xfff00010, 0xfee00010);
    assert_int_equal(pci_read32(device(), MSI + 12), 0x11111111);
    irq_disable(set);
    machine_stop();
}

/* ---- MSI-X ---- */

static void msix_vectors_arrive_through_remapping(void **state)
{
    struct vtd_unit *unit = start(VTD_TEST_CAP, NULL);
    struct irq_set *set;

    assert_true(irq_remapped(device()));
    assert_int_equal(irq_count(device(), IRQ_MSIX), MSIX_COUNT);
    set = enable(IRQ_MSIX, MSIX_COUNT);
    assert_int_equal(pci_read16(device(), MSIX + 2) & 0xc000, 0x8000);
    for (unsigned v = 0; v < MSIX_COUNT; v++) {
        assert_int_equal(raise_msix(unit, DEVICE, v), 0);
        assert_int_equal(calls[v], 1);
        assert_int_equal(entry_word(v, 3), 0);
    }
    assert_true(irq_mask(set, 64, true));
    assert_int_equal(entry_word(64, 3), 1);
    assert_true(irq_mask(set, 64, false));
    assert_int_equal(entry_word(64, 3), 0);
    irq_disable(set);
    assert_int_equal(pci_read16(device(), MSIX + 2) & 0xc000, 0);
    assert_int_equal(raise_msix(unit, DEVICE, 3), 0x22);
    assert_int_equal(host_mapped(), 1); /* the unit's own registers */
    machine_stop();
}

/* Entries of an earlier user must not fire: all but the ones in use are masked. */
static void msix_masks_what_is_not_used(void **state)
{
    struct irq_set *set;

    start(VTD_TEST_CAP, NULL);
    memset(bar + TABLE, 0xff, MSIX_COUNT * 16);
    set = enable(IRQ_MSIX, 2);
    for (unsigned v = 0; v < 2; v++) {
        assert_int_equal(entry_word(v, 0), 0xfee00018 | v << 5);
        assert_int_equal(entry_word(v, 1), 0);
        assert_int_equal(entry_word(v, 2), 0);
        assert_int_equal(entry_word(v, 3), 0);
    }
    for (unsigned v = 2; v < MSIX_COUNT; v++)
        assert_int_equal(entry_word(v, 3), 1);
    irq_disable(set);
    machine_stop();
}

/* Some devices ignore their table while MSI-X is off. And no vector fires while it is written. */
static void enabled_and_all_masked(void)
{
    uint16_t control = pci_read16(device(), MSIX + 2) & 0xc000;
    bool unmasked = false;

    for (unsigned v = 0; v < MSIX_COUNT; v++)
        unmasked |= !(entry_word(v, 3) & 1);
    assert_true(control == 0xc000 || (control == 0x8000 && !unmasked));
}

static void msix_is_on_and_masked_while_its_table_is_written(void **state)
{
    struct irq_set *set;

    start(VTD_TEST_CAP, NULL);
    memset(bar + TABLE, 0, MSIX_COUNT * 16);
    host_on_bar_access = enabled_and_all_masked;
    assert_int_equal(irq_enable(device(), IRQ_MSIX, 3, on_irq, &context_word, &set), 0);
    host_on_bar_access = NULL;
    assert_int_equal(pci_read16(device(), MSIX + 2) & 0xc000, 0x8000);
    for (unsigned v = 0; v < MSIX_COUNT; v++)
        assert_int_equal(entry_word(v, 3), 1);
    irq_disable(set);
    machine_stop();
}

static uint32_t unmasked_address;

/* An entry that is not masked must not change. */
static void entry_0_changes_masked(void)
{
    if (!(entry_word(0, 3) & 1))
        assert_int_equal(entry_word(0, 0), unmasked_address);
}

/* A table that the program or a reset of the device has spoiled: all of an entry is written. */
static void msix_entries_are_written_afresh(void **state)
{
    struct vtd_unit *unit = start(VTD_TEST_CAP, NULL);
    struct irq_set *set = enable(IRQ_MSIX, 2);

    memset(bar + TABLE, 0, MSIX_COUNT * 16);
    assert_true(raise_msix(unit, DEVICE, 0) != 0);
    unmasked_address = entry_word(0, 0);
    host_on_bar_access = entry_0_changes_masked;
    irq_mask(set, 0, true);
    host_on_bar_access = NULL;
    irq_mask(set, 0, false);
    assert_int_equal(raise_msix(unit, DEVICE, 0), 0);
    assert_int_equal(calls[0], 1);
    irq_mask(set, 1, true);
    memset(bar + TABLE, 0, MSIX_COUNT * 16);
    pci_write16(device(), MSIX + 2, MSIX_COUNT - 1);
    host_on_bar_access = enabled_and_all_masked;
    irq_restore(set);
    host_on_bar_access = NULL;
    assert_int_equal(pci_read16(device(), MSIX + 2) & 0xc000, 0x8000);
    assert_int_equal(raise_msix(unit, DEVICE, 0), 0);
    assert_int_equal(entry_word(1, 3), 1);
    assert_int_equal(entry_word(2, 3), 1);
    irq_disable(set);
    machine_stop();
}

/* A device that says later that its table is longer: only what was mapped is touched. */
static void msix_tables_do_not_grow(void **state)
{
    struct irq_set *set;

    start(VTD_TEST_CAP, NULL);
    set = enable(IRQ_MSIX, 1);
    pci_write16(device(), MSIX + 2, 0x7ff);
    irq_restore(set);
    irq_disable(set);
    assert_int_equal(host_mapped(), 1);
    machine_stop();
}

static unsigned accesses;

static void decoding_is_on(void)
{
    assert_true(pci_read16(device(), PCI_COMMAND) & PCI_COMMAND_MEMORY);
    accesses++;
}

/* The table is only touched with memory decoding on, and the command register is as before. */
static void msix_needs_memory_decoding_for_a_moment(void **state)
{
    struct irq_set *set;

    start(VTD_TEST_CAP, NULL);
    pci_write16(device(), PCI_COMMAND, PCI_COMMAND_MASTER);
    accesses = 0;
    host_on_bar_access = decoding_is_on;
    set = enable(IRQ_MSIX, 1);
    irq_mask(set, 0, true);
    irq_mask(set, 0, false);
    assert_true(accesses > MSIX_COUNT);
    assert_int_equal(pci_read16(device(), PCI_COMMAND), PCI_COMMAND_MASTER);
    irq_disable(set);
    machine_stop();
}

/* What the device says about its table is not believed. */
static void msix_tables_outside_their_bar_are_refused(void **state)
{
    static const struct {
        uint32_t table;
        struct pci_bar bar;
    } cases[] = {
        {TABLE | 7, {BAR, BAR_SIZE, 0}},
        {TABLE | 6, {BAR, BAR_SIZE, 0}},
        {0x3ff8 | 2, {BAR, BAR_SIZE, 0}},
        {0x3c00 | 2, {BAR, BAR_SIZE, 0}}, /* the 65th entry is outside */
        {0xfffffff8 | 2, {BAR, BAR_SIZE, 0}},
        {TABLE | 2, {BAR, BAR_SIZE, PCI_BAR_IO}},
        {TABLE | 2, {0, BAR_SIZE, 0}},
        {TABLE | 3, {BAR, BAR_SIZE, 0}},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct irq_set *set;
        unsigned vectors;

        start(VTD_TEST_CAP, NULL);
        vectors = host_vectors();
        pci_write32(device(), MSIX + 4, cases[i].table);
        device()->bars[2] = cases[i].bar;
        device()->rom = (struct pci_bar){BAR, BAR_SIZE, 0}; /* a ROM has no number */
        assert_int_equal(irq_enable(device(), IRQ_MSIX, 1, on_irq, &context_word, &set), -ENODEV);
        assert_int_equal(host_vectors(), vectors);
        assert_int_equal(machine_unit()->remap.in_use, 0);
        assert_int_equal(host_mapped(), 1);
        machine_stop();
    }
}

/* ---- source validation ---- */

static void another_device_cannot_use_the_entry(void **state)
{
    struct vtd_unit *unit = start(VTD_TEST_CAP, NULL);
    struct irq_set *set = enable(IRQ_MSIX, 1);
    uint64_t faults = iommu_fault_count();
    char text[FAULT_TEXT_MAX];
    struct fault last;

    assert_int_equal(raise_msix(unit, OTHER, 0), 0x26);
    assert_int_equal(calls[0], 0);
    /* The log names the one who sent it and the one it belongs to. */
    assert_int_equal(iommu_fault_count(), faults + 1);
    assert_int_equal(fault_recent(&last, 1), 1);
    fault_describe(&last, text, sizeof(text));
    assert_string_equal(text, "0000:00:03.0 interrupt with index 0x0 refused: reason 0x26, the "
                              "interrupt came from the wrong source: the entry is for "
                              "0000:00:02.0");
    assert_int_equal(raise_msix(unit, DEVICE, 0), 0);
    assert_int_equal(calls[0], 1);
    irq_disable(set);
    machine_stop();
}

static void pitfall_20_bridges_need_a_bus_range(void **state)
{
    static const struct {
        int type; /* of the bridge above bus 9 */
        pci_rid_t rid;
        enum vtd_source_check check;
        uint16_t id;
    } cases[] = {
        {4, PCI_RID(9, 1, 0), VTD_SOURCE_EXACT, PCI_RID(9, 1, 0)},  /* root port: no alias */
        {7, PCI_RID(9, 1, 0), VTD_SOURCE_BUSES, 0x0909},            /* PCIe to PCI */
        {7, PCI_RID(9, 0, 0), VTD_SOURCE_BUSES, 0x0909},            /* the alias itself */
        {8, PCI_RID(9, 1, 0), VTD_SOURCE_EXACT, PCI_RID(0, 6, 0)},  /* PCI to PCIe: its own id */
        {-1, PCI_RID(9, 1, 0), VTD_SOURCE_EXACT, PCI_RID(0, 6, 0)}, /* conventional */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct pci_device *bridge, *below;
        struct remap_source source;

        start(VTD_TEST_CAP, NULL);
        bridge = host_pci_add(0, PCI_RID(0, 6, 0), NULL);
        host_pci_bridge(bridge, cases[i].type, 9, 9);
        below = host_pci_add(0, cases[i].rid, bridge);
        source = remap_source_of(below);
        assert_int_equal(source.check, cases[i].check);
        assert_int_equal(source.id, cases[i].id);
        machine_stop();
    }
}

/* A conventional bridge below a PCIe-to-PCI bridge: the upper one takes everything over. */
static void nested_bridges_use_the_upper_alias(void **state)
{
    struct pci_device *upper, *lower, *below;
    struct remap_source source;

    start(VTD_TEST_CAP, NULL);
    upper = host_pci_add(0, PCI_RID(0, 6, 0), NULL);
    host_pci_bridge(upper, 7, 9, 10);
    lower = host_pci_add(0, PCI_RID(9, 2, 0), upper);
    host_pci_bridge(lower, -1, 10, 10);
    below = host_pci_add(0, PCI_RID(10, 1, 0), lower);
    source = remap_source_of(below);
    assert_int_equal(source.check, VTD_SOURCE_EXACT);
    assert_int_equal(source.id, PCI_RID(9, 0, 0));
    machine_stop();
}

static void a_bridged_device_interrupts_with_either_id(void **state)
{
    struct vtd_unit *unit = start(VTD_TEST_CAP, NULL);
    struct pci_device *bridge = host_pci_add(0, PCI_RID(0, 6, 0), NULL);
    struct pci_device *below;
    struct irq_set *set;
    uint64_t address;
    uint32_t destination;
    uint8_t vector;
    bool level;

    host_pci_bridge(bridge, 7, 9, 9);
    below = host_pci_add(0, PCI_RID(9, 1, 0), bridge);
    assert_int_equal(requesters_find(), 0);
    give_msi(below, 0x80);
    assert_int_equal(irq_enable(below, IRQ_MSI, 1, on_irq, &context_word, &set), 0);
    address = pci_read32(below, MSI + 4);
    assert_int_equal(
        vtd_unit_interrupt(unit, PCI_RID(9, 0, 0), address, 0, &vector, &destination, &level), 0);
    assert_int_equal(
        vtd_unit_interrupt(unit, PCI_RID(9, 1, 0), address, 0, &vector, &destination, &level), 0);
    assert_int_equal(
        vtd_unit_interrupt(unit, PCI_RID(8, 1, 0), address, 0, &vector, &destination, &level),
        0x26);
    irq_disable(set);
    machine_stop();
}

/* ---- entries ---- */

/* With caching mode the absence of the entry is cached: without the invalidation it stays absent.
 */
static void pitfall_18_entries_are_invalidated_before_use(void **state)
{
    struct vtd_unit *unit = start(CAP_WITH(BIT(7), 0), NULL);
    struct irq_set *set;
    uint32_t destination;
    uint8_t vector;
    bool level;

    for (unsigned index = 0; index < 4; index++)
        assert_int_equal(vtd_unit_interrupt(unit, DEVICE, remap_message_address(index), 0, &vector,
                                            &destination, &level),
                         0x22);
    set = enable(IRQ_MSI, 4);
    assert_int_equal(raise_msi(unit, DEVICE, 3), 0);
    irq_disable(set);
    /* And a present one is forgotten before its index or vector is used again. */
    assert_int_equal(raise_msi(unit, DEVICE, 3), 0x22);
    set = enable(IRQ_MSI, 4);
    assert_int_equal(raise_msi(unit, DEVICE, 3), 0);
    irq_disable(set);
    machine_stop();
}

static struct vtd_irte whole;
static unsigned seen_absent, seen_whole;

static void watch_entry(void)
{
    for (unsigned flushed = 0; flushed < 2; flushed++) {
        struct vtd_irte entry =
            *(const struct vtd_irte *)vtd_memory_seen(machine_unit()->remap.physical, flushed);

        if (!(entry.low & 1))
            seen_absent++;
        else if (entry.low == whole.low && entry.high == whole.high)
            seen_whole++;
        else
            fail_msg("torn entry");
    }
}

static void pitfall_19_entries_are_never_torn(void **state)
{
    struct remap_source source = {VTD_SOURCE_EXACT, DEVICE};
    unsigned first;

    start(VTD_TEST_CAP, NULL);
    assert_int_equal(remap_alloc(machine_unit(), 1, false, &first), 0);
    assert_int_equal(first, 0);
    whole = vtd_irte(0x40, 1, false, false, source.check, source.id);
    seen_absent = seen_whole = 0;
    vtd_memory_on_flush = watch_entry;
    remap_write(machine_unit(), first, 0x40, 1, false, source);
    assert_int_equal(remap_commit(machine_unit(), first, 1), 0);
    assert_true(seen_absent && seen_whole);
    vtd_memory_on_flush = NULL;
    /* An update of a present entry is one 16-byte store. */
    remap_write(machine_unit(), first, 0x41, 2, true, source);
    assert_int_equal(machine_unit()->remap.entries[0].low,
                     vtd_irte(0x41, 2, false, true, source.check, source.id).low);
    assert_int_equal(remap_free(machine_unit(), first, 1), 0);
    machine_stop();
}

static void extended_entries_have_32_bit_destinations(void **state)
{
    struct vtd_irte entry = vtd_irte(0x55, 0x12345678, true, false, VTD_SOURCE_EXACT, 0xabcd);

    assert_int_equal(entry.low, UINT64_C(0x1234567800550001));
    assert_int_equal(entry.high, UINT64_C(0x4abcd));
    entry = vtd_irte(0x55, 0xfe, false, true, VTD_SOURCE_BUSES, 0x0911);
    assert_int_equal(entry.low, UINT64_C(0x0000fe0000550011));
    assert_int_equal(entry.high, UINT64_C(0x80911));
}

static void extended_mode_reaches_any_cpu(void **state)
{
    static const struct iommu_options x2apic = {.x2apic = true};
    struct vtd_unit *unit = machine_build(VTD_TEST_CAP, ECAP_WITH(BIT(4), 0));
    uint32_t destination;
    struct irq_set *set;
    uint8_t vector;
    bool level;

    host_set_apic_id(0x10203);
    give_msi(device(), 0x80);
    assert_int_equal(machine_init(&x2apic), 0);
    set = enable(IRQ_MSI, 1);
    assert_int_equal(vtd_unit_interrupt(unit, DEVICE, pci_read32(device(), MSI + 4), 0, &vector,
                                        &destination, &level),
                     0);
    assert_int_equal(destination, 0x10203);
    irq_disable(set);
    machine_stop();
}

/* Blocks are aligned and contiguous; index bits above 14 have a place of their own. */
static void blocks_fill_a_table_of_65536_entries(void **state)
{
    static const struct iommu_options large = {.remap_entries = 65536};
    unsigned first, blocks = 0;

    start(VTD_TEST_CAP, &large);
    assert_int_equal(remap_alloc(machine_unit(), 1, false, &first), 0);
    while (remap_alloc(machine_unit(), 32, true, &first) == 0) {
        assert_int_equal(first % 32, 0);
        blocks++;
    }
    assert_int_equal(blocks, 65536 / 32 - 1);
    assert_int_equal(remap_message_address(0xffff), UINT64_C(0xfeeffffc));
    assert_int_equal(remap_message_address(0x8001), UINT64_C(0xfee0003c));
    assert_int_equal(remap_alloc(machine_unit(), 31, false, &first), 0);
    assert_int_equal(first, 1);
    assert_int_equal(remap_alloc(machine_unit(), 1, false, &first), -ENOSPC);
    assert_int_equal(remap_free(machine_unit(), 64, 32), 0);
    assert_int_equal(remap_alloc(machine_unit(), 32, true, &first), 0);
    assert_int_equal(first, 64);
    machine_stop();
}

/* ECAP.MHMV bounds one invalidation; a larger block takes several. */
static void entry_invalidations_respect_the_largest_mask(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, ECAP_WITH(2 << 20, 15 << 20), NULL);
    unsigned first;

    assert_int_equal(remap_alloc(machine_unit(), 32, true, &first), 0);
    vtd_unit_forget_events(unit);
    assert_int_equal(remap_commit(machine_unit(), first, 32), 0);
    assert_int_equal(vtd_unit_count(unit, VTD_EVENT_ENTRIES), 8);
    machine_stop();
}

/* ---- failures ---- */

static void refuses_what_cannot_be(void **state)
{
    struct pci_device *bare;
    struct irq_set *set;

    start(VTD_TEST_CAP, NULL);
    bare = pci_find(0, OTHER);
    assert_int_equal(irq_count(bare, IRQ_MSI), 0);
    assert_int_equal(irq_count(bare, IRQ_MSIX), 0);
    pci_write16(device(), MSIX + 2, 0x7ff); /* all that the capability can say */
    assert_int_equal(irq_count(device(), IRQ_MSIX), 2048);
    pci_write16(device(), MSIX + 2, MSIX_COUNT - 1);
    assert_int_equal(irq_enable(bare, IRQ_MSI, 1, on_irq, &context_word, &set), -ENODEV);
    assert_int_equal(irq_enable(device(), IRQ_MSI, 0, on_irq, &context_word, &set), -EINVAL);
    assert_int_equal(irq_enable(device(), IRQ_MSI, 33, on_irq, &context_word, &set), -EINVAL);
    assert_int_equal(irq_enable(device(), IRQ_MSIX, 66, on_irq, &context_word, &set), -EINVAL);
    give_msi(device(), 0x0c); /* reserved: 64 vectors */
    assert_int_equal(irq_count(device(), IRQ_MSI), 0);
    host_limit_vectors(3);
    assert_int_equal(irq_enable(device(), IRQ_MSIX, 4, on_irq, &context_word, &set), -ENOSPC);
    assert_int_equal(host_vectors(), 1);
    machine_stop();
}

static void survives_every_failed_allocation(void **state)
{
    bool done = false;

    for (uint64_t n = 1; !done; n++) {
        struct irq_set *set;
        unsigned vectors;
        int error;

        start(VTD_TEST_CAP, NULL);
        vectors = host_vectors();
        host_fail_nth(n);
        error = irq_enable(device(), IRQ_MSIX, 3, on_irq, &context_word, &set);
        done = !host_failed();
        host_fail_nth(0);
        assert_true(done ? error == 0 : error < 0);
        if (done)
            irq_disable(set);
        assert_int_equal(host_vectors(), vectors);
        assert_int_equal(machine_unit()->remap.in_use, 0);
        assert_int_equal(host_mapped(), 1);
        machine_stop();
    }
}

/* A unit that dies while entries are invalidated: the interrupts are not handed out. */
static void a_dead_unit_gives_no_interrupts(void **state)
{
    struct vtd_unit *unit = start(VTD_TEST_CAP, NULL);
    struct irq_set *set = enable(IRQ_MSI, 1), *second;

    unit->dead = true;
    assert_int_equal(irq_enable(device(), IRQ_MSIX, 1, on_irq, &context_word, &second), -EIO);
    assert_int_equal(host_vectors(), 2);
    assert_false(machine_unit()->remap.entries[1].low & 1); /* lets nothing through */
    irq_disable(set);
    assert_false(machine_unit()->remap.entries[0].low & 1);
    assert_int_equal(host_vectors(), 1);
    /* Never given out again: the unit may still remember them. */
    assert_int_equal(machine_unit()->remap.in_use, 2);
    machine_stop();
}

/* ---- without remapping ---- */

static void compatibility_format_only_if_told(void **state)
{
    static const struct iommu_options unsafe = {.unsafe_interrupts = true};
    struct irq_set *set;

    machine_build(VTD_TEST_CAP, ECAP_WITH(0, BIT(3)));
    host_set_apic_id(5);
    give_msi(device(), 0x8a);
    assert_int_equal(machine_init(&unsafe), 0);
    assert_int_equal(irq_enable(device(), IRQ_MSI, 2, on_irq, &context_word, &set), -ENOSPC);
    assert_false(irq_remapped(device()));
    set = enable(IRQ_MSI, 1);
    assert_int_equal(pci_read32(device(), MSI + 4), 0xfee05000);
    assert_true(host_raise(pci_read16(device(), MSI + 12)));
    assert_int_equal(calls[0] > 0, 1);
    irq_disable(set);
    machine_stop();
}

/* Where nothing is remapped there are no entries to give back when the device turns out bad. */
static void a_bad_device_is_refused_without_remapping_too(void **state)
{
    static const struct iommu_options unsafe = {.unsafe_interrupts = true};
    struct irq_set *set;
    unsigned vectors;

    machine_build(VTD_TEST_CAP, ECAP_WITH(0, BIT(3)));
    give_msix(device());
    device()->bars[2].size = TABLE;
    assert_int_equal(machine_init(&unsafe), 0);
    vectors = host_vectors();
    assert_int_equal(irq_enable(device(), IRQ_MSIX, 1, on_irq, &context_word, &set), -ENODEV);
    assert_int_equal(host_vectors(), vectors);
    assert_int_equal(machine_unit()->remap.in_use, 0);
    machine_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(msi_vectors_arrive_through_remapping),
        cmocka_unit_test(msi_keeps_its_whole_block),
        cmocka_unit_test(msi_without_mask_bits_cannot_be_masked),
        cmocka_unit_test(msi_mask_bits_are_used_where_they_exist),
        cmocka_unit_test(msi_is_programmed_again),
        cmocka_unit_test(msi_with_32_bit_addresses),
        cmocka_unit_test(msix_vectors_arrive_through_remapping),
        cmocka_unit_test(msix_masks_what_is_not_used),
        cmocka_unit_test(msix_is_on_and_masked_while_its_table_is_written),
        cmocka_unit_test(msix_entries_are_written_afresh),
        cmocka_unit_test(msix_tables_do_not_grow),
        cmocka_unit_test(msix_needs_memory_decoding_for_a_moment),
        cmocka_unit_test(msix_tables_outside_their_bar_are_refused),
        cmocka_unit_test(another_device_cannot_use_the_entry),
        cmocka_unit_test(pitfall_20_bridges_need_a_bus_range),
        cmocka_unit_test(nested_bridges_use_the_upper_alias),
        cmocka_unit_test(a_bridged_device_interrupts_with_either_id),
        cmocka_unit_test(pitfall_18_entries_are_invalidated_before_use),
        cmocka_unit_test(pitfall_19_entries_are_never_torn),
        cmocka_unit_test(extended_entries_have_32_bit_destinations),
        cmocka_unit_test(extended_mode_reaches_any_cpu),
        cmocka_unit_test(blocks_fill_a_table_of_65536_entries),
        cmocka_unit_test(entry_invalidations_respect_the_largest_mask),
        cmocka_unit_test(refuses_what_cannot_be),
        cmocka_unit_test(survives_every_failed_allocation),
        cmocka_unit_test(a_dead_unit_gives_no_interrupts),
        cmocka_unit_test(compatibility_format_only_if_told),
        cmocka_unit_test(a_bad_device_is_refused_without_remapping_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
