/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loops over very many entries that do little with each: written out for four entries a turn, so
 * that what the loop itself costs is shared by them. The rest is a loop of its own.
 */
#ifndef KERNEL_LIB_UNROLL_H
#define KERNEL_LIB_UNROLL_H

#include "kernel/lib/types.h"

/*
 * Leaves such a function from the middle of four with how many entries are done. The compiler
 * would otherwise have the sum ready before each entry, in case that the function is left there.
 */
#define LEAVE_UNROLLED(done, more)                                                                 \
    do {                                                                                           \
        size_t done_ = (done);                                                                     \
        __asm__ volatile("" : "+r"(done_));                                                        \
        return done_ + (more);                                                                     \
    } while (0)

/* Does `step` with the numbers of four entries; where it is false, the function is left. */
#define DO_FOUR(done, step)                                                                        \
    do {                                                                                           \
        if (!step(done))                                                                           \
            LEAVE_UNROLLED(done, 0);                                                               \
        if (!step((done) + 1))                                                                     \
            LEAVE_UNROLLED(done, 1);                                                               \
        if (!step((done) + 2))                                                                     \
            LEAVE_UNROLLED(done, 2);                                                               \
        if (!step((done) + 3))                                                                     \
            LEAVE_UNROLLED(done, 3);                                                               \
    } while (0)

#endif
