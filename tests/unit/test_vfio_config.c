/* SPDX-License-Identifier: BSD-2-Clause */
/* Moderated configuration space against a simulated function. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/cpu/time.h"
#include "kernel/mm/heap.h"
#include "kernel/pci/registers.h"
#include "kernel/device/vfio/config.h"
#include "tests/unit/host_memory.h"
#include "tests/unit/host_thread.h"
#include "tests/unit/sim_pci.h"

#define NIC 0x10d38086

static struct sim_function *f;
static struct pci_device *d;
static struct vfio_config c;

/* Enumerates what was added and builds the view of function 00:02.0. */
static void look(void)
{
    struct refusal why;

    assert_int_equal(pci_enumerate(sim_ecams, 1, &why), 0);
    pci_size_bars();
    d = pci_find(0, PCI_RID(0, 2, 0));
    vfio_config_init(&c, d);
    sim_config_writes = 0;
}

static int new_function(void **state)
{
    sim_reset();
    f = sim_add(0, PCI_RID(0, 2, 0), NIC, 0x020000);
    sim_set(f, PCI_SUBSYSTEM_VENDOR, 4, 0x11001af4, 0);
    sim_bar(f, 0, 0xfe000000, 128 * KIB, 0);
    sim_bar(f, 1, 0xc000, 32, PCI_BAR_SPACE_IO);
    sim_bar(f, 2, UINT64_C(0x800000000), 16 * GIB, PCI_BAR_TYPE_64 | PCI_BAR_PREFETCHED);
    sim_rom(f, 0xfe040000, 256 * KIB);
    sim_set(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_IO, 0x547);
    sim_set(f, PCI_INTERRUPT_LINE, 2, 0x010b, 0xff);
    return 0;
}

static int no_leak(void **state)
{
    sim_reset();
    return heap_used() == 0 ? 0 : -1;
}

static uint32_t get(unsigned offset, unsigned width)
{
    return vfio_config_read(&c, offset, width);
}

static unsigned put(unsigned offset, unsigned width, uint32_t value)
{
    return vfio_config_write(&c, offset, width, value);
}

static void identity_is_the_hardware_s(void **state)
{
    look();
    assert_int_equal(get(PCI_VENDOR, 4), NIC);
    assert_int_equal(get(PCI_DEVICE_ID, 2), 0x10d3);
    assert_int_equal(get(1, 1), 0x80);
    assert_int_equal(get(PCI_REVISION, 4) >> 8, 0x020000);
    assert_int_equal(get(PCI_SUBSYSTEM_VENDOR, 4), 0x11001af4);
    assert_int_equal(put(PCI_VENDOR, 4, 0), 0);
    assert_int_equal(put(PCI_SUBSYSTEM_VENDOR, 4, 0), 0);
    assert_int_equal(put(PCI_REVISION, 4, 0), 0);
    assert_int_equal(sim_config_writes, 0);
    assert_int_equal(get(PCI_VENDOR, 4), NIC);
    assert_int_equal(vfio_config_size(&c), 256);
}

static void command_is_a_copy(void **state)
{
    sim_set(f, PCI_COMMAND, 2, 7, 0x547);
    look();
    assert_int_equal(get(PCI_COMMAND, 2), 3); /* bus mastering reads as off at the start */
    assert_int_equal(put(PCI_COMMAND, 2, 0xffff), BIT(CONFIG_COMMAND));
    assert_int_equal(get(PCI_COMMAND, 2), 0x547);
    assert_int_equal(vfio_config_command(&c), 0x547);
    assert_int_equal(sim_config_writes, 0); /* whoever follows the action decides */
    assert_int_equal(put(PCI_COMMAND + 1, 1, 0), BIT(CONFIG_COMMAND));
    assert_int_equal(vfio_config_command(&c), 0x47);
    assert_int_equal(put(PCI_COMMAND, 4, 0xffff0002), BIT(CONFIG_COMMAND));
    assert_int_equal(vfio_config_command(&c), 2);
    assert_int_equal(put(PCI_STATUS, 2, 0xffff), 0);
    assert_int_equal(sim_config_writes, 0);
}

static void cache_line_reaches_the_hardware(void **state)
{
    look();
    sim_set(f, 0x0e, 2, 0x8000, 0x8000); /* were BIST writable, a neighbour must not be touched */
    assert_int_equal(put(PCI_CACHE_LINE, 4, 0xff80ff10), 0);
    assert_int_equal(sim_get(f, PCI_CACHE_LINE, 1), 0x10);
    assert_int_equal(sim_get(f, 0x0e, 2), 0x8000);
    assert_int_equal(sim_config_writes, 1);
    assert_int_equal(get(PCI_CACHE_LINE, 1), 0x10);
}

