/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slots: the button, its second thoughts, requests and their end; what is pulled, and what is not;
 * what is plugged in, and what its id reaches meanwhile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/cpu/time.h"
#include "kernel/iommu/iommu.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/reset.h"
#include "kernel/pcie/port.h"
#include "tests/unit/host_thread.h"
#include "tests/unit/sim_pci.h"

#define PORT PCI_RID(0, 3, 0)
#define CARD PCI_RID(1, 0, 0)

static struct sim_function *port_sim, *card_sim;
static struct pci_device *card;
static struct port port;
static unsigned requests, removals, ends, offers;
static int offer_error;
static bool removed_when_told, completes, cut, speaks, contained;

/* ---- who uses devices ---- */

static bool on_request(const struct pci_device *device)
{
    requests += device == card;
    return true;
}

static void on_removed(const struct pci_device *device)
{
    removals += device == card;
    removed_when_told = device->removed && device->in_reset;
}

static void on_refused(void)
{
    ends++;
}

/* Here the record is that of what was plugged in, which reaches nothing yet. */
static int on_plugged(struct pci_device *device)
{
    assert_ptr_equal(device, card);
    assert_true(cut);
    assert_false(device->removed || device->in_reset);
    offers++;
    return offer_error;
}

/* Any handle will do. */
int iommu_cut(struct requester *requester, bool on)
{
    assert_ptr_equal(requester, &cut);
    if (on) /* before anything else may come under its id */
        assert_true(card->removed);
    cut = on;
    return 0;
}

void port_errors_speak(struct pci_device *device)
{
    speaks = device == card;
    pci_save(device);
}

bool port_is_contained(const struct port *p)
{
    return contained;
}

const struct port_users *port_users(void)
{
    static const struct port_users users = {
        .request = on_request,
        .removed = on_removed,
        .refused = on_refused,
        .plugged = on_plugged,
    };

    return &users;
}

/* ---- the slot ---- */

static uint16_t status, control;

static unsigned at(unsigned offset)
{
    return port_sim->pcie + offset;
}

static void show_status(void)
{
    sim_set(port_sim, at(PCIE_SLOT_STATUS), 2, status, 0xffff);
}

/* Bits of the status register are cleared by ones; a command is completed at once. */
static void on_write(const struct sim_function *f, unsigned offset)
{
    if (f != port_sim)
        return;
    if (offset == at(PCIE_SLOT_STATUS)) {
        uint64_t ones = sim_get(f, offset, 2);

        status &= (uint16_t)(~ones | PCIE_SLOT_PRESENT);
    } else if (offset == at(PCIE_SLOT_CONTROL)) {
        control = (uint16_t)sim_get(f, offset, 2);
        status |= completes ? PCIE_SLOT_COMPLETED : 0;
    }
    show_status();
}

static void happens(uint16_t events)
{
    status |= events;
    show_status();
}

/* The link of an empty slot is on: by it some ports find out that something is there. */
static bool is_dark(void)
{
    return (control & PCIE_SLOT_POWER_OFF) &&
           (control & PCIE_SLOT_LIGHT_OFF) == PCIE_SLOT_LIGHT_OFF &&
           (!(status & PCIE_SLOT_PRESENT) ||
            (sim_get(port_sim, at(PCIE_LINK_CONTROL), 2) & PCIE_LINK_CONTROL_DISABLE));
}

/* As the port's thread does it. */
static void serve(void)
{
    while (port_slots.poll(&port))
        ;
}

/* The thread is woken when the slot has asked for it, and not else. */
static void pass(uint64_t ns)
{
    uint64_t end = host_now_ns + ns;

    while (host_now_ns < end) {
        unsigned wakes = host_wakes;

        host_time_to(MIN(end, host_now_ns + 10 * NS_PER_MS));
        if (host_wakes != wakes)
            serve();
    }
}

