/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order in which a device is taken into use and let go: what each step that fails undoes, and
 * that every family lets go in the one order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <linux/fpga-dfl.h>
#include <linux/vfio.h>

#include "kernel/cpu/time.h"
#include "kernel/device/lease.h"
#include "kernel/file/fdtable.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/device/vfio/vfio.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/reset.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_thread.h"
#include "tests/unit/host_user.h"
#include "tests/unit/lease_host.h"
#include "tests/unit/vfio_host.h"

#define CONFIG ((uint64_t)VFIO_PCI_CONFIG_REGION_INDEX << 40)

static size_t heap_before;

static bool masters(void)
{
    return sim_get(rich, PCI_COMMAND, 2) & PCI_COMMAND_MASTER;
}

/* The tape says exactly this, up to a NULL; it is empty afterwards. */
static void assert_tape(const char *const *expected)
{
    size_t count = 0;

    for (; expected[count]; count++) {
        if (count == host_tape_length)
            fail_msg("\"%s\" did not happen", expected[count]);
        if (strcmp(host_tape[count], expected[count]) != 0)
            fail_msg("step %zu is \"%s\", not \"%s\"", count, host_tape[count], expected[count]);
    }
    if (count < host_tape_length)
        fail_msg("\"%s\" comes after all that was expected", host_tape[count]);
    host_tape_length = 0;
}

#define TAPE(...) assert_tape((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* ---- translations to BAR 0 ---- */

static void note_gone(struct memobj_watcher *watcher)
{
    host_note("BARs gone");
}

static void note_back(struct memobj_watcher *watcher)
{
    host_note("BARs back");
}

static struct memobj_watcher watcher = {.revoke = note_gone, .restore = note_back};
static struct memobj *watched;

static void watch(struct memobj *object)
{
    watched = object;
    memobj_watch(object, &watcher);
}

static void unwatch(void)
{
    if (!watched)
        return;
    memobj_unwatch(&watcher);
    memobj_put(watched);
    watched = NULL;
}

/* ---- around each test ---- */

/* Whoever may let others in still has the device. */
static void assert_claimed(struct pci_group *group)
{
    assert_non_null(pci_find(0, RICH)->claimed_by);
}

static int setup(void **state)
{
    host_fail_nth(0);
    host_bind_error = host_tables_error = host_irq_error = 0;
    host_remapped = true;
    host_on_leave = NULL;
    rich->reset_time = 0;
    rich->answers_from = 0;
    rich->pending_time = 20 * NS_PER_MS;
    pci_set_bus_master(pci_find(0, RICH), true); /* as firmware leaves it */
    host_tape_length = 0;
    heap_before = heap_used();
    return 0;
}

static int teardown(void **state)
{
    host_fail_nth(0);
    fd_close_all();
    unwatch();
    assert_null(host_irqs);
    assert_null(host_bound);
    assert_int_equal(host_groups_in_tables, 0);
    assert_int_equal(host_groups_in_container, 0);
    assert_null(pci_find(0, RICH)->claimed_by);
    assert_int_equal(heap_used(), heap_before);
    return 0;
}

/* ---- a lease by itself ---- */

static int awake_error;

static int awake(void *context)
{
    assert_false(masters());
    host_note("awake");
    return awake_error;
}

static void on_interrupt(void *context, unsigned index)
{
}

static struct ioas_tables tables;

static struct lease new_lease(void)
{
    awake_error = 0;
    return (struct lease){
        .pci = pci_find(0, RICH),
        .terms = {.owner = "test",
                  .awake = awake,
                  .tables = &tables,
                  .vectors = 3,
                  .handler = on_interrupt},
    };
}

static void assert_ended(const struct lease *lease)
{
    assert_null(lease->bound);
    assert_null(lease->irqs);
    assert_false(lease->attached);
}

