/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that the program gives back while a device may reach it: it keeps its content and is
 * handed out to nobody, whatever is asked for, until it is unmapped from the device.
 *
 * usage: pinned type1|iommufd|file 0000:bb:dd.f page|pieces|block|parts
 *
 * parts: only parts of memory that is pinned as one GiB are given back.
 */
#define _GNU_SOURCE
#include "edu.h"
#include "measure.h"

#define IOVA   0x100000000ull
#define MIRROR 0x200000000ull /* a page to look through */
#define BYTES  1024u
#define CHUNK  (1ul << 20)
#define PROBES 8u
#define GIB    (1ul << 30)
#define TAKEN  40u /* pieces of memory of the size of a part that is given back */

static uint64_t pattern_seed = 0x9e3779b97f4a7c15ull;

static char *get_memory(uint64_t size)
{
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void fill(char *memory, uint64_t size)
{
    uint64_t *words = (uint64_t *)(void *)memory;

    for (uint64_t i = 0; i < size / 8; i++)
        words[i] = pattern_seed * (i + 1);
}

static bool is_filled(const char *part, uint64_t offset)
{
    const uint64_t *words = (const uint64_t *)(const void *)part;

    for (uint64_t i = 0; i < BYTES / 8; i++)
        if (words[i] != pattern_seed * (offset / 8 + i + 1))
            return false;
    return true;
}

/* Whole pages of fresh memory must be zero. Spoils them, so that nothing of them can be mistaken.
 */
static void spoil(char *memory)
{
    const uint64_t *words = (const uint64_t *)(const void *)memory;

    for (uint64_t i = 0; i < CHUNK / 8; i++) {
        if (words[i]) {
            printf("pinned: new memory is not zero\n");
            exit(7);
        }
    }
    memset(memory, 0xee, CHUNK);
}

/* Everything that is to be had; the chunks are linked by their first words. */
static char *take_all(unsigned long *count)
{
    char *last = NULL, *chunk;

    *count = 0;
    while ((chunk = get_memory(CHUNK)) != MAP_FAILED) {
        spoil(chunk);
        *(char **)(void *)chunk = last;
        last = chunk;
        ++*count;
    }
    return last;
}

static void give_all(char *last)
{
    while (last) {
        char *chunk = last;

        last = *(char **)(void *)chunk;
        munmap(chunk, CHUNK);
    }
}

/* What the device finds in the memory at an IOVA now, at places all over it. */
static void look(const char *when, const char *mirror, uint64_t iova, uint64_t size)
{
    unsigned good = 0;

    for (unsigned i = 0; i < PROBES; i++) {
        uint64_t offset = (size - BYTES) / (PROBES - 1) * i & ~7ull;

        /* A transfer crosses no page, so that each is one access. */
        if (offset % PAGE > PAGE - BYTES)
            offset -= offset % PAGE - (PAGE - BYTES);
        edu_read(iova + offset, BYTES);
        edu_write(MIRROR, BYTES);
        good += is_filled(mirror, offset);
    }
    printf("pinned: %s: %u of %u intact\n", when, good, PROBES);
}

/* Every other page of twice the memory, so that no two belong together. */
static char *get_pieces(uint64_t size)
{
    char *memory = get_memory(2 * size);

    must(memory != MAP_FAILED, "memory");
    memset(memory, 1, 2 * size);
    for (uint64_t at = PAGE; at < size; at += PAGE) {
        char *from = memory + 2 * at, *to = memory + at;

        must(mremap(from, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to, "mremap");
    }
    munmap(memory + size, size);
    return memory;
}

static int map_file(uint32_t space, uint64_t size, char **memory)
{
    int file = memfd_create("pinned", 0);
    struct iommu_ioas_map_file m = {.size = sizeof(m),
                                    .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
                                             IOMMU_IOAS_MAP_WRITEABLE,
                                    .ioas_id = space,
                                    .fd = file,
                                    .length = size,
                                    .iova = IOVA};

    must(file >= 0 && !ftruncate(file, (off_t)size), "memfd");
    *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    must(*memory != MAP_FAILED, "memory");
    must(!ioctl(iommu, IOMMU_IOAS_MAP_FILE, &m), "MAP_FILE");
    return file;
}

/* The memory, mapped for the device; *file is closed by the caller. */
static char *map_memory(uint32_t space, const char *interface, const char *kind, uint64_t size,
                        int *file)
{
    char *memory;

    *file = -1;
    if (strcmp(interface, "file") == 0) {
        *file = map_file(space, size, &memory);
    } else {
        memory = strcmp(kind, "pieces") == 0 ? get_pieces(size) : get_memory(size);
        must(memory != MAP_FAILED, "memory");
        must(!dma_map(space, IOVA, memory, size, READ | WRITE), "map");
    }
    fill(memory, size);
    return memory;
}

static int go(uint32_t space, const char *interface, const char *kind, char *mirror)
{
    uint64_t size = strcmp(kind, "page") == 0 ? PAGE : BLOCK;
    unsigned long before = measure().frames, without, chunks, again, after;
    int file;
    char *memory = map_memory(space, interface, kind, size, &file), *all;

    look("mapped", mirror, IOVA, size);
    munmap(memory, size);
    if (file >= 0)
        close(file);
    without = measure().frames;
    look("given back", mirror, IOVA, size);
    all = take_all(&chunks);
    look("with all other memory in use", mirror, IOVA, size);
    give_all(all);
    must(!dma_unmap(space, IOVA, size), "unmap");
    after = measure().frames;
    give_all(take_all(&again));
    printf("pinned: %llu pages; %lu free before, %lu while held, %lu after; %lu chunks, then %lu\n",
           (unsigned long long)(size / PAGE), before, without, after, chunks, again);
    if (without > before - size / PAGE || after != before)
        return 1;
    return size < CHUNK || again >= chunks + size / CHUNK ? 0 : 1;
}

/* Gives a part of the GiB back, and asks for memory of its size again and again. */
static void give_part(const char *when, char *memory, uint64_t offset, uint64_t size, char *mirror)
{
    char *taken;

    fill(memory + offset, size);
    munmap(memory + offset, size);
    for (unsigned i = 0; i < TAKEN && (taken = get_memory(size)) != MAP_FAILED; i++)
        memset(taken, 0xee, PAGE);
    look(when, mirror, IOVA + offset, size);
}

static int go_parts(uint32_t space, char *mirror)
{
    char *memory = get_memory(GIB);

    must(memory != MAP_FAILED, "memory");
    must(!dma_map(space, IOVA, memory, GIB, READ | WRITE), "map");
    must(strstr(text_of("/sys/kernel/iommu/mappings"), " 0 4K 0 2M 1 1G"), "one leaf");
    give_part("a page", memory, GIB / 2, PAGE, mirror);
    give_part("the last page", memory, GIB - PAGE, PAGE, mirror);
    give_part("a block", memory, GIB / 4, BLOCK, mirror);
    must(!dma_unmap(space, IOVA, GIB), "unmap");
    return 0;
}

int main(int argc, char **argv)
{
    char *mirror = get_memory(PAGE);
    uint32_t space;

    if (argc < 4)
        return 2;
    edu_open(argv[1], argv[2]);
    space = space_create();
    must(!dma_attach(space), "attach");
    must(!dma_map(space, MIRROR, mirror, PAGE, READ | WRITE), "mirror");
    if (strcmp(argv[3], "parts") == 0)
        return go_parts(space, mirror);
    /* The first times something stays behind that is used again: tables, heap, stack. */
    go(space, argv[1], argv[3], mirror);
    go(space, argv[1], argv[3], mirror);
    return go(space, argv[1], argv[3], mirror);
}