static void bars_answer_the_sizing_protocol(void **state)
{
    look();
    assert_int_equal(get(PCI_BAR0, 4), 0xfe000000);
    assert_int_equal(get(PCI_BAR0 + 4, 4), 0xc001);
    assert_int_equal(get(PCI_BAR0 + 8, 4), 0xc);
    assert_int_equal(get(PCI_BAR0 + 12, 4), 8);
    assert_int_equal(get(PCI_BAR0 + 16, 4), 0);
    for (unsigned i = 0; i < PCI_BARS; i++)
        assert_int_equal(put(PCI_BAR0 + 4 * i, 4, 0xffffffff), 0);
    assert_int_equal(get(PCI_BAR0, 4), 0xfffe0000);
    assert_int_equal(get(PCI_BAR0 + 4, 4), 0xffffffe1);
    assert_int_equal(get(PCI_BAR0 + 8, 4), 0xc);
    assert_int_equal(get(PCI_BAR0 + 12, 4), 0xfffffffc);
    assert_int_equal(get(PCI_BAR0 + 16, 4), 0); /* absent */
    put(PCI_BAR0, 4, 0x12345678);
    assert_int_equal(get(PCI_BAR0, 4), 0x12340000);
    put(PCI_BAR0 + 3, 1, 0xab);
    assert_int_equal(get(PCI_BAR0, 4), 0xab340000);
    assert_int_equal(sim_config_writes, 0);
    assert_int_equal(sim_get(f, PCI_BAR0, 4), 0xfe000000);
}

static void the_rom_answers_the_sizing_protocol(void **state)
{
    look();
    assert_int_equal(get(PCI_ROM_DEVICE, 4), 0xfe040000);
    put(PCI_ROM_DEVICE, 4, 0xffffffff);
    assert_int_equal(get(PCI_ROM_DEVICE, 4), 0xfffc0001);
    put(PCI_ROM_DEVICE, 4, 0xfffff800);
    assert_int_equal(get(PCI_ROM_DEVICE, 4), 0xfffc0000);
    assert_int_equal(sim_config_writes, 0);
    d->rom.base = 0; /* as pci_check_resources() does */
    vfio_config_init(&c, d);
    assert_int_equal(get(PCI_ROM_DEVICE, 4), 0);
    put(PCI_ROM_DEVICE, 4, 0xffffffff);
    assert_int_equal(get(PCI_ROM_DEVICE, 4), 0);
}

/* A device that forgot its BARs says nothing of them: the record does. */
static void bars_come_from_the_record(void **state)
{
    look();
    memset(f->config + PCI_BAR0, 0xee, 24);
    sim_set(f, PCI_ROM_DEVICE, 4, 0xee, 0);
    vfio_config_init(&c, d);
    assert_int_equal(get(PCI_BAR0, 4), 0xfe000000);
    assert_int_equal(get(PCI_BAR0 + 4, 4), 0xc001);
    assert_int_equal(get(PCI_BAR0 + 8, 4), 0xc);
    assert_int_equal(get(PCI_BAR0 + 12, 4), 8);
    assert_int_equal(get(PCI_BAR0 + 16, 4), 0);
    assert_int_equal(get(PCI_BAR0 + 20, 4), 0);
    assert_int_equal(get(PCI_ROM_DEVICE, 4), 0xfe040000);
}

static void no_intx(void **state)
{
    look();
    assert_int_equal(get(PCI_INTERRUPT_PIN, 1), 0);
    put(PCI_INTERRUPT_PIN, 1, 1);
    assert_int_equal(get(PCI_INTERRUPT_PIN, 1), 0);
    assert_int_equal(get(PCI_INTERRUPT_LINE, 1), 11);
    put(PCI_INTERRUPT_LINE, 1, 5);
    assert_int_equal(get(PCI_INTERRUPT_LINE, 1), 5);
    assert_int_equal(sim_config_writes, 0);
}

/* A virtual function of the function of all other tests, which is looked at. Its own registers have
 * neither ids, nor the memory bit, nor BARs, and a pin that is not there. */
static struct sim_function *look_at_virtual(void)
{
    struct sim_function *v;

    sim_express(f, PCIE_ENDPOINT, true);
    sim_sriov(f, 1, 1, 1);
    sim_set(f, f->sriov + PCI_SRIOV_CONTROL, 2, PCI_SRIOV_CONTROL_ENABLE, 0x1f);
    v = sim_virtual(f, PCI_RID(0, 2, 1));
    sim_set(v, PCI_COMMAND, 2, 0, PCI_COMMAND_MASTER);
    sim_set(v, PCI_SUBSYSTEM_VENDOR, 4, 0x22001af4, 0);
    look();
    d = pci_add_virtual(d, v->rid);
    pci_learn(d);
    d->bars[0] = (struct pci_bar){0xfe100000, 16 * KIB, PCI_BAR_64};
    vfio_config_init(&c, d);
    sim_config_writes = 0;
    return v;
}

