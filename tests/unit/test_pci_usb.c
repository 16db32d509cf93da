/* SPDX-License-Identifier: BSD-2-Clause */
/* USB controllers that firmware has, and when it lets go of them. */
#include "kernel/cpu/time.h"
#include "kernel/pci/reset.h"
#include "kernel/pci/usb.h"
#include "tests/unit/host_thread.h"
#include "tests/unit/pci_fixture.h"

#define RID      PCI_RID(0, 0x14, 0)
#define XHCI     0x0c0330
#define EHCI     0x0c0320
#define UHCI     0x0c0300
#define FIRMWARE 0x00010000
#define SYSTEM   0x01000000
#define LIST     0x8000 /* of xHCI, in its memory */
#define EECP     0x68   /* of EHCI, in configuration space */

static struct sim_function *f;
static struct pci_device *d;
static uint64_t lets_go; /* how long the firmware takes, when it sees that it is asked */
static uint64_t naps;
static bool mastered; /* while the firmware was waited for */

uint64_t host_now_ns;

uint64_t time_ns(void)
{
    return host_now_ns;
}

static uint32_t memory(unsigned offset)
{
    uint32_t value;

    memcpy(&value, f->bar_memory[0] + offset, 4);
    return value;
}

static void set_memory(unsigned offset, uint32_t value)
{
    memcpy(f->bar_memory[0] + offset, &value, 4);
}

/* Where nothing else runs, the firmware's SMI handler does. */
void thread_nap(const char *point, uint64_t ns)
{
    host_now_ns += ns;
    naps += ns;
    mastered = sim_get(f, PCI_COMMAND, 2) & PCI_COMMAND_MASTER;
    sim_access_count = 0;
    if (naps < lets_go)
        return;
    if (f->bar_size[0] > LIST && (memory(LIST + 0x40) & SYSTEM))
        set_memory(LIST + 0x40, memory(LIST + 0x40) & ~(uint32_t)FIRMWARE);
    if (sim_get(f, EECP, 4) & SYSTEM)
        f->config[EECP + 2] = 0;
}

static void build(uint32_t class_code, uint64_t size)
{
    naps = lets_go = 0;
    f = sim_add(0, RID, 0x8c318086, class_code);
    sim_bar(f, 0, 0xfe000000, size, PCI_BAR_TYPE_64);
    sim_remember();
    enumerate();
    pci_size_bars();
    d = pci_find(0, RID);
    pci_save(d);
    sim_mappings = 0;
}

/* A capability of another kind, and then that of the hand-over; the firmware has it. */
static void build_xhci(void)
{
    build(XHCI, 64 * KIB);
    set_memory(0x10, LIST / 4 << 16);
    set_memory(LIST, 0x02000000 | 0x10 << 8 | 2);
    set_memory(LIST + 0x40, FIRMWARE | 1);
    set_memory(LIST + 0x44, 0x200effff); /* all that makes SMIs, one pending, reserved bits */
}

static void build_ehci(void)
{
    build(EHCI, 4096);
    set_memory(0x08, EECP << 8);
    sim_set(f, EECP, 4, FIRMWARE | 1, 0x01010000);
    sim_set(f, EECP + 4, 4, 0, 0xffffffff);
    sim_set(f, EECP + 4, 4, 0xe03f, 0xffffffff);
}

static void take(void)
{
    uint64_t command = sim_get(f, PCI_COMMAND, 2);

    pci_usb_take(d);
    assert_int_equal(sim_mappings, 0);
    assert_int_equal(sim_get(f, PCI_COMMAND, 2), command | PCI_COMMAND_INTX_DISABLE);
}

static void xhci_is_handed_over(void **state)
{
    build_xhci();
    lets_go = 300 * NS_PER_MS;
    take();
    assert_int_equal(memory(LIST + 0x40), SYSTEM | 1);
    assert_int_equal(memory(LIST + 0x44), 0xe00e1fee);
    assert_in_range(naps, 300 * NS_PER_MS, 320 * NS_PER_MS);
    naps = 0;
    take(); /* the next time it is the system's already */
    assert_int_equal(naps, 0);
    assert_int_equal(memory(LIST + 0x40), SYSTEM | 1);
}

/* It may wait for the controller to come to an end, which writes that to memory. */
static void a_controller_whose_dma_is_on_keeps_it_until_it_is_handed_over(void **state)
{
    build_xhci();
    lets_go = 300 * NS_PER_MS;
    pci_set_bus_master(d, true);
    pci_usb_take(d);
    assert_true(mastered);
    assert_false(sim_get(f, PCI_COMMAND, 2) & PCI_COMMAND_MASTER);
}

