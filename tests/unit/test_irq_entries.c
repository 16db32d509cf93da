/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt-remapping entries: whose they are, and how they are written. */
#include "tests/unit/irq_fixture.h"

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

/* Nobody says which of its ids a function's messages carry: all on its link are in its group. */
static void aliases_need_the_bus_of_the_link(void **state)
{
    struct pci_device *port, *below, *inside;
    struct remap_source source;

    start(VTD_TEST_CAP, NULL);
    port = host_pci_add(0, PCI_RID(0, 6, 0), NULL);
    host_pci_bridge(port, PCIE_ROOT_PORT, 9, 9);
    below = host_pci_add(0, PCI_RID(9, 0, 0), port);
    below->aliases[0] = PCI_ALIAS | PCI_RID(9, 0, 1);
    source = remap_source_of(below);
    assert_int_equal(source.check, VTD_SOURCE_BUSES);
    assert_int_equal(source.id, 0x0909);
    inside = host_pci_add(0, PCI_RID(0, 7, 0), NULL); /* its bus is everybody's */
    inside->aliases[1] = PCI_ALIAS | PCI_RID(0, 7, 1);
    source = remap_source_of(inside);
    assert_int_equal(source.check, VTD_SOURCE_EXACT);
    assert_int_equal(source.id, PCI_RID(0, 7, 0));
    machine_stop();
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_device_cannot_use_the_entry),
        cmocka_unit_test(pitfall_20_bridges_need_a_bus_range),
        cmocka_unit_test(aliases_need_the_bus_of_the_link),
        cmocka_unit_test(nested_bridges_use_the_upper_alias),
        cmocka_unit_test(a_bridged_device_interrupts_with_either_id),
        cmocka_unit_test(pitfall_18_entries_are_invalidated_before_use),
        cmocka_unit_test(pitfall_19_entries_are_never_torn),
        cmocka_unit_test(extended_entries_have_32_bit_destinations),
        cmocka_unit_test(extended_mode_reaches_any_cpu),
        cmocka_unit_test(blocks_fill_a_table_of_65536_entries),
        cmocka_unit_test(entry_invalidations_respect_the_largest_mask),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