static void virtual_functions_show_what_they_have_not(void **state)
{
    const struct sim_function *v = look_at_virtual();

    assert_int_equal(sim_get(v, PCI_VENDOR, 4), 0xffffffff);
    assert_int_equal(get(PCI_VENDOR, 4), 0x10ca8086); /* the id of the capability */
    assert_int_equal(get(PCI_DEVICE_ID, 2), 0x10ca);
    assert_int_equal(get(PCI_SUBSYSTEM_VENDOR, 4), 0x22001af4);
    assert_int_equal(get(PCI_REVISION, 4) >> 8, 0x020000);
    put(PCI_VENDOR, 4, 0);
    assert_int_equal(get(PCI_VENDOR, 4), 0x10ca8086);
    assert_int_equal(sim_get(v, PCI_INTERRUPT_PIN, 1), 1);
    assert_int_equal(get(PCI_INTERRUPT_PIN, 1), 0);
    put(PCI_INTERRUPT_PIN, 1, 1);
    assert_int_equal(get(PCI_INTERRUPT_PIN, 1), 0);
    assert_int_equal(d->intx_pin, 0);
    assert_int_equal(get(v->pcie, 1), PCI_CAP_PCIE);
    assert_int_equal(vfio_config_size(&c), 4096);
}

/* As Linux has it: there from the beginning, kept as written, and without a meaning. */
static void virtual_functions_have_a_memory_bit(void **state)
{
    const struct sim_function *v = look_at_virtual();

    assert_int_equal(sim_get(v, PCI_COMMAND, 2), 0);
    assert_int_equal(get(PCI_COMMAND, 2), PCI_COMMAND_MEMORY);
    assert_int_equal(put(PCI_COMMAND, 2, PCI_COMMAND_MASTER), BIT(CONFIG_COMMAND));
    assert_int_equal(get(PCI_COMMAND, 2), PCI_COMMAND_MASTER);
    assert_int_equal(put(PCI_COMMAND, 2, 6), BIT(CONFIG_COMMAND));
    assert_int_equal(vfio_config_command(&c), 6);
    assert_int_equal(sim_config_writes, 0);
}

static void bars_of_virtual_functions_are_copies(void **state)
{
    look_at_virtual();
    assert_int_equal(get(PCI_BAR0, 4), 0xfe100004);
    put(PCI_BAR0, 4, 0xffffffff);
    put(PCI_BAR0 + 4, 4, 0xffffffff);
    assert_int_equal(get(PCI_BAR0, 4), 0xffffc004);
    assert_int_equal(get(PCI_BAR0 + 4, 4), 0xffffffff);
    put(PCI_ROM_DEVICE, 4, 0xffffffff);
    assert_int_equal(get(PCI_ROM_DEVICE, 4), 0); /* they have none */
    assert_int_equal(sim_config_writes, 0);
}

/* How many there are is the operator's affair. */
static void the_physical_function_s_capability_is_read_only(void **state)
{
    look_at_virtual();
    vfio_config_init(&c, d->physical);
    assert_int_equal(get(f->sriov, 2), PCI_EXT_CAP_SRIOV);
    for (unsigned at = 4; at < 64; at += 4) {
        uint32_t is = (uint32_t)sim_get(f, f->sriov + at, 4);

        assert_int_equal(get(f->sriov + at, 4), is);
        put(f->sriov + at, 4, ~is);
        assert_int_equal(get(f->sriov + at, 4), is);
    }
    assert_int_equal(sim_config_writes, 0);
}

static void an_unassigned_io_bar_is_absent(void **state)
{
    sim_bar(f, 1, 0, 32, PCI_BAR_SPACE_IO);
    look();
    d->bars[1].size = 0; /* as pci_check_resources() does */
    vfio_config_init(&c, d);
    assert_int_equal(get(PCI_BAR0 + 4, 4), 0);
    put(PCI_BAR0 + 4, 4, 0xffffffff);
    assert_int_equal(get(PCI_BAR0 + 4, 4), 0);
}

static void hidden_capabilities_leave_the_list(void **state)
{
    unsigned plug = sim_capability(f, 0x0c, 8), msi, vendor, slot;

    sim_set(f, plug + 2, 2, 0, 0xffff); /* the hardware would take writes */
    msi = sim_capability(f, PCI_CAP_MSI, 14);
    slot = sim_capability(f, 0x04, 4);
    vendor = sim_capability(f, 0x09, 16);
    sim_set(f, vendor + 4, 4, 0, 0xffffffff);
    look();
    assert_int_equal(get(PCI_CAPABILITIES, 1), msi);
    assert_int_equal(get(msi, 1), PCI_CAP_MSI);
    assert_int_equal(get(msi + 1, 1), vendor);
    assert_int_equal(get(vendor + 1, 1), 0);
    /* What is hidden, and what is shown without a table, cannot be written. */
    put(plug + 2, 2, 0x8000);
    put(vendor + 4, 4, 1);
    put(slot, 4, 0xffffffff);
    put(PCI_CAPABILITIES, 1, 0x80);
    put(msi + 1, 1, 0x80);
    assert_int_equal(sim_config_writes, 0);
    assert_int_equal(get(PCI_CAPABILITIES, 1), msi);
    assert_int_equal(get(msi + 1, 1), vendor);
}

