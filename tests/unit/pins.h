/* SPDX-License-Identifier: BSD-2-Clause */
/* Pins of one run, as tests make them. */
#ifndef TESTS_UNIT_PINS_H
#define TESTS_UNIT_PINS_H

#include "kernel/mm/frames/frames.h"

static inline int frames_pin(paddr_t base, uint64_t length)
{
    return frames_pin_runs(&(struct phys_run){base, length}, 1);
}

static inline void frames_unpin(paddr_t base, uint64_t length)
{
    frames_unpin_runs(&(struct phys_run){base, length}, 1);
}

#endif
