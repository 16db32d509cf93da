/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors and containment at ports, in a machine with a switch below one and nothing to report at
 * another. */
#include "tests/unit/pci_fixture.h"

#include "kernel/cpu/time.h"
#include "kernel/iommu/iommu.h"
#include "kernel/irq/irq.h"
#include "kernel/pci/quiet.h"
#include "kernel/pci/reset.h"
#include "kernel/pcie/port.h"
#include "tests/unit/host_thread.h"

#define ROOT  PCI_RID(0, 0x1c, 0)
#define MUTE  PCI_RID(0, 0x1d, 0)
#define UP    PCI_RID(1, 0, 0)
#define DOWN  PCI_RID(2, 0, 0)
#define OTHER PCI_RID(2, 1, 0)
#define FIRST PCI_RID(3, 0, 0)
#define LAST  PCI_RID(4, 0, 0)
#define QUIET PCI_RID(5, 0, 0)
#define PORTS 4 /* above assigned devices */

#define FATAL                     0x00040000 /* malformed request */
#define POISONED                  0x00001000
#define UNCLEAR                   0x7f /* all that a root port can say */
#define RECEIVED                  0x04
#define SOURCES(corrected, other) ((uint64_t)(other) << 16 | (corrected))

/* ---- the machine ---- */

static struct sim_function *root, *mute, *up, *down, *other, *first, *last, *quiet;
static unsigned aer, dpc, lower_dpc;

static struct sim_function *port(pci_rid_t rid, unsigned type, unsigned from, unsigned to)
{
    struct sim_function *f = sim_add(0, rid, 0x000c1b36, 0x060400);

    sim_bridge(f, from, to);
    sim_express(f, type, false);
    sim_link(f);
    sim_set(f, f->pcie + PCIE_DEVICE_STATUS, 2, 0xf, 0);
    sim_set(f, f->pcie + PCIE_ROOT_CONTROL, 2, 7, 0x1f);
    sim_capability(f, PCI_CAP_MSI, 16);
    return f;
}

static unsigned reporting(struct sim_function *f)
{
    unsigned at = sim_extended_capability(f, PCI_EXT_CAP_AER, 0x38);

    /* As firmware leaves it that wants to hear of everything. */
    sim_set(f, f->pcie + PCIE_DEVICE_CONTROL, 2, 0x281f, 0xffff);
    sim_set(f, PCI_COMMAND, 2, PCI_COMMAND_SERR, 0x547);
    sim_set(f, at + PCI_AER_FATAL_STATUS, 4, FATAL, 0);
    sim_set(f, at + PCI_AER_FATAL_MASK, 4, 0, UINT32_MAX);
    sim_set(f, at + PCI_AER_FATAL_SEVERITY, 4, FATAL, UINT32_MAX);
    sim_set(f, at + PCI_AER_ROOT_COMMAND, 4, 0, 7);
    sim_set(f, at + PCI_AER_ROOT_STATUS, 4, UNCLEAR, 0);
    memset(f->cleared + at + PCI_AER_FATAL_STATUS, 0xff, 4);
    memset(f->cleared + at + PCI_AER_ROOT_STATUS, 0xff, 4);
    memset(f->cleared + f->pcie + PCIE_DEVICE_STATUS, 0xf, 1);
    return at;
}

static struct sim_function *card(pci_rid_t rid, paddr_t bar)
{
    struct sim_function *f = sim_add(0, rid, NIC, 0x020000);

    sim_express(f, PCIE_ENDPOINT, true);
    sim_bar(f, 0, bar, 4096, 0);
    reporting(f);
    return f;
}

static unsigned containing(struct sim_function *f, uint16_t capability)
{
    unsigned at = sim_extended_capability(f, PCI_EXT_CAP_DPC, 16);

    sim_set(f, at + PCI_DPC_CAP, 2, capability, 0);
    sim_set(f, at + PCI_DPC_CONTROL, 2, 2, 0xff);
    memset(f->cleared + at + PCI_DPC_STATUS, 0x09, 1);
    memset(f->cleared + at + PCI_DPC_PIO_STATUS, 0xff, 4);
    return at;
}

/* ---- what surrounds the code ---- */

static struct {
    void (*entry)(void *argument);
    void *argument;
} started[PORTS];
static unsigned thread_count;
static uint64_t until; /* the deadline of the sleep in which a port ended its round */
static jmp_buf out;

