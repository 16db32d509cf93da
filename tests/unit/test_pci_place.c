/* SPDX-License-Identifier: BSD-2-Clause */
/* BARs that the firmware gave no address: where they are placed, and where they are not. */
#include "kernel/pci/place.h"
#include "kernel/pci/reset.h"
#include "kernel/pci/window.h"
#include "tests/unit/pci_fixture.h"

#define ROOT  PCI_RID(0, 1, 0)
#define PORT  PCI_RID(0, 3, 0)
#define BELOW PCI_RID(1, 0, 0)

#define PREFETCHED_64 (PCI_BAR_TYPE_64 | PCI_BAR_PREFETCHED)

static const struct phys_run ram[] = {{0, 0x80000000}, {UINT64_C(0x100000000), 4 * GIB}};
static const struct phys_run reserved[] = {{0xfe010800, 0x800}, {0xfe020000, 0x100000}};
static const struct pci_machine machine = {.acpi = &acpi, .ram = ram, .ram_count = ARRAY_SIZE(ram)};

static struct sim_function *f, *port;
static struct pci_device *d;

static void start(pci_rid_t rid)
{
    enumerate();
    pci_size_bars();
    pci_save_all();
    d = pci_find(0, rid);
}

static void set_memory_window(struct sim_function *bridge, uint32_t base, uint32_t last)
{
    sim_set(bridge, PCI_MEMORY_BASE, 2, base >> 16, 0xfff0);
    sim_set(bridge, PCI_MEMORY_BASE + 2, 2, last >> 16 & 0xfff0, 0xfff0);
}

/* With upper halves. */
static void set_prefetch_window(struct sim_function *bridge, uint64_t base, uint64_t last)
{
    sim_set(bridge, PCI_PREFETCH_BASE, 2, (base >> 16 & 0xfff0) | PCI_WINDOW_WIDE, 0xfff0);
    sim_set(bridge, PCI_PREFETCH_BASE + 2, 2, (last >> 16 & 0xfff0) | PCI_WINDOW_WIDE, 0xfff0);
    sim_set(bridge, PCI_PREFETCH_UPPER, 4, base >> 32, UINT32_MAX);
    sim_set(bridge, PCI_PREFETCH_UPPER + 4, 4, last >> 32, UINT32_MAX);
}

static void set_io_window(struct sim_function *bridge, uint16_t base, uint16_t last)
{
    sim_set(bridge, PCI_IO_BASE, 1, base >> 8, 0xf0);
    sim_set(bridge, PCI_IO_LIMIT, 1, last >> 8 & 0xf0, 0xf0);
}

/* A closed one, as firmware leaves it. */
static struct sim_function *add_bridge(pci_rid_t rid, unsigned secondary, unsigned subordinate)
{
    struct sim_function *bridge = sim_add(0, rid, 0x000c1b36, 0x060400);

    sim_bridge(bridge, secondary, subordinate);
    set_memory_window(bridge, 0xfff00000, 0);
    set_prefetch_window(bridge, 0xfff00000, 0);
    set_io_window(bridge, 0xf000, 0);
    return bridge;
}

static void places(unsigned bar, paddr_t base)
{
    if (d->bars[bar].base != base)
        fail_msg("BAR %u is at 0x%lx, not at 0x%lx", bar, d->bars[bar].base, base);
    assert_int_equal(pci_read32(d, PCI_BAR0 + 4 * bar) & ~0xfu, (uint32_t)base & ~0xfu);
}

/* ---- below a bridge ---- */

