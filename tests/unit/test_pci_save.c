/* SPDX-License-Identifier: BSD-2-Clause */
/* What is recorded of a function at the start, and that it comes back: all of it, in order. */
#include "kernel/cpu/time.h"
#include "kernel/pci/reset.h"
#include "tests/unit/pci_fixture.h"

#define RID PCI_RID(0, 2, 0)

static struct sim_function *f;
static struct pci_device *d;

static void start(void)
{
    sim_remember();
    enumerate();
    pci_size_bars();
    d = pci_find(0, RID);
}

/* A register of a capability: what it was told, and what is expected of it behind a reset. */
struct expectation {
    unsigned offset, width;
    uint32_t set, kept;
};

static void set_all(const struct expectation *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sim_set(f, rows[i].offset, rows[i].width, rows[i].set, 0xffffffff);
}

static void check_all(const struct expectation *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sim_get(f, rows[i].offset, rows[i].width) != rows[i].kept)
            fail_msg("0x%x at 0x%x is not 0x%x",
                     (unsigned)sim_get(f, rows[i].offset, rows[i].width), rows[i].offset,
                     rows[i].kept);
}

/* Sizes come before addresses, as a BAR keeps only the address bits above its size. */
static unsigned sizes_at, substates_at;
static bool sized, substates, linked;

static void note_order(const struct sim_function *function, unsigned offset)
{
    sized = sized || offset == sizes_at;
    substates = substates || offset == substates_at;
    linked = linked || offset == f->pcie + PCIE_LINK_CONTROL;
    if (offset == PCI_BAR0)
        assert_true(sized);
    if (offset == f->pcie + PCIE_LINK_CONTROL)
        assert_true(substates); /* before the link may use them */
    /* Nothing is decoded while addresses change. */
    if (offset >= PCI_BAR0 && offset < PCI_BAR0 + 24)
        assert_int_equal(sim_get(f, PCI_COMMAND, 2) & 3, 0);
}

