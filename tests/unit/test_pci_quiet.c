/* SPDX-License-Identifier: BSD-2-Clause */
/* Firmware that wants to hear of everything, and errors that must not reach it. */
#include "kernel/pci/quiet.h"
#include "kernel/pci/reset.h"
#include "tests/unit/pci_fixture.h"

#define MALFORMED  0x00040000
#define PORT       PCI_RID(0, 0x1c, 0)
#define CARD       PCI_RID(1, 0, 0)
#define INTEGRATED PCI_RID(0, 0x19, 0)
#define OLD        PCI_RID(0, 0x1e, 0)
#define COLLECTOR  PCI_RID(0, 0x14, 0)

#define DMI UINT64_C(0xfed18000)

static const struct phys_run ram = {1 * MIB, GIB};
static const struct pci_machine machine = {.acpi = &acpi, .ram = &ram, .ram_count = 1};
static struct sim_function *port, *card, *integrated, *old, *collector;
static unsigned card_aer;

static unsigned eager(struct sim_function *f, unsigned type)
{
    unsigned aer;

    sim_express(f, type, type == PCIE_ENDPOINT);
    sim_set(f, f->pcie + PCIE_DEVICE_CONTROL, 2, 0x595f, 0xffff);
    sim_set(f, f->pcie + PCIE_ROOT_CONTROL, 2, 0x17, 0x1f);
    sim_set(f, PCI_COMMAND, 2, 0x146, 0x547);
    aer = sim_extended_capability(f, PCI_EXT_CAP_AER, 44);
    sim_set(f, aer + PCI_AER_FATAL_MASK, 4, 0x00400000, UINT32_MAX);
    sim_set(f, aer + PCI_AER_FATAL_SEVERITY, 4, 0x00462030, UINT32_MAX);
    return aer;
}

static void build(void)
{
    port = sim_add(0, PORT, 0x000c1b36, 0x060400);
    sim_bridge(port, 1, 1);
    eager(port, PCIE_ROOT_PORT);
    sim_set(port, PCI_BRIDGE_CONTROL, 2, 3, 0x0fff);
    card = sim_add(0, CARD, NIC, 0x020000);
    card_aer = eager(card, PCIE_ENDPOINT);
    integrated = sim_add(0, INTEGRATED, NIC, 0x020000);
    eager(integrated, PCIE_ROOT_ENDPOINT);
    old = sim_add(0, OLD, EDU, CLASS_X);
    sim_set(old, PCI_COMMAND, 2, 0x146, 0x547);
    collector = sim_add(0, COLLECTOR, 0x09a38086, 0x080700);
    eager(collector, PCIE_EVENT_COLLECTOR);
    sim_remember();
    /* Nor does a reset take these away here: only what is recorded counts. */
    card->after_reset[PCI_COMMAND + 1] |= 1;
    enumerate();
}

static void check_silent(void)
{
    static const uint32_t errors[] = {PCI_AER_UNSUPPORTED, PCI_AER_ACCESS_CONTROL, MALFORMED};
    struct sim_function *const all[] = {port, card, integrated, old};

    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        for (size_t e = 0; e < ARRAY_SIZE(errors); e++)
            assert_int_equal(sim_error(all[i], errors[e]), SIM_SILENT);
}

static void no_error_reaches_the_platform(void **state)
{
    build();
    assert_int_equal(sim_error(card, PCI_AER_UNSUPPORTED), SIM_SYSTEM_ERROR);
    assert_int_equal(sim_error(old, MALFORMED), SIM_SYSTEM_ERROR);
    pci_quiet_all(&machine);
    check_silent();
    assert_int_equal(sim_get(collector, collector->pcie + PCIE_ROOT_CONTROL, 2), 0x10);
    /* Nothing else of these registers. */
    assert_int_equal(sim_get(card, card->pcie + PCIE_DEVICE_CONTROL, 2), 0x5950);
    assert_int_equal(sim_get(card, PCI_COMMAND, 2), 0x046);
    assert_int_equal(sim_get(card, card_aer + PCI_AER_FATAL_MASK, 4), 0x00700000);
    assert_int_equal(sim_get(port, PCI_BRIDGE_CONTROL, 2), 1);
}

