/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices that are left: what is not written to them, and what they may reach. */
#include "kernel/pci/group.h"
#include "kernel/pci/leave.h"
#include "tests/unit/pci_fixture.h"

#define LEFT  PCI_RID(1, 0, 0)
#define PORT  PCI_RID(0, 3, 0)
#define OTHER PCI_RID(0, 4, 0)

static const struct phys_run ram[] = {{0, 0x80000000}};
static const struct pci_machine machine = {.acpi = &acpi, .ram = ram, .ram_count = 1};

static void new_functions(void)
{
    struct sim_function *f;

    f = sim_add(0, PORT, 0x000c1b36, 0x060400);
    sim_bridge(f, 1, 1);
    sim_set(f, PCI_COMMAND, 2, 7, 0x547);
    sim_express(f, PCIE_ROOT_PORT, false);
    sim_access_control(f, 0x5f);
    sim_set(sim_add(0, OTHER, EDU, CLASS_X), PCI_COMMAND, 2, 7, 0x547);
    f = sim_add(0, LEFT, NIC, 0x020000);
    sim_set(f, PCI_COMMAND, 2, 7, 0x547);
    sim_express(f, PCIE_ENDPOINT, true);
    enumerate();
}

static int leave(pci_rid_t rid, const struct phys_run *reach, size_t count)
{
    const struct pci_selector selector = {.rid = rid, .words = "IT"};

    return pci_leave(&selector, reach, count, &machine, &acpi.dmar, &why);
}

static bool masters(pci_rid_t rid)
{
    return pci_read16(pci_find(0, rid), PCI_COMMAND) & PCI_COMMAND_MASTER;
}

static void it_and_its_way_keep_bus_mastering(void **state)
{
    new_functions();
    assert_int_equal(leave(LEFT, NULL, 0), 0);
    pci_disable_all_bus_masters();
    assert_true(masters(LEFT));
    assert_true(masters(PORT));
    assert_false(masters(OTHER));
    assert_int_equal(pci_stop_senders(0, LEFT), 0);
    assert_int_equal(pci_stop_senders(0, PORT), 0);
    assert_int_equal(pci_stop_senders(0, OTHER), 1);
    assert_true(masters(LEFT));
    assert_true(masters(PORT));
    assert_int_equal(acpi.dmar.region_count, 0);
}

/* However much that is, with a scope that names the device. */
static void what_it_may_reach_is_its_reserved_memory(void **state)
{
    static const struct phys_run reach[] = {{0x90000000, 8192}, {0x100000000, 9 * GIB}};
    const struct dmar_info *dmar = &acpi.dmar;

    new_functions();
    assert_int_equal(leave(LEFT, reach, 2), 0);
    assert_int_equal(dmar->region_count, 2);
    assert_int_equal(dmar->scope_count, 1);
    assert_int_equal(dmar->scopes[0].type, DMAR_SCOPE_ENDPOINT);
    assert_int_equal(dmar->scopes[0].bus, 1);
    assert_int_equal(dmar->scopes[0].hops, 1);
    assert_int_equal(dmar->scopes[0].path[0].device | dmar->scopes[0].path[0].function, 0);
    for (size_t i = 0; i < 2; i++) {
        assert_true(dmar->regions[i].named);
        assert_int_equal(dmar->regions[i].segment, 0);
        assert_int_equal(dmar->regions[i].scopes.first, 0);
        assert_int_equal(dmar->regions[i].scopes.count, 1);
    }
    assert_int_equal(dmar->regions[0].base, 0x90000000);
    assert_int_equal(dmar->regions[0].length, 8192);
    assert_int_equal(dmar->regions[1].base, 0x100000000);
    assert_int_equal(dmar->regions[1].length, 9 * GIB);
}

static void refused(pci_rid_t rid, paddr_t base, int error, const char *sentence)
{
    const struct phys_run reach = {base, 8192};

    assert_int_equal(leave(rid, &reach, 1), error);
    says(sentence);
}

static void what_cannot_be_left_is_refused(void **state)
{
    new_functions();
    assert_int_equal(
        dmar_add_region(&acpi.dmar, &(struct dmar_region){.base = 0x90001000, .length = 8192}), 0);
    refused(PORT, 0x90000000, -EINVAL, "device 0000:00:03.0 is a bridge: leave what is below it");
    refused(PCI_RID(0, 9, 0), 0x90000000, -ENODEV, "no such device: IT");
    refused(OTHER, 0x7ffff000, -EINVAL, "overlaps RAM at 0x0");
    refused(OTHER, 0x90000000, -EINVAL, "overlaps that of another at 0x90001000");
    assert_false(pci_find(0, OTHER)->left);
    refused(OTHER, 0x90001000, 0, ""); /* the same range may have two */
    refused(OTHER, 0xa0000000, -EINVAL, "device 0000:00:04.0 is left twice");
    host_fail_nth(1);
    refused(LEFT, 0xa0000000, -ENOMEM, "no memory for a region");
    host_fail_nth(0);
}

static int with_assigned(pci_rid_t rid)
{
    pci_find(0, rid)->assigned = true;
    return pci_leave_check(&why);
}

static void its_group_is_nobody_elses(void **state)
{
    new_functions();
    assert_int_equal(leave(LEFT, NULL, 0), 0);
    assert_int_equal(pci_groups_build(), 0);
    assert_int_equal(with_assigned(OTHER), 0);
    assert_int_equal(with_assigned(LEFT), -EPERM);
    says("device 0000:01:00.0 is to be left as it is, but its group 2 has an assigned device");
}

static void a_neighbour_that_cannot_be_kept_apart_is_refused(void **state)
{
    sim_multifunction(sim_add(0, PCI_RID(0, 5, 0), NIC, 0x020000));
    sim_add(0, PCI_RID(0, 5, 1), NIC, 0x020000);
    enumerate();
    assert_int_equal(leave(PCI_RID(0, 5, 1), NULL, 0), 0);
    assert_int_equal(pci_groups_build(), 0);
    assert_int_equal(with_assigned(PCI_RID(0, 5, 0)), -EPERM);
    says("device 0000:00:05.1 is to be left as it is, but its group 0 has an assigned device");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_and_its_way_keep_bus_mastering),
        TEST(what_it_may_reach_is_its_reserved_memory),
        TEST(what_cannot_be_left_is_refused),
        TEST(its_group_is_nobody_elses),
        TEST(a_neighbour_that_cannot_be_kept_apart_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
