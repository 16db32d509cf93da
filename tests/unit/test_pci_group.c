/* SPDX-License-Identifier: BSD-2-Clause */
/* Isolation groups: every rule on a machine that shows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/pci/group.h"
#include "kernel/pci/registers.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/sim_pci.h"

#define IDS      0x11e81234
#define ENDPOINT 0x00ff00
#define BRIDGE   0x060400
#define ALL_ACS  0x5f /* what QEMU's root port offers */

static struct refusal why;

static int new_machine(void **state)
{
    sim_reset();
    sim_add(0, PCI_RID(0, 0, 0), IDS, 0x060000);
    return 0;
}

static int no_leak(void **state)
{
    sim_reset();
    return heap_used() == 0 ? 0 : -1;
}

static struct sim_function *conventional(pci_rid_t rid)
{
    return sim_add(0, rid, IDS, ENDPOINT);
}

static struct sim_function *express(pci_rid_t rid)
{
    struct sim_function *f = conventional(rid);

    sim_express(f, PCIE_ENDPOINT, true);
    return f;
}

static struct sim_function *port(pci_rid_t rid, unsigned type, unsigned secondary,
                                 unsigned subordinate, bool acs)
{
    struct sim_function *f = sim_add(0, rid, IDS, BRIDGE);

    sim_bridge(f, secondary, subordinate);
    sim_express(f, type, false);
    if (acs)
        sim_access_control(f, ALL_ACS);
    return f;
}

/* The handle of an id, which nobody looks behind here. */
static struct requester *handle_of(pci_rid_t rid)
{
    static char handles[65536];

    return (struct requester *)&handles[rid];
}

static void build_enumerated(void)
{
    struct pci_device *device;

    list_for_each_entry (device, pci_devices(), link) {
        pci_rid_t ids[PCI_IDS_MAX];
        size_t count = pci_requester_ids(device, ids);

        while (count--)
            device->requesters[count] = handle_of(ids[count]);
    }
    assert_int_equal(pci_groups_build(), 0);
}

static void build(void)
{
    assert_int_equal(pci_enumerate(sim_ecams, 1, &why), 0);
    build_enumerated();
}

static struct pci_group *group_of(pci_rid_t rid)
{
    return pci_find(0, rid)->group;
}

/* Is the group of the first made of exactly these functions? Ends with 0xffff. */
static void is_group(const pci_rid_t *members)
{
    struct pci_group *g = group_of(members[0]);
    size_t count = 0;

    while (members[count] != 0xffff)
        count++;
    assert_int_equal(g->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(g->members[i]->rid, members[i]);
        assert_ptr_equal(g->members[i]->group, g);
    }
}

#define GROUP(...) is_group((const pci_rid_t[]){__VA_ARGS__, 0xffff})

static void single_functions_stand_alone(void **state)
{
    conventional(PCI_RID(0, 2, 0));
    express(PCI_RID(0, 3, 0));
    build();
    GROUP(PCI_RID(0, 0, 0));
    GROUP(PCI_RID(0, 2, 0));
    GROUP(PCI_RID(0, 3, 0));
    assert_int_equal(group_of(PCI_RID(0, 0, 0))->id, 0);
    assert_int_equal(group_of(PCI_RID(0, 2, 0))->id, 1);
    assert_int_equal(group_of(PCI_RID(0, 3, 0))->id, 2);
    assert_null(pci_find(0, PCI_RID(0, 4, 0)));
}

static void functions_of_one_device_join(void **state)
{
    sim_multifunction(conventional(PCI_RID(0, 31, 0)));
    conventional(PCI_RID(0, 31, 2));
    conventional(PCI_RID(0, 31, 3));
    conventional(PCI_RID(0, 30, 0));
    build();
    GROUP(PCI_RID(0, 31, 0), PCI_RID(0, 31, 2), PCI_RID(0, 31, 3));
    GROUP(PCI_RID(0, 30, 0));
}

static void access_control_keeps_functions_apart(void **state)
{
    struct sim_function *a = express(PCI_RID(0, 5, 0)), *b = express(PCI_RID(0, 5, 1));

    sim_multifunction(a);
    sim_access_control(a, 0x0c); /* endpoints offer no more than redirection */
    sim_access_control(b, 0x00); /* nothing offered: nothing it could do past the IOMMU */
    build();
    GROUP(PCI_RID(0, 5, 0));
    GROUP(PCI_RID(0, 5, 1));
    assert_int_equal(sim_get(a, 0x100 + PCI_ACS_CONTROL, 2), 0x0c);
}

