/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stand-in for the CPU under kernel/mm/paging/cpu_space.c: a page walk written from the manual, and
 * a TLB that remembers translations until they are flushed.
 */
#ifndef TESTS_UNIT_HOST_PAGING_H
#define TESTS_UNIT_HOST_PAGING_H

#include "kernel/lib/types.h"

struct host_page {
    paddr_t base;
    uint64_t size; /* of the leaf; 0: not present */
    bool write, user, execute, uncached;
};

/* The kernel's own root, before the first cpu_space_create(). */
void host_paging_init(void);
/* Walks the active page tables; the result also enters the TLB. */
struct host_page host_translate(uint64_t at);
/* Does every translation in the TLB still agree with the page tables? */
bool host_tlb_coherent(void);

#endif
