/* SPDX-License-Identifier: BSD-2-Clause */
/* One device: how it is selected and claimed, when it masters the bus, and which ids are its. */
#include "kernel/lib/log.h"
#include "kernel/pci/select.h"
#include "tests/unit/pci_fixture.h"

static struct pci_device *selected;

static int by_id(uint32_t ids, uint16_t number)
{
    const struct pci_selector s = {.by = PCI_BY_ID,
                                   .value = ids << 16 | ids >> 16,
                                   .mask = UINT32_MAX,
                                   .number = number,
                                   .words = "IDS"};

    return pci_select(&s, &selected, &why);
}

static int by_class(uint32_t code, uint32_t mask, uint16_t number)
{
    const struct pci_selector s = {
        .by = PCI_BY_CLASS, .value = code, .mask = mask, .number = number, .words = "CLASS"};

    return pci_select(&s, &selected, &why);
}

static int by_path(uint16_t segment, pci_rid_t rid, uint8_t second)
{
    struct pci_selector s = {.segment = segment, .rid = rid, .path = {0, second}, .words = "PATH"};

    s.path_length = second ? 2 : 0;
    return pci_select(&s, &selected, &why);
}

static void is_at(pci_rid_t rid)
{
    assert_non_null(selected);
    assert_int_equal(selected->rid, rid);
}

static void a_machine_to_select_from(void)
{
    sim_bridge(sim_add(0, PCI_RID(0, 3, 0), 0x000c1b36, 0x060400), 1, 2);
    sim_bridge(sim_add(0, PCI_RID(1, 0, 0), 0x000e1b36, 0x060400), 2, 2);
    sim_add(0, PCI_RID(2, 5, 0), EDU, CLASS_X);
    sim_add(0, PCI_RID(0, 4, 0), NIC, 0x020000);
    sim_add(0, PCI_RID(0, 5, 0), NIC, 0x020001);
    enumerate();
}

static void a_device_is_selected_by_id_address_or_path(void **state)
{
    a_machine_to_select_from();
    assert_int_equal(by_id(EDU, 0), 0);
    is_at(PCI_RID(2, 5, 0));
    assert_int_equal(by_id(0x10d48086, 0), -ENODEV);
    says("no such device: IDS");
    assert_int_equal(by_path(0, PCI_RID(0, 5, 0), 0), 0);
    is_at(PCI_RID(0, 5, 0));
    assert_int_equal(by_path(1, PCI_RID(0, 5, 0), 0), -ENODEV);
    says("no such device: PATH");
    assert_int_equal(by_path(0, PCI_RID(0, 3, 0), 0x28), 0);
    is_at(PCI_RID(2, 5, 0));
    assert_int_equal(by_path(0, PCI_RID(0, 3, 0), 0x30), -ENODEV);
    says("no such device: PATH");
    assert_int_equal(by_path(0, PCI_RID(0, 4, 0), 0x30), -ENODEV); /* no bridge */
}

/* In the order of addresses, which is not that of the buses' discovery. */
static void one_of_several_is_selected_by_its_number(void **state)
{
    a_machine_to_select_from();
    assert_int_equal(by_id(NIC, 0), -EEXIST);
    says("2 devices match IDS: name one by its address, or as IDS#1 to IDS#2 in that order");
    assert_int_equal(by_id(NIC, 1), 0);
    is_at(PCI_RID(0, 4, 0));
    assert_int_equal(by_id(NIC, 2), 0);
    is_at(PCI_RID(0, 5, 0));
    assert_int_equal(by_id(NIC, 3), -ENODEV);
    says("no such device: IDS, there are only 2");
    assert_int_equal(by_id(EDU, 1), 0);
    assert_int_equal(by_id(EDU, 2), -ENODEV);
}