/* One open function reaches the others inside the device, whatever control they have. */
static void pitfall_29_one_open_function_joins_all(void **state)
{
    struct sim_function *a = express(PCI_RID(0, 5, 0)), *b = express(PCI_RID(0, 5, 1));

    sim_multifunction(a);
    sim_access_control(a, 0x0c);
    sim_access_control(b, 0x0c);
    express(PCI_RID(0, 5, 2));
    build();
    GROUP(PCI_RID(0, 5, 0), PCI_RID(0, 5, 1), PCI_RID(0, 5, 2));
}

/* Control bits that the hardware refuses to take count as off. */
static void control_that_stays_off(void **state)
{
    struct sim_function *p = port(PCI_RID(0, 3, 0), PCIE_ROOT_PORT, 1, 1, true);

    sim_set(p, 0x100 + PCI_ACS_CONTROL, 2, 0, 0x1b); /* all but request redirection */
    express(PCI_RID(1, 0, 0));
    build();
    GROUP(PCI_RID(0, 3, 0), PCI_RID(1, 0, 0));
}

/* What firmware had on besides is off, and with it the shortcuts past the IOMMU. */
static void control_is_written_whole(void **state)
{
    struct sim_function *p = port(PCI_RID(0, 3, 0), PCIE_ROOT_PORT, 1, 1, true);
    struct sim_function *stuck = port(PCI_RID(0, 4, 0), PCIE_ROOT_PORT, 2, 2, true);

    sim_set(p, 0x100 + PCI_ACS_CONTROL, 2, 0x1fe0, 0x1fff);
    sim_set(stuck, 0x100 + PCI_ACS_CONTROL, 2, PCI_ACS_DIRECT_TRANSLATED, 0x1f);
    express(PCI_RID(1, 0, 0));
    express(PCI_RID(2, 0, 0));
    build();
    assert_int_equal(sim_get(p, 0x100 + PCI_ACS_CONTROL, 2), 0x1f);
    GROUP(PCI_RID(1, 0, 0));
    GROUP(PCI_RID(0, 4, 0), PCI_RID(2, 0, 0));
}

/* Ports of the 100 and 200 series: a register of 32 bits behind another of 32 bits. */
static void control_of_wide_ports(void **state)
{
    static const uint32_t ids[] = {0xa1108086, 0xa1208086};
    struct sim_function *ports[2];

    for (unsigned i = 0; i < ARRAY_SIZE(ids); i++) {
        struct sim_function *p = sim_add(0, PCI_RID(0, 28, i), ids[i], BRIDGE);
        unsigned at;

        sim_bridge(p, 1 + i, 1 + i);
        sim_express(p, PCIE_ROOT_PORT, false);
        at = sim_extended_capability(p, PCI_EXT_CAP_ACS, 12);
        sim_set(p, at + PCI_ACS_CAP, 4, 0x1f, 0);
        sim_set(p, at + PCI_ACS_CONTROL_WIDE, 4, 0, 0x1f);
        sim_multifunction(p);
        ports[i] = p;
        express(PCI_RID(1 + i, 0, 0));
    }
    build();
    assert_int_equal(sim_get(ports[0], 0x108, 4), 0x1f);
    assert_int_equal(sim_get(ports[1], 0x108, 4), 0);
    GROUP(PCI_RID(0, 28, 0), PCI_RID(0, 28, 1), PCI_RID(1, 0, 0), PCI_RID(2, 0, 0));
    assert_int_equal(pci_find(0, PCI_RID(0, 28, 1))->culprit->rid, PCI_RID(0, 28, 1));
}

/* Functions of a network card that have no capability, and need none. */
static void functions_that_are_known_to_be_apart(void **state)
{
    static const uint32_t ids[] = {0x15218086, 0x15218086, 0x15208086};

    port(PCI_RID(0, 3, 0), PCIE_ROOT_PORT, 1, 1, true);
    port(PCI_RID(0, 4, 0), PCIE_ROOT_PORT, 2, 2, true);
    for (unsigned i = 0; i < 2 * ARRAY_SIZE(ids) - 1; i++) {
        struct sim_function *f = sim_add(0, i < 2 ? PCI_RID(1, 0, i) : PCI_RID(2, 0, i - 2),
                                         ids[i < 2 ? i : i - 2], 0x020000);

        sim_express(f, PCIE_ENDPOINT, true);
        sim_multifunction(f);
    }
    build();
    GROUP(PCI_RID(1, 0, 0));
    GROUP(PCI_RID(1, 0, 1));
    GROUP(PCI_RID(2, 0, 0), PCI_RID(2, 0, 1), PCI_RID(2, 0, 2)); /* one is another card */
}

