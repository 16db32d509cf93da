/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What mapping memory for a device costs, measured through VFIO type1 in guest instructions: under
 * `-icount shift=0` the time-stamp counter counts them. The same source builds for Linux.
 *
 * usage: bench 0000:bb:dd.f [KEY]...
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

#define PAGE   4096ull
#define MIB    (1024ull * 1024)
#define GIB    (1024 * MIB)
#define IOVA   GIB_AT(4)
#define ROUNDS 10000
#define AREAS  60000

#define GIB_AT(n) (GIB * (n))

static int container;

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(2);
}

static uint64_t now(void)
{
    uint32_t low, high;

    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static uint64_t median(uint64_t *samples, size_t count)
{
    qsort(samples, count, sizeof(*samples), compare);
    return samples[count / 2];
}

static void map(uint64_t iova, const void *memory, uint64_t size)
{
    struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m),
                                         .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
                                         .vaddr = (uintptr_t)memory,
                                         .iova = iova,
                                         .size = size};

    if (ioctl(container, VFIO_IOMMU_MAP_DMA, &m))
        die("MAP_DMA");
}

static void unmap(uint64_t iova, uint64_t size)
{
    struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u), .iova = iova, .size = size};

    if (ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u) || u.size != size)
        die("UNMAP_DMA");
}

static void *memory_of(uint64_t size)
{
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    if (memory == MAP_FAILED)
        die("mmap");
    return memory;
}

static uint64_t pair(uint64_t iova, const void *memory, uint64_t size)
{
    uint64_t start = now();

    map(iova, memory, size);
    unmap(iova, size);
    return now() - start;
}

/* One map and unmap more than once: the first fill pools and are timed, the median counts. */
static uint64_t pair_median(const void *memory, uint64_t size, unsigned rounds, uint64_t step)
{
    uint64_t *samples = malloc(rounds * sizeof(*samples));

    if (!samples)
        die("malloc");
    for (unsigned i = 0; i < rounds; i++)
        samples[i] = pair(IOVA + i * step, memory, size);
    uint64_t result = median(samples, rounds);
    free(samples);
    return result;
}

/* The limit for a number of leaves whose frames are in the given order. */
static uint64_t limit(size_t count, const uint32_t *order)
{
    uint64_t *source = malloc(count * sizeof(*source)), *table;
    uint32_t *pins = calloc(count, sizeof(*pins));
    uint64_t best = ~0ull;

    table = aligned_alloc(PAGE, (count * sizeof(*table) + PAGE - 1) / PAGE * PAGE);
    if (!source || !pins || !table)
        die("malloc");
    for (size_t i = 0; i < count; i++)
        source[i] = (uint64_t)(order ? order[i] : i) << LIMIT_FRAME_SHIFT;
    for (unsigned round = 0; round < 3; round++) {
        uint64_t start = now();

        limit_pair(source, pins, table, count);
        uint64_t taken = now() - start;
        best = taken < best ? taken : best;
    }
    free(source);
    free(pins);
    free(table);
    return best;
}

static uint32_t *random_order(uint32_t count)
{
    uint32_t *order = malloc(count * sizeof(*order));
    uint64_t x = 88172645463325252ull;

    if (!order)
        die("malloc");
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    for (uint32_t i = count - 1; i > 0; i--) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        uint32_t j = (uint32_t)(x % (i + 1)), swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
    return order;
}

/* 1 GiB whose pieces lie in random physical order: pieces of consecutive memory moved one by one.
 */
static void *shuffled(uint64_t piece, uint32_t **order)
{
    uint32_t count = (uint32_t)(GIB / piece);
    char *from = memory_of(GIB);
    char *to =
        mmap(NULL, GIB + piece, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (to == MAP_FAILED)
        die("mmap");
    to = (char *)(((uintptr_t)to + piece - 1) / piece * piece);
    *order = random_order(count);
    for (uint32_t i = 0; i < count; i++)
        if (mremap(from + (*order)[i] * piece, piece, piece, MREMAP_MAYMOVE | MREMAP_FIXED,
                   to + i * piece) == MAP_FAILED)
            die("mremap");
    return to;
}

static void result(const char *key, uint64_t value, uint64_t least)
{
    printf("bench: %s %llu %llu\n", key, (unsigned long long)value, (unsigned long long)least);
}

/* What the kernel says about the leaves of our mapping: "<leaves> of <size>" for the check outside.
 */
static void show_leaves(const char *key)
{
    char line[4096];
    FILE *file = fopen("/sys/kernel/iommu/mappings", "r");

    if (!file)
        return; /* Linux has no such file */
    while (fgets(line, sizeof(line), file))
        printf("bench: leaves %s: %s", key, line);
    fclose(file);
}

/* What two looks at the clock cost with nothing between them. */
static uint64_t clock_cost(void)
{
    uint64_t start = now();

    return now() - start;
}

static void measure_syscall(void)
{
    static uint64_t samples[ROUNDS];
    uint64_t overhead = clock_cost();

    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t start = now();
        long ignored;

        __asm__ volatile("syscall" : "=a"(ignored) : "a"(SYS_getppid) : "rcx", "r11", "memory");
        samples[i] = now() - start - overhead;
    }
    result("syscall_empty", median(samples, ROUNDS), 2);
}

