/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/host_memory.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "kernel/cpu/cache.h"
#include "kernel/mm/direct.h"

uint64_t direct_offset;
uint64_t image_offset;

static char *memory;
static uint64_t memory_size;
/* Behind it, as large: which bytes were zeroed past the caches. */
static char *zeroed;

/* The direct map keeps the alignment of physical addresses up to this. */
#define ALIGNMENT SIZE_2M

void host_memory_create(paddr_t base, uint64_t size)
{
    uintptr_t at;

    memory_size = size + 2 * ALIGNMENT;
    memory = mmap(NULL, 2 * memory_size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        abort();
    zeroed = memory + memory_size;
    at = ALIGN_UP((uintptr_t)memory, ALIGNMENT) + base % ALIGNMENT;
    direct_offset = at - base;
}

void host_memory_destroy(void)
{
    munmap(memory, 2 * memory_size);
    memory = NULL;
}

void cache_zero(void *at, size_t length)
{
    memset(at, 0, length);
    memset(zeroed + ((char *)at - memory), 1, length);
}

void host_age_memory(void)
{
    if (madvise(zeroed, memory_size, MADV_DONTNEED))
        abort();
}

bool host_zero_in_memory(paddr_t base, uint64_t length)
{
    const char *at = zeroed + ((const char *)phys_to_virt(base) - memory);

    return !length || (*at && !memcmp(at, at + 1, length - 1));
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
