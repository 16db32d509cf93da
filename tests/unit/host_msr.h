/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Model-specific registers of host tests: RDMSR and WRMSR fault outside of ring 0, and what the
 * test says happens instead. The code under test is the kernel's, with its own instructions.
 */
#ifndef TESTS_UNIT_HOST_MSR_H
#define TESTS_UNIT_HOST_MSR_H

#include "kernel/lib/types.h"

/* From now to the end of the test (cmocka has a handler of its own for each). Other faults end all.
 */
void host_msr_start(void);

/* Of the test: what a register reads, and what writing to it does. */
uint64_t host_msr_read(uint32_t msr);
void host_msr_write(uint32_t msr, uint64_t value);

#endif
