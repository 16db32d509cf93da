/* SPDX-License-Identifier: BSD-2-Clause */
/* What must not be provable: if one of these is, the tools prove nothing. */
#include "kernel/lib/types.h"

/*@ requires \valid_read(bytes + (0 .. 3));
    assigns \nothing; */
uint8_t reads_behind(const uint8_t *bytes)
{
    return bytes[4];
}

/*@ requires value < 1 << 52;
    assigns \nothing;
    ensures \result % PAGE_SIZE == 0 && \result >= value; */
uint64_t rounds_down(uint64_t value)
{
    return value / PAGE_SIZE * PAGE_SIZE;
}

/*@ requires 0 < step;
    assigns \nothing;
    ensures \result >= end; */
uint64_t never_ends(uint64_t end, uint64_t step)
{
    uint64_t at = 0;

    /*@ loop assigns at;
        loop variant end - at; */
    while (at < end)
        at += step;
    return at;
}

static volatile unsigned any;

uint64_t any_shift(void)
{
    return (uint64_t)1 << any;
}