static int new_machine(void **state)
{
    struct refusal why;

    sim_reset();
    port_sim = sim_add(0, PORT, 0x000c1b36, 0x060400);
    sim_bridge(port_sim, 1, 1);
    sim_express(port_sim, PCIE_ROOT_PORT, false);
    sim_link(port_sim);
    sim_set(port_sim, at(PCIE_FLAGS), 2, PCIE_ROOT_PORT << 4 | PCIE_FLAGS_SLOT | 2, 0);
    sim_set(port_sim, at(PCIE_LINK_CAP), 4, PCIE_LINK_CAP_TELLS, 0);
    sim_set(port_sim, at(PCIE_LINK_CONTROL), 2, 0, PCIE_LINK_CONTROL_DISABLE);
    sim_set(port_sim, at(PCIE_SLOT_CAP), 4, PCIE_SLOT_CAP_HOT_PLUG, 0);
    sim_set(port_sim, at(PCIE_SLOT_CONTROL), 2, PCIE_SLOT_LIGHT_ON, 0xffff);
    card_sim = sim_add(0, CARD, 0x10d38086, 0x020000);
    sim_express(card_sim, PCIE_ENDPOINT, true);
    sim_bar(card_sim, 0, 0xfe000000, 4096, 0);
    sim_remember();
    completes = true;
    control = PCIE_SLOT_LIGHT_ON;
    status = PCIE_SLOT_PRESENT | PCIE_SLOT_EXCHANGED; /* as firmware leaves it */
    show_status();
    sim_on_write = on_write;
    assert_int_equal(pci_enumerate(sim_ecams, 1, &why), 0);
    pci_save_all();
    card = pci_find(0, CARD);
    card->assigned = true;
    card->requesters[0] = (struct requester *)&cut;
    cut = speaks = contained = false;
    offers = 0;
    offer_error = 0;
    port = (struct port){.pci = pci_find(0, PORT)};
    assert_true(port_slots.start(&port));
    assert_int_equal(control & PCIE_SLOT_EVENTS, PCIE_SLOT_EVENTS);
    requests = removals = ends = 0;
    serve();
    assert_false(card->removed); /* what was before is nothing that happened */
    return 0;
}

static int no_leak(void **state)
{
    timer_cancel(&port.slot.timer);
    sim_reset();
    return heap_used() == 0 ? 0 : -1;
}

static void press(void)
{
    happens(PCIE_SLOT_PRESSED);
    serve();
}

static uint16_t indicator(void)
{
    return control & PCIE_SLOT_LIGHT_OFF;
}

static void assert_out(void)
{
    assert_true(card->removed);
    assert_false(card->leaving);
    assert_int_equal(removals, 1);
    assert_true(removed_when_told);
    assert_true(cut);
    assert_true(is_dark());
    assert_int_equal(pci_claim(card, "test"), -ENODEV);
}

/* ---- the button ---- */

static void what_nobody_uses_is_out_after_five_seconds(void **state)
{
    press();
    assert_int_equal(indicator(), PCIE_SLOT_LIGHT_BLINKS);
    pass(4900 * NS_PER_MS);
    assert_false(card->removed);
    pass(300 * NS_PER_MS);
    assert_out();
    assert_int_equal(requests, 0);
}

static void a_second_press_takes_it_back(void **state)
{
    card->claimed_by = "vfio";
    press();
    pass(3 * NS_PER_S);
    press();
    assert_int_equal(indicator(), PCIE_SLOT_LIGHT_ON);
    pass(60 * NS_PER_S);
    assert_int_equal(requests, 0);
    /* Also when its user has been asked; then others may have it again. */
    press();
    pass(6 * NS_PER_S);
    assert_int_equal(requests, 1);
    assert_true(card->leaving);
    press();
    pass(60 * NS_PER_S);
    assert_int_equal(requests, 1);
    assert_int_equal(ends, 0);
    card->claimed_by = NULL;
    pass(NS_PER_S);
    assert_false(card->removed);
    assert_int_equal(pci_claim(card, "test"), 0);
}

static void its_user_is_asked_until_he_lets_go(void **state)
{
    card->claimed_by = "vfio";
    press();
    pass(5200 * NS_PER_MS);
    assert_int_equal(requests, 1);
    pass(10 * NS_PER_S);
    assert_int_equal(requests, 2);
    assert_false(card->removed);
    card->claimed_by = NULL;
    assert_true(card->leaving); /* nobody comes in between: lease_start() */
    pass(200 * NS_PER_MS);
    assert_out();
    assert_int_equal(ends, 0);
    pass(60 * NS_PER_S);
    assert_int_equal(requests, 2);
}

static void a_user_who_does_not_let_go_is_ended(void **state)
{
    card->claimed_by = "vfio";
    press();
    pass(34900 * NS_PER_MS);
    assert_int_equal(requests, 3);
    assert_int_equal(ends, 0);
    pass(300 * NS_PER_MS);
    assert_true(ends > 0);
    assert_false(card->removed);
    card->claimed_by = NULL;
    pass(200 * NS_PER_MS);
    assert_out();
}

