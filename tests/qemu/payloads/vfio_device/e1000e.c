/* SPDX-License-Identifier: BSD-2-Clause */
/* MSI-X at work, on the e1000e, whose driver can raise any cause of an interrupt. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <time.h>

#include "vfio_device.h"

#define IDS       0x10d38086u
#define PORT_BAR  2
#define TABLE_BAR 3
#define IO        1 /* of the command register */

enum {
    STATUS = 0x08,
    CAUSES = 0xc0,    /* ICR: a one clears */
    RAISE = 0xc8,     /* ICS */
    ENABLE = 0xd0,    /* IMS */
    VECTORS = 0xe4,   /* IVAR */
    TO_VECTOR_0 = 8,  /* receive queue 0 */
    CAUSE = 1u << 20, /* the same */
    ENTRY_MASKED = 1,
};

/*
 * The device throttles: what comes too soon comes later, and some versions of QEMU send each
 * message once more when its time is over. The pause lets all that happen.
 */
static void raise_vector_0(void)
{
    const struct timespec pause = {0, 2000000};

    set_register(RAISE, CAUSE);
    set_register(CAUSES, CAUSE);
    nanosleep(&pause, NULL);
}

static int bind_vector(int event)
{
    irq.data[0] = event;
    return set_irqs(EVENT | TRIGGER, MSIX, 0, 1);
}

/* False: it is another device. */
static bool ready(void)
{
    if (get_config(0, 4) != IDS)
        return false;
    open_events();
    set_config(COMMAND, 2, MEMORY | MASTER);
    set_register(VECTORS, TO_VECTOR_0);
    set_register(ENABLE, CAUSE);
    return true;
}

/* The device keeps what it raises while nobody listens: its vector is masked. */
static void e1000e_unheard_message_waits(void)
{
    START();
    if (!ready())
        return;
    CHECK_OK(bind_vector(events[0]));
    raise_vector_0();
    CHECK(take(events[0]) > 0);
    CHECK_OK(bind_vector(-1));
    raise_vector_0();
    CHECK_OK(bind_vector(events[1]));
    CHECK_EQUAL(take(events[0]), 0);
    CHECK(take(events[1]) > 0);
}

/*
 * The program can write the table where it is mapped. It reaches nobody with it, and who binds an
 * eventfd gets an entry that works.
 */
static void e1000e_spoiled_entry_is_written_afresh(void)
{
    volatile uint32_t *entry;

    START();
    if (!ready())
        return;
    CHECK_OK(bind_vector(events[0]));
    entry = mmap(NULL, regions[TABLE_BAR].size, PROT_READ | PROT_WRITE, MAP_SHARED, device,
                 (off_t)regions[TABLE_BAR].offset);
    CHECK(entry != MAP_FAILED);
    entry[3] = ENTRY_MASKED;
    raise_vector_0();
    CHECK_EQUAL(take(events[0]), 0);
    entry[3] = 0;
    CHECK(take(events[0]) > 0);
    entry[0] = 0xfee00018 | 0x7ff0 << 5; /* an entry that nobody has */
    raise_vector_0();
    CHECK_EQUAL(take(events[0]), 0);
    CHECK_OK(bind_vector(events[1]));
    raise_vector_0();
    CHECK(take(events[1]) > 0);
    entry[0] = entry[1] = entry[2] = 0; /* any address: a write like any other, refused */
    raise_vector_0();
    CHECK_EQUAL(take(events[1]), 0);
    CHECK_OK(munmap((void *)entry, regions[TABLE_BAR].size));
}

/* Register and value by I/O ports: the same register as in memory. */
static void e1000e_registers_by_ports(void)
{
    uint32_t address = STATUS, value = 0;
    off_t ports;

    START();
    if (!ready() || !regions[PORT_BAR].size)
        return;
    printf("registers by ports\n");
    ports = (off_t)regions[PORT_BAR].offset;
    CHECK_EQUAL(regions[PORT_BAR].flags, VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE);
    if (pread(device, &value, 4, ports) == 4)
        NOTE_LINUX("ports are read that are not decoded");
    else
        CHECK_EQUAL(errno, EIO);
    set_config(COMMAND, 2, IO | MEMORY);
    CHECK_EQUAL(pwrite(device, &address, 4, ports), 4);
    CHECK_EQUAL(pread(device, &value, 4, ports), 4);
    CHECK_EQUAL(value, STATUS);
    CHECK_EQUAL(pread(device, &value, 4, ports + 4), 4);
    CHECK_EQUAL(value, get_register(STATUS));
    CHECK(value != 0);
}

const struct conform_case e1000e_cases[] = {
    CASE(e1000e_registers_by_ports),
    CASE(e1000e_unheard_message_waits),
    CASE(e1000e_spoiled_entry_is_written_afresh),
    LAST_CASE,
};