static void a_root_port_isolates_what_is_below_it_only_with_access_control(void **state)
{
    struct sim_function *with = port(PCI_RID(0, 3, 0), PCIE_ROOT_PORT, 1, 1, true);

    express(PCI_RID(1, 0, 0));
    port(PCI_RID(0, 4, 0), PCIE_ROOT_PORT, 2, 2, false);
    express(PCI_RID(2, 0, 0));
    build();
    assert_int_equal(sim_get(with, 0x100 + PCI_ACS_CONTROL, 2), 0x1f);
    GROUP(PCI_RID(0, 3, 0));
    GROUP(PCI_RID(1, 0, 0));
    GROUP(PCI_RID(0, 4, 0), PCI_RID(2, 0, 0));
}

/* Root ports that are functions of one device: an open one joins the others and all below. */
static void multifunction_root_ports(void **state)
{
    sim_multifunction(port(PCI_RID(0, 28, 0), PCIE_ROOT_PORT, 1, 1, true));
    port(PCI_RID(0, 28, 1), PCIE_ROOT_PORT, 2, 2, true);
    sim_multifunction(port(PCI_RID(0, 29, 0), PCIE_ROOT_PORT, 3, 3, true));
    port(PCI_RID(0, 29, 1), PCIE_ROOT_PORT, 4, 4, false);
    express(PCI_RID(1, 0, 0));
    express(PCI_RID(2, 0, 0));
    express(PCI_RID(3, 0, 0));
    express(PCI_RID(4, 0, 0));
    build();
    GROUP(PCI_RID(0, 28, 0));
    GROUP(PCI_RID(0, 28, 1));
    GROUP(PCI_RID(1, 0, 0));
    GROUP(PCI_RID(2, 0, 0));
    GROUP(PCI_RID(0, 29, 0), PCI_RID(0, 29, 1), PCI_RID(3, 0, 0), PCI_RID(4, 0, 0));
}

static void build_switch(bool root_acs, bool first_acs, bool second_acs)
{
    port(PCI_RID(0, 3, 0), PCIE_ROOT_PORT, 1, 4, root_acs);
    port(PCI_RID(1, 0, 0), PCIE_UPSTREAM_PORT, 2, 4, false);
    port(PCI_RID(2, 0, 0), PCIE_DOWNSTREAM_PORT, 3, 3, first_acs);
    port(PCI_RID(2, 1, 0), PCIE_DOWNSTREAM_PORT, 4, 4, second_acs);
    express(PCI_RID(3, 0, 0));
    express(PCI_RID(4, 0, 0));
    build();
}

static void switch_with_access_control(void **state)
{
    build_switch(true, true, true);
    GROUP(PCI_RID(1, 0, 0));
    GROUP(PCI_RID(2, 0, 0));
    GROUP(PCI_RID(2, 1, 0));
    GROUP(PCI_RID(3, 0, 0));
    GROUP(PCI_RID(4, 0, 0));
}

/* Ports without control route requests to each other: they and all below are one group. */
static void pitfall_29_switch_without_access_control(void **state)
{
    build_switch(true, false, false);
    GROUP(PCI_RID(0, 3, 0));
    GROUP(PCI_RID(1, 0, 0));
    GROUP(PCI_RID(2, 0, 0), PCI_RID(2, 1, 0), PCI_RID(3, 0, 0), PCI_RID(4, 0, 0));
}

static void switch_with_one_open_port(void **state)
{
    build_switch(true, true, false);
    GROUP(PCI_RID(2, 0, 0), PCI_RID(2, 1, 0), PCI_RID(3, 0, 0), PCI_RID(4, 0, 0));
}

/* The root port may send what comes up straight down again, past good downstream ports. */
static void good_switch_below_an_open_root_port(void **state)
{
    build_switch(false, true, true);
    GROUP(PCI_RID(0, 3, 0), PCI_RID(1, 0, 0), PCI_RID(2, 0, 0), PCI_RID(2, 1, 0), PCI_RID(3, 0, 0),
          PCI_RID(4, 0, 0));
}

