/* SPDX-License-Identifier: BSD-2-Clause */
/* BARs as they are sized, and what is checked of them before a device is assigned. */
#include "kernel/pci/check.h"
#include "tests/unit/pci_fixture.h"

static const struct phys_run ram[] = {{0, 0x80000000}, {UINT64_C(0x100000000), 4 * GIB}};
static const struct phys_run keep_out[] = {{0x90000000, 0x100000}};
static const struct pci_machine machine = {
    .acpi = &acpi,
    .ram = ram,
    .ram_count = ARRAY_SIZE(ram),
    .keep_out = keep_out,
    .keep_out_count = ARRAY_SIZE(keep_out),
};

static void bars_are_sized_and_left_as_they_were(void **state)
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

static void a_bar_over_anything_else_is_refused(void **state)
{
    struct pci_device *d = device_with_bar(0xfd000000, 16 * KIB, 0);

    assert_int_equal(pci_check_resources(d, &machine, &why), 0);
    bar_refused(0x7ffff000, 4096, 0, "overlaps RAM at 0x0");
    bar_refused(UINT64_C(0x100000000), 64 * KIB, PCI_BAR_TYPE_64, "overlaps RAM at 0x100000000");
    bar_refused(0xfee00000, 64 * KIB, 0, "overlaps the interrupt window");
    bar_refused(0xfec00000, 4096, 0, "overlaps an I/O APIC");
    bar_refused(0xfed80000, 128 * KIB, 0, "overlaps a VT-d unit at 0xfed90000");
    bar_refused(0xb0000000, 1 * MIB, 0, "overlaps PCI configuration space of segment 0");
    bar_refused(0xfe0ff000, 4096, 0, "overlaps BAR 0 of device 0000:00:02.0");
    bar_refused(0x900ff000, 4096, 0, "overlaps a keep-out range at 0x90000000");
    bar_refused(UINT64_C(0x8000000000), 64 * KIB, PCI_BAR_TYPE_64, "beyond the 39 address bits");
    bar_refused(UINT64_C(0xffffffffffff0000), 64 * KIB, PCI_BAR_TYPE_64, "beyond the 39 address");
    acpi.local_apic = 0xfd000000;
    bar_refused(0xfd000000, 4096, 0, "overlaps the local APIC");
}

/* No table names most of it. What one names may be anywhere. */
static void a_bar_over_registers_of_the_chipset_is_refused(void **state)
{
    struct pci_device *d = device_with_bar(0xfebff000, 4096, 0);
    paddr_t after;

    assert_int_equal(pci_check_resources(d, &machine, &why), 0);
    bar_refused(0xfed00000, 4096, 0, "overlaps registers of the chipset at 0xfec00000");
    bar_refused(0xfed10000, 32 * KIB, 0, "overlaps registers of the chipset");
    bar_refused(0xfed40000, 4096, 0, "overlaps registers of the chipset"); /* TPM */
    bar_refused(0xff000000, 16 * MIB, 0, "overlaps registers of the chipset");
    d = device_with_bar(0xfd000000, 4096, 0);
    assert_false(pci_is_free(d, false, 0xfed40000, 4096, &machine, &after));
    assert_int_equal(after, 4 * GIB);
    acpi.hpet = 0xfd000400;
    bar_refused(0xfd001000, 4096, 0, "overlaps the HPET at 0xfd000400");
    acpi.hpet = 0;
    acpi.pm_control[0] = (struct acpi_register){ACPI_SPACE_MEMORY, 0xfd000c04};
    bar_refused(0xfd000000, 4096, 0, "overlaps registers of the firmware at 0xfd000c00");
    acpi.pm_control[0].space = ACPI_SPACE_IO;
    d = device_with_bar(0xfd000000, 4096, 0);
    assert_int_equal(pci_check_resources(d, &machine, &why), 0);
}

static void reach_refused(paddr_t base, uint64_t length, const char *sentence)
{
    const struct phys_run reach = {base, length};
    const struct pci_device *d = device_with_bar(0xfd000000, 16 * KIB, 0);

    assert_int_equal(pci_check_reach(d, &reach, &machine, &why), -EINVAL);
    says("the keep-out range of device 0000:00:01.0");
    says(sentence);
}

