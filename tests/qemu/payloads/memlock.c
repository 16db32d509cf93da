/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much memory may be pinned: `memlock free|all|limited|price type1|iommufd 0000:bb:dd.f`. free:
 * no limit is set, so a large mapping works. all: everything there is is pinned, and the kernel
 * goes on working. limited: the configuration sets 1 MiB. price: the same, and what a refusal costs
 * is told, in ticks of the time-stamp counter; /dev/uio0 makes buffers.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "edu.h"

#define IOVA  0x100000000ull
#define FAR   (1ull << 39) /* needs page tables of its own */
#define CHUNK (1ul << 20)
#define LIMIT (1ul << 20)
#define LARGE (256ul << 20)

#define BUFFER (0xfffffl * PAGE) /* mmap's offset for a new buffer of UIO */

static char *get_memory(uint64_t size)
{
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static rlim_t memlock(void)
{
    struct rlimit limit;

    must(!getrlimit(RLIMIT_MEMLOCK, &limit), "getrlimit");
    return limit.rlim_cur;
}

static int free_of_limits(uint32_t space)
{
    const uint64_t size = 65535 * PAGE;
    char *memory = get_memory(size);

    must(memlock() == RLIM_INFINITY, "no limit");
    must(memory != MAP_FAILED, "memory");
    must(!mlock(memory, size), "mlock");
    must(!dma_map(space, IOVA, memory, size, READ | WRITE), "65,535 pages");
    must(!dma_map(space, IOVA + (1ull << 32), memory, size, READ), "the same once more");
    printf("memlock: no limit\n");
    return 0;
}

/* Pins chunks of this size until there is no memory left; returns the IOVA behind them. */
static uint64_t pin_chunks(uint32_t space, uint64_t iova, uint64_t size)
{
    char *memory;

    while ((memory = get_memory(size)) != MAP_FAILED) {
        if (dma_map(space, iova, memory, size, READ | WRITE))
            break;
        iova += size;
    }
    must(errno == ENOMEM, "the end of memory");
    return iova;
}

/* What a call needs of the kernel's own memory is still there. */
static void use_kernel(uint32_t space, char *page)
{
    for (unsigned i = 1; i <= 16; i++)
        must(!dma_map(space, i * FAR, page, PAGE, READ), "page tables");
    for (unsigned i = 0; i < 64; i++)
        must(eventfd(0, 0) >= 0, "eventfd");
    must(open("/proc/self/maps", O_RDONLY) >= 0, "open");
}

static int pin_all(uint32_t space)
{
    char *page = get_memory(PAGE);
    uint64_t end;

    must(page != MAP_FAILED, "page");
    end = pin_chunks(space, IOVA, CHUNK);
    end = pin_chunks(space, end, PAGE);
    must(get_memory(PAGE) == MAP_FAILED && errno == ENOMEM, "nothing left");
    use_kernel(space, page);
    printf("memlock: %llu pages pinned\n", (unsigned long long)((end - IOVA) / PAGE));
    return 0;
}

static int limited(uint32_t space)
{
    char *memory = get_memory(2 * LIMIT);

    must(memlock() == LIMIT, "the limit");
    must(memory != MAP_FAILED, "memory");
    for (unsigned i = 0; i < 3; i++) {
        must(dma_map(space, IOVA, memory, 2 * LIMIT, READ) && errno == ENOMEM, "too much to pin");
        must(mlock(memory, 2 * LIMIT) && errno == ENOMEM, "too much to lock");
    }
    must(!dma_map(space, IOVA, memory, LIMIT, READ), "as much as allowed");
    must(mlock(memory, PAGE) && errno == ENOMEM, "one limit for both");
    printf("memlock: limited\n");
    return 0;
}

static uint64_t ticks(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

/* A refused call on memory that nobody has touched. */
static void tell_price(const char *call, bool refused, uint64_t started)
{
    uint64_t spent = ticks() - started;

    must(refused && errno == ENOMEM, call);
    printf("price: %s %llu\n", call, (unsigned long long)spent);
}

static int price(uint32_t space)
{
    const int buffers = open("/dev/uio0", O_RDWR);
    char *memory = get_memory(LARGE);
    uint64_t started;

    must(buffers >= 0 && memory != MAP_FAILED, "uio, memory");
    started = ticks();
    tell_price("buffer",
               mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_SHARED, buffers, BUFFER) == MAP_FAILED,
               started);
    started = ticks();
    tell_price("map", dma_map(space, IOVA, memory, LARGE, READ | WRITE), started);
    started = ticks();
    tell_price("lock", mlock(memory, LARGE), started);
    return 0;
}

static const struct mode {
    const char *name;
    int (*run)(uint32_t space);
} modes[] = {
    {"free", free_of_limits},
    {"all", pin_all},
    {"limited", limited},
    {"price", price},
};

int main(int argc, char **argv)
{
    uint32_t space;

    if (argc < 4)
        return 2;
    edu_open(argv[2], argv[3]);
    space = space_create();
    must(!dma_attach(space), "attach");
    for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(argv[1], modes[i].name) == 0)
            return modes[i].run(space);
    return 2;
}
