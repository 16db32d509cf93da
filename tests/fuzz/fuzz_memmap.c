/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory maps of any content: what comes out is sorted, disjoint, aligned and within the limit. */
#include <stdlib.h>
#include <string.h>
#include "kernel/mm/memmap.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static uint64_t check(const struct phys_run *runs, size_t count)
{
    uint64_t end = 0, bytes = 0;

    require(count <= MEMMAP_RUNS_MAX);
    for (size_t i = 0; i < count; i++) {
        require(runs[i].length != 0 && IS_ALIGNED(runs[i].base | runs[i].length, PAGE_SIZE));
        require(i == 0 || runs[i].base > end);
        require(range_end(runs[i].base, runs[i].length, &end));
        bytes += runs[i].length;
    }
    return bytes;
}

/* Is the byte's page in one of the runs? */
static bool contains(const struct phys_run *runs, size_t count, uint64_t at)
{
    for (size_t i = 0; i < count; i++)
        if (at >= runs[i].base && at - runs[i].base < runs[i].length)
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct memmap map;
    static struct boot_memory regions[600];
    struct phys_run keep_out = {0, 0};
    uint64_t limit = 0;
    size_t count;

    if (size < sizeof(keep_out) + sizeof(limit))
        return 0;
    memcpy(&keep_out, data, sizeof(keep_out));
    memcpy(&limit, data + sizeof(keep_out), sizeof(limit));
    data += sizeof(keep_out) + sizeof(limit);
    size -= sizeof(keep_out) + sizeof(limit);
    /* An odd limit asks for a window, where the first region would be in whole pages. */
    struct phys_run window = {0, 0};
    if (limit & 1 && size >= sizeof(regions[0])) {
        memcpy(&window, data, sizeof(window));
        window.base = ALIGN_DOWN(window.base & (UINT64_MAX >> 1), PAGE_SIZE);
        window.length = ALIGN_DOWN(window.length & (UINT64_MAX >> 1), PAGE_SIZE);
    }
    count = MIN(size / sizeof(regions[0]), ARRAY_SIZE(regions));
    memcpy(regions, data, count * sizeof(regions[0]));
    const struct memory_policy policy = {&keep_out, keep_out.length != 0, limit & ~1u, window};
    if (memmap_build(&map, regions, count, &policy))
        return 0;
    require(check(map.usable, map.usable_count) <= (policy.limit ? policy.limit : UINT64_MAX));
    check(map.held, map.held_count);
    check(map.ram, map.ram_count);
    for (size_t i = 0; i < map.usable_count; i++) {
        require(window.length == 0 ||
                (map.usable[i].base >= window.base &&
                 map.usable[i].base + map.usable[i].length <= window.base + window.length));
        require(contains(map.ram, map.ram_count, map.usable[i].base));
        require(!contains(map.held, map.held_count, map.usable[i].base));
        require(keep_out.length == 0 || !ranges_overlap(map.usable[i].base, map.usable[i].length,
                                                        keep_out.base, keep_out.length));
    }
    return 0;
}
