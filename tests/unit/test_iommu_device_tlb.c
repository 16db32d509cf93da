/* SPDX-License-Identifier: BSD-2-Clause */
/* Device TLBs: which are switched on, and what they are told before an address is used again. */
#include "kernel/pci/registers.h"
#include "tests/unit/iommu_mapped.h"

#define ATS_CAPABILITY 0x100
#define PORT           PCI_RID(0, 4, 0)
#define BELOW          PCI_RID(4, 0, 0)

static struct vtd_unit *ats_machine_with(bool allowed_by_platform, bool option, uint64_t ecap)
{
    struct iommu_options options = {.ats = option};
    struct vtd_unit *unit = machine_build(VTD_TEST_CAP, ecap);
    struct pci_device *port = host_pci_add(0, PORT, NULL), *device;
    struct dmar_port *allowed;

    host_pci_bridge(port, 4, 4, 4);
    device = host_pci_add(0, BELOW, port);
    device->cap_ats = ATS_CAPABILITY;
    device->ats_depth = 7;
    /* Where it must not be, another port is named, and an I/O APIC at the place of the right one.
     */
    allowed = &host_dmar.ports[host_dmar.port_count++];
    *allowed = (struct dmar_port){0};
    host_dmar_scope(&allowed->scopes, DMAR_SCOPE_BRIDGE, 0, 0, allowed_by_platform ? 4 : 5, 0);
    if (!allowed_by_platform)
        host_dmar_scope(&allowed->scopes, DMAR_SCOPE_IO_APIC, 0, 0, 4, 0);
    assert_int_equal(machine_init(&options), 0);
    return unit;
}

static struct vtd_unit *ats_machine(bool allowed_by_platform, bool option)
{
    return ats_machine_with(allowed_by_platform, option, ECAP_WITH(BIT(2), 0));
}

static uint16_t ats_control(void)
{
    return pci_read16(pci_find(0, BELOW), ATS_CAPABILITY + 6);
}

static void device_tlbs_are_off_unless_all_agree(void **state)
{
    for (unsigned i = 0; i < 4; i++) {
        struct vtd_unit *unit = ats_machine(i & 1, i & 2);
        struct iommu_domain *domain = attached_domain(BELOW);

        assert_int_equal(ats_control(), i == 3 ? 0x8000 : 0);
        assert_int_equal(vtd_unit_translated(unit, BELOW), i == 3 ? 0 : 0xd);
        assert_int_equal(iommu_detach(domain, machine_requester(BELOW)), 0);
        assert_int_equal(ats_control(), 0);
        assert_true(vtd_unit_translated(unit, BELOW) != 0);
        iommu_domain_destroy(domain);
        machine_stop();
    }
}

/* The port blocks translated requests, but for a device that was let send some. */
static void the_port_lets_translated_requests_through(void **state)
{
    enum { ACS = 0x200, BLOCKS = PCI_ACS_BLOCK_TRANSLATED };
    struct iommu_domain *domain;
    struct pci_device *port, *beside;

    ats_machine(true, true);
    port = pci_find(0, PORT);
    port->cap_acs = ACS;
    port->acs_control = ACS + PCI_ACS_CONTROL;
    pci_write16(port, ACS + PCI_ACS_CAP, 0x1f);
    pci_write16(port, ACS + PCI_ACS_CONTROL, 0x1f);
    domain = attached_domain(BELOW);
    assert_int_equal(ats_control(), 0x8000);
    assert_int_equal(pci_read16(port, ACS + PCI_ACS_CONTROL), 0x1f & ~BLOCKS);
    beside = host_pci_add(0, PCI_RID(4, 0, 1), port);
    beside->ats = true; /* one is left that needs it */
    assert_int_equal(iommu_detach(domain, machine_requester(BELOW)), 0);
    assert_int_equal(pci_read16(port, ACS + PCI_ACS_CONTROL), 0x1f & ~BLOCKS);
    assert_int_equal(iommu_attach(domain, machine_requester(BELOW)), 0);
    beside->ats = false;
    assert_int_equal(iommu_detach(domain, machine_requester(BELOW)), 0);
    assert_int_equal(pci_read16(port, ACS + PCI_ACS_CONTROL), 0x1f);
    iommu_domain_destroy(domain);
    machine_stop();
}

