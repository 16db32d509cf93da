/* SPDX-License-Identifier: BSD-2-Clause */
/* One device: how it is selected and claimed, when it masters the bus, and which ids are its. */
#include "kernel/pci/select.h"
#include "tests/unit/pci_fixture.h"

static void a_device_is_selected_by_id_address_or_path(void **state)
{
    const uint8_t path[] = {0x00, 0x28}, off[] = {0x00, 0x30};
    struct pci_selector s = {.by_id = true, .vendor = 0x1234, .device = 0x11e8};
    struct pci_device *d = NULL;

    sim_bridge(sim_add(0, PCI_RID(0, 3, 0), 0x000c1b36, 0x060400), 1, 2);
    sim_bridge(sim_add(0, PCI_RID(1, 0, 0), 0x000e1b36, 0x060400), 2, 2);
    sim_add(0, PCI_RID(2, 5, 0), EDU, CLASS_X);
    sim_add(0, PCI_RID(0, 4, 0), NIC, CLASS_X);
    sim_add(0, PCI_RID(0, 5, 0), NIC, CLASS_X);
    enumerate();

    assert_int_equal(pci_select(&s, &d, &why), 0);
    assert_int_equal(d->rid, PCI_RID(2, 5, 0));
    s = (struct pci_selector){.by_id = true, .vendor = 0x8086, .device = 0x10d3};
    assert_int_equal(pci_select(&s, &d, &why), -EEXIST);
    says("two devices match 8086:10d3: 0000:00:04.0 and 0000:00:05.0");
    s.device = 0x10d4;
    assert_int_equal(pci_select(&s, &d, &why), -ENODEV);
    says("no such device: 8086:10d4");
    s = (struct pci_selector){.rid = PCI_RID(0, 5, 0)};
    assert_int_equal(pci_select(&s, &d, &why), 0);
    assert_int_equal(d->rid, PCI_RID(0, 5, 0));
    s.segment = 1;
    assert_int_equal(pci_select(&s, &d, &why), -ENODEV);
    says("no such device: 0001:00:05.0");
    s = (struct pci_selector){.rid = PCI_RID(0, 3, 0), .path = path, .path_length = 2};
    assert_int_equal(pci_select(&s, &d, &why), 0);
    assert_int_equal(d->rid, PCI_RID(2, 5, 0));
    s.path = off;
    assert_int_equal(pci_select(&s, &d, &why), -ENODEV);
    says("no such device: 0000:00:03.0/00.0/06.0");
    s.rid = PCI_RID(0, 4, 0); /* no bridge */
    assert_int_equal(pci_select(&s, &d, &why), -ENODEV);
}

static void only_bridges_on_the_way_master_the_bus(void **state)
{
    struct sim_function *port = sim_add(0, PCI_RID(0, 3, 0), 0x000c1b36, 0x060400);
    struct sim_function *f = sim_add(0, PCI_RID(1, 0, 0), EDU, CLASS_X);
    struct sim_function *other = sim_add(0, PCI_RID(0, 4, 0), EDU, CLASS_X);
    struct pci_device *d;

    sim_bridge(port, 1, 1);
    sim_set(port, PCI_COMMAND, 2, 7, 0x547);
    sim_set(f, PCI_COMMAND, 2, 7, 0x547);
    sim_set(other, PCI_COMMAND, 2, 7, 0x547);
    enumerate();
    pci_disable_all_bus_masters();
    assert_int_equal(sim_get(port, PCI_COMMAND, 2), 3);
    assert_int_equal(sim_get(f, PCI_COMMAND, 2), 3);
    assert_int_equal(sim_get(other, PCI_COMMAND, 2), 3);
    d = pci_find(0, PCI_RID(1, 0, 0));
    pci_enable_path(d);
    assert_int_equal(sim_get(port, PCI_COMMAND, 2), 7);
    assert_int_equal(sim_get(f, PCI_COMMAND, 2), 3);
    assert_int_equal(sim_get(other, PCI_COMMAND, 2), 3);
    pci_set_bus_master(d, true);
    assert_int_equal(sim_get(f, PCI_COMMAND, 2), 7);
    pci_stop(d);
    assert_int_equal(sim_get(f, PCI_COMMAND, 2), 3);
    pci_set_bus_master(d, true);
    assert_int_equal(sim_get(f, PCI_COMMAND, 2), 3);
}

static size_t ids_of(pci_rid_t rid, pci_rid_t out[3])
{
    return pci_requester_ids(pci_find(0, rid), out);
}

static void a_bridge_adds_its_requester_ids(void **state)
{
    struct sim_function *f = sim_add(0, PCI_RID(0, 1, 0), 0x000c1b36, 0x060400);
    pci_rid_t ids[3];

    sim_express(f, PCIE_ROOT_PORT, false);
    sim_bridge(f, 1, 3);
    f = sim_add(0, PCI_RID(1, 0, 0), 0x000e1b36, 0x060400);
    sim_express(f, PCIE_TO_PCI_BRIDGE, false);
    sim_bridge(f, 2, 3);
    sim_add(0, PCI_RID(2, 0, 0), EDU, CLASS_X);
    sim_add(0, PCI_RID(2, 1, 0), EDU, CLASS_X);
    sim_bridge(sim_add(0, PCI_RID(2, 2, 0), 0x00011b36, 0x060400), 3, 3); /* conventional below */
    sim_add(0, PCI_RID(3, 4, 0), EDU, CLASS_X);
    sim_bridge(sim_add(0, PCI_RID(0, 2, 0), 0x00011b36, 0x060400), 4, 4); /* conventional on root */
    sim_add(0, PCI_RID(4, 1, 0), EDU, CLASS_X);
    enumerate();

    assert_int_equal(ids_of(PCI_RID(1, 0, 0), ids), 1);
    assert_int_equal(ids[0], PCI_RID(1, 0, 0));
    assert_int_equal(ids_of(PCI_RID(2, 1, 0), ids), 3);
    assert_int_equal(ids[0], PCI_RID(2, 1, 0));
    assert_int_equal(ids[1], PCI_RID(2, 0, 0));
    assert_int_equal(ids[2], PCI_RID(1, 0, 0));
    assert_int_equal(ids_of(PCI_RID(2, 0, 0), ids), 2); /* is its own alias */
    assert_int_equal(ids[1], PCI_RID(1, 0, 0));
    assert_int_equal(ids_of(PCI_RID(3, 4, 0), ids), 3); /* the highest bridge decides */
    assert_int_equal(ids[1], PCI_RID(2, 0, 0));
    assert_int_equal(ids_of(PCI_RID(4, 1, 0), ids), 2);
    assert_int_equal(ids[1], PCI_RID(0, 2, 0));
}

static void one_family_at_a_time(void **state)
{
    struct pci_device *d;

    sim_add(0, PCI_RID(0, 1, 0), EDU, CLASS_X);
    enumerate();
    d = pci_find(0, PCI_RID(0, 1, 0));
    assert_int_equal(pci_claim(d, "vfio"), 0);
    assert_int_equal(pci_claim(d, "uio"), -EBUSY);
    assert_int_equal(pci_claim(d, "vfio"), -EBUSY);
    pci_unclaim(d);
    assert_int_equal(pci_claim(d, "uio"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_device_is_selected_by_id_address_or_path),
        TEST(only_bridges_on_the_way_master_the_bus),
        TEST(a_bridge_adds_its_requester_ids),
        TEST(one_family_at_a_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