static void a_device_is_selected_by_its_class(void **state)
{
    a_machine_to_select_from();
    assert_int_equal(by_class(0x00ff00, 0xffff00, 0), 0);
    is_at(PCI_RID(2, 5, 0));
    assert_int_equal(by_class(0x020000, 0xffff00, 0), -EEXIST);
    says("2 devices match CLASS: name one by its address, or as CLASS#1 to CLASS#2");
    assert_int_equal(by_class(0x020001, 0xffffff, 0), 0);
    is_at(PCI_RID(0, 5, 0));
    assert_int_equal(by_class(0x020000, 0xffff00, 2), 0);
    is_at(PCI_RID(0, 5, 0));
    assert_int_equal(by_class(0x010802, 0xffffff, 0), -ENODEV);
    says("no such device: CLASS");
    assert_int_equal(by_class(0x010800, 0xffff00, 1), -ENODEV);
    says("no such device: CLASS");
}

/* A port with bus 1 below it, and maybe a slot for devices that come and go. */
static void a_port(uint32_t slot)
{
    struct sim_function *port;

    sim_reset();
    port = sim_add(0, PCI_RID(0, 3, 0), 0x000c1b36, 0x060400);
    sim_bridge(port, 1, 1);
    sim_express(port, PCIE_ROOT_PORT, false);
    sim_set(port, port->pcie + PCIE_FLAGS, 2, PCIE_ROOT_PORT << 4 | PCIE_FLAGS_SLOT | 2, 0);
    sim_set(port, port->pcie + PCIE_SLOT_CAP, 4, slot, 0);
    enumerate();
}

static struct pci_device *expected(uint16_t segment, pci_rid_t rid, uint8_t path_length)
{
    const struct pci_selector s = {
        .segment = segment, .rid = rid, .path_length = path_length, .words = "PLACE"};

    pci_expect(&s);
    return pci_select(&s, &selected, &why) ? NULL : selected;
}

/* By its own address or by the way to it; it is not there, and no other selector means it. */
static void an_empty_slot_is_selected_by_its_address(void **state)
{
    struct pci_device *d;

    a_port(PCIE_SLOT_CAP_HOT_PLUG);
    d = expected(0, PCI_RID(1, 0, 0), 0);
    assert_non_null(d);
    assert_true(d->removed && d->in_reset);
    assert_ptr_equal(d->bridge, pci_find(0, PCI_RID(0, 3, 0)));
    assert_int_equal(pci_read32(d, PCI_VENDOR), UINT32_MAX);
    assert_int_equal(pci_claim(d, "test"), -ENODEV);
    assert_ptr_equal(expected(0, PCI_RID(0, 3, 0), 1), d);
    assert_int_equal(by_id(0, 0), -ENODEV);
    assert_int_equal(by_class(0, 0xffffff, 0), -ENODEV);
    sim_add(0, PCI_RID(1, 0, 0), EDU, CLASS_X);
    assert_true(pci_learn_new(d));
    assert_int_equal(by_id(EDU, 0), 0);
    assert_ptr_equal(selected, d);
}

static void only_a_slot_can_be_empty(void **state)
{
    a_port(PCIE_SLOT_CAP_HOT_PLUG);
    assert_null(expected(0, PCI_RID(1, 0, 1), 0));
    assert_null(expected(0, PCI_RID(1, 1, 0), 0));
    assert_null(expected(0, PCI_RID(0, 4, 0), 0));
    assert_null(expected(1, PCI_RID(1, 0, 0), 0));
    assert_non_null(expected(0, PCI_RID(0, 3, 0), 0)); /* the port itself */
    assert_false(selected->removed);
    a_port(0);
    assert_null(expected(0, PCI_RID(1, 0, 0), 0));
}

static char listed[4096];
static size_t listed_length;

static void keep_log(const char *text, size_t length)
{
    if (listed_length + length < sizeof(listed))
        memcpy(listed + listed_length, text, length);
    listed_length += length;
}

static unsigned lines_with(const char *words)
{
    unsigned count = 0;

    for (const char *at = listed; (at = strstr(at, words)); at++)
        count++;
    return count;
}

