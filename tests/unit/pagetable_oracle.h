/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Brute force for kernel/iommu/pagetable.c: random maps and unmaps, compared after every step with
 * a flat list of what must be mapped, with the smallest number of leaves an exhaustive search
 * finds, and with the smallest number of tables. One body for the unit test and for the fuzzer.
 */
#ifndef TESTS_UNIT_PAGETABLE_ORACLE_H
#define TESTS_UNIT_PAGETABLE_ORACLE_H

#include "kernel/lib/types.h"

/* Where decisions come from: random numbers, or the bytes of a fuzzer. */
struct chooser {
    uint64_t (*below)(struct chooser *chooser, uint64_t bound);
    uint64_t state;
    const uint8_t *data;
    size_t size;
};

/* Runs until `steps` are done or, with data, until it is used up. Aborts on any difference. */
void oracle_run(struct chooser *chooser, uint64_t steps);

#endif
