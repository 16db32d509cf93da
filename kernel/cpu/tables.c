/* SPDX-License-Identifier: BSD-2-Clause */
/* The segment table, the task state and the interrupt table of the one CPU. */
#include "kernel/cpu/tables.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/layout.h"
#include "kernel/lib/error.h"
#include "kernel/mm/paging/paging.h"

struct gate {
    uint16_t offset_low;
    uint16_t selector;
    uint8_t ist;
    uint8_t type; /* P, DPL, 64-bit interrupt gate */
    uint16_t offset_middle;
    uint32_t offset_high;
    uint32_t reserved;
};
_Static_assert(sizeof(struct gate) == 16, "64-bit gate");

#define EARLY_STACK_SIZE 4096
#define IST_STACK_SIZE   8192
#define VECTORS          256
#define STUB_SIZE        16 /* trap.S */
#define VECTOR_NMI       2
#define NMI_IST          2

/*
 * These exceptions may arrive while RSP is not a kernel stack (between SYSCALL and the stack
 * switch), or because the stack overflowed: each has a stack of its own.
 */
static const struct {
    unsigned vector;
    unsigned ist;
} ist_vectors[] = {
    {8, 1}, /* double fault */
    {VECTOR_NMI, NMI_IST},
    {18, 3}, /* machine check */
    {1, 4},  /* debug */
};

#define VECTOR_BREAKPOINT 3 /* the one trap that user code may raise by an instruction */

struct tss cpu_tss;

static uint64_t gdt[] = {
    [KERNEL_CS / 8] = 0x00af9b000000ffff,
    [KERNEL_DS / 8] = 0x00cf93000000ffff,
    [USER_DS / 8] = 0x00cff3000000ffff,
    [USER_CS / 8] = 0x00affb000000ffff,
    [TSS_SELECTOR / 8] = 0, /* two entries, filled at start */
    [TSS_SELECTOR / 8 + 1] = 0,
};
static struct gate idt[VECTORS];
static uint8_t early_stacks[ARRAY_SIZE(ist_vectors)][EARLY_STACK_SIZE] __attribute__((aligned(16)));

extern char boot_stack_top[];
extern const uint8_t trap_stubs[VECTORS][STUB_SIZE];

static void fill_tss(void)
{
    uint64_t base = (uintptr_t)&cpu_tss;

    cpu_tss.rsp[0] = (uintptr_t)boot_stack_top;
    cpu_tss.io_map = sizeof(cpu_tss);
    for (size_t i = 0; i < ARRAY_SIZE(ist_vectors); i++)
        cpu_tss.ist[ist_vectors[i].ist - 1] = (uintptr_t)&early_stacks[i + 1];
    gdt[TSS_SELECTOR / 8] = (sizeof(cpu_tss) - 1) | (bits_get(base, 23, 0) << 16) |
                            (UINT64_C(0x89) << 40) | (bits_get(base, 31, 24) << 56);
    gdt[TSS_SELECTOR / 8 + 1] = base >> 32;
}

static void fill_idt(void)
{
    for (unsigned v = 0; v < VECTORS; v++) {
        uint64_t target = (uintptr_t)trap_stubs[v];

        idt[v] = (struct gate){
            .offset_low = (uint16_t)target,
            .offset_middle = (uint16_t)(target >> 16),
            .offset_high = (uint32_t)(target >> 32),
            .selector = KERNEL_CS,
            .type = v == VECTOR_BREAKPOINT ? 0xee : 0x8e, /* for user mode, or not */
        };
    }
    for (size_t i = 0; i < ARRAY_SIZE(ist_vectors); i++)
        idt[ist_vectors[i].vector].ist = (uint8_t)ist_vectors[i].ist;
}

static void load_segment_registers(void)
{
    const struct table_pointer pointer = {sizeof(gdt) - 1, (uintptr_t)gdt};

    __asm__ volatile("lgdt %0\n\t"
                     "pushq %1\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:\tmovl %2, %%ds\n\t"
                     "movl %2, %%es\n\t"
                     "movl %2, %%ss\n\t"
                     "movl %3, %%fs\n\t"
                     "movl %3, %%gs\n\t"
                     "lldt %w3\n\t" /* left over, it would let user code load whatever lies there */
                     "ltr %w4"
                     :
                     : "m"(pointer), "i"(KERNEL_CS), "r"(KERNEL_DS), "r"(0), "r"(TSS_SELECTOR)
                     : "rax", "memory");
}

void cpu_tables_init(void)
{
    const struct table_pointer pointer = {sizeof(idt) - 1, (uintptr_t)idt};

    fill_tss();
    fill_idt();
    load_segment_registers();
    __asm__ volatile("lidt %0" : : "m"(pointer) : "memory");
}

void tables_nmi_stack(bool own)
{
    idt[VECTOR_NMI].ist = own ? NMI_IST : 0;
    __asm__ volatile("" : : : "memory"); /* the CPU reads it, at any time */
}

int cpu_stacks_init(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(ist_vectors); i++) {
        void *top = stack_alloc(IST_STACK_SIZE);
        if (!top)
            return -ENOMEM;
        cpu_tss.ist[ist_vectors[i].ist - 1] = (uintptr_t)top;
    }
    return 0;
}
