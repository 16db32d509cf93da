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

#endif
