/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/cpu/time.h"
#include "kernel/cpu/calibrate.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/port.h"
#include "kernel/lib/log.h"

#define PIT_HZ        UINT64_C(1193182)
#define PIT_CHANNEL2  0x42
#define PIT_COMMAND   0x43
#define PIT_LOAD_CH2  0xb0 /* channel 2, low then high byte, mode 0 */
#define PIT_LATCH_CH2 0x80
#define PIT_START     0xffff
/* A sample of 0.2 ms; four in a row are good for 0.2 % with port reads of about a microsecond. */
#define PIT_COUNTS     240
#define SPEAKER_PORT   0x61
#define SPEAKER_GATE2  0x01
#define SPEAKER_OUTPUT 0x02

#define PM_TIMER_HZ     UINT64_C(3579545)
#define PM_TIMER_COUNTS 90 /* 0.025 ms */
#define CHECKS_MAX      4
#define AGREE_SHARE     100 /* clocks that differ by less than a hundredth agree */

/* Time is start_ns at start_tsc, and goes on from there. */
static uint64_t start_tsc, start_ns;
static uint64_t frequency;
static bool frequency_measured; /* or told by CPUID */
/* Fixed-point factors, times 2^32. 1 GHz until time_init() knows better: delays must end. */
static uint64_t ns_per_count = UINT64_C(1) << 32;
static uint64_t counts_per_ns = UINT64_C(1) << 32;

static uint64_t scale(uint64_t value, uint64_t factor)
{
    return (uint64_t)(((unsigned __int128)value * factor) >> 32);
}

uint64_t time_ns(void)
{
    return start_ns + scale(tsc_read() - start_tsc, ns_per_count);
}

uint64_t time_to_tsc(uint64_t ns)
{
    return start_tsc + (ns > start_ns ? scale(ns - start_ns, counts_per_ns) : 0);
}

uint64_t time_frequency(void)
{
    return frequency;
}

void time_delay_ns(uint64_t ns)
{
    uint64_t end = time_ns() + ns;

    while (time_ns() < end)
        cpu_pause();
}

/* CPUID leaf 15h gives the ratio to a crystal, whose frequency older CPUs only imply by leaf 16h.
 */
static uint64_t frequency_from_cpuid(void)
{
    if (cpuid(0, 0).eax < 0x15)
        return 0;
    struct cpuid ratio = cpuid(0x15, 0);
    if (!ratio.eax || !ratio.ebx)
        return 0;
    if (ratio.ecx)
        return (uint64_t)ratio.ecx * ratio.ebx / ratio.eax;
    if (cpuid(0, 0).eax < 0x16)
        return 0;
    return (uint64_t)(cpuid(0x16, 0).eax & 0xffff) * 1000000;
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

/* What calibrate() found, in ticks of the time-stamp counter a second; the error in the same. */
struct found {
    uint64_t frequency, error;
};

static bool measure(uint32_t (*counts)(void), uint32_t mask, uint32_t length, uint64_t hz,
                    struct found *out)
{
    const struct calibrate_clocks clocks = {tsc_read, counts, mask};
    struct calibrate_result r;

    if (!calibrate(&clocks, (struct calibrate_length){.counts = length}, &r))
        return false;
    *out = (struct found){r.ticks * hz / r.counts, r.error * hz / r.counts};
    return true;
}

/* Against the PIT's channel 2. */
static bool measure_by_pit(struct found *out)
{
    uint8_t speaker = port_read8(SPEAKER_PORT);
    bool measured;

    port_write8(SPEAKER_PORT, (uint8_t)((speaker & ~SPEAKER_OUTPUT) | SPEAKER_GATE2));
    port_write8(PIT_COMMAND, PIT_LOAD_CH2);
    port_write8(PIT_CHANNEL2, PIT_START & 0xff);
    port_write8(PIT_CHANNEL2, PIT_START >> 8);
    measured = measure(pit_counts, UINT16_MAX, PIT_COUNTS, PIT_HZ, out);
    port_write8(SPEAKER_PORT, speaker);
    return measured;
}

/* From now on; time itself makes no jump. */
static void set_frequency(uint64_t hz)
{
    uint64_t now = tsc_read();

    start_ns += scale(now - start_tsc, ns_per_count);
    start_tsc = now;
    frequency = hz;
    ns_per_count = (NS_PER_S << 32) / hz;
    counts_per_ns = (hz / NS_PER_S << 32) + ((hz % NS_PER_S) << 32) / NS_PER_S;
}

const char *time_init(uint64_t boot_tsc)
{
    struct found found = {frequency_from_cpuid(), 0};

    frequency_measured = !found.frequency;
    if (frequency_measured && !measure_by_pit(&found))
        return "neither CPUID nor the PIT tells the frequency of the time-stamp counter";
    set_frequency(found.frequency);
    start_ns = 0;
    start_tsc = MIN(boot_tsc, start_tsc);
    return NULL;
}

/* ---- the second clock ---- */

static uint16_t pm_port;

static uint32_t pm_timer_counts(void)
{
    return port_read32(pm_port);
}

static bool agrees(const struct found *other)
{
    uint64_t apart = MAX(frequency, other->frequency) - MIN(frequency, other->frequency);

    return apart <= frequency / AGREE_SHARE + other->error;
}

/*
 * Which of two measurements is wrong cannot be seen, so both are made again. CPUID says the same
 * each time; and clocks that go on to differ are a fault of the machine: the timer is used then.
 */
void time_check(uint16_t port, uint32_t mask)
{
    struct found timer, pit;

    pm_port = port;
    for (unsigned i = 0; i < CHECKS_MAX; i++) {
        if (!measure(pm_timer_counts, mask, PM_TIMER_COUNTS, PM_TIMER_HZ, &timer))
            return; /* it stands still, or is none */
        if (agrees(&timer))
            return;
        if (frequency_measured && measure_by_pit(&pit))
            set_frequency(pit.frequency);
    }
    log_warn("two clocks disagree: the CPU's counter runs at %lu or %lu Hz; used is the second, by "
             "the ACPI timer",
             frequency, timer.frequency);
    set_frequency(timer.frequency);
}
