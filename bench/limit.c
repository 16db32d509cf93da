/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What mapping and unmapping `count` leaves cannot do without: load the source entry, count the
 * pin, store the leaf, flush each line of the table; and the reverse. Built without unrolling.
 */
#include "bench.h"

void limit_pair(const uint64_t *source, uint32_t *pins, volatile uint64_t *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pins[source[i] >> LIMIT_FRAME_SHIFT]++;
        table[i] = source[i] | 3;
        if ((i & 7) == 7)
            limit_flush(&table[i]);
    }
    for (size_t i = 0; i < count; i++) {
        table[i] = 0;
        if ((i & 7) == 7)
            limit_flush(&table[i]);
        pins[source[i] >> LIMIT_FRAME_SHIFT]--;
    }
}
