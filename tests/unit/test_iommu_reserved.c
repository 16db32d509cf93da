/* SPDX-License-Identifier: BSD-2-Clause */
/* Reserved memory regions (RMRR): mapped before an attach, kept in quarantine, never ordinary RAM.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/lib/error.h"
#include "kernel/pci/registers.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/iommu_machine.h"

#define REGION (UINT64_C(0x7b000000))

static struct dmar_region *region_add(paddr_t base, uint64_t length)
{
    struct dmar_region *region = &host_dmar.regions[host_dmar.region_count++];

    *region = (struct dmar_region){.base = base, .length = length};
    return region;
}

static struct vtd_unit *machine_with_region(uint64_t cap)
{
    struct vtd_unit *unit = machine_build(cap, VTD_TEST_ECAP);
    struct dmar_region *region = region_add(REGION, 3 * PAGE_SIZE);

    host_dmar_scope(&region->scopes, DMAR_SCOPE_ENDPOINT, 0, 0, 2, 0);
    return unit;
}

struct found {
    struct phys_run runs[9];
    size_t count;
};

static struct found regions_of(uint16_t rid)
{
    struct requester *requester = machine_requester(rid);
    struct found found = {.count = 0};
    size_t at = 0;

    while (iommu_reserved_next(&requester, 1, &at, &found.runs[found.count]))
        found.count++;
    return found;
}

/* The device reaches its region at every moment of its life, to the last byte and not beyond. */
static void expect_region_only(struct vtd_unit *unit)
{
    machine_expect_dma(unit, DEVICE, REGION, true, REGION);
    machine_expect_dma(unit, DEVICE, REGION + 3 * PAGE_SIZE - 1, false, REGION + 3 * PAGE_SIZE - 1);
    machine_expect_refused(unit, DEVICE, REGION + 3 * PAGE_SIZE, true, 5);
    machine_expect_refused(unit, DEVICE, REGION - 1, true, 5);
    machine_expect_refused(unit, OTHER, REGION, true, 2);
}

static struct vtd_unit *probed;

/* A DMA of the device to its region works, whatever the tables look like between two stores. */
static void probe_region(void)
{
    machine_expect_dma(probed, DEVICE, REGION, true, REGION);
}

static void pitfall_25_reserved_memory_is_never_cut_off(void **state)
{
    static const uint64_t caps[] = {VTD_TEST_CAP, VTD_TEST_CAP | BIT(7)};

    for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
        struct vtd_unit *unit = machine_with_region(caps[i]);
        struct iommu_domain *domain, *second;

        assert_int_equal(machine_init(NULL), 0);
        domain = machine_domain();
        second = machine_domain();
        expect_region_only(unit); /* in quarantine from the start */
        machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
        probed = unit;
        vtd_memory_on_flush = probe_region;
        assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
        vtd_memory_on_flush = NULL;
        expect_region_only(unit);
        machine_expect_dma(unit, DEVICE, IOVA, true, TARGET);
        vtd_memory_on_flush = probe_region;
        assert_int_equal(iommu_replace(second, machine_requester(DEVICE)), 0);
        vtd_memory_on_flush = NULL;
        expect_region_only(unit);
        machine_expect_refused(unit, DEVICE, IOVA, true, 5);
        vtd_memory_on_flush = probe_region;
        assert_int_equal(iommu_detach(second, machine_requester(DEVICE)), 0);
        vtd_memory_on_flush = NULL;
        expect_region_only(unit); /* in quarantine again */
        /* Nothing of it stays in the domains it was in. */
        assert_int_equal(second->table.leaves[1], 0);
        assert_int_equal(domain->table.leaves[1], 1);
        iommu_domain_destroy(domain);
        iommu_domain_destroy(second);
        machine_stop();
    }
}

static void the_region_is_there_before_the_new_root_counts(void **state)
{
    struct vtd_unit *unit = machine_with_region(VTD_TEST_CAP | BIT(7));

    assert_int_equal(machine_init(NULL), 0);
    /* With caching mode the attach invalidates: its requests come before the root pointer. */
    assert_true(vtd_unit_first(unit, VTD_EVENT_CONTEXT) < vtd_unit_first(unit, VTD_EVENT_ROOT));
    machine_stop();
}