/* Functions on a link are one device even when their device numbers differ (ARI). */
static void functions_on_one_link(void **state)
{
    struct sim_function *p = port(PCI_RID(0, 3, 0), PCIE_ROOT_PORT, 1, 1, true);

    sim_set(p, p->pcie + PCIE_DEVICE_CTL2, 2, PCIE_DEVICE_CTL2_ARI, 0xffff);
    sim_multifunction(express(PCI_RID(1, 0, 0)));
    express(PCI_RID(1, 1, 3));
    build();
    GROUP(PCI_RID(0, 3, 0));
    GROUP(PCI_RID(1, 0, 0), PCI_RID(1, 1, 3));
}

static void a_conventional_bus_is_one_group(void **state)
{
    port(PCI_RID(0, 3, 0), PCIE_ROOT_PORT, 1, 3, true);
    port(PCI_RID(1, 0, 0), PCIE_TO_PCI_BRIDGE, 2, 3, false);
    conventional(PCI_RID(2, 4, 0));
    conventional(PCI_RID(2, 5, 0));
    sim_bridge(sim_add(0, PCI_RID(2, 6, 0), IDS, BRIDGE), 3, 3);
    conventional(PCI_RID(3, 0, 0));
    sim_bridge(sim_add(0, PCI_RID(0, 30, 0), IDS, BRIDGE), 4, 4); /* on the root bus */
    conventional(PCI_RID(4, 1, 0));
    build();
    GROUP(PCI_RID(0, 3, 0));
    GROUP(PCI_RID(1, 0, 0), PCI_RID(2, 4, 0), PCI_RID(2, 5, 0), PCI_RID(2, 6, 0), PCI_RID(3, 0, 0));
    GROUP(PCI_RID(0, 30, 0), PCI_RID(4, 1, 0));
}

/* Four members share the alias 02:00.0, and the bridge's id is that of a member, too. */
static void a_group_has_each_requester_id_once(void **state)
{
    static const pci_rid_t expected[] = {
        PCI_RID(1, 0, 0), PCI_RID(2, 4, 0), PCI_RID(2, 0, 0),
        PCI_RID(2, 5, 0), PCI_RID(2, 6, 0), PCI_RID(3, 0, 0),
    };
    const struct pci_group *group;

    a_conventional_bus_is_one_group(state);
    group = group_of(PCI_RID(2, 5, 0));
    assert_int_equal(group->requester_count, ARRAY_SIZE(expected));
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        assert_ptr_equal(group->requesters[i], handle_of(expected[i]));
}

/* With whom a function was joined, by which rule and through whose fault. */
static void joined(pci_rid_t rid, pci_rid_t with, enum pci_join_rule rule, pci_rid_t culprit)
{
    const struct pci_device *d = pci_find(0, rid);

    assert_non_null(d->joined);
    assert_int_equal(d->joined->rid, with);
    assert_int_equal(d->join_rule, rule);
    assert_int_equal(d->culprit->rid, culprit);
}

static void every_member_but_the_first_has_a_reason(void **state)
{
    port(PCI_RID(0, 3, 0), PCIE_ROOT_PORT, 1, 1, false);
    express(PCI_RID(1, 0, 0));
    port(PCI_RID(0, 4, 0), PCIE_ROOT_PORT, 2, 5, true);
    port(PCI_RID(2, 0, 0), PCIE_UPSTREAM_PORT, 3, 5, false);
    port(PCI_RID(3, 0, 0), PCIE_DOWNSTREAM_PORT, 4, 4, true);
    port(PCI_RID(3, 1, 0), PCIE_DOWNSTREAM_PORT, 5, 5, false);
    express(PCI_RID(4, 0, 0));
    express(PCI_RID(5, 0, 0));
    sim_bridge(sim_add(0, PCI_RID(0, 30, 0), IDS, BRIDGE), 6, 6);
    conventional(PCI_RID(6, 1, 0));
    sim_multifunction(conventional(PCI_RID(0, 31, 0)));
    conventional(PCI_RID(0, 31, 2));
    build();
    joined(PCI_RID(1, 0, 0), PCI_RID(0, 3, 0), PCI_JOIN_PORT, PCI_RID(0, 3, 0));
    joined(PCI_RID(3, 1, 0), PCI_RID(3, 0, 0), PCI_JOIN_SWITCH, PCI_RID(3, 1, 0));
    joined(PCI_RID(4, 0, 0), PCI_RID(3, 0, 0), PCI_JOIN_SWITCH, PCI_RID(3, 1, 0));
    joined(PCI_RID(5, 0, 0), PCI_RID(3, 1, 0), PCI_JOIN_PORT, PCI_RID(3, 1, 0));
    joined(PCI_RID(6, 1, 0), PCI_RID(0, 30, 0), PCI_JOIN_BUS, PCI_RID(0, 30, 0));
    joined(PCI_RID(0, 31, 2), PCI_RID(0, 31, 0), PCI_JOIN_FUNCTIONS, PCI_RID(0, 31, 0));
    assert_null(pci_find(0, PCI_RID(0, 3, 0))->joined);
    assert_null(pci_find(0, PCI_RID(3, 0, 0))->joined);
}

