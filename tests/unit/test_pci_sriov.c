/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual functions: where they are, what refuses them, and resets of the physical function. */
#include "kernel/cpu/time.h"
#include "kernel/pci/place.h"
#include "kernel/pci/reset.h"
#include "kernel/pci/select.h"
#include "kernel/pci/sriov.h"
#include "tests/unit/host_thread.h"
#include "tests/unit/pci_fixture.h"

#define PORT    PCI_RID(0, 3, 0)
#define PF      PCI_RID(1, 0, 0)
#define VF(n)   ((pci_rid_t)(PF + (n)))
#define VF_IDS  0x10ca8086
#define BAR     UINT64_C(0xfe100000)
#define ENABLED (PCI_SRIOV_CONTROL_ENABLE | PCI_SRIOV_CONTROL_MEMORY)

static const struct phys_run ram[] = {{0, 0x80000000}};
static const struct pci_machine machine = {.acpi = &acpi, .ram = ram, .ram_count = ARRAY_SIZE(ram)};

static struct sim_function *port, *f;
static struct pci_device *d;

/* A port that leads to buses 1 to `last`, with 4 MiB, and a device with function-level reset. */
static void add_device(unsigned last, unsigned total, unsigned first, unsigned stride)
{
    port = sim_add(0, PORT, 0x000c1b36, 0x060400);
    sim_bridge(port, 1, last);
    sim_express(port, PCIE_ROOT_PORT, false);
    sim_set(port, port->pcie + PCIE_DEVICE_CTL2, 2, 0, 0xffff);
    sim_set(port, PCI_MEMORY_BASE, 4, 0xfe30fe00, 0xfff0fff0);
    sim_set(port, PCI_PREFETCH_BASE, 4, 0x0000fff0, 0xfff0fff0);
    f = sim_add(0, PF, NIC, 0x020000);
    sim_express(f, PCIE_ENDPOINT, true);
    sim_bar(f, 0, 0xfe000000, 64 * KIB, 0);
    sim_sriov(f, total, first, stride);
}

static int enable(unsigned count)
{
    enumerate();
    pci_virtual_disable_all();
    pci_size_bars();
    d = pci_find(0, PF);
    return pci_virtual_enable(d, count, &machine, &why);
}

static int enable_again(unsigned count)
{
    return pci_virtual_enable(d, count, &machine, &why);
}

static uint16_t control(void)
{
    return (uint16_t)sim_get(f, f->sriov + PCI_SRIOV_CONTROL, 2);
}

/* Nothing of them is left, and what is there can be shown. */
static void refused(unsigned count, int error, const char *sentence)
{
    const struct pci_device *each;

    assert_int_equal(enable(count), error);
    says(sentence);
    assert_int_equal(control() & ENABLED, 0);
    assert_int_equal(d->virtuals, 0);
    list_for_each_entry (each, pci_devices(), link)
        assert_null(each->physical);
    assert_non_null(pci_find(0, PF));
}

static uint32_t vf_bar(unsigned index)
{
    return (uint32_t)sim_get(f, f->sriov + PCI_SRIOV_BAR0 + 4 * index, 4);
}

static void they_are_where_the_device_says(void **state)
{
    uint64_t begun = host_now_ns;

    add_device(1, 7, 2, 2);
    sim_virtual_bar(f, 0, BAR, 16 * KIB, PCI_BAR_TYPE_64);
    sim_virtual_bar(f, 3, BAR + MIB, 4 * KIB, 0);
    for (unsigned i = 0; i < 3; i++)
        sim_virtual(f, VF(2 + 2 * i));
    assert_int_equal(enable(3), 0);
    assert_true(host_now_ns - begun >= 100 * NS_PER_MS);
    assert_int_equal(control(), ENABLED);
    assert_int_equal(sim_get(f, f->sriov + PCI_SRIOV_COUNT, 2), 3);
    assert_int_equal(sim_get(f, f->sriov + PCI_SRIOV_PAGE, 4), PCI_SRIOV_PAGE_4K);
    assert_int_equal(d->virtuals, 3);
    for (unsigned i = 0; i < 3; i++) {
        const struct pci_device *v = pci_find(0, VF(2 + 2 * i));

        assert_ptr_equal(v->physical, d);
        assert_ptr_equal(v->bridge, d->bridge);
        assert_int_equal(v->vendor, NIC & 0xffff);
        assert_int_equal(v->device, VF_IDS >> 16);
        assert_int_equal(v->class_code, 0x020000);
        assert_int_equal(v->intx_pin, 0); /* whatever the register says */
        assert_int_equal(v->bars[0].base, BAR + i * 16 * KIB);
        assert_int_equal(v->bars[0].size, 16 * KIB);
        assert_int_equal(v->bars[3].base, BAR + MIB + i * 4 * KIB);
        assert_int_equal(pci_reset_method(v), PCI_RESET_FLR);
        assert_true(pci_answers(v));
        assert_true(pci_is_below(v, d) && pci_is_below(v, d->bridge));
        assert_false(pci_bars_lost(v));
    }
}

