/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random maps, unmaps, copies and replaces, each told on the console and tried by DMA in both
 * directions, and followed by a stop until the test has looked at the IOMMU's tables from outside.
 *
 * Every page carries its number, so that what a translation leads to can be told from the page
 * itself. The control page is always mapped at CONTROL: its first word says which step is done, its
 * second how far the test has come; DATA and BACK in it are what the device takes from and leaves.
 *
 * usage: walk type1|iommufd 0000:bb:dd.f STEPS SEED
 */
#define _GNU_SOURCE
#include "edu.h"

#define PAGES   (8 * BLOCK / PAGE)
#define TAG     0x5741000000000000ull
#define CONTROL 0x10000000ull
#define DATA    2048u
#define BACK    3072u
#define WINDOW  0x100000000ull /* IOVAs of the random maps: 64 MiB from here */
#define SPAN    (64ull << 20)
#define MAPS    64
#define SPACES  2
#define BYTES   64u
#define IN_PAGE 1024u /* where in a page DMA goes: not to its number */
#define NOWHERE (-1)

struct mapping {
    uint64_t iova, first, pages; /* `first`: number of the page in our memory */
    unsigned permissions;
};

static struct space {
    uint32_t id, table; /* `table`: a page table of its own beside the automatic one */
    struct mapping maps[MAPS];
    unsigned count;
} spaces[SPACES];
static unsigned space_count = SPACES;
static int at = NOWHERE; /* the space that the device goes through */
static char *memory, *control;
static uint64_t random_state, step, seed;

typedef unsigned long long ull;

static uint64_t below(uint64_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % limit;
}

static void check(bool good, const char *what)
{
    if (good)
        return;
    printf("walk: step %llu, seed %llu: %s\n", (ull)step, (ull)seed, what);
    exit(6);
}

/* ---- DMA ---- */

static uint64_t faults(void)
{
    char text[4096];
    int file = open("/sys/kernel/iommu/faults", O_RDONLY);
    ssize_t n = read(file, text, sizeof(text) - 1);

    close(file);
    must(n > 6 && strncmp(text, "count ", 6) == 0, "faults");
    text[n] = '\0';
    return strtoull(text + 6, NULL, 10);
}

/* Was a fault counted since, or none? The kernel hears of it by an interrupt, a moment later. */
static bool faulted(uint64_t before)
{
    const struct timespec pause = {0, 1000000};

    for (unsigned i = 0; i < 100 && faults() == before; i++)
        nanosleep(&pause, NULL);
    return faults() > before;
}

static void new_pattern(char *to)
{
    uint64_t value = below(UINT64_MAX) | 1;

    for (unsigned i = 0; i < BYTES; i++)
        to[i] = (char)((value >> i % 8 * 8) + i);
}

/*
 * What must become of an access. QEMU tells no fault of an access that an IOTLB entry does not
 * permit, so only those to absent translations must be counted.
 */
enum outcome { ALLOWED, NOT_PERMITTED, ABSENT };

static void check_faults(uint64_t before, enum outcome outcome)
{
    if (outcome == ALLOWED)
        check(faults() == before, "a fault of an access that was allowed");
    if (outcome == ABSENT)
        check(faulted(before), "no fault was counted");
}

static enum outcome outcome_of(unsigned permitted)
{
    return permitted ? ALLOWED : NOT_PERMITTED;
}

/* The device reads a page: what it has got must be what is there, or nothing of it. */
static void try_reading(uint64_t iova, char *there, enum outcome outcome)
{
    uint64_t before = faults();
    bool allowed = outcome == ALLOWED;

    new_pattern(there);
    memset(control + BACK, 0, BYTES);
    edu_read(iova, BYTES);
    edu_write(CONTROL + BACK, BYTES);
    check((memcmp(control + BACK, there, BYTES) == 0) == allowed,
          allowed ? "the device read something else" : "the device read what it must not");
    check_faults(before, outcome);
}

/* The device writes a page: it must arrive, or leave no trace. */
static void try_writing(uint64_t iova, char *there, enum outcome outcome)
{
    uint64_t before = faults();
    bool allowed = outcome == ALLOWED;

    new_pattern(control + DATA);
    memset(there, 0, BYTES);
    edu_read(CONTROL + DATA, BYTES);
    edu_write(iova, BYTES);
    check((memcmp(control + DATA, there, BYTES) == 0) == allowed,
          allowed ? "the device's write did not arrive" : "the device wrote what it must not");
    for (unsigned i = 0; !allowed && i < BYTES; i++)
        check(there[i] == 0, "a refused write left something");
    check_faults(before, outcome);
}