static void everything_that_software_set_comes_back(void **state)
{
    unsigned rebar, ltr, l1ss, aer, vc, mfvc, beside, ptm;

    f = sim_add(0, RID, NIC, CLASS_X);
    sim_express(f, PCIE_ENDPOINT, true);
    sim_bar(f, 0, UINT64_C(0x800000000), 16 * GIB, PCI_BAR_TYPE_64 | PCI_BAR_PREFETCHED);
    rebar = sim_extended_capability(f, PCI_EXT_CAP_REBAR, 20);
    ltr = sim_extended_capability(f, PCI_EXT_CAP_LTR, 8);
    l1ss = sim_extended_capability(f, PCI_EXT_CAP_L1SS, 16);
    aer = sim_extended_capability(f, PCI_EXT_CAP_AER, 44);
    vc = sim_extended_capability(f, PCI_EXT_CAP_VC, 40);
    ptm = sim_extended_capability(f, PCI_EXT_CAP_PTM, 12);
    sim_set(f, rebar + PCI_REBAR_CONTROL(0), 4, 2 << 5, 0x3f00);
    sim_set(f, vc + PCI_VC_CAP, 4, 1, 0);
    mfvc = sim_extended_capability(f, PCI_EXT_CAP_MFVC, 40);
    beside = sim_extended_capability(f, PCI_EXT_CAP_VC_BESIDE, 28);
    sim_set(f, mfvc + PCI_VC_CAP, 4, 7, 0);
    start();
    const struct expectation rows[] = {
        {rebar + PCI_REBAR_CONTROL(1), 4, 0x0e00, 0x0e00},
        {ltr + PCI_LTR_LATENCY, 4, 0x10031003, 0x10031003},
        {l1ss + PCI_L1SS_CONTROL1, 4, 0x4000000f, 0x4000000f},
        {l1ss + PCI_L1SS_CONTROL2, 4, 0x28, 0x28},
        {f->pcie + PCIE_LINK_CONTROL, 2, 0x0043, 0x0043},
        {f->pcie + PCIE_DEVICE_CTL2, 2, 0x0400, 0x0400},
        {f->pcie + PCIE_LINK_CTL2, 2, 0x0004, 0x0004},
        {aer + PCI_AER_FATAL_MASK, 4, 0x00400000, 0x00400000},
        {aer + PCI_AER_FATAL_SEVERITY, 4, 0x00462030, 0x00462030},
        {aer + PCI_AER_MASK, 4, 0x00002000, 0x00002000},
        {aer + PCI_AER_CONTROL, 4, 0x000001e0, 0x00000140},
        {vc + PCI_VC_CONTROL, 2, 0x0003, 0x0002}, /* nothing is loaded by it */
        {vc + PCI_VC_RESOURCE(0), 4, 0x8001007f, 0x8000007f},
        {vc + PCI_VC_RESOURCE(1), 4, 0x81000080, 0x81000080},
        {vc + PCI_VC_RESOURCE(2), 4, 0x82000000, 0}, /* there is no third channel */
        {mfvc + PCI_VC_CONTROL, 2, 0x0004, 0x0004},
        {mfvc + PCI_VC_RESOURCE(7), 4, 0x87000080, 0x87000080},
        {beside + PCI_VC_RESOURCE(0), 4, 0x8000003f, 0x8000003f},
        {ptm + PCI_PTM_CONTROL, 4, 3, 3},
    };
    set_all(rows, ARRAY_SIZE(rows));
    sim_set(f, rebar + PCI_REBAR_CONTROL(0), 4, 2 << 5 | 0x0c00, 0x3f00);
    pci_write16(d, PCI_COMMAND, 3);
    pci_save_all();
    sizes_at = rebar + PCI_REBAR_CONTROL(1);
    substates_at = l1ss + PCI_L1SS_CONTROL1;
    sized = substates = linked = false;
    sim_on_write = note_order;
    assert_int_equal(pci_reset(d), 0);
    assert_true(linked);
    check_all(rows, ARRAY_SIZE(rows));
    assert_int_equal(sim_get(f, rebar + PCI_REBAR_CONTROL(0), 4), 2 << 5 | 0x0c00);
    assert_int_equal(sim_get(f, PCI_BAR0, 8), UINT64_C(0x80000000c));
}

/* Version 1 of the capability, which ends before the second control registers: another follows. */
static void a_short_capability_is_not_written_beyond(void **state)
{
    f = sim_add(0, RID, NIC, CLASS_X);
    sim_express(f, PCIE_ENDPOINT, true);
    sim_set(f, f->pcie + PCIE_FLAGS, 2, 1, 0);
    start();
    pci_save_all();
    sim_set(f, f->pcie + PCIE_DEVICE_CTL2, 2, 0x1234, 0xffff);
    pci_config_restore(d);
    assert_int_equal(sim_get(f, f->pcie + PCIE_DEVICE_CTL2, 2), 0x1234);
}

/* The function's registers said something else before, and say nothing behind it. */
static void pitfall_27_the_record_counts_not_the_device(void **state)
{
    f = sim_add(0, RID, NIC, CLASS_X);
    sim_express(f, PCIE_ENDPOINT, true);
    sim_bar(f, 0, 0xfe000000, 4096, PCI_BAR_TYPE_64);
    start();
    pci_save_all();
    sim_set(f, PCI_BAR0, 8, 4, UINT64_C(0xfffffffffffff000));
    assert_int_equal(pci_reset(d), 0);
    assert_int_equal(sim_get(f, PCI_BAR0, 8), 0xfe000004);
}

/* It has no reset, but may have forgotten all by itself. */
static void without_a_method_the_record_is_restored_all_the_same(void **state)
{
    f = sim_add(0, RID, EDU, CLASS_X);
    sim_bar(f, 0, 0xfe000000, 4096, 0);
    start();
    pci_write16(d, PCI_COMMAND, 2);
    pci_save_all();
    sim_set(f, PCI_BAR0, 4, 0, 0xfffff000);
    assert_int_equal(pci_reset(d), -ENOTTY);
    assert_int_equal(sim_get(f, PCI_BAR0, 4), 0xfe000000);
    /* Its line may be asserted: it stays off. */
    assert_int_equal(sim_get(f, PCI_COMMAND, 2), PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_DISABLE);
}

