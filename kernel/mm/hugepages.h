/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The count of huge pages, blocks of 2 MiB: how many there may be, and how many there are. None are
 * set aside: they come from the memory that everything else comes from, so that as many are free as
 * there are whole free blocks below the limit. Whoever holds some charges them here.
 */
#ifndef KERNEL_MM_HUGEPAGES_H
#define KERNEL_MM_HUGEPAGES_H

#include "kernel/lib/types.h"

struct hugepages_stats {
    uint64_t total;   /* in use or free */
    uint64_t free;    /* what can be charged now */
    uint64_t surplus; /* of those in use, what is above the limit */
};

/* The limit: so many, or as many as memory has room for now. Those in use stay. */
void hugepages_set_limit(uint64_t pages);
/* What a program finds that sets no limit: half of all memory. */
void hugepages_default_limit(void);
/* Counts bytes, a multiple of 2 MiB, as in use. */
void hugepages_charge(uint64_t bytes);
void hugepages_uncharge(uint64_t bytes);
/* Is there room for so many bytes more? */
bool hugepages_room(uint64_t bytes);
void hugepages_stats(struct hugepages_stats *out);

#endif
