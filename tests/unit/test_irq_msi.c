/* SPDX-License-Identifier: BSD-2-Clause */
/* MSI as the device sees it: its block of vectors, its mask bits. */
#include "tests/unit/irq_fixture.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(msi_vectors_arrive_through_remapping),
        cmocka_unit_test(msi_keeps_its_whole_block),
        cmocka_unit_test(msi_without_mask_bits_cannot_be_masked),
        cmocka_unit_test(msi_mask_bits_are_used_where_they_exist),
        cmocka_unit_test(msi_is_programmed_again),
        cmocka_unit_test(msi_with_32_bit_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