static void so_it_is_after_resets(void **state)
{
    build();
    pci_quiet_all(&machine);
    pci_save_all();
    assert_int_equal(pci_reset(pci_find(0, CARD)), 0);
    assert_int_equal(card->resets, 1);
    check_silent();
    assert_int_equal(sim_get(card, card_aer + PCI_AER_FATAL_MASK, 4), 0x00700000);
    assert_int_equal(pci_reset_below(pci_find(0, PORT)), 0);
    assert_int_equal(card->resets, 2);
    check_silent();
}

/* Hardware need not do as it is told, and an FPGA sends what messages it likes. */
static void what_is_sent_all_the_same_ends_at_the_port(void **state)
{
    build();
    pci_quiet_all(&machine);
    sim_set(card, card->pcie + PCIE_DEVICE_CONTROL, 2, 0xf, 0);
    sim_set(card, card_aer + PCI_AER_FATAL_MASK, 4, 0, 0);
    assert_int_equal(sim_error(card, MALFORMED), SIM_SILENT);
    /* Nor would it be a system error if the port passed it on. */
    sim_set(port, PCI_BRIDGE_CONTROL, 2, 2, 0);
    sim_set(port, PCI_COMMAND, 2, PCI_COMMAND_SERR, 0);
    assert_int_equal(sim_error(card, MALFORMED), SIM_TOLD);
}

static void what_is_left_stays_as_it_is(void **state)
{
    build();
    pci_find(0, PORT)->left = pci_find(0, CARD)->left = true;
    pci_find(0, OLD)->left = pci_find(0, INTEGRATED)->left = pci_find(0, COLLECTOR)->left = true;
    sim_config_writes = 0;
    pci_quiet_all(&machine);
    assert_int_equal(sim_config_writes, 0);
}

static void what_the_processor_asked_is_no_system_error(void **state)
{
    unsigned dpc;

    build();
    dpc = sim_extended_capability(port, PCI_EXT_CAP_DPC, 48);
    sim_set(port, dpc + PCI_DPC_CAP, 2, PCI_DPC_CAP_ROOT, 0);
    sim_set(port, dpc + PCI_DPC_PIO_SYSTEM, 8, 0x0007070700070707, UINT64_MAX);
    pci_quiet_all(&machine);
    assert_int_equal(sim_get(port, dpc + PCI_DPC_PIO_SYSTEM, 8), 0);
}

/* ---- chipsets ---- */

static struct sim_function *chip(pci_rid_t rid, uint32_t ids)
{
    struct sim_function *f = sim_add(0, rid, ids, 0x088000);

    sim_express(f, PCIE_ROOT_ENDPOINT, false);
    sim_set(f, 0x1ac, 4, 0x55, UINT32_MAX);
    sim_set(f, 0x20c, 4, 0x23, UINT32_MAX);
    return f;
}

static void units_do_not_escalate_what_they_block(void **state)
{
    struct sim_function *unit = chip(PCI_RID(0, 5, 0), 0x3c288086);
    struct sim_function *other = chip(PCI_RID(0, 6, 0), 0x3c298086);

    enumerate();
    pci_quiet_all(&machine);
    assert_int_equal(sim_get(unit, 0x1ac, 4), 0x80000055);
    assert_int_equal(sim_get(unit, 0x20c, 4), 0x23);
    assert_int_equal(sim_get(other, 0x1ac, 4), 0x55);
}

