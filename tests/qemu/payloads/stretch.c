/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls that have much to do. How long the kernel keeps everything else out meanwhile is
 * measured from outside; here they only have to come to their right end.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>

#include "conform.h"

#define MIB     (UINT64_C(1) << 20)
#define ALL     (PROT_READ | PROT_WRITE)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)

static void *map(uint64_t length, int access, int flags)
{
    return mmap(NULL, length, access, flags, -1, 0);
}

/* Each MiB is cleared and copied: a quarter of a million instructions. */
static void file_io(void)
{
    const size_t length = 12 * MIB;
    int fd = memfd_create("file", 0);
    char *memory = map(length, ALL, PRIVATE | MAP_NORESERVE);
    CHECK(fd >= 0 && memory != MAP_FAILED);
    CHECK_EQUAL(write(fd, memory, length), (ssize_t)length);
    CHECK_EQUAL(pread(fd, memory, length, 0), (ssize_t)length);
    CHECK_OK(close(fd));
    CHECK_OK(munmap(memory, length));
}

static const struct conform_case cases[] = {
    CASE(file_io),
};

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    return conform_run(cases, sizeof(cases) / sizeof(cases[0]), NULL, argc, argv);
}