static void bridge_on_the_root_bus_as_one_of_two_functions(void **state)
{
    sim_multifunction(conventional(PCI_RID(0, 30, 0)));
    sim_bridge(sim_add(0, PCI_RID(0, 30, 1), IDS, BRIDGE), 1, 1);
    conventional(PCI_RID(1, 1, 0));
    build();
    GROUP(PCI_RID(0, 30, 0), PCI_RID(0, 30, 1), PCI_RID(1, 1, 0));
}

/* Two virtual functions of 01:00.0, below a port with access control that leads to two buses. */
static void build_virtual(pci_rid_t first, pci_rid_t second, bool acs, bool second_acs)
{
    const struct {
        pci_rid_t rid;
        bool acs;
    } virtuals[] = {{first, acs}, {second, second_acs}};
    struct sim_function *f;

    port(PCI_RID(0, 3, 0), PCIE_ROOT_PORT, 1, 2, true);
    f = express(PCI_RID(1, 0, 0));
    if (acs)
        sim_access_control(f, 0x0c);
    sim_sriov(f, 2, 1, 1);
    sim_set(f, f->sriov + PCI_SRIOV_CONTROL, 2, PCI_SRIOV_CONTROL_ENABLE, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(virtuals); i++) {
        struct sim_function *v = sim_virtual(f, virtuals[i].rid);

        if (virtuals[i].acs)
            sim_access_control(v, 0);
    }
    assert_int_equal(pci_enumerate(sim_ecams, 1, &why), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(virtuals); i++)
        pci_learn(pci_add_virtual(pci_find(0, PCI_RID(1, 0, 0)), virtuals[i].rid));
    build_enumerated();
    GROUP(PCI_RID(0, 3, 0));
}

static void virtual_functions_with_access_control(void **state)
{
    build_virtual(PCI_RID(1, 0, 1), PCI_RID(1, 0, 2), true, true);
    GROUP(PCI_RID(1, 0, 0));
    GROUP(PCI_RID(1, 0, 1));
    GROUP(PCI_RID(1, 0, 2));
}

static void virtual_functions_without_access_control(void **state)
{
    build_virtual(PCI_RID(1, 0, 1), PCI_RID(1, 0, 2), false, false);
    GROUP(PCI_RID(1, 0, 0), PCI_RID(1, 0, 1), PCI_RID(1, 0, 2));
    joined(PCI_RID(1, 0, 1), PCI_RID(1, 0, 0), PCI_JOIN_FUNCTIONS, PCI_RID(1, 0, 0));
    joined(PCI_RID(1, 0, 2), PCI_RID(1, 0, 0), PCI_JOIN_FUNCTIONS, PCI_RID(1, 0, 0));
}

/* One device, although the numbers say two, on two buses. */
static void virtual_functions_on_the_next_bus(void **state)
{
    build_virtual(PCI_RID(1, 1, 0), PCI_RID(2, 0, 0), true, true);
    GROUP(PCI_RID(1, 0, 0));
    GROUP(PCI_RID(1, 1, 0));
    GROUP(PCI_RID(2, 0, 0));
    assert_int_equal(group_of(PCI_RID(2, 0, 0))->requester_count, 1);
}

static void one_virtual_function_on_the_next_bus_without_access_control(void **state)
{
    build_virtual(PCI_RID(1, 0, 1), PCI_RID(2, 0, 0), true, false);
    GROUP(PCI_RID(1, 0, 0), PCI_RID(1, 0, 1), PCI_RID(2, 0, 0));
    joined(PCI_RID(2, 0, 0), PCI_RID(1, 0, 0), PCI_JOIN_FUNCTIONS, PCI_RID(2, 0, 0));
}