/* With the size of pages that is in use, which decides how large the BARs are. */
static void what_has_no_address_is_placed(void **state)
{
    add_device(1, 3, 1, 1);
    sim_virtual_bar(f, 0, 0, 64 * KIB, PCI_BAR_TYPE_64);
    sim_virtual_bar(f, 2, 0, MIB, 0);
    for (unsigned i = 0; i < 3; i++)
        sim_virtual(f, VF(1 + i));
    sim_bar(f, 1, 0, 64 * KIB, 0); /* of the physical function: placed later, elsewhere */
    assert_int_equal(enable(3), 0);
    assert_int_equal(vf_bar(2), 0xfe100000); /* 3 MiB: all that is left behind the first one */
    assert_int_equal(vf_bar(0), 0xfe010000 | PCI_BAR_TYPE_64);
    assert_int_equal(pci_find(0, VF(3))->bars[2].base, 0xfe300000);
    assert_int_equal(pci_place_bars(d, d->bars, 1, &machine, &why), 0);
    assert_int_equal(d->bars[1].base, 0xfe040000);
}

/* They are in no record yet, and of the same size. */
static void two_without_an_address_are_placed_beside_each_other(void **state)
{
    add_device(1, 2, 1, 1);
    sim_virtual_bar(f, 0, 0, 16 * KIB, PCI_BAR_TYPE_64);
    sim_virtual_bar(f, 3, 0, 16 * KIB, PCI_BAR_TYPE_64);
    sim_virtual(f, VF(1));
    sim_virtual(f, VF(2));
    assert_int_equal(enable(2), 0);
    assert_int_equal(pci_find(0, VF(1))->bars[0].base + 2 * 16 * KIB,
                     pci_find(0, VF(1))->bars[3].base);
    assert_int_equal(pci_find(0, VF(2))->bars[3].base, pci_find(0, VF(1))->bars[3].base + 16 * KIB);
}

static void a_bar_that_fits_nowhere(void **state)
{
    add_device(1, 4, 1, 1);
    sim_virtual_bar(f, 2, 0, MIB, 0);
    refused(4, -ENOSPC, "BAR 2 of virtual functions of device 0000:01:00.0 (4096 KiB)");
}

static void a_bar_that_is_larger_than_all_memory(void **state)
{
    add_device(1, 4, 1, 1);
    sim_virtual_bar(f, 2, 0, UINT64_C(1) << 63, PCI_BAR_TYPE_64);
    refused(2, -ENOSPC, "BAR 2 of virtual functions");
}

/* The first one's lies well, but not the last one's. */
static void a_bar_of_the_firmware_that_leaves_the_window(void **state)
{
    add_device(1, 4, 1, 1);
    sim_virtual_bar(f, 0, 0xfe300000, 512 * KIB, 0);
    refused(3, -EINVAL, "BAR 0 of device 0000:01:00.3 (0xfe400000) lies in no window");
}

static void a_bar_of_the_firmware_over_another(void **state)
{
    add_device(1, 4, 1, 1);
    sim_virtual_bar(f, 0, 0xfe000000, 16 * KIB, 0);
    refused(1, -EINVAL, "overlaps BAR 0 of device 0000:01:00.0");
}

static void more_than_there_are(void **state)
{
    add_device(1, 4, 1, 1);
    refused(5, -EINVAL, "device 0000:01:00.0 has at most 4 virtual functions, not 5");
}

static void a_device_without_any(void **state)
{
    f = sim_add(0, PCI_RID(0, 5, 0), NIC, 0x020000);
    enumerate();
    assert_int_equal(pci_virtual_enable(pci_find(0, PCI_RID(0, 5, 0)), 1, &machine, &why), -EINVAL);
    says("device 0000:00:05.0 has at most 0 virtual functions, not 1");
}

