/* SPDX-License-Identifier: BSD-2-Clause */
/* What an unmap leaves to be invalidated, and to be released after that. */
#ifndef KERNEL_TABLE_GATHER_H
#define KERNEL_TABLE_GATHER_H

#include "kernel/lib/types.h"

#define GATHER_TRIMMED 1u

/* What a series of unmaps changed, to be invalidated in one go. */
struct table_gather {
    uint64_t first; /* lowest and highest (inclusive) address touched; first > last: none */
    uint64_t last;
    uint64_t leaves;    /* removed */
    uint64_t trimmed;   /* GATHER_TRIMMED and an address elsewhere that lost its tables */
    unsigned leaf_bits; /* the largest leaf removed was 2^leaf_bits bytes */
    uint32_t freed;     /* frame number of the first emptied table page; 0: there is none */
};
#define TABLE_GATHER_EMPTY ((struct table_gather){.first = ~UINT64_C(0)})

#endif
