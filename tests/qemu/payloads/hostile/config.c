/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes to configuration space. Whether the hardware was reached is seen from outside: the test
 * compares what it is programmed with, on every function, with what it was at the start.
 */
#include "hostile.h"

/* Writes a register of the header; the device goes on where it was. */
static void write_and_look(enum which which, unsigned offset, unsigned width, uint32_t value)
{
    uint32_t registers;

    START(ONLY(which));
    set_config(which, offset, width, value);
    CHECK_EQUAL(ask(HARDWARE), 1);
    CHECK_EQUAL(pread(units[which].device, &registers, 4, BAR(0)), 4);
    CHECK(registers != 0xffffffff);
}

#define WRITES(name, which, offset, width, value)                                                  \
    static void name(void)                                                                         \
    {                                                                                              \
        write_and_look(which, offset, width, value);                                               \
    }

WRITES(config_bar_to_the_kernel_edu, EDU, 0x10, 4, 0x00200000)
WRITES(config_bar_to_the_kernel_card, CARD, 0x10, 4, 0x00200000)
WRITES(config_bar_to_the_kernel_disk, DISK, 0x10, 4, 0x00200004)
WRITES(config_bar_to_the_iommu, EDU, 0x10, 4, 0xfed90000)
WRITES(config_bar_to_interrupts, CARD, 0x10, 4, 0xfee00000)
WRITES(config_bar_above_4g, DISK, 0x14, 4, 0x00000001)
WRITES(config_bar_of_ports, CARD, 0x18, 4, 0x000003f9)
WRITES(config_bar_of_vectors, CARD, 0x1c, 4, 0xfec00000)
WRITES(config_rom_over_memory, CARD, 0x30, 4, 0x00200001)
WRITES(config_system_errors, EDU, COMMAND, 2, 0x0146)
WRITES(config_every_command_bit, DISK, COMMAND, 2, 0xffff)
WRITES(config_status_cleared, CARD, 6, 2, 0xffff)
WRITES(config_identity, CARD, 0, 4, 0x71111234)
WRITES(config_class, EDU, 8, 4, 0x06040000)
WRITES(config_header_becomes_a_bridge, EDU, 0x0e, 1, 0x01)
WRITES(config_bus_numbers_of_no_bridge, EDU, 0x18, 4, 0x00ff0100)
WRITES(config_capability_list, CARD, 0x34, 1, 0xfc)
WRITES(config_self_test, EDU, 0x0f, 1, 0x40)
WRITES(config_pin, EDU, 0x3d, 1, 4)

/* Another device's window: both go on where they were. */
static void config_bar_over_another(void)
{
    uint32_t theirs;

    START(ONLY(EDU) | ONLY(OTHER));
    theirs = get_config(OTHER, 0x10, 4);
    set_config(EDU, 0x10, 4, theirs);
    CHECK_EQUAL(ask(HARDWARE), 1);
    *(volatile uint32_t *)(units[EDU].bar + 4) = 0x1111;
    *(volatile uint32_t *)(units[OTHER].bar + 4) = 0x2222;
    CHECK_EQUAL(*(volatile uint32_t *)(units[EDU].bar + 4), ~0x1111u);
}

/* While it is not decoded, which is when firmware would move it. */
static void config_bar_moved_undecoded(void)
{
    START(ONLY(CARD));
    set_config(CARD, COMMAND, 2, 0);
    set_config(CARD, 0x10, 4, 0x00200000);
    set_config(CARD, COMMAND, 2, MEMORY | MASTER);
    CHECK_EQUAL(ask(HARDWARE), 1);
    CHECK(*(volatile uint32_t *)(units[CARD].bar + 8) != 0xffffffff);
}

/* Asleep, and behind a reset: what was written is a copy there, too. */
static void config_bar_moved_across_a_reset(void)
{
    START(ONLY(DISK));
    set_config(DISK, 0x10, 4, 0x00200004);
    CHECK_OK(ioctl(units[DISK].device, VFIO_DEVICE_RESET));
    CHECK_EQUAL(ask(HARDWARE), 1);
    CHECK(*(volatile uint32_t *)(units[DISK].bar + 8) != 0xffffffff);
}

