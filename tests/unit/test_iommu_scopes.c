/* SPDX-License-Identifier: BSD-2-Clause */
/* Several units and segments: which unit a device belongs to, and scopes that lead nowhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/iommu/remap.h"
#include "kernel/iommu/scope.h"
#include "kernel/lib/error.h"
#include "kernel/pci/registers.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/iommu_machine.h"

static void finds_the_unit_by_scope(void **state)
{
    struct pci_device *bridge, *upper;
    struct dmar_unit *second, *third;
    struct dmar_scope *scope;
    uint16_t source;

    machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);
    host_unit_add(0xfeda1000, PAGE_SIZE, CAP_WITH(0, UINT64_C(0x3ff) << 24) | UINT64_C(0x22) << 24,
                  VTD_TEST_ECAP);
    host_unit_add(0xfeda2000, PAGE_SIZE, VTD_TEST_CAP, VTD_TEST_ECAP);
    bridge = host_pci_add(0, PCI_RID(0, 5, 0), NULL);
    host_pci_bridge(bridge, 4, 5, 7);
    upper = host_pci_add(0, PCI_RID(5, 0, 0), bridge);
    host_pci_bridge(upper, 5, 6, 7);
    host_pci_add(0, PCI_RID(6, 1, 0), upper);
    second = host_dmar_unit(0xfeda1000, false);
    host_dmar_scope(&second->scopes, DMAR_SCOPE_ENDPOINT, 0, 0, 3, 0);
    host_dmar_scope(&second->scopes, DMAR_SCOPE_IO_APIC, 8, 0xff, 0, 0);
    host_dmar_scope(&second->scopes, DMAR_SCOPE_HPET, 1, 0xfe, 1, 2);
    third = host_dmar_unit(0xfeda2000, false);
    /* 00:05.0, then 00.0 on its secondary bus: a bridge and what is below. */
    scope = host_dmar_scope(&third->scopes, DMAR_SCOPE_BRIDGE, 0, 0, 5, 0);
    scope->hops = 2;
    scope->path[1] = (struct dmar_hop){0, 0};
    assert_int_equal(machine_init(NULL), 0);

    assert_int_equal(scope_unit_for(0, DEVICE)->index, 0);
    assert_int_equal(scope_unit_for(0, OTHER)->index, 1);
    assert_int_equal(scope_unit_for(0, PCI_RID(0, 5, 0))->index, 0);
    assert_int_equal(scope_unit_for(0, PCI_RID(5, 0, 0))->index, 2);
    assert_int_equal(scope_unit_for(0, PCI_RID(6, 1, 0))->index, 2);
    assert_int_equal(scope_unit_for(0, PCI_RID(7, 31, 7))->index, 2);
    assert_int_equal(scope_unit_for(0, PCI_RID(8, 0, 0))->index, 0);
    assert_null(scope_unit_for(1, DEVICE));
    /* A handle has kept its unit, whatever the table says later. */
    second->scopes.count = 0;
    assert_int_equal(scope_unit_for(0, OTHER)->index, 0);
    assert_int_equal(iommu_unit_of(pci_find(0, OTHER)->requesters[0])->index, 1);
    second->scopes.count = 3;
    assert_int_equal(iommu_unit_for_special(DMAR_SCOPE_IO_APIC, 8, &source)->index, 1);
    assert_int_equal(source, PCI_RID(0xff, 0, 0));
    assert_int_equal(iommu_unit_for_special(DMAR_SCOPE_HPET, 1, &source)->index, 1);
    assert_int_equal(source, PCI_RID(0xfe, 1, 2));
    assert_null(iommu_unit_for_special(DMAR_SCOPE_HPET, 8, &source));
    assert_null(iommu_unit_for_special(DMAR_SCOPE_IO_APIC, 1, &source));
    machine_stop();
}