static void a_start_and_a_stop(void **state)
{
    struct lease lease = new_lease();
    struct file *iommufd = host_iommufd_create();
    struct memobj *object;

    assert_int_equal(lease_start(&lease, iommufd), 0);
    TAPE("bound", "bus mastering off", "reset", "awake", "attached", "vectors", "bus mastering on");
    assert_string_equal(pci_find(0, RICH)->claimed_by, "test");
    assert_int_equal(host_irqs->kind, IRQ_MSIX);
    assert_int_equal(host_irqs->count, 3);
    assert_int_equal(lease_bar(&lease, 0, &object), 0);
    watch(memobj_get(object));
    host_on_leave = assert_claimed;
    lease_stop(&lease);
    TAPE("BARs gone", "bus mastering off", "reset", "no vectors", "detached", "unbound");
    assert_ended(&lease);
    assert_int_equal(lease_start(&lease, NULL), 0);
    TAPE("reset", "awake", "attached", "vectors", "bus mastering on", "BARs back");
    lease_stop(&lease);
    lease_drop_bars(&lease);
    file_put(iommufd);
}

/* What was plugged in reaches nothing before it is reset. */
static void what_was_plugged_in_is_let_in(void **state)
{
    struct lease lease = new_lease();

    host_cut = true;
    assert_int_equal(lease_start(&lease, NULL), 0);
    TAPE("bus mastering off", "reset", "let in", "awake", "attached", "vectors",
         "bus mastering on");
    assert_false(host_cut);
    lease_stop(&lease);
    lease_drop_bars(&lease);
}

static unsigned until_pulled;

static void pull_plain(const struct sim_function *f, unsigned offset)
{
    if (f == plain && offset == PCI_COMMAND && until_pulled-- == 0)
        pci_find(0, PLAIN)->removed = true;
}

/* Without a reset that would notice. What is plugged in later under its id is not let in. */
static void what_is_pulled_meanwhile_is_not_let_in(void **state)
{
    struct lease lease = {.pci = pci_find(0, PLAIN), .terms = {.owner = "test"}};
    void (*on_write)(const struct sim_function *f, unsigned offset) = sim_on_write;

    assert_int_equal(pci_reset_method(lease.pci), PCI_RESET_NONE);
    host_cut = true;
    sim_on_write = pull_plain;
    until_pulled = 1; /* while it is silenced */
    assert_int_equal(lease_start(&lease, NULL), -ENODEV);
    sim_on_write = on_write;
    assert_true(host_cut);
    host_cut = false;
    assert_null(lease.pci->claimed_by);
    host_tape_length = 0;
}

