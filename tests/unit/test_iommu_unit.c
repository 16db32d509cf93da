/* SPDX-License-Identifier: BSD-2-Clause */
/* Bring-up, takeover, refusals, and what a unit can do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/iommu/remap.h"
#include "kernel/iommu/scope.h"
#include "kernel/lib/error.h"
#include "kernel/pci/registers.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/iommu_machine.h"

static void in_order(const struct vtd_unit *unit, const enum vtd_event *events, size_t count)
{
    for (size_t i = 1; i < count; i++)
        assert_true(vtd_unit_first(unit, events[i - 1]) < vtd_unit_first(unit, events[i]));
    assert_true(vtd_unit_first(unit, events[count - 1]) < unit->event_count);
}

/* The order of issue and specification: nothing is let through before everything is denied. */
static void starts_in_the_safe_order(void **state)
{
    static const enum vtd_event order[] = {
        VTD_EVENT_QUEUE_ON,     VTD_EVENT_ROOT,        VTD_EVENT_TABLE, VTD_EVENT_CONTEXT,
        VTD_EVENT_IOTLB,        VTD_EVENT_ENTRIES,     VTD_EVENT_WAIT,  VTD_EVENT_REMAP_ON,
        VTD_EVENT_TRANSLATE_ON, VTD_EVENT_PROTECT_OFF,
    };
    struct vtd_unit *unit = machine_start(CAP_WITH(BIT(5) | BIT(6), 0), VTD_TEST_ECAP, NULL);

    in_order(unit, order, ARRAY_SIZE(order));
    assert_int_equal(unit->gsts & 0x86000000, 0x86000000);
    assert_int_equal(unit->gsts & (1u << 23), 0);
    assert_null(strstr(host_log(), "NOT REMAPPED"));
    machine_stop();
}

static void denies_everything_at_first(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    uint8_t vector;
    uint32_t destination;
    bool level;

    machine_expect_refused(unit, DEVICE, 0, true, 1);
    machine_expect_refused(unit, DEVICE, IOVA, false, 1);
    machine_expect_refused(unit, 0xffff, 0x1000, true, 1);
    assert_int_equal(
        vtd_unit_interrupt(unit, DEVICE, 0xfee00000, 0x31, &vector, &destination, &level), 0x25);
    assert_int_equal(vtd_unit_interrupt(unit, DEVICE, 0xfee00018, 0, &vector, &destination, &level),
                     0x22);
    machine_stop();
}

/* ---- refusals ---- */

struct refusal_case {
    uint64_t cap, ecap;
    struct iommu_options options;
    uint8_t flags;
    int error;
    const char *sentence;
};

static void refuses_with_a_sentence(void **state)
{
    static const struct refusal_case cases[] = {
        {CAP_WITH(0, 0x1f00),
         VTD_TEST_ECAP,
         {0},
         1,
         -EOPNOTSUPP,
         "the IOMMU at 0xfed90000 cannot translate DMA (CAP.SAGAW is 0)"},
        {CAP_WITH(0x100, 0x1e00),
         VTD_TEST_ECAP,
         {0},
         1,
         -EOPNOTSUPP,
         "the IOMMU at 0xfed90000 has no page-table depth of 3, 4 or 5 levels (CAP.SAGAW is 0x1)"},
        {CAP_WITH(0x1000, 0x0f00),
         VTD_TEST_ECAP,
         {0},
         1,
         -EOPNOTSUPP,
         "the IOMMU at 0xfed90000 has no page-table depth of 3, 4 or 5 levels (CAP.SAGAW is 0x10)"},
        {CAP_WITH(7, 0),
         VTD_TEST_ECAP,
         {0},
         1,
         -EOPNOTSUPP,
         "the IOMMU at 0xfed90000 reports an unknown number of domains (CAP.ND is 7)"},
        {~UINT64_C(0), VTD_TEST_ECAP, {0}, 1, -EIO, "the IOMMU at 0xfed90000 does not answer"},
        {VTD_TEST_CAP,
         ECAP_WITH(0, BIT(3)),
         {0},
         1,
         -EOPNOTSUPP,
         "the IOMMU at 0xfed90000 cannot remap interrupts (ECAP.IR is 0); unsafe-interrupts=yes "
         "goes "
         "on without"},
        {VTD_TEST_CAP,
         ECAP_WITH(0, BIT(1)),
         {0},
         1,
         -EOPNOTSUPP,
         "the IOMMU at 0xfed90000 cannot remap interrupts (ECAP.QI is 0); unsafe-interrupts=yes "
         "goes "
         "on without"},
        {VTD_TEST_CAP,
         VTD_TEST_ECAP,
         {0},
         0,
         -EOPNOTSUPP,
         "the IOMMU at 0xfed90000 cannot remap interrupts (DMAR flag INTR_REMAP is 0); "
         "unsafe-interrupts=yes goes on without"},
        {VTD_TEST_CAP,
         VTD_TEST_ECAP,
         {.x2apic = true},
         1,
         -EOPNOTSUPP,
         "the CPU is in x2APIC mode but the IOMMU at 0xfed90000 cannot address it (ECAP.EIM is 0)"},
        {VTD_TEST_CAP,
         VTD_TEST_ECAP,
         {.queue_entries = 300},
         1,
         -EINVAL,
         "the IOMMU invalidation queue must have 256 to 32768 entries, a power of two"},
        {VTD_TEST_CAP,
         VTD_TEST_ECAP,
         {.queue_entries = 65536},
         1,
         -EINVAL,
         "the IOMMU invalidation queue must have 256 to 32768 entries, a power of two"},
        {VTD_TEST_CAP,
         VTD_TEST_ECAP,
         {.remap_entries = 128},
         1,
         -EINVAL,
         "the interrupt-remapping table must have 256 to 65536 entries, a power of two"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct vtd_unit *unit = machine_build(cases[i].cap, cases[i].ecap);

        host_dmar.flags = cases[i].flags;
        assert_int_equal(machine_init(&cases[i].options), cases[i].error);
        assert_string_equal(machine_refusal(), cases[i].sentence);
        /* Refused before anything was touched. */
        assert_int_equal(unit->event_count, 0);
        machine_stop();
    }
}

static void refuses_a_table_without_units(void **state)
{
    machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);
    host_dmar.unit_count = 0;
    assert_int_equal(machine_init(NULL), -ENODEV);
    assert_string_equal(machine_refusal(),
                        "the firmware describes no IOMMU (DMAR table without a remapping unit)");
    machine_stop();
}

