/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * INTx: devices of the simulated bus that pull a line, the pin behind it, and who hears of it. A
 * device pulls its line while its interrupt is pending, unless the command register forbids it.
 */
#include "tests/unit/pci_fixture.h"

#include <stdlib.h>

#include "kernel/cpu/timer.h"
#include "kernel/cpu/trap.h"
#include "kernel/iommu/remap.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/line.h"
#include "kernel/pci/reset.h"
#include "tests/unit/host_thread.h"

#define GSI       20
#define OTHER_GSI 23
#define STORM_MAX 1000 /* fires of one settle() */

static const struct acpi_io_apic io_apic = {8, 0xfec00000, 0};

/* ---- the pins ---- */

struct irq_line {
    unsigned gsi;
    bool masked;
    irq_handler handler;
    void *context;
};

static struct irq_line pins[2];
static int line_error;

static struct irq_line *pin_of(unsigned gsi)
{
    for (size_t i = 0; i < ARRAY_SIZE(pins); i++)
        if (pins[i].handler && pins[i].gsi == gsi)
            return &pins[i];
    return NULL;
}

bool irq_line_exists(unsigned gsi)
{
    return gsi > 0 && gsi < 24;
}

int irq_line_enable(unsigned gsi, irq_handler handler, void *context, struct irq_line **out)
{
    struct irq_line *pin = pins[0].handler ? &pins[1] : &pins[0];

    assert_null(pin_of(gsi));
    assert_null(pin->handler);
    if (line_error)
        return line_error;
    *pin = (struct irq_line){gsi, true, handler, context};
    *out = pin;
    return 0;
}

void irq_line_mask(struct irq_line *pin, bool masked)
{
    assert_non_null(pin->handler);
    pin->masked = masked;
}

void irq_line_disable(struct irq_line *pin)
{
    assert_non_null(pin->handler);
    *pin = (struct irq_line){0};
}

/* ---- what the kernel around it answers ---- */

struct iommu_unit *iommu_unit_of(const struct requester *requester)
{
    return (struct iommu_unit *)&io_apic;
}

bool iommu_remaps_interrupts(const struct iommu_unit *unit)
{
    return true;
}

/* A line has all this of its own. */
#define NOT_CALLED(type, name, ...)                                                                \
    type name(__VA_ARGS__)                                                                         \
    {                                                                                              \
        abort();                                                                                   \
    }

NOT_CALLED(int, vector_alloc, vector_handler handler, void (*hold)(void *context, bool on),
           void *context)
NOT_CALLED(void, vector_free, unsigned vector)
NOT_CALLED(uint32_t, cpu_apic_id, void)
NOT_CALLED(struct remap_source, remap_source_of, const struct pci_device *device)
NOT_CALLED(int, remap_alloc, struct iommu_unit *unit, unsigned n, bool aligned, unsigned *first)
NOT_CALLED(void, remap_write, struct iommu_unit *unit, unsigned index, uint8_t vector, uint32_t id,
           bool level, struct remap_source source)
NOT_CALLED(int, remap_commit, struct iommu_unit *unit, unsigned first, unsigned count)
NOT_CALLED(int, remap_free, struct iommu_unit *unit, unsigned first, unsigned count)

/* ---- the devices ---- */

struct user {
    struct sim_function *f;
    struct pci_device *device;
    struct irq_set *set;
    unsigned heard;
    bool unmasks; /* in the handler: its eventfd is the one that unmasks */
};

static struct user users[3];

