/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt lines: a simulated I/O APIC whose messages go through the simulated unit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/iommu/remap.h"
#include "kernel/irq/line.h"
#include "kernel/lib/error.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/iommu_machine.h"

#define APIC_ID 8
#define SOURCE  PCI_RID(0xff, 0, 0)
#define PINS    24

/* The window shows whatever register was selected: a BAR with a function behind it. */
struct simulated {
    uint8_t *bar;
    uint32_t registers[0x10 + 2 * PINS];
};

static struct simulated apics[2];
static unsigned calls;

static uint32_t word(const struct simulated *apic, unsigned offset)
{
    uint32_t value;

    memcpy(&value, apic->bar + offset, 4);
    return value;
}

/* Before each access: what was written to the window last goes to its register. */
static void follow(struct simulated *apic)
{
    uint32_t selected = word(apic, 0), stored = word(apic, 0x20);

    if (stored < ARRAY_SIZE(apic->registers))
        apic->registers[stored] = word(apic, 0x10);
    if (selected < ARRAY_SIZE(apic->registers))
        memcpy(apic->bar + 0x10, &apic->registers[selected], 4);
    memcpy(apic->bar + 0x20, &selected, 4);
}

static void on_access(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(apics); i++) {
        if (apics[i].bar)
            follow(&apics[i]);
    }
}

static void simulate(size_t i, paddr_t base)
{
    memset(&apics[i], 0, sizeof(apics[i]));
    apics[i].bar = host_bar_add(base, 0x1000);
    apics[i].registers[1] = (PINS - 1) << 16 | 0x20;
    for (unsigned pin = 0; pin < PINS; pin++)
        apics[i].registers[0x10 + 2 * pin] = 0x31; /* firmware left them open */
}

static uint32_t low_half(size_t i, unsigned pin)
{
    on_access();
    return apics[i].registers[0x10 + 2 * pin];
}

static uint32_t high_half(size_t i, unsigned pin)
{
    on_access();
    return apics[i].registers[0x10 + 2 * pin + 1];
}

static void on_line(void *context, unsigned index)
{
    assert_ptr_equal(context, &calls);
    assert_int_equal(index, 0);
    calls++;
}

static void stop(void)
{
    struct refusal why;

    assert_int_equal(irq_lines_init(NULL, 0, &why), 0);
    machine_stop();
}

static struct vtd_unit *start(const struct iommu_options *options, uint64_t ecap)
{
    static const struct acpi_io_apic described[] = {{APIC_ID, 0xfec00000, 0},
                                                    {9, 0xfec10000, PINS}};
    struct vtd_unit *unit = machine_build(VTD_TEST_CAP, ecap);
    struct refusal why;

    host_dmar_scope(&host_dmar.units[0].scopes, DMAR_SCOPE_IO_APIC, APIC_ID, 0xff, 0, 0);
    simulate(0, 0xfec00000);
    simulate(1, 0xfec10000);
    host_on_bar_access = on_access;
    calls = 0;
    assert_int_equal(machine_init(options), 0);
    assert_int_equal(irq_lines_init(described, 2, &why), 0);
    return unit;
}

/* The pin's message, as the I/O APIC makes it from its entry (5.1.5.1). */
static unsigned fire(struct vtd_unit *unit, unsigned pin)
{
    uint32_t low = low_half(0, pin), high = high_half(0, pin), destination;
    uint64_t address =
        UINT64_C(0xfee00010) | (uint64_t)(high >> 17) << 5 | (uint64_t)((low >> 11) & 1) << 2;
    unsigned reason;
    uint8_t vector;
    bool level;

    if (low & 0x10000)
        return 1000; /* masked */
    assert_true(high & 0x10000);
    reason = vtd_unit_interrupt(unit, SOURCE, address, 0, &vector, &destination, &level);
    if (reason)
        return reason;
    /* Both halves agree. */
    assert_int_equal(vector, low & 0xff);
    assert_int_equal(level, (low >> 15) & 1);
    assert_true(host_raise(vector));
    return 0;
}