/* ---- by the chipset ---- */

static struct pci_device *chipset(uint16_t device, uint8_t revision)
{
    struct pci_device *host = host_pci_add(0, PCI_RID(0, 0, 0), NULL);

    host->vendor = 0x8086;
    host->device = device;
    host->revision = revision;
    host->class_code = 0x060000;
    pci_set_bus_master(host, false);
    return host;
}

/* Early steppings of the 5520. The unit says that it can. */
static void early_chipsets_do_not_remap(void **state)
{
    static const struct {
        uint16_t device;
        uint8_t revision;
        bool works;
    } cases[] = {{0x3405, 0x13, false}, {0x3405, 0x22, false}, {0x3403, 0x13, false},
                 {0x3405, 0x14, true},  {0x3403, 0x22, true},  {0x3407, 0x13, true}};
    static const struct iommu_options unsafe = {.unsafe_interrupts = true};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);
        chipset(cases[i].device, cases[i].revision);
        assert_int_equal(machine_init(NULL), cases[i].works ? 0 : -EOPNOTSUPP);
        assert_int_equal(!strstr(machine_refusal(), "cannot remap interrupts (interrupts in"),
                         cases[i].works);
        machine_stop();
    }
    machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);
    chipset(0x3405, 0x13);
    assert_int_equal(machine_init(&unsafe), 0);
    assert_false(iommu_remaps_interrupts(machine_unit()));
    machine_stop();
}

static void some_chipsets_need_a_flush_and_do_not_say_so(void **state)
{
    for (unsigned i = 0; i < 2; i++) {
        machine_build(VTD_TEST_CAP & ~BIT(VTD_CAP_RWBF), VTD_TEST_ECAP);
        chipset(i ? 0x2a40 : 0x2a41, 0);
        assert_int_equal(machine_init(NULL), 0);
        assert_int_equal(machine_unit()->can.write_buffer, i);
        assert_false(i && machine_unit()->stores_suffice);
        machine_stop();
    }
}

/* What is behind such a unit has none: it starts, with no bus mastering for it. */
static void a_unit_that_breaks_graphics_is_not_used(void **state)
{
    const pci_rid_t graphics = PCI_RID(0, 2, 0);

    for (unsigned i = 0; i < 2; i++) {
        struct vtd_unit *second;
        struct pci_device *display;
        struct dmar_unit *described;

        machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);
        chipset(i ? 0x2a41 : 0x2a40, 0);
        second = host_unit_add(0xfeda1000, PAGE_SIZE, VTD_TEST_CAP, VTD_TEST_ECAP);
        described = host_dmar_unit(0xfeda1000, false);
        host_dmar_scope(&described->scopes, DMAR_SCOPE_ENDPOINT, 0, 0, 2, 0);
        display = pci_find(0, graphics) ? pci_find(0, graphics) : host_pci_add(0, graphics, NULL);
        display->class_code = 0x030000;
        pci_set_bus_master(display, false);
        assert_int_equal(machine_init(NULL), 0);
        assert_int_equal(!strstr(host_log(), "no IOMMU translates for device 0000:00:02.0"), i);
        assert_int_equal(!scope_unit_for(0, graphics), !i); /* nor the one for the rest */
        assert_int_equal(second->event_count == 0, !i);
        assert_int_equal(scope_unit_for(0, PCI_RID(0, 4, 0))->index, 0);
        machine_stop();
    }
}

