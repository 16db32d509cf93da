/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/host_memory.h"
#include <stdlib.h>
#include <sys/mman.h>
#include "kernel/mm/direct.h"

uint64_t direct_offset;
uint64_t image_offset;

static char *memory;
static uint64_t memory_size;

/* The direct map keeps the alignment of physical addresses up to this. */
#define ALIGNMENT SIZE_2M

void host_memory_create(paddr_t base, uint64_t size)
{
    uintptr_t at;

    memory_size = size + 2 * ALIGNMENT;
    memory = mmap(NULL, memory_size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        abort();
    at = ALIGN_UP((uintptr_t)memory, ALIGNMENT) + base % ALIGNMENT;
    direct_offset = at - base;
}

void host_memory_destroy(void)
{
    munmap(memory, memory_size);
    memory = NULL;
}

uint64_t host_steps(uint64_t few, uint64_t many)
{
    const char *asked = getenv("BULKHEAD_LONG");

    return asked && *asked ? many : few;
}

uint64_t host_random(uint64_t *state)
{
    uint64_t x = *state;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    *state = x;
    return x * UINT64_C(0x2545f4914f6cdd1d);
}

uint64_t host_random_below(uint64_t *state, uint64_t bound)
{
    return (host_random(state) >> 16) % bound;
}