int thread_create(struct thread **created, struct cpu_space *space, void (*entry)(void *),
                  void *argument)
{
    started[thread_count].entry = entry;
    started[thread_count++].argument = argument;
    *created = thread_current();
    return 0;
}

void thread_start(struct thread *thread)
{
}

static int stop(const char *point, uint64_t deadline_ns)
{
    until = deadline_ns;
    longjmp(out, 1);
}

/* A port's thread until it sleeps. */
static void run(unsigned number)
{
    host_sleep = stop;
    if (!setjmp(out))
        started[number].entry(started[number].argument);
    host_sleep = NULL;
}

/* Vectors: one for each port, unless there is none. */
static struct irq_set {
    irq_handler handler;
    void *context;
    const struct pci_device *device;
    unsigned restored;
    bool heard;
} sets[PORTS];
static unsigned set_count;
static bool deaf;

/* Nothing is removed here. */
int iommu_cut(struct requester *requester, bool cut)
{
    fail();
    return 0;
}

unsigned irq_count(const struct pci_device *device, enum irq_kind kind)
{
    return kind == IRQ_MSI && device->cap_msi ? 1 : 0;
}

int irq_enable(struct pci_device *device, enum irq_kind kind, unsigned count, irq_handler handler,
               void *context, struct irq_set **set)
{
    assert_int_equal(kind, IRQ_MSI);
    if (deaf)
        return -ENOSPC;
    *set = &sets[set_count++];
    **set = (struct irq_set){handler, context, device, 0, false};
    return 0;
}

bool irq_mask(struct irq_set *set, unsigned index, bool masked)
{
    set->heard = !masked;
    return true;
}

void irq_restore(struct irq_set *set)
{
    set->restored++;
}

static unsigned told_first, told_last;

static void note_error(const struct pci_device *device)
{
    told_first += device->rid == FIRST;
    told_last += device->rid == LAST;
    assert_true(device->assigned);
    assert_true(told_first < 1000); /* a port that goes on for ever */
}

static int recovered;

static int recover(const struct pci_device *p)
{
    recovered = recovered ? recovered : pci_recover_below(p);
    return recovered;
}

static const struct port_users users = {.error = note_error, .recover = recover};

static char said[4096];

static void note_log(const char *text, size_t length)
{
    size_t used = strlen(said);

    if (used + length < sizeof(said))
        memcpy(said + used, text, length);
}

static void is_said(const char *sentence)
{
    if (!strstr(said, sentence))
        fail_msg("'%s' does not say '%s'", said, sentence);
}

static int build(void **state)
{
    static struct log_sink sink = {note_log, NULL, NULL};
    static bool added;

    if (!added)
        log_add_sink(&sink);
    added = true;
    new_machine(state);
    thread_count = set_count = told_first = told_last = 0;
    deaf = port_errors_kept = false;
    recovered = 0;
    root = port(ROOT, PCIE_ROOT_PORT, 1, 4);
    mute = port(MUTE, PCIE_ROOT_PORT, 5, 5);
    up = port(UP, PCIE_UPSTREAM_PORT, 2, 4);
    down = port(DOWN, PCIE_DOWNSTREAM_PORT, 3, 3);
    other = port(OTHER, PCIE_DOWNSTREAM_PORT, 4, 4);
    first = card(FIRST, 0xfe000000);
    last = card(LAST, 0xfe001000);
    quiet = card(QUIET, 0xfe002000);
    aer = reporting(root);
    dpc = containing(root, PCI_DPC_CAP_ROOT);
    lower_dpc = containing(down, 0);
    sim_remember();
    enumerate();
    pci_quiet_all(&(struct pci_machine){.acpi = &acpi});
    pci_size_bars();
    pci_save_all();
    pci_find(0, FIRST)->assigned = pci_find(0, LAST)->assigned = true;
    pci_find(0, QUIET)->assigned = true;
    memset(said, 0, sizeof(said));
    return 0;
}

static int forget(void **state)
{
    for (unsigned i = 0; i < thread_count; i++) {
        struct port *p = started[i].argument;

        list_remove(&p->link);
        kfree(p);
    }
    return no_leak(state);
}

static void start(void)
{
    assert_int_equal(ports_start(&users, &why), 0);
    for (unsigned i = 0; i < thread_count; i++)
        run(i);
}

