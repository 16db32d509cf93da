/* SPDX-License-Identifier: BSD-2-Clause */
/* Enumeration, capabilities and configuration space on a simulated machine. */
#include "kernel/cpu/time.h"
#include "tests/unit/host_thread.h"
#include "tests/unit/pci_fixture.h"

static size_t count(void)
{
    struct pci_device *d;
    size_t n = 0;

    list_for_each_entry (d, pci_devices(), link)
        n++;
    return n;
}

static void finds_functions_behind_bridges(void **state)
{
    struct sim_function *f;
    struct pci_device *d;

    sim_add(0, PCI_RID(0, 0, 0), 0x29c08086, 0x060000);
    f = sim_add(0, PCI_RID(0, 3, 0), 0x000c1b36, 0x060400);
    sim_bridge(f, 1, 2);
    sim_express(f, PCIE_ROOT_PORT, false);
    f = sim_add(0, PCI_RID(0, 31, 0), 0x29188086, 0x060100);
    sim_multifunction(f);
    sim_add(0, PCI_RID(0, 31, 3), 0x29308086, 0x0c0500);
    sim_add(0, PCI_RID(0, 30, 0), EDU, CLASS_X);
    sim_add(0, PCI_RID(0, 30, 1), EDU, CLASS_X); /* hidden: function 0 is no multifunction one */
    f = sim_add(0, PCI_RID(1, 0, 0), 0x000e1b36, 0x060400);
    sim_bridge(f, 2, 2);
    f = sim_add(0, PCI_RID(2, 5, 0), EDU, CLASS_X);
    sim_set(f, PCI_SUBSYSTEM_VENDOR, 4, 0x11001af4, 0);
    sim_add(0, PCI_RID(9, 0, 0), EDU, CLASS_X); /* another root bus */
    enumerate();

    assert_int_equal(count(), 8);
    assert_int_equal(sim_config_writes, 0);
    d = pci_find(0, PCI_RID(2, 5, 0));
    assert_non_null(d);
    assert_int_equal(d->vendor, 0x1234);
    assert_int_equal(d->device, 0x11e8);
    assert_int_equal(d->class_code, CLASS_X);
    assert_int_equal(d->revision, 0x10);
    assert_int_equal(d->subsystem_vendor, 0x1af4);
    assert_int_equal(d->subsystem_device, 0x1100);
    assert_int_equal(d->bridge->rid, PCI_RID(1, 0, 0));
    assert_int_equal(d->bridge->bridge->rid, PCI_RID(0, 3, 0));
    assert_null(d->bridge->bridge->bridge);
    assert_true(pci_is_below(d, d->bridge->bridge));
    assert_false(pci_is_below(d->bridge, d));
    assert_string_equal(pci_name(d), "0000:02:05.0");
    assert_non_null(pci_find(0, PCI_RID(0, 31, 3)));
    assert_null(pci_find(0, PCI_RID(9, 0, 0))->bridge);
    assert_null(pci_find(0, PCI_RID(0, 30, 1)));
    assert_null(pci_find(1, PCI_RID(0, 0, 0)));
}

/*
 * Retry status: it is there, but not ready. What never is does not keep the machine from starting,
 * however many functions of a bus that are.
 */
static void what_asks_for_retries_is_waited_for(void **state)
{
    struct sim_function *slow = sim_add(0, PCI_RID(0, 2, 0), EDU, CLASS_X);
    uint64_t before = host_now_ns;

    slow->asks_for_retry = true;
    slow->answers_from = before + 5 * NS_PER_S;
    for (unsigned i = 3; i < 10; i++) {
        struct sim_function *never = sim_add(0, PCI_RID(0, i, 0), NIC, CLASS_X);

        never->asks_for_retry = true;
        never->answers_from = SIM_NEVER;
    }
    enumerate();
    assert_int_equal(count(), 1);
    assert_int_equal(pci_find(0, PCI_RID(0, 2, 0))->device, 0x11e8);
    assert_true(host_now_ns - before >= 60 * NS_PER_S);
    assert_true(host_now_ns - before <= 61 * NS_PER_S);
}