/*
 * The unit was asked for a context-cache invalidation if `context`, then the IOTLB; a fence; then
 * the device TLB with this address and size; and a wait for all of it.
 */
static void expect_device_tlb_last(struct vtd_unit *unit, bool context, uint64_t range)
{
    static const unsigned types[] = {VTD_DESCRIPTOR_CONTEXT, VTD_DESCRIPTOR_IOTLB,
                                     VTD_DESCRIPTOR_WAIT, VTD_DESCRIPTOR_DEVICE_TLB,
                                     VTD_DESCRIPTOR_WAIT};
    const struct vtd_descriptor *found = unit->descriptors;
    size_t count = ARRAY_SIZE(types) - !context;

    assert_int_equal(unit->descriptor_count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(vtd_descriptor_type(&found[i]), types[i + !context]);
    assert_int_equal(bits_get(found[count - 3].low, 6, 4), 6);
    assert_int_not_equal(found[count - 3].high, found[count - 1].high);
    assert_int_equal(bits_get(found[count - 2].low, 47, 32), BELOW);
    assert_int_equal(bits_get(found[count - 2].low, 20, 16), 7);
    assert_int_equal(found[count - 2].high, range);
}

/* The device could fetch the old translation again from the IOTLB. */
static void device_tlbs_are_invalidated_after_the_iotlb(void **state)
{
    struct vtd_unit *unit = ats_machine(true, true);
    struct iommu_domain *domain = attached_domain(BELOW);

    machine_map(domain, IOVA, TARGET, 8 * PAGE_SIZE, IOMMU_READ);
    vtd_unit_forget_events(unit);
    machine_unmap(domain, IOVA, 8 * PAGE_SIZE);
    /* 8 pages: S, address bits 13:12 set, bit 14 clear. */
    expect_device_tlb_last(unit, false, IOVA | 0x3000 | 1);
    end(domain, BELOW);
}

/* A single leaf would have a short way, in which nobody looks for device TLBs. */
static void device_tlbs_forget_single_leaves_too(void **state)
{
    static const struct {
        uint64_t length, range;
    } leaves[] = {{PAGE_SIZE, 0}, {SIZE_2M, 0xff000 | 1}, {SIZE_1G, 0x1ffff000 | 1}};
    struct vtd_unit *unit = ats_machine(true, true);
    struct iommu_domain *domain = attached_domain(BELOW);

    for (size_t i = 0; i < 2 * ARRAY_SIZE(leaves); i++) {
        uint64_t length = leaves[i / 2].length;

        machine_map(domain, IOVA, TARGET, length, IOMMU_READ);
        vtd_unit_forget_events(unit);
        assert_int_equal(iommu_unmap_now(domain, IOVA, length), 0);
        if (i % 2) /* the second time no table comes or goes */
            expect_device_tlb_last(unit, false, IOVA | leaves[i / 2].range);
    }
    end(domain, BELOW);
}

/* The simulated unit calls any other number malformed. */
static void throttling_units_are_told_the_physical_function(void **state)
{
    struct vtd_unit *unit = ats_machine_with(true, true, ECAP_WITH(BIT(2) | BIT(41), 0));
    struct iommu_domain *domain = attached_domain(BELOW);

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_READ);
    vtd_unit_forget_events(unit);
    machine_unmap(domain, IOVA, PAGE_SIZE);
    expect_device_tlb_last(unit, false, IOVA);
    assert_int_equal(machine_unit()->invalidation.queue_errors, 0);
    assert_int_equal(vtd_physical_function(0x1234), UINT64_C(0x1230000000004000));
    end(domain, BELOW);
}

/* A virtual function has a TLB of its own, which requests reach through its physical one's queue.
 */
static void virtual_functions_share_the_physical_one_s_queue(void **state)
{
    struct vtd_unit *unit = ats_machine_with(true, true, ECAP_WITH(BIT(2) | BIT(41), 0));
    struct pci_device *virtual = host_pci_add(0, PCI_RID(4, 0, 1), pci_find(0, PORT));
    struct iommu_domain *domain;
    const struct vtd_descriptor *found;

    virtual->physical = pci_find(0, BELOW);
    virtual->cap_ats = ATS_CAPABILITY;
    virtual->ats_depth = 7;
    unit->physical_function = BELOW;
    domain = attached_domain(virtual->rid);
    assert_true(virtual->ats);
    assert_false(pci_find(0, BELOW)->ats);
    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_READ);
    vtd_unit_forget_events(unit);
    machine_unmap(domain, IOVA, PAGE_SIZE);
    assert_int_equal(machine_unit()->invalidation.queue_errors, 0);
    found = &unit->descriptors[unit->descriptor_count - 2];
    assert_int_equal(vtd_descriptor_type(found), VTD_DESCRIPTOR_DEVICE_TLB);
    assert_int_equal(bits_get(found->low, 47, 32), virtual->rid);
    end(domain, virtual->rid);
}

