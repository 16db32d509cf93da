/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps what a test wants to find in the report, and lets edu reach for what it was not given.
 *
 * usage: mapped INTERFACE BDF stay|show|close|kill
 *        pieces of every leaf size and permission, far apart. stay: ends with everything open.
 * show: tells what the kernel says of them and waits until somebody outside has looked and set the
 *        first word of the control page, before that. close: closes all before it ends. kill: goes
 *        on until its faults have it killed.
 * usage: mapped INTERFACE BDF many COUNT
 *        one page again and again, with a hole behind each
 */
#define _GNU_SOURCE
#include "edu.h"

#define MIB     (1ull << 20)
#define GIB     (1ull << 30)
#define CONTROL 0x10000000ull
#define STRAY   0x123450000ull

static uint32_t space;

static void *memory_of(uint64_t size)
{
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    must(memory != MAP_FAILED, "memory");
    return memory;
}

static void *map(uint64_t iova, uint64_t size, unsigned permissions)
{
    void *memory = memory_of(size);

    must(!dma_map(space, iova, memory, size, permissions), "map");
    return memory;
}

/* What a file under /sys/kernel/iommu says. */
static void show(const char *name)
{
    char path[64], line[1024];

    snprintf(path, sizeof(path), "/sys/kernel/iommu/%s", name);
    FILE *file = fopen(path, "r");
    must(file, path);
    while (fgets(line, sizeof(line), file))
        printf("mapped: %s: %s", name, line);
    fclose(file);
}

/* How many lines such a file has, and the last one. */
static void show_end(const char *name)
{
    char path[64], line[1024];
    unsigned lines = 0;

    snprintf(path, sizeof(path), "/sys/kernel/iommu/%s", name);
    FILE *file = fopen(path, "r");
    must(file, path);
    while (fgets(line, sizeof(line), file))
        lines++;
    fclose(file);
    printf("mapped: %u lines, the last: %s", lines, line);
}

static void show_all(void)
{
    static const char *const names[] = {"units", "domains", "mappings", "faults", "invalidations"};

    for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
        show(names[i]);
}

static int many(unsigned count)
{
    void *page = memory_of(PAGE);

    for (unsigned i = 0; i < count; i++)
        must(!dma_map(space, CONTROL + i * 2 * PAGE, page, PAGE, READ), "map");
    show_end("mappings");
    return 0;
}

static void wait_for(volatile uint64_t *word)
{
    const struct timespec pause = {0, 10000000};

    printf("mapped: ready\n");
    fflush(stdout);
    while (*word == 0)
        nanosleep(&pause, NULL);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    edu_open(argv[1], argv[2]);
    space = space_create();
    must(!dma_attach(space), "attach");
    if (strcmp(argv[3], "many") == 0)
        return many((unsigned)atoi(argv[4]));
    volatile uint64_t *control = map(CONTROL, PAGE, READ | WRITE);
    map(CONTROL + PAGE, PAGE, READ | WRITE); /* another area, right behind */
    map(CONTROL + 4 * PAGE, PAGE, READ);
    map(CONTROL + 16 * PAGE, 3 * PAGE, WRITE);
    map(5 * GIB + 2 * MIB, 4 * MIB, READ | WRITE);
    map(6 * GIB, GIB, READ | WRITE);
    map(300 * GIB, 2 * MIB + PAGE, READ);
    map(32 * GIB, 8 * MIB, READ | WRITE);
    must(!dma_unmap(space, 32 * GIB, 8 * MIB), "unmap"); /* only the peak knows it */
    edu_write(STRAY, 64);
    edu_write(CONTROL + 4 * PAGE, 64);
    while (strcmp(argv[3], "kill") == 0)
        edu_write(32 * GIB, 64);
    if (strcmp(argv[3], "close") == 0)
        edu_close();
    if (strcmp(argv[3], "show") == 0) {
        show_all();
        wait_for(control);
    }
    return 0;
}