/* What was learned of the one before is not what the one that came instead is. */
static void another_device_in_a_place_is_learned_anew(void **state)
{
    struct sim_function *f = sim_add(0, PCI_RID(0, 2, 0), NIC, 0x020000);
    unsigned msix = sim_capability(f, PCI_CAP_MSIX, 12);
    struct pci_device *d;

    sim_set(f, msix + PCI_MSIX_CONTROL, 2, 4, 0);
    sim_express(f, PCIE_ENDPOINT, true);
    sim_extended_capability(f, PCI_EXT_CAP_ATS, 8);
    sim_bar(f, 0, 0x800000000, 0x10000, PCI_BAR_TYPE_64);
    sim_bar(f, 3, 0xfe000000, 0x1000, 0);
    enumerate();
    pci_size_bars();
    d = pci_find(0, PCI_RID(0, 2, 0));
    assert_true(d->cap_ats && d->cap_pcie && d->config_size == 4096 && d->msix_entries == 5);
    d->removed = d->in_reset = d->lost = true;
    memset(f->config, 0, sizeof(f->config));
    memset(f->writable, 0, sizeof(f->writable));
    f->pcie = 0;
    sim_set(f, PCI_VENDOR, 4, EDU, 0);
    sim_set(f, PCI_REVISION, 4, CLASS_X << 8 | 1, 0);
    sim_bar(f, 2, 0, 0x2000, PCI_BAR_TYPE_64);
    sim_set(f, PCI_COMMAND, 2, PCI_COMMAND_MASTER, PCI_COMMAND_INTX_DISABLE | 7);
    f->asks_for_retry = true;
    f->answers_from = host_now_ns + 5 * NS_PER_S;
    assert_true(pci_learn_new(d));
    assert_false(d->removed || d->in_reset || d->lost);
    assert_int_equal(d->vendor, 0x1234);
    assert_int_equal(d->device, 0x11e8);
    assert_int_equal(d->class_code, CLASS_X);
    assert_int_equal(d->config_size, 256);
    assert_int_equal(d->cap_ats | d->cap_pcie | d->cap_msix | d->msix_entries | d->ats_depth, 0);
    assert_int_equal(d->bars[0].size | d->bars[3].size, 0);
    assert_int_equal(d->bars[2].size, 0x2000);
    assert_int_equal(d->bars[2].base, 0);
    assert_int_equal(pci_read16(d, PCI_COMMAND) & (PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE),
                     PCI_COMMAND_INTX_DISABLE);
    /* What is not sized has nothing of what was sized before. */
    sim_set(f, PCI_REVISION, 4, 0x060000u << 8, 0);
    assert_true(pci_learn_new(d));
    assert_int_equal(d->bars[2].size, 0);
    /* Nothing there: nothing changes, and nobody waits. */
    d->removed = d->in_reset = true;
    f->asks_for_retry = false;
    f->answers_from = SIM_NEVER;
    assert_false(pci_learn_new(d));
    assert_true(d->removed && d->in_reset);
    assert_int_equal(d->device, 0x11e8);
}

static void devices_are_in_the_order_of_segments(void **state)
{
    const struct acpi_ecam reversed[] = {sim_ecams[1], sim_ecams[0]};

    sim_add(1, PCI_RID(0, 1, 0), EDU, CLASS_X);
    sim_add(0, PCI_RID(0, 2, 0), EDU, CLASS_X);
    sim_add(0, PCI_RID(7, 0, 0), EDU, CLASS_X);
    assert_int_equal(pci_enumerate(reversed, 2, &why), 0);
    assert_int_equal(count(), 3);
    assert_int_equal(list_first(pci_devices(), struct pci_device, link)->segment, 0);
    assert_int_equal(list_entry(pci_devices()->prev, struct pci_device, link)->segment, 1);
}

static void starts_at_the_first_bus_of_a_window(void **state)
{
    const struct acpi_ecam part = {SIM_ECAM, 0, 0x40, 0x4f};

    sim_add(0, PCI_RID(0, 1, 0), EDU, CLASS_X);
    sim_add(0, PCI_RID(0x42, 1, 0), EDU, CLASS_X);
    assert_int_equal(pci_enumerate(&part, 1, &why), 0);
    assert_int_equal(count(), 1);
    assert_non_null(pci_find(0, PCI_RID(0x42, 1, 0)));
}