static void lists_that_loop_are_cut(void **state)
{
    unsigned a = sim_capability(f, PCI_CAP_MSI, 14), b = sim_capability(f, 0x09, 8);

    f->config[b + 1] = (uint8_t)a;
    look();
    assert_int_equal(get(PCI_CAPABILITIES, 1), a);
    assert_int_equal(get(a + 1, 1), b);
    assert_int_equal(get(b + 1, 1), 0);
    f->config[PCI_CAPABILITIES] = 0x44; /* into the middle of something, and out of the header */
    f->config[0x45] = 0x04;
    look();
    assert_int_equal(get(PCI_CAPABILITIES, 1), 0);
    f->config[PCI_STATUS] = 0; /* no list at all */
    look();
    assert_int_equal(get(PCI_CAPABILITIES, 1), 0);
}

static void msi_is_scratch(void **state)
{
    unsigned msi = sim_capability(f, PCI_CAP_MSI, 24);

    sim_set(f, msi + 2, 2, 0x0186, 0x71); /* 64-bit, mask bits, 8 vectors */
    sim_set(f, msi + 4, 4, 0, 0xffffffff);
    look();
    assert_int_equal(get(msi + 2, 2), 0x0186);
    put(msi + 2, 2, 0xffff);
    assert_int_equal(get(msi + 2, 2), 0x01f7);
    put(msi + 4, 4, 0xfee01000);
    assert_int_equal(get(msi + 4, 4), 0xfee01000);
    put(msi + 16, 4, 3);
    assert_int_equal(get(msi + 16, 4), 3);
    put(msi + 20, 4, 3); /* pending bits */
    assert_int_equal(get(msi + 20, 4), 0);
    assert_int_equal(sim_config_writes, 0);
}

/* A short MSI structure must not spill over what follows it. */
static void tables_end_with_their_capability(void **state)
{
    unsigned msi = sim_capability(f, PCI_CAP_MSI, 10), vendor = sim_capability(f, 0x09, 16);

    sim_set(f, vendor + 4, 4, 0x11223344, 0);
    look();
    assert_int_equal(vendor, msi + 12);
    put(msi + 8, 4, 0xffffffff);
    assert_int_equal(get(msi + 8, 4), 0x0000ffff);
    put(vendor + 4, 4, 0);
    assert_int_equal(get(vendor + 4, 4), 0x11223344);
}

static void msix_control_is_scratch(void **state)
{
    unsigned msix = sim_capability(f, PCI_CAP_MSIX, 12);

    sim_set(f, msix + 2, 2, 0x0004, 0xc000);
    sim_set(f, msix + 4, 4, 0x2003, 0);
    look();
    put(msix + 2, 2, 0xffff);
    assert_int_equal(get(msix + 2, 2), 0xc004);
    put(msix + 4, 4, 0);
    assert_int_equal(get(msix + 4, 4), 0x2003);
    assert_int_equal(sim_config_writes, 0);
}

static void power_state_is_a_copy(void **state)
{
    sim_power(f, true);
    look();
    assert_true(vfio_config_powered(&c));
    assert_int_equal(put(f->pm + PCI_PM_CONTROL, 2, PCI_PM_D3HOT), BIT(CONFIG_POWER));
    assert_false(vfio_config_powered(&c));
    assert_int_equal(get(f->pm + PCI_PM_CONTROL, 2) & PCI_PM_STATE, PCI_PM_D3HOT);
    assert_int_equal(get(f->pm + PCI_PM_CONTROL, 2) & PCI_PM_NO_SOFT_RESET, PCI_PM_NO_SOFT_RESET);
    put(f->pm + PCI_PM_CONTROL, 4, 0xffff8100); /* D0, with status and enable bits */
    assert_true(vfio_config_powered(&c));
    assert_int_equal(get(f->pm + PCI_PM_CONTROL, 2) & 0x8100, 0);
    assert_int_equal(sim_config_writes, 0);
}

static void device_control(void **state)
{
    unsigned control;

    sim_express(f, PCIE_ENDPOINT, true);
    control = f->pcie + PCIE_DEVICE_CONTROL;
    sim_set(f, control, 2, 0x2810, 0xffff);
    sim_set(f, f->pcie + PCIE_DEVICE_STATUS, 2, 0x000f, 0xffff);
    look();
    /* Ordering, no-snoop, read request size go through; error reporting and payload size do not. */
    assert_int_equal(put(control, 2, 0x50ef), 0);
    assert_int_equal(sim_get(f, control, 2), 0x5000);
    /* A double word must not write back the status bits next door. */
    sim_config_writes = 0;
    assert_int_equal(put(control, 4, 0x00005810), 0);
    assert_int_equal(sim_get(f, control, 2), 0x5810);
    assert_int_equal(sim_config_writes, 1);
    assert_int_equal(sim_get(f, f->pcie + PCIE_DEVICE_STATUS, 2), 0x000f);
    /* The reset bit is reported, never kept, never passed on. */
    assert_int_equal(put(control, 2, 0xd810), BIT(CONFIG_RESET));
    assert_int_equal(get(control, 2), 0x5810);
    assert_int_equal(f->resets, 0);
    assert_int_equal(put(control, 2, 0x5810), 0);
    put(f->pcie + PCIE_LINK_CONTROL, 2, 0xffff);
    assert_int_equal(sim_get(f, f->pcie + PCIE_LINK_CONTROL, 2), 0);
}