static void every_pin_is_masked_at_first(void **state)
{
    start(NULL, VTD_TEST_ECAP);
    for (unsigned pin = 0; pin < PINS; pin++) {
        assert_int_equal(low_half(0, pin), 0x10000);
        assert_int_equal(low_half(1, pin), 0x10000);
    }
    stop();
}

/* The firmware's way into SMM stays open, and is nobody's line. */
static void a_pin_that_leads_into_smm_is_spared(void **state)
{
    static const struct acpi_io_apic described = {APIC_ID, 0xfec00000, 0};
    struct irq_line *line;
    struct refusal why;

    start(NULL, VTD_TEST_ECAP);
    low_half(0, 0); /* what was written last has reached its register */
    apics[0].registers[0x10 + 2 * 7] = 0x200;
    apics[0].registers[0x10 + 2 * 8] = 0x400; /* NMI is not */
    assert_int_equal(irq_lines_init(&described, 1, &why), 0);
    assert_int_equal(low_half(0, 7), 0x200);
    assert_int_equal(low_half(0, 8), 0x10000);
    assert_false(irq_line_exists(7));
    assert_true(irq_line_exists(8));
    assert_int_equal(irq_line_enable(7, on_line, &calls, &line), -ENOENT);
    stop();
}

static void lines_are_masked_when_they_fire(void **state)
{
    struct vtd_unit *unit = start(NULL, VTD_TEST_ECAP);
    struct irq_line *line;
    unsigned vectors = host_vectors();

    assert_int_equal(irq_line_enable(20, on_line, &calls, &line), 0);
    assert_int_equal(fire(unit, 20), 1000);
    irq_line_mask(line, false);
    assert_int_equal(low_half(0, 20) & 0x1a000, 0xa000); /* level, active low, open */
    assert_int_equal(fire(unit, 20), 0);
    assert_int_equal(calls, 1);
    assert_int_equal(fire(unit, 20), 1000);
    irq_line_mask(line, false);
    assert_int_equal(fire(unit, 20), 0);
    assert_int_equal(calls, 2);
    /* Held back by kernel/cpu/storm.c: whoever enabled it changes nothing. */
    assert_true(host_hold(low_half(0, 20) & 0xff, true));
    irq_line_mask(line, false);
    assert_int_equal(fire(unit, 20), 1000);
    host_hold(low_half(0, 20) & 0xff, false);
    assert_int_equal(fire(unit, 20), 0);
    host_hold(low_half(0, 20) & 0xff, false); /* masked by having fired, and stays so */
    assert_int_equal(fire(unit, 20), 1000);
    irq_line_disable(line);
    assert_int_equal(low_half(0, 20), 0x10000);
    assert_int_equal(host_vectors(), vectors);
    assert_int_equal(machine_unit()->remap.in_use, 0);
    stop();
}

/* Only the I/O APIC's own source id may use the entry, and a high index has its bit elsewhere. */
static void entries_name_the_io_apic(void **state)
{
    static const struct iommu_options large = {.remap_entries = 65536};
    struct vtd_unit *unit = start(&large, VTD_TEST_ECAP);
    uint32_t destination;
    struct irq_line *line;
    unsigned first;
    uint8_t vector;
    bool level;

    assert_int_equal(remap_alloc(machine_unit(), 0x8001, false, &first), 0);
    assert_int_equal(irq_line_enable(3, on_line, &calls, &line), 0);
    irq_line_mask(line, false);
    assert_int_equal(low_half(0, 3) & 0x800, 0x800);
    assert_int_equal(high_half(0, 3), 1u << 17 | 1u << 16);
    assert_int_equal(fire(unit, 3), 0);
    assert_int_equal(vtd_unit_interrupt(unit, DEVICE, remap_message_address(0x8001), 0, &vector,
                                        &destination, &level),
                     0x26);
    irq_line_disable(line);
    stop();
}