static void on_the_next_bus_if_it_is_the_bridge_s(void **state)
{
    add_device(2, 4, 0x100, 1);
    sim_virtual(f, PCI_RID(2, 0, 0));
    sim_virtual(f, PCI_RID(2, 0, 1));
    assert_int_equal(enable(2), 0);
    assert_non_null(pci_find(0, PCI_RID(2, 0, 1)));
}

static void on_no_bus_that_is_another_s(void **state)
{
    add_device(1, 4, 0xff, 1); /* the second one is 02:00.0 */
    sim_virtual(f, PCI_RID(1, 31, 7));
    refused(2, -EINVAL,
            "virtual function 1 of device 0000:01:00.0 would be 0000:02:00.0, which is beyond");
}

static void not_beyond_the_last_bus_of_all(void **state)
{
    add_device(1, 4, 0xffff, 1);
    refused(1, -EINVAL, "which is beyond");
}

static void each_has_an_id_of_its_own(void **state)
{
    add_device(1, 4, 1, 0);
    sim_virtual(f, VF(1));
    refused(2, -EINVAL,
            "virtual function 1 of device 0000:01:00.0 would be 0000:01:00.1, which is taken");
}

/* Nobody has the id, but somebody sends with it. */
static void not_with_the_alias_of_another(void **state)
{
    add_device(1, 4, 4, 1);
    sim_virtual(f, VF(4));
    assert_int_equal(enable(0), 0);
    pci_set_alias(d, 1, 4, "a test says so");
    assert_int_equal(pci_virtual_enable(d, 1, &machine, &why), -EINVAL);
    says("which is taken");
    d->aliases[1] = 0;
    assert_int_equal(pci_virtual_enable(d, 1, &machine, &why), 0);
}

static void not_with_the_id_of_the_device(void **state)
{
    add_device(1, 4, 0, 1);
    refused(1, -EINVAL, "which is taken");
}

static void one_that_does_not_answer(void **state)
{
    uint64_t begun = host_now_ns;

    add_device(1, 4, 1, 1);
    sim_virtual(f, VF(1));
    refused(2, -EIO, "virtual function 0000:01:00.2 does not answer");
    assert_true(host_now_ns - begun >= NS_PER_S); /* all that it may take */
    assert_true(host_now_ns - begun < 3 * NS_PER_S);
    assert_int_equal(enable_again(1), 0); /* one less is to be had */
}

/* Behind the 100 ms it may show retry status, or nothing. */
static void one_that_is_not_ready_at_once(void **state)
{
    for (unsigned asks = 0; asks < 2; asks++) {
        struct sim_function *v;

        new_machine(state);
        add_device(1, 4, 1, 1);
        v = sim_virtual(f, VF(1));
        v->answers_from = host_now_ns + 700 * NS_PER_MS;
        v->asks_for_retry = asks;
        sim_capability(v, PCI_CAP_MSIX, 12);
        assert_int_equal(enable(1), 0);
        assert_int_equal(pci_find(0, VF(1))->class_code, 0x020000);
        assert_int_equal(pci_find(0, VF(1))->msix_entries, 1);
        assert_false(pci_find(0, VF(1))->in_reset);
        assert_true(host_now_ns >= v->answers_from);
    }
}

/* Beyond function 7: both ends of the link must know of alternative routing ids. */
static void add_far_ones(bool device_can, bool port_can)
{
    add_device(1, 8, 8, 8);
    if (device_can)
        sim_extended_capability(f, PCI_EXT_CAP_ARI, 8);
    sim_set(port, port->pcie + PCIE_DEVICE_CAP2, 4, port_can ? PCIE_DEVICE_CAP2_ARI : 0, 0);
    for (unsigned i = 0; i < 2; i++)
        sim_virtual(f, VF(8 + 8 * i))->ari_port = port;
}

static void far_functions_by_alternative_ids(void **state)
{
    add_far_ones(true, true);
    assert_int_equal(enable(2), 0);
    assert_int_equal(control(), ENABLED | PCI_SRIOV_CONTROL_ARI);
    assert_true(sim_get(port, port->pcie + PCIE_DEVICE_CTL2, 2) & PCIE_DEVICE_CTL2_ARI);
    assert_non_null(pci_find(0, PCI_RID(1, 2, 0)));
}

