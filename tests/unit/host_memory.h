/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stand-in for the direct map in host tests: `size` bytes of address space play the RAM that
 * starts at physical address `base`. Untouched pages cost nothing, so several GiB are fine.
 */
#ifndef TESTS_UNIT_HOST_MEMORY_H
#define TESTS_UNIT_HOST_MEMORY_H

#include "kernel/lib/types.h"

void host_memory_create(paddr_t base, uint64_t size);
void host_memory_destroy(void);

/*
 * The memory behind the CPU's caches, as a device reads it that asks them nothing, in the worst
 * case: does it hold zeros in [base, base + length), put there past the caches, or something that
 * is older? All of it is older at first, and again when it has aged.
 */
bool host_zero_in_memory(paddr_t base, uint64_t length);
void host_age_memory(void);

/* How many steps of a random test: `few`, or `many` in a long run (./bulkhead test --long). */
uint64_t host_steps(uint64_t few, uint64_t many);

/* Deterministic random numbers (xorshift): the same seed gives the same test. */
uint64_t host_random(uint64_t *state);
/* One of 0 to bound - 1. */
uint64_t host_random_below(uint64_t *state, uint64_t bound);

#endif