static void goes_on_without_remapping_if_told(void **state)
{
    static const struct iommu_options unsafe = {.unsafe_interrupts = true};
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, ECAP_WITH(0, BIT(3)), &unsafe);

    assert_int_equal(vtd_unit_count(unit, VTD_EVENT_TRANSLATE_ON), 1);
    assert_int_equal(vtd_unit_count(unit, VTD_EVENT_REMAP_ON), 0);
    assert_false(iommu_remaps_interrupts(machine_unit()));
    assert_non_null(strstr(host_log(), "INTERRUPTS ARE NOT REMAPPED"));
    machine_stop();
}

/* A unit that ignores a command is refused after a bounded wait. */
static void refuses_a_unit_that_hangs(void **state)
{
    static const uint32_t bits[] = {1u << 26, 1u << 30, 1u << 24, 1u << 25, 1u << 31};

    for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
        struct vtd_unit *unit = machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);

        unit->ignored = bits[i];
        assert_true(machine_init(NULL) < 0);
        assert_non_null(strstr(machine_refusal(), "did not start"));
        assert_int_equal(vtd_unit_count(unit, VTD_EVENT_PROTECT_OFF), 0);
        machine_stop();
    }
}

static void refuses_protected_memory_that_stays(void **state)
{
    struct vtd_unit *unit = machine_build(CAP_WITH(BIT(5), 0), VTD_TEST_ECAP);

    unit->protect_stuck = true;
    unit->pmen = 0x80000001;
    assert_int_equal(machine_init(NULL), -ETIMEDOUT);
    machine_stop();
}

static void refuses_without_memory(void **state)
{
    bool done = false;

    for (uint64_t n = 1; !done; n++) {
        struct vtd_unit *unit = machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);
        int error;

        host_fail_nth(n);
        error = machine_init(NULL);
        done = !host_failed();
        host_fail_nth(0);
        if (done) {
            assert_int_equal(error, 0);
            assert_true(n > 5);
        } else {
            assert_true(error == -ENOMEM || error == -ENOSPC);
            assert_true(machine_refusal()[0]);
            assert_int_equal(vtd_unit_count(unit, VTD_EVENT_TRANSLATE_ON), 0);
            assert_int_equal(vtd_unit_count(unit, VTD_EVENT_PROTECT_OFF), 0);
        }
        machine_stop();
    }
}

/* ---- capabilities ---- */

static void pitfall_30_the_depth_is_chosen_from_a_bitmap(void **state)
{
    static const struct {
        unsigned sagaw, mgaw, levels, bits;
    } cases[] = {
        {0x02, 39, 3, 39}, {0x06, 48, 4, 48}, {0x06, 39, 3, 39}, {0x04, 48, 4, 48},
        {0x04, 39, 4, 39}, {0x0e, 57, 5, 57}, {0x0e, 48, 4, 48}, {0x0e, 36, 3, 36},
        {0x02, 48, 3, 39}, {0x08, 48, 5, 48}, {0x0a, 48, 5, 48}, {0x1f, 57, 5, 57},
        {0x06, 57, 4, 48}, {0x0e, 40, 4, 40},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t cap = CAP_WITH(0, 0x3f1f00);
        struct iommu_geometry geometry;
        struct iommu_domain *domain;
        struct vtd_unit *unit;

        cap |= (uint64_t)cases[i].sagaw << 8 | (uint64_t)(cases[i].mgaw - 1) << 16;
        unit = machine_start(cap, VTD_TEST_ECAP, NULL);
        domain = machine_domain();
        iommu_domain_geometry(domain, &geometry);
        assert_int_equal(domain->table.levels, cases[i].levels);
        assert_int_equal(geometry.address_bits, cases[i].bits);
        /* The last page of the aperture works, and the unit agrees with the depth. */
        machine_map(domain, BIT(cases[i].bits) - PAGE_SIZE, TARGET, PAGE_SIZE, IOMMU_WRITE);
        assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
        machine_expect_dma(unit, DEVICE, BIT(cases[i].bits) - 4, true, TARGET + PAGE_SIZE - 4);
        assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
        iommu_domain_destroy(domain);
        machine_stop();
    }
}