static void conventional_reset_bit(void **state)
{
    sim_advanced_features(f, PCI_AF_CAP_FLR | PCI_AF_CAP_PENDING);
    look();
    assert_int_equal(put(f->af + PCI_AF_CONTROL, 1, 1), BIT(CONFIG_RESET));
    assert_int_equal(get(f->af + PCI_AF_CONTROL, 1), 0);
    assert_int_equal(put(f->af + PCI_AF_CONTROL, 1, 0), 0);
    assert_int_equal(f->resets, 0);
}

static unsigned next_of(unsigned offset)
{
    return get(offset, 4) >> 20;
}

static void extended_capabilities(void **state)
{
    unsigned pasid, errors, substates, serial;

    sim_express(f, PCIE_ENDPOINT, true);
    pasid = sim_extended_capability(f, 0x001b, 8);
    sim_set(f, pasid + 4, 4, 0, 0xffff0000);
    errors = sim_extended_capability(f, 0x0001, 0x48);
    substates = sim_extended_capability(f, 0x001e, 0x10);
    sim_set(f, substates + 8, 4, 0, 0xffff);
    serial = sim_extended_capability(f, 0x0003, 12);
    sim_set(f, serial + 4, 4, 0xcafe, 0);
    look();
    assert_int_equal(vfio_config_size(&c), 4096);
    assert_int_equal(pasid, 0x100);
    assert_int_equal(get(0x100, 4) & 0xfffff, 0); /* hidden, but the list starts here */
    assert_int_equal(next_of(0x100), errors);
    assert_int_equal(get(errors, 4) & 0xffff, 0x0001);
    assert_int_equal(next_of(errors), serial);
    assert_int_equal(next_of(serial), 0);
    assert_int_equal(get(serial + 4, 4), 0xcafe);
    put(pasid + 4, 4, 0x80000000);
    put(substates + 8, 4, 1);
    put(0x100, 4, 0xffffffff);
    assert_int_equal(sim_config_writes, 0);
    assert_int_equal(next_of(0x100), errors);
}

/* Linux's lists: what vfio_pci_config.c gives a length. */
static void as_many_capabilities_as_linux_shows(void **state)
{
    const uint64_t shown = BIT(0x01) | BIT(0x02) | BIT(0x03) | BIT(0x05) | BIT(0x07) | BIT(0x08) |
                           BIT(0x09) | BIT(0x10) | BIT(0x11) | BIT(0x12) | BIT(0x13);
    const uint64_t extended = BIT(0x01) | BIT(0x02) | BIT(0x03) | BIT(0x04) | BIT(0x08) |
                              BIT(0x09) | BIT(0x0b) | BIT(0x0d) | BIT(0x0e) | BIT(0x0f) |
                              BIT(0x10) | BIT(0x12) | BIT(0x13) | BIT(0x15) | BIT(0x16) |
                              BIT(0x17) | BIT(0x18) | BIT(0x23);
    unsigned at, next;

    sim_express(f, PCIE_ENDPOINT, true);
    at = sim_capability(f, 0, 20); /* behind the other */
    next = sim_extended_capability(f, 0x0003, 12);
    for (unsigned id = 0; id < 64; id++) {
        f->config[at] = (uint8_t)id;
        sim_set(f, next, 2, id, 0);
        look();
        assert_int_equal(get(f->pcie + 1, 1), shown >> id & 1 ? at : 0);
        assert_int_equal(get(next, 2), extended >> id & 1 ? id : 0);
    }
}

/* ---- which bits can be written ---- */

/* In a byte of a capability, or of the header: bits of the hardware, and of a copy. */
struct open_bits {
    uint8_t capability; /* 0: the header */
    uint16_t offset;
    uint8_t there, here;
};

static const struct open_bits open_bits[] = {
    {0, PCI_COMMAND, 0, 0x47},        {0, PCI_COMMAND + 1, 0, 0x05},
    {0, PCI_CACHE_LINE, 0xff, 0},     {0, PCI_CACHE_LINE + 1, 0xff, 0},
    {0, PCI_INTERRUPT_LINE, 0, 0xff}, {PCI_CAP_PM, 4, 0, 0x03},
    {PCI_CAP_VPD, 2, 0, 0xfc},        {PCI_CAP_VPD, 3, 0, 0xff},
    {PCI_CAP_VPD, 4, 0, 0xff},        {PCI_CAP_VPD, 5, 0, 0xff},
    {PCI_CAP_VPD, 6, 0, 0xff},        {PCI_CAP_VPD, 7, 0, 0xff},
    {PCI_CAP_PCIE, 8, 0x10, 0},       {PCI_CAP_PCIE, 9, 0x78, 0}, /* the reset bit is not kept */
    {PCI_CAP_MSIX, 3, 0, 0xc0},
};

#define POWER_BUDGET 0x0004

static unsigned offset_of(uint8_t capability)
{
    unsigned at = f->config[PCI_CAPABILITIES];

    while (capability && f->config[at] != capability)
        at = f->config[at + 1];
    return capability ? at : 0;
}

