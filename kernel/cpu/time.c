/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/cpu/frequency.h"
#include "kernel/cpu/port.h"
#include "kernel/lib/log.h"

#define PIT_HZ        UINT64_C(1193182)
#define PIT_CHANNEL2  0x42
#define PIT_COMMAND   0x43
#define PIT_LOAD_CH2  0xb0 /* channel 2, low then high byte, mode 0 */
#define PIT_LATCH_CH2 0x80
#define PIT_START     0xffff
/* A sample of 0.2 ms; four in a row are good for 0.2 % with port reads of about a microsecond. */
#define PIT_COUNTS 240
static const char PIT[] = "pit"; /* known.source */

#define SPEAKER_PORT   0x61
#define SPEAKER_GATE2  0x01
#define SPEAKER_OUTPUT 0x02

#define PM_TIMER_COUNTS 90 /* 0.025 ms */
#define CHECKS_MAX      4
#define AGREE_SHARE     100 /* clocks that differ by less than a hundredth agree */

/* 1 GHz until time_init() knows better: delays must end. */
static struct timeline line = {.ns_per_count = UINT64_C(1) << 32,
                               .counts_per_ns = UINT64_C(1) << 32};
static struct frequency known = {.source = "none"};

uint64_t time_ns(void)
{
    return timeline_ns(&line, tsc_read());
}

uint64_t time_to_tsc(uint64_t ns)
{
    return timeline_tsc(&line, ns);
}

const struct frequency *time_known(void)
{
    return &known;
}

void time_set_frequency(struct frequency better)
{
    known = better;
    timeline_bend(&line, tsc_read(), better.hz);
}

void time_delay_ns(uint64_t ns)
{
    uint64_t end = time_ns() + ns;

    while (time_ns() < end)
        cpu_pause();
}

static uint16_t pit_read(void)
{
    port_write8(PIT_COMMAND, PIT_LATCH_CH2);
    uint16_t low = port_read8(PIT_CHANNEL2);
    return (uint16_t)(low | (port_read8(PIT_CHANNEL2) << 8));
}

static uint32_t pit_counts(void)
{
    return (uint16_t)(PIT_START - pit_read());
}

/* Against the PIT's channel 2. */
static const char *use_pit(void)
{
    static const struct calibrate_clocks clocks = {tsc_read, pit_counts, UINT16_MAX};
    uint8_t speaker = port_read8(SPEAKER_PORT);
    struct calibrate_result r;
    bool measured;

    port_write8(SPEAKER_PORT, (uint8_t)((speaker & ~SPEAKER_OUTPUT) | SPEAKER_GATE2));
    port_write8(PIT_COMMAND, PIT_LOAD_CH2);
    port_write8(PIT_CHANNEL2, PIT_START & 0xff);
    port_write8(PIT_CHANNEL2, PIT_START >> 8);
    measured = calibrate(&clocks, (struct calibrate_length){.counts = PIT_COUNTS}, &r);
    port_write8(SPEAKER_PORT, speaker);
    if (!measured)
        return "neither CPUID nor the PIT tells the frequency of the time-stamp counter";
    time_set_frequency((struct frequency){r.ticks * PIT_HZ / r.counts, PIT, false});
    return NULL;
}

const char *time_init(uint64_t boot_tsc)
{
    struct frequency told =
        frequency_by_cpuid(cpu_features.signature, cpuid_leaf(0x15, 0), cpuid_leaf(0x16, 0));
    const char *problem = NULL;

    if (told.hz)
        time_set_frequency(told);
    else
        problem = use_pit();
    line.ns = 0;
    line.tsc = MIN(boot_tsc, line.tsc);
    return problem;
}

/* ---- the second clock ---- */

static uint16_t pm_port;
static struct calibrate_clocks second; /* no counts: there is none */

static uint32_t pm_timer_counts(void)
{
    return port_read32(pm_port);
}

const struct calibrate_clocks *time_second_clock(void)
{
    return second.counts ? &second : NULL;
}

static bool agrees(uint64_t hz, uint64_t error)
{
    return MAX(known.hz, hz) - MIN(known.hz, hz) <= known.hz / AGREE_SHARE + error;
}

/*
 * Which of two measurements is wrong cannot be seen, so both are made again. CPUID says the same
 * each time; and clocks that go on to differ are a fault of the machine: the timer is used then.
 */
void time_check(uint16_t port, uint32_t mask)
{
    const struct calibrate_clocks timer = {tsc_read, pm_timer_counts, mask};
    struct calibrate_result r;
    uint64_t hz;

    pm_port = port;
    for (unsigned i = 0; i < CHECKS_MAX; i++) {
        if (!calibrate(&timer, (struct calibrate_length){.counts = PM_TIMER_COUNTS}, &r))
            return; /* it stands still, or is none */
        second = timer;
        hz = frequency_of(&r);
        if (agrees(hz, r.error * SECOND_CLOCK_HZ / r.counts))
            return;
        if (known.source == PIT)
            use_pit();
    }
    log_warn("two clocks disagree: the CPU's counter runs at %lu or %lu Hz; used is the second, by "
             "the ACPI timer",
             known.hz, hz);
    time_set_frequency((struct frequency){hz, "acpi-timer", false});
}