/* A random page of a mapping of the space that the device goes through. */
static void try_mapping(const struct mapping *map)
{
    uint64_t page = below(map->pages);
    uint64_t iova = map->iova + page * PAGE + IN_PAGE;
    char *there = memory + (map->first + page) * PAGE + IN_PAGE;

    try_reading(iova, there, outcome_of(map->permissions & READ));
    try_writing(iova, there, outcome_of(map->permissions & WRITE));
}

static bool mapped(const struct space *space, uint64_t iova)
{
    for (unsigned i = 0; i < space->count; i++)
        if (iova - space->maps[i].iova < space->maps[i].pages * PAGE)
            return true;
    return false;
}

/* A page that was mapped a moment ago, unless something else has come there. */
static void try_gone(const struct mapping *map)
{
    uint64_t page = below(map->pages);
    uint64_t iova = map->iova + page * PAGE + IN_PAGE;

    if (!mapped(&spaces[at], iova))
        try_writing(iova, memory + (map->first + page) * PAGE + IN_PAGE, ABSENT);
}

static void try_anything(void)
{
    const struct space *space = &spaces[at];

    if (space->count)
        try_mapping(&space->maps[below(space->count)]);
}

/* ---- operations ---- */

static struct space *some_space(void)
{
    return &spaces[below(space_count)];
}

static void remember(struct space *space, struct mapping map)
{
    space->maps[space->count++] = map;
    printf("walk: map %d %llx %llu %llu %u\n", (int)(space - spaces), (ull)map.iova, (ull)map.first,
           (ull)map.pages, map.permissions);
    if (space == &spaces[at])
        try_mapping(&space->maps[space->count - 1]);
}

static void random_map(void)
{
    struct space *space = some_space();
    struct mapping map = {.first = below(PAGES), .pages = 1 + below(below(2) ? 8 : 1200)};

    map.permissions = 1 + (unsigned)below(3);
    map.iova = WINDOW + below(SPAN / PAGE) * PAGE;
    if (below(6) == 0) { /* a block or two */
        map.first = below(3) * BLOCK / PAGE;
        map.pages = (1 + below(2)) * BLOCK / PAGE;
    }
    map.pages = map.pages < PAGES - map.first ? map.pages : PAGES - map.first;
    if (below(2)) /* the same place in a block as the memory: large leaves fit */
        map.iova = (map.iova & ~(BLOCK - 1)) + map.first * PAGE % BLOCK;
    if (space->count < MAPS && dma_map(space->id, map.iova, memory + map.first * PAGE,
                                       map.pages * PAGE, map.permissions) == 0)
        remember(space, map);
}

/* A part of one mapping, into the same or the other space. */
static void random_copy(void)
{
    struct space *from = some_space(), *to = some_space();
    struct iommu_ioas_copy copy = {
        .size = sizeof(copy), .dst_ioas_id = to->id, .src_ioas_id = from->id};
    struct mapping map;
    uint64_t skip;

    if (type1 || !from->count || to->count == MAPS)
        return;
    map = from->maps[below(from->count)];
    skip = below(map.pages);
    copy.src_iova = map.iova + skip * PAGE;
    map.first += skip;
    map.pages = 1 + below(map.pages - skip);
    map.iova = WINDOW + below(SPAN / PAGE) * PAGE;
    if (below(2))
        map.iova = (map.iova & ~(BLOCK - 1)) + copy.src_iova % BLOCK;
    copy.dst_iova = map.iova;
    copy.length = map.pages * PAGE;
    copy.flags = IOMMU_IOAS_MAP_FIXED_IOVA;
    copy.flags |= map.permissions & READ ? IOMMU_IOAS_MAP_READABLE : 0;
    copy.flags |= map.permissions & WRITE ? IOMMU_IOAS_MAP_WRITEABLE : 0;
    if (ioctl(iommu, IOMMU_IOAS_COPY, &copy) == 0)
        remember(to, map);
}

static void random_unmap(void)
{
    struct space *space = some_space();
    struct mapping map;
    unsigned which;

    if (!space->count)
        return;
    which = (unsigned)below(space->count);
    map = space->maps[which];
    if (space == &spaces[at] && below(2))
        try_mapping(&map); /* the IOMMU has it in its caches */
    must(!dma_unmap(space->id, map.iova, map.pages * PAGE), "unmap");
    space->maps[which] = space->maps[--space->count];
    printf("walk: unmap %d %llx %llu\n", (int)(space - spaces), (ull)map.iova, (ull)map.pages);
    if (space == &spaces[at])
        try_gone(&map);
}