/* A scope names the physical function alone, and not what has its virtual ones' numbers. */
static void virtual_functions_belong_where_the_physical_one_does(void **state)
{
    static const pci_rid_t virtuals[] = {PCI_RID(0, 3, 1), PCI_RID(0, 4, 0), PCI_RID(1, 0, 0)};
    struct dmar_unit *second;

    machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);
    host_unit_add(0xfeda1000, PAGE_SIZE, VTD_TEST_CAP, VTD_TEST_ECAP);
    second = host_dmar_unit(0xfeda1000, false);
    host_dmar_scope(&second->scopes, DMAR_SCOPE_ENDPOINT, 0, 0, 3, 0);
    for (size_t i = 0; i < ARRAY_SIZE(virtuals); i++)
        host_pci_add(0, virtuals[i], NULL)->physical = pci_find(0, OTHER);
    host_pci_add(0, PCI_RID(0, 3, 2), NULL); /* a function like any other */
    assert_int_equal(machine_init(NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(virtuals); i++) {
        const struct requester *requester = pci_find(0, virtuals[i])->requesters[0];

        assert_int_equal(requester->unit->index, 1);
        assert_int_equal(requester->rid, virtuals[i]);
        assert_int_equal(requester->physical, OTHER);
    }
    assert_int_equal(pci_find(0, PCI_RID(0, 3, 2))->requesters[0]->unit->index, 0);
    assert_int_equal(pci_find(0, PCI_RID(0, 3, 2))->requesters[0]->physical, PCI_RID(0, 3, 2));
    machine_stop();
}

/* One requester id in two segments is two devices: two units, two tables, two fates. */
static void segments_are_kept_apart(void **state)
{
    struct vtd_unit *units[2];
    struct iommu_unit *second;
    struct iommu_domain *domains[2];
    struct pci_device *devices[2];

    units[0] = machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);
    units[1] =
        host_unit_add(0xfeda1000, PAGE_SIZE,
                      CAP_WITH(0, UINT64_C(0x3ff) << 24) | UINT64_C(0x22) << 24, VTD_TEST_ECAP);
    host_dmar_unit(0xfeda1000, true)->segment = 1;
    devices[1] = host_pci_add(1, DEVICE, NULL);
    assert_int_equal(
        machine_init(&(struct iommu_options){.fault_threshold = 1, .stop_device = true}), 0);
    devices[0] = pci_find(0, DEVICE);
    second = scope_unit_for(1, DEVICE);
    assert_int_equal(second->index, 1);
    assert_int_equal(iommu_domain_create(second, &domains[1]), 0);
    domains[0] = machine_domain();
    for (unsigned i = 0; i < 2; i++) {
        machine_map(domains[i], 0x5000, 0x10000 + i * PAGE_SIZE, PAGE_SIZE, IOMMU_READ);
        pci_write16(devices[i], PCI_COMMAND, PCI_COMMAND_MASTER);
        assert_int_equal(iommu_attach(domains[i], devices[i]->requesters[0]), 0);
        assert_int_equal(iommu_attach(domains[i], devices[!i]->requesters[0]), -ENODEV);
    }
    for (unsigned i = 0; i < 2; i++)
        machine_expect_dma(units[i], DEVICE, 0x5000, false, 0x10000 + i * PAGE_SIZE);
    machine_expect_refused(units[1], DEVICE, 0x6000, false, 6);
    iommu_fault_count();
    assert_non_null(strstr(host_log(), "0001:00:02.0 read of 0x6000 refused"));
    assert_true(host_pci_master(devices[0]));
    assert_false(host_pci_master(devices[1]));
    assert_int_equal(iommu_detach(domains[1], machine_requester(DEVICE)), -ENODEV);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(iommu_detach(domains[i], devices[i]->requesters[0]), 0);
        iommu_domain_destroy(domains[i]);
    }
    machine_stop();
}

