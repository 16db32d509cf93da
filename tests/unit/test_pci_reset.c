/* SPDX-License-Identifier: BSD-2-Clause */
/* Stopping and resetting functions: each method, its waits and bounds, and what is restored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/cpu/time.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/reset.h"
#include "tests/unit/host_thread.h"
#include "tests/unit/sim_pci.h"

#define IDS     0x10d38086
#define CLASS_X 0x00ff00
#define WORKING (PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE)

static struct sim_function *f;
static struct pci_device *d;

static int new_machine(void **state)
{
    sim_reset();
    return 0;
}

static int no_leak(void **state)
{
    sim_reset();
    return heap_used() == 0 ? 0 : -1;
}

static struct sim_function *add(pci_rid_t rid)
{
    f = sim_add(0, rid, IDS, CLASS_X);
    sim_bar(f, 0, 0xfe000000, 4096, PCI_BAR_TYPE_64);
    return f;
}

/* Enumerates, and sets the registers that a working device would have set. */
static void start(pci_rid_t rid)
{
    struct refusal why;

    sim_remember();
    assert_int_equal(pci_enumerate(sim_ecams, 1, &why), 0);
    d = pci_find(0, rid);
    pci_write16(d, PCI_COMMAND, WORKING);
    pci_write8(d, PCI_CACHE_LINE, 16);
    pci_write8(d, PCI_INTERRUPT_LINE, 11);
    pci_save_all();
}

/* Everything is back but bus mastering, which is off. */
static void check_restored(void)
{
    assert_int_equal(sim_get(f, PCI_COMMAND, 2), WORKING & ~PCI_COMMAND_MASTER);
    assert_int_equal(sim_get(f, PCI_BAR0, 4), 0xfe000004);
    assert_int_equal(sim_get(f, PCI_CACHE_LINE, 1), 16);
    assert_int_equal(sim_get(f, PCI_INTERRUPT_LINE, 1), 11);
}

static void function_level_reset(void **state)
{
    uint64_t before;

    add(PCI_RID(0, 2, 0));
    sim_express(f, PCIE_ENDPOINT, true);
    sim_access_control(f, 0x5f);
    start(PCI_RID(0, 2, 0));
    pci_write16(d, d->cap_pcie + PCIE_DEVICE_CONTROL, 0x2937);
    pci_write16(d, d->cap_acs + PCI_ACS_CONTROL, 0x1d);
    pci_save_all();
    assert_int_equal(pci_reset_method(d), PCI_RESET_FLR);
    before = host_now_ns;
    assert_int_equal(pci_reset(d), 0);
    assert_int_equal(f->resets, 1);
    assert_false(d->in_reset);
    assert_true(host_now_ns - before >= 100 * NS_PER_MS);
    check_restored();
    assert_int_equal(sim_get(f, d->cap_pcie + PCIE_DEVICE_CONTROL, 2), 0x2937);
    assert_int_equal(sim_get(f, d->cap_acs + PCI_ACS_CONTROL, 2), 0x1d);
}

/* A device that lost or changed its registers by itself gets the ones that the machine started
 * with. */
static void the_record_of_the_start_is_restored(void **state)
{
    add(PCI_RID(0, 2, 0));
    sim_express(f, PCIE_ENDPOINT, true);
    start(PCI_RID(0, 2, 0));
    sim_set(f, PCI_BAR0, 4, 0xfee00004, 0xfffff000);
    sim_set(f, PCI_COMMAND, 2, 0, 0xffff);
    sim_set(f, PCI_CACHE_LINE, 1, 0, 0xff);
    assert_int_equal(pci_reset(d), 0);
    check_restored();
}

/* A device TLB is the IOMMU's to switch, so a reset leaves it on. */
static void a_device_tlb_stays_on(void **state)
{
    unsigned control;

    add(PCI_RID(0, 2, 0));
    sim_express(f, PCIE_ENDPOINT, true);
    control = sim_extended_capability(f, PCI_EXT_CAP_ATS, 8) + PCI_ATS_CONTROL;
    sim_set(f, control, 2, 0, 0xffff);
    start(PCI_RID(0, 2, 0));
    sim_set(f, control, 2, PCI_ATS_ENABLE, 0xffff);
    d->ats = true;
    assert_int_equal(pci_reset(d), 0);
    assert_int_equal(sim_get(f, control, 2), PCI_ATS_ENABLE);
    d->ats = false;
    assert_int_equal(pci_reset(d), 0);
    assert_int_equal(sim_get(f, control, 2), 0);
}