static void one_region_serves_many_devices(void **state)
{
    struct vtd_unit *unit = machine_with_region(VTD_TEST_CAP);
    struct requester *both[2];
    struct iommu_domain *domain;
    struct phys_run found;
    size_t at = 0;

    host_dmar_scope(&host_dmar.regions[0].scopes, DMAR_SCOPE_ENDPOINT, 0, 0, 3, 0);
    assert_int_equal(machine_init(NULL), 0);
    both[0] = machine_requester(DEVICE);
    both[1] = machine_requester(OTHER);
    assert_true(iommu_reserved_next(both, 2, &at, &found));
    assert_false(iommu_reserved_next(both, 2, &at, &found)); /* told once */
    domain = machine_domain();
    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    assert_int_equal(iommu_attach(domain, machine_requester(OTHER)), 0);
    assert_int_equal(domain->table.leaves[1], 3);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    machine_expect_dma(unit, OTHER, REGION, true, REGION);
    machine_expect_dma(unit, DEVICE, REGION, true, REGION);
    assert_int_equal(domain->table.leaves[1], 3);
    assert_int_equal(iommu_detach(domain, machine_requester(OTHER)), 0);
    assert_int_equal(domain->table.leaves[1], 0);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* The address is taken in the domain: the attach fails and changes nothing. */
static void a_collision_refuses_the_attach(void **state)
{
    struct vtd_unit *unit = machine_with_region(VTD_TEST_CAP);
    struct iommu_domain *domain;

    host_dmar.regions[host_dmar.region_count] = (struct dmar_region){
        .base = REGION + SIZE_2M, .length = PAGE_SIZE, .scopes = host_dmar.regions[0].scopes};
    host_dmar.region_count++;
    assert_int_equal(machine_init(NULL), 0);
    domain = machine_domain();
    machine_map(domain, REGION + SIZE_2M, TARGET, PAGE_SIZE, IOMMU_READ);
    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), -EADDRINUSE);
    assert_int_equal(domain->table.leaves[1], 1); /* the first region is gone again */
    expect_region_only(unit);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* Several regions of one device, two of them of one size, are all there. */
static void a_device_has_each_of_its_regions(void **state)
{
    struct dmar_region *second, *third;
    struct found found;

    machine_with_region(VTD_TEST_CAP);
    second = region_add(REGION + SIZE_2M, 3 * PAGE_SIZE);
    third = region_add(REGION + 2 * SIZE_2M, PAGE_SIZE);
    second->scopes = third->scopes = host_dmar.regions[0].scopes;
    assert_int_equal(machine_init(NULL), 0);
    found = regions_of(DEVICE);
    assert_int_equal(found.count, 3);
    assert_int_equal(found.runs[1].base, REGION + SIZE_2M);
    assert_int_equal(found.runs[2].length, PAGE_SIZE);
    machine_stop();
}