/* All that a byte lets change, by writing its complement to a fresh view. */
static void check_byte(unsigned offset, uint8_t there, uint8_t here)
{
    uint8_t before = f->config[offset], seen, hardware;

    vfio_config_init(&c, d);
    seen = (uint8_t)get(offset, 1);
    put(offset, 1, (uint8_t)~seen);
    hardware = f->config[offset] ^ before;
    seen ^= (uint8_t)get(offset, 1);
    f->config[offset] = before;
    if (hardware != there || seen != (there | here))
        fail_msg("byte 0x%x: hardware 0x%x, seen 0x%x", offset, hardware, seen);
}

static void every_bit_that_can_be_written_is_known(void **state)
{
    static const uint8_t extended[] = {0x01, 0x03, POWER_BUDGET, 0x0b, 0x0d, 0x0e, 0x0f, 0x10,
                                       0x15, 0x18, 0x23,         0x1b, 0x1d, 0x1e, 0x1f};
    uint8_t there[4096] = {0}, here[4096] = {0};
    unsigned selector = 0;

    sim_power(f, true);
    sim_vital_data(f);
    sim_capability(f, 0x09, 16);
    sim_express(f, PCIE_ENDPOINT, true);
    sim_capability(f, PCI_CAP_MSIX, 12);
    sim_capability(f, 0x12, 8);
    for (size_t i = 0; i < sizeof(extended); i++) {
        unsigned at = sim_extended_capability(f, extended[i], 0x40);

        if (extended[i] == POWER_BUDGET)
            selector = at + 4;
    }
    look();
    for (size_t i = 0; i < ARRAY_SIZE(open_bits); i++) {
        unsigned at = offset_of(open_bits[i].capability) + open_bits[i].offset;

        there[at] = open_bits[i].there;
        here[at] = open_bits[i].here;
    }
    there[selector] = 0xff;
    memset(f->writable, 0xff, sizeof(f->writable)); /* hardware that takes anything */
    f->pcie = f->vpd = f->pm = 0;                   /* and does nothing with it */
    for (unsigned i = 0; i < 4096; i++)
        if (i < PCI_BAR0 || i >= PCI_ROM_DEVICE + 4)
            check_byte(i, there[i], here[i]);
}

/* ---- raw-config ---- */

static void raw_opens_what_no_table_names(void **state)
{
    unsigned msix, vendor, plug, behind, hidden, resizable, designated;

    sim_express(f, PCIE_ENDPOINT, true);
    vendor = sim_capability(f, 0x09, 16);
    msix = sim_capability(f, PCI_CAP_MSIX, 12);
    plug = sim_capability(f, 0x0c, 8);
    behind = plug + 8;
    hidden = sim_extended_capability(f, 0x001b, 8);
    resizable = sim_extended_capability(f, 0x0015, 12);
    designated = sim_extended_capability(f, 0x0023, 12);
    look();
    memset(f->writable, 0xff, sizeof(f->writable));
    put(vendor + 4, 4, 0xaabbccdd);
    put(0xff0, 4, 0xaabbccdd);
    assert_int_equal(sim_config_writes, 0);
    d->raw_config = true;
    vfio_config_init(&c, d);
    /* In one piece, without a look at what was there, and read from the hardware. */
    put(vendor + 4, 4, 0xaabbccdd);
    put(designated + 4, 4, 0x12345678);
    put(0xff0, 4, 0x55667788);
    assert_int_equal(sim_config_writes, 3);
    assert_int_equal(get(vendor + 4, 4), 0xaabbccdd);
    assert_int_equal(get(designated + 4, 4), 0x12345678);
    assert_int_equal(get(0xff0, 2), 0x7788);
    /* The header of a capability stays, whatever is written with it. */
    put(vendor, 4, 0x99880000);
    assert_int_equal(get(vendor, 4), 0x99880009 | msix << 8);
    assert_int_equal(sim_get(f, vendor, 4), 0x99880009 | msix << 8);
    put(designated, 4, 0);
    assert_int_equal(sim_get(f, designated, 4), 0x00010023);
    /* What a table names follows the table; what is hidden stays shut, and so does what follows. */
    sim_config_writes = 0;
    put(msix + 4, 4, 0xffffffff);
    put(f->pcie + PCIE_LINK_CONTROL, 2, 0xffff);
    put(plug + 4, 4, 0xffffffff);
    put(behind, 4, 0xffffffff);
    put(hidden + 4, 4, 0xffffffff);
    put(hidden + 8, 4, 0xffffffff);
    put(resizable + 8, 4, 0xffffffff);
    put(0x100, 4, 0xffffffff);
    put(PCI_REVISION, 4, 0xffffffff);
    assert_int_equal(sim_config_writes, 0);
    /* A reset is the device's affair: nothing raw is written again. */
    vfio_config_restore(&c);
    assert_int_equal(sim_get(f, vendor + 4, 4), 0xaabbccdd);
    assert_true(sim_config_writes <= 2); /* cache line, device control */
}

