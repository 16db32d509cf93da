/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random maps and unmaps, each told on the console and followed by a stop until the test has looked
 * at the IOMMU's tables from outside. Every page carries its number, so that what a translation
 * leads to can be told from the page itself. The control page is always mapped at CONTROL: its
 * first word says which step is done, its second how far the test has come.
 *
 * usage: walk 0000:bb:dd.f STEPS SEED
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/vfio.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE    4096ull
#define BLOCK   (2ull << 20)
#define PAGES   (8 * BLOCK / PAGE)
#define TAG     0x5741000000000000ull
#define CONTROL 0x10000000ull
#define WINDOW  0x100000000ull /* IOVAs of the random maps: 64 MiB from here */
#define SPAN    (64ull << 20)
#define MAPS    64

static struct {
    uint64_t iova, size;
} maps[MAPS];
static unsigned count;
static int container;
static char *memory;
static uint64_t random_state;

static uint64_t random_below(uint64_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % limit;
}

static int map(uint64_t iova, void *address, uint64_t size, uint32_t flags)
{
    struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m),
                                         .flags = flags,
                                         .vaddr = (uintptr_t)address,
                                         .iova = iova,
                                         .size = size};

    return ioctl(container, VFIO_IOMMU_MAP_DMA, &m);
}

static void random_map(void)
{
    uint64_t first = random_below(PAGES), pages = 1 + random_below(random_below(2) ? 8 : 1200);
    uint32_t flags = 1 + (uint32_t)random_below(3);
    uint64_t iova = WINDOW + random_below(SPAN / PAGE) * PAGE;

    pages = pages < PAGES - first ? pages : PAGES - first;
    if (random_below(2)) /* the same place in a block as the memory: large leaves fit */
        iova = (iova & ~(BLOCK - 1)) + first * PAGE % BLOCK;
    if (count == MAPS || map(iova, memory + first * PAGE, pages * PAGE, flags))
        return;
    maps[count].iova = iova;
    maps[count++].size = pages * PAGE;
    printf("walk: map %llx %llu %llu %u\n", (unsigned long long)iova, (unsigned long long)first,
           (unsigned long long)pages, flags);
}

static void random_unmap(void)
{
    struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u)};
    unsigned which = count ? (unsigned)random_below(count) : 0;

    if (!count)
        return;
    u.iova = maps[which].iova;
    u.size = maps[which].size;
    if (ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u))
        exit(4);
    maps[which] = maps[--count];
    printf("walk: unmap %llx %llu\n", (unsigned long long)u.iova,
           (unsigned long long)(u.size / PAGE));
}

/* Half of the memory in an order of its own, page by page. */
static void scatter(void)
{
    char *aside = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (unsigned i = PAGES / 2; i < PAGES - 1; i++) {
        char *one = memory + i * PAGE, *two = memory + (i + 1 + random_below(PAGES - i - 1)) * PAGE;

        if (mremap(one, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, aside) == MAP_FAILED ||
            mremap(two, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, one) == MAP_FAILED ||
            mremap(aside, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, two) == MAP_FAILED)
            exit(5);
    }
}

static int open_vfio(const char *device)
{
    char link[128], target[256], path[300];
    int file = open("/dev/vfio/vfio", O_RDWR);

    snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s/iommu_group", device);
    ssize_t n = readlink(link, target, sizeof(target) - 1);
    if (n < 0)
        return -1;
    target[n] = '\0';
    snprintf(path, sizeof(path), "/dev/vfio%s", strrchr(target, '/'));
    int group = open(path, O_RDWR);
    if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &file) ||
        ioctl(file, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
        return -1;
    return file;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    uint64_t steps = strtoull(argv[2], NULL, 0);
    volatile uint64_t *control =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    random_state = strtoull(argv[3], NULL, 0) | 1;
    memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    container = open_vfio(argv[1]);
    if (container < 0 || memory == MAP_FAILED || control == MAP_FAILED)
        return 3;
    scatter();
    for (uint64_t i = 0; i < PAGES; i++)
        *(uint64_t *)(memory + i * PAGE) = TAG | i;
    if (map(CONTROL, (void *)control, PAGE, 3))
        return 3;
    for (uint64_t step = 1; step <= steps; step++) {
        if (random_below(5) < 3)
            random_map();
        else
            random_unmap();
        control[0] = step;
        while (control[1] < step)
            sched_yield();
    }
    printf("walk: done\n");
    return 0;
}