/* What the terms do not name is not done: the payload asks for it later. */
static void what_the_terms_do_not_name_is_not_done(void **state)
{
    struct lease lease = {.pci = pci_find(0, RICH), .terms = {.owner = "test"}};

    assert_int_equal(lease_start(&lease, NULL), 0);
    TAPE("bus mastering off", "reset");
    assert_int_equal(sim_get(rich, PCI_COMMAND, 2),
                     PCI_COMMAND_INTX_DISABLE | PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
    lease_stop(&lease);
    TAPE("reset");
}

/* Behind a port at low power nothing is reached; this one forgets where it leads. */
static void bridges_above_are_woken(void **state)
{
    struct pci_device *port = pci_find(0, PCI_RID(0, 7, 0));
    struct lease lease = {.pci = pci_find(0, LEFT), .terms = {.owner = "test"}};

    pci_write16(port, port->cap_pm + PCI_PM_CONTROL, PCI_PM_D3HOT);
    assert_int_equal(lease_start(&lease, NULL), 0);
    assert_int_equal(pci_read16(port, port->cap_pm + PCI_PM_CONTROL) & PCI_PM_STATE, 0);
    assert_int_equal(pci_read8(port, PCI_SECONDARY_BUS), 1);
    assert_true(pci_read16(port, PCI_COMMAND) & PCI_COMMAND_MASTER);
    lease_stop(&lease);
    host_tape_length = 0;
}

/* Each row lets one step fail. What was done before it is undone as a stop does it. */
static void each_step_fails(void **state)
{
    static const struct {
        const char *claimed_by;
        bool leaving;
        int bind_error, awake_error, tables_error, irq_error;
        uint64_t reset_time;
        int expected;
        bool touched; /* else bus mastering stays as it was */
        const char *tape[12];
    } steps[] = {
        {.claimed_by = "other", .expected = -EBUSY},
        {.leaving = true, .expected = -ENODEV},
        {.bind_error = -ENOMEM, .expected = -ENOMEM},
        {.reset_time = SIM_NEVER,
         .expected = -EIO,
         .touched = true,
         .tape = {"bound", "bus mastering off", "reset", "unbound"}},
        {.awake_error = -ETIMEDOUT,
         .expected = -ETIMEDOUT,
         .touched = true,
         .tape = {"bound", "bus mastering off", "reset", "awake", "reset", "unbound"}},
        {.tables_error = -EADDRINUSE,
         .expected = -EADDRINUSE,
         .touched = true,
         .tape = {"bound", "bus mastering off", "reset", "awake", "reset", "unbound"}},
        {.irq_error = -ENOSPC,
         .expected = -ENOSPC,
         .touched = true,
         .tape = {"bound", "bus mastering off", "reset", "awake", "attached", "reset", "detached",
                  "unbound"}},
    };
    struct pci_device *pci = pci_find(0, RICH);
    struct file *iommufd = host_iommufd_create();

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        struct lease lease = new_lease();

        pci_set_bus_master(pci, true);
        host_tape_length = 0;
        pci->claimed_by = steps[i].claimed_by;
        pci->leaving = steps[i].leaving;
        host_bind_error = steps[i].bind_error;
        awake_error = steps[i].awake_error;
        host_tables_error = steps[i].tables_error;
        host_irq_error = steps[i].irq_error;
        rich->reset_time = steps[i].reset_time;
        assert_int_equal(lease_start(&lease, iommufd), steps[i].expected);
        assert_tape(steps[i].tape);
        assert_ended(&lease);
        assert_ptr_equal(pci->claimed_by, steps[i].claimed_by);
        rich->reset_time = rich->answers_from = 0;
        assert_int_equal(masters(), !steps[i].touched);
        pci->claimed_by = NULL;
        pci->leaving = false;
    }
    file_put(iommufd);
}

/* It forgets its BARs on the way to full power, and what it says then is not what it gets. */
static void a_device_found_in_d3hot_has_its_bars(void **state)
{
    struct lease lease = new_lease();
    unsigned resets = rich->resets;

    rich->pm_keeps_state = false;
    sim_set(rich, rich->pm + PCI_PM_CONTROL, 2, PCI_PM_D3HOT, PCI_PM_STATE);
    assert_int_equal(lease_start(&lease, NULL), 0);
    assert_true(rich->resets >= resets + 2); /* the power-up was one */
    assert_int_equal(sim_get(rich, PCI_BAR0, 4), 0xfe000004);
    assert_int_equal(sim_get(rich, PCI_BAR0 + 8, 4), 0xc001);
    assert_true(masters());
    lease_stop(&lease);
    rich->pm_keeps_state = true;
}

static void a_reset_during_the_use(void **state)
{
    struct lease lease = new_lease();
    struct memobj *object;
    struct phys_run run;

    assert_int_equal(lease_start(&lease, NULL), 0);
    assert_int_equal(lease_bar(&lease, 0, &object), 0);
    watch(memobj_get(object));
    host_tape_length = 0;
    lease_hide_bars(&lease);
    assert_int_equal(pci_reset(lease.pci), 0);
    lease_resume(&lease);
    TAPE("BARs gone", "bus mastering off", "reset", "vectors again");
    assert_int_equal(memobj_run(object, 0, PAGE_SIZE, &run), -EIO);
    lease_show_bars(&lease);
    TAPE("BARs back");
    rich->reset_time = SIM_NEVER;
    lease_hide_bars(&lease);
    assert_int_equal(pci_reset(lease.pci), -ETIMEDOUT);
    TAPE("BARs gone", "reset");
    rich->reset_time = rich->answers_from = 0;
    lease_stop(&lease);
    TAPE("reset", "no vectors", "detached");
    lease_drop_bars(&lease);
}