static void conventional_function_level_reset(void **state)
{
    uint64_t before;

    add(PCI_RID(0, 2, 0));
    sim_advanced_features(f, PCI_AF_CAP_FLR | PCI_AF_CAP_PENDING);
    start(PCI_RID(0, 2, 0));
    assert_int_equal(pci_reset_method(d), PCI_RESET_AF_FLR);
    before = host_now_ns;
    assert_int_equal(pci_reset(d), 0);
    assert_int_equal(f->resets, 1);
    assert_true(host_now_ns - before >= 100 * NS_PER_MS);
    check_restored();
}

/* Without the pending bit nobody could tell when the reset is safe. */
static void half_advanced_features_do_not_count(void **state)
{
    add(PCI_RID(0, 2, 0));
    sim_advanced_features(f, PCI_AF_CAP_FLR);
    start(PCI_RID(0, 2, 0));
    assert_int_equal(pci_reset_method(d), PCI_RESET_NONE);
}

static void power_state_reset(void **state)
{
    add(PCI_RID(0, 2, 0));
    sim_power(f, false);
    start(PCI_RID(0, 2, 0));
    assert_int_equal(pci_reset_method(d), PCI_RESET_PM);
    assert_int_equal(pci_reset(d), 0);
    assert_int_equal(f->resets, 1);
    check_restored();
}

