/* SPDX-License-Identifier: BSD-2-Clause */
/* Arrays with as many elements as come, one after the other. */
#ifndef KERNEL_MM_GROW_H
#define KERNEL_MM_GROW_H

#include "kernel/lib/error.h"
#include "kernel/lib/string.h"
#include "kernel/lib/types.h"
#include "kernel/mm/heap.h"

/*
 * Adds an element of `size` bytes behind the `count` ones of an array, to which `list` points: NULL
 * at first. All room comes from here: it is doubled when it is full. -ENOMEM: all is as it was.
 */
static inline int kappend(void *list, size_t *count, const void *element, size_t size)
{
    char *__attribute__((may_alias)) *array = list;
    char *larger;

    if (!(*count & (*count - 1))) {
        larger = kcalloc(*count ? 2 * *count : 1, size);
        if (!larger)
            return -ENOMEM;
        if (*count)
            memcpy(larger, *array, *count * size);
        kfree(*array);
        *array = larger;
    }
    memcpy(*array + (*count)++ * size, element, size);
    return 0;
}

#endif