static void ehci_is_handed_over(void **state)
{
    build_ehci();
    lets_go = 300 * NS_PER_MS;
    take();
    assert_int_equal(sim_get(f, EECP, 4), SYSTEM | 1);
    assert_int_equal(sim_get(f, EECP + 4, 4), 0xe0000000);
    assert_in_range(naps, 300 * NS_PER_MS, 320 * NS_PER_MS);
}

static void firmware_that_holds_on_loses_it_after_a_second(void **state)
{
    build_xhci();
    lets_go = SIM_NEVER;
    take();
    assert_int_equal(memory(LIST + 0x40), SYSTEM | 1);
    assert_int_equal(memory(LIST + 0x44), 0xe00e1fee);
    assert_in_range(naps, NS_PER_S, NS_PER_S + 20 * NS_PER_MS);
    sim_reset();
    build_ehci();
    lets_go = SIM_NEVER;
    take();
    assert_int_equal(sim_get(f, EECP, 4), SYSTEM | 1);
    assert_in_range(naps, NS_PER_S, NS_PER_S + 20 * NS_PER_MS);
}

/* SMIs may be on without an owner. */
static void what_nobody_has_is_silenced_too(void **state)
{
    build_ehci();
    f->config[EECP + 2] = 0;
    take();
    assert_int_equal(sim_get(f, EECP, 4), 1);
    assert_int_equal(sim_get(f, EECP + 4, 4), 0xe0000000);
    assert_int_equal(naps, 0);
}

static void uhci_makes_no_smis(void **state)
{
    build(UHCI, 4096);
    sim_set(f, 0xc0, 2, 0x203f, 0x20bf);
    pci_usb_take(d);
    assert_int_equal(sim_get(f, 0xc0, 2), 0x2000);
}

/* A list that leads nowhere, out of the memory, or in a circle; or that cannot be read. */
static void lists_are_not_trusted(void **state)
{
    build_xhci();
    set_memory(0x10, 0); /* none */
    take();
    set_memory(0x10, 0xffff0000); /* beyond its BAR */
    take();
    set_memory(0x10, (64 * KIB - 4) / 4 << 16); /* its second half is */
    set_memory(64 * KIB - 4, 1);
    take();
    set_memory(0x10, LIST / 4 << 16);
    for (unsigned i = 0; i < 0x8000; i += 4)
        set_memory(LIST + i, 0x0102); /* too long for anybody to walk */
    sim_access_count = 0;
    take();
    sim_reset();
    build_ehci();
    sim_set(f, EECP, 4, EECP << 8 | 2, 0);
    take();
    assert_int_equal(sim_get(f, EECP + 4, 4), 0xe03f);
    set_memory(0x08, 0x10 << 8); /* in the header */
    take();
    assert_int_equal(naps, 0);
    sim_map_fails = true;
    take();
    d->bars[0].size = 8; /* shorter than what says where the list is */
    sim_map_fails = false;
    take();
    d->bars[0].base = 0;
    take();
    assert_int_equal(sim_get(f, EECP + 4, 4), 0xe03f);
}

/* In D3hot it has lost its BARs, where it does not keep its state. */
static void a_controller_that_sleeps_is_woken(void **state)
{
    naps = lets_go = 0;
    f = sim_add(0, RID, 0x8c318086, EHCI);
    sim_bar(f, 0, 0xfe000000, 4096, PCI_BAR_TYPE_64);
    sim_power(f, false);
    sim_remember();
    enumerate();
    pci_size_bars();
    d = pci_find(0, RID);
    pci_save(d);
    pci_write16(d, f->pm + PCI_PM_CONTROL, PCI_PM_D3HOT);
    set_memory(0x08, EECP << 8);
    sim_set(f, EECP, 4, FIRMWARE | 1, 0x01010000);
    memcpy(f->after_reset + EECP, f->config + EECP, 4);
    pci_usb_take(d);
    assert_int_equal(f->resets, 1);
    assert_int_equal(sim_get(f, PCI_BAR0, 4), 0xfe000004);
    assert_int_equal(sim_get(f, EECP, 4), SYSTEM | 1);
}

static void others_are_left_alone(void **state)
{
    build(0x0c0310, 4096);
    set_memory(0x08, EECP << 8);
    sim_set(f, EECP, 4, FIRMWARE | 1, 0x01010000);
    sim_config_writes = 0;
    pci_usb_take(d);
    assert_int_equal(sim_config_writes, 0);
    d->class_code = EHCI;
    d->in_reset = true;
    pci_usb_take(d);
    assert_int_equal(sim_config_writes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(xhci_is_handed_over),
        TEST(a_controller_whose_dma_is_on_keeps_it_until_it_is_handed_over),
        TEST(ehci_is_handed_over),
        TEST(firmware_that_holds_on_loses_it_after_a_second),
        TEST(what_nobody_has_is_silenced_too),
        TEST(uhci_makes_no_smis),
        TEST(lists_are_not_trusted),
        TEST(a_controller_that_sleeps_is_woken),
        TEST(others_are_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
