/* SPDX-License-Identifier: BSD-2-Clause */
/* The brute force of tests/unit/pagetable_oracle.c, with the fuzzer choosing what happens. */
#include "tests/unit/pagetable_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes as many bytes as the bound needs; zeros when there are no more. */
static uint64_t below(struct chooser *chooser, uint64_t bound)
{
    uint64_t value = 0;

    for (uint64_t range = bound - 1; range; range >>= 8) {
        value <<= 8;
        if (chooser->size == 0)
            continue;
        value |= *chooser->data++;
        chooser->size--;
    }
    return value % bound;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct chooser chooser = {.below = below, .data = data, .size = size};

    oracle_run(&oracle_second_level, &chooser, UINT64_MAX);
    return 0;
}