static void survives_scopes_that_lead_nowhere(void **state)
{
    struct dmar_unit *second;
    struct dmar_scope *scope;

    machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);
    host_unit_add(0xfeda1000, PAGE_SIZE, VTD_TEST_CAP, VTD_TEST_ECAP);
    second = host_dmar_unit(0xfeda1000, false);
    /* The device is no bridge; the bridge does not exist. */
    scope = host_dmar_scope(&second->scopes, DMAR_SCOPE_ENDPOINT, 0, 0, 2, 0);
    scope->hops = 2;
    scope = host_dmar_scope(&second->scopes, DMAR_SCOPE_BRIDGE, 0, 0, 9, 0);
    scope->hops = 3;
    assert_int_equal(machine_init(NULL), 0);
    assert_int_equal(scope_unit_for(0, DEVICE)->index, 0);
    assert_int_equal(scope_unit_for(0, PCI_RID(0, 0, 0))->index, 0);
    machine_stop();
}

/* A function of a segment without a unit, bus mastering off. */
static struct pci_device *add_unserved(pci_rid_t rid, uint32_t class_code)
{
    struct pci_device *device = host_pci_add(7, rid, NULL);

    device->class_code = class_code;
    pci_set_bus_master(device, false);
    return device;
}

static void what_no_unit_serves_stops_the_start(void **state)
{
    struct vtd_unit *unit = machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);
    struct pci_device *device = add_unserved(PCI_RID(0, 4, 0), 0x010601);

    device->vendor = 0x8086;
    device->device = 0x2922;
    add_unserved(PCI_RID(0, 5, 0), 0x020000);
    assert_int_equal(machine_init(NULL), -ENODEV);
    assert_string_equal(machine_refusal(),
                        "no IOMMU translates for device 0007:00:04.0 (8086:2922): `unprotected = "
                        "0007:00:04.0` starts all the same, with its bus mastering off");
    assert_non_null(strstr(host_log(), "no IOMMU translates for device 0007:00:05.0 ")); /* told */
    assert_int_equal(unit->event_count, 0);
    machine_stop();
}

static void the_operator_may_start_without_protection(void **state)
{
    struct pci_device *device;

    machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);
    device = add_unserved(PCI_RID(0, 4, 0), 0x010601);
    device->unprotected = pci_find(0, OTHER)->unprotected = true;
    assert_int_equal(machine_init(NULL), 0);
    assert_non_null(strstr(host_log(), "UNPROTECTED: no IOMMU translates for device 0007:00:04.0"));
    assert_non_null(strstr(host_log(), "device 0000:00:03.0 is named as `unprotected`, which it is "
                                       "not"));
    /* Whoever wants it on, it stays off, and nobody gets the device. */
    pci_set_bus_master(device, true);
    assert_false(host_pci_master(device));
    assert_string_equal(iommu_withholds(device->requesters[0]),
                        "no IOMMU translates for its device");
    assert_null(iommu_withholds(pci_find(0, OTHER)->requesters[0]));
    machine_stop();
}

static void unserved_as(bool unprotected, bool left, bool master, const char *sentence)
{
    struct pci_device *device;

    machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);
    device = add_unserved(PCI_RID(0, 4, 0), 0x010601);
    pci_set_bus_master(device, master);
    device->unprotected = unprotected;
    device->left = left;
    assert_int_equal(machine_init(NULL), -ENODEV);
    assert_string_equal(machine_refusal(), sentence);
    machine_stop();
}

static void without_protection_its_bus_mastering_must_be_off(void **state)
{
    unserved_as(true, true, false,
                "no IOMMU translates for device 0007:00:04.0, which is to be left as it is");
    unserved_as(true, false, true,
                "no IOMMU translates for device 0007:00:04.0, and its bus mastering cannot be "
                "switched off");
}