/* Bus numbers that run in circles, go backwards, or leave the range of the bridge above. */
static void survives_senseless_bus_numbers(void **state)
{
    static const struct {
        unsigned secondary, subordinate;
    } wrong[] = {{0, 0}, {0, 5}, {2, 1}};
    struct sim_function *f;

    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++)
        sim_bridge(sim_add(0, PCI_RID(0, 1 + i, 0), 0x000c1b36, 0x060400), wrong[i].secondary,
                   wrong[i].subordinate);
    sim_bridge(sim_add(0, PCI_RID(0, 8, 0), 0x000c1b36, 0x060400), 1, 4);
    sim_bridge(sim_add(0, PCI_RID(0, 9, 0), 0x000c1b36, 0x060400), 1, 2);
    f = sim_add(0, PCI_RID(1, 0, 0), 0x000c1b36, 0x060400);
    sim_bridge(f, 1, 4); /* itself */
    f = sim_add(0, PCI_RID(1, 1, 0), 0x000c1b36, 0x060400);
    sim_bridge(f, 2, 5); /* beyond the bridge above */
    f = sim_add(0, PCI_RID(1, 2, 0), 0x000c1b36, 0x060400);
    sim_bridge(f, 3, 3);
    sim_add(0, PCI_RID(2, 0, 0), EDU, CLASS_X); /* nobody leads there */
    sim_add(0, PCI_RID(3, 0, 0), EDU, CLASS_X);
    enumerate();
    assert_null(pci_find(0, PCI_RID(2, 0, 0)));
    assert_int_equal(pci_find(0, PCI_RID(1, 1, 0))->secondary, 0);
}

/* The bridge that claims buses 1 to 255 hides the later ones; it is the first to do so. */
static void the_first_bridge_of_a_bus_wins(void **state)
{
    sim_bridge(sim_add(0, PCI_RID(0, 1, 0), 0x000c1b36, 0x060400), 1, 1);
    sim_bridge(sim_add(0, PCI_RID(0, 2, 0), 0x000c1b36, 0x060400), 1, 1);
    sim_add(0, PCI_RID(1, 0, 0), EDU, CLASS_X);
    enumerate();
    assert_int_equal(pci_find(0, PCI_RID(1, 0, 0))->bridge->rid, PCI_RID(0, 1, 0));
    assert_int_equal(pci_find(0, PCI_RID(0, 2, 0))->secondary, 0);
}

/* A device that ignores the device number must not be found 32 times. */
static void looks_at_one_device_per_link(void **state)
{
    struct sim_function *f = sim_add(0, PCI_RID(0, 1, 0), 0x000c1b36, 0x060400);

    sim_bridge(f, 1, 1);
    sim_express(f, PCIE_ROOT_PORT, false);
    sim_add(0, PCI_RID(1, 0, 0), EDU, CLASS_X);
    sim_add(0, PCI_RID(1, 1, 0), EDU, CLASS_X);
    sim_add(0, PCI_RID(1, 2, 3), EDU, CLASS_X);
    enumerate();
    assert_int_equal(count(), 2);
    sim_set(f, f->pcie + PCIE_DEVICE_CTL2, 2, PCIE_DEVICE_CTL2_ARI, 0xffff);
    while (!list_empty(pci_devices())) {
        struct pci_device *d = list_first(pci_devices(), struct pci_device, link);

        list_remove(&d->link);
        kfree(d);
    }
    enumerate();
    assert_int_equal(count(), 4);
}

static void refuses_an_empty_machine(void **state)
{
    assert_int_equal(pci_enumerate(sim_ecams, 1, &why), -ENODEV);
    says("no PCI function");
    sim_map_fails = true;
    assert_int_equal(pci_enumerate(sim_ecams, 1, &why), -ENOMEM);
    says("cannot be mapped");
}

static void every_allocation_fails_in_turn(void **state)
{
    for (uint64_t n = 1;; n++) {
        int error;

        sim_reset();
        sim_add(0, PCI_RID(0, 1, 0), EDU, CLASS_X);
        sim_add(0, PCI_RID(0, 2, 0), EDU, CLASS_X);
        host_fail_nth(n);
        error = pci_enumerate(sim_ecams, 1, &why);
        if (!host_failed()) {
            assert_int_equal(error, 0);
            assert_int_equal(n, 4);
            break;
        }
        assert_int_equal(error, -ENOMEM);
    }
    host_fail_nth(0);
}