/* SATC names the physical function of an integrated device. */
static void tables_that_name_the_physical_function_allow_its_virtual_ones(void **state)
{
    struct iommu_options options = {.ats = true};
    struct pci_device *virtual;
    struct dmar_port *allowed;

    machine_build(VTD_TEST_CAP, ECAP_WITH(BIT(2), 0));
    for (unsigned i = 1; i <= 2; i++) {
        virtual = host_pci_add(0, OTHER + i, NULL);
        virtual->physical = pci_find(0, i == 1 ? OTHER : DEVICE);
        virtual->cap_ats = ATS_CAPABILITY;
    }
    allowed = &host_dmar.ports[host_dmar.port_count++];
    *allowed = (struct dmar_port){.integrated = true};
    host_dmar_scope(&allowed->scopes, DMAR_SCOPE_ENDPOINT, 0, 0, PCI_DEVICE(OTHER), 0);
    assert_int_equal(machine_init(&options), 0);
    for (unsigned i = 1; i <= 2; i++) {
        struct iommu_domain *domain = attached_domain(OTHER + i);

        assert_int_equal(pci_find(0, OTHER + i)->ats, i == 1);
        iommu_detach(domain, machine_requester(OTHER + i));
        iommu_domain_destroy(domain);
    }
    machine_stop();
}

/* S, and all address bits up to 46 set: 2^36 pages. */
#define ALL_PAGES (BIT(47) - PAGE_SIZE + 1)

static void device_tlbs_forget_the_domain_a_device_leaves(void **state)
{
    struct vtd_unit *unit = ats_machine(true, true);
    struct iommu_domain *domain = attached_domain(BELOW), *other = machine_domain();

    vtd_unit_forget_events(unit);
    assert_int_equal(iommu_replace(other, machine_requester(BELOW)), 0);
    expect_device_tlb_last(unit, true, ALL_PAGES);
    vtd_unit_forget_events(unit);
    assert_int_equal(iommu_detach(other, machine_requester(BELOW)), 0);
    expect_device_tlb_last(unit, true, ALL_PAGES);
    iommu_domain_destroy(other);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* Unmapped, not synced, and mapped again: the device TLB, too, forgets before the new leaf is set.
 */
static void device_tlbs_forget_before_an_address_is_used_again(void **state)
{
    struct vtd_unit *unit = ats_machine(true, true);
    struct iommu_domain *domain = attached_domain(BELOW);
    struct iommu_gather gather;

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_READ);
    iommu_gather_init(&gather, domain);
    iommu_unmap(domain, IOVA, PAGE_SIZE, &gather);
    vtd_unit_forget_events(unit);
    machine_map(domain, IOVA, TARGET + PAGE_SIZE, PAGE_SIZE, IOMMU_READ);
    expect_device_tlb_last(unit, false, ALL_PAGES);
    assert_int_equal(iommu_sync(&gather), 0);
    end(domain, BELOW);
}

static void a_device_tlb_that_does_not_answer_is_not_believed(void **state)
{
    struct vtd_unit *unit = ats_machine(true, true);
    struct iommu_domain *domain = attached_domain(BELOW), *without = attached_domain(OTHER);

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
    machine_expect_dma(unit, BELOW, IOVA, true, TARGET);
    assert_int_equal(vtd_unit_translated(unit, BELOW), 0);
    unit->device_tlb_dead = true;
    /* The unmap succeeds: no translated request of the device passes any more. */
    machine_unmap(domain, IOVA, PAGE_SIZE);
    assert_int_equal(vtd_unit_translated(unit, BELOW), 0xd);
    machine_expect_refused(unit, BELOW, IOVA, true, 5);
    assert_false(host_pci_master(pci_find(0, BELOW)));
    assert_true(host_pci_master(pci_find(0, OTHER)));
    assert_int_equal(ats_control(), 0);
    assert_int_equal(machine_unit()->invalidation.time_outs, 1);
    assert_int_equal(unit->fsts & VTD_FSTS_ITE, 0);
    assert_false(machine_unit()->fenced);
    /* And it stays so. */
    assert_int_equal(iommu_detach(domain, machine_requester(BELOW)), 0);
    assert_int_equal(iommu_attach(domain, machine_requester(BELOW)), 0);
    assert_int_equal(ats_control(), 0);
    assert_int_equal(iommu_detach(without, machine_requester(OTHER)), 0);
    iommu_domain_destroy(without);
    end(domain, BELOW);
}