static void is_quiet(const struct sim_function *reset, const char *event)
{
    if (strncmp(event, "reset", 5) == 0)
        assert_true(sim_get(reset, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE);
}

/* Not every function gives its line up in D3hot, and nothing is asked of one that is in reset. */
static void the_line_is_off_during_a_reset(void **state)
{
    struct sim_function *port = sim_add(0, PCI_RID(0, 3, 0), IDS, 0x060400);

    sim_bridge(port, 1, 1);
    sim_express(port, PCIE_ROOT_PORT, false);
    add(PCI_RID(1, 0, 0));
    sim_power(f, false);
    start(PCI_RID(1, 0, 0));
    sim_on_change = is_quiet;
    pci_write16(d, PCI_COMMAND, PCI_COMMAND_MEMORY);
    assert_int_equal(pci_reset(d), 0);
    pci_write16(d, PCI_COMMAND, PCI_COMMAND_MEMORY);
    assert_int_equal(pci_reset_below(d->bridge), 0);
    assert_true(f->resets >= 2);
}

static void a_function_that_keeps_its_state_is_not_reset_by_power(void **state)
{
    add(PCI_RID(0, 2, 0));
    sim_power(f, true);
    start(PCI_RID(0, 2, 0));
    assert_int_equal(pci_reset_method(d), PCI_RESET_NONE);
    assert_int_equal(pci_reset(d), -ENOTTY);
    assert_int_equal(f->resets, 0);
}

static void a_device_without_a_method_is_not_reset(void **state)
{
    add(PCI_RID(0, 2, 0)); /* as edu on the root bus */
    start(PCI_RID(0, 2, 0));
    assert_int_equal(pci_reset_method(d), PCI_RESET_NONE);
    assert_int_equal(pci_reset(d), -ENOTTY);
    assert_int_equal(sim_get(f, PCI_COMMAND, 2), WORKING & ~PCI_COMMAND_MASTER);
}

static void secondary_bus_reset(void **state)
{
    struct sim_function *port = sim_add(0, PCI_RID(0, 3, 0), IDS, 0x060400);
    uint64_t before;

    sim_bridge(port, 1, 1);
    sim_express(port, PCIE_ROOT_PORT, false);
    add(PCI_RID(1, 0, 0));
    start(PCI_RID(1, 0, 0));
    assert_int_equal(pci_reset_method(d), PCI_RESET_SECONDARY_BUS);
    before = host_now_ns;
    assert_int_equal(pci_reset(d), 0);
    assert_true(f->resets > 0);
    assert_true(host_now_ns - before >= 100 * NS_PER_MS);
    assert_int_equal(sim_get(port, PCI_BRIDGE_CONTROL, 2), 0);
    assert_int_equal(port->resets, 0);
    check_restored();
}

static void a_shared_bus_is_not_reset(void **state)
{
    struct sim_function *port = sim_add(0, PCI_RID(0, 3, 0), IDS, 0x060400);

    sim_bridge(port, 1, 2);
    sim_bridge(sim_add(0, PCI_RID(1, 1, 0), IDS, 0x060400), 2, 2);
    add(PCI_RID(1, 0, 0));
    start(PCI_RID(1, 0, 0));
    assert_int_equal(pci_reset_method(d), PCI_RESET_NONE);
}

/* Bridges are never reset this way, whoever is below them. */
static void a_bridge_has_no_secondary_bus_reset(void **state)
{
    sim_bridge(sim_add(0, PCI_RID(0, 3, 0), IDS, 0x060400), 1, 2);
    sim_bridge(sim_add(0, PCI_RID(1, 0, 0), IDS, 0x060400), 2, 2);
    add(PCI_RID(2, 0, 0));
    start(PCI_RID(2, 0, 0));
    assert_int_equal(pci_reset_method(pci_find(0, PCI_RID(1, 0, 0))), PCI_RESET_NONE);
}

/* A device by its ids below a port, with function-level and power-management reset. */
static void start_as(uint32_t ids, uint32_t class_code)
{
    struct sim_function *port = sim_add(0, PCI_RID(0, 3, 0), IDS, 0x060400);

    sim_bridge(port, 1, 1);
    sim_express(port, PCIE_ROOT_PORT, false);
    f = sim_add(0, PCI_RID(1, 0, 0), ids, class_code);
    sim_express(f, PCIE_ENDPOINT, true);
    sim_power(f, false);
    start(PCI_RID(1, 0, 0));
}

static void chooses(enum pci_reset_method method, const char *spared)
{
    struct pci_reset_spared out;

    assert_int_equal(pci_reset_choose(d, &out), method);
    assert_int_equal(!out.why, !spared);
    if (spared)
        assert_string_equal(out.name, spared);
}

/* 82579: its power-management reset does no harm. */
static void a_reset_that_hangs_is_not_used(void **state)
{
    start_as(0x15028086, 0x020000);
    chooses(PCI_RESET_PM, "function-level");
    assert_int_equal(pci_reset(d), 0);
    assert_int_equal(sim_get(f, d->cap_pcie + PCIE_DEVICE_CONTROL, 2) & PCIE_DEVICE_CONTROL_FLR, 0);
    d->device = 0x1504;
    chooses(PCI_RESET_FLR, NULL);
}

static void a_reset_that_resets_nothing_is_not_used(void **state)
{
    start_as(0x66101002, 0x030000);
    d->cap_pcie = 0; /* without function-level reset */
    chooses(PCI_RESET_SECONDARY_BUS, "power-management");
    d->class_code = 0x040300; /* the same vendor's audio */
    chooses(PCI_RESET_PM, NULL);
}

static void a_bus_that_stays_lost_is_not_reset(void **state)
{
    start_as(0x0030168c, 0x028000);
    d->cap_pcie = d->cap_pm = 0;
    chooses(PCI_RESET_NONE, "secondary-bus");
    assert_int_equal(pci_reset(d), -ENOTTY);
    assert_int_equal(f->resets, 0);
    assert_non_null(pci_bus_reset_quirk(d->bridge));
    d->device = 0x31;
    assert_null(pci_bus_reset_quirk(d->bridge));
    chooses(PCI_RESET_SECONDARY_BUS, NULL);
    d->bridge->vendor = 0x10de; /* a port that does not get its link back */
    d->bridge->device = 0x22ce;
    chooses(PCI_RESET_NONE, "secondary-bus");
}

static void pitfall_26_what_is_in_flight_is_waited_for(void **state)
{
    uint64_t before;

    add(PCI_RID(0, 2, 0));
    sim_express(f, PCIE_ENDPOINT, true);
    f->pending_time = 300 * NS_PER_MS;
    start(PCI_RID(0, 2, 0));
    before = host_now_ns;
    assert_int_equal(pci_reset(d), 0);
    assert_true(host_now_ns - before >= 400 * NS_PER_MS);
    assert_int_equal(f->resets, 1);
    check_restored();
}

static void pending_for_ever(void **state)
{
    uint64_t before;

    add(PCI_RID(0, 2, 0));
    sim_express(f, PCIE_ENDPOINT, true);
    f->pending_time = SIM_NEVER;
    start(PCI_RID(0, 2, 0));
    before = host_now_ns;
    assert_int_equal(pci_reset(d), 0); /* which ends them */
    assert_true(host_now_ns - before >= NS_PER_S);
    assert_true(host_now_ns - before <= NS_PER_S + 200 * NS_PER_MS);
    assert_int_equal(f->resets, 1);
}

/* What reads as ones has nothing pending that anybody could wait for. */
static void nothing_is_pending_of_what_is_gone(void **state)
{
    uint64_t before;

    add(PCI_RID(0, 2, 0));
    sim_express(f, PCIE_ENDPOINT, true);
    start(PCI_RID(0, 2, 0));
    f->answers_from = SIM_NEVER;
    before = host_now_ns;
    pci_silence(d);
    assert_int_equal(host_now_ns, before);
}

static void a_conventional_reset_waits_for_pending_transactions(void **state)
{
    add(PCI_RID(0, 2, 0));
    sim_advanced_features(f, PCI_AF_CAP_FLR | PCI_AF_CAP_PENDING);
    f->pending_time = 50 * NS_PER_MS;
    start(PCI_RID(0, 2, 0));
    assert_int_equal(pci_reset(d), 0);
    assert_true(host_now_ns >= f->pending_until + 100 * NS_PER_MS);
}

static void a_slow_function_is_waited_for(void **state)
{
    add(PCI_RID(0, 2, 0));
    sim_express(f, PCIE_ENDPOINT, true);
    f->reset_time = 800 * NS_PER_MS;
    start(PCI_RID(0, 2, 0));
    assert_int_equal(pci_reset(d), 0);
    check_restored();
}

/* The specification sets no bound to retry status; a minute is waited, ever less often. */
static void retry_status_is_waited_for(void **state)
{
    add(PCI_RID(0, 2, 0));
    sim_express(f, PCIE_ENDPOINT, true);
    f->reset_time = 50 * NS_PER_S;
    f->asks_for_retry = true;
    start(PCI_RID(0, 2, 0));
    assert_int_equal(pci_reset(d), 0);
    assert_true(host_now_ns >= f->answers_from);
    assert_true(host_now_ns <= f->answers_from + NS_PER_S);
    check_restored();
}

static void a_dead_function_is_given_up(void **state)
{
    uint64_t before;

    add(PCI_RID(0, 2, 0));
    sim_express(f, PCIE_ENDPOINT, true);
    f->reset_time = SIM_NEVER;
    start(PCI_RID(0, 2, 0));
    before = host_now_ns;
    assert_int_equal(pci_reset(d), -ETIMEDOUT);
    assert_true(d->in_reset);
    assert_true(host_now_ns - before >= 60 * NS_PER_S);
    assert_true(host_now_ns - before <= 62 * NS_PER_S);
    /* It is tried again, in vain, and then not, but nobody waits as long. */
    before = host_now_ns;
    assert_int_equal(pci_reset(d), -ETIMEDOUT);
    assert_true(host_now_ns - before <= 2 * NS_PER_S);
    f->answers_from = 0;
    f->reset_time = 0;
    assert_int_equal(pci_reset(d), 0);
    check_restored();
    assert_false(d->in_reset || d->lost);
}

/* Nobody waits for what is known to be gone, nor writes to what is there instead. */
static void a_function_that_was_removed_is_left_alone(void **state)
{
    uint64_t before;

    add(PCI_RID(0, 2, 0));
    sim_express(f, PCIE_ENDPOINT, true);
    start(PCI_RID(0, 2, 0));
    d->removed = d->in_reset = true;
    before = host_now_ns;
    sim_config_writes = 0;
    assert_int_equal(pci_reset(d), -ENODEV);
    assert_int_equal(pci_read16(d, PCI_VENDOR), 0xffff);
    assert_int_equal(sim_config_writes, 0);
    assert_int_equal(host_now_ns, before);
    assert_int_equal(f->resets, 0);
}

/* What it is told while it does not answer, it may hear when it comes back. */
static void a_silent_function_is_told_nothing(void **state)
{
    add(PCI_RID(0, 2, 0));
    sim_express(f, PCIE_ENDPOINT, true);
    start(PCI_RID(0, 2, 0));
    sim_set(f, PCI_COMMAND, 2, 0xffff, 0xffff);
    pci_set_bus_master(d, true);
    pci_set_bus_master(d, false);
    assert_int_equal(sim_get(f, PCI_COMMAND, 2), 0xffff);
}

/* A function may decode its ROM or its BARs, not both: what firmware left on does not come back. */
static void an_expansion_rom_stays_off(void **state)
{
    add(PCI_RID(0, 2, 0));
    sim_express(f, PCIE_ENDPOINT, true);
    sim_rom(f, 0xfe040000, 64 * KIB);
    sim_set(f, PCI_ROM_DEVICE, 4, 0xfe040001, 0xffff0001);
    start(PCI_RID(0, 2, 0));
    pci_size_bars();
    pci_save_all();
    assert_int_equal(sim_get(f, PCI_ROM_DEVICE, 4), 0xfe040000);
    assert_int_equal(pci_reset(d), 0);
    assert_int_equal(sim_get(f, PCI_ROM_DEVICE, 4), 0xfe040000);
}

static const struct sim_function *above;

static void endpoints_first(const struct sim_function *function, const char *event)
{
    if (strcmp(event, "bus mastering off") == 0 && function != above)
        assert_true(sim_get(above, PCI_COMMAND, 2) & PCI_COMMAND_MASTER);
}

/* A request that meets a bridge which may not pass it on is an error on the bus. */
static void bridges_are_silenced_last(void **state)
{
    struct sim_function *port = sim_add(0, PCI_RID(0, 3, 0), IDS, 0x060400);
    struct sim_function *bridge = sim_add(0, PCI_RID(1, 0, 0), IDS, 0x060400);

    sim_bridge(port, 1, 2);
    sim_express(port, PCIE_ROOT_PORT, false);
    sim_bridge(bridge, 2, 2);
    add(PCI_RID(2, 0, 0));
    start(PCI_RID(2, 0, 0));
    pci_set_bus_master(d->bridge, true);
    pci_set_bus_master(d, true);
    above = bridge;
    sim_on_change = endpoints_first;
    assert_int_equal(pci_reset_below(d->bridge->bridge), 0);
    assert_false(sim_get(bridge, PCI_COMMAND, 2) & PCI_COMMAND_MASTER);
}

static void root_ports_show_retry_status(void **state)
{
    static const struct {
        unsigned type;
        uint16_t capability, control;
    } ports[] = {
        {PCIE_ROOT_PORT, 1, 0x18},
        {PCIE_ROOT_PORT, 0, 0x08},
        {PCIE_DOWNSTREAM_PORT, 1, 0x08},
    };
    struct sim_function *port;

    for (unsigned i = 0; i < ARRAY_SIZE(ports); i++) {
        port = sim_add(0, PCI_RID(0, 3, i), IDS, 0x060400);
        sim_bridge(port, 1 + i, 1 + i);
        sim_express(port, ports[i].type, false);
        sim_set(port, port->pcie + PCIE_ROOT_CONTROL, 2, 0x0008, 0x001f);
        sim_set(port, port->pcie + PCIE_ROOT_CAP, 2, ports[i].capability, 0);
        if (i == 0)
            sim_set(port, PCI_HEADER_TYPE, 1, 0x81, 0);
    }
    start(PCI_RID(0, 3, 0));
    pci_show_retry_status();
    for (unsigned i = 0; i < ARRAY_SIZE(ports); i++) {
        const struct pci_device *found = pci_find(0, (pci_rid_t)PCI_RID(0, 3, i));

        assert_int_equal(pci_read16(found, found->cap_pcie + PCIE_ROOT_CONTROL), ports[i].control);
    }
}

/* Something else that answers is not the device. */
static void another_device_in_its_place_is_no_success(void **state)
{
    add(PCI_RID(0, 2, 0));
    sim_express(f, PCIE_ENDPOINT, true);
    start(PCI_RID(0, 2, 0));
    f->after_reset[PCI_DEVICE_ID] ^= 1;
    assert_int_equal(pci_reset(d), -ETIMEDOUT);
    assert_int_equal(sim_get(f, PCI_BAR0, 4), 4);
}

/* ---- the link below a port ---- */

static struct sim_function *port;

static void start_below_port(uint64_t link_time)
{
    port = sim_add(0, PCI_RID(0, 3, 0), IDS, 0x060400);
    sim_bridge(port, 1, 1);
    sim_express(port, PCIE_ROOT_PORT, false);
    sim_link(port);
    port->link_time = link_time;
    add(PCI_RID(1, 0, 0));
    start(PCI_RID(1, 0, 0));
}

/* The 100 ms count from when the link is up. */
static void a_link_is_waited_for_first(void **state)
{
    start_below_port(300 * NS_PER_MS);
    assert_int_equal(pci_reset(d), 0);
    assert_true(host_now_ns >= port->link_from + 100 * NS_PER_MS);
    check_restored();
}

static void a_link_that_was_down_need_not_come_up(void **state)
{
    start_below_port(SIM_NEVER);
    port->link_from = SIM_NEVER;
    assert_int_equal(pci_reset(d), 0);
    check_restored();
}

static void a_link_that_stays_down_is_given_up(void **state)
{
    uint64_t before;

    start_below_port(SIM_NEVER);
    before = host_now_ns;
    assert_int_equal(pci_reset(d), -ETIMEDOUT);
    assert_true(d->in_reset);
    assert_true(host_now_ns - before >= NS_PER_S);
    assert_true(host_now_ns - before <= NS_PER_S + 100 * NS_PER_MS);
}

/* Conventional devices have a second from the end of the reset to their first access. */
static void a_conventional_bus_has_a_second(void **state)
{
    uint64_t before;

    sim_bridge(sim_add(0, PCI_RID(0, 3, 0), IDS, 0x060400), 1, 1);
    add(PCI_RID(1, 0, 0));
    start(PCI_RID(1, 0, 0));
    before = host_now_ns;
    assert_int_equal(pci_reset(d), 0);
    assert_true(host_now_ns - before >= NS_PER_S);
    check_restored();
}

static void methods_have_names(void **state)
{
    static const char *const names[] = {"none", "function-level", "advanced-features",
                                        "power-management", "secondary-bus"};

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        assert_string_equal(pci_reset_name(i), names[i]);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, new_machine, no_leak)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(function_level_reset),
        TEST(the_record_of_the_start_is_restored),
        TEST(a_device_tlb_stays_on),
        TEST(conventional_function_level_reset),
        TEST(half_advanced_features_do_not_count),
        TEST(power_state_reset),
        TEST(the_line_is_off_during_a_reset),
        TEST(a_function_that_keeps_its_state_is_not_reset_by_power),
        TEST(a_device_without_a_method_is_not_reset),
        TEST(secondary_bus_reset),
        TEST(a_reset_that_hangs_is_not_used),
        TEST(a_reset_that_resets_nothing_is_not_used),
        TEST(a_bus_that_stays_lost_is_not_reset),
        TEST(a_shared_bus_is_not_reset),
        TEST(a_bridge_has_no_secondary_bus_reset),
        TEST(pitfall_26_what_is_in_flight_is_waited_for),
        TEST(pending_for_ever),
        TEST(nothing_is_pending_of_what_is_gone),
        TEST(a_conventional_reset_waits_for_pending_transactions),
        TEST(a_slow_function_is_waited_for),
        TEST(retry_status_is_waited_for),
        TEST(a_dead_function_is_given_up),
        TEST(a_function_that_was_removed_is_left_alone),
        TEST(another_device_in_its_place_is_no_success),
        TEST(a_link_is_waited_for_first),
        TEST(a_link_that_was_down_need_not_come_up),
        TEST(a_link_that_stays_down_is_given_up),
        TEST(a_conventional_bus_has_a_second),
        TEST(a_silent_function_is_told_nothing),
        TEST(root_ports_show_retry_status),
        TEST(an_expansion_rom_stays_off),
        TEST(bridges_are_silenced_last),
        TEST(methods_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