/* On a root bus numbers tell devices apart, but for virtual functions. */
static void virtual_functions_of_an_integrated_device(void **state)
{
    struct sim_function *f = express(PCI_RID(0, 4, 0));

    sim_sriov(f, 1, 8, 1);
    sim_set(f, f->sriov + PCI_SRIOV_CONTROL, 2, PCI_SRIOV_CONTROL_ENABLE, 0);
    sim_access_control(sim_virtual(f, PCI_RID(0, 5, 1)), 0);
    express(PCI_RID(0, 5, 0));
    assert_int_equal(pci_enumerate(sim_ecams, 1, &why), 0);
    pci_learn(pci_add_virtual(pci_find(0, PCI_RID(0, 4, 0)), PCI_RID(0, 5, 1)));
    build_enumerated();
    GROUP(PCI_RID(0, 4, 0), PCI_RID(0, 5, 1));
    GROUP(PCI_RID(0, 5, 0));
}

static void same_numbers_in_another_segment(void **state)
{
    sim_multifunction(conventional(PCI_RID(0, 5, 0)));
    conventional(PCI_RID(0, 5, 1));
    sim_add(1, PCI_RID(0, 5, 0), IDS, ENDPOINT);
    assert_int_equal(pci_enumerate(sim_ecams, 2, &why), 0);
    assert_int_equal(pci_groups_build(), 0);
    GROUP(PCI_RID(0, 5, 0), PCI_RID(0, 5, 1));
    assert_int_equal(pci_find(1, PCI_RID(0, 5, 0))->group->count, 1);
}

/* By any id that the group's functions may send with, and by no other. */
static void assigned_by_requester(void **state)
{
    port(PCI_RID(0, 3, 0), PCIE_ROOT_PORT, 1, 2, true);
    port(PCI_RID(1, 0, 0), PCIE_TO_PCI_BRIDGE, 2, 2, false);
    conventional(PCI_RID(2, 4, 0));
    conventional(PCI_RID(2, 5, 0));
    conventional(PCI_RID(0, 4, 0));
    assert_int_equal(pci_enumerate(sim_ecams, 1, &why), 0);
    pci_find(0, PCI_RID(2, 4, 0))->assigned = true;
    assert_false(pci_group_assigned(0, PCI_RID(2, 4, 0)));
    assert_int_equal(pci_groups_build(), 0);
    assert_true(pci_group_assigned(0, PCI_RID(2, 4, 0)));
    assert_true(pci_group_assigned(0, PCI_RID(2, 5, 0)));
    assert_true(pci_group_assigned(0, PCI_RID(2, 0, 0))); /* the bridge's alias */
    assert_false(pci_group_assigned(1, PCI_RID(2, 4, 0)));
    assert_false(pci_group_assigned(0, PCI_RID(0, 4, 0)));
    assert_false(pci_group_assigned(0, PCI_RID(2, 6, 0))); /* nobody has it */
}

static void sends_as(pci_rid_t rid, const pci_rid_t *ids, size_t count)
{
    pci_rid_t has[PCI_IDS_MAX];

    assert_int_equal(pci_requester_ids(pci_find(0, rid), has), count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(has[i], ids[i]);
        assert_true(pci_may_send_as(pci_find(0, rid), 0, ids[i]));
    }
}

#define SENDS_AS(rid, ...)                                                                         \
    sends_as(rid, (const pci_rid_t[]){rid, __VA_ARGS__},                                           \
             sizeof((pci_rid_t[]){rid, __VA_ARGS__}) / sizeof(pci_rid_t))

/* Nothing has the id of function 1: it comes into the group all the same. */
static void an_id_of_nobody(void **state)
{
    port(PCI_RID(0, 5, 0), PCIE_ROOT_PORT, 1, 1, true);
    sim_express(sim_add(0, PCI_RID(1, 0, 0), 0x91231b4b, 0x010601), PCIE_ENDPOINT, true);
    build();
    SENDS_AS(PCI_RID(1, 0, 0), PCI_RID(1, 0, 1));
    GROUP(PCI_RID(1, 0, 0));
    assert_int_equal(group_of(PCI_RID(1, 0, 0))->requester_count, 2);
    pci_find(0, PCI_RID(1, 0, 0))->assigned = true;
    assert_true(pci_group_assigned(0, PCI_RID(1, 0, 1)));
    assert_int_equal(pci_stop_senders(0, PCI_RID(1, 0, 1)), 1);
    assert_true(pci_find(0, PCI_RID(1, 0, 0))->stopped);
}

