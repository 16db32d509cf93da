/* SPDX-License-Identifier: BSD-2-Clause */
/* The frequency of the time-stamp counter as CPUID tells it (Intel SDM volume 3, 20.7.3). */
#include "kernel/cpu/frequency.h"

/*
 * CPUs whose leaf 15h has the ratio to the crystal but not its frequency (SDM volume 3, table of
 * nominal core crystal clock frequencies; Linux agrees). Not among them is 06_55H, of which there
 * are some with 24 MHz and some with 25.
 */
static const struct {
    uint32_t signature; /* family and model */
    uint32_t hz;
} crystals[] = {
    {0x406e0, 24000000}, /* Skylake, mobile */
    {0x506e0, 24000000}, /* and desktop */
    {0x806e0, 24000000}, /* Kaby Lake and what is like it, mobile */
    {0x906e0, 24000000}, /* and desktop */
    {0xa0650, 24000000}, /* Comet Lake, desktop */
    {0xa0660, 24000000}, /* and mobile */
    {0x506c0, 19200000}, /* Goldmont */
    {0x706a0, 19200000}, /* Goldmont Plus */
    {0x506f0, 25000000}, /* Denverton */
};
#define FAMILY_AND_MODEL 0x0fff0ff0u

struct frequency frequency_by_cpuid(uint32_t signature, struct cpuid ratio, struct cpuid base)
{
    uint64_t crystal = ratio.ecx;
    const char *source = "cpuid";

    if (!ratio.eax || !ratio.ebx)
        return (struct frequency){0};
    for (size_t i = 0; !ratio.ecx && i < ARRAY_SIZE(crystals); i++) {
        if ((signature & FAMILY_AND_MODEL) != crystals[i].signature)
            continue;
        crystal = crystals[i].hz;
        source = "model";
    }
    if (crystal)
        return (struct frequency){crystal * ratio.ebx / ratio.eax, source, true};
    /* That on the box, up to 0.3 % off. */
    return (struct frequency){(uint64_t)(base.eax & 0xffff) * 1000000, "base", false};
}