/* An I/O APIC that no unit names, or a unit without remapping: the old format. */
static void unnamed_io_apics_use_the_old_format(void **state)
{
    static const struct iommu_options unsafe = {.unsafe_interrupts = true};
    struct irq_line *line;

    start(NULL, VTD_TEST_ECAP);
    host_set_apic_id(3);
    assert_int_equal(irq_line_enable(PINS + 2, on_line, &calls, &line), 0);
    assert_int_equal(high_half(1, 2), 3u << 24);
    assert_true(host_raise(low_half(1, 2) & 0xff));
    irq_line_disable(line);
    stop();

    start(&unsafe, ECAP_WITH(0, BIT(3)));
    assert_int_equal(irq_line_enable(2, on_line, &calls, &line), 0);
    assert_int_equal(high_half(0, 2), 0);
    irq_line_disable(line);
    stop();
}

static void refuses_what_cannot_be(void **state)
{
    static const struct acpi_io_apic twice[] = {{8, 0xfec00000, 0}, {9, 0xfec10000, PINS - 1}};
    struct irq_line *line;
    struct refusal why;

    start(NULL, VTD_TEST_ECAP);
    assert_int_equal(irq_line_enable(2 * PINS, on_line, &calls, &line), -ENOENT);
    host_limit_vectors(host_vectors());
    assert_int_equal(irq_line_enable(1, on_line, &calls, &line), -ENOSPC);
    assert_int_equal(irq_lines_init(twice, 2, &why), -EINVAL);
    assert_string_equal(why.sentence, "two I/O APICs claim interrupt 23");
    stop();
}

static void survives_every_failed_allocation(void **state)
{
    bool done = false;

    for (uint64_t n = 1; !done; n++) {
        struct irq_line *line;
        unsigned vectors;
        int error;

        start(NULL, VTD_TEST_ECAP);
        vectors = host_vectors();
        host_fail_nth(n);
        error = irq_line_enable(5, on_line, &calls, &line);
        done = !host_failed();
        host_fail_nth(0);
        assert_true(done ? error == 0 : error < 0);
        if (done)
            irq_line_disable(line);
        assert_int_equal(low_half(0, 5), 0x10000);
        assert_int_equal(host_vectors(), vectors);
        assert_int_equal(machine_unit()->remap.in_use, 0);
        stop();
    }
}

/* The entry that could not be committed lets nothing through, and is not given to anybody else. */
static void a_dead_unit_gives_no_line(void **state)
{
    struct vtd_unit *unit = start(NULL, VTD_TEST_ECAP);
    unsigned vectors = host_vectors();
    struct irq_line *line;

    unit->dead = true;
    assert_int_equal(irq_line_enable(5, on_line, &calls, &line), -EIO);
    assert_int_equal(low_half(0, 5), 0x10000);
    assert_int_equal(host_vectors(), vectors);
    assert_false(machine_unit()->remap.entries[0].low & 1);
    assert_int_equal(machine_unit()->remap.in_use, 1);
    stop();
}

/* With no entry left a line uses none, least of all somebody else's. */
static void a_line_needs_an_entry_of_its_own(void **state)
{
    static const struct iommu_options few = {.remap_entries = 256};
    const struct remap_source source = {VTD_SOURCE_EXACT, DEVICE};
    struct vtd_irte before[256];
    struct irq_line *line;
    unsigned first, vectors;

    start(&few, VTD_TEST_ECAP);
    vectors = host_vectors();
    assert_int_equal(remap_alloc(machine_unit(), 256, false, &first), 0);
    remap_write(machine_unit(), first, 0x55, 0, false, source);
    memcpy(before, machine_unit()->remap.entries, sizeof(before));
    assert_int_equal(irq_line_enable(5, on_line, &calls, &line), -ENOSPC);
    assert_memory_equal(before, machine_unit()->remap.entries, sizeof(before));
    assert_int_equal(machine_unit()->remap.in_use, 256);
    assert_int_equal(low_half(0, 5), 0x10000);
    assert_int_equal(high_half(0, 5), 0);
    assert_int_equal(host_vectors(), vectors);
    /* The very last entry will do. */
    assert_int_equal(remap_free(machine_unit(), 255, 1), 0);
    assert_int_equal(irq_line_enable(5, on_line, &calls, &line), 0);
    assert_int_equal(high_half(0, 5), 255u << 17 | 1u << 16);
    irq_line_disable(line);
    stop();
}

