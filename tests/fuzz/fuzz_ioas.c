/* SPDX-License-Identifier: BSD-2-Clause */
/* The operations of the model test (tests/unit/ioas_model.h), chosen by the fuzzer. */
#include "tests/unit/ioas_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct model_input input = {.data = data, .size = size};

    /* What is allocated inside stays the same: every run takes all back. */
    ioas_model_run(&input, UINT64_MAX);
    return 0;
}