static void far_functions_that_the_port_does_not_reach(void **state)
{
    add_far_ones(true, false);
    refused(2, -EIO, "virtual function 0000:01:01.0 does not answer");
    assert_int_equal(control(), 0);
}

static void far_functions_that_the_device_does_not_know(void **state)
{
    add_far_ones(false, true);
    refused(2, -EIO, "does not answer");
    assert_int_equal(sim_get(port, port->pcie + PCIE_DEVICE_CTL2, 2), 0);
}

static void what_the_firmware_left_on_is_off(void **state)
{
    uint64_t begun;

    add_device(1, 4, 1, 1);
    sim_virtual(f, VF(1));
    sim_set(f, f->sriov + PCI_SRIOV_COUNT, 2, 3, 0xffff);
    sim_set(f, f->sriov + PCI_SRIOV_CONTROL, 2, ENABLED, 0x1f);
    enumerate();
    begun = host_now_ns;
    pci_virtual_disable_all();
    assert_int_equal(control(), 0);
    assert_true(host_now_ns - begun >= NS_PER_S);
    begun = host_now_ns;
    pci_virtual_disable_all(); /* nothing to wait for */
    assert_int_equal(host_now_ns, begun);
}

static void what_is_left_keeps_its_own(void **state)
{
    add_device(1, 4, 1, 1);
    sim_set(f, f->sriov + PCI_SRIOV_CONTROL, 2, ENABLED, 0x1f);
    enumerate();
    pci_find(0, PF)->left = true;
    pci_virtual_disable_all();
    assert_int_equal(control(), ENABLED);
}

/* By id or class only the physical function is meant. */
static void selectors_do_not_mean_them(void **state)
{
    const struct pci_selector class = {.by = PCI_BY_CLASS, .value = 0x020000, .mask = 0xffff00};
    const struct pci_selector id = {.by = PCI_BY_ID, .value = 0x808610ca, .mask = UINT32_MAX};
    struct pci_device *found;

    add_device(1, 4, 1, 1);
    sim_virtual(f, VF(1));
    assert_int_equal(enable(1), 0);
    assert_int_equal(pci_select(&class, &found, &why), 0);
    assert_ptr_equal(found, d);
    assert_int_equal(pci_select(&id, &found, &why), -ENODEV);
}

/* ---- resets ---- */

/* Two of them, with BARs that the kernel placed. */
static void start_two(void)
{
    add_device(1, 4, 1, 1);
    sim_virtual_bar(f, 0, 0, 16 * KIB, PCI_BAR_TYPE_64);
    sim_virtual(f, VF(1));
    sim_virtual(f, VF(2));
    sim_remember();
    assert_int_equal(enable(2), 0);
    pci_save_all();
}

static bool were_off, wrong_order;

/* Nothing of what says where they are changes while they are enabled. */
static void watch(const struct sim_function *written, unsigned offset)
{
    bool on = control() & PCI_SRIOV_CONTROL_ENABLE;

    if (written != f || offset < f->sriov || offset >= f->sriov + 64u)
        return;
    were_off |= !on;
    wrong_order |= on && offset != f->sriov + PCI_SRIOV_CONTROL;
}

static void are_back(void)
{
    assert_int_equal(control(), ENABLED);
    assert_int_equal(sim_get(f, f->sriov + PCI_SRIOV_COUNT, 2), 2);
    assert_int_equal(sim_get(f, f->sriov + PCI_SRIOV_PAGE, 4), PCI_SRIOV_PAGE_4K);
    assert_int_equal(vf_bar(0), 0xfe010000 | PCI_BAR_TYPE_64);
    for (unsigned i = 1; i <= 2; i++) {
        assert_true(pci_answers(pci_find(0, VF(i))));
        assert_false(pci_find(0, VF(i))->in_reset);
    }
}

static void a_reset_of_the_device_takes_them_along(void **state)
{
    uint64_t begun;

    start_two();
    pci_set_bus_master(pci_find(0, VF(1)), true);
    were_off = wrong_order = false;
    sim_on_write = watch;
    begun = host_now_ns;
    assert_int_equal(pci_reset(d), 0);
    are_back();
    assert_true(were_off);
    assert_false(wrong_order);
    assert_true(host_now_ns - begun >= 200 * NS_PER_MS); /* after the reset, and enabling them */
    assert_int_equal(pci_read16(pci_find(0, VF(1)), PCI_COMMAND) & PCI_COMMAND_MASTER, 0);
}

