/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls that have much to do. How long the kernel keeps everything else out meanwhile is
 * measured from outside; here they only have to come to their right end.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conform.h"

#define MIB      (UINT64_C(1) << 20)
#define GIB      (UINT64_C(1) << 30)
#define PAGE     UINT64_C(4096)
#define ALL      (PROT_READ | PROT_WRITE)
#define PRIVATE  (MAP_PRIVATE | MAP_ANONYMOUS)
#define RESERVED (PRIVATE | MAP_NORESERVE)
#define FILES    20000
#define LINKS    40

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

/* Residency of a reservation so large that asking page by page takes for ever. */
static void mincore_of_nothing(void)
{
    const uint64_t step = 16 * GIB;
    unsigned char *pages = map(step / PAGE, ALL, PRIVATE);
    char *at = map(800 * GIB, ALL, RESERVED);
    CHECK(at != MAP_FAILED && pages != MAP_FAILED);
    at[17 * GIB] = 1;
    CHECK_OK(mincore(at, step, pages));
    for (uint64_t i = 0; i < step / PAGE; i++)
        CHECK_EQUAL(pages[i], 0);
    CHECK_OK(mincore(at + step, step, pages));
    CHECK_EQUAL(pages[GIB / PAGE], 1);
    CHECK_EQUAL(pages[GIB / PAGE + 1000], 0);
    munmap(pages, step / PAGE);
    pages = map(800 * GIB / PAGE, ALL, PRIVATE | MAP_POPULATE);
    CHECK(pages != MAP_FAILED);
    CHECK_OK(mincore(at, 800 * GIB, pages));
    CHECK_OK(munmap(pages, 800 * GIB / PAGE));
    CHECK_OK(munmap(at, 800 * GIB));
}

static void pagemap(void)
{
    int fd = open("/proc/self/pagemap", O_RDONLY);
    const size_t length = 32 * MIB;
    char *to = map(length, ALL, PRIVATE);
    char *of = map(length / 8 * PAGE, ALL, RESERVED);
    CHECK(fd >= 0 && to != MAP_FAILED && of != MAP_FAILED);
    CHECK_EQUAL(pread(fd, to, length, (off_t)((uintptr_t)of / PAGE * 8)), (ssize_t)length);
    CHECK_OK(munmap(to, length));
    CHECK_OK(munmap(of, length / 8 * PAGE));
    CHECK_OK(close(fd));
}

static char *name(char *at, const char *what, unsigned i)
{
    snprintf(at, 100, "/tmp/%s%u", what, i);
    return at;
}

/* The longest walk: every link is one buffer full of the longest components there are. */
static void links(void)
{
    static char target[4096];
    char from[100];
    for (unsigned i = 0; i < FILES; i++) {
        int fd = open(name(from, "file", i), O_CREAT | O_WRONLY, 0600);
        CHECK_OK(fd);
        CHECK_OK(close(fd));
    }
    CHECK_OK(mkdir("/tmp/d", 0700));
    for (unsigned i = 0; i < LINKS; i++) {
        size_t used = 4;
        memcpy(target, "/tmp", used);
        for (; used < sizeof(target) - 120; used += 5)
            memcpy(target + used, "/d/..", 5);
        snprintf(target + used, 100, i + 1 < LINKS ? "/link%u" : "/file5", i + 1);
        CHECK_OK(symlink(target, name(from, "link", i)));
    }
    for (unsigned i = 0; i < 3; i++) {
        int fd = open("/tmp/link0", O_RDONLY);
        CHECK_OK(fd);
        CHECK_OK(close(fd));
    }
    DIR *directory = opendir("/tmp");
    unsigned count = 0;
    while (readdir(directory))
        count++;
    CHECK_OK(closedir(directory));
    CHECK(count >= FILES + LINKS + 3);
    for (unsigned i = 0; i < LINKS; i++)
        CHECK_OK(unlink(name(from, "link", i)));
    for (unsigned i = 0; i < FILES; i++)
        CHECK_OK(unlink(name(from, "file", i)));
    CHECK_OK(rmdir("/tmp/d"));
}

static const struct conform_case cases[] = {
    CASE(file_io),
    CASE(links),
    CASE(mincore_of_nothing),
    CASE(pagemap),
};

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    return conform_run(cases, sizeof(cases) / sizeof(cases[0]), NULL, argc, argv);
}
