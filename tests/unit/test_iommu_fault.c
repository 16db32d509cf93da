/* SPDX-License-Identifier: BSD-2-Clause */
/* Fault records: wherever they lie, however many, and what becomes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/cpu/time.h"
#include "kernel/lib/error.h"
#include "kernel/pci/registers.h"
#include "tests/unit/iommu_machine.h"

static uint64_t counted;

/* Faults since the last look. */
static uint64_t new_faults(void)
{
    uint64_t before = counted;

    counted = iommu_fault_count();
    return counted - before;
}

static void event(struct vtd_unit *unit)
{
    assert_true(host_raise(unit->fedata & 0xff));
}

static uint64_t cap_with_records(unsigned records, unsigned offset)
{
    return CAP_WITH((uint64_t)(records - 1) << 40 | (uint64_t)(offset / 16) << 24,
                    UINT64_C(0xff) << 40 | UINT64_C(0x3ff) << 24);
}

static void faults_show(char *buffer, size_t size)
{
    struct text text;

    text_init(&text, buffer, size);
    iommu_faults_show(NULL, &text);
}

/* ---- words ---- */

static void says_what_happened_in_words(void **state)
{
    static const struct {
        struct fault fault;
        const char *text;
    } cases[] = {
        {{0, PCI_RID(0, 2, 0), 5, FAULT_WRITE, false, IOVA, 0, 0, 0},
         "0000:00:02.0 write to 0x100000000 refused: reason 5, no write permission"},
        {{1, PCI_RID(0x40, 31, 7), 6, FAULT_READ, false, 0x1000, 0, 0, 0},
         "0001:40:1f.7 read of 0x1000 refused: reason 6, no read permission"},
        {{0, PCI_RID(0, 2, 0), 2, FAULT_ATOMIC, false, 0x1000, 0, 0, 0},
         "0000:00:02.0 atomic operation on 0x1000 refused: reason 2, the device has no context "
         "entry"},
        {{0, PCI_RID(0, 2, 0), 0x26, FAULT_READ, true, 0x1f, 0, 0, 0},
         "0000:00:02.0 interrupt with index 0x1f refused: reason 0x26, the interrupt came from the "
         "wrong source"},
        {{0, PCI_RID(0, 2, 0), 0xc, FAULT_WRITE, false, 0, 0, 0, 0},
         "0000:00:02.0 write to 0x0 refused: reason 0xc, reserved bits in a page-table entry"},
        {{0, PCI_RID(0, 2, 0), 0x77, FAULT_PAGE_REQUEST, false, 0, 0, 0, 0},
         "0000:00:02.0 page request for 0x0 refused: reason 0x77, unknown reason"},
        {{0, PCI_RID(0, 2, 0), 0x26, FAULT_READ, true, 0x1f, 0, VTD_SOURCE_EXACT,
          PCI_RID(0xff, 31, 7)},
         "0000:00:02.0 interrupt with index 0x1f refused: reason 0x26, the interrupt came from the "
         "wrong source: the entry is for 0000:ff:1f.7"},
        {{0, PCI_RID(0, 2, 0), 0x26, FAULT_READ, true, 0xffff, 0, VTD_SOURCE_BUSES, 0x0a1f},
         "0000:00:02.0 interrupt with index 0xffff refused: reason 0x26, the interrupt came from "
         "the wrong source: the entry is for buses 0a to 1f"},
    };
    char text[FAULT_TEXT_MAX];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        fault_describe(&cases[i].fault, text, sizeof(text));
        assert_string_equal(text, cases[i].text);
    }
    /* Every legacy and every remapping reason has words of its own. */
    for (uint8_t reason = 1; reason <= 0x28; reason++) {
        bool known = reason <= 0x0d || reason >= 0x20;

        assert_int_equal(strcmp(fault_reason(reason), "unknown reason") != 0, known);
        for (uint8_t other = 1; other < reason && known; other++)
            assert_string_not_equal(fault_reason(reason), fault_reason(other));
    }
}

/* ---- records ---- */