static void ports_do_not_escalate_what_is_not_supported(void **state)
{
    struct sim_function *root = chip(PCI_RID(0, 2, 0), 0x3c048086);
    struct sim_function *link = chip(PCI_RID(0, 1, 0), 0x3c008086);
    struct sim_function *bare = chip(PCI_RID(0, 3, 0), 0x34008086);
    unsigned aer = sim_extended_capability(root, PCI_EXT_CAP_AER, 44);
    unsigned first = sim_extended_capability(link, PCI_EXT_CAP_VENDOR, 16);
    unsigned own = sim_extended_capability(link, PCI_EXT_CAP_VENDOR, 60) + 4;

    sim_extended_capability(bare, PCI_EXT_CAP_VENDOR, 16);
    sim_set(root, aer + PCI_AER_FATAL_MASK, 8, 0, UINT64_MAX);
    sim_set(root, aer + PCI_AER_MASK, 4, 1, UINT32_MAX);
    sim_set(link, first + 4, 4, 0x00c10002, 0);
    sim_set(link, first + 4 + PCI_AER_FATAL_MASK, 4, 0, UINT32_MAX);
    sim_set(link, own, 4, 0x03c10004, 0);
    sim_set(link, own + PCI_AER_FATAL_MASK, 4, 0, UINT32_MAX);
    sim_set(link, own + PCI_AER_MASK, 4, 0, UINT32_MAX);
    enumerate();
    pci_quiet_all(&machine);
    assert_int_equal(sim_get(root, aer + PCI_AER_FATAL_MASK, 4), 0x00300000);
    assert_int_equal(sim_get(root, aer + PCI_AER_FATAL_SEVERITY, 4), 0);
    assert_int_equal(sim_get(root, aer + PCI_AER_MASK, 4), 0x2001);
    assert_int_equal(sim_get(link, first + 4 + PCI_AER_FATAL_MASK, 4), 0);
    assert_int_equal(sim_get(link, own + PCI_AER_FATAL_MASK, 4), 0x00100000);
    assert_int_equal(sim_get(link, own + PCI_AER_MASK, 4), 0x2000);
    assert_int_equal(sim_get(root, 0x20c, 4), 0x33);
    assert_int_equal(sim_get(link, 0x20c, 4), 0x33);
    assert_int_equal(sim_get(bare, 0x20c, 4), 0x33);
    assert_int_equal(sim_get(root, 0x1ac, 4), 0x55);
}

static struct sim_function *host_bridge(uint64_t bar)
{
    struct sim_function *f = sim_add(0, PCI_RID(0, 0, 0), 0x0c048086, 0x060000);

    sim_bar(f, 0, DMI, 4096, 0); /* stands for the registers: they are no BAR of it */
    sim_set(f, 0x68, 8, bar, 0);
    enumerate();
    sim_mappings = 0;
    pci_quiet_all(&machine);
    assert_int_equal(sim_mappings, 0);
    return f;
}

static void the_link_of_a_client_chipset_does_not_either(void **state)
{
    struct sim_function *f = host_bridge(DMI | 1);
    uint32_t value;

    memcpy(&value, f->bar_memory[0] + 0x1c8, 4);
    assert_int_equal(value, 0x00100000);
    assert_int_equal(sim_access_count, 3);
}

/* A card may have been told what to say of itself. */
static void only_the_host_bridge_has_that_link(void **state)
{
    struct sim_function *f = sim_add(0, CARD, 0x0c048086, 0x060000);

    port = sim_add(0, PORT, 0x000c1b36, 0x060400);
    sim_bridge(port, 1, 1);
    sim_bar(f, 0, DMI, 4096, 0);
    sim_set(f, 0x68, 8, DMI | 1, 0);
    enumerate();
    pci_quiet_all(&machine);
    assert_int_equal(sim_access_count, 0);
}

/* Nothing is there, or RAM: the simulation ends at a mapping of it. */
static void registers_that_are_off_are_not_looked_for(void **state)
{
    (void)host_bridge(DMI);
    assert_int_equal(sim_access_count, 0);
}

static void registers_over_memory_are_not_touched(void **state)
{
    (void)host_bridge(0x100001 + GIB - 4096);
    assert_int_equal(sim_access_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_error_reaches_the_platform),
        TEST(so_it_is_after_resets),
        TEST(what_is_sent_all_the_same_ends_at_the_port),
        TEST(what_is_left_stays_as_it_is),
        TEST(units_do_not_escalate_what_they_block),
        TEST(ports_do_not_escalate_what_is_not_supported),
        TEST(the_link_of_a_client_chipset_does_not_either),
        TEST(only_the_host_bridge_has_that_link),
        TEST(what_the_processor_asked_is_no_system_error),
        TEST(registers_that_are_off_are_not_looked_for),
        TEST(registers_over_memory_are_not_touched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