/* Access control at both would have kept them apart, and does so with the third. */
static void an_id_of_another_function(void **state)
{
    static const uint32_t ids[] = {IDS, 0xe8321180, IDS};

    port(PCI_RID(0, 5, 0), PCIE_ROOT_PORT, 1, 1, true);
    for (unsigned n = 0; n < 3; n++) {
        struct sim_function *f =
            sim_add(0, n < 2 ? PCI_RID(0, 8, n) : PCI_RID(1, 0, 0), ids[n], ENDPOINT);

        sim_express(f, PCIE_ENDPOINT, true);
        sim_access_control(f, PCI_ACS_REQUEST_REDIRECT);
        sim_multifunction(f);
    }
    build();
    SENDS_AS(PCI_RID(0, 8, 1), PCI_RID(0, 8, 0));
    GROUP(PCI_RID(0, 8, 0), PCI_RID(0, 8, 1));
    GROUP(PCI_RID(1, 0, 0));
    assert_int_equal(pci_find(0, PCI_RID(0, 8, 1))->join_rule, PCI_JOIN_ALIAS);
    assert_int_equal(pci_find(0, PCI_RID(0, 8, 1))->culprit->rid, PCI_RID(0, 8, 1));
}

static void an_id_of_another_slot(void **state)
{
    struct sim_function *card;

    port(PCI_RID(0, 5, 0), PCIE_TO_PCI_BRIDGE, 1, 1, false);
    card = sim_add(0, PCI_RID(1, 14, 0), 0x02859005, 0x010400);
    sim_set(card, PCI_SUBSYSTEM_VENDOR, 4, 0x02bb9005, 0);
    sim_add(0, PCI_RID(1, 15, 0), 0x02859005, 0x010400); /* another one of them */
    build();
    SENDS_AS(PCI_RID(1, 14, 0), PCI_RID(1, 1, 0), PCI_RID(1, 0, 0), PCI_RID(0, 5, 0));
    SENDS_AS(PCI_RID(1, 15, 0), PCI_RID(1, 0, 0), PCI_RID(0, 5, 0));
}

/* The operator's word, beside what the table knows. */
static void an_id_that_the_operator_names(void **state)
{
    port(PCI_RID(0, 5, 0), PCIE_ROOT_PORT, 1, 1, true);
    sim_express(sim_add(0, PCI_RID(1, 0, 0), 0x91231b4b, 0x010601), PCIE_ENDPOINT, true);
    conventional(PCI_RID(0, 8, 0));
    conventional(PCI_RID(0, 9, 0));
    assert_int_equal(pci_enumerate(sim_ecams, 1, &why), 0);
    pci_find(0, PCI_RID(1, 0, 0))->aliases[1] = PCI_ALIAS | PCI_RID(1, 31, 7);
    pci_find(0, PCI_RID(0, 9, 0))->aliases[1] = PCI_ALIAS | PCI_RID(0, 8, 0);
    pci_learn(pci_find(0, PCI_RID(1, 0, 0))); /* as when it is plugged in: it stays */
    build_enumerated();
    SENDS_AS(PCI_RID(1, 0, 0), PCI_RID(1, 0, 1), PCI_RID(1, 31, 7));
    GROUP(PCI_RID(0, 8, 0), PCI_RID(0, 9, 0));
}

/* ASMedia 1080: by its header a conventional bridge, below a root port. */
static void a_bridge_that_hides_what_it_is(void **state)
{
    port(PCI_RID(0, 5, 0), PCIE_ROOT_PORT, 1, 2, true);
    sim_bridge(sim_add(0, PCI_RID(1, 0, 0), 0x10801b21, BRIDGE), 2, 2);
    conventional(PCI_RID(2, 4, 0));
    /* Without PCI Express above it, it leads the other way. */
    sim_bridge(sim_add(0, PCI_RID(0, 6, 0), 0x10801b21, BRIDGE), 3, 3);
    conventional(PCI_RID(3, 4, 0));
    build();
    SENDS_AS(PCI_RID(2, 4, 0), PCI_RID(2, 0, 0), PCI_RID(1, 0, 0));
    SENDS_AS(PCI_RID(3, 4, 0), PCI_RID(0, 6, 0));
    GROUP(PCI_RID(1, 0, 0), PCI_RID(2, 4, 0));
}

