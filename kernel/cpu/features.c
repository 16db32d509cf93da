/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/internal.h"

struct cpu_features cpu_features;
/* For the entry code: may CLAC be used? */
bool cpu_has_smap;

#define REGISTER(name) offsetof(struct cpuid, name)

/* Where CPUID tells about each feature (Intel SDM volume 2, CPUID). */
static const struct {
    size_t flag; /* offset in struct cpu_features */
    uint32_t leaf, subleaf;
    size_t reg;
    unsigned bit;
} feature_bits[] = {
    {offsetof(struct cpu_features, fxsr), 1, 0, REGISTER(edx), 24},
    {offsetof(struct cpu_features, mce), 1, 0, REGISTER(edx), 7},
    {offsetof(struct cpu_features, pge), 1, 0, REGISTER(edx), 13},
    {offsetof(struct cpu_features, mca), 1, 0, REGISTER(edx), 14},
    {offsetof(struct cpu_features, pat), 1, 0, REGISTER(edx), 16},
    {offsetof(struct cpu_features, tsc_deadline), 1, 0, REGISTER(ecx), 24},
    {offsetof(struct cpu_features, xsave), 1, 0, REGISTER(ecx), 26},
    {offsetof(struct cpu_features, smep), 7, 0, REGISTER(ebx), 7},
    {offsetof(struct cpu_features, smap), 7, 0, REGISTER(ebx), 20},
    {offsetof(struct cpu_features, umip), 7, 0, REGISTER(ecx), 2},
    {offsetof(struct cpu_features, xsaves), 0xd, 1, REGISTER(eax), 3},
    {offsetof(struct cpu_features, nx), 0x80000001, 0, REGISTER(edx), 20},
    {offsetof(struct cpu_features, gib_pages), 0x80000001, 0, REGISTER(edx), 26},
    {offsetof(struct cpu_features, rdtscp), 0x80000001, 0, REGISTER(edx), 27},
    {offsetof(struct cpu_features, invariant_tsc), 0x80000007, 0, REGISTER(edx), 8},
};

struct cpuid cpuid_leaf(uint32_t leaf, uint32_t subleaf)
{
    if (cpuid(leaf & 0x80000000, 0).eax < leaf)
        return (struct cpuid){0};
    return cpuid(leaf, subleaf);
}

static void read_features(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(feature_bits); i++) {
        const struct cpuid values = cpuid_leaf(feature_bits[i].leaf, feature_bits[i].subleaf);
        const char *from = (const char *)&values + feature_bits[i].reg;
        bool *flag = (bool *)((char *)&cpu_features + feature_bits[i].flag);
        *flag = *(const uint32_t *)from & BIT(feature_bits[i].bit);
    }
    cpu_features.signature = cpuid_leaf(1, 0).eax;
    uint32_t widths = cpuid_leaf(0x80000008, 0).eax;
    cpu_features.physical_bits = widths ? widths & 0xff : 36;
    cpu_features.virtual_bits = widths ? (widths >> 8) & 0xff : 48;
    cpu_has_smap = cpu_features.smap;
}

const char *cpu_init(void)
{
    const struct cpu_features *f = &cpu_features;

    read_features();
    if (!f->nx)
        return "the CPU lacks no-execute pages";
    if (!f->fxsr)
        return "the CPU lacks FXSAVE";
    control_init();
    return NULL;
}