static void measure_4k(void)
{
    result("pair_4k", pair_median(memory_of(PAGE), PAGE, ROUNDS, 0), limit(1, NULL));
}

static void measure_4k_fresh(void)
{
    result("pair_4k_fresh", pair_median(memory_of(PAGE), PAGE, ROUNDS, PAGE), limit(1, NULL));
}

static void measure_pieces(const char *key, uint64_t piece, uint64_t divide)
{
    uint32_t *order;
    void *memory = shuffled(piece, &order);
    size_t count = GIB / piece;

    map(IOVA, memory, GIB);
    show_leaves(key);
    unmap(IOVA, GIB);
    result(key, pair_median(memory, GIB, 3, 0) / divide, limit(count, order) / divide);
    munmap(memory, GIB);
    free(order);
}

static void measure_scattered(void)
{
    measure_pieces("pair_1g_scattered_per_page", PAGE, GIB / PAGE);
}

static void measure_2m(void)
{
    measure_pieces("pair_1g_on_2m", 2 * MIB, 1);
}

static void measure_1g(void)
{
    void *memory = memory_of(GIB);

    map(IOVA, memory, GIB);
    show_leaves("pair_1g_on_1g");
    unmap(IOVA, GIB);
    result("pair_1g_on_1g", pair_median(memory, GIB, 201, 0), limit(1, NULL));
    munmap(memory, GIB);
}

/* A map in the middle of `areas` others. */
static uint64_t map_among(unsigned areas, const char *memory)
{
    static uint64_t samples[1000];

    for (unsigned i = 0; i < areas; i++)
        map(IOVA + 2 * i * PAGE, memory, PAGE);
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t at = IOVA + (2 * (uint64_t)(areas / 2) + 1) * PAGE, start = now();

        map(at, memory, PAGE);
        samples[i] = now() - start;
        unmap(at, PAGE);
    }
    return median(samples, 1000);
}

static void unmap_all(void)
{
    struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u), .flags = VFIO_DMA_UNMAP_FLAG_ALL};

    if (ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u))
        die("UNMAP_DMA all");
}

static void measure_many(void)
{
    const char *memory = memory_of(PAGE);
    uint64_t few = map_among(60, memory);

    unmap_all();
    uint64_t many = map_among(AREAS, memory);
    unmap_all();
    result("map_60000_extra", many > few ? many - few : 0, 0);
}

static const struct {
    const char *key;
    void (*measure)(void);
} rows[] = {
    {"syscall_empty", measure_syscall},
    {"pair_4k", measure_4k},
    {"pair_4k_fresh", measure_4k_fresh},
    {"map_60000_extra", measure_many},
    {"pair_1g_on_1g", measure_1g},
    {"pair_1g_on_2m", measure_2m},
    {"pair_1g_scattered_per_page", measure_scattered},
};

static void open_device(const char *name)
{
    char link[128], target[256], path[300];
    int group;

    snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s/iommu_group", name);
    ssize_t n = readlink(link, target, sizeof(target) - 1);
    if (n < 0)
        die(link);
    target[n] = '\0';
    snprintf(path, sizeof(path), "/dev/vfio%s", strrchr(target, '/'));
    container = open("/dev/vfio/vfio", O_RDWR);
    group = open(path, O_RDWR);
    if (container < 0 || group < 0 || ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) ||
        ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
        die("VFIO");
}

static bool wanted(const char *key, int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], key) == 0)
            return true;
    return argc <= 2;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: bench 0000:bb:dd.f [KEY]...\n");
        return 2;
    }
    open_device(argv[1]);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (wanted(rows[i].key, argc, argv))
            rows[i].measure();
    return 0;
}