static void overlapping_regions_are_joined(void **state)
{
    struct vtd_unit *unit = machine_with_region(VTD_TEST_CAP);
    struct dmar_region *second = region_add(REGION + 2 * PAGE_SIZE, 4 * PAGE_SIZE);
    struct dmar_region *third = region_add(REGION + 6 * PAGE_SIZE, PAGE_SIZE); /* touches only */
    struct iommu_domain *domain;

    host_dmar_scope(&second->scopes, DMAR_SCOPE_ENDPOINT, 0, 0, 2, 0);
    host_dmar_scope(&third->scopes, DMAR_SCOPE_ENDPOINT, 0, 0, 3, 0);
    assert_int_equal(machine_init(NULL), 0);
    assert_int_equal(regions_of(DEVICE).count, 1);
    assert_int_equal(regions_of(DEVICE).runs[0].base, REGION);
    assert_int_equal(regions_of(DEVICE).runs[0].length, 6 * PAGE_SIZE);
    assert_int_equal(regions_of(OTHER).count, 1);
    assert_int_equal(regions_of(OTHER).runs[0].base, REGION + 6 * PAGE_SIZE);
    domain = machine_domain();
    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    assert_int_equal(iommu_attach(domain, machine_requester(OTHER)), 0);
    machine_expect_dma(unit, DEVICE, REGION + 5 * PAGE_SIZE, true, REGION + 5 * PAGE_SIZE);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    assert_int_equal(iommu_detach(domain, machine_requester(OTHER)), 0);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* Firmware names RAM that the kernel hands out, or nonsense: no device gets that. */
static void bad_regions_are_ignored(void **state)
{
    static const struct phys_run bad[] = {
        {VTD_MEMORY_BASE, PAGE_SIZE},
        {VTD_MEMORY_BASE - 4 * PAGE_SIZE, 8 * PAGE_SIZE},
        {VTD_MEMORY_BASE + VTD_MEMORY_SIZE - PAGE_SIZE, 8 * PAGE_SIZE},
        {REGION, 0},
        {REGION + 1, PAGE_SIZE},
        {REGION, PAGE_SIZE + 1},
        {BIT(46) - PAGE_SIZE, 2 * PAGE_SIZE},
        {~UINT64_C(0) - 0xfff, PAGE_SIZE},
        {BIT(40), 5 * SIZE_1G},
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct vtd_unit *unit = machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);
        struct dmar_region *region = region_add(bad[i].base, bad[i].length);

        host_dmar_scope(&region->scopes, DMAR_SCOPE_ENDPOINT, 0, 0, 2, 0);
        assert_int_equal(machine_init(NULL), 0);
        assert_int_equal(regions_of(DEVICE).count, 0);
        assert_non_null(strstr(host_log(), "ignored, and its devices cannot be assigned"));
        assert_string_equal(iommu_withholds(machine_requester(DEVICE)),
                            "the firmware reserved memory that cannot be for its device");
        assert_null(iommu_withholds(machine_requester(OTHER)));
        machine_expect_refused(unit, DEVICE, bad[i].base, true, 1);
        machine_stop();
    }
}

/* One that the table itself has wrong does not take the other one of its device away. */
static void a_region_with_a_fault_is_not_looked_at(void **state)
{
    struct vtd_unit *unit = machine_with_region(VTD_TEST_CAP);
    struct dmar_region *second = region_add(REGION + SIZE_2M, PAGE_SIZE);

    second->scopes = host_dmar.regions[0].scopes;
    second->fault = "is not page aligned";
    assert_int_equal(machine_init(NULL), 0);
    assert_non_null(strstr(host_log(), "region 0x7b200000 +0x1000 is not page aligned: ignored"));
    expect_region_only(unit);
    assert_string_equal(iommu_withholds(machine_requester(DEVICE)),
                        "the firmware reserved memory that cannot be for its device");
    machine_stop();
}