/* One second for what never comes to an end, and not one more: the payload waits for the close. */
static void a_stuck_device_is_waited_for_once(void **state)
{
    struct lease lease = new_lease();
    uint64_t before;

    assert_int_equal(lease_start(&lease, NULL), 0);
    rich->pending_time = SIM_NEVER;
    host_tape_length = 0;
    before = host_now_ns;
    lease_stop(&lease);
    TAPE("bus mastering off", "reset while pending", "no vectors", "detached");
    assert_true(host_now_ns - before >= NS_PER_S);
    assert_true(host_now_ns - before < NS_PER_S + 200 * NS_PER_MS);
    rich->pending_until = 0;
}

/* One object a BAR, however often it is asked for; what is made while they are hidden is so, too.
 */
static void memory_of_bars(void **state)
{
    struct lease lease = new_lease();
    struct memobj *object, *again;
    struct phys_run run;

    assert_int_equal(lease_start(&lease, NULL), 0);
    lease_hide_bars(&lease);
    assert_int_equal(lease_bar(&lease, 0, &object), 0);
    assert_int_equal(memobj_run(object, 0, PAGE_SIZE, &run), -EIO);
    lease_show_bars(&lease);
    assert_int_equal(memobj_run(object, 0, PAGE_SIZE, &run), 0);
    assert_int_equal(lease_bar(&lease, 0, &again), 0);
    assert_ptr_equal(again, object);
    /* Half-way through hiding them: what this one still has is taken by who hides, not here. */
    watch(memobj_get(object));
    host_tape_length = 0;
    lease.hidden = true;
    assert_int_equal(lease_bar(&lease, 0, &again), 0);
    TAPE();
    lease.hidden = false;
    unwatch();
    assert_int_equal(lease_bar(&lease, 1, &again), -EINVAL);
    assert_int_equal(lease_bar(&lease, 2, &again), -EINVAL); /* ports */
    lease_stop(&lease);
    assert_int_equal(memobj_run(object, 0, PAGE_SIZE, &run), -EIO);
    lease_drop_bars(&lease);
    host_fail_nth(1);
    assert_int_equal(lease_bar(&lease, 0, &object), -ENOMEM);
}

/* ---- the families ---- */

static int64_t call(int fd, uint32_t command, const void *argument)
{
    struct file *file = fd_get(fd);
    int64_t result = file->ops->ioctl(file, command, user_address(argument));

    file_put(file);
    return result;
}

static int install(int error, struct file *file)
{
    int fd;

    assert_int_equal(error, 0);
    fd = fd_install(file, false);
    assert_true(fd >= 0);
    return fd;
}

static int open_uio(void)
{
    struct file *file = NULL;
    int error = host_open_path("/dev/uio0", &file);

    return install(error, file);
}