/* The fault event is a plain MSI to this CPU, and its handler decodes the record. */
static void a_fault_reaches_the_log(void **state)
{
    struct vtd_unit *unit;
    struct fault last;

    machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);
    host_set_apic_id(3);
    unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    new_faults();
    machine_expect_refused(unit, DEVICE, IOVA + 0x123, true, 1);
    assert_int_equal(unit->fault_interrupts, 1);
    assert_int_equal(unit->feaddr & 0xfff00000, 0xfee00000);
    event(unit);
    assert_int_equal(new_faults(), 1);
    assert_int_equal(fault_recent(&last, 1), 1);
    assert_int_equal(last.rid, DEVICE);
    assert_int_equal(last.reason, 1);
    assert_int_equal(last.type, FAULT_WRITE);
    assert_int_equal(last.address, IOVA);
    assert_non_null(strstr(host_log(), "0000:00:02.0 write to 0x100000000 refused: reason 1"));
    /* The record is free again. */
    machine_expect_refused(unit, DEVICE, IOVA, false, 1);
    event(unit);
    assert_int_equal(new_faults(), 1);
    machine_stop();
}

static void the_event_goes_to_an_extended_apic_id(void **state)
{
    static const struct iommu_options x2apic = {.x2apic = true};
    struct vtd_unit *unit = machine_build(VTD_TEST_CAP, ECAP_WITH(BIT(4), 0));

    host_set_apic_id(0x12345);
    assert_int_equal(machine_init(&x2apic), 0);
    assert_int_equal(unit->feaddr, 0xfee45000);
    assert_int_equal(unit->feuaddr, 0x12300);
    machine_stop();
}

/* NFR + 1 records, at FRO, on any page; also starting in the middle and wrapping around. */
static void pitfall_23_records_anywhere_and_any_number(void **state)
{
    static const struct {
        unsigned records, offset;
    } cases[] = {{1, 0x220}, {8, 0x400}, {256, 0x1000}, {1, 0x3ff0}, {5, 0x1ff0}, {2, 0x100}};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t cap = cap_with_records(cases[i].records, cases[i].offset);
        struct vtd_unit *unit = machine_start(cap, VTD_TEST_ECAP, NULL);
        struct fault seen[FAULTS_KEPT];

        new_faults();
        for (unsigned round = 0; round < 5; round++) {
            unsigned count = cases[i].records > 3 ? 3 : cases[i].records;
            size_t got;

            for (unsigned n = 0; n < count; n++)
                machine_expect_refused(unit, DEVICE, IOVA + (round * 8 + n) * PAGE_SIZE, n & 1, 1);
            event(unit);
            assert_int_equal(new_faults(), count);
            /* In the order they happened, also around the end. */
            got = fault_recent(seen, count);
            assert_int_equal(got, count);
            for (unsigned n = 0; n < count; n++) {
                assert_int_equal(seen[n].address, IOVA + (round * 8 + n) * PAGE_SIZE);
                assert_int_equal(seen[n].type, n & 1 ? FAULT_WRITE : FAULT_READ);
            }
        }
        machine_stop();
    }
}

static void pitfall_22_overflow_is_cleared_and_nothing_else(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);

    new_faults();
    /* One record: the second fault is lost. Queue errors of the moment must survive. */
    machine_expect_refused(unit, DEVICE, IOVA, true, 1);
    machine_expect_refused(unit, DEVICE, IOVA + PAGE_SIZE, true, 1);
    unit->fsts |= VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE;
    assert_true(unit->fsts & VTD_FSTS_PFO);
    event(unit);
    assert_int_equal(new_faults(), 1);
    assert_int_equal(machine_unit()->faults.overflows, 1);
    assert_int_equal(unit->fsts, VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE);
    unit->fsts = 0;
    machine_expect_refused(unit, DEVICE, IOVA, true, 1);
    event(unit);
    assert_int_equal(new_faults(), 1);
    machine_stop();
}

