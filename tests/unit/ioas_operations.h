/* SPDX-License-Identifier: BSD-2-Clause */
/* The operations of the model test: see ioas_model.h. */
#ifndef TESTS_UNIT_IOAS_OPERATIONS_H
#define TESTS_UNIT_IOAS_OPERATIONS_H

#include "tests/unit/ioas_model.h"

/* Where the decisions of the operations come from. */
extern struct model_input *model_input;
/* A decision: one of 0 to bound - 1; true in `percent` of 100 cases. */
uint64_t below(uint64_t bound);
bool chance(unsigned percent);

#define OPERATIONS 12
#define SKIPPED    1 /* the operation made no sense now */

/*
 * Each does something to the kernel and to the reference and checks that the answer is the same,
 * which it returns. An injected failure makes sense where it can fail for want of memory.
 */
extern const struct model_operation {
    const char *name;
    int (*run)(void);
    unsigned weight; /* of 100 */
    bool can_fail;
} model_operations[OPERATIONS];

#endif
