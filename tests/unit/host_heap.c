/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/host_heap.h"
#include <stdlib.h>
#include <string.h>
#include "kernel/mm/heap.h"

#define HEADER 16 /* keeps the size in front of the memory, which stays 16-byte aligned */

static uint64_t fail_in;
static bool failed;
static size_t used;

void host_fail_nth(uint64_t n)
{
    fail_in = n;
    failed = false;
}

bool host_failed(void)
{
    return failed;
}

bool host_must_fail(void)
{
    if (fail_in == 0 || --fail_in != 0)
        return false;
    failed = true;
    return true;
}

void *kmalloc(size_t size)
{
    char *memory;

    if (size == 0 || size > SIZE_1G || host_must_fail())
        return NULL;
    memory = malloc(size + HEADER);
    if (!memory)
        abort();
    memcpy(memory, &size, sizeof(size));
    memset(memory + HEADER, 0xa5, size); /* nobody may rely on fresh memory being clear */
    used += size;
    return memory + HEADER;
}

void *kzalloc(size_t size)
{
    void *memory = kmalloc(size);

    return memory ? memset(memory, 0, size) : NULL;
}

void *kcalloc(size_t count, size_t size)
{
    size_t bytes;

    return __builtin_mul_overflow(count, size, &bytes) ? NULL : kzalloc(bytes);
}

/* As if large pieces were never there. */
void *kmalloc_most(size_t *size, size_t least)
{
    if (*size > PAGE_SIZE / 2)
        *size = least;
    return kmalloc(*size);
}

void kfree(void *memory)
{
    size_t size;

    if (!memory)
        return;
    memcpy(&size, (char *)memory - HEADER, sizeof(size));
    used -= size;
    free((char *)memory - HEADER);
}

size_t heap_used(void)
{
    return used;
}

void heap_trim(void)
{
}