static void config_bar_moved_in_low_power(void)
{
    unsigned pm;

    START(ONLY(CARD));
    pm = find_capability(CARD, PM);
    CHECK(pm != 0);
    set_config(CARD, pm + 4, 2, 3);
    set_config(CARD, 0x10, 4, 0x00200000);
    CHECK(faults(units[CARD].bar));
    set_config(CARD, pm + 4, 2, 0);
    CHECK_EQUAL(ask(HARDWARE), 1);
    CHECK(!faults(units[CARD].bar));
}

/* ---- messages ---- */

/* A message of the program's own making, enabled by hand; then the device is told to send it. */
static void forge_message(uint32_t address, uint32_t high, uint16_t data)
{
    unsigned msi;

    START(ONLY(EDU));
    open_events();
    msi = find_capability(EDU, MSI_CAP);
    CHECK(msi != 0);
    set_config(EDU, msi + 4, 4, address);
    set_config(EDU, msi + 8, 4, high);
    set_config(EDU, msi + 12, 2, data);
    set_config(EDU, msi + 2, 2, 0x00f1);
    *(volatile uint32_t *)(units[EDU].bar + EDU_RAISE) = 1;
    let_arrive();
    *(volatile uint32_t *)(units[EDU].bar + EDU_ACKNOWLEDGE) = 1;
    CHECK_EQUAL(ask(HARDWARE), 1);
    CHECK_OK(bind_event(EDU, MSI, 0, events[0]));
    set_config(EDU, msi + 4, 4, address); /* and again when the kernel has enabled it */
    set_config(EDU, msi + 8, 4, high);
    set_config(EDU, msi + 12, 2, data);
    *(volatile uint32_t *)(units[EDU].bar + EDU_RAISE) = 1;
    *(volatile uint32_t *)(units[EDU].bar + EDU_ACKNOWLEDGE) = 1;
    CHECK_EQUAL(take(events[0]), 1);
}

static void config_message_to_the_kernel(void)
{
    forge_message(0x00200000, 0, 0x4141);
}

static void config_message_with_any_vector(void)
{
    forge_message(0xfee00000, 0, 0x00c3);
}

static void config_message_as_an_nmi(void)
{
    forge_message(0xfee00000, 0, 0x0400);
}

static void config_message_to_another_entry(void)
{
    forge_message(0xfee00018 | 1u << 5, 0, 0);
}

static void config_message_above_4g(void)
{
    forge_message(0, 1, 0x1234);
}

/* MSI-X switched on by hand, unmasked, without one eventfd. */
static void config_vectors_enabled_by_hand(void)
{
    unsigned msix;

    START(ONLY(CARD));
    msix = find_capability(CARD, MSIX_CAP);
    CHECK(msix != 0);
    set_config(CARD, msix + 2, 2, 0x8000);
    set_config(CARD, msix + 4, 4, 0x00000007);
    set_config(CARD, msix + 8, 4, 0x00001000);
    CHECK_EQUAL(ask(HARDWARE), 1);
}

/* ---- every register ---- */

enum { ALL = 0x1000 };

/* Leaves out what is meant to act: the reset bit of PCI Express, which gives the device a reset. */
static void write_every_register(enum which which, unsigned width, uint32_t value)
{
    unsigned express, end = ALL, at;
    uint32_t there;

    START(ONLY(which));
    express = find_capability(which, EXPRESS);
    for (at = 0; at < end; at += width) {
        if (express && at / 4 == (express + 8) / 4)
            continue;
        if (pwrite(units[which].device, &value, width, CONFIG + at) != (ssize_t)width)
            end = at; /* 256 bytes of a conventional device */
    }
    CHECK(end >= 256);
    set_config(which, COMMAND, 2, MEMORY);
    unsigned pm = find_capability(which, PM);
    if (pm)
        set_config(which, pm + 4, 2, 0);
    CHECK_EQUAL(ask(HARDWARE), 1);
    CHECK_EQUAL(pread(units[which].device, &there, 4, BAR(0)), 4);
    CHECK(there != 0xffffffff);
}

#define EVERY(name, which, width, value)                                                           \
    static void name(void)                                                                         \
    {                                                                                              \
        write_every_register(which, width, value);                                                 \
    }