/* ---- pulled ---- */

static void what_is_pulled_is_gone_at_once(void **state)
{
    uint64_t before = host_now_ns;

    card->claimed_by = "vfio";
    status &= (uint16_t)~PCIE_SLOT_PRESENT;
    happens(PCIE_SLOT_EXCHANGED);
    serve();
    assert_out();
    assert_true(host_now_ns - before < NS_PER_S);
    assert_int_equal(requests, 0); /* which on_removed() does */
}

/* Something else is there already, as it comes from its power-on. What is new then comes in. */
static void what_is_exchanged_is_gone(void **state)
{
    card->claimed_by = "vfio";
    sim_set(card_sim, PCI_BAR0, 4, 0, 0xfffff000);
    happens(PCIE_SLOT_EXCHANGED);
    serve();
    assert_out();
    pass(10 * NS_PER_S);
    assert_true(is_dark());
    card->claimed_by = NULL;
    pass(2 * NS_PER_S);
    assert_int_equal(offers, 1);
}

/* ---- plugged in ---- */

static void pull(void)
{
    status &= (uint16_t)~PCIE_SLOT_PRESENT;
    happens(PCIE_SLOT_EXCHANGED);
    serve();
}

/* Another device, as it comes from its power-on. */
static void plug(uint32_t ids)
{
    sim_set(card_sim, PCI_VENDOR, 4, ids, 0);
    sim_set(card_sim, PCI_BAR0, 4, 0, 0xfffff000);
    happens(PCIE_SLOT_PRESENT | PCIE_SLOT_EXCHANGED);
    serve();
}

static void assert_lit(void)
{
    assert_false(control & PCIE_SLOT_POWER_OFF);
    assert_int_equal(indicator(), PCIE_SLOT_LIGHT_ON);
    assert_false(sim_get(port_sim, at(PCIE_LINK_CONTROL), 2) & PCIE_LINK_CONTROL_DISABLE);
}

/* With the id refused until somebody opens it; the record, and the port's, are as it is now. */
static void what_is_plugged_in_is_offered(void **state)
{
    pull();
    assert_out();
    plug(0x11e81234);
    assert_int_equal(offers, 1);
    assert_lit();
    assert_true(cut);
    assert_false(card->removed || card->in_reset || card->leaving);
    assert_int_equal(card->device, 0x11e8);
    assert_int_equal(card->bars[0].size, 4096);
    assert_int_equal(card->bars[0].base, 0);
    assert_int_equal(removals, 1);
    assert_int_equal(pci_claim(card, "test"), 0);
    pass(10 * NS_PER_S); /* that its link came up is no removal */
    assert_int_equal(removals, 1);
    control = 0;
    pci_config_restore(port.pci); /* as behind a reset of a bus above */
    assert_lit();
    pull();
    assert_int_equal(removals, 2);
    assert_true(is_dark());
}

static void it_speaks_of_its_errors_where_the_last_one_did(void **state)
{
    pull();
    card->errors_told = true;
    plug(0x11e81234);
    assert_int_equal(offers, 1);
    assert_true(speaks);
}

/* Whatever it comes up with, and after its resets. */
static void its_errors_are_no_system_errors(void **state)
{
    pull();
    sim_set(card_sim, PCI_COMMAND, 2, PCI_COMMAND_SERR, 0x547);
    sim_set(card_sim, card_sim->pcie + PCIE_DEVICE_CONTROL, 2, PCIE_DEVICE_CONTROL_ERRORS, 0xff);
    plug(0x11e81234);
    assert_int_equal(offers, 1);
    assert_int_equal(sim_get(card_sim, PCI_COMMAND, 2) & PCI_COMMAND_SERR, 0);
    assert_int_equal(
        sim_get(card_sim, card_sim->pcie + PCIE_DEVICE_CONTROL, 2) & PCIE_DEVICE_CONTROL_ERRORS, 0);
    sim_set(card_sim, PCI_COMMAND, 2, PCI_COMMAND_SERR, 0x547);
    pci_config_restore(card);
    assert_int_equal(sim_get(card_sim, PCI_COMMAND, 2) & PCI_COMMAND_SERR, 0);
}

/* It stays dark in its slot until somebody presses again, or it is another one. */
static void what_may_be_taken_out_comes_back_by_the_button(void **state)
{
    press();
    pass(6 * NS_PER_S);
    assert_out();
    pass(60 * NS_PER_S);
    assert_out();
    press();
    assert_int_equal(offers, 1);
    assert_lit();
    assert_false(card->removed);
    pass(60 * NS_PER_S);
    assert_int_equal(removals, 1);
}