/* What firmware left in the records belongs to nobody. */
static void old_records_are_dropped_at_start(void **state)
{
    struct vtd_unit *unit = machine_build(cap_with_records(4, 0x400), VTD_TEST_ECAP);

    vtd_unit_fault(unit, DEVICE, 5, IOVA, false);
    vtd_unit_fault(unit, DEVICE, 5, IOVA, false);
    new_faults();
    assert_int_equal(machine_init(NULL), 0);
    assert_int_equal(new_faults(), 0);
    machine_expect_refused(unit, DEVICE, IOVA, true, 1);
    assert_int_equal(unit->fault_interrupts, 1);
    event(unit);
    assert_int_equal(new_faults(), 1);
    machine_stop();
}

static void interrupt_faults_name_the_index(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    uint32_t destination;
    struct fault last;
    uint8_t vector;
    bool level;

    new_faults();
    assert_int_equal(
        vtd_unit_interrupt(unit, DEVICE, 0xfee00018 | 7 << 5, 2, &vector, &destination, &level),
        0x22);
    event(unit);
    assert_int_equal(fault_recent(&last, 1), 1);
    assert_true(last.interrupt);
    assert_int_equal(last.address, 9);
    machine_stop();
}

/* A message in the old format, or with bits it must not have: refused, recorded, nothing more. */
static void pitfall_21_malformed_messages_are_refused(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    uint32_t destination;
    uint8_t vector;
    bool level;

    new_faults();
    assert_int_equal(
        vtd_unit_interrupt(unit, DEVICE, 0xfee00000, 0x4402, &vector, &destination, &level), 0x25);
    event(unit);
    assert_int_equal(
        vtd_unit_interrupt(unit, DEVICE, 0xfee00018, 0xdead0000, &vector, &destination, &level),
        0x20);
    event(unit);
    assert_int_equal(
        vtd_unit_interrupt(unit, DEVICE, 0xfeefffe0 | 0x1c, 0xffff, &vector, &destination, &level),
        0x21);
    event(unit);
    assert_int_equal(new_faults(), 3);
    machine_stop();
}

/* ---- storms ---- */

static unsigned told;
static uint16_t told_rid;

static void on_faults(void *context, uint16_t segment, uint16_t rid)
{
    assert_ptr_equal(context, &told);
    told++;
    told_rid = rid;
}

static unsigned lines_in_log(void)
{
    unsigned lines = 0;

    for (const char *c = host_log(); *c; c++)
        lines += *c == '\n';
    return lines;
}

static void pitfall_24_a_storm_is_counted_and_stopped(void **state)
{
    static const struct iommu_options options = {
        .fault_threshold = 100, .stop_device = true, .on_faults = on_faults, .context = &told};
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, &options);
    struct iommu_domain *domain = machine_domain();
    paddr_t reached;

    told = 0;
    new_faults();
    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    host_forget_log();
    for (unsigned i = 0; i < 5000; i++) {
        vtd_unit_forget_events(unit);
        vtd_unit_dma(unit, DEVICE, IOVA + i * PAGE_SIZE, true, &reached);
        event(unit);
    }
    /* Counted up to the threshold; then the device is silent and stopped. */
    assert_int_equal(new_faults(), 100);
    assert_int_equal(machine_unit()->faults.devices[0].count, 100);
    assert_false(host_pci_master(pci_find(0, DEVICE)));
    assert_true(host_pci_master(pci_find(0, OTHER)));
    assert_int_equal(told, 1);
    assert_int_equal(told_rid, DEVICE);
    assert_true(lines_in_log() < 20);
    /* Others are still heard. */
    vtd_unit_dma(unit, OTHER, IOVA, true, &reached);
    event(unit);
    assert_int_equal(new_faults(), 1);
    assert_int_equal(told, 1);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    iommu_domain_destroy(domain);
    machine_stop();
}

static void expect_storm(struct vtd_unit *unit, uint64_t heard)
{
    paddr_t reached;

    for (unsigned i = 0; i < 10; i++) {
        vtd_unit_dma(unit, DEVICE, IOVA, true, &reached);
        event(unit);
    }
    assert_int_equal(new_faults(), heard);
}