static bool forbidden(const struct user *user)
{
    return sim_get(user->f, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE;
}

static void pend(struct user *user, bool on)
{
    user->f->config[PCI_STATUS] &= (uint8_t)~PCI_STATUS_INTX;
    user->f->config[PCI_STATUS] |= on ? PCI_STATUS_INTX : 0;
}

static bool pulled(unsigned gsi)
{
    for (size_t i = 0; i < ARRAY_SIZE(users); i++)
        if (users[i].f && users[i].device->intx_gsi == gsi &&
            (users[i].f->config[PCI_STATUS] & PCI_STATUS_INTX) && !forbidden(&users[i]))
            return true;
    return false;
}

/* The CPU takes what comes, until nothing does; how often that was. */
static unsigned settle(void)
{
    unsigned fired = 0;

    for (size_t i = 0; i < ARRAY_SIZE(pins); i++) {
        while (pins[i].handler && !pins[i].masked && pulled(pins[i].gsi) && fired < STORM_MAX) {
            pins[i].masked = true; /* as kernel/irq/line.c does with a line */
            pins[i].handler(pins[i].context, 0);
            fired++;
        }
    }
    return fired;
}

static void on_irq(void *context, unsigned index)
{
    struct user *user = context;

    assert_int_equal(index, 0);
    assert_true(forbidden(user) || pins[0].masked);
    user->heard++;
    if (user->unmasks)
        irq_mask(user->set, 0, false);
}

static void enable(struct user *user)
{
    assert_int_equal(irq_enable(user->device, IRQ_INTX, 1, on_irq, user, &user->set), 0);
}

static void unmask(struct user *user)
{
    assert_true(irq_mask(user->set, 0, false));
}

/* Three endpoints with function-level reset; the first two on one line. */
static void build(void)
{
    memset(users, 0, sizeof(users));
    memset(pins, 0, sizeof(pins));
    line_error = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(users); i++) {
        users[i].f = sim_add(0, PCI_RID(0, i + 1, 0), NIC, CLASS_X);
        sim_express(users[i].f, PCIE_ENDPOINT, true);
    }
    sim_remember();
    enumerate();
    irq_routes_init();
    pci_save_all();
    for (unsigned i = 0; i < ARRAY_SIZE(users); i++) {
        users[i].device = pci_find(0, users[i].f->rid);
        assert_true(forbidden(&users[i]));
        assert_int_equal(irq_route(users[i].device, i < 2 ? GSI : OTHER_GSI, &why), 0);
    }
}