/* Its interrupts and what it has mapped are still those of the last one. */
/* Named by the configuration, and nothing is in it when the machine starts. */
static void an_empty_slot_waits_for_its_first_device(void **state)
{
    status &= (uint16_t)~PCIE_SLOT_PRESENT;
    show_status();
    card->removed = card->in_reset = true;
    timer_cancel(&port.slot.timer);
    port = (struct port){.pci = pci_find(0, PORT)};
    assert_true(port_slots.start(&port));
    assert_true(cut);
    serve();
    assert_int_equal(offers, 0);
    plug(0x11e81234);
    assert_int_equal(offers, 1);
    assert_lit();
    assert_false(card->removed);
}

static void who_uses_the_last_one_keeps_the_slot_dark(void **state)
{
    card->claimed_by = "vfio";
    pull();
    plug(0x11e81234);
    pass(60 * NS_PER_S);
    assert_int_equal(offers, 0);
    assert_out();
    card->claimed_by = NULL;
    pass(2 * NS_PER_S);
    assert_int_equal(offers, 1);
    assert_lit();
}

/* And is not asked again before it is another one. */
static void what_is_not_to_be_used_stays_dark(void **state)
{
    pull();
    offer_error = -EINVAL;
    plug(0x11e81234);
    assert_int_equal(offers, 1);
    assert_out();
    assert_int_equal(card->bars[0].size, 0); /* nobody believes it */
    pass(60 * NS_PER_S);
    assert_int_equal(offers, 1);
    pci_config_restore(port.pci); /* as behind a reset of a bus above */
    assert_true(is_dark());
    pull();
    assert_int_equal(removals, 1);
    offer_error = 0;
    plug(0x10d38086);
    assert_int_equal(offers, 2);
    assert_lit();
}

static void what_was_not_named_stays_dark(void **state)
{
    pull();
    card->assigned = false;
    plug(0x11e81234);
    assert_int_equal(offers, 0);
    assert_true(is_dark());
    assert_true(card->removed);
}

/* Packets as large as the port's, which the firmware had made so. */
static void it_takes_as_much_as_the_port_or_stays_dark(void **state)
{
    unsigned device_control = card_sim->pcie + PCIE_DEVICE_CONTROL;

    sim_set(port_sim, at(PCIE_DEVICE_CONTROL), 2, 2 << 5, 0);
    sim_set(card_sim, card_sim->pcie + PCIE_DEVICE_CAP, 4, 2, 0);
    sim_set(card_sim, device_control, 2, 0, 0xffff);
    pull();
    plug(0x11e81234);
    assert_int_equal(offers, 1);
    assert_int_equal(sim_get(card_sim, device_control, 2) & PCIE_DEVICE_CONTROL_PAYLOAD, 2 << 5);
    sim_set(card_sim, card_sim->pcie + PCIE_DEVICE_CAP, 4, 1, 0);
    pull();
    plug(0x11e81234);
    assert_int_equal(offers, 1);
    assert_true(is_dark());
    assert_true(cut && card->removed);
}

static void what_does_not_answer_stays_dark(void **state)
{
    pull();
    card_sim->answers_from = SIM_NEVER;
    plug(0x11e81234);
    assert_true(is_dark());
    pull();
    port_sim->link_from = SIM_NEVER;
    card_sim->answers_from = 0;
    plug(0x11e81234);
    assert_true(is_dark());
    assert_int_equal(offers, 0);
    assert_true(card->removed);
}

/* ---- no removals ---- */

/* The link goes and comes in a reset, and in some ports presence does as well. */
static void a_reset_is_no_removal(void **state)
{
    card->in_reset = true;
    status &= (uint16_t)~PCIE_SLOT_PRESENT;
    happens(PCIE_SLOT_EXCHANGED | PCIE_SLOT_LINK_CHANGED);
    serve();
    pass(NS_PER_S);
    assert_false(card->removed);
    happens(PCIE_SLOT_PRESENT | PCIE_SLOT_EXCHANGED | PCIE_SLOT_LINK_CHANGED);
    serve();
    card->in_reset = false;
    pass(10 * NS_PER_S);
    assert_false(card->removed);
    assert_int_equal(removals, 0);
    /* A link that trains again by itself. */
    port_sim->link_from = host_now_ns + NS_PER_S;
    happens(PCIE_SLOT_LINK_CHANGED);
    serve();
    pass(10 * NS_PER_S);
    assert_false(card->removed);
}