/* In no domain, and in one: the threshold begins anew, the report forgets nothing. */
static void a_forgiven_device_is_heard_again(void **state)
{
    static const struct iommu_options options = {
        .fault_threshold = 4, .stop_device = true, .on_faults = on_faults, .context = &told};
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, &options);
    struct iommu_domain *domain = machine_domain();
    const struct fault_device *device = &machine_unit()->faults.devices[0];

    told = 0;
    new_faults();
    expect_storm(unit, 4);
    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    expect_storm(unit, 0);
    assert_int_equal(iommu_forgive(machine_requester(DEVICE)), 0);
    assert_false(device->stopped);
    assert_true(device->reached);
    expect_storm(unit, 4);
    assert_int_equal(told, 2);
    assert_true(device->stopped);
    assert_int_equal(device->count, 8);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    assert_int_equal(iommu_forgive(machine_requester(DEVICE)), 0);
    expect_storm(unit, 4);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* Fewer faults than the threshold are forgotten, too; those of others are not. */
static void what_is_forgiven_counts_no_more(void **state)
{
    static const struct iommu_options options = {
        .fault_threshold = 12, .stop_device = true, .on_faults = on_faults, .context = &told};
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, &options);

    told = 0;
    new_faults();
    expect_storm(unit, 10);
    assert_int_equal(iommu_forgive(machine_requester(OTHER)), 0);
    assert_int_equal(machine_unit()->faults.devices[0].forgiven, 0);
    assert_int_equal(iommu_forgive(machine_requester(DEVICE)), 0);
    expect_storm(unit, 10);
    assert_int_equal(told, 0);
    expect_storm(unit, 2);
    assert_int_equal(told, 1);
    machine_stop();
}

static void nothing_behind_a_fenced_unit_is_forgiven(void **state)
{
    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    assert_int_equal(unit_fence(machine_unit(), "for the test"), -EIO);
    assert_int_equal(iommu_forgive(machine_requester(DEVICE)), -EIO);
    machine_stop();
}

/* Policy "log": everything is counted, the log stays short, the device goes on. */
static void a_storm_is_only_logged_if_told(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    paddr_t reached;

    new_faults();
    host_forget_log();
    for (unsigned i = 0; i < 2000; i++) {
        time_delay_ns(NS_PER_MS);
        vtd_unit_dma(unit, DEVICE, IOVA, true, &reached);
        event(unit);
    }
    assert_int_equal(new_faults(), 2000);
    assert_true(host_pci_master(pci_find(0, DEVICE)));
    assert_true(lines_in_log() < 100);
    assert_non_null(strstr(host_log(), "more since the last line"));
    machine_stop();
}

/* More requesters than there are counters: counted together. */
static void faults_of_many_requesters_are_all_counted(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    paddr_t reached;
    uint64_t sum = 0;

    new_faults();
    for (unsigned rid = 0; rid < 100; rid++) {
        vtd_unit_dma(unit, (uint16_t)(rid << 3), IOVA, true, &reached);
        event(unit);
    }
    assert_int_equal(new_faults(), 100);
    for (size_t i = 0; i < machine_unit()->faults.device_count; i++)
        sum += machine_unit()->faults.devices[i].count;
    assert_int_equal(machine_unit()->faults.device_count, FAULT_DEVICES);
    assert_int_equal(sum + machine_unit()->faults.other, 100);
    machine_stop();
}

/* A device that sends under ids it made up first: its own still reaches the threshold. */
static void made_up_requesters_do_not_hide_the_own(void **state)
{
    static const struct iommu_options options = {.fault_threshold = 20, .stop_device = true};
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, &options);
    const struct fault_log *log = &machine_unit()->faults;
    struct pci_device *device = pci_find(0, DEVICE);
    paddr_t reached;
    uint64_t sum = 0;

    pci_write16(device, PCI_COMMAND, PCI_COMMAND_MASTER);
    for (unsigned i = 0; i < 2 * FAULT_DEVICES; i++) {
        vtd_unit_dma(unit, (uint16_t)(0x500 + i / 2), IOVA, true, &reached);
        event(unit);
    }
    assert_int_equal(log->device_count, FAULT_DEVICES);
    for (unsigned i = 0; i < 20; i++) {
        assert_true(host_pci_master(device));
        vtd_unit_dma(unit, DEVICE, IOVA, true, &reached);
        event(unit);
    }
    assert_false(host_pci_master(device));
    assert_int_equal(log->other, 2);
    /* Those that were stopped stay told, whoever comes. */
    for (unsigned i = 0; i < 200; i++) {
        vtd_unit_dma(unit, (uint16_t)(0x600 + i), IOVA, true, &reached);
        event(unit);
    }
    for (size_t i = 0; i < log->device_count; i++)
        sum += log->devices[i].count;
    assert_int_equal(sum + log->other, 2 * FAULT_DEVICES + 20 + 200);
    assert_int_equal(log->devices[0].rid, DEVICE);
    assert_true(log->devices[0].stopped);
    machine_stop();
}

