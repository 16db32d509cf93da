/* SPDX-License-Identifier: BSD-2-Clause */
/* Arrays with as many elements as come, one after the other. */
#ifndef KERNEL_MM_GROW_H
#define KERNEL_MM_GROW_H

#include "kernel/lib/string.h"
#include "kernel/lib/types.h"
#include "kernel/mm/heap.h"

/*
 * The array with room for one more than its `count` elements of `size` bytes; NULL at first. All
 * room comes from here: it is doubled when it is full. NULL: no memory, and the array is as it was.
 */
static inline void *kgrow(void *array, size_t count, size_t size)
{
    void *larger;

    if (count & (count - 1))
        return array;
    larger = kcalloc(count ? 2 * count : 1, size);
    if (larger && count)
        memcpy(larger, array, count * size);
    if (larger)
        kfree(array);
    return larger;
}

#endif
