/* SPDX-License-Identifier: BSD-2-Clause */
/* Processor registers and instructions that have no name in C (Intel SDM volume 3, chapter 2). */
#ifndef KERNEL_CPU_CPU_H
#define KERNEL_CPU_CPU_H

#include "kernel/lib/types.h"

#define CR0_PE         BIT(0)
#define CR0_MP         BIT(1)
#define CR0_ET         BIT(4)
#define CR0_NE         BIT(5)
#define CR0_WP         BIT(16)
#define CR0_PG         BIT(31)
#define CR4_PAE        BIT(5)
#define CR4_MCE        BIT(6)
#define CR4_PGE        BIT(7)
#define CR4_OSFXSR     BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_UMIP       BIT(11)
#define CR4_FSGSBASE   BIT(16)
#define CR4_OSXSAVE    BIT(18)
#define CR4_SMEP       BIT(20)
#define CR4_SMAP       BIT(21)

#define MSR_APIC_BASE      0x1b
#define MSR_SYSENTER_CS    0x174
#define MSR_SYSENTER_ESP   0x175
#define MSR_SYSENTER_EIP   0x176
#define MSR_DEBUGCTL       0x1d9
#define MSR_PAT            0x277
#define MSR_TSC_DEADLINE   0x6e0
#define MSR_X2APIC_BASE    0x800
#define MSR_XSS            0xda0
#define MSR_EFER           0xc0000080
#define MSR_STAR           0xc0000081
#define MSR_LSTAR          0xc0000082
#define MSR_CSTAR          0xc0000083
#define MSR_FMASK          0xc0000084
#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX        0xc0000103

#define EFER_SCE BIT(0)
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)
#define EFER_NXE BIT(11)

#define RFLAGS_FIXED BIT(1)
#define RFLAGS_TF    BIT(8)
#define RFLAGS_IF    BIT(9)
#define RFLAGS_DF    BIT(10)
#define RFLAGS_NT    BIT(14)
#define RFLAGS_RF    BIT(16)
#define RFLAGS_AC    BIT(18)

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid r;

    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(subleaf));
    return r;
}

static inline uint64_t msr_read(uint32_t msr)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
    return ((uint64_t)high << 32) | low;
}

static inline void msr_write(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

static inline uint64_t tsc_read(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return ((uint64_t)high << 32) | low;
}

#define CONTROL_REGISTER(n)                                                                        \
    static inline uint64_t cr##n##_read(void)                                                      \
    {                                                                                              \
        uint64_t value;                                                                            \
        __asm__ volatile("mov %%cr" #n ", %0" : "=r"(value) : : "memory");                         \
        return value;                                                                              \
    }                                                                                              \
    static inline void cr##n##_write(uint64_t value)                                               \
    {                                                                                              \
        __asm__ volatile("mov %0, %%cr" #n : : "r"(value) : "memory");                             \
    }
CONTROL_REGISTER(0)
CONTROL_REGISTER(2)
CONTROL_REGISTER(3)
CONTROL_REGISTER(4)

static inline void cpu_pause(void)
{
    __asm__ volatile("pause" : : : "memory");
}

/* Stops for good: interrupts off, halted. */
_Noreturn static inline void cpu_halt_forever(void)
{
    for (;;)
        __asm__ volatile("cli; hlt" : : : "memory");
}

/* What this CPU can do, read once from CPUID. */
struct cpu_features {
    bool nx, smep, smap, umip, gib_pages, pge, mce, mca, pat;
    bool tsc_deadline, invariant_tsc;
    bool fxsr, xsave, xsaves, rdtscp;
    uint32_t signature;     /* family, model and stepping, as in CPUID leaf 1 */
    unsigned physical_bits; /* width of a physical address */
    unsigned virtual_bits;
};
extern struct cpu_features cpu_features;

/* Leaves beyond the highest one a CPU has return garbage, so they count as zero. */
struct cpuid cpuid_leaf(uint32_t leaf, uint32_t subleaf);

/*
 * Reads the features and gives every control register the kernel's own value, which switches on
 * what protects the kernel: write protection, no-execute, SMEP, SMAP and UMIP where present.
 * Returns NULL, or a sentence naming what the CPU lacks.
 */
const char *cpu_init(void);
/* Loads the kernel's segments, task state and interrupt table; from here on a fault is readable. */
void cpu_tables_init(void);
/*
 * Gives double fault, NMI, machine check and debug exceptions stacks with guard pages. Until then
 * they have stacks inside the kernel image. -ENOMEM.
 */
int cpu_stacks_init(void);

/* Opens the door for system calls (user_set_ops() first). */
void cpu_syscall_init(void);

#endif