/* Moves the device to another space, or to the other page table of the same. */
static void random_replace(void)
{
    struct space *old = &spaces[at], *space = some_space();
    struct mapping map = {0};

    if (type1)
        return;
    if (old->count) {
        map = old->maps[below(old->count)];
        try_mapping(&map);
    }
    must(!dma_attach(below(2) ? space->id : space->table), "replace");
    at = (int)(space - spaces);
    printf("walk: use %d\n", at);
    if (space != old && map.pages)
        try_gone(&map);
}

/* For a moment the device goes through nothing, and nothing it does arrives. */
static void detach_for_a_moment(void)
{
    struct vfio_device_detach_iommufd_pt detach = {.argsz = sizeof(detach)};
    uint64_t before = faults();

    if (type1)
        return;
    new_pattern(control + DATA);
    edu_read(CONTROL + DATA, BYTES);
    memset(control + BACK, 0, BYTES);
    must(!ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach), "detach");
    edu_write(CONTROL + BACK, BYTES);
    check(control[BACK] == 0 && memcmp(control + BACK, control + BACK + 1, BYTES - 1) == 0,
          "a detached device wrote");
    check(faulted(before), "no fault of a detached device");
    must(!dma_attach(spaces[at].id), "attach");
}

/* However short the walk is, there is a large leaf in it. */
static void first_step(void)
{
    const struct mapping block = {WINDOW, 0, BLOCK / PAGE, READ | WRITE};

    must(!dma_map(spaces[at].id, block.iova, memory, BLOCK, block.permissions), "a block");
    remember(&spaces[at], block);
}

static void random_step(void)
{
    uint64_t choice = below(100);

    if (choice < 45)
        random_map();
    else if (choice < 60)
        random_copy();
    else if (choice < 88)
        random_unmap();
    else if (choice < 97)
        random_replace();
    else
        detach_for_a_moment();
    try_anything();
}

/* ---- preparing ---- */

/* Half of the memory in an order of its own, page by page. */
static void scatter(void)
{
    char *aside = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (unsigned i = PAGES / 2; i < PAGES - 1; i++) {
        char *one = memory + i * PAGE, *two = memory + (i + 1 + below(PAGES - i - 1)) * PAGE;

        if (mremap(one, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, aside) == MAP_FAILED ||
            mremap(two, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, one) == MAP_FAILED ||
            mremap(aside, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, two) == MAP_FAILED)
            exit(5);
    }
}

static char *get_memory(uint64_t size)
{
    char *got = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    must(got != MAP_FAILED, "memory");
    return got;
}

static void create_spaces(void)
{
    space_count = type1 ? 1 : SPACES;
    for (unsigned i = 0; i < space_count; i++) {
        struct iommu_hwpt_alloc table = {.size = sizeof(table), .dev_id = device_id};

        table.pt_id = spaces[i].id = space_create();
        must(type1 || !ioctl(iommu, IOMMU_HWPT_ALLOC, &table), "HWPT_ALLOC");
        spaces[i].table = table.out_hwpt_id;
        must(!dma_map(spaces[i].id, CONTROL, control, PAGE, READ | WRITE), "control page");
    }
    must(!dma_attach(spaces[0].id), "attach");
    at = 0;
    printf("walk: use 0\n");
}

int main(int argc, char **argv)
{
    volatile uint64_t *word;
    uint64_t steps;

    if (argc < 5)
        return 2;
    steps = strtoull(argv[3], NULL, 0);
    seed = strtoull(argv[4], NULL, 0);
    random_state = seed * 0x9e3779b97f4a7c15ull | 1;
    memory = get_memory(PAGES * PAGE);
    control = get_memory(PAGE);
    word = (volatile uint64_t *)(void *)control;
    word[0] = 0;
    scatter();
    for (uint64_t i = 0; i < PAGES; i++)
        *(uint64_t *)(memory + i * PAGE) = TAG | i;
    edu_open(argv[1], argv[2]);
    create_spaces();
    for (step = 1; step <= steps; step++) {
        const struct timespec pause = {0, 1000000};

        if (step == 1)
            first_step();
        else
            random_step();
        word[0] = step;
        while (word[1] < step)
            nanosleep(&pause, NULL);
    }
    printf("walk: done\n");
    return 0;
}