static void start_below(void)
{
    port = add_bridge(PORT, 1, 1);
    set_memory_window(port, 0xfe000000, 0xfe3fffff);
    set_prefetch_window(port, UINT64_C(0x800000000), UINT64_C(0x8ffffffff));
    set_io_window(port, 0xc000, 0xcfff);
    f = sim_add(0, BELOW + 1, EDU, CLASS_X); /* has its places */
    sim_bar(f, 0, 0xfe000000, 64 * KIB, 0);
    sim_bar(f, 1, 0xc000, 32, PCI_BAR_SPACE_IO);
    sim_bar(f, 2, UINT64_C(0x800000000), 1 * MIB, PREFETCHED_64);
    f = sim_add(0, BELOW, NIC, CLASS_X);
    sim_multifunction(f);
}

static void each_kind_goes_into_its_window(void **state)
{
    start_below();
    sim_bar(f, 0, 0, 16 * KIB, 0);
    sim_bar(f, 1, 0, 64, PCI_BAR_SPACE_IO);
    sim_bar(f, 2, 0, 8 * MIB, PREFETCHED_64);
    sim_bar(f, 4, 0, 1 * MIB, PCI_BAR_PREFETCHED); /* which cannot be addressed up there */
    start(BELOW);
    assert_int_equal(pci_place_bars(d, d->bars, 1, &machine, &why), 0);
    places(4, 0xfe100000); /* the largest first, each at a multiple of its size */
    places(0, 0xfe010000);
    places(1, 0xc040);
    places(2, UINT64_C(0x800800000));
    assert_int_equal(pci_read32(d, PCI_BAR0 + 12), 8);
    assert_int_equal(pci_check_resources(d, &machine, &why), 0);
    assert_int_equal(pci_read16(d, PCI_COMMAND) & 3, 0);
}

static void small_memory_has_a_page_for_itself(void **state)
{
    start_below();
    sim_bar(f, 0, 0, 256, 0);
    sim_bar(f, 1, 0, 256, 0);
    start(BELOW);
    assert_int_equal(pci_place_bars(d, d->bars, 1, &machine, &why), 0);
    places(0, 0xfe010000);
    places(1, 0xfe011000);
    assert_int_equal(pci_check_resources(d, &machine, &why), 0);
    assert_true(d->bars[0].flags & PCI_BAR_OWN_PAGE);
}

static void what_has_an_address_stays(void **state)
{
    start_below();
    sim_bar(f, 0, 0xfe200000, 16 * KIB, 0);
    start(BELOW);
    pci_write16(d, PCI_COMMAND, 2);
    assert_int_equal(pci_place_bars(d, d->bars, 1, &machine, &why), 0);
    places(0, 0xfe200000);
    assert_int_equal(pci_read16(d, PCI_COMMAND), 2);
}

static void the_record_follows(void **state)
{
    start_below();
    sim_bar(f, 0, 0, 16 * KIB, 0);
    start(BELOW);
    assert_int_equal(pci_place_bars(d, d->bars, 1, &machine, &why), 0);
    pci_write32(d, PCI_BAR0, 0);
    assert_true(pci_bars_lost(d));
    pci_config_restore(d);
    places(0, 0xfe010000);
}

static void refused(const char *sentence)
{
    assert_int_equal(pci_place_bars(d, d->bars, 1, &machine, &why), -ENOSPC);
    says(sentence);
}

static void what_fits_nowhere_is_refused(void **state)
{
    start_below();
    sim_bar(f, 0, 0, 4 * MIB, 0); /* the window, but not what is left of it */
    start(BELOW);
    refused("BAR 0 of device 0000:01:00.0 (4096 KiB) was given no address by the firmware, and it "
            "fits into no window of the bridge above");
    new_machine(state);
    start_below();
    sim_bar(f, 0, 0, 8 * GIB, PREFETCHED_64);
    start(BELOW);
    refused("fits into no window");
    new_machine(state);
    port = add_bridge(PORT, 1, 1); /* all closed */
    f = sim_add(0, BELOW, NIC, CLASS_X);
    sim_bar(f, 0, 0, 4096, 0);
    sim_bar(f, 1, 0, 32, PCI_BAR_SPACE_IO);
    start(BELOW);
    refused("BAR 0 of device 0000:01:00.0 (4 KiB)");
}