/* The first and the last pin of every I/O APIC are pins, and what lies between two is none. */
static void every_pin_has_its_line(void **state)
{
    static const unsigned lines[] = {0, PINS - 1, PINS, 2 * PINS - 1};
    struct irq_line *line[ARRAY_SIZE(lines)], *again;

    start(NULL, VTD_TEST_ECAP);
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        assert_int_equal(irq_line_enable(lines[i], on_line, &calls, &line[i]), 0);
        irq_line_mask(line[i], false);
        assert_int_equal(low_half(lines[i] / PINS, lines[i] % PINS) & 0x1a000, 0xa000);
        assert_true(host_raise(low_half(lines[i] / PINS, lines[i] % PINS) & 0xff));
        assert_int_equal(calls, i + 1);
        irq_line_mask(line[i], false);
    }
    assert_int_equal(irq_line_enable(2 * PINS, on_line, &calls, &again), -ENOENT);
    /* Each ends alone. */
    for (size_t ended = 1; ended <= ARRAY_SIZE(lines); ended++) {
        size_t which = ended % ARRAY_SIZE(lines);

        irq_line_disable(line[which]);
        assert_int_equal(low_half(lines[which] / PINS, lines[which] % PINS), 0x10000);
        assert_int_equal(irq_line_enable(lines[which], on_line, &calls, &again), 0);
        irq_line_disable(again);
        for (size_t k = ended + 1; k <= ARRAY_SIZE(lines); k++)
            assert_true(host_raise(
                low_half(lines[k % ARRAY_SIZE(lines)] / PINS, lines[k % ARRAY_SIZE(lines)] % PINS) &
                0xff));
    }
    assert_int_equal(machine_unit()->remap.in_use, 0);
    stop();
}

static void io_apics_that_cannot_be_reached_are_named(void **state)
{
    static const struct acpi_io_apic described[] = {{8, 0xfec00000, 0}, {77, 0xfec10000, 99}};
    struct refusal why;
    struct irq_line *line;

    start(NULL, VTD_TEST_ECAP);
    host_fail_nth(1);
    assert_int_equal(irq_lines_init(described, 2, &why), -ENOMEM);
    assert_string_equal(why.sentence, "no memory for the I/O APICs");
    host_fail_nth(3);
    assert_int_equal(irq_lines_init(described, 2, &why), -ENOMEM);
    assert_string_equal(why.sentence, "the registers of I/O APIC 77 could not be mapped");
    assert_int_equal(irq_line_enable(99, on_line, &calls, &line), -ENOENT);
    assert_int_equal(irq_lines_init(described, 1, &why), 0); /* the list ends before the second */
    assert_int_equal(irq_line_enable(99, on_line, &calls, &line), -ENOENT);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pin_is_masked_at_first),
        cmocka_unit_test(a_pin_that_leads_into_smm_is_spared),
        cmocka_unit_test(lines_are_masked_when_they_fire),
        cmocka_unit_test(entries_name_the_io_apic),
        cmocka_unit_test(unnamed_io_apics_use_the_old_format),
        cmocka_unit_test(refuses_what_cannot_be),
        cmocka_unit_test(survives_every_failed_allocation),
        cmocka_unit_test(a_dead_unit_gives_no_line),
        cmocka_unit_test(a_line_needs_an_entry_of_its_own),
        cmocka_unit_test(every_pin_has_its_line),
        cmocka_unit_test(io_apics_that_cannot_be_reached_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