static const char *told;

static void note(const struct sim_function *who, const char *event)
{
    if (who->physical && strncmp(event, "reset", 5) == 0)
        told = event;
}

/* Their transactions have come to an end before it. */
static void nothing_of_them_is_pending_in_a_reset(void **state)
{
    struct sim_function *v;

    add_device(1, 4, 1, 1);
    v = sim_virtual(f, VF(1));
    v->pending_time = 10 * NS_PER_MS;
    sim_remember();
    assert_int_equal(enable(1), 0);
    pci_save_all();
    pci_set_bus_master(pci_find(0, VF(1)), true);
    sim_on_change = note;
    assert_int_equal(pci_reset(d), 0);
    assert_string_equal(told, "reset");
}

static void one_alone_is_reset_alone(void **state)
{
    start_two();
    assert_int_equal(pci_reset(pci_find(0, VF(2))), 0);
    assert_int_equal(f->resets, 0);
    are_back();
}

/* A device that has nothing else is reset with its bus, although it is not alone there. */
static void a_reset_of_the_bus_takes_them_along(void **state)
{
    start_two();
    sim_set(f, f->pcie + PCIE_DEVICE_CAP, 4, 0, 0);
    assert_int_equal(pci_reset_method(d), PCI_RESET_SECONDARY_BUS);
    assert_int_equal(pci_reset(d), 0);
    assert_true(f->resets > 0);
    are_back();
}

/* Its own BARs are where they were. */
static void a_device_that_reset_itself(void **state)
{
    start_two();
    assert_false(pci_bars_lost(d));
    memcpy(f->config + f->sriov, f->after_reset + f->sriov, 64);
    assert_false(pci_answers(pci_find(0, VF(1))));
    assert_true(pci_bars_lost(d));
    were_off = wrong_order = false;
    sim_on_write = watch;
    assert_int_equal(pci_recover(d), 0);
    are_back();
    assert_false(wrong_order);
    assert_false(pci_bars_lost(d));
}

/* One that had none enabled has none to lose. */
static void virtual_functions_that_nobody_wants_are_not_missed(void **state)
{
    add_device(1, 4, 1, 1);
    enumerate();
    pci_virtual_disable_all();
    pci_size_bars();
    pci_save_all();
    assert_false(pci_bars_lost(pci_find(0, PF)));
}

static void a_device_that_stays_away_keeps_them_away(void **state)
{
    start_two();
    f->reset_time = SIM_NEVER;
    assert_int_equal(pci_reset(d), -ETIMEDOUT);
    assert_true(pci_find(0, VF(1))->in_reset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(they_are_where_the_device_says),
        TEST(what_has_no_address_is_placed),
        TEST(two_without_an_address_are_placed_beside_each_other),
        TEST(a_bar_that_fits_nowhere),
        TEST(a_bar_that_is_larger_than_all_memory),
        TEST(a_bar_of_the_firmware_that_leaves_the_window),
        TEST(a_bar_of_the_firmware_over_another),
        TEST(more_than_there_are),
        TEST(a_device_without_any),
        TEST(on_the_next_bus_if_it_is_the_bridge_s),
        TEST(on_no_bus_that_is_another_s),
        TEST(not_beyond_the_last_bus_of_all),
        TEST(each_has_an_id_of_its_own),
        TEST(not_with_the_alias_of_another),
        TEST(not_with_the_id_of_the_device),
        TEST(one_that_does_not_answer),
        TEST(one_that_is_not_ready_at_once),
        TEST(far_functions_by_alternative_ids),
        TEST(far_functions_that_the_port_does_not_reach),
        TEST(far_functions_that_the_device_does_not_know),
        TEST(what_the_firmware_left_on_is_off),
        TEST(what_is_left_keeps_its_own),
        TEST(selectors_do_not_mean_them),
        TEST(a_reset_of_the_device_takes_them_along),
        TEST(nothing_of_them_is_pending_in_a_reset),
        TEST(one_alone_is_reset_alone),
        TEST(a_reset_of_the_bus_takes_them_along),
        TEST(a_device_that_reset_itself),
        TEST(virtual_functions_that_nobody_wants_are_not_missed),
        TEST(a_device_that_stays_away_keeps_them_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
