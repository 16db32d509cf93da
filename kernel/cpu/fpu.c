/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/cpu/fpu.h"
#include "kernel/cpu/cpu.h"
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"

#define FXSAVE_SIZE     512
#define XSAVE_HEADER    64
#define XSTATE_MAX      4096
#define OFFSET_FCW      0
#define OFFSET_MXCSR    24
#define OFFSET_XCOMP_BV 520 /* compaction: never used here */
#define INITIAL_FCW     0x37f
#define INITIAL_MXCSR   0x1f80
#define MXCSR_VALID     0xffff
/*
 * x87, SSE, AVX and AVX-512: what programs find by CPUID and XGETBV. Left out are components that
 * need more than a save area (AMX: permission; PKRU: protection keys, which CR4 keeps off).
 */
#define COMPONENTS 0xe7

/* fpu_state.S */
int fpu_xrstor(const void *area, uint64_t mask);
int fpu_fxrstor(const void *area);

static uint64_t components; /* XCR0; 0: FXSAVE only */
static size_t area_size = FXSAVE_SIZE;
static uint8_t initial[XSTATE_MAX] __attribute__((aligned(FPU_ALIGN)));

static void xcr0_write(uint64_t value)
{
    __asm__ volatile("xsetbv"
                     :
                     : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
                     : "memory");
}

/* AVX without SSE, or one third of AVX-512, is not a legal choice; CPUs offer whole sets. */
static void choose_components(void)
{
    struct cpuid offered = cpuid(0xd, 0);

    components = (offered.eax | ((uint64_t)offered.edx << 32)) & COMPONENTS;
    xcr0_write(components);
    area_size = cpuid(0xd, 0).ebx; /* for what XCR0 now enables */
    ASSERT(area_size >= FXSAVE_SIZE + XSAVE_HEADER && area_size <= XSTATE_MAX);
}

void fpu_init(void)
{
    if (cpu_features.xsave)
        choose_components();
    memcpy(initial + OFFSET_FCW, &(uint16_t){INITIAL_FCW}, sizeof(uint16_t));
    memcpy(initial + OFFSET_MXCSR, &(uint32_t){INITIAL_MXCSR}, sizeof(uint32_t));
    fpu_restore(initial);
}

size_t fpu_size(void)
{
    return area_size;
}

/*
 * Not XSAVEOPT: it skips what it believes unchanged since the last XRSTOR from the same address,
 * and the heap reuses addresses.
 */
uint64_t fpu_components(void)
{
    return components;
}

void fpu_save(void *area)
{
    uint32_t low = (uint32_t)components;
    uint32_t high = (uint32_t)(components >> 32);

    if (components)
        __asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(low), "d"(high) : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

static int restore(const void *area)
{
    return components ? fpu_xrstor(area, components) : fpu_fxrstor(area);
}

void fpu_restore(const void *area)
{
    int result = restore(area);

    ASSERT(result == 0);
}

int fpu_restore_untrusted(void *area)
{
    uint32_t mxcsr;

    memcpy(&mxcsr, (char *)area + OFFSET_MXCSR, sizeof(mxcsr));
    mxcsr &= MXCSR_VALID;
    memcpy((char *)area + OFFSET_MXCSR, &mxcsr, sizeof(mxcsr));
    if (restore(area) == 0)
        return 0;
    fpu_restore(initial);
    return -EINVAL;
}
