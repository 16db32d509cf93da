/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel heap: size classes up to half a page, whole frames above. */
#ifndef KERNEL_MM_HEAP_H
#define KERNEL_MM_HEAP_H

#include "kernel/lib/types.h"

/* 16-byte aligned memory, contents undefined / cleared; NULL when there is none or size is 0. */
void *kmalloc(size_t size);
void *kzalloc(size_t size);
/* As kzalloc for count * size; NULL when the product overflows. */
void *kcalloc(size_t count, size_t size);
/*
 * *size bytes, or half of it, and so on, as much as there is in one piece but not less than
 * `least`; *size says how many it became.
 */
void *kmalloc_most(size_t *size, size_t least);
/* Accepts NULL. */
void kfree(void *memory);
/* Bytes handed out and not freed: leak checks. */
size_t heap_used(void);

/* The objects of one size up to half a page. What is larger has frames of its own. */
struct heap_size {
    size_t bytes;    /* of one object */
    size_t per_page; /* objects that fit a page */
    size_t used;     /* objects handed out */
    size_t pages;    /* held for them: partly used, and at most one for speed that is not */
};
/* The i-th smallest size; false: there is none. */
bool heap_size(size_t i, struct heap_size *out);
/* Gives pages kept for speed back to the frame allocator: exact frame counts in leak checks. */
void heap_trim(void);

#endif
