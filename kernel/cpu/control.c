/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers that decide how the CPU behaves. Firmware and doors leave them as they like, so
 * every bit of each gets the value the kernel chose, on every door. Elsewhere: XCR0, FCW and MXCSR
 * in fpu.c, the segments, LDTR and TR in tables.c, CR8 (task priority) in apic.c. Left alone are
 * the memory-type ranges (MTRRs): only the firmware knows the memory map behind them.
 */
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/internal.h"
#include "kernel/cpu/layout.h"

/*
 * Write protection also for the kernel (WP), and a floating-point unit that is there at once and
 * reports errors itself (MP, NE; not EM, TS). Caches are on (not CD, NW). User code gets no
 * alignment checks (not AM).
 */
#define CR0_CHOSEN (CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG)

/*
 * What every CPU with 64-bit mode has. Off, among all the others:
 *   VME, PVI, PSE        mean nothing in 64-bit mode, or not what they say
 *   TSD                  the payload may read the time-stamp counter, as on Linux,
 *   PCE                  but no performance counters
 *   DE                   nobody sets breakpoints
 *   LA57, PCIDE          four levels of page tables, without tags
 *   FSGSBASE             the base of FS is the kernel's to know (thread.c)
 *   VMXE, SMXE           nobody asks for virtual machines
 *   PKE, PKS, CET, UINTR, LAM   would need state that nobody saves
 */
#define CR4_CHOSEN (CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT)

/* The firmware's SCE, SVME, FFXSR and the like end here; SCE comes with cpu_syscall_init(). */
#define EFER_CHOSEN (EFER_LME | EFER_LMA | EFER_NXE)

/* Where they differ from one CPU to another: with the feature, this bit of CR4 as well. */
static const struct {
    const bool *feature;
    uint64_t bit;
} cr4_features[] = {
    {&cpu_features.mce, CR4_MCE},   /* else a machine check restarts the machine without a word */
    {&cpu_features.pge, CR4_PGE},   /* the kernel's pages stay in the TLB */
    {&cpu_features.umip, CR4_UMIP}, /* user code does not see where the tables are */
    {&cpu_features.xsave, CR4_OSXSAVE},
    {&cpu_features.smep, CR4_SMEP}, /* the kernel does not execute the payload's pages, */
    {&cpu_features.smap, CR4_SMAP}, /* and reads and writes them only where it says so */
};

/*
 * As they are after a reset (SDM volume 3, 12.12.4): entry 0 is write-back and entry 3 uncached,
 * which the tables use (PTE_UNCACHED).
 */
#define PAT_CHOSEN UINT64_C(0x0007040600070406)

static const bool always = true;

static const struct {
    const bool *feature; /* the register exists */
    uint32_t msr;
    uint64_t value;
} chosen[] = {
    {&cpu_features.pat, MSR_PAT, PAT_CHOSEN},
    {&cpu_features.xsaves, MSR_XSS, 0},     /* no supervisor state is saved */
    {&cpu_features.rdtscp, MSR_TSC_AUX, 0}, /* what RDTSCP tells the payload: processor 0 */
    {&always, MSR_DEBUGCTL, 0},             /* no branch records, no single-stepping by branches */
    {&always, MSR_FS_BASE, 0},              /* loading a null selector clears them on some CPUs */
    {&always, MSR_GS_BASE, 0},
    {&always, MSR_KERNEL_GS_BASE, 0},
    /* Only the 64-bit SYSCALL leads into the kernel: SYSENTER faults, whatever the rest says. */
    {&always, MSR_SYSENTER_CS, 0},
    {&always, MSR_SYSENTER_ESP, 0},
    {&always, MSR_SYSENTER_EIP, 0},
};

/* No breakpoints; the bits that are always set stay set (Intel SDM volume 3, 17.2). */
static void clear_debug_registers(void)
{
    const uint64_t none = 0, status = 0xffff0ff0, control = 0x400;

    __asm__ volatile("mov %2, %%dr7\n\t"
                     "mov %0, %%dr0\n\t"
                     "mov %0, %%dr1\n\t"
                     "mov %0, %%dr2\n\t"
                     "mov %0, %%dr3\n\t"
                     "mov %1, %%dr6"
                     :
                     : "r"(none), "r"(status), "r"(control)
                     : "memory");
}

void control_init(void)
{
    uint64_t cr4 = CR4_CHOSEN;

    for (size_t i = 0; i < ARRAY_SIZE(cr4_features); i++)
        cr4 |= *cr4_features[i].feature ? cr4_features[i].bit : 0;
    msr_write(MSR_EFER, EFER_CHOSEN);
    cr0_write(CR0_CHOSEN);
    cr4_write(cr4);
    for (size_t i = 0; i < ARRAY_SIZE(chosen); i++) {
        if (*chosen[i].feature)
            msr_write(chosen[i].msr, chosen[i].value);
    }
    clear_debug_registers();
}

/* The segment table has no 32-bit code segment from which CSTAR could be reached. */
void cpu_syscall_init(void)
{
    msr_write(MSR_STAR, ((uint64_t)SYSRET_BASE << 48) | ((uint64_t)KERNEL_CS << 32));
    msr_write(MSR_LSTAR, (uintptr_t)syscall_entry);
    msr_write(MSR_CSTAR, 0);
    msr_write(MSR_FMASK, RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_NT | RFLAGS_RF | RFLAGS_AC);
    msr_write(MSR_EFER, EFER_CHOSEN | EFER_SCE);
}
