/* SPDX-License-Identifier: BSD-2-Clause */
/* Enumeration, BARs, selection, checks and paths on a simulated machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/pci/check.h"
#include "kernel/pci/pci.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/select.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/sim_pci.h"

#define EDU     0x11e81234
#define NIC     0x10d38086
#define CLASS_X 0x00ff00

static struct refusal why;
static struct acpi_info acpi;
static const struct phys_run ram[] = {{0, 0x80000000}, {UINT64_C(0x100000000), 4 * GIB}};
static const struct pci_machine machine = {&acpi, ram, ARRAY_SIZE(ram)};

static int new_machine(void **state)
{
    sim_reset();
    memset(&why, 0, sizeof(why));
    memset(&acpi, 0, sizeof(acpi));
    acpi.local_apic = 0xfee00000;
    acpi.io_apics[0].base = 0xfec00000;
    acpi.io_apic_count = 1;
    acpi.dmar.address_width = 39;
    acpi.dmar.units[0].registers = 0xfed90000;
    acpi.dmar.units[0].register_size = 0x1000;
    acpi.dmar.unit_count = 1;
    acpi.ecams[0] = sim_ecams[0];
    acpi.ecam_count = 1;
    return 0;
}

static int no_leak(void **state)
{
    sim_reset();
    return heap_used() == 0 ? 0 : -1;
}

static void enumerate(void)
{
    assert_int_equal(pci_enumerate(sim_ecams, 1, &why), 0);
}

static size_t count(void)
{
    struct pci_device *d;
    size_t n = 0;

    list_for_each_entry (d, pci_devices(), link)
        n++;
    return n;
}

static void says(const char *sentence)
{
    if (!strstr(why.sentence, sentence))
        fail_msg("'%s' does not say '%s'", why.sentence, sentence);
}

static void finds_functions_behind_bridges(void **state)
{
    struct sim_function *f;
    struct pci_device *d;
    char name[PCI_NAME_SIZE];

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
    assert_string_equal(pci_name(d, name), "0000:02:05.0");
    assert_true(pci_find(0, PCI_RID(0, 31, 3))->multifunction);
    assert_null(pci_find(0, PCI_RID(9, 0, 0))->bridge);
    assert_null(pci_find(0, PCI_RID(0, 30, 1)));
    assert_null(pci_find(1, PCI_RID(0, 0, 0)));
}

static void sorts_segments(void **state)
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

static void capability_lists(void **state)
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

static void configuration_accesses(void **state)
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

static void sizes_bars(void **state)
{
    struct sim_function *f = sim_add(0, PCI_RID(0, 1, 0), NIC, 0x020000);
    struct pci_device *d;
    uint8_t before[64];

    sim_bar(f, 0, 0xfe000000, 128 * KIB, 0);
    sim_bar(f, 1, 0xc000, 32, PCI_BAR_SPACE_IO);
    sim_bar(f, 2, UINT64_C(0x800000000), 16 * GIB, PCI_BAR_TYPE_64 | PCI_BAR_PREFETCHED);
    sim_bar(f, 4, 0, 4096, 0); /* unassigned */
    sim_rom(f, 0xfe040000, 256 * KIB);
    sim_set(f, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY, 0x547);
    memcpy(before, f->config, sizeof(before));
    f = sim_add(0, PCI_RID(0, 2, 0), 0x000c1b36, 0x060400);
    sim_bridge(f, 1, 1);
    sim_bar(f, 0, 0xfe080000, 4096, 0);
    sim_set(f, PCI_BAR0 + 8, 4, 0x00010100, 0xffffffff); /* bus numbers, not a BAR */
    f = sim_add(0, PCI_RID(0, 3, 0), 0x29c08086, 0x060000);
    sim_bar(f, 0, 0xfe0a0000, 4096, 0); /* a host bridge is left alone */
    f = sim_add(0, PCI_RID(0, 4, 0), EDU, CLASS_X);
    sim_bar(f, 5, 0xfe0c0000, 4096, PCI_BAR_TYPE_64); /* no register left for an upper half */
    enumerate();
    pci_size_bars();

    d = pci_find(0, PCI_RID(0, 1, 0));
    assert_int_equal(d->bars[0].base, 0xfe000000);
    assert_int_equal(d->bars[0].size, 128 * KIB);
    assert_int_equal(d->bars[0].flags, 0);
    assert_int_equal(d->bars[1].base, 0xc000);
    assert_int_equal(d->bars[1].size, 32);
    assert_int_equal(d->bars[1].flags, PCI_BAR_IO);
    assert_int_equal(d->bars[2].base, UINT64_C(0x800000000));
    assert_int_equal(d->bars[2].size, 16 * GIB);
    assert_int_equal(d->bars[2].flags, PCI_BAR_64 | PCI_BAR_PREFETCH);
    assert_int_equal(d->bars[3].size, 0);
    assert_int_equal(d->bars[4].base, 0);
    assert_int_equal(d->bars[4].size, 4096);
    assert_int_equal(d->bars[5].size, 0);
    assert_int_equal(d->rom.base, 0xfe040000);
    assert_int_equal(d->rom.size, 256 * KIB);
    f = NULL;
    assert_int_equal(pci_read16(d, PCI_COMMAND), PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    for (unsigned i = 0; i < sizeof(before); i++)
        assert_int_equal(pci_read8(d, i), before[i]);
    d = pci_find(0, PCI_RID(0, 2, 0));
    assert_int_equal(d->bars[0].size, 4096);
    assert_int_equal(d->bars[2].size, 0);
    assert_int_equal(pci_find(0, PCI_RID(0, 3, 0))->bars[0].size, 0);
    assert_int_equal(pci_find(0, PCI_RID(0, 4, 0))->bars[5].size, 4096);
}