static void lost_bars_are_noticed(void **state)
{
    f = sim_add(0, RID, NIC, CLASS_X);
    sim_bar(f, 0, UINT64_C(0x880000000), 4096, PCI_BAR_TYPE_64);
    sim_bar(f, 2, 0xc000, 32, PCI_BAR_SPACE_IO);
    sim_bar(f, 4, 0, 4096, 0); /* never had an address */
    start();
    pci_save_all();
    assert_false(pci_bars_lost(d));
    sim_set(f, PCI_BAR0 + 4, 4, 0, 0xffffffff);
    assert_true(pci_bars_lost(d));
    pci_config_restore(d);
    assert_false(pci_bars_lost(d));
    sim_set(f, PCI_BAR0 + 8, 4, 1, 0xffffffe0);
    assert_true(pci_bars_lost(d));
    pci_config_restore(d);
    assert_false(pci_bars_lost(d));
    f->answers_from = SIM_NEVER; /* then there is nothing to put right */
    assert_false(pci_bars_lost(d));
}

/* A bridge loses its bus numbers: what is below it can be asked only when they are back. */
static void bridges_come_back_before_what_they_lead_to(void **state)
{
    struct sim_function *port = sim_add(0, PCI_RID(0, 3, 0), 0x000c1b36, 0x060400), *bridge, *left;

    sim_bridge(port, 1, 2);
    sim_express(port, PCIE_ROOT_PORT, false);
    bridge = sim_add(0, PCI_RID(1, 0, 0), 0x000e1b36, 0x060400);
    sim_bridge(bridge, 2, 2);
    sim_set(bridge, PCI_PREFETCH_UPPER, 8, UINT64_C(0x800000008), UINT64_MAX);
    sim_set(bridge, PCI_BRIDGE_CONTROL, 2, 3, 0x0fff);
    left = sim_add(0, PCI_RID(2, 1, 0), EDU, CLASS_X);
    sim_bar(left, 0, 0xfe000000, 4096, 0);
    f = sim_add(0, PCI_RID(2, 2, 0), EDU, CLASS_X);
    sim_bar(f, 0, 0xfe100000, 4096, 0);
    start();
    pci_save_all();
    sim_set(bridge, PCI_PREFETCH_UPPER, 8, 0, UINT64_MAX);
    bridge->after_reset[PCI_BRIDGE_CONTROL] = 0;
    assert_int_equal(pci_reset_below(pci_find(0, PCI_RID(0, 3, 0))), 0);
    assert_int_equal(bridge->resets, 1);
    assert_int_equal(port->resets, 0);
    assert_int_equal(sim_get(bridge, PCI_SECONDARY_BUS, 2), 0x0202);
    assert_int_equal(sim_get(bridge, PCI_PREFETCH_UPPER, 8), UINT64_C(0x800000008));
    assert_int_equal(sim_get(bridge, PCI_BRIDGE_CONTROL, 2), 3);
    assert_int_equal(sim_get(left, PCI_BAR0, 4), 0xfe000000);
    assert_int_equal(sim_get(f, PCI_BAR0, 4), 0xfe100000);
    assert_false(pci_find(0, PCI_RID(2, 2, 0))->in_reset);
}

