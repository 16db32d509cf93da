/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/cpu/control.h"
#include "kernel/cpu/cpu.h"

struct cpu_features cpu_features;
/* For the entry code: may CLAC be used? */
bool cpu_has_smap;

enum leaf {
    LEAF_BASIC,      /* 1 */
    LEAF_STRUCTURED, /* 7 */
    LEAF_XSAVE,      /* Dh */
    LEAF_EXTENDED,   /* 80000001h */
    LEAF_POWER,      /* 80000007h */
    LEAF_COUNT,
};

static const struct {
    uint32_t leaf, subleaf;
} leaves[LEAF_COUNT] = {
    [LEAF_BASIC] = {1, 0},          [LEAF_STRUCTURED] = {7, 0},
    [LEAF_XSAVE] = {0xd, 1},        [LEAF_EXTENDED] = {0x80000001, 0},
    [LEAF_POWER] = {0x80000007, 0},
};

#define REGISTER(name) offsetof(struct cpuid, name)

/* Where CPUID tells about each feature (Intel SDM volume 2, CPUID). */
static const struct {
    size_t flag; /* offset in struct cpu_features */
    enum leaf leaf;
    size_t reg;
    unsigned bit;
} feature_bits[] = {
    {offsetof(struct cpu_features, fxsr), LEAF_BASIC, REGISTER(edx), 24},
    {offsetof(struct cpu_features, mce), LEAF_BASIC, REGISTER(edx), 7},
    {offsetof(struct cpu_features, pge), LEAF_BASIC, REGISTER(edx), 13},
    {offsetof(struct cpu_features, pat), LEAF_BASIC, REGISTER(edx), 16},
    {offsetof(struct cpu_features, x2apic), LEAF_BASIC, REGISTER(ecx), 21},
    {offsetof(struct cpu_features, tsc_deadline), LEAF_BASIC, REGISTER(ecx), 24},
    {offsetof(struct cpu_features, xsave), LEAF_BASIC, REGISTER(ecx), 26},
    {offsetof(struct cpu_features, smep), LEAF_STRUCTURED, REGISTER(ebx), 7},
    {offsetof(struct cpu_features, smap), LEAF_STRUCTURED, REGISTER(ebx), 20},
    {offsetof(struct cpu_features, umip), LEAF_STRUCTURED, REGISTER(ecx), 2},
    {offsetof(struct cpu_features, xsaves), LEAF_XSAVE, REGISTER(eax), 3},
    {offsetof(struct cpu_features, nx), LEAF_EXTENDED, REGISTER(edx), 20},
    {offsetof(struct cpu_features, gib_pages), LEAF_EXTENDED, REGISTER(edx), 26},
    {offsetof(struct cpu_features, rdtscp), LEAF_EXTENDED, REGISTER(edx), 27},
    {offsetof(struct cpu_features, invariant_tsc), LEAF_POWER, REGISTER(edx), 8},
};

/* Leaves beyond the highest one a CPU has return garbage, so they count as zero. */
static struct cpuid read_leaf(uint32_t leaf, uint32_t subleaf)
{
    if (cpuid(leaf & 0x80000000, 0).eax < leaf)
        return (struct cpuid){0};
    return cpuid(leaf, subleaf);
}

static void read_features(void)
{
    struct cpuid values[LEAF_COUNT];

    for (size_t i = 0; i < LEAF_COUNT; i++)
        values[i] = read_leaf(leaves[i].leaf, leaves[i].subleaf);
    for (size_t i = 0; i < ARRAY_SIZE(feature_bits); i++) {
        const char *from = (const char *)&values[feature_bits[i].leaf] + feature_bits[i].reg;
        bool *flag = (bool *)((char *)&cpu_features + feature_bits[i].flag);
        *flag = *(const uint32_t *)from & BIT(feature_bits[i].bit);
    }
    uint32_t widths = read_leaf(0x80000008, 0).eax;
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
