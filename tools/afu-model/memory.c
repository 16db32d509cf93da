/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* q35 has RAM up to 0xb0000000, or up to 2 GiB if there is more than that; the rest from 4 GiB. */
#define LOW_MOST   UINT64_C(0xb0000000)
#define LOW_OF_BIG UINT64_C(0x80000000)
#define HIGH_START UINT64_C(0x100000000)
/* Screen memory and ROMs cover the RAM that the file has there. */
#define LEGACY_START UINT64_C(0xa0000)
#define LEGACY_END   UINT64_C(0x100000)

bool memory_open(struct memory *memory, const char *path)
{
    struct stat status;
    void *bytes;

    memory->file = open(path, O_RDWR | O_CLOEXEC);
    if (memory->file < 0)
        return false;
    if (fstat(memory->file, &status))
        goto close_file;
    memory->size = (uint64_t)status.st_size;
    bytes = mmap(NULL, memory->size, PROT_READ | PROT_WRITE, MAP_SHARED, memory->file, 0);
    if (bytes == MAP_FAILED)
        goto close_file;
    memory->bytes = bytes;
    return true;

close_file:
    close(memory->file);
    return false;
}

/* Does [at, at + length) lie within [start, end)? */
static bool within(uint64_t at, uint64_t length, uint64_t start, uint64_t end)
{
    return at >= start && at < end && length <= end - at;
}

void *memory_at(const struct memory *memory, uint64_t physical, uint64_t length)
{
    uint64_t most = memory->size >= LOW_MOST ? LOW_OF_BIG : LOW_MOST;
    uint64_t low = memory->size < most ? memory->size : most;

    if (within(physical, length, 0, low < LEGACY_START ? low : LEGACY_START) ||
        within(physical, length, LEGACY_END, low))
        return memory->bytes + physical;
    if (within(physical, length, HIGH_START, HIGH_START + (memory->size - low)))
        return memory->bytes + low + (physical - HIGH_START);
    return NULL;
}