/* A unit that never runs out of faults (a broken status register) does not hang the kernel. */
static void an_endless_storm_ends(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);

    unit->endless_faults = true;
    fault_collect(machine_unit());
    assert_true(machine_unit()->faults.deaf);
    assert_int_equal(unit->fectl, 1u << 31 | VTD_RESERVED);
    unit->endless_faults = false;
    machine_stop();
}

static uint64_t pause_ms(void)
{
    return machine_unit()->faults.pause_ns / NS_PER_MS;
}

/* After a while, that becomes longer each time; what comes when the storm is over is told again. */
static void a_deaf_unit_is_listened_to_again(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    uint64_t longest = 0, before;

    assert_false(host_timer_expires());
    unit->endless_faults = true;
    event(unit);
    assert_int_equal(pause_ms(), 100);
    assert_non_null(
        strstr(host_log(), "iommu0: its faults do not end, and are not read for 100 ms"));
    /* Whoever asks meanwhile changes nothing, and waits for nothing. */
    before = time_ns();
    new_faults();
    assert_in_range(time_ns() - before, 0, NS_PER_MS);
    for (unsigned i = 0; i < 20; i++) {
        assert_true(host_timer_expires());
        assert_true(machine_unit()->faults.deaf);
        assert_true(pause_ms() >= longest);
        longest = pause_ms();
    }
    assert_int_equal(longest, 60000);
    unit->endless_faults = false;
    vtd_unit_fault(unit, DEVICE, 5, IOVA, false); /* recorded while nobody listened */
    assert_true(host_timer_expires());
    assert_false(machine_unit()->faults.deaf);
    assert_int_equal(unit->fectl, VTD_RESERVED);
    assert_int_equal(new_faults(), 1);
    assert_non_null(strstr(host_log(), "iommu0: its faults are read again"));
    vtd_unit_fault(unit, DEVICE, 5, IOVA, false);
    assert_int_equal(unit->fault_interrupts, 1);
    event(unit);
    assert_int_equal(new_faults(), 1);
    assert_false(host_timer_expires());
    /* Quiet for long: the next storm is the first again. */
    time_delay_ns(61 * NS_PER_S);
    unit->endless_faults = true;
    event(unit);
    assert_int_equal(pause_ms(), 100);
    unit->endless_faults = false;
    machine_stop();
}

static void refused_interrupts(struct vtd_unit *unit, uint16_t rid, unsigned count)
{
    uint32_t destination;
    uint8_t vector;
    bool level;

    while (count--) {
        vtd_unit_interrupt(unit, rid, 0xfee00000, 0x31, &vector, &destination, &level);
        event(unit);
    }
}

