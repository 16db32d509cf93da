/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invalidations drain reads and writes where the unit can (VT-d 6.5.5): bits 7 and 6 of a
 * descriptor, 49 and 48 of the register.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/iommu_machine.h"

#define DRAINS_WRITES BIT(54) /* of the capabilities */
#define DRAINS_READS  BIT(55)

/* The two bits of what a unit with just these capabilities is asked when a page is unmapped. */
static uint64_t asked(uint64_t drains, bool queue)
{
    static const struct iommu_options unsafe = {.unsafe_interrupts = true};
    struct vtd_unit *unit = machine_start(CAP_WITH(drains, DRAINS_READS | DRAINS_WRITES),
                                          ECAP_WITH(0, queue ? 0 : BIT(1)), &unsafe);
    struct iommu_domain *domain = machine_domain();
    uint64_t bits;

    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
    vtd_unit_forget_events(unit);
    machine_unmap(domain, IOVA, PAGE_SIZE);
    bits = queue ? bits_get(unit->descriptors[0].low, 7, 6) : bits_get(unit->iotlb, 49, 48);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    iommu_domain_destroy(domain);
    machine_stop();
    return bits;
}

static void what_a_unit_can_drain_is_asked_for(void **state)
{
    static const struct {
        uint64_t can;
        unsigned asked;
    } kinds[] = {
        {0, 0},
        {DRAINS_WRITES, 1},
        {DRAINS_READS, 2},
        {DRAINS_READS | DRAINS_WRITES, 3},
    };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        assert_int_equal(asked(kinds[i].can, true), kinds[i].asked);
        assert_int_equal(asked(kinds[i].can, false), kinds[i].asked);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_unit_can_drain_is_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