static void ports_that_fit_nowhere_stay_away(void **state)
{
    start_below();
    set_io_window(port, 0xf000, 0);
    sim_bar(f, 1, 0, 32, PCI_BAR_SPACE_IO);
    start(BELOW);
    assert_int_equal(pci_place_bars(d, d->bars, 1, &machine, &why), 0);
    assert_int_equal(pci_check_resources(d, &machine, &why), 0);
    assert_int_equal(d->bars[1].size, 0);
}

/* A window that the bridge above it does not pass on leads nowhere. */
static void every_bridge_above_must_lead_there(void **state)
{
    struct sim_function *inner;

    port = add_bridge(PORT, 1, 2);
    set_memory_window(port, 0xfe000000, 0xfe0fffff);
    inner = add_bridge(BELOW, 2, 2);
    set_memory_window(inner, 0xfe200000, 0xfe2fffff);
    f = sim_add(0, PCI_RID(2, 0, 0), NIC, CLASS_X);
    sim_bar(f, 0, 0, 4096, 0);
    start(PCI_RID(2, 0, 0));
    assert_int_equal(pci_place_bars(d, d->bars, 1, &machine, &why), 0);
    places(0, 0xfe200000);
    assert_int_equal(pci_check_resources(d, &machine, &why), -EINVAL);
    says("lies in no window of bridge 0000:00:03.0");
    set_memory_window(port, 0xfe000000, 0xfe2fffff);
    assert_int_equal(pci_check_resources(d, &machine, &why), 0);
}

/* Firmware may have put something there that no function of the machine shows. */
static void not_over_what_the_firmware_reserved(void **state)
{
    struct pci_machine told = machine;

    told.reserved = reserved;
    told.reserved_count = ARRAY_SIZE(reserved);
    start_below();
    sim_bar(f, 0, 0, 4 * KIB, 0);
    sim_bar(f, 1, 0, 64 * KIB, 0);
    start(BELOW);
    assert_int_equal(pci_place_bars(d, d->bars, 1, &told, &why), 0);
    places(1, 0xfe120000);
    places(0, 0xfe011000);
    assert_int_equal(pci_check_resources(d, &told, &why), 0);
}

/* Configuration space lies in the window. */
static void not_over_anything_of_the_platform(void **state)
{
    port = add_bridge(PORT, 1, 1);
    set_memory_window(port, 0x90000000, 0xcfffffff);
    sim_bar(sim_add(0, BELOW + 1, EDU, CLASS_X), 0, 0x90000000, 1 * MIB, 0);
    f = sim_add(0, BELOW, NIC, CLASS_X);
    sim_multifunction(f);
    sim_bar(f, 0, 0, 256 * MIB, 0);
    sim_bar(f, 1, 0, 256 * MIB, 0);
    start(BELOW);
    assert_int_equal(pci_place_bars(d, d->bars, 1, &machine, &why), 0);
    places(0, 0xa0000000);
    places(1, 0xc0000000);
}

/* A ROM is off, but may be switched on; what is below another bridge is not in the way either. */
static void not_over_a_rom_or_the_window_of_another_bridge(void **state)
{
    struct sim_function *inner;

    start_below();
    port->config[PCI_SUBORDINATE_BUS] = 2;
    sim_rom(sim_add(0, PCI_RID(1, 1, 0), EDU, CLASS_X), 0xfe010000, 64 * KIB);
    inner = add_bridge(PCI_RID(1, 2, 0), 2, 2);
    set_memory_window(inner, 0xfe100000, 0xfe1fffff);
    sim_bar(f, 0, 0, 1 * MIB, 0);
    sim_bar(f, 1, 0, 64 * KIB, 0);
    start(BELOW);
    assert_int_equal(pci_place_bars(d, d->bars, 1, &machine, &why), 0);
    places(0, 0xfe200000);
    places(1, 0xfe020000);
}