/* Lines and messages, of whoever nobody asked for; what else is in the registers stays. */
static void everybody_is_silent_at_first(void **state)
{
    for (unsigned left = 0; left < 2; left++) {
        struct sim_function *f = sim_add(0, PCI_RID(0, 9, 0), NIC, CLASS_X);
        unsigned msi = sim_capability(f, PCI_CAP_MSI, 24);
        unsigned msix = sim_capability(f, PCI_CAP_MSIX, 12);

        sim_set(f, msi + 2, 2, 0x0123, 0x0071);
        sim_set(f, msix + 2, 2, 0xc007, 0xc000);
        enumerate();
        pci_find(0, f->rid)->left = left;
        irq_routes_init();
        assert_int_equal(sim_get(f, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE,
                         PCI_COMMAND_INTX_DISABLE);
        assert_int_equal(sim_get(f, msi + 2, 2), left ? 0x0123 : 0x0122);
        assert_int_equal(sim_get(f, msix + 2, 2), left ? 0xc007 : 0x4007);
        sim_reset();
    }
}

/* ---- one device ---- */

static void fires_once_for_each_unmasking(void **state)
{
    struct user *user = &users[0];
    uint64_t before = irq_arrived();

    build();
    assert_int_equal(irq_count(user->device, IRQ_INTX), 1);
    pend(user, true);
    enable(user);
    assert_int_equal(settle(), 0); /* starts masked */
    unmask(user);
    assert_int_equal(settle(), 1);
    assert_int_equal(user->heard, 1);
    assert_true(forbidden(user));
    unmask(user); /* still pending */
    assert_int_equal(settle(), 1);
    pend(user, false);
    unmask(user);
    assert_int_equal(settle(), 0);
    assert_int_equal(user->heard, 2);
    assert_int_equal(irq_arrived() - before, 2);
    /* An interrupt that comes while it is masked waits. */
    irq_mask(user->set, 0, true);
    pend(user, true);
    assert_int_equal(settle(), 0);
    unmask(user);
    assert_int_equal(settle(), 1);
    irq_disable(user->set);
    assert_null(pin_of(GSI));
    assert_true(forbidden(user));
    assert_int_equal(settle(), 0);
}

/* Of the older kind the line is masked, and it is alone there. */
static void a_device_without_a_mask_has_the_line_for_itself(void **state)
{
    struct user *old = &users[0], *other = &users[1];
    struct irq_set *set;

    build();
    sim_set(old->f, PCI_COMMAND, 2, 0, 0x147);
    enable(old);
    assert_int_equal(irq_enable(other->device, IRQ_INTX, 1, on_irq, other, &set), -EBUSY);
    pend(old, true);
    assert_int_equal(settle(), 0);
    unmask(old);
    assert_int_equal(settle(), 1);
    assert_true(pins[0].masked);
    unmask(old);
    assert_int_equal(settle(), 1);
    irq_mask(old->set, 0, true);
    assert_int_equal(settle(), 0);
    irq_disable(old->set);
    enable(other);
    assert_int_equal(irq_enable(old->device, IRQ_INTX, 1, on_irq, old, &set), -EBUSY);
    irq_disable(other->set);
    assert_int_equal(old->heard, 2);
}

/* ---- several on one line ---- */

static void devices_on_one_line_are_served_apart(void **state)
{
    struct user *a = &users[0], *b = &users[1], *apart = &users[2];

    build();
    enable(a);
    enable(b);
    enable(apart);
    unmask(a);
    unmask(b);
    unmask(apart);
    pend(a, true);
    assert_int_equal(settle(), 1);
    assert_int_equal(a->heard, 1);
    assert_int_equal(b->heard, 0);
    pend(b, true); /* while the first is still masked and pending */
    assert_int_equal(settle(), 1);
    assert_int_equal(a->heard, 1);
    assert_int_equal(b->heard, 1);
    unmask(a); /* both pend, one of them masked */
    assert_int_equal(settle(), 1);
    assert_int_equal(a->heard, 2);
    unmask(a);
    unmask(b); /* both at once: one interrupt for two */
    assert_int_equal(settle(), 1);
    assert_int_equal(a->heard, 3);
    assert_int_equal(b->heard, 2);
    /* One leaves in the middle: it is silent, and the other goes on. */
    irq_disable(a->set);
    assert_true(forbidden(a));
    unmask(b);
    assert_int_equal(settle(), 1);
    assert_int_equal(a->heard, 3);
    assert_int_equal(b->heard, 3);
    irq_disable(b->set);
    assert_null(pin_of(GSI));
    assert_non_null(pin_of(OTHER_GSI));
    irq_disable(apart->set);
    assert_int_equal(apart->heard, 0);
}

/* What nobody owns up to ends in silence, told once, and a new start begins afresh. */
static void a_line_that_nobody_owns_is_given_up(void **state)
{
    struct user *user = &users[0], *stranger = &users[1];

    build();
    enable(user);
    unmask(user);
    pend(stranger, true); /* not enabled, but its mask bit is gone */
    sim_set(stranger->f, PCI_COMMAND, 2, 0, 0);
    assert_int_equal(settle(), 100);
    assert_int_equal(user->heard, 0);
    pend(user, true);
    unmask(user);
    assert_int_equal(settle(), 0);
    irq_disable(user->set);
    pend(stranger, false);
    enable(user);
    unmask(user);
    assert_int_equal(settle(), 1);
    assert_int_equal(user->heard, 1);
    /* Now and then is no reason: what is owned starts the count anew. */
    for (unsigned i = 0; i < 300; i++) {
        pend(user, i % 60 == 0);
        pend(stranger, true);
        unmask(user);
        pins[0].masked = true;
        pins[0].handler(pins[0].context, 0);
        pend(stranger, false);
    }
    assert_false(pins[0].masked);
    irq_disable(user->set);
}

/* A handler that unmasks at once never ends a pending interrupt, and each time is a new one. */
static void a_handler_may_unmask(void **state)
{
    struct user *user = &users[0];

    build();
    user->unmasks = true;
    enable(user);
    unmask(user);
    pend(user, true);
    assert_int_equal(settle(), STORM_MAX); /* kernel/cpu/storm.c bounds it in time */
    assert_int_equal(user->heard, STORM_MAX);
    assert_false(pins[0].masked);
    irq_disable(user->set);
}

/* ---- pitfall 35: masks, resets, and who forgets them ---- */

static struct user *resetting;
static bool in_middle_masked;

/* Others come in between while the reset sleeps. */
static void in_reset(struct timer *timer)
{
    uint64_t writes = sim_config_writes;

    assert_true(resetting->device->in_reset);
    assert_int_equal(irq_mask(resetting->set, 0, in_middle_masked), true);
    assert_int_equal(sim_config_writes, writes); /* whether it would answer or not */
    pins[0].masked = true;
    pins[0].handler(pins[0].context, 0);
    resetting = NULL;
}

static void pitfall_35_a_reset_keeps_the_mask(void **state)
{
    struct user *user = &users[0], *other = &users[1];
    struct timer timer;

    for (unsigned kept = 0; kept < 2; kept++) {
        new_machine(NULL);
        build();
        resetting = user;
        in_middle_masked = kept;
        enable(user);
        enable(other);
        irq_mask(user->set, 0, !kept); /* changed in the middle of the reset */
        user->f->reset_time = kept ? 150 * NS_PER_MS : 0;
        timer_init(&timer, in_reset);
        timer_set(&timer, host_now_ns + 50 * NS_PER_MS);
        assert_int_equal(pci_reset(user->device), 0);
        assert_null(resetting);
        irq_restore(user->set);
        assert_int_equal(forbidden(user), kept);
        assert_int_equal(sim_get(user->f, PCI_COMMAND, 2) & PCI_COMMAND_MASTER, 0);
        assert_int_equal(user->heard, 0);
        pend(user, true);
        assert_int_equal(settle(), !kept);
        irq_disable(user->set);
        irq_disable(other->set);
    }
}

/* A device that loses its mask by itself is masked again, and heard once. */
static void pitfall_35_a_forgotten_mask_is_set_again(void **state)
{
    struct user *user = &users[0];

    build();
    enable(user);
    unmask(user);
    pend(user, true);
    assert_int_equal(settle(), 1);
    for (unsigned i = 0; i < 300; i++) {
        user->f->config[PCI_COMMAND + 1] = 0;
        assert_int_equal(settle(), 1);
        assert_true(forbidden(user));
    }
    assert_int_equal(user->heard, 1);
    irq_disable(user->set);
}

/* All ones are no status. */
static void a_device_that_is_gone_pulls_nothing(void **state)
{
    struct user *user = &users[0], *other = &users[1];

    build();
    enable(user);
    enable(other);
    unmask(user);
    unmask(other);
    user->f->answers_from = SIM_NEVER;
    pend(other, true);
    assert_int_equal(settle(), 1);
    assert_int_equal(user->heard, 0);
    assert_int_equal(other->heard, 1);
    irq_mask(user->set, 0, true);
    irq_disable(user->set);
    irq_disable(other->set);
}

static void every_failure_of_enabling_leaves_nothing(void **state)
{
    struct user *user = &users[0];
    size_t before;

    build();
    before = heap_used();
    for (unsigned n = 1; n <= 2; n++) {
        host_fail_nth(n);
        assert_int_equal(irq_enable(user->device, IRQ_INTX, 1, on_irq, user, &user->set), -ENOMEM);
    }
    host_fail_nth(0);
    line_error = -ENOSPC;
    assert_int_equal(irq_enable(user->device, IRQ_INTX, 1, on_irq, user, &user->set), -ENOSPC);
    assert_int_equal(irq_enable(user->device, IRQ_INTX, 2, on_irq, user, &user->set), -EINVAL);
    assert_int_equal(irq_add((line_error = 0, enable(user), user->set), 1), -EINVAL);
    irq_disable(user->set);
    assert_int_equal(heap_used(), before);
}

/* ---- routes ---- */

#define LPC PCI_RID(0, 31, 0)

static struct sim_function *add_lpc(uint16_t subsystem)
{
    struct sim_function *lpc = sim_add(0, LPC, 0x29188086, 0x060100);

    sim_set(lpc, PCI_SUBSYSTEM_VENDOR, 4, (uint32_t)subsystem << 16 | 0x1af4, 0);
    sim_set(lpc, 0xf0, 4, 0xfed1c001, 0);
    sim_bar(lpc, 0, 0xfed1c000, 0x4000, 0);
    memset(lpc->bar_memory[0] + 0x3140, 0, 0x20);
    memcpy(lpc->bar_memory[0] + 0x3150, "\x10\x32", 2); /* device 25 */
    memcpy(lpc->bar_memory[0] + 0x3146, "\x76\x54", 2); /* device 28: turned round */
    memcpy(lpc->bar_memory[0] + 0x3140, "\x21\x43", 2); /* device 31 */
    return lpc;
}

static struct sim_function *add(uint16_t rid, uint8_t pin)
{
    struct sim_function *f = sim_add(0, rid, NIC, CLASS_X);

    sim_set(f, PCI_INTERRUPT_PIN, 1, pin, 0);
    return f;
}

static unsigned routed(uint16_t rid)
{
    struct pci_device *d = pci_find(0, rid);

    assert_int_equal(irq_route(d, 0, &why), 0);
    assert_int_equal(irq_count(d, IRQ_INTX), d->intx_gsi != 0);
    return d->intx_gsi;
}

static void q35_wires_its_slots_as_its_registers_say(void **state)
{
    static const struct {
        uint16_t rid;
        uint8_t pin;
        unsigned gsi;
    } expected[] = {
        {PCI_RID(0, 2, 0), 1, 22},  {PCI_RID(0, 3, 0), 1, 23},  {PCI_RID(0, 3, 1), 2, 20},
        {PCI_RID(0, 24, 0), 4, 23}, {PCI_RID(0, 25, 0), 1, 16}, {PCI_RID(0, 25, 1), 4, 19},
        {PCI_RID(0, 28, 7), 1, 22}, {PCI_RID(0, 28, 6), 3, 20}, {PCI_RID(0, 30, 0), 2, 21},
        {PCI_RID(0, 31, 2), 1, 17}, {PCI_RID(0, 31, 3), 3, 19}, {PCI_RID(0, 4, 0), 0, 0},
        {PCI_RID(0, 5, 0), 5, 0},   {PCI_RID(9, 28, 0), 1, 20},
    };
    struct sim_function *lpc = add_lpc(0x1100);

    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        struct sim_function *f = add(expected[i].rid, expected[i].pin);

        if (PCI_FUNCTION(f->rid)) /* somebody has to be function 0 */
            sim_multifunction(sim_add(0, f->rid & 0xfff8, NIC, CLASS_X));
    }
    sim_multifunction(lpc);
    enumerate();
    irq_routes_init();
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        if (pci_find(0, expected[i].rid))
            assert_int_equal(routed(expected[i].rid), expected[i].gsi);
    sim_set(lpc, 0xf0, 4, 0xfed1c000, 0); /* not reachable */
    assert_int_equal(routed(PCI_RID(0, 25, 0)), 0);
    assert_int_equal(routed(PCI_RID(0, 2, 0)), 22);
}

