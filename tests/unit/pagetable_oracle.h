/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Brute force for kernel/table/: random maps and unmaps, compared after every step with
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

/* A format: what the editor is told of it, and what to look for, from the layout alone. */
struct oracle_format {
    uint64_t link; /* of an entry that points to a table: all but the address */
    uint64_t (*bits)(unsigned permissions, bool mark); /* permissions: 1 read, 2 write */
    uint64_t permission_bits[4];                       /* by permissions: these in a leaf, */
    uint64_t permission_mask;                          /* of these */
    uint64_t mark;                                     /* in leaves of a table with the mark */
};
extern const struct oracle_format oracle_second_level, oracle_cpu, oracle_toy;

/* Runs until `steps` are done or, with data, until it is used up. Aborts on any difference. */
void oracle_run(const struct oracle_format *format, struct chooser *chooser, uint64_t steps);

#endif