/* Where each capability ends, and with it what it keeps from being raw; 0: at the next one. */
static const struct {
    uint16_t id;
    uint8_t size;
} sizes[] =
    {
        {PCI_CAP_PM, 8}, {0x02, 0},          {PCI_CAP_VPD, 8},   {0x07, 0}, {0x08, 0},
        {0x09, 2},       {PCI_CAP_PCIE, 60}, {PCI_CAP_MSIX, 12}, {0x12, 0}, {PCI_CAP_AF, 6},
        {0x0c, 0},       {0x14, 0},          {PCI_CAP_MSI, 24},
},
  extended_sizes[] = {
      {0x01, 72}, {0x02, 0}, {0x03, 12}, {0x04, 16}, {0x08, 0},  {0x09, 0},  {0x0b, 4},
      {0x0d, 0},  {0x0e, 8}, {0x0f, 8},  {0x10, 64}, {0x12, 48}, {0x13, 16}, {0x15, 0},
      {0x16, 0},  {0x17, 0}, {0x18, 8},  {0x23, 4},  {0x1b, 0},  {0x1d, 0},
};

static bool is_raw(unsigned offset)
{
    uint64_t before = sim_config_writes;

    put(offset, 1, f->config[offset]);
    return sim_config_writes > before;
}

static void check_end(unsigned at, unsigned size, unsigned last)
{
    look();
    d->raw_config = true;
    vfio_config_init(&c, d);
    assert_false(is_raw(at));
    assert_false(is_raw(at + 1));
    if (size == 0) {
        assert_false(is_raw(last));
        return;
    }
    assert_false(is_raw(at + size - 1));
    assert_true(is_raw(at + size));
    assert_true(is_raw(last));
}

static void capabilities_end_where_they_do(void **state)
{
    unsigned at, extended;

    sim_express(f, PCIE_ENDPOINT, true);
    at = sim_capability(f, 0, 60);
    extended = sim_extended_capability(f, 0, 4);
    sim_set(f, at + 2, 2, 0x0182, 0); /* MSI of 24 bytes, PCI Express of version 2 */
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        f->config[at] = (uint8_t)sizes[i].id;
        check_end(at, sizes[i].size, 0xff);
    }
    for (size_t i = 0; i < ARRAY_SIZE(extended_sizes); i++) {
        sim_set(f, extended, 4, extended_sizes[i].id | 1u << 16, 0);
        check_end(extended, extended_sizes[i].size, 0xfff);
    }
}

static void raw_without_capabilities(void **state)
{
    look();
    memset(f->writable, 0xff, sizeof(f->writable));
    d->raw_config = true;
    vfio_config_init(&c, d);
    put(PCI_HEADER_END, 4, 0x01020304);
    put(0xff, 1, 0x99);
    assert_int_equal(sim_get(f, PCI_HEADER_END, 4), 0x01020304);
    assert_int_equal(sim_get(f, 0xff, 1), 0x99);
    assert_int_equal(sim_config_writes, 2);
    put(0x3e, 2, 0xffff);
    assert_int_equal(sim_config_writes, 2);
}

/* ---- vital product data ---- */

static void vital_data_is_read_by_cycles(void **state)
{
    unsigned address, data;
    uint64_t before;

    sim_vital_data(f);
    address = f->vpd + PCI_VPD_ADDRESS;
    data = f->vpd + PCI_VPD_DATA;
    memcpy(f->vital_data + 8, "\x82\x05\x00QEMU", 7);
    look();
    f->vpd_time = 20 * NS_PER_MS;
    sim_set(f, address, 2, 3, 0xffff); /* which is no address */
    assert_int_equal(get(address, 2), 0);
    assert_int_equal(put(address, 2, 8), BIT(CONFIG_VPD));
    assert_int_equal(get(address, 2), 8); /* under way */
    vfio_config_vital_data(&c);
    assert_int_equal(get(address, 2), 0x8008);
    assert_int_equal(get(data, 4), 0x51000582);
    /* The lowest bits are no address; a byte of the address alone asks for nothing. */
    assert_int_equal(put(address, 1, 0x0f), 0);
    assert_int_equal(get(address, 2), 0x800c);
    assert_int_equal(put(address + 1, 1, 0), BIT(CONFIG_VPD));
    vfio_config_vital_data(&c);
    assert_int_equal(get(data, 4), 0x00554d45);
    assert_int_equal(put(f->vpd, 4, 0x00080000), BIT(CONFIG_VPD));
    assert_int_equal(put(data, 4, 0x11223344), 0);
    assert_int_equal(get(data, 4), 0x11223344);
    /* A device that does not end it: bounded, and the flag tells. */
    f->vpd_time = SIM_NEVER;
    before = host_now_ns;
    put(address, 2, 8);
    vfio_config_vital_data(&c);
    assert_int_equal(get(address, 2), 8);
    assert_in_range(host_now_ns - before, 125 * NS_PER_MS, 130 * NS_PER_MS);
}

