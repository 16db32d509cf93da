/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The count of huge pages, blocks of 2 MiB: how many there may be, and how many there are. None are
 * set aside: they come from the memory that everything else comes from, so that as many are free as
 * there are whole free blocks below the limit. Whoever holds some charges them here.
 */
#ifndef KERNEL_MM_HUGEPAGES_H
#define KERNEL_MM_HUGEPAGES_H

#include "kernel/lib/types.h"

enum hugepages_figure {
    HUGEPAGES_TOTAL,   /* in use or free */
    HUGEPAGES_FREE,    /* what can be charged now */
    HUGEPAGES_SURPLUS, /* of those in use, what is above the limit */
    HUGEPAGES_RESERVED /* none: what is promised has its memory */
};
uint64_t hugepages(enum hugepages_figure figure);
/* The limit: so many, or as many as memory has room for now. Those in use stay. */
void hugepages_set_limit(uint64_t pages);
/* Counts bytes, a multiple of 2 MiB, as in use, or negative ones not any more. */
void hugepages_charge(int64_t bytes);

#endif