/* It may be where a keep-out range is: it is one. */
static void what_a_device_may_reach_for_good_is_nothing_of_ours(void **state)
{
    const struct pci_device *d = device_with_bar(0xfd000000, 16 * KIB, 0);

    assert_int_equal(pci_check_reach(d, &keep_out[0], &machine, &why), 0);
    reach_refused(0x7ffff000, 8192, "overlaps RAM at 0x0");
    reach_refused(0xfee00000, 4096, "overlaps the interrupt window");
    reach_refused(0xfed90000, 4096, "overlaps a VT-d unit");
    reach_refused(0xb0000000, 4096, "overlaps PCI configuration space of segment 0");
    reach_refused(UINT64_C(0x8000000000), 4096, "beyond the 39 address bits");
}

static void a_device_that_is_left_is_not_sized(void **state)
{
    struct sim_function *port = sim_add(0, PCI_RID(0, 3, 0), 0x000c1b36, 0x060400);
    struct sim_function *f = sim_add(0, PCI_RID(1, 0, 0), NIC, 0x020000);
    uint64_t writes;

    sim_bridge(port, 1, 1);
    sim_bar(port, 0, 0xfe100000, 4096, 0);
    sim_bar(f, 0, 0xfe000000, 128 * KIB, 0);
    enumerate();
    pci_find(0, PCI_RID(0, 3, 0))->left = pci_find(0, PCI_RID(1, 0, 0))->left = true;
    writes = sim_config_writes;
    pci_size_bars();
    assert_int_equal(sim_config_writes, writes);
    assert_int_equal(pci_find(0, PCI_RID(1, 0, 0))->bars[0].size, 0);
}

static void a_bridge_is_refused(void **state)
{
    sim_bridge(sim_add(0, PCI_RID(0, 3, 0), 0x000c1b36, 0x060400), 1, 1);
    enumerate();
    assert_int_equal(pci_check_resources(pci_find(0, PCI_RID(0, 3, 0)), &machine, &why), -EINVAL);
    says("device 0000:00:03.0 is a bridge");
}

/* The ports are in BAR 2. */
static void ports_left_out(paddr_t base, const char *sentence)
{
    struct pci_device *d = device_with_bar(base, 256, PCI_BAR_SPACE_IO);

    assert_int_equal(d->bars[2].size, 256);
    assert_int_equal(pci_check_resources(d, &machine, &why), 0);
    assert_int_equal(d->bars[2].size, 0);
    says("BAR 2 of device 0000:00:01.0");
    says(sentence);
}

static void ports_are_kept(paddr_t base)
{
    struct pci_device *d = device_with_bar(base, 256, PCI_BAR_SPACE_IO);

    assert_int_equal(pci_check_resources(d, &machine, &why), 0);
    assert_int_equal(d->bars[2].size, 256);
}

/* Drivers do without: that is no reason to refuse the device. */
static void ports_over_anything_else_are_left_out(void **state)
{
    ports_are_kept(0xd000);
    ports_left_out(0, "has no address");
    ports_left_out(0xc000, "overlaps BAR 1 of device 0000:00:02.0");
    ports_left_out(0x1ff00, "beyond the I/O ports");
    ports_left_out(0xc00, "overlaps ports of the chipset");
    ports_left_out(0xf00, "overlaps ports of the chipset");
    acpi.pm_control[1] = (struct acpi_register){ACPI_SPACE_IO, 0xd0f8};
    ports_left_out(0xd000, "overlaps ports of the firmware at 0xd080");
    acpi.pm_control[1].space = ACPI_SPACE_MEMORY;
    ports_are_kept(0xd000);
    /* Where SMIs are masked, in the same block, no table says. */
    acpi.events[2].at = (struct acpi_register){ACPI_SPACE_IO, 0x1868};
    ports_left_out(0x1800, "overlaps ports of the firmware at 0x1800");
    ports_are_kept(0x1900);
    acpi.events[2].at.space = ACPI_SPACE_NONE;
    acpi.smi_command = 0xd0b2;
    ports_left_out(0xd000, "overlaps the firmware's command port");
}

/* Below a port whose window for ports is closed. One that is decoded lets all others answer, too.
 */
static void ports_that_cannot_be_reached_are_left_out(void **state)
{
    struct sim_function *port = sim_add(0, PCI_RID(0, 3, 0), 0x000c1b36, 0x060400), *f;
    struct pci_device *d;

    sim_bridge(port, 1, 1);
    sim_set(port, PCI_IO_BASE, 2, 0xc0c0, 0);
    sim_set(port, PCI_MEMORY_BASE, 4, 0xfe00fe00, 0);
    f = sim_add(0, PCI_RID(1, 0, 0), NIC, 0x020000);
    sim_bar(f, 0, 0xfe000000, 4096, 0);
    sim_bar(f, 1, 0xc000, 32, PCI_BAR_SPACE_IO);
    sim_bar(f, 2, 0xd000, 32, PCI_BAR_SPACE_IO);
    enumerate();
    pci_size_bars();
    d = pci_find(0, PCI_RID(1, 0, 0));
    assert_int_equal(pci_check_resources(d, &machine, &why), 0);
    says("BAR 2 of device 0000:01:00.0 (0xd000) lies in no window of bridge 0000:00:03.0");
    assert_int_equal(d->bars[0].size, 4096);
    assert_int_equal(d->bars[1].size, 0);
    assert_int_equal(d->bars[2].size, 0);
}

