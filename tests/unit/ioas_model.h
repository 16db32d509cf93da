/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reference for kernel/ioas, as simple as can be, and random operations that drive both. After
 * each operation the two must agree: which error, which frame behind which IOVA in every page
 * table, which pins, which charge.
 */
#ifndef TESTS_UNIT_IOAS_MODEL_H
#define TESTS_UNIT_IOAS_MODEL_H

#include "kernel/lib/types.h"

/* Where decisions come from: random numbers, or the bytes of a fuzzer until they run out. */
struct model_input {
    uint64_t seed; /* for the message on a difference */
    uint64_t rng;
    const uint8_t *data; /* NULL: random */
    size_t size;
};

/* Runs up to `steps` operations on a fresh machine. Aborts with a message on a difference. */
void ioas_model_run(struct model_input *input, uint64_t steps);

/* How often each kind of operation succeeded and failed, to see that the test tests. */
struct model_count {
    uint64_t passed, refused, injected;
};
extern struct model_count model_counts[]; /* as in model_operations (ioas_operations.h) */
/* Steps with a page table attached; large leaves that an IOVA of the ioas' own choice kept. */
extern uint64_t model_populated, model_large;

#endif
