/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/machine/quiet.h"

#include "kernel/cpu/mmio.h"
#include "kernel/cpu/port.h"
#include "kernel/lib/log.h"
#include "kernel/mm/paging/paging.h"

/* ---- HPET (IA-PC HPET specification 1.0a, 2.3) ---- */

enum {
    HPET_CAPABILITIES = 0x00, /* number of the last timer in 12:8 */
    HPET_PERIOD = 0x04,       /* of a count, in fs */
    HPET_CONFIG = 0x10,
    HPET_TIMERS = 0x100, /* the configuration of timer n is 0x20 * n further */
    HPET_TIMER_SIZE = 0x20,
    HPET_SIZE = HPET_TIMERS + 32 * HPET_TIMER_SIZE,
    HPET_PERIOD_MAX = 100000000,

    CONFIG_ENABLE = 1 << 0,
    CONFIG_LEGACY = 1 << 1, /* its timers stand for PIT and CMOS clock */
    TIMER_INTERRUPT = 1 << 2,
    TIMER_MESSAGE = 1 << 14,
};

/* The reserved bits of these registers are to be written as they are read. */
static void clear(volatile uint8_t *at, uint32_t bits)
{
    mmio_write32(at, mmio_read32(at) & ~bits);
}

static void stop_timers(volatile uint8_t *hpet)
{
    unsigned last = (unsigned)bits_get(mmio_read32(hpet + HPET_CAPABILITIES), 12, 8);

    if (mmio_read32(hpet + HPET_CONFIG) & CONFIG_ENABLE)
        log_info("firmware left the HPET running");
    clear(hpet + HPET_CONFIG, CONFIG_ENABLE | CONFIG_LEGACY);
    for (unsigned timer = 0; timer <= last; timer++)
        clear(hpet + HPET_TIMERS + timer * HPET_TIMER_SIZE, TIMER_INTERRUPT | TIMER_MESSAGE);
}

static bool in_ram(paddr_t base, const struct phys_run *ram, size_t ram_count)
{
    for (size_t i = 0; i < ram_count; i++) {
        if (ranges_overlap(base, HPET_SIZE, ram[i].base, ram[i].length))
            return true;
    }
    return false;
}

static void quiet_hpet(paddr_t base, const struct phys_run *ram, size_t ram_count)
{
    volatile uint8_t *hpet = in_ram(base, ram, ram_count) ? NULL : mmio_map(base, HPET_SIZE);

    if (hpet && mmio_read32(hpet + HPET_PERIOD) - 1 < HPET_PERIOD_MAX)
        stop_timers(hpet);
    else
        log_warn("there is no HPET at 0x%lx, where the firmware says it is", base);
    if (hpet)
        mmio_unmap((void *)hpet, HPET_SIZE);
}

/* ---- power management (ACPI 4.8.3.1, 4.8.4.1) ---- */

/* Timer, global lock, power and sleep button; not the CMOS clock, whose alarm switches on. */
#define PM1_EVENTS 0x0321u

/* Without ACPI mode events go to the firmware, as SMI, and are its own. */
static bool events_are_ours(const struct acpi_info *acpi)
{
    return acpi->pm_control[0].space == ACPI_SPACE_IO &&
           (port_read16((uint16_t)acpi->pm_control[0].address) & ACPI_PM1_SCI_ENABLE);
}

/* The second half of a block enables what the first half tells. */
static void quiet_block(const struct acpi_events *block)
{
    uint16_t enables = (uint16_t)(block->at.address + block->bytes / 2);

    if (block->at.space != ACPI_SPACE_IO)
        return;
    if (block->fixed)
        port_write16(enables, (uint16_t)(port_read16(enables) & ~PM1_EVENTS));
    for (unsigned i = 0; !block->fixed && i < block->bytes / 2u; i++)
        port_write8((uint16_t)(enables + i), 0);
}

/* ---- CMOS clock ---- */

enum {
    CMOS_INDEX = 0x70,
    CMOS_DATA = 0x71,
    CMOS_STATUS_B = 0x0b,
    CMOS_STATUS_C = 0x0c,        /* reading it ends an interrupt */
    CMOS_PERIODIC = 0x40 | 0x10, /* status B: by rate, and after each update */
};

static void quiet_clock(void)
{
    uint8_t status;

    port_write8(CMOS_INDEX, CMOS_STATUS_B);
    status = port_read8(CMOS_DATA);
    if (status == UINT8_MAX) /* there is none */
        return;
    port_write8(CMOS_DATA, status & ~CMOS_PERIODIC);
    port_write8(CMOS_INDEX, CMOS_STATUS_C);
    (void)port_read8(CMOS_DATA);
}

void machine_quiet(const struct acpi_info *acpi, const struct phys_run *ram, size_t ram_count)
{
    if (acpi->hpet)
        quiet_hpet(acpi->hpet, ram, ram_count);
    for (size_t i = 0; events_are_ours(acpi) && i < ARRAY_SIZE(acpi->events); i++)
        quiet_block(&acpi->events[i]);
    quiet_clock();
}