/* A port above a device, with its vector table in such a BAR; how many it may have. */
static unsigned vectors_of_port(paddr_t base, uint32_t location)
{
    struct sim_function *f;
    unsigned msix;

    sim_reset();
    f = sim_add(0, PCI_RID(0, 3, 0), 0x000c1b36, 0x060400);
    sim_bridge(f, 1, 1);
    sim_bar(f, 0, base, 4096, 0);
    msix = sim_capability(f, PCI_CAP_MSIX, 12);
    sim_set(f, msix + PCI_MSIX_TABLE, 4, location, 0);
    (void)sim_add(0, PCI_RID(1, 0, 0), NIC, 0x020000);
    enumerate();
    pci_size_bars();
    assert_int_equal(pci_check_resources(pci_find(0, PCI_RID(1, 0, 0)), &machine, &why), 0);
    return pci_find(0, PCI_RID(0, 3, 0))->msix_entries;
}

/* The kernel writes the vectors of ports itself, wherever the BAR says. */
static void a_port_whose_vectors_would_be_elsewhere_goes_without(void **state)
{
    assert_int_not_equal(vectors_of_port(0xfd000000, 0), 0);
    assert_int_equal(vectors_of_port(0x7ffff000, 0), 0);
    assert_int_equal(vectors_of_port(0xfed90000, 0), 0);
    assert_int_equal(vectors_of_port(0, 0), 0);
    assert_int_equal(vectors_of_port(0xfd000000, 7), 0);
}

static bool owns_page(paddr_t base, uint64_t size, unsigned flags)
{
    struct pci_device *d = device_with_bar(base, size, flags);

    assert_int_equal(pci_check_resources(d, &machine, &why), 0);
    return d->bars[2].flags & PCI_BAR_OWN_PAGE;
}

/* The whole page must be free of anything else that is known. */
static void a_small_bar_may_have_a_page_for_itself(void **state)
{
    acpi.dmar.units[0].registers = 0xfd090800; /* no such machine, but a page that is shared */
    acpi.dmar.units[0].register_size = 256;
    assert_true(owns_page(0xfd000000, 256, 0));
    assert_true(owns_page(0xfd000000, 2048, PCI_BAR_TYPE_64));
    assert_false(owns_page(0xfd000800, 256, 0));
    assert_false(owns_page(0xd000, 256, PCI_BAR_SPACE_IO));
    assert_false(owns_page(0xfd000000, 4096, 0)); /* nobody asks */
    assert_false(owns_page(0xfd090000, 256, 0));
}

static void small_bars_that_share_a_page(void **state)
{
    struct sim_function *f = sim_add(0, PCI_RID(0, 1, 0), NIC, 0x020000);
    struct pci_device *d;

    sim_bar(f, 0, 0xfd000000, 256, 0);
    sim_bar(f, 1, 0xfd000f00, 256, 0);
    sim_bar(f, 2, 0xfd001000, 256, 0);
    sim_bar(f, 3, 0xc000, 256, PCI_BAR_SPACE_IO);
    f = sim_add(0, PCI_RID(0, 2, 0), NIC, 0x020000);
    sim_bar(f, 0, 0xfd002000, 256, 0);
    enumerate();
    pci_size_bars();
    d = pci_find(0, PCI_RID(0, 1, 0));
    assert_int_equal(pci_check_resources(d, &machine, &why), 0);
    assert_int_equal(d->bars[0].flags, 0);
    assert_int_equal(d->bars[1].flags, 0);
    assert_int_equal(d->bars[2].flags, PCI_BAR_OWN_PAGE);
}