/*
 * Within the minute and a half that it may take for the device to answer or the unit to give it up,
 * no unit is lost, but the device is not asked a second time. Later than that it is the unit.
 */
static void a_slow_device_tlb_costs_one_wait_and_no_unit(void **state)
{
    static const struct {
        unsigned ms;
        bool dead;
        unsigned time_outs;
        bool fenced;
    } cases[] = {{900, false, 0, false},
                 {1100, false, 1, false},
                 {90000, false, 1, false},
                 {90000, true, 1, false},
                 {101000, false, 0, true}};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct vtd_unit *unit = ats_machine(true, true);
        struct iommu_domain *domain = attached_domain(BELOW);
        bool believed = !cases[i].time_outs && !cases[i].fenced;
        uint64_t began = time_ns();

        machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
        machine_expect_dma(unit, BELOW, IOVA, true, TARGET);
        assert_int_equal(vtd_unit_translated(unit, BELOW), 0);
        unit->device_tlb_looks = 10 * cases[i].ms; /* each of which takes 100 us */
        unit->device_tlb_dead = cases[i].dead;
        assert_int_equal(unmap(domain, IOVA, PAGE_SIZE), cases[i].fenced ? -EIO : 0);
        assert_in_range(time_ns() - began, (cases[i].fenced ? 100000 : cases[i].ms) * NS_PER_MS,
                        102 * NS_PER_S);
        assert_int_equal(machine_unit()->fenced, cases[i].fenced);
        assert_int_equal(machine_unit()->invalidation.time_outs, cases[i].time_outs);
        assert_int_equal(host_pci_master(pci_find(0, BELOW)), believed);
        if (!cases[i].fenced) {
            assert_int_equal(ats_control(), believed ? 0x8000 : 0);
            assert_int_equal(vtd_unit_translated(unit, BELOW), believed ? 0 : 0xd);
            machine_expect_refused(unit, BELOW, IOVA, true, 5);
            assert_int_equal(iommu_detach(domain, machine_requester(BELOW)), 0);
        } else {
            assert_int_equal(iommu_detach(domain, machine_requester(BELOW)), -EIO);
        }
        iommu_domain_destroy(domain);
        machine_stop();
    }
}