/* Bridges pass on, and most of a chipset only has registers: with MSI-X it is more than that. */
static void registers_and_bridges_need_no_unit(void **state)
{
    static const uint32_t classes[] = {0x060000, 0x060100, 0x068000, 0x088000,
                                       0x110100, 0x0c0500, 0x080700, 0x058000};
    struct pci_device *device;

    machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);
    host_pci_bridge(add_unserved(PCI_RID(0, 9, 0), 0x060400), PCIE_ROOT_PORT, 1, 1);
    for (unsigned i = 0; i < ARRAY_SIZE(classes); i++)
        device = add_unserved(PCI_RID(0, 10 + i, 0), classes[i]);
    assert_int_equal(machine_init(NULL), 0);
    pci_set_bus_master(device, true);
    assert_false(host_pci_master(device));
    machine_stop();
    machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);
    add_unserved(PCI_RID(0, 4, 0), 0x088000)->cap_msix = 0x50;
    assert_int_equal(machine_init(NULL), -ENODEV);
    machine_stop();
}

/* A unit that the firmware lists and that is not there: no other one serves its devices instead. */
static void devices_of_an_absent_unit_are_not_used(void **state)
{
    static const paddr_t bases[] = {0, 0xfeda1000};

    for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
        struct pci_device *device;
        struct dmar_unit *second;

        machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);
        host_unit_add(0xfeda1000, PAGE_SIZE, ~UINT64_C(0), ~UINT64_C(0));
        second = host_dmar_unit(bases[i], false);
        host_dmar_scope(&second->scopes, DMAR_SCOPE_ENDPOINT, 0, 0, 3, 0);
        device = pci_find(0, OTHER);
        pci_disable_all_bus_masters();
        assert_int_equal(machine_init(NULL), 0);
        assert_non_null(
            strstr(host_log(), "is not there, and none of its devices can be assigned"));
        assert_non_null(strstr(host_log(), "UNPROTECTED: no IOMMU translates for device "
                                           "0000:00:03.0"));
        assert_null(iommu_unit_of(device->requesters[0]));
        assert_non_null(iommu_withholds(device->requesters[0]));
        pci_set_bus_master(device, true);
        assert_false(host_pci_master(device));
        assert_int_equal(iommu_unit_of(pci_find(0, DEVICE)->requesters[0])->index, 0);
        machine_stop();
    }
}

static void units_that_are_all_absent_are_refused(void **state)
{
    machine_build(~UINT64_C(0), ~UINT64_C(0));
    assert_int_equal(machine_init(NULL), -ENODEV);
    assert_string_equal(machine_refusal(),
                        "none of the IOMMUs that the firmware describes is there");
    machine_stop();
}

static void a_domain_belongs_to_its_unit(void **state)
{
    struct pci_device *foreign;
    struct iommu_domain *domain;
    struct dmar_unit *second;

    machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);
    host_unit_add(0xfeda1000, PAGE_SIZE, VTD_TEST_CAP, VTD_TEST_ECAP);
    second = host_dmar_unit(0xfeda1000, false);
    host_dmar_scope(&second->scopes, DMAR_SCOPE_ENDPOINT, 0, 0, 3, 0);
    assert_int_equal(machine_init(NULL), 0);
    domain = machine_domain();
    assert_int_equal(iommu_attach(domain, machine_requester(OTHER)), -ENODEV);
    foreign = host_pci_add(5, DEVICE, NULL);
    assert_int_equal(requesters_find(), 0);
    assert_null(iommu_unit_of(foreign->requesters[0]));
    assert_int_equal(iommu_attach(domain, foreign->requesters[0]), -ENODEV);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), -ENODEV);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* One unit without it, or none at all, is enough for memory to be read past the caches. */
static void snooping_is_controlled_if_all_units_can(void **state)
{
    struct requester *ids[3];
    struct dmar_unit *second;

    machine_build(VTD_TEST_CAP, ECAP_WITH(BIT(7), 0));
    host_unit_add(0xfeda1000, PAGE_SIZE, VTD_TEST_CAP, ECAP_WITH(0, BIT(7)));
    second = host_dmar_unit(0xfeda1000, false);
    host_dmar_scope(&second->scopes, DMAR_SCOPE_ENDPOINT, 0, 0, 3, 0);
    assert_int_equal(machine_init(NULL), 0);
    ids[0] = machine_requester(DEVICE);
    ids[1] = machine_requester(OTHER);
    host_pci_add(5, DEVICE, NULL);
    assert_int_equal(requesters_find(), 0);
    ids[2] = pci_find(5, DEVICE)->requesters[0];
    assert_true(iommu_controls_snooping(ids, 1));
    assert_false(iommu_controls_snooping(ids, 2));
    assert_false(iommu_controls_snooping(ids + 2, 1));
    machine_stop();
}