/* What firmware left ticking is told 16 times; what the payload may have sent each time. */
static void strangers_interrupts_are_only_counted(void **state)
{
    static const struct iommu_options options = {
        .fault_threshold = 100, .stop_device = true, .on_faults = on_faults, .context = &told};
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, &options);
    const struct fault_log *log = &machine_unit()->faults;

    told = 0;
    pci_find(0, DEVICE)->assigned = true;
    new_faults();
    host_forget_log();
    for (unsigned i = 0; i < 1000; i++) {
        time_delay_ns(10 * NS_PER_MS);
        refused_interrupts(unit, PCI_RID(0xf0, 31, 0), 1);
    }
    assert_int_equal(new_faults(), 16);
    assert_int_equal(log->strangers, 984);
    assert_int_equal(told, 0);
    assert_in_range(lines_in_log(), 2, 17);
    assert_non_null(strstr(host_log(), "0000:f0:1f.0 is nobody's, and its refused interrupts are "
                                       "only counted from now on"));
    /* Its DMA is not what it is known for. */
    machine_expect_refused(unit, PCI_RID(0xf0, 31, 0), IOVA, true, 1);
    event(unit);
    assert_int_equal(new_faults(), 1);
    refused_interrupts(unit, DEVICE, 50);
    assert_int_equal(new_faults(), 50);
    assert_int_equal(told, 0);
    refused_interrupts(unit, DEVICE, 50);
    assert_int_equal(new_faults(), 50);
    assert_int_equal(told, 1);
    assert_int_equal(told_rid, DEVICE);
    assert_int_equal(log->strangers, 984);
    machine_stop();
}

/* However many records there are: what a storm costs is bounded by how many are read. */
static void a_storm_costs_the_same_with_many_records(void **state)
{
    struct vtd_unit *unit = machine_start(cap_with_records(256, 0x1000), VTD_TEST_ECAP, NULL);
    uint64_t before = iommu_fault_count();

    for (unsigned n = 0; n < 256; n++)
        vtd_unit_fault(unit, DEVICE, 5, IOVA, false);
    unit->endless_records = true;
    fault_collect(machine_unit());
    assert_true(machine_unit()->faults.deaf);
    assert_in_range(iommu_fault_count() - before, 1024, 8 * 2048);
    unit->endless_records = false;
    machine_stop();
}

/* ---- shown ---- */

static void shows_the_most_recent_last(void **state)
{
    static char text[FAULT_TEXT_MAX * (FAULTS_KEPT + 2)];
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    static const char last_line[] =
        "0000:00:02.0 write to 0x100045000 refused: reason 1, the root entry is not present\n";
    char first_line[64];
    paddr_t reached;
    unsigned lines = 0;

    for (unsigned i = 0; i < 70; i++) {
        vtd_unit_dma(unit, DEVICE, IOVA + i * PAGE_SIZE, true, &reached);
        event(unit);
    }
    faults_show(text, sizeof(text));
    snprintf(first_line, sizeof(first_line), "count %llu\n",
             (unsigned long long)iommu_fault_count());
    assert_memory_equal(text, first_line, strlen(first_line));
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 1 + FAULTS_KEPT);
    assert_non_null(strstr(text, "0000:00:02.0 write to 0x100006000 refused: reason 1"));
    assert_null(strstr(text, "write to 0x100005000 "));
    assert_string_equal(text + strlen(text) - strlen(last_line), last_line);
    machine_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_happened_in_words),
        cmocka_unit_test(a_fault_reaches_the_log),
        cmocka_unit_test(the_event_goes_to_an_extended_apic_id),
        cmocka_unit_test(pitfall_23_records_anywhere_and_any_number),
        cmocka_unit_test(pitfall_22_overflow_is_cleared_and_nothing_else),
        cmocka_unit_test(old_records_are_dropped_at_start),
        cmocka_unit_test(interrupt_faults_name_the_index),
        cmocka_unit_test(pitfall_21_malformed_messages_are_refused),
        cmocka_unit_test(pitfall_24_a_storm_is_counted_and_stopped),
        cmocka_unit_test(a_forgiven_device_is_heard_again),
        cmocka_unit_test(what_is_forgiven_counts_no_more),
        cmocka_unit_test(nothing_behind_a_fenced_unit_is_forgiven),
        cmocka_unit_test(a_storm_is_only_logged_if_told),
        cmocka_unit_test(faults_of_many_requesters_are_all_counted),
        cmocka_unit_test(made_up_requesters_do_not_hide_the_own),
        cmocka_unit_test(an_endless_storm_ends),
        cmocka_unit_test(a_deaf_unit_is_listened_to_again),
        cmocka_unit_test(strangers_interrupts_are_only_counted),
        cmocka_unit_test(a_storm_costs_the_same_with_many_records),
        cmocka_unit_test(shows_the_most_recent_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