/* The long wait is for those who are asked alone. */
static void others_do_not_wait_for_device_tlbs(void **state)
{
    struct vtd_unit *unit = ats_machine(true, true);
    struct iommu_domain *domain = attached_domain(BELOW), *without = attached_domain(OTHER);
    uint64_t began;

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
    machine_unmap(domain, IOVA, PAGE_SIZE);
    machine_map(without, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
    unit->dead = true;
    began = time_ns();
    assert_int_equal(unmap(without, IOVA, PAGE_SIZE), -EIO);
    assert_in_range(time_ns() - began, NS_PER_S, 2 * NS_PER_S);
    assert_int_equal(iommu_detach(without, machine_requester(OTHER)), -EIO);
    assert_int_equal(iommu_detach(domain, machine_requester(BELOW)), -EIO);
    iommu_domain_destroy(without);
    iommu_domain_destroy(domain);
    machine_stop();
}

static void a_device_without_the_capability_has_no_device_tlb(void **state)
{
    struct vtd_unit *unit = ats_machine(true, true);

    pci_find(0, BELOW)->cap_ats = 0;
    struct iommu_domain *domain = attached_domain(BELOW);
    assert_int_equal(vtd_unit_translated(unit, BELOW), 0xd);
    end(domain, BELOW);
}

static void a_fenced_unit_trusts_no_device_tlb(void **state)
{
    struct vtd_unit *unit = ats_machine(true, true);
    struct iommu_domain *domain = attached_domain(BELOW);

    assert_int_equal(ats_control(), 0x8000);
    unit->dead = true;
    assert_int_equal(iommu_detach(domain, machine_requester(BELOW)), -EIO);
    assert_int_equal(ats_control(), 0);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* A function in reset would not answer either, and has forgotten everything by the end. */
static void a_device_tlb_in_reset_is_not_asked(void **state)
{
    struct vtd_unit *unit = ats_machine(true, true);
    struct iommu_domain *domain = attached_domain(BELOW);

    machine_map(domain, IOVA, TARGET, 2 * PAGE_SIZE, IOMMU_WRITE);
    unit->device_tlb_dead = true;
    pci_find(0, BELOW)->in_reset = true;
    pci_write16(pci_find(0, BELOW), ATS_CAPABILITY + 4, 0xffff); /* what reading it gives then */
    machine_unmap(domain, IOVA, PAGE_SIZE);
    assert_int_equal(iommu_detach(domain, machine_requester(BELOW)), 0);
    assert_int_equal(iommu_attach(domain, machine_requester(BELOW)), 0);
    assert_int_equal(machine_unit()->invalidation.time_outs, 0);
    assert_int_equal(ats_control(), 0x8000); /* still trusted */
    pci_find(0, BELOW)->in_reset = false;
    unit->device_tlb_dead = false;
    vtd_unit_forget_events(unit);
    machine_unmap(domain, IOVA + PAGE_SIZE, PAGE_SIZE);
    expect_device_tlb_last(unit, false, IOVA + PAGE_SIZE);
    end(domain, BELOW);
}

/* What came behind the request that timed out was dropped: it is made up for. */
static void requests_behind_a_time_out_are_made_up_for(void **state)
{
    struct vtd_unit *unit = ats_machine(true, true);
    struct iommu_domain *domain = attached_domain(BELOW);
    struct iommu_gather gather;

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
    machine_expect_dma(unit, BELOW, IOVA, true, TARGET);
    iommu_gather_init(&gather, domain);
    iommu_unmap(domain, IOVA, PAGE_SIZE, &gather);
    unit->device_tlb_dead = true;
    invalidate_device_tlb(machine_requester(BELOW), 0, IOVA);
    invalidate_domain(machine_unit(), domain->id);
    assert_int_equal(invalidation_wait(machine_unit()), 0);
    machine_expect_refused(unit, BELOW, IOVA, true, 5);
    assert_int_equal(iommu_sync(&gather), 0);
    end(domain, BELOW);
}

static void a_refused_device_tlb_request_turns_ats_off(void **state)
{
    struct vtd_unit *unit = ats_machine(true, true);
    struct iommu_domain *domain = attached_domain(BELOW);

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
    assert_int_equal(vtd_unit_translated(unit, BELOW), 0);
    unit->reject_in = 3;
    machine_unmap(domain, IOVA, PAGE_SIZE);
    assert_int_equal(vtd_unit_translated(unit, BELOW), 0xd);
    assert_int_equal(ats_control(), 0);
    assert_false(machine_unit()->fenced);
    end(domain, BELOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_tlbs_are_off_unless_all_agree),
        cmocka_unit_test(the_port_lets_translated_requests_through),
        cmocka_unit_test(device_tlbs_are_invalidated_after_the_iotlb),
        cmocka_unit_test(device_tlbs_forget_single_leaves_too),
        cmocka_unit_test(throttling_units_are_told_the_physical_function),
        cmocka_unit_test(virtual_functions_share_the_physical_one_s_queue),
        cmocka_unit_test(tables_that_name_the_physical_function_allow_its_virtual_ones),
        cmocka_unit_test(device_tlbs_forget_the_domain_a_device_leaves),
        cmocka_unit_test(device_tlbs_forget_before_an_address_is_used_again),
        cmocka_unit_test(a_device_tlb_that_does_not_answer_is_not_believed),
        cmocka_unit_test(requests_behind_a_time_out_are_made_up_for),
        cmocka_unit_test(a_slow_device_tlb_costs_one_wait_and_no_unit),
        cmocka_unit_test(others_do_not_wait_for_device_tlbs),
        cmocka_unit_test(a_device_without_the_capability_has_no_device_tlb),
        cmocka_unit_test(a_fenced_unit_trusts_no_device_tlb),
        cmocka_unit_test(a_device_tlb_in_reset_is_not_asked),
        cmocka_unit_test(a_refused_device_tlb_request_turns_ats_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