static void every_allocation_fails_in_turn(void **state)
{
    for (uint64_t n = 1;; n++) {
        int error;

        sim_reset();
        conventional(PCI_RID(0, 2, 0));
        conventional(PCI_RID(0, 3, 0));
        assert_int_equal(pci_enumerate(sim_ecams, 1, &why), 0);
        host_fail_nth(n);
        error = pci_groups_build();
        if (!host_failed()) {
            assert_int_equal(error, 0);
            assert_int_equal(n, 7);
            break;
        }
        assert_int_equal(error, -ENOMEM);
    }
    host_fail_nth(0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, new_machine, no_leak)

/* The chipset's two registers, behind a BAR here: the LPC bridge says where. */
static struct sim_function *lpc;

static void chipset(uint32_t rcba, uint32_t strap, uint32_t peers)
{
    struct sim_function *p;

    sim_reset();
    lpc = sim_add(0, PCI_RID(0, 31, 0), 0x1c4e8086, 0x060100);
    sim_set(lpc, 0xf0, 4, rcba, 0);
    sim_bar(lpc, 0, 0xfed1d000, 4096, 0);
    memcpy(lpc->bar_memory[0] + 0x104, &strap, 4);
    memcpy(lpc->bar_memory[0] + 0x14, &peers, 4);
    for (unsigned i = 0; i < 2; i++) {
        p = port(PCI_RID(0, 0x1c, i), PCIE_ROOT_PORT, i + 1, i + 1, false);
        sim_set(p, PCI_VENDOR, 4, 0x1c108086 + (i << 17), 0);
        sim_set(p, 0xd8, 4, 1, UINT32_MAX);
        if (i == 0)
            sim_multifunction(p);
        express(PCI_RID(i + 1, 0, 0));
    }
    build();
}

static void ports_whose_access_control_is_the_chipsets(void **state)
{
    uint32_t peers;

    chipset(0xfed1c001, 0, 0x8000003f);
    memcpy(&peers, lpc->bar_memory[0] + 0x14, 4);
    assert_int_equal(peers, 0x80000000);
    GROUP(PCI_RID(1, 0, 0));
    assert_true(pci_read32(pci_find(0, PCI_RID(0, 0x1c, 0)), 0xd8) == 0x04000001);
    chipset(0xfed1c001, 0x300, 0x3f); /* by a strap, and so untouched */
    memcpy(&peers, lpc->bar_memory[0] + 0x14, 4);
    assert_int_equal(peers, 0x3f);
    GROUP(PCI_RID(1, 0, 0));
    chipset(0xfed1c000, 0, 0x3f); /* off, or where no chipset has registers */
    assert_ptr_equal(group_of(PCI_RID(1, 0, 0)), group_of(PCI_RID(2, 0, 0)));
    chipset(0x7ed1c001, 0, 0x3f);
    assert_ptr_equal(group_of(PCI_RID(1, 0, 0)), group_of(PCI_RID(2, 0, 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(single_functions_stand_alone),
        TEST(functions_of_one_device_join),
        TEST(access_control_keeps_functions_apart),
        TEST(pitfall_29_one_open_function_joins_all),
        TEST(control_that_stays_off),
        TEST(control_is_written_whole),
        TEST(control_of_wide_ports),
        TEST(functions_that_are_known_to_be_apart),
        TEST(ports_whose_access_control_is_the_chipsets),
        TEST(a_root_port_isolates_what_is_below_it_only_with_access_control),
        TEST(multifunction_root_ports),
        TEST(switch_with_access_control),
        TEST(pitfall_29_switch_without_access_control),
        TEST(switch_with_one_open_port),
        TEST(good_switch_below_an_open_root_port),
        TEST(functions_on_one_link),
        TEST(a_conventional_bus_is_one_group),
        TEST(a_group_has_each_requester_id_once),
        TEST(every_member_but_the_first_has_a_reason),
        TEST(bridge_on_the_root_bus_as_one_of_two_functions),
        TEST(virtual_functions_with_access_control),
        TEST(virtual_functions_without_access_control),
        TEST(virtual_functions_on_the_next_bus),
        TEST(one_virtual_function_on_the_next_bus_without_access_control),
        TEST(virtual_functions_of_an_integrated_device),
        TEST(same_numbers_in_another_segment),
        TEST(assigned_by_requester),
        TEST(an_id_of_nobody),
        TEST(an_id_of_another_function),
        TEST(an_id_of_another_slot),
        TEST(an_id_that_the_operator_names),
        TEST(a_bridge_that_hides_what_it_is),
        TEST(every_allocation_fails_in_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