/* A switch, and a bridge to conventional PCI, whose device control has its own meaning of a bit. */
static void bridges_keep_what_they_are_told(void **state)
{
    struct sim_function *port = sim_add(0, PCI_RID(0, 3, 0), 0x000c1b36, 0x060400), *down, *old;

    sim_bridge(port, 1, 3);
    down = sim_add(0, PCI_RID(1, 0, 0), 0x000e1b36, 0x060400);
    sim_bridge(down, 2, 2);
    sim_express(down, PCIE_DOWNSTREAM_PORT, false);
    sim_set(down, down->pcie + PCIE_FLAGS, 2, PCIE_DOWNSTREAM_PORT << 4 | PCIE_FLAGS_SLOT | 2, 0);
    sim_set(down, down->pcie + PCIE_SLOT_CONTROL, 2, 0, 0x1fff);
    sim_access_control(down, 0x1f);
    sim_set(down, 0x100 + PCI_ACS_CONTROL, 2, 0x1f, 0x1f);
    f = sim_add(0, PCI_RID(2, 0, 0), EDU, CLASS_X);
    sim_express(f, PCIE_ENDPOINT, true);
    sim_set(f, sim_extended_capability(f, PCI_EXT_CAP_ATS, 8) + PCI_ATS_CONTROL, 2, 0, 0xffff);
    old = sim_add(0, PCI_RID(1, 1, 0), 0x000e1b36, 0x060400);
    sim_bridge(old, 3, 3);
    sim_express(old, PCIE_TO_PCI_BRIDGE, false);
    sim_set(old, old->pcie + PCIE_DEVICE_CONTROL, 2, 0x2810, 0xffff);
    sim_set(old, old->pcie + PCIE_SLOT_CONTROL, 2, 0, 0x1fff);
    sim_remember();
    enumerate();
    pci_write16(pci_find(0, down->rid), down->pcie + PCIE_SLOT_CONTROL, 0x03c0);
    pci_write16(pci_find(0, old->rid), old->pcie + PCIE_SLOT_CONTROL, 0x03c0);
    pci_write16(pci_find(0, old->rid), old->pcie + PCIE_DEVICE_CONTROL, 0xa810);
    pci_save_all();
    pci_find(0, f->rid)->ats = true; /* since the record */
    assert_int_equal(pci_reset_below(pci_find(0, PCI_RID(0, 3, 0))), 0);
    assert_int_equal(sim_get(down, 0x100 + PCI_ACS_CONTROL, 2), 0x1f & ~PCI_ACS_BLOCK_TRANSLATED);
    assert_int_equal(sim_get(down, down->pcie + PCIE_SLOT_CONTROL, 2), 0x03c0);
    assert_int_equal(sim_get(old, old->pcie + PCIE_SLOT_CONTROL, 2), 0); /* it has no slot */
    assert_int_equal(sim_get(old, old->pcie + PCIE_DEVICE_CONTROL, 2), 0xa810);
}

/* Where the register of access control is not in its place. */
static void access_control_comes_back_where_it_is(void **state)
{
    struct sim_function *port = sim_add(0, PCI_RID(0, 3, 0), 0xa1108086, 0x060400);

    sim_bridge(port, 1, 1);
    sim_express(port, PCIE_ROOT_PORT, false);
    sim_access_control(port, 0);
    sim_set(port, 0x100 + PCI_ACS_CONTROL_WIDE, 4, 0, 0x7f);
    f = sim_add(0, PCI_RID(1, 0, 0), EDU, CLASS_X);
    sim_remember();
    enumerate();
    d = pci_find(0, port->rid);
    pci_write16(d, 0x100 + PCI_ACS_CONTROL_WIDE, 0x1d);
    pci_save_all();
    pci_write16(d, 0x100 + PCI_ACS_CONTROL_WIDE, 0);
    pci_config_restore(d);
    assert_int_equal(sim_get(port, 0x100 + PCI_ACS_CONTROL_WIDE, 2) & 0x1d, 0x1d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_that_software_set_comes_back),
        TEST(a_short_capability_is_not_written_beyond),
        TEST(pitfall_27_the_record_counts_not_the_device),
        TEST(without_a_method_the_record_is_restored_all_the_same),
        TEST(lost_bars_are_noticed),
        TEST(bridges_come_back_before_what_they_lead_to),
        TEST(access_control_comes_back_where_it_is),
        TEST(bridges_keep_what_they_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