/* Those that match, or all that are no bridges; no more than 16. */
static void what_might_be_meant_is_listed(void **state)
{
    static struct log_sink sink = {.write = keep_log};

    log_add_sink(&sink);
    a_machine_to_select_from();
    assert_int_equal(by_id(NIC, 0), -EEXIST);
    assert_int_equal(lines_with("there is "), 2);
    assert_int_equal(lines_with("there is 0000:00:05.0 8086:10d3 class:020001\n"), 1);
    memset(listed, 0, sizeof(listed));
    listed_length = 0;
    assert_int_equal(by_class(0x010800, 0xffff00, 0), -ENODEV);
    assert_int_equal(lines_with("there is "), 3);
    assert_int_equal(lines_with("there is 0000:02:05.0 1234:11e8 class:00ff00\n"), 1);
    assert_int_equal(lines_with("1b36"), 0);
    sim_reset();
    for (unsigned slot = 0; slot < 20; slot++)
        sim_add(0, PCI_RID(0, slot, 0), EDU, CLASS_X);
    enumerate();
    memset(listed, 0, sizeof(listed));
    listed_length = 0;
    assert_int_equal(by_id(EDU, 0), -EEXIST);
    assert_int_equal(lines_with("there is "), 16);
    assert_int_equal(lines_with("and 4 more"), 1);
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
    sim_set(port, PCI_COMMAND, 2, 0, 0x547);
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
    pci_pardon(pci_find(0, PCI_RID(0, 4, 0))); /* somebody else */
    pci_set_bus_master(d, true);
    assert_int_equal(sim_get(f, PCI_COMMAND, 2), 3);
    pci_pardon(d);
    assert_int_equal(sim_get(f, PCI_COMMAND, 2), 3);
    pci_set_bus_master(d, true);
    assert_int_equal(sim_get(f, PCI_COMMAND, 2), 7);
}

/* As firmware, or a system before, may leave a port. It forgets all on the way to full power. */
static void what_is_below_a_sleeping_bridge_is_found(void **state)
{
    struct sim_function *port = sim_add(0, PCI_RID(0, 3, 0), 0x000c1b36, 0x060400);
    const struct pci_device *d;

    sim_bridge(port, 1, 1);
    sim_set(port, PCI_MEMORY_BASE, 4, 0xfe00fe00, 0xfff0fff0);
    sim_power(port, false);
    sim_add(0, PCI_RID(1, 0, 0), EDU, CLASS_X);
    sim_remember();
    sim_set(port, port->pm + PCI_PM_CONTROL, 2, PCI_PM_D3HOT, PCI_PM_STATE);
    enumerate();
    d = pci_find(0, PCI_RID(1, 0, 0));
    assert_non_null(d);
    assert_int_equal(d->bridge->rid, PCI_RID(0, 3, 0));
    assert_int_equal(port->resets, 1);
    assert_int_equal(sim_get(port, port->pm + PCI_PM_CONTROL, 2) & PCI_PM_STATE, 0);
    assert_int_equal(sim_get(port, PCI_MEMORY_BASE, 4), 0xfe00fe00);
}

/* What sends on behalf of the device was stopped with it. */
static void a_pardon_reaches_the_bridges(void **state)
{
    struct sim_function *f = sim_add(0, PCI_RID(0, 1, 0), 0x000e1b36, 0x060400);
    const struct pci_device *bridge, *device;

    sim_express(f, PCIE_TO_PCI_BRIDGE, false);
    sim_bridge(f, 1, 1);
    sim_add(0, PCI_RID(1, 2, 0), EDU, CLASS_X);
    enumerate();
    bridge = pci_find(0, PCI_RID(0, 1, 0));
    device = pci_find(0, PCI_RID(1, 2, 0));
    pci_stop_senders(0, bridge->rid);
    assert_true(bridge->stopped && device->stopped);
    pci_pardon(device);
    assert_false(bridge->stopped || device->stopped);
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
        TEST(one_of_several_is_selected_by_its_number),
        TEST(a_device_is_selected_by_its_class),
        TEST(an_empty_slot_is_selected_by_its_address),
        TEST(only_a_slot_can_be_empty),
        TEST(what_might_be_meant_is_listed),
        TEST(only_bridges_on_the_way_master_the_bus),
        TEST(what_is_below_a_sleeping_bridge_is_found),
        TEST(a_pardon_reaches_the_bridges),
        TEST(a_bridge_adds_its_requester_ids),
        TEST(one_family_at_a_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