static void vital_data_is_written_by_leave_only(void **state)
{
    unsigned address, data;

    sim_vital_data(f);
    address = f->vpd + PCI_VPD_ADDRESS;
    data = f->vpd + PCI_VPD_DATA;
    look();
    put(data, 4, 0x44434241);
    assert_int_equal(put(address, 2, 0x8010), BIT(CONFIG_VPD));
    vfio_config_vital_data(&c);
    assert_int_equal(get(address, 2), 0x8010); /* as long as the driver waits */
    assert_int_equal(sim_config_writes, 0);
    assert_int_equal(f->vital_data[0x10], 0);
    d->raw_config = true;
    vfio_config_vital_data(&c);
    assert_int_equal(get(address, 2), 0x0010);
    assert_memory_equal(f->vital_data + 0x10, "ABCD", 4);
}

/* Its registers would lie outside. */
static void vital_data_at_the_end_is_no_more_than_shown(void **state)
{
    sim_express(f, PCIE_ENDPOINT, true);
    f->config[f->pcie + 1] = 0xfc;
    f->config[0xfc] = PCI_CAP_VPD;
    look();
    assert_int_equal(get(f->pcie + 1, 1), 0xfc);
    put(0xfe, 2, 8);
    vfio_config_vital_data(&c);
    assert_int_equal(sim_config_writes, 0);
}

static void extended_lists_that_loop_are_cut(void **state)
{
    sim_express(f, PCIE_ENDPOINT, true);
    sim_set(f, 0x100, 4, UINT64_C(0x20010001), 0);
    sim_set(f, 0x200, 4, UINT64_C(0x10010003), 0);
    look();
    assert_int_equal(next_of(0x100), 0x200);
    assert_int_equal(next_of(0x200), 0);
    sim_set(f, 0x100, 4, UINT64_C(0x10010001), 0); /* itself */
    look();
    assert_int_equal(next_of(0x100), 0);
    assert_int_equal(get(0x100, 4) & 0xffff, 0x0001);
}

/*
 * Whatever the payload writes, only four things can change in the hardware: cache line and latency
 * timer, and the allowed bits of device control.
 */
static void random_writes_change_nothing_else(void **state)
{
    uint64_t seed = 0x5eed;
    uint8_t before[4096], allowed[4096] = {0};

    sim_power(f, false);
    sim_capability(f, PCI_CAP_MSI, 24);
    sim_express(f, PCIE_ENDPOINT, true);
    sim_capability(f, PCI_CAP_MSIX, 12);
    sim_capability(f, 0x03, 8);
    sim_extended_capability(f, PCI_EXT_CAP_ATS, 8);
    sim_extended_capability(f, 0x0015, 12);
    sim_access_control(f, 0x5f);
    look();
    memset(f->writable, 0xff, sizeof(f->writable)); /* hardware that takes anything */
    memcpy(before, f->config, sizeof(before));
    memset(allowed + PCI_CACHE_LINE, 0xff, 2);
    allowed[f->pcie + PCIE_DEVICE_CONTROL] = 0x10;
    allowed[f->pcie + PCIE_DEVICE_CONTROL + 1] = 0x78;
    for (unsigned i = 0; i < 200000; i++) {
        unsigned width = 1u << host_random_below(&seed, 3);
        unsigned space = host_random_below(&seed, 4) ? 256 : 4096;
        unsigned offset = (unsigned)host_random_below(&seed, space / width) * width;

        put(offset, width, (uint32_t)host_random(&seed));
    }
    for (unsigned i = 0; i < sizeof(before); i++)
        assert_int_equal(f->config[i] & ~allowed[i], before[i] & ~allowed[i]);
    assert_int_equal(f->resets, 0);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, new_function, no_leak)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(identity_is_the_hardware_s),
        TEST(command_is_a_copy),
        TEST(cache_line_reaches_the_hardware),
        TEST(bars_answer_the_sizing_protocol),
        TEST(the_rom_answers_the_sizing_protocol),
        TEST(bars_come_from_the_record),
        TEST(no_intx),
        TEST(virtual_functions_show_what_they_have_not),
        TEST(virtual_functions_have_a_memory_bit),
        TEST(bars_of_virtual_functions_are_copies),
        TEST(the_physical_function_s_capability_is_read_only),
        TEST(an_unassigned_io_bar_is_absent),
        TEST(hidden_capabilities_leave_the_list),
        TEST(lists_that_loop_are_cut),
        TEST(msi_is_scratch),
        TEST(tables_end_with_their_capability),
        TEST(msix_control_is_scratch),
        TEST(power_state_is_a_copy),
        TEST(device_control),
        TEST(conventional_reset_bit),
        TEST(extended_capabilities),
        TEST(extended_lists_that_loop_are_cut),
        TEST(as_many_capabilities_as_linux_shows),
        TEST(every_bit_that_can_be_written_is_known),
        TEST(raw_opens_what_no_table_names),
        TEST(capabilities_end_where_they_do),
        TEST(raw_without_capabilities),
        TEST(vital_data_is_read_by_cycles),
        TEST(vital_data_is_written_by_leave_only),
        TEST(vital_data_at_the_end_is_no_more_than_shown),
        TEST(random_writes_change_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
