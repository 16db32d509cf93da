// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/cpu/time.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/port.h"

#define PIT_HZ        UINT64_C(1193182)
#define PIT_CHANNEL2  0x42
#define PIT_COMMAND   0x43
#define PIT_LOAD_CH2  0xb0 /* channel 2, low then high byte, mode 0 */
#define PIT_LATCH_CH2 0x80
#define PIT_START     0xffff
/* 0.8 ms: long enough for 0.2 % with port reads of about a microsecond. */
#define PIT_COUNTS     960
#define SPEAKER_PORT   0x61
#define SPEAKER_GATE2  0x01
#define SPEAKER_OUTPUT 0x02
/* Far more reads than 0.8 ms hold: the counter stands still. */
#define PIT_READS_MAX 100000

static uint64_t start_tsc;
static uint64_t frequency;
/* Fixed-point factors, times 2^32. 1 GHz until time_init() knows better: delays must end. */
static uint64_t ns_per_count = UINT64_C(1) << 32;
static uint64_t counts_per_ns = UINT64_C(1) << 32;

static uint64_t scale(uint64_t value, uint64_t factor)
{
    return (uint64_t)(((unsigned __int128)value * factor) >> 32);
}

uint64_t time_ns(void)
{
    return scale(tsc_read() - start_tsc, ns_per_count);
}

uint64_t time_to_tsc(uint64_t ns)
{
    return start_tsc + scale(ns, counts_per_ns);
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

/* Counts of the time-stamp counter while the PIT's channel 2 counts down; 0 if it does not. */
static uint64_t frequency_from_pit(void)
{
    uint8_t speaker = port_read8(SPEAKER_PORT);
    uint16_t first, last;
    unsigned reads = 0;

    port_write8(SPEAKER_PORT, (uint8_t)((speaker & ~SPEAKER_OUTPUT) | SPEAKER_GATE2));
    port_write8(PIT_COMMAND, PIT_LOAD_CH2);
    port_write8(PIT_CHANNEL2, PIT_START & 0xff);
    port_write8(PIT_CHANNEL2, PIT_START >> 8);
    first = pit_read();
    uint64_t from = tsc_read();
    do {
        last = pit_read();
    } while ((uint16_t)(first - last) < PIT_COUNTS && ++reads < PIT_READS_MAX);
    uint64_t to = tsc_read();
    port_write8(SPEAKER_PORT, speaker);
    if (reads == PIT_READS_MAX)
        return 0;
    return (to - from) * PIT_HZ / (uint16_t)(first - last);
}

const char *time_init(uint64_t boot_tsc)
{
    frequency = frequency_from_cpuid();
    if (!frequency)
        frequency = frequency_from_pit();
    if (!frequency)
        return "neither CPUID nor the PIT tells the frequency of the time-stamp counter";
    start_tsc = MIN(boot_tsc, tsc_read());
    ns_per_count = (NS_PER_S << 32) / frequency;
    counts_per_ns = (frequency / NS_PER_S << 32) + ((frequency % NS_PER_S) << 32) / NS_PER_S;
    return NULL;
}