static void chooses_leaves_from_the_capability(void **state)
{
    static const struct {
        unsigned sllps;
        uint64_t sizes;
    } cases[] = {
        {0, PAGE_SIZE},
        {1, PAGE_SIZE | SIZE_2M},
        {3, PAGE_SIZE | SIZE_2M | SIZE_1G},
        {2, PAGE_SIZE}, /* 1 GiB without 2 MiB: not believed */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t cap = CAP_WITH(0, UINT64_C(15) << 34) | (uint64_t)cases[i].sllps << 34;
        struct vtd_unit *unit = machine_start(cap, VTD_TEST_ECAP, NULL);
        struct iommu_domain *domain = machine_domain();
        struct iommu_geometry geometry;

        iommu_domain_geometry(domain, &geometry);
        assert_int_equal(geometry.page_sizes, cases[i].sizes);
        assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
        machine_map(domain, SIZE_1G, TARGET, SIZE_2M, IOMMU_READ);
        machine_expect_dma(unit, DEVICE, SIZE_1G + 0x12345, false, TARGET + 0x12345);
        machine_unmap(domain, SIZE_1G, SIZE_2M);
        assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
        iommu_domain_destroy(domain);
        machine_stop();
    }
}

/* ---- takeover ---- */

static void pitfall_13_takes_over_what_firmware_left_on(void **state)
{
    struct vtd_unit *unit = machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);

    unit->gsts = 1u << 31 | 1u << 26 | 1u << 25 | 1u << 23;
    unit->iqa = VTD_MEMORY_BASE;
    unit->fectl = unit->iectl = 0;
    assert_int_equal(machine_init(NULL), 0);
    assert_int_equal(vtd_unit_count(unit, VTD_EVENT_QUEUE_OFF), 1);
    assert_int_equal(vtd_unit_count(unit, VTD_EVENT_QUEUE_ON), 1);
    assert_int_equal(vtd_unit_count(unit, VTD_EVENT_COMPATIBILITY_OFF), 1);
    /* There is no moment without translation or remapping. */
    assert_int_equal(vtd_unit_count(unit, VTD_EVENT_TRANSLATE_OFF), 0);
    assert_int_equal(vtd_unit_count(unit, VTD_EVENT_REMAP_OFF), 0);
    assert_int_equal(unit->iectl, 1u << 31);
    assert_null(strstr(host_log(), "stopped"));
    machine_expect_refused(unit, DEVICE, 0x1000, true, 1);
    assert_non_null(strstr(host_log(), "firmware left translation"));
    machine_stop();
}

/* A root table of another mode can only be replaced while translation is off. */
static void takes_over_a_scalable_root_table(void **state)
{
    struct vtd_unit *unit = machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);

    unit->gsts = 1u << 31;
    unit->rtaddr = 0x400;
    assert_int_equal(machine_init(NULL), 0);
    assert_int_equal(vtd_unit_count(unit, VTD_EVENT_TRANSLATE_OFF), 1);
    assert_true(vtd_unit_first(unit, VTD_EVENT_TRANSLATE_OFF) <
                vtd_unit_first(unit, VTD_EVENT_ROOT));
    machine_stop();
}

/*
 * At a malformed request, at a device TLB that did not answer, and with an error of long ago: the
 * queue is empty before it is switched off, and translation stays on.
 */
static void takes_over_a_queue_in_error(void **state)
{
    static const struct {
        uint32_t errors;
        uint64_t head, tail;
        bool device_tlb;
    } cases[] = {{0x10, 0x10, 0x40, false},
                 {0x70, 0xfe0, 0x20, false},
                 {0x40, 0, 0x20, true},
                 {0x20, 0x20, 0x20, false},
                 {0x10, 0x30, 0x30, false}};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct vtd_unit *unit = machine_build(VTD_TEST_CAP, ECAP_WITH(4, 0));

        unit->gsts = 1u << 31 | 1u << 26 | 1u << 25;
        unit->iqa = VTD_MEMORY_BASE;
        unit->fsts = cases[i].errors;
        unit->iqh = cases[i].head;
        unit->iqt = cases[i].tail;
        unit->strict_off = true;
        /* What is behind a device TLB that did not answer is as good as any. */
        for (unsigned at = 0; cases[i].device_tlb && at < 0x20; at += 16)
            vtd_memory_write32(VTD_MEMORY_BASE + at, 0x11);
        assert_int_equal(machine_init(NULL), 0);
        assert_int_equal(vtd_unit_count(unit, VTD_EVENT_QUEUE_OFF), 1);
        assert_int_equal(vtd_unit_count(unit, VTD_EVENT_TRANSLATE_OFF), 0);
        assert_int_equal(vtd_unit_count(unit, VTD_EVENT_REMAP_OFF), 0);
        assert_int_equal(unit->fsts, 0);
        machine_expect_refused(unit, DEVICE, 0x1000, true, 1);
        assert_non_null(strstr(host_log(), "invalidation-queue (stopped at an error)"));
        machine_stop();
    }
}