/* Firmware uses them at all times, and what leads to them; not what it never set up. */
static void devices_with_regions_get_bus_mastering_back(void **state)
{
    struct pci_device *bridge, *below, *idle;

    machine_with_region(VTD_TEST_CAP);
    bridge = host_pci_add(0, PCI_RID(0, 6, 0), NULL);
    host_pci_bridge(bridge, PCIE_ROOT_PORT, 9, 9);
    below = host_pci_add(0, PCI_RID(9, 0, 0), bridge);
    idle = host_pci_add(0, PCI_RID(0, 7, 0), NULL);
    host_dmar_scope(&host_dmar.regions[0].scopes, DMAR_SCOPE_BRIDGE, 0, 0, 6, 0);
    host_dmar_scope(&host_dmar.regions[0].scopes, DMAR_SCOPE_ENDPOINT, 0, 0, 7, 0);
    pci_write16(below, PCI_COMMAND, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
    pci_write16(pci_find(0, DEVICE), PCI_COMMAND, PCI_COMMAND_MASTER | PCI_COMMAND_IO);
    pci_write16(pci_find(0, OTHER), PCI_COMMAND, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
    pci_disable_all_bus_masters();
    assert_int_equal(machine_init(NULL), 0);
    assert_true(host_pci_master(pci_find(0, DEVICE)));
    assert_true(host_pci_master(below));
    assert_true(host_pci_master(bridge));
    assert_false(host_pci_master(pci_find(0, OTHER)));
    assert_false(host_pci_master(idle));
    machine_stop();
}

/* A display or a USB controller has its region until it is the payload's, and never again. */
static void what_only_firmware_uses_goes_for_good(void **state)
{
    static const uint32_t classes[] = {0x030000, 0x038000, 0x0c0330, 0x0c0320};

    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        struct vtd_unit *unit = machine_with_region(VTD_TEST_CAP);
        struct requester *requester;
        struct iommu_domain *domain;

        pci_find(0, DEVICE)->class_code = classes[i];
        host_dmar_scope(&host_dmar.regions[0].scopes, DMAR_SCOPE_ENDPOINT, 0, 0, 3, 0);
        assert_int_equal(machine_init(NULL), 0);
        requester = machine_requester(DEVICE);
        machine_expect_dma(unit, DEVICE, REGION, true, REGION);
        assert_non_null(iommu_withholds(requester));
        assert_int_equal(iommu_end_reservation(requester), 0);
        assert_null(iommu_withholds(requester));
        machine_expect_refused(unit, DEVICE, REGION, true, 2);
        /* Its own IOVAs may be there now, while the other device, a disk, keeps its region. */
        domain = machine_domain();
        machine_map(domain, REGION, TARGET, PAGE_SIZE, IOMMU_READ | IOMMU_WRITE);
        assert_int_equal(iommu_attach(domain, requester), 0);
        machine_expect_dma(unit, DEVICE, REGION, true, TARGET);
        assert_int_equal(iommu_attach(domain, machine_requester(OTHER)), -EADDRINUSE);
        assert_int_equal(iommu_detach(domain, requester), 0);
        machine_expect_refused(unit, DEVICE, REGION, true, 2);
        assert_int_equal(iommu_end_reservation(machine_requester(OTHER)), 0);
        machine_expect_dma(unit, OTHER, REGION, true, REGION);
        iommu_domain_destroy(domain);
        machine_stop();
    }
}

/* What the operator names for a device is for good, and so is what shares an id with another. */
static void a_use_that_lasts_is_not_ended(void **state)
{
    struct pci_device *bridge;

    machine_with_region(VTD_TEST_CAP);
    pci_find(0, DEVICE)->class_code = 0x0c0330;
    host_dmar.regions[0].named = true;
    bridge = host_pci_add(0, PCI_RID(0, 6, 0), NULL);
    host_pci_bridge(bridge, PCIE_TO_PCI_BRIDGE, 9, 9);
    host_pci_add(0, PCI_RID(9, 0, 0), bridge)->class_code = 0x0c0310;
    host_pci_add(0, PCI_RID(9, 1, 0), bridge)->class_code = 0x020000;
    host_dmar_scope(&region_add(REGION + SIZE_2M, PAGE_SIZE)->scopes, DMAR_SCOPE_BRIDGE, 0, 0, 6,
                    0);
    assert_int_equal(machine_init(NULL), 0);
    assert_int_equal(iommu_end_reservation(machine_requester(DEVICE)), 0);
    assert_int_equal(iommu_end_reservation(machine_requester(PCI_RID(9, 0, 0))), 0);
    assert_non_null(iommu_withholds(machine_requester(DEVICE)));
    assert_non_null(iommu_withholds(machine_requester(PCI_RID(9, 0, 0))));
    machine_stop();
}

/* The region of a device behind a PCIe-to-PCI bridge also counts for the id the bridge uses. */
static void an_alias_has_the_regions_of_its_devices(void **state)
{
    struct vtd_unit *unit = machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);
    struct pci_device *bridge = host_pci_add(0, PCI_RID(0, 6, 0), NULL);
    struct dmar_region *region = region_add(REGION, PAGE_SIZE);
    struct dmar_scope *scope;

    host_pci_bridge(bridge, 7, 9, 9);
    host_pci_add(0, PCI_RID(9, 1, 0), bridge);
    scope = host_dmar_scope(&region->scopes, DMAR_SCOPE_ENDPOINT, 0, 0, 6, 0);
    scope->hops = 2;
    scope->path[1] = (struct dmar_hop){1, 0};
    assert_int_equal(machine_init(NULL), 0);
    assert_int_equal(regions_of(PCI_RID(9, 1, 0)).count, 1);
    assert_int_equal(regions_of(PCI_RID(9, 0, 0)).count, 1);
    machine_expect_dma(unit, PCI_RID(9, 0, 0), REGION, true, REGION);
    machine_expect_dma(unit, PCI_RID(9, 1, 0), REGION, true, REGION);
    machine_stop();
}