/* Of a port that was asked too late to see the reset: what is there is as it was. */
static void what_was_reset_before_anybody_looked_stays(void **state)
{
    happens(PCIE_SLOT_EXCHANGED | PCIE_SLOT_LINK_CHANGED);
    serve();
    pass(10 * NS_PER_S);
    assert_false(card->removed);
}

/* The port takes the link down by itself, and lets go of it when what is below is recovered. */
static void containment_is_no_removal(void **state)
{
    contained = true;
    status &= (uint16_t)~PCIE_SLOT_PRESENT;
    happens(PCIE_SLOT_EXCHANGED | PCIE_SLOT_LINK_CHANGED);
    serve();
    assert_false(card->removed);
    contained = false;
    happens(PCIE_SLOT_PRESENT | PCIE_SLOT_EXCHANGED | PCIE_SLOT_LINK_CHANGED);
    serve();
    pass(10 * NS_PER_S);
    assert_false(card->removed);
    contained = true;
    status &= (uint16_t)~PCIE_SLOT_PRESENT;
    happens(PCIE_SLOT_EXCHANGED);
    serve();
    pass(3 * NS_PER_S);
    assert_out(); /* it was that which it was about */
}

static void what_is_pulled_in_a_reset_is_gone(void **state)
{
    card->in_reset = true;
    status &= (uint16_t)~PCIE_SLOT_PRESENT;
    happens(PCIE_SLOT_EXCHANGED);
    serve();
    pass(3 * NS_PER_S);
    assert_out();
}

static void a_link_that_stays_down_is_a_removal(void **state)
{
    port_sim->link_from = SIM_NEVER;
    happens(PCIE_SLOT_LINK_CHANGED);
    serve();
    assert_false(card->removed);
    pass(3 * NS_PER_S);
    assert_out();
}

/* ---- ports ---- */

static void a_port_that_completes_no_command_is_not_waited_for(void **state)
{
    uint64_t before = host_now_ns;

    completes = false;
    pull();
    assert_out();
    assert_true(host_now_ns - before < 5 * NS_PER_S);
}

static void a_port_that_does_not_answer_tells_nothing(void **state)
{
    happens(PCIE_SLOT_EXCHANGED);
    port_sim->answers_from = SIM_NEVER;
    assert_false(port_slots.poll(&port));
    assert_false(card->removed);
}

static void only_slots_that_can_are_served(void **state)
{
    sim_set(port_sim, at(PCIE_SLOT_CAP), 4, 0, 0);
    assert_false(port_slots.start(&port));
    sim_set(port_sim, at(PCIE_SLOT_CAP), 4, PCIE_SLOT_CAP_HOT_PLUG, 0);
    sim_set(port_sim, at(PCIE_FLAGS), 2, PCIE_ROOT_PORT << 4 | 2, 0);
    assert_false(port_slots.start(&port));
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, new_machine, no_leak)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_nobody_uses_is_out_after_five_seconds),
        TEST(a_second_press_takes_it_back),
        TEST(its_user_is_asked_until_he_lets_go),
        TEST(a_user_who_does_not_let_go_is_ended),
        TEST(what_is_pulled_is_gone_at_once),
        TEST(what_is_exchanged_is_gone),
        TEST(what_is_plugged_in_is_offered),
        TEST(it_speaks_of_its_errors_where_the_last_one_did),
        TEST(its_errors_are_no_system_errors),
        TEST(what_may_be_taken_out_comes_back_by_the_button),
        TEST(an_empty_slot_waits_for_its_first_device),
        TEST(who_uses_the_last_one_keeps_the_slot_dark),
        TEST(what_is_not_to_be_used_stays_dark),
        TEST(what_was_not_named_stays_dark),
        TEST(it_takes_as_much_as_the_port_or_stays_dark),
        TEST(what_does_not_answer_stays_dark),
        TEST(a_reset_is_no_removal),
        TEST(what_was_reset_before_anybody_looked_stays),
        TEST(containment_is_no_removal),
        TEST(what_is_pulled_in_a_reset_is_gone),
        TEST(a_link_that_stays_down_is_a_removal),
        TEST(a_port_that_completes_no_command_is_not_waited_for),
        TEST(a_port_that_does_not_answer_tells_nothing),
        TEST(only_slots_that_can_are_served),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
