/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts that are refused or fail, and machines that do not remap them. */
#include "tests/unit/irq_fixture.h"

/* ---- failures ---- */

static void refuses_what_cannot_be(void **state)
{
    struct pci_device *bare;
    struct irq_set *set;

    start(VTD_TEST_CAP, NULL);
    bare = pci_find(0, OTHER);
    assert_int_equal(irq_count(bare, IRQ_MSI), 0);
    assert_int_equal(irq_count(bare, IRQ_MSIX), 0);
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
        cmocka_unit_test(refuses_what_cannot_be),
        cmocka_unit_test(survives_every_failed_allocation),
        cmocka_unit_test(a_dead_unit_gives_no_interrupts),
        cmocka_unit_test(compatibility_format_only_if_told),
        cmocka_unit_test(a_bad_device_is_refused_without_remapping_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