/* An expansion ROM is switched on for whoever reads it. */
static void a_small_bar_that_shares_its_page_with_a_rom(void **state)
{
    struct sim_function *f = sim_add(0, PCI_RID(0, 1, 0), NIC, 0x020000);

    sim_bar(f, 0, 0xfd000000, 256, 0);
    sim_rom(sim_add(0, PCI_RID(0, 2, 0), EDU, CLASS_X), 0xfd000800, 2048);
    enumerate();
    pci_size_bars();
    assert_int_equal(pci_check_resources(pci_find(0, PCI_RID(0, 1, 0)), &machine, &why), 0);
    assert_int_equal(pci_find(0, PCI_RID(0, 1, 0))->bars[0].flags, 0);
}

/* A BAR over a ROM stays: the ROM is off, and goes when it is its turn. */
static void roms_that_overlap_are_left_out(void **state)
{
    struct sim_function *f = sim_add(0, PCI_RID(0, 1, 0), NIC, 0x020000);
    struct pci_device *d;

    sim_bar(f, 0, 0xfd000000, 64 * KIB, 0);
    sim_rom(f, 0xfd100000, 64 * KIB);
    f = sim_add(0, PCI_RID(0, 2, 0), EDU, CLASS_X);
    sim_rom(f, 0xfd100000, 64 * KIB);
    f = sim_add(0, PCI_RID(0, 4, 0), EDU, CLASS_X);
    sim_rom(f, 0xfd000000, 64 * KIB);
    enumerate();
    pci_size_bars();
    d = pci_find(0, PCI_RID(0, 1, 0));
    assert_int_equal(pci_check_resources(d, &machine, &why), 0);
    assert_int_equal(d->bars[0].size, 64 * KIB);
    assert_int_equal(d->rom.base, 0);
    d = pci_find(0, PCI_RID(0, 4, 0));
    assert_int_equal(pci_check_resources(d, &machine, &why), 0);
    assert_int_equal(d->rom.base, 0);
}

/* Something else would answer where it is. */
static void a_rom_outside_the_windows_is_left_out(void **state)
{
    struct sim_function *port = sim_add(0, PCI_RID(0, 3, 0), 0x000c1b36, 0x060400), *f;
    struct pci_device *d;

    sim_bridge(port, 1, 1);
    sim_set(port, PCI_MEMORY_BASE, 4, 0xfe00fe00, 0);
    f = sim_add(0, PCI_RID(1, 0, 0), NIC, 0x020000);
    sim_rom(f, 0xfd000000, 64 * KIB);
    enumerate();
    pci_size_bars();
    d = pci_find(0, PCI_RID(1, 0, 0));
    assert_int_equal(pci_check_resources(d, &machine, &why), 0);
    assert_int_equal(d->rom.base, 0);
}

/* What is not there for the ROM is no reason to refuse the device. */
static void a_rom_that_cannot_be_reached_is_left_out(void **state)
{
    static const struct {
        paddr_t base, kept;
    } roms[] = {
        {0xfd000000, 0xfd000000}, {0, 0}, {0x7fff0000, 0}, {0xfe0f0000, 0}, {0xfee00000, 0}};

    for (size_t i = 0; i < ARRAY_SIZE(roms); i++) {
        struct pci_device *d;

        sim_reset();
        sim_rom(sim_add(0, PCI_RID(0, 1, 0), NIC, 0x020000), roms[i].base, 64 * KIB);
        sim_bar(sim_add(0, PCI_RID(0, 2, 0), EDU, CLASS_X), 0, 0xfe000000, 1 * MIB, 0);
        enumerate();
        pci_size_bars();
        d = pci_find(0, PCI_RID(0, 1, 0));
        assert_int_equal(pci_check_resources(d, &machine, &why), 0);
        assert_int_equal(d->rom.base, roms[i].kept);
    }
}

static void configuration_space_over_anything_else_is_refused(void **state)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bars_are_sized_and_left_as_they_were),
        TEST(a_bar_over_anything_else_is_refused),
        TEST(a_bar_over_registers_of_the_chipset_is_refused),
        TEST(what_a_device_may_reach_for_good_is_nothing_of_ours),
        TEST(a_device_that_is_left_is_not_sized),
        TEST(a_bridge_is_refused),
        TEST(ports_over_anything_else_are_left_out),
        TEST(ports_that_cannot_be_reached_are_left_out),
        TEST(a_port_whose_vectors_would_be_elsewhere_goes_without),
        TEST(a_small_bar_may_have_a_page_for_itself),
        TEST(small_bars_that_share_a_page),
        TEST(a_small_bar_that_shares_its_page_with_a_rom),
        TEST(roms_that_overlap_are_left_out),
        TEST(a_rom_outside_the_windows_is_left_out),
        TEST(a_rom_that_cannot_be_reached_is_left_out),
        TEST(configuration_space_over_anything_else_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
