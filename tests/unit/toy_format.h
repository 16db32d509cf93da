/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A format that no machine has, to see that kernel/table/ takes any: a leaf says what is forbidden,
 * by its highest bits, and points to a table with a mark that no leaf has.
 */
#ifndef TESTS_UNIT_TOY_FORMAT_H
#define TESTS_UNIT_TOY_FORMAT_H

#include "kernel/table/shape.h"

#define TOY_READ_NOTHING  BIT(62)
#define TOY_WRITE_NOTHING BIT(63)
#define TOY_MARK          BIT(5)
#define TOY_THERE         BIT(2) /* else a leaf of frame 0 that forbids nothing would be absent */
#define TOY_LINK          (BIT(0) | BIT(58))

static inline uint64_t toy_bits(unsigned permissions, bool mark)
{
    return TOY_THERE | (permissions & 1 ? 0 : TOY_READ_NOTHING) |
           (permissions & 2 ? 0 : TOY_WRITE_NOTHING) | (mark ? TOY_MARK : 0);
}

#endif