EVERY(config_every_register_of_edu_ones, EDU, 4, 0xffffffff)
EVERY(config_every_register_of_edu_zeros, EDU, 4, 0)
EVERY(config_every_byte_of_edu, EDU, 1, 0x5a)
EVERY(config_every_register_of_card_ones, CARD, 4, 0xffffffff)
EVERY(config_every_register_of_card_zeros, CARD, 4, 0)
EVERY(config_every_byte_of_card, CARD, 1, 0x5a)
EVERY(config_every_register_of_disk_ones, DISK, 4, 0xffffffff)
EVERY(config_every_register_of_disk_zeros, DISK, 4, 0)
EVERY(config_every_byte_of_disk, DISK, 1, 0x5a)

/* ---- outside ---- */

static void config_beyond_the_end(void)
{
    uint32_t value = 0xffffffff;
    const off_t places[] = {ALL, ALL - 2, 1 << 20, (1ll << 40) - 4};

    START(ONLY(CARD));
    for (unsigned i = 0; i < 4; i++) {
        CHECK_EQUAL(pwrite(units[CARD].device, &value, 4, CONFIG + places[i]), -1);
        CHECK_EQUAL(pread(units[CARD].device, &value, 4, CONFIG + places[i]), -1);
    }
    CHECK_EQUAL(ask(HARDWARE), 1);
}

static void config_in_one_long_write(void)
{
    static uint8_t all[8192];

    START(ONLY(CARD));
    memset(all, 0xff, sizeof(all));
    (void)pwrite(units[CARD].device, all, sizeof(all), CONFIG);
    (void)pwrite(units[CARD].device, all, 4096, CONFIG + 0x0f);
    CHECK_EQUAL(pwrite(units[CARD].device, all, SIZE_MAX / 2, CONFIG), -1);
    set_config(CARD, COMMAND, 2, MEMORY);
    CHECK_EQUAL(ask(HARDWARE), 1);
}

const struct attack config_attacks[] = {
    ATTACK(config_bar_to_the_kernel_edu, QUIET),
    ATTACK(config_bar_to_the_kernel_card, QUIET),
    ATTACK(config_bar_to_the_kernel_disk, QUIET),
    ATTACK(config_bar_to_the_iommu, QUIET),
    ATTACK(config_bar_to_interrupts, QUIET),
    ATTACK(config_bar_above_4g, QUIET),
    ATTACK(config_bar_of_ports, QUIET),
    ATTACK(config_bar_of_vectors, QUIET),
    ATTACK(config_rom_over_memory, QUIET),
    ATTACK(config_system_errors, QUIET),
    ATTACK(config_every_command_bit, QUIET),
    ATTACK(config_status_cleared, QUIET),
    ATTACK(config_identity, QUIET),
    ATTACK(config_class, QUIET),
    ATTACK(config_header_becomes_a_bridge, QUIET),
    ATTACK(config_bus_numbers_of_no_bridge, QUIET),
    ATTACK(config_capability_list, QUIET),
    ATTACK(config_self_test, QUIET),
    ATTACK(config_pin, QUIET),
    ATTACK(config_bar_over_another, QUIET),
    ATTACK(config_bar_moved_undecoded, QUIET),
    ATTACK(config_bar_moved_across_a_reset, QUIET),
    ATTACK(config_bar_moved_in_low_power, QUIET),
    ATTACK(config_message_to_the_kernel, QUIET),
    ATTACK(config_message_with_any_vector, QUIET),
    ATTACK(config_message_as_an_nmi, QUIET),
    ATTACK(config_message_to_another_entry, QUIET),
    ATTACK(config_message_above_4g, QUIET),
    ATTACK(config_vectors_enabled_by_hand, QUIET),
    ATTACK(config_every_register_of_edu_ones, QUIET),
    ATTACK(config_every_register_of_edu_zeros, QUIET),
    ATTACK(config_every_byte_of_edu, QUIET),
    ATTACK(config_every_register_of_card_ones, QUIET),
    ATTACK(config_every_register_of_card_zeros, QUIET),
    ATTACK(config_every_byte_of_card, QUIET),
    ATTACK(config_every_register_of_disk_ones, QUIET),
    ATTACK(config_every_register_of_disk_zeros, QUIET),
    ATTACK(config_every_byte_of_disk, QUIET),
    ATTACK(config_beyond_the_end, QUIET),
    ATTACK(config_in_one_long_write, QUIET),
    LAST_ATTACK,
};