/* The device whose BAR the checks look at, and one next to it. */
static struct pci_device *device_with_bar(paddr_t base, uint64_t size, unsigned flags)
{
    struct sim_function *f;

    sim_reset();
    f = sim_add(0, PCI_RID(0, 1, 0), NIC, 0x020000);
    sim_bar(f, 2, base, size, flags);
    f = sim_add(0, PCI_RID(0, 2, 0), EDU, CLASS_X);
    sim_bar(f, 0, 0xfe000000, 1 * MIB, 0);
    sim_bar(f, 1, 0xc000, 256, PCI_BAR_SPACE_IO);
    enumerate();
    pci_size_bars();
    return pci_find(0, PCI_RID(0, 1, 0));
}

static void bar_refused(paddr_t base, uint64_t size, unsigned flags, const char *sentence)
{
    struct pci_device *d = device_with_bar(base, size, flags);

    assert_int_equal(pci_check_resources(d, &machine, &why), -EINVAL);
    says("BAR 2 of device 0000:00:01.0");
    says(sentence);
}

static void checks_bars(void **state)
{
    struct pci_device *d = device_with_bar(0xfd000000, 16 * KIB, 0);

    assert_int_equal(pci_check_resources(d, &machine, &why), 0);
    d = device_with_bar(0xd000, 256, PCI_BAR_SPACE_IO);
    assert_int_equal(pci_check_resources(d, &machine, &why), 0);

    bar_refused(0, 4096, 0, "was given no address");
    bar_refused(0x7ffff000, 4096, 0, "overlaps RAM at 0x0");
    bar_refused(UINT64_C(0x100000000), 64 * KIB, PCI_BAR_TYPE_64, "overlaps RAM at 0x100000000");
    bar_refused(0xfee00000, 64 * KIB, 0, "overlaps the interrupt window");
    bar_refused(0xfec00000, 4096, 0, "overlaps an I/O APIC");
    bar_refused(0xfed80000, 128 * KIB, 0, "overlaps a VT-d unit at 0xfed90000");
    bar_refused(0xb0000000, 1 * MIB, 0, "overlaps PCI configuration space of segment 0");
    bar_refused(0xfe0ff000, 4096, 0, "overlaps BAR 0 of device 0000:00:02.0");
    bar_refused(0xc080, 128, PCI_BAR_SPACE_IO, "overlaps BAR 1 of device 0000:00:02.0");
    bar_refused(0xff80, 128, PCI_BAR_SPACE_IO | 0x10000, "beyond the I/O ports");
    bar_refused(UINT64_C(0x8000000000), 64 * KIB, PCI_BAR_TYPE_64, "beyond the 39 address bits");
    bar_refused(UINT64_C(0xffffffffffff0000), 64 * KIB, PCI_BAR_TYPE_64, "beyond the 39 address");
    acpi.local_apic = 0xfd000000;
    bar_refused(0xfd000000, 4096, 0, "overlaps the local APIC");
}