static void capability_lists_end_even_if_they_loop(void **state)
{
    struct sim_function *f = sim_add(0, PCI_RID(0, 1, 0), NIC, 0x020000);
    struct pci_device *d;

    sim_power(f, true);
    sim_capability(f, PCI_CAP_MSI, 14);
    sim_express(f, PCIE_ENDPOINT, true);
    sim_capability(f, PCI_CAP_MSIX, 12);
    sim_extended_capability(f, 0x0001, 0x40);
    sim_access_control(f, 0x5f);
    sim_set(f, sim_extended_capability(f, PCI_EXT_CAP_ATS, 8) + PCI_ATS_CAP, 2, 0xffe7, 0);
    f = sim_add(0, PCI_RID(0, 2, 0), EDU, CLASS_X); /* conventional, with a list that loops */
    sim_capability(f, PCI_CAP_MSI, 14);
    f->config[PCI_HEADER_END + 1] = PCI_HEADER_END;
    f = sim_add(0, PCI_RID(0, 3, 0), EDU, CLASS_X); /* leads into the header */
    sim_capability(f, PCI_CAP_PM, 8);
    f->config[PCI_CAPABILITIES] = 0x10;
    f = sim_add(0, PCI_RID(0, 4, 0), NIC, CLASS_X); /* an extended list that loops */
    sim_express(f, PCIE_ENDPOINT, false);
    sim_set(f, 0x100, 4, UINT64_C(0x20010001), 0);
    sim_set(f, 0x200, 4, UINT64_C(0x10010002), 0);
    f = sim_add(0, PCI_RID(0, 5, 0), NIC, CLASS_X); /* no extended space: all ones */
    sim_express(f, PCIE_ENDPOINT, false);
    sim_set(f, 0x100, 4, 0xffffffff, 0);
    f = sim_add(0, PCI_RID(0, 6, 0), NIC, CLASS_X); /* list without the status bit */
    sim_power(f, true);
    f->config[PCI_STATUS] = 0;
    enumerate();

    d = pci_find(0, PCI_RID(0, 1, 0));
    assert_int_equal(d->cap_pm, 0x40);
    assert_int_equal(d->cap_msi, 0x48);
    assert_int_equal(d->cap_pcie, 0x58);
    assert_int_equal(d->cap_msix, 0x94);
    assert_int_equal(d->cap_acs, 0x140);
    assert_int_equal(d->cap_ats, 0x180);
    assert_int_equal(d->ats_depth, 7);
    assert_int_equal(d->config_size, 4096);
    assert_int_equal(pci_express_type(d), PCIE_ENDPOINT);
    d = pci_find(0, PCI_RID(0, 2, 0));
    assert_int_equal(d->cap_msi, 0x40);
    assert_int_equal(d->cap_pm, 0);
    assert_int_equal(d->config_size, 256);
    assert_int_equal(pci_express_type(d), -1);
    assert_int_equal(pci_find(0, PCI_RID(0, 3, 0))->cap_pm, 0);
    assert_int_equal(pci_find(0, PCI_RID(0, 4, 0))->cap_acs, 0);
    assert_int_equal(pci_find_extended_capability(pci_find(0, PCI_RID(0, 4, 0)), 2), 0x200);
    assert_int_equal(pci_find(0, PCI_RID(0, 5, 0))->config_size, 256);
    assert_int_equal(pci_find(0, PCI_RID(0, 6, 0))->cap_pm, 0);
}

static void accesses_beyond_configuration_space_read_ones(void **state)
{
    struct pci_device *d;

    sim_add(0, PCI_RID(0, 1, 0), EDU, CLASS_X);
    enumerate();
    d = pci_find(0, PCI_RID(0, 1, 0));
    assert_int_equal(pci_read32(d, 0), EDU);
    assert_int_equal(pci_read16(d, 2), 0x11e8);
    assert_int_equal(pci_read8(d, 1), 0x12);
    /* Beyond the end, or not aligned: ones, and writes go nowhere. */
    assert_int_equal(pci_read32(d, 256), 0xffffffff);
    assert_int_equal(pci_read32(d, 254), 0xffffffff);
    assert_int_equal(pci_read16(d, 1), 0xffff);
    assert_int_equal(pci_read8(d, 0xffffffff), 0xff);
    pci_write32(d, 256, 0);
    pci_write16(d, 3, 0);
    pci_write8(d, 4096, 0);
    assert_int_equal(sim_config_writes, 0);
    pci_write8(d, PCI_CACHE_LINE, 16);
    assert_int_equal(pci_read8(d, PCI_CACHE_LINE), 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(finds_functions_behind_bridges),
        TEST(what_asks_for_retries_is_waited_for),
        TEST(another_device_in_a_place_is_learned_anew),
        TEST(devices_are_in_the_order_of_segments),
        TEST(starts_at_the_first_bus_of_a_window),
        TEST(survives_senseless_bus_numbers),
        TEST(the_first_bridge_of_a_bus_wins),
        TEST(looks_at_one_device_per_link),
        TEST(refuses_an_empty_machine),
        TEST(every_allocation_fails_in_turn),
        TEST(capability_lists_end_even_if_they_loop),
        TEST(accesses_beyond_configuration_space_read_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
