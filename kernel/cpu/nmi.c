/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Non-maskable interrupts: counted when they come, where nothing else can be done, and told of
 * later with what the chipset says of their source. It sends no more of a source until that one
 * was acknowledged (NMI status and control register, in the data sheets of Intel's chipsets).
 */
#include "kernel/cpu/internal.h"
#include "kernel/cpu/port.h"
#include "kernel/cpu/time.h"
#include "kernel/lib/log.h"

#define NMI_PORT     0x61
#define NMI_ABSENT   0xff /* what is read where there is no such register */
#define NMI_SETTINGS 0x0f /* of the speaker too; the others are to be written as zero */
/* While set the source is acknowledged, and off. */
#define NMI_CLEAR_SYSTEM  0x04
#define NMI_CLEAR_CHANNEL 0x08

static uint64_t nmis, nmis_told;
static void (*tell_more)(void);

uint64_t trap_nmis(void)
{
    return nmis;
}

void nmi_arrived(void)
{
    nmis++;
}

void trap_set_nmi_teller(void (*more)(void))
{
    tell_more = more;
}

/* By the upper two bits of the register: which one is acknowledged, and how. */
static const struct {
    const char *words;
    uint8_t clear;
} sources[] = {
    {"the chipset names no source", 0},
    {"the chipset says: a legacy device's error (IOCHK)", NMI_CLEAR_CHANNEL},
    {"the chipset says: a system error of PCI or its own (SERR)", NMI_CLEAR_SYSTEM},
    {"the chipset says: a system error (SERR) and a legacy device's error (IOCHK)",
     NMI_CLEAR_SYSTEM | NMI_CLEAR_CHANNEL},
};

static const char *take_source(void)
{
    uint8_t value = port_read8(NMI_PORT), settings = value & NMI_SETTINGS;
    unsigned row = value == NMI_ABSENT ? 0 : value >> 6;

    if (sources[row].clear) {
        port_write8(NMI_PORT, settings | sources[row].clear);
        port_write8(NMI_PORT, settings);
    }
    return sources[row].words;
}

void trap_tell_nmis(void)
{
    static struct log_limit limit = {.window_ns = NS_PER_S, .burst = 1};
    uint64_t now = nmis;

    if (now == nmis_told || !log_admit(&limit))
        return;
    log_warn("%lu non-maskable interrupts since the last line, nobody asks for them; %s",
             now - nmis_told, take_source());
    nmis_told = now;
    if (tell_more)
        tell_more();
}