static void refuses_bridges(void **state)
{
    sim_bridge(sim_add(0, PCI_RID(0, 3, 0), 0x000c1b36, 0x060400), 1, 1);
    enumerate();
    assert_int_equal(pci_check_resources(pci_find(0, PCI_RID(0, 3, 0)), &machine, &why), -EINVAL);
    says("device 0000:00:03.0 is a bridge");
}

static void ignores_io_bars_without_address(void **state)
{
    struct pci_device *d = device_with_bar(0, 32, PCI_BAR_SPACE_IO);

    assert_int_equal(d->bars[2].size, 32);
    assert_int_equal(pci_check_resources(d, &machine, &why), 0);
    assert_int_equal(d->bars[2].size, 0);
}

static void checks_configuration_space(void **state)
{
    assert_int_equal(pci_check_ecam(&machine, &why), 0);
    acpi.ecams[0].base = 0x70000000;
    assert_int_equal(pci_check_ecam(&machine, &why), -EINVAL);
    says("PCI configuration space of segment 0 (0x70000000, 262144 KiB) overlaps RAM");
    acpi.ecams[0].base = 0xf0000000;
    assert_int_equal(pci_check_ecam(&machine, &why), -EINVAL);
    says("interrupt window");
    acpi.ecams[0].last_bus = 0x7f;
    assert_int_equal(pci_check_ecam(&machine, &why), 0);
    acpi.ecams[0].first_bus = acpi.ecams[0].last_bus = 0xed;
    assert_int_equal(pci_check_ecam(&machine, &why), -EINVAL);
    says("PCI configuration space of segment 0 (0xfed00000, 1024 KiB) overlaps a VT-d unit");
}

static void selects_devices(void **state)
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

static void resolves_paths(void **state)
{
    const struct dmar_hop hops[] = {{3, 0}, {0, 0}, {5, 0}};

    sim_bridge(sim_add(0, PCI_RID(0, 3, 0), 0x000c1b36, 0x060400), 1, 2);
    sim_bridge(sim_add(0, PCI_RID(1, 0, 0), 0x000e1b36, 0x060400), 2, 2);
    sim_add(0, PCI_RID(2, 5, 0), EDU, CLASS_X);
    enumerate();
    assert_int_equal(pci_resolve_path(0, 0, hops, 1)->rid, PCI_RID(0, 3, 0));
    assert_int_equal(pci_resolve_path(0, 0, hops, 3)->rid, PCI_RID(2, 5, 0));
    assert_int_equal(pci_resolve_path(0, 1, hops + 1, 2)->rid, PCI_RID(2, 5, 0));
    assert_null(pci_resolve_path(0, 1, hops, 3));
    assert_null(pci_resolve_path(1, 0, hops, 3));
    assert_null(pci_resolve_path(0, 2, hops + 2, 0));
    assert_null(pci_resolve_path(0, 2, (struct dmar_hop[]){{5, 0}, {0, 0}}, 2));
}

static void bus_mastering(void **state)
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

static void requester_ids(void **state)
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, new_machine, no_leak)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(finds_functions_behind_bridges),
        TEST(sorts_segments),
        TEST(starts_at_the_first_bus_of_a_window),
        TEST(survives_senseless_bus_numbers),
        TEST(the_first_bridge_of_a_bus_wins),
        TEST(looks_at_one_device_per_link),
        TEST(refuses_an_empty_machine),
        TEST(every_allocation_fails_in_turn),
        TEST(capability_lists),
        TEST(configuration_accesses),
        TEST(sizes_bars),
        TEST(checks_bars),
        TEST(refuses_bridges),
        TEST(ignores_io_bars_without_address),
        TEST(checks_configuration_space),
        TEST(selects_devices),
        TEST(resolves_paths),
        TEST(bus_mastering),
        TEST(requester_ids),
        TEST(one_family_at_a_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
