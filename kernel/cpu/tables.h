/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptor formats (Intel SDM volume 3, sections 3.4.5, 6.14.1 and 7.7). */
#ifndef KERNEL_CPU_TABLES_H
#define KERNEL_CPU_TABLES_H

#include "kernel/lib/types.h"

struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7]; /* IST n is ist[n - 1] */
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map; /* at or beyond the limit: no port is allowed in user mode */
} __attribute__((packed));
_Static_assert(sizeof(struct tss) == 104, "64-bit TSS");

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

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

/*
 * May NMIs come while RSP is no kernel stack (the rule), or is every place where one can come on a
 * good stack? Then they use it, and so does a message with their vector, which may come first.
 */
void tables_nmi_stack(bool own);

/* Its rsp[0] is the top of the current thread's kernel stack, for traps and system calls alike. */
extern struct tss cpu_tss;

static inline struct gate gate_make(uint64_t target, uint16_t selector, unsigned ist, unsigned dpl)
{
    return (struct gate){
        .offset_low = (uint16_t)target,
        .offset_middle = (uint16_t)(target >> 16),
        .offset_high = (uint32_t)(target >> 32),
        .selector = selector,
        .ist = (uint8_t)ist,
        .type = (uint8_t)(0x8e | (dpl << 5)),
    };
}

#endif