/* Something else is in its slot, that sends with another id: by number there is nothing amiss. */
static void handles_are_of_the_ids_at_the_start(void **state)
{
    struct pci_device *device;

    machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);
    device = host_pci_add(0, PCI_RID(0, 7, 0), NULL);
    device->aliases[0] = PCI_ALIAS | PCI_RID(0, 7, 1);
    assert_false(iommu_knows(device));
    assert_int_equal(machine_init(NULL), 0);
    assert_true(iommu_knows(device));
    device->aliases[0] = PCI_ALIAS | PCI_RID(0, 1, 0);
    assert_false(iommu_knows(device));
    device->aliases[0] = 0;
    assert_true(iommu_knows(device));
    machine_stop();
}

/* Each handle is made or not, and the next search makes those that are missing. */
static void handles_that_find_no_memory(void **state)
{
    struct pci_device *first, *last;

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    first = host_pci_add(0, PCI_RID(0, 7, 0), NULL);
    last = host_pci_add(0, PCI_RID(0, 8, 0), NULL);
    host_fail_nth(2);
    assert_int_equal(requesters_find(), -ENOMEM);
    assert_true(host_failed());
    host_fail_nth(0);
    assert_non_null(first->requesters[0]);
    assert_null(last->requesters[0]);
    assert_int_equal(requesters_find(), 0);
    assert_ptr_equal(iommu_unit_of(last->requesters[0]), machine_unit());
    machine_stop();
}

/* The id of no function is translated where the one is that sends with it, with its memory. */
static void aliases_are_of_the_same_unit(void **state)
{
    struct pci_device *device;
    struct dmar_unit *second;

    machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);
    host_unit_add(0xfeda1000, PAGE_SIZE, VTD_TEST_CAP, VTD_TEST_ECAP);
    device = host_pci_add(0, PCI_RID(0, 6, 0), NULL);
    device->aliases[0] = PCI_ALIAS | PCI_RID(0, 6, 1);
    second = host_dmar_unit(0xfeda1000, false);
    host_dmar_scope(&second->scopes, DMAR_SCOPE_ENDPOINT, 0, 0, 6, 0);
    assert_int_equal(machine_init(NULL), 0);
    assert_int_equal(device->requesters[1]->rid, PCI_RID(0, 6, 1));
    assert_int_equal(iommu_unit_of(device->requesters[0])->index, 1);
    assert_int_equal(iommu_unit_of(device->requesters[1])->index, 1);
    machine_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_unit_by_scope),
        cmocka_unit_test(aliases_are_of_the_same_unit),
        cmocka_unit_test(virtual_functions_belong_where_the_physical_one_does),
        cmocka_unit_test(segments_are_kept_apart),
        cmocka_unit_test(survives_scopes_that_lead_nowhere),
        cmocka_unit_test(what_no_unit_serves_stops_the_start),
        cmocka_unit_test(the_operator_may_start_without_protection),
        cmocka_unit_test(without_protection_its_bus_mastering_must_be_off),
        cmocka_unit_test(registers_and_bridges_need_no_unit),
        cmocka_unit_test(devices_of_an_absent_unit_are_not_used),
        cmocka_unit_test(units_that_are_all_absent_are_refused),
        cmocka_unit_test(a_domain_belongs_to_its_unit),
        cmocka_unit_test(snooping_is_controlled_if_all_units_can),
        cmocka_unit_test(handles_are_of_the_ids_at_the_start),
        cmocka_unit_test(handles_that_find_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
