/* SPDX-License-Identifier: BSD-2-Clause */
/* MSI-X as the device sees it: its table, which is not believed. */
#include "tests/unit/irq_fixture.h"

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
        device()->msix_location = cases[i].table;
        device()->bars[2] = cases[i].bar;
        device()->rom = (struct pci_bar){BAR, BAR_SIZE, 0}; /* a ROM has no number */
        assert_int_equal(irq_enable(device(), IRQ_MSIX, 1, on_irq, &context_word, &set), -ENODEV);
        assert_int_equal(host_vectors(), vectors);
        assert_int_equal(machine_unit()->remap.in_use, 0);
        assert_int_equal(host_mapped(), 1);
        machine_stop();
    }
}

/* Nor that it has more vectors now, or its table elsewhere: what it said at first is what is hidden
 * from the program where interrupts are not remapped. */
static void msix_tables_stay_where_they_were_found(void **state)
{
    struct vtd_unit *unit = start(VTD_TEST_CAP, NULL);
    struct irq_set *set;

    pci_write16(device(), MSIX + 2, 0x7ff);
    pci_write32(device(), MSIX + 4, 0x2000 | 2);
    memset(bar + 0x2000, 0, MSIX_COUNT * 16);
    assert_int_equal(irq_count(device(), IRQ_MSIX), MSIX_COUNT);
    assert_int_equal(irq_enable(device(), IRQ_MSIX, MSIX_COUNT + 1, on_irq, &context_word, &set),
                     -EINVAL);
    set = enable(IRQ_MSIX, MSIX_COUNT);
    assert_int_equal(raise_msix(unit, DEVICE, MSIX_COUNT - 1), 0);
    for (unsigned i = 0; i < MSIX_COUNT * 16; i++)
        assert_int_equal(bar[0x2000 + i], 0);
    irq_disable(set);
    machine_stop();
}

/* Vectors that come later have entries wherever there is room; the first ones notice nothing. */
static void vectors_come_by_and_by(void **state)
{
    struct vtd_unit *unit = start(VTD_TEST_CAP, NULL);
    struct irq_set *set = enable(IRQ_MSIX, 2), *other;
    unsigned vectors = host_vectors();

    assert_int_equal(irq_enable(device(), IRQ_MSI, 2, on_irq, &context_word, &other), 0);
    assert_int_equal(irq_add(set, 1), 0); /* is there */
    assert_int_equal(irq_add(set, 64), 0);
    assert_int_equal(irq_add(set, 64), 0);
    assert_int_equal(irq_add(set, 7), 0);
    assert_int_equal(irq_add(set, 65), -EINVAL);
    assert_int_equal(host_vectors(), vectors + 4);
    assert_int_equal(machine_unit()->remap.in_use, 2 + 2 + 2);
    assert_false(irq_mask(set, 8, false)); /* is not */
    assert_int_equal(entry_word(64, 3), 1);
    assert_true(irq_mask(set, 64, false));
    assert_true(irq_mask(set, 7, false));
    assert_int_equal(raise_msix(unit, DEVICE, 64), 0);
    assert_int_equal(raise_msix(unit, DEVICE, 7), 0);
    assert_int_equal(raise_msix(unit, DEVICE, 0), 0);
    assert_int_equal(raise_msix(unit, DEVICE, 1), 0);
    assert_int_equal(calls[64], 1);
    assert_int_equal(calls[7], 1);
    assert_int_equal(calls[0], 1);
    assert_int_equal(calls[1], 1);
    /* A reset is undone for all of them, and what is not set up stays masked. */
    memset(bar + TABLE, 0, 65 * 16);
    irq_restore(set);
    assert_int_equal(entry_word(8, 3), 1);
    assert_int_equal(raise_msix(unit, DEVICE, 64), 0);
    assert_int_equal(calls[64], 2);
    host_limit_vectors(host_vectors());
    assert_int_equal(irq_add(set, 3), -ENOSPC);
    host_limit_vectors(256);
    unit->dead = true;
    assert_int_equal(irq_add(set, 3), -EIO);
    assert_int_equal(host_vectors(), vectors + 4);
    irq_disable(other);
    irq_disable(set);
    assert_int_equal(host_vectors(), vectors - 2);
    machine_stop();
}

/* What kernel/cpu/storm.c holds back is masked, whatever the owner says meanwhile. */
static void a_held_vector_is_masked(void **state)
{
    struct irq_set *set;

    start(VTD_TEST_CAP, NULL);
    set = enable(IRQ_MSIX, 2);
    for (unsigned v = 32; v < 255; v++)
        host_hold(v, true);
    assert_int_equal(entry_word(0, 3), 1);
    assert_int_equal(entry_word(1, 3), 1);
    irq_mask(set, 0, false);
    irq_mask(set, 1, true);
    irq_restore(set);
    assert_int_equal(entry_word(0, 3), 1);
    device()->in_reset = true; /* asked nothing */
    for (unsigned v = 32; v < 255; v++)
        host_hold(v, false);
    assert_int_equal(entry_word(0, 3), 1);
    device()->in_reset = false;
    irq_restore(set);
    assert_int_equal(entry_word(0, 3), 0);
    assert_int_equal(entry_word(1, 3), 1);
    irq_disable(set);
    machine_stop();
}

static void all_that_was_added_is_given_back(void **state)
{
    struct irq_set *set;

    start(VTD_TEST_CAP, NULL);
    set = enable(IRQ_MSIX, 1);
    for (unsigned i = 2; i < MSIX_COUNT; i += 3)
        assert_int_equal(irq_add(set, i), 0);
    irq_disable(set);
    assert_int_equal(machine_unit()->remap.in_use, 0);
    assert_int_equal(host_vectors(), 1);
    machine_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_come_by_and_by),
        cmocka_unit_test(all_that_was_added_is_given_back),
        cmocka_unit_test(a_held_vector_is_masked),
        cmocka_unit_test(msix_vectors_arrive_through_remapping),
        cmocka_unit_test(msix_masks_what_is_not_used),
        cmocka_unit_test(msix_is_on_and_masked_while_its_table_is_written),
        cmocka_unit_test(msix_entries_are_written_afresh),
        cmocka_unit_test(msix_tables_do_not_grow),
        cmocka_unit_test(msix_needs_memory_decoding_for_a_moment),
        cmocka_unit_test(msix_tables_outside_their_bar_are_refused),
        cmocka_unit_test(msix_tables_stay_where_they_were_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