/* The root port hears of an error, and its interrupt comes. */
static void hear(unsigned status, uint64_t sources)
{
    unsigned wakes = host_wakes;

    sim_set(root, aer + PCI_AER_ROOT_STATUS, 4, status, 0);
    sim_set(root, aer + PCI_AER_ROOT_SOURCES, 4, sources, 0);
    sim_set(first, 0x100 + PCI_AER_FATAL_STATUS, 4, FATAL, 0);
    sets[0].handler(sets[0].context, 0);
    assert_int_equal(host_wakes, wakes + 1);
    /* What the interrupt does not take stays, so it cannot come again. */
    assert_int_equal(sim_get(root, aer + PCI_AER_ROOT_STATUS, 4), status);
    run(0);
    assert_int_equal(sim_get(root, aer + PCI_AER_ROOT_STATUS, 4), 0);
    assert_int_equal(sim_get(first, 0x100 + PCI_AER_FATAL_STATUS, 4), 0);
}

static void check_told(unsigned by_first, unsigned by_last)
{
    assert_int_equal(told_first, by_first);
    assert_int_equal(told_last, by_last);
}

static uint64_t control_of(const struct sim_function *f)
{
    return sim_get(f, f->pcie + PCIE_DEVICE_CONTROL, 2) & PCIE_DEVICE_CONTROL_ERRORS;
}

/* ---- errors ---- */

/* Of what a device can cause at will nobody hears, whoever has the ports. */
static void check_outcome(enum sim_outcome of_errors)
{
    const struct sim_function *const cards[] = {first, last};

    for (size_t i = 0; i < ARRAY_SIZE(cards); i++) {
        assert_int_equal(sim_error(cards[i], POISONED), of_errors);
        assert_int_equal(sim_error(cards[i], FATAL), of_errors);
        assert_int_equal(sim_error(cards[i], PCI_AER_UNSUPPORTED), SIM_SILENT);
        assert_int_equal(sim_error(cards[i], PCI_AER_ACCESS_CONTROL), SIM_SILENT);
    }
    assert_int_equal(sim_error(root, FATAL), of_errors);
    assert_int_equal(sim_error(root, PCI_AER_UNSUPPORTED), SIM_SILENT);
    assert_int_equal(sim_error(quiet, FATAL), SIM_SILENT);
    assert_int_equal(sim_error(quiet, PCI_AER_UNSUPPORTED), SIM_SILENT);
}

static void all_on_the_way_speak_and_nothing_is_a_system_error(void **state)
{
    const struct sim_function *const bridges[] = {root, up, down, other};

    start();
    check_outcome(SIM_TOLD);
    assert_int_equal(thread_count, PORTS);
    for (unsigned i = 0; i < PORTS; i++)
        assert_true(sets[i].heard);
    for (size_t i = 0; i < ARRAY_SIZE(bridges); i++) {
        assert_int_equal(control_of(bridges[i]), 7);
        assert_true(sim_get(bridges[i], PCI_BRIDGE_CONTROL, 2) & PCI_BRIDGE_SERR);
        assert_true(sim_get(bridges[i], PCI_COMMAND, 2) & PCI_COMMAND_SERR);
    }
    assert_int_equal(control_of(first), 7);
    assert_false(sim_get(first, PCI_COMMAND, 2) & PCI_COMMAND_SERR);
    assert_false(pci_command_bits(pci_find(0, FIRST)) & PCI_COMMAND_SERR);
    assert_int_equal(sim_get(root, root->pcie + PCIE_ROOT_CONTROL, 2) & 7, 0);
    assert_int_equal(sim_get(root, aer + PCI_AER_ROOT_COMMAND, 4), 7);
    /* What the firmware left is not told. */
    assert_int_equal(sim_get(root, aer + PCI_AER_ROOT_STATUS, 4), 0);
    assert_int_equal(sim_get(first, 0x100 + PCI_AER_FATAL_STATUS, 4), 0);
    check_told(0, 0);
    assert_int_equal(until, TIME_NEVER);
}

static void a_reset_device_speaks_again(void **state)
{
    start();
    assert_int_equal(pci_reset(pci_find(0, FIRST)), 0);
    assert_int_equal(first->resets, 1);
    assert_int_equal(control_of(first), 7);
    check_outcome(SIM_TOLD);
}