/* With a page of the payload that the accelerator may reach. */
static int open_afu(void)
{
    static uint8_t memory[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
    struct dfl_fpga_port_dma_map map = {.argsz = sizeof(map), .length = PAGE_SIZE};
    struct file *file = NULL;
    int error = host_open_path("/dev/dfl-port.0", &file);
    int fd = install(error, file);

    map.user_addr = user_address(memory);
    assert_int_equal(call(fd, DFL_FPGA_PORT_DMA_MAP, &map), 0);
    return fd;
}

/* What the other families do at their start: a vector, and bus mastering. */
static int set_up_vfio(int fd)
{
    /* struct vfio_irq_set with one eventfd behind it: none */
    struct {
        uint32_t argsz, flags, index, start, count;
        int32_t fd;
    } irq = {sizeof(irq),
             VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
             VFIO_PCI_MSIX_IRQ_INDEX,
             0,
             1,
             -1};
    uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
    struct file *file = fd_get(fd);
    uint64_t at = CONFIG + PCI_COMMAND;

    assert_int_equal(call(fd, VFIO_DEVICE_SET_IRQS, &irq), 0);
    assert_int_equal(file->ops->write(file, user_address(&command), sizeof(command), &at), 2);
    file_put(file);
    return fd;
}

static int open_vfio_by_group(void)
{
    struct file *file = NULL;
    int error = host_open_group(RICH, &file);
    int group = install(error, file), container = install(0, host_container_create());
    int64_t fd;

    assert_int_equal(call(group, VFIO_GROUP_SET_CONTAINER, &container), 0);
    fd = call(group, VFIO_GROUP_GET_DEVICE_FD, pci_name(pci_find(0, RICH)));
    assert_true(fd >= 0);
    fd_close(container);
    fd_close(group);
    return set_up_vfio((int)fd);
}

static int open_vfio_by_iommufd(void)
{
    struct vfio_device_bind_iommufd bind = {.argsz = 16};
    struct file *file = NULL;
    int error = host_open_device(RICH, &file);
    int fd = install(error, file);

    bind.iommufd = install(0, host_iommufd_create());
    assert_int_equal(call(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind), 0);
    fd_close(bind.iommufd);
    return set_up_vfio(fd);
}

/* The lease's part of each is the same; with a container the group is detached when it leaves. */
#define STOPPED "BARs gone", "bus mastering off", "reset", "no vectors"

static const struct family {
    const char *name;
    int (*open)(void);
    const char *tape[12]; /* of the last close */
} families[] = {
    {"UIO", open_uio, {STOPPED, "detached"}},
    /* The port's reset comes first: it is the port that is closed. */
    {"AFU", open_afu, {"bus mastering off", "bus mastering on", STOPPED, "detached", "unmapped"}},
    {"VFIO, container", open_vfio_by_group, {STOPPED, "detached"}},
    {"VFIO, iommufd", open_vfio_by_iommufd, {STOPPED, "unbound"}},
};

static struct memobj *map_bar(int fd)
{
    struct file *file = fd_get(fd);
    struct memobj *object;
    uint64_t at;

    assert_int_equal(file->ops->mmap(file, 0, PAGE_SIZE, 3, true, &object, &at), 0);
    file_put(file);
    return object;
}

static void every_family_stops_in_the_one_order(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
        int fd = families[i].open();

        assert_true(masters());
        watch(map_bar(fd));
        host_tape_length = 0;
        fd_close_all(); /* as a payload that is killed */
        print_message("  %s\n", families[i].name);
        assert_tape(families[i].tape);
        assert_null(pci_find(0, RICH)->claimed_by);
        unwatch();
    }
}

/* Whoever has it: nothing leads there any more, and the close waits for nothing. */
static void every_family_loses_a_device_that_is_removed(void **state)
{
    struct pci_device *pci = pci_find(0, RICH);

    for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
        int fd = families[i].open();
        struct memobj *object = map_bar(fd);
        struct phys_run run;
        uint64_t before;

        print_message("  %s\n", families[i].name);
        watch(object);
        host_tape_length = 0;
        rich->answers_from = SIM_NEVER;
        pci->removed = pci->in_reset = true;
        vfio_removed(pci);
        assert_true(host_tape_length >= 1);
        assert_string_equal(host_tape[0], "BARs gone");
        before = host_now_ns;
        fd_close_all();
        assert_int_equal(memobj_run(object, 0, PAGE_SIZE, &run), -EIO);
        assert_true(host_now_ns - before < NS_PER_S);
        assert_null(pci->claimed_by);
        assert_null(host_irqs);
        unwatch();
        rich->answers_from = 0;
        pci->removed = pci->in_reset = false;
        pci_config_restore(pci);
    }
}