static void refuses_a_queue_that_does_not_drain(void **state)
{
    struct vtd_unit *unit = machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);

    unit->gsts = 1u << 26;
    unit->iqh = 0x10;
    unit->iqt = 0x40;
    assert_int_equal(machine_init(NULL), -EIO);
    assert_string_equal(machine_refusal(),
                        "the IOMMU at 0xfed90000 does not let go of the firmware's settings");
    machine_stop();
}

static void switches_off_remapping_it_cannot_use(void **state)
{
    static const struct iommu_options unsafe = {.unsafe_interrupts = true};
    struct vtd_unit *unit = machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);

    host_dmar.flags = 0;
    unit->gsts = 1u << 25;
    assert_int_equal(machine_init(&unsafe), 0);
    assert_int_equal(vtd_unit_count(unit, VTD_EVENT_REMAP_OFF), 1);
    machine_stop();
}

static void pitfall_16_repeats_no_one_shot_command(void **state)
{
    struct vtd_unit *unit = machine_start(CAP_WITH(BIT(4), 0), ECAP_WITH(1, 0), NULL);
    struct iommu_domain *domain = machine_domain();

    for (unsigned i = 0; i < 10; i++)
        machine_map(domain, i * PAGE_SIZE, TARGET, PAGE_SIZE, IOMMU_READ);
    machine_unmap(domain, 0, 10 * PAGE_SIZE);
    assert_int_equal(vtd_unit_count(unit, VTD_EVENT_ROOT), 1);
    assert_int_equal(vtd_unit_count(unit, VTD_EVENT_TABLE), 1);
    assert_int_equal(vtd_unit_count(unit, VTD_EVENT_TRANSLATE_ON), 1);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* x2APIC mode and 32-bit destinations only with ECAP.EIM; the table says which. */
static void pitfall_17_extended_mode_needs_the_capability(void **state)
{
    static const struct iommu_options x2apic = {.x2apic = true};
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, ECAP_WITH(BIT(4), 0), &x2apic);

    assert_true(unit->table & BIT(11));
    machine_stop();
    unit = machine_start(VTD_TEST_CAP, ECAP_WITH(BIT(4), 0), NULL);
    assert_false(unit->table & BIT(11));
    machine_stop();
}

static void sizes_the_tables_as_asked(void **state)
{
    static const struct iommu_options options = {.queue_entries = 1024, .remap_entries = 65536};
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, &options);

    assert_int_equal(unit->iqa & 7, 2);
    assert_int_equal(unit->table & 15, 15);
    machine_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_in_the_safe_order),
        cmocka_unit_test(denies_everything_at_first),
        cmocka_unit_test(refuses_with_a_sentence),
        cmocka_unit_test(refuses_a_table_without_units),
        cmocka_unit_test(early_chipsets_do_not_remap),
        cmocka_unit_test(some_chipsets_need_a_flush_and_do_not_say_so),
        cmocka_unit_test(a_unit_that_breaks_graphics_is_not_used),
        cmocka_unit_test(goes_on_without_remapping_if_told),
        cmocka_unit_test(refuses_a_unit_that_hangs),
        cmocka_unit_test(refuses_protected_memory_that_stays),
        cmocka_unit_test(refuses_without_memory),
        cmocka_unit_test(pitfall_30_the_depth_is_chosen_from_a_bitmap),
        cmocka_unit_test(chooses_leaves_from_the_capability),
        cmocka_unit_test(pitfall_13_takes_over_what_firmware_left_on),
        cmocka_unit_test(takes_over_a_scalable_root_table),
        cmocka_unit_test(takes_over_a_queue_in_error),
        cmocka_unit_test(refuses_a_queue_that_does_not_drain),
        cmocka_unit_test(switches_off_remapping_it_cannot_use),
        cmocka_unit_test(pitfall_16_repeats_no_one_shot_command),
        cmocka_unit_test(pitfall_17_extended_mode_needs_the_capability),
        cmocka_unit_test(sizes_the_tables_as_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