/* And their messages, and those from below, arrive. */
static void so_do_ports_behind_a_reset_bus(void **state)
{
    start();
    sets[2].restored = sets[3].restored = 0;
    assert_int_equal(pci_reset_below(pci_find(0, ROOT)), 0);
    assert_int_equal(control_of(down), 7);
    check_outcome(SIM_TOLD);
    assert_int_equal(sim_get(down, lower_dpc + PCI_DPC_CONTROL, 2),
                     PCI_DPC_CONTROL_FATAL | PCI_DPC_CONTROL_INTERRUPT);
    assert_ptr_equal(sets[2].device, pci_find(0, DOWN));
    assert_int_equal(sets[2].restored, 1);
    assert_int_equal(sets[3].restored, 1);
    assert_true(sim_get(down, PCI_COMMAND, 2) & PCI_COMMAND_MASTER);
}

static void an_error_is_told_to_the_user_of_the_device(void **state)
{
    start();
    hear(RECEIVED, SOURCES(0, FIRST));
    check_told(1, 0);
    is_said("0000:00:1c.0: an error that is not fatal, sent first by 0000:03:00.0; 1 so far");
    hear(RECEIVED | PCI_AER_ROOT_FATAL, SOURCES(0, LAST));
    check_told(1, 1);
    is_said("a fatal error, sent first by 0000:04:00.0; 2 so far");
}

static void several_errors_are_told_to_all(void **state)
{
    start();
    hear(RECEIVED | PCI_AER_ROOT_MORE, SOURCES(0, FIRST));
    check_told(1, 1);
}

static void a_source_that_is_nobody_is_told_to_all(void **state)
{
    start();
    hear(RECEIVED, SOURCES(0, 0x7777));
    check_told(1, 1);
    hear(RECEIVED, SOURCES(0, QUIET)); /* below another port */
    check_told(2, 2);
}

static void a_port_speaks_for_what_is_below(void **state)
{
    start();
    hear(RECEIVED, SOURCES(0, OTHER));
    check_told(0, 1);
    hear(RECEIVED, SOURCES(0, ROOT));
    check_told(1, 2);
}

static void a_corrected_error_is_counted_only(void **state)
{
    start();
    hear(PCI_AER_ROOT_CORRECTED, SOURCES(FIRST, 0));
    hear(PCI_AER_ROOT_CORRECTED, SOURCES(FIRST, 0));
    check_told(0, 0);
    is_said("0000:00:1c.0: an error was corrected, sent first by 0000:03:00.0; 2 so far");
}

static void errors_without_end_are_a_few_lines(void **state)
{
    unsigned lines = 0;

    start();
    for (unsigned i = 0; i < 100; i++)
        hear(RECEIVED, SOURCES(0, FIRST));
    check_told(100, 0);
    for (const char *at = said; (at = strstr(at, "not fatal")); at++)
        lines++;
    assert_int_equal(lines, 10);
}

static uint64_t quiet_from;

static void err_again(const struct sim_function *f, unsigned offset)
{
    if (f == root && offset == aer + PCI_AER_ROOT_STATUS && host_now_ns < quiet_from)
        sim_set(root, aer + PCI_AER_ROOT_STATUS, 4, RECEIVED, 0);
}

/* To clear an error may be the next one. */
static void a_port_that_errs_without_end_is_asked_ever_more_seldom(void **state)
{
    start();
    quiet_from = host_now_ns + 60 * NS_PER_S;
    sim_on_write = err_again;
    sim_set(root, aer + PCI_AER_ROOT_STATUS, 4, RECEIVED, 0);
    sim_set(root, aer + PCI_AER_ROOT_SOURCES, 4, SOURCES(0, FIRST), 0);
    run(0);
    assert_in_range(told_first, 60, 80);
}

static void what_is_in_reset_is_asked_nothing(void **state)
{
    start();
    pci_find(0, LAST)->in_reset = true;
    sim_set(last, 0x100 + PCI_AER_FATAL_STATUS, 4, FATAL, 0);
    hear(RECEIVED, SOURCES(0, FIRST));
    assert_int_equal(sim_get(last, 0x100 + PCI_AER_FATAL_STATUS, 4), FATAL);
    /* A port itself, when it wakes. */
    pci_find(0, ROOT)->in_reset = true;
    sim_set(root, aer + PCI_AER_ROOT_STATUS, 4, RECEIVED, 0);
    run(0);
    assert_int_equal(sim_get(root, aer + PCI_AER_ROOT_STATUS, 4), RECEIVED);
}