/* Of UIO: who sleeps for an interrupt is woken, also if he holds them back. */
static void who_waits_for_an_interrupt_hears_of_the_removal(void **state)
{
    struct pci_device *pci = pci_find(0, RICH);
    int fd = open_uio();
    struct file *file = fd_get(fd);
    uint32_t count = 0;

    assert_int_equal(file->ops->write(file, user_address(&count), 4, NULL), 4);
    assert_int_equal(file->ops->poll(file), 0);
    rich->answers_from = SIM_NEVER;
    pci->removed = pci->in_reset = true;
    vfio_removed(pci);
    assert_int_equal(file->ops->poll(file), POLL_IN | POLL_ERR | POLL_HUP);
    assert_int_equal(file->ops->read(file, user_address(&count), 4, NULL), -EIO);
    assert_int_equal(file->ops->write(file, user_address(&count), 4, NULL), -EINVAL);
    file_put(file);
    fd_close_all();
    rich->answers_from = 0;
    pci->removed = pci->in_reset = false;
    pci_config_restore(pci);
}

static void an_accelerator_that_was_removed_takes_no_calls(void **state)
{
    struct pci_device *pci = pci_find(0, RICH);
    int fd = open_afu();

    assert_int_equal(call(fd, DFL_FPGA_GET_API_VERSION, NULL), DFL_FPGA_API_VERSION);
    rich->answers_from = SIM_NEVER;
    pci->removed = pci->in_reset = true;
    vfio_removed(pci);
    assert_int_equal(call(fd, DFL_FPGA_GET_API_VERSION, NULL), -ENODEV);
    fd_close_all();
    rich->answers_from = 0;
    pci->removed = pci->in_reset = false;
    pci_config_restore(pci);
}

/* The others are told, and nothing of the device changes. */
static void one_family_at_a_time(void **state)
{
    static const char *const paths[] = {"/dev/uio0", "/dev/dfl-port.0"};

    for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
        families[i].open();
        host_tape_length = 0;
        for (size_t k = 0; k < ARRAY_SIZE(paths); k++) {
            struct file *file;

            if (k != i)
                assert_int_equal(host_open_path(paths[k], &file), -EBUSY);
        }
        TAPE();
        assert_true(masters());
        fd_close_all();
    }
}

static void every_allocation_of_an_open_fails(void **state)
{
    static const char *const paths[] = {"/dev/uio0", "/dev/dfl-port.0"};

    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        struct file *file;
        uint64_t n = 1;

        for (;; n++) {
            host_fail_nth(n);
            int error = host_open_path(paths[i], &file);
            if (!host_failed()) {
                assert_int_equal(error, 0);
                break;
            }
            assert_int_equal(error, -ENOMEM);
            assert_null(pci_find(0, RICH)->claimed_by);
            assert_null(host_irqs);
            assert_int_equal(host_groups_in_tables, 0);
            assert_int_equal(heap_used(), heap_before);
        }
        assert_true(n > 3); /* page tables, vectors, file */
        host_fail_nth(0);
        file_put(file);
    }
}

static int build(void **state)
{
    lease_host_build();
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_start_and_a_stop),
        TEST(what_was_plugged_in_is_let_in),
        TEST(what_is_pulled_meanwhile_is_not_let_in),
        TEST(what_the_terms_do_not_name_is_not_done),
        TEST(bridges_above_are_woken),
        TEST(each_step_fails),
        TEST(a_device_found_in_d3hot_has_its_bars),
        TEST(a_reset_during_the_use),
        TEST(a_stuck_device_is_waited_for_once),
        TEST(memory_of_bars),
        TEST(every_family_stops_in_the_one_order),
        TEST(one_family_at_a_time),
        TEST(every_allocation_of_an_open_fails),
        TEST(every_family_loses_a_device_that_is_removed),
        TEST(who_waits_for_an_interrupt_hears_of_the_removal),
        TEST(an_accelerator_that_was_removed_takes_no_calls),
    };

    return cmocka_run_group_tests(tests, build, NULL);
}