/* Below a link device numbers mean nothing; on other buses each bridge turns the pins. */
static void bridges_turn_the_pins(void **state)
{
    struct sim_function *port = add(PCI_RID(0, 6, 0), 1), *bridge = add(PCI_RID(0, 7, 0), 1);
    struct sim_function *inner = add(PCI_RID(2, 3, 0), 1);

    add_lpc(0x1100);
    sim_bridge(port, 1, 1);
    sim_express(port, PCIE_ROOT_PORT, false);
    add(PCI_RID(1, 0, 0), 2);
    sim_bridge(bridge, 2, 3);
    sim_express(bridge, PCIE_TO_PCI_BRIDGE, false);
    sim_bridge(inner, 3, 3);
    add(PCI_RID(2, 5, 0), 1);
    add(PCI_RID(3, 2, 0), 3);
    enumerate();
    irq_routes_init();
    assert_int_equal(routed(PCI_RID(1, 0, 0)), 20 + (6 + 1) % 4);
    assert_int_equal(routed(PCI_RID(2, 5, 0)), 20 + (7 + 5 + 0) % 4);
    assert_int_equal(routed(PCI_RID(3, 2, 0)), 20 + (7 + 3 + 2 + 2) % 4);
}

/* Silicon with the same bridge is wired as its board is; the operator knows. */
static void the_operator_has_the_first_word(void **state)
{
    add_lpc(0x7270);
    add(PCI_RID(0, 2, 0), 1);
    add(PCI_RID(0, 3, 0), 0);
    enumerate();
    irq_routes_init();
    assert_int_equal(routed(PCI_RID(0, 2, 0)), 0);
    assert_int_equal(irq_route(pci_find(0, PCI_RID(0, 2, 0)), 18, &why), 0);
    assert_int_equal(pci_find(0, PCI_RID(0, 2, 0))->intx_gsi, 18);
    assert_int_equal(irq_route(pci_find(0, PCI_RID(0, 2, 0)), 24, &why), -EINVAL);
    says("no I/O APIC");
    assert_int_equal(irq_route(pci_find(0, PCI_RID(0, 3, 0)), 18, &why), -EINVAL);
    says("no interrupt pin");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_operator_has_the_first_word),
        TEST(everybody_is_silent_at_first),
        TEST(fires_once_for_each_unmasking),
        TEST(a_device_without_a_mask_has_the_line_for_itself),
        TEST(devices_on_one_line_are_served_apart),
        TEST(a_line_that_nobody_owns_is_given_up),
        TEST(a_handler_may_unmask),
        TEST(pitfall_35_a_reset_keeps_the_mask),
        TEST(pitfall_35_a_forgotten_mask_is_set_again),
        TEST(a_device_that_is_gone_pulls_nothing),
        TEST(every_failure_of_enabling_leaves_nothing),
        TEST(q35_wires_its_slots_as_its_registers_say),
        TEST(bridges_turn_the_pins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