static void nothing_is_placed_on_a_root_bus(void **state)
{
    f = sim_add(0, ROOT, NIC, CLASS_X);
    sim_bar(f, 0, 0, 4096, 0);
    start(ROOT);
    refused(
        "BAR 0 of device 0000:00:01.0 (4 KiB) was given no address by the firmware, and nothing "
        "tells what is free on its root bus");
}

/* Nobody knows how far the BARs of a device reach that is left; those of another bus are elsewhere.
 */
static void not_beside_a_device_that_is_left(void **state)
{
    port = add_bridge(PORT, 1, 1);
    set_memory_window(port, 0xfe000000, 0xfe3fffff);
    f = sim_add(0, BELOW, NIC, CLASS_X);
    sim_bar(f, 0, 0, 4096, 0);
    sim_bar(sim_add(0, PCI_RID(1, 1, 0), EDU, CLASS_X), 0, 0xfe000000, MIB, 0);
    start(BELOW);
    pci_find(0, PCI_RID(1, 1, 0))->left = true;
    refused("and a device beside it is left and not sized");
    assert_int_equal(d->bars[0].base, 0);
    pci_find(0, PCI_RID(1, 1, 0))->left = false;
    pci_find(0, PORT)->left = true;
    assert_int_equal(pci_place_bars(d, d->bars, 1, &machine, &why), 0);
    places(0, 0xfe100000);
}

/* ---- windows ---- */

/* Of a BAR that the firmware placed, too: something else would answer there. */
static void a_bar_outside_the_windows_is_refused(void **state)
{
    start_below();
    sim_bar(f, 0, 0xfd000000, 4096, 0);
    start(BELOW);
    assert_int_equal(pci_check_resources(d, &machine, &why), -EINVAL);
    says("BAR 0 of device 0000:01:00.0 (0xfd000000) lies in no window of bridge 0000:00:03.0");
    /* A bridge that takes what nobody else takes. */
    pci_find(0, PORT)->class_code = 0x060401;
    assert_int_equal(pci_check_resources(d, &machine, &why), 0);
}

static void windows_are_read_whole(void **state)
{
    struct pci_window w;

    port = add_bridge(PORT, 1, 1);
    sim_set(port, PCI_IO_BASE, 2, 0x2111, 0);
    sim_set(port, PCI_IO_UPPER, 4, 0x00020001, 0);
    set_prefetch_window(port, UINT64_C(0x800000000), UINT64_C(0x8ffffffff));
    start(PORT);
    assert_true(pci_range(d, PCI_WINDOW_IO, true, &w));
    assert_int_equal(w.base, 0x11000);
    assert_int_equal(w.last, 0x22fff);
    assert_true(pci_range(d, PCI_WINDOW_PREFETCH, false, &w));
    assert_int_equal(w.base, UINT64_C(0x800000000));
    assert_int_equal(w.last, UINT64_C(0x8ffffffff));
    assert_false(pci_range(d, PCI_WINDOW_MEMORY, false, &w));
    set_memory_window(port, 0, 0); /* registers that do not exist */
    assert_false(pci_range(d, PCI_WINDOW_MEMORY, false, &w));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_kind_goes_into_its_window),
        TEST(small_memory_has_a_page_for_itself),
        TEST(what_has_an_address_stays),
        TEST(the_record_follows),
        TEST(what_fits_nowhere_is_refused),
        TEST(ports_that_fit_nowhere_stay_away),
        TEST(every_bridge_above_must_lead_there),
        TEST(not_over_what_the_firmware_reserved),
        TEST(not_over_anything_of_the_platform),
        TEST(not_over_a_rom_or_the_window_of_another_bridge),
        TEST(nothing_is_placed_on_a_root_bus),
        TEST(not_beside_a_device_that_is_left),
        TEST(a_bar_outside_the_windows_is_refused),
        TEST(windows_are_read_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