/*
 * The unit stops with the n-th invalidation of a move, up to the one that takes the region out of
 * the old domain, where another device stays: then the mover is in neither domain, so that both can
 * go.
 */
static void a_move_that_is_not_confirmed_ends_nowhere(void **state)
{
    unsigned n = 0;
    int error;

    do {
        struct vtd_unit *unit = machine_with_region(VTD_TEST_CAP);
        struct iommu_domain *domain, *second;

        assert_int_equal(machine_init(NULL), 0);
        domain = machine_domain();
        second = machine_domain();
        assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
        assert_int_equal(iommu_attach(domain, machine_requester(OTHER)), 0);
        unit->reject_in = ++n;
        unit->rejections = UINT32_MAX;
        error = iommu_replace(second, machine_requester(DEVICE));
        assert_true(error == 0 || error == -EIO);
        assert_int_equal(domain->attached, 1);
        assert_int_equal(second->attached, error ? 0 : 1);
        unit->reject_in = unit->rejections = 0;
        if (!error)
            assert_int_equal(iommu_detach(second, machine_requester(DEVICE)), 0);
        assert_int_equal(iommu_detach(domain, machine_requester(OTHER)), error);
        iommu_domain_destroy(domain);
        iommu_domain_destroy(second);
        machine_stop();
    } while (error);
    assert_true(n > 5); /* context, leaves and wait of the move; leaves and wait of the region */
}

/* Each allocation of bring-up and attach fails in turn: no half-made quarantine, no lost region. */
static void survives_every_failed_allocation(void **state)
{
    bool done = false;

    for (uint64_t n = 1; !done; n++) {
        struct vtd_unit *unit = machine_with_region(VTD_TEST_CAP);
        struct iommu_domain *domain;
        int error;

        host_fail_nth(n);
        error = machine_init(NULL);
        if (error) {
            assert_true(host_failed());
            host_fail_nth(0);
            machine_stop();
            continue;
        }
        error = iommu_domain_create(machine_unit(), &domain);
        if (!error) {
            error = iommu_attach(domain, machine_requester(DEVICE));
            expect_region_only(unit);
            if (!error)
                assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
            iommu_domain_destroy(domain);
        }
        done = !host_failed();
        host_fail_nth(0);
        assert_true(done ? error == 0 : error == -ENOMEM);
        machine_stop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pitfall_25_reserved_memory_is_never_cut_off),
        cmocka_unit_test(the_region_is_there_before_the_new_root_counts),
        cmocka_unit_test(one_region_serves_many_devices),
        cmocka_unit_test(a_collision_refuses_the_attach),
        cmocka_unit_test(a_device_has_each_of_its_regions),
        cmocka_unit_test(overlapping_regions_are_joined),
        cmocka_unit_test(bad_regions_are_ignored),
        cmocka_unit_test(a_region_with_a_fault_is_not_looked_at),
        cmocka_unit_test(devices_with_regions_get_bus_mastering_back),
        cmocka_unit_test(what_only_firmware_uses_goes_for_good),
        cmocka_unit_test(a_use_that_lasts_is_not_ended),
        cmocka_unit_test(an_alias_has_the_regions_of_its_devices),
        cmocka_unit_test(a_move_that_is_not_confirmed_ends_nowhere),
        cmocka_unit_test(survives_every_failed_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