static void check_kept(void)
{
    start();
    assert_int_equal(sim_get(root, aer + PCI_AER_ROOT_COMMAND, 4), 0);
    assert_int_equal(sim_get(root, dpc + PCI_DPC_CONTROL, 2), 2);
    assert_int_equal(control_of(first), 0);
    check_outcome(SIM_SILENT);
    assert_int_equal(pci_reset_below(pci_find(0, ROOT)), 0);
    check_outcome(SIM_SILENT);
    assert_int_equal(pci_command_bits(pci_find(0, FIRST)), PCI_COMMAND_INTX_DISABLE);
    assert_string_equal(port_errors_show(pci_find(0, ROOT)), "kept by the firmware (HEST)");
    sim_set(root, aer + PCI_AER_ROOT_STATUS, 4, RECEIVED, 0);
    sim_set(root, dpc + PCI_DPC_STATUS, 2, PCI_DPC_TRIGGERED, 0);
    run(0);
    assert_int_equal(sim_get(root, aer + PCI_AER_ROOT_STATUS, 4), RECEIVED);
    assert_int_equal(sim_get(root, dpc + PCI_DPC_STATUS, 2), PCI_DPC_TRIGGERED);
    check_told(0, 0);
}

/* It is not told of errors either: it would make an SMI of each. */
static void what_the_firmware_keeps_is_left_alone(void **state)
{
    port_errors_kept = true;
    check_kept();
}

static void who_hears_of_errors_is_shown(void **state)
{
    assert_string_equal(port_errors_show(pci_find(0, ROOT)), "reported");
    assert_non_null(strstr(port_errors_show(pci_find(0, MUTE)), "not reported"));
    pci_find(0, ROOT)->cap_msi = 0;
    assert_non_null(strstr(port_errors_show(pci_find(0, ROOT)), "it has no messages to send"));
}

static void a_port_above_a_device_that_is_left_stays_as_it_is(void **state)
{
    uint64_t writes;

    pci_find(0, ROOT)->left = pci_find(0, MUTE)->left = true;
    pci_find(0, UP)->left = pci_find(0, DOWN)->left = pci_find(0, OTHER)->left = true;
    writes = sim_config_writes;
    assert_int_equal(ports_start(&users, &why), 0);
    assert_int_equal(sim_config_writes, writes);
    assert_int_equal(thread_count, 0);
}

/* ---- containment ---- */

static uint64_t link_takes;
static uint64_t first_written; /* when something was to what is next to the port */

/* With the trigger cleared the link comes up again, and what is below answers. */
static void release_link(const struct sim_function *f, unsigned offset)
{
    struct sim_function *const below[] = {up, down, other, first, last};

    if (f == up && !first_written)
        first_written = host_now_ns;
    if (f != root || offset != dpc + PCI_DPC_STATUS || root->link_from != SIM_NEVER ||
        (sim_get(root, offset, 2) & PCI_DPC_TRIGGERED))
        return;
    root->link_from = link_takes == SIM_NEVER ? SIM_NEVER : host_now_ns + link_takes;
    for (size_t i = 0; i < ARRAY_SIZE(below); i++)
        below[i]->answers_from = root->link_from;
}

static void contain(unsigned status, uint64_t takes)
{
    struct sim_function *const below[] = {up, down, other, first, last};

    link_takes = takes;
    first_written = 0;
    sim_on_write = release_link;
    for (size_t i = 0; i < ARRAY_SIZE(below); i++) {
        memcpy(below[i]->config, below[i]->after_reset, sizeof(below[i]->config));
        below[i]->answers_from = SIM_NEVER;
    }
    root->link_from = SIM_NEVER;
    sim_set(root, dpc + PCI_DPC_STATUS, 2, PCI_DPC_TRIGGERED | PCI_DPC_INTERRUPT | status, 0);
    sim_set(root, dpc + PCI_DPC_SOURCE, 2, FIRST, 0);
    sim_set(root, dpc + PCI_DPC_PIO_STATUS, 4, 0x10000, 0);
    if (!deaf)
        sets[0].handler(sets[0].context, 0);
    run(0);
}

/* But not for errors: of these nothing is said where it has none. */
static void a_port_without_an_interrupt_is_asked(void **state)
{
    deaf = true;
    start();
    is_said("0000:00:1c.0: no interrupt of its own");
    assert_int_equal(until, host_now_ns + NS_PER_S);
    check_outcome(SIM_SILENT);
    assert_int_equal(sim_get(root, aer + PCI_AER_ROOT_COMMAND, 4), 0);
    contain(2 << 1, 0);
    is_said("0000:00:1c.0: took its link down: a fatal error (0000:03:00.0)");
    check_told(1, 1);
    check_outcome(SIM_SILENT);
}

static void fatal_errors_alone_are_contained(void **state)
{
    start();
    assert_int_equal(sim_get(root, dpc + PCI_DPC_CONTROL, 2),
                     PCI_DPC_CONTROL_FATAL | PCI_DPC_CONTROL_INTERRUPT);
}

static void what_was_contained_is_recovered(void **state)
{
    uint64_t before;

    start();
    before = host_now_ns;
    contain(2 << 1, 50 * NS_PER_MS);
    is_said("0000:00:1c.0: took its link down: a fatal error (0000:03:00.0)");
    is_said("0000:00:1c.0: what is below is back");
    check_told(1, 1);
    assert_int_equal(sim_get(root, dpc + PCI_DPC_STATUS, 2) & ~6u, 0);
    assert_int_equal(sim_get(root, dpc + PCI_DPC_PIO_STATUS, 4), 0);
    assert_true(host_now_ns - before >= 150 * NS_PER_MS); /* and 100 ms more */
    assert_int_equal(sim_get(first, PCI_BAR0, 4), 0xfe000000);
    assert_int_equal(sim_get(other, PCI_SECONDARY_BUS, 1), 4);
    assert_int_equal(control_of(last), 7);
    assert_false(pci_find(0, LAST)->in_reset);
    hear(RECEIVED, SOURCES(0, FIRST));
    check_told(2, 1);
}

static void what_was_contained_has_its_time(void **state)
{
    start();
    contain(0, 0);
    is_said("what is below is back");
    assert_true(first_written >= root->link_from + 100 * NS_PER_MS);
}

static void what_does_not_come_back_is_given_up(void **state)
{
    uint64_t before;

    start();
    before = host_now_ns;
    contain(0, SIM_NEVER);
    check_told(1, 1);
    is_said("what is below was not recovered: it did not come back");
    assert_true(host_now_ns - before < 2 * NS_PER_S);
    assert_true(pci_find(0, FIRST)->in_reset);
    assert_int_equal(sim_get(root, dpc + PCI_DPC_STATUS, 2), 0);
}

static void a_port_that_stays_busy_is_asked_no_more(void **state)
{
    uint64_t before;

    start();
    before = host_now_ns;
    contain(PCI_DPC_BUSY, 0);
    is_said("what is below was not recovered: the port stays busy");
    assert_true(host_now_ns - before < 2 * NS_PER_S);
    assert_true(sim_get(root, dpc + PCI_DPC_STATUS, 2) & PCI_DPC_TRIGGERED);
    run(0);
    check_told(1, 1);
}

static void what_others_use_is_not_touched(void **state)
{
    start();
    recovered = -EBUSY;
    contain(0, 0);
    is_said("what is below was not recovered: in use, and not by VFIO");
    check_told(1, 1);
    assert_int_equal(sim_get(root, dpc + PCI_DPC_STATUS, 2), 0); /* the link comes back */
}

#undef TEST
#define TEST(f) cmocka_unit_test_setup_teardown(f, build, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_on_the_way_speak_and_nothing_is_a_system_error),
        TEST(a_reset_device_speaks_again),
        TEST(so_do_ports_behind_a_reset_bus),
        TEST(an_error_is_told_to_the_user_of_the_device),
        TEST(several_errors_are_told_to_all),
        TEST(a_source_that_is_nobody_is_told_to_all),
        TEST(a_port_speaks_for_what_is_below),
        TEST(a_corrected_error_is_counted_only),
        TEST(errors_without_end_are_a_few_lines),
        TEST(a_port_that_errs_without_end_is_asked_ever_more_seldom),
        TEST(what_is_in_reset_is_asked_nothing),
        TEST(what_the_firmware_keeps_is_left_alone),
        TEST(who_hears_of_errors_is_shown),
        TEST(a_port_without_an_interrupt_is_asked),
        TEST(a_port_above_a_device_that_is_left_stays_as_it_is),
        TEST(fatal_errors_alone_are_contained),
        TEST(what_was_contained_is_recovered),
        TEST(what_was_contained_has_its_time),
        TEST(what_does_not_come_back_is_given_up),
        TEST(a_port_that_stays_busy_is_asked_no_more),
        TEST(what_others_use_is_not_touched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
