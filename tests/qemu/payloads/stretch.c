/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls that have much to do. How long the kernel keeps everything else out meanwhile is
 * measured from outside; here they only have to come to their right end.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "conform.h"

#define KIB      (UINT64_C(1) << 10)
#define MIB      (UINT64_C(1) << 20)
#define GIB      (UINT64_C(1) << 30)
#define PAGE     UINT64_C(4096)
#define ALL      (PROT_READ | PROT_WRITE)
#define PRIVATE  (MAP_PRIVATE | MAP_ANONYMOUS)
#define SHARED   (MAP_SHARED | MAP_ANONYMOUS)
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

static void large_map(void)
{
    char *at = map(2 * GIB, ALL, PRIVATE);
    CHECK(at != MAP_FAILED);
    CHECK_EQUAL(at[GIB + 5], 0);
    CHECK_OK(mprotect(at, 2 * GIB, PROT_READ));
    CHECK_OK(mprotect(at + PAGE, GIB, ALL));
    at = mremap(at, 2 * GIB, 2 * GIB + GIB / 2, MREMAP_MAYMOVE);
    CHECK(at == MAP_FAILED || true);
    CHECK_OK(munmap(at, 2 * GIB + GIB / 2));
}

/* Small pages: one table entry each. */
static void small_pages(void)
{
    const uint64_t length = 800 * MIB;
    char *at = map(length, ALL, RESERVED);
    CHECK(at != MAP_FAILED);
    for (uint64_t i = 0; i < length; i += 128 * KIB)
        at[i] = 1;
    CHECK_OK(mprotect(at, length, PROT_READ));
    CHECK_OK(mprotect(at, length, ALL));
    CHECK_OK(msync(at, length, MS_SYNC));
    CHECK_OK(mlock(at, length));
    CHECK_OK(munlock(at, length));
    char *moved = mremap(at, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, at + 4 * GIB);
    CHECK(moved == at + 4 * GIB);
    CHECK_OK(madvise(moved, length, MADV_DONTNEED));
    CHECK_OK(madvise(moved, length, 23)); /* MADV_POPULATE_WRITE */
    CHECK_OK(munmap(moved, length));
}

/* Each second page, so that neighbours cannot be joined: one mapping each. */
static void many_mappings(void)
{
    const uint64_t count = 60000;
    char text[4096];
    char *at = map(2 * count * PAGE, PROT_NONE, RESERVED);
    CHECK(at != MAP_FAILED);
    for (uint64_t i = 0; i < count; i++)
        CHECK_OK(mprotect(at + 2 * i * PAGE, PAGE, PROT_READ));
    for (int round = 0; round < 2; round++) {
        int fd = open(round ? "/proc/self/status" : "/proc/self/maps", O_RDONLY);
        CHECK_OK(fd);
        ssize_t n;
        while ((n = read(fd, text, sizeof(text))) > 0)
            ;
        CHECK_EQUAL(n, 0);
        CHECK_OK(close(fd));
    }
    CHECK_OK(madvise(at, 2 * count * PAGE, MADV_DONTNEED));
    CHECK_OK(msync(at, 2 * count * PAGE, MS_SYNC));
    CHECK_OK(mlock2(at, 2 * count * PAGE, MLOCK_ONFAULT));
    CHECK_OK(munlock(at, 2 * count * PAGE));
    CHECK_OK(mprotect(at, 2 * count * PAGE, PROT_READ | PROT_WRITE));
    for (uint64_t i = 0; i < count; i++)
        CHECK_OK(mprotect(at + 2 * i * PAGE, PAGE, PROT_READ));
    CHECK_OK(mlockall(MCL_CURRENT));
    CHECK_OK(munlockall());
    CHECK_OK(munmap(at, 2 * count * PAGE));
}

static void shared_file(void)
{
    int fd = memfd_create("large", 0);
    CHECK_OK(fd);
    CHECK_OK(ftruncate(fd, GIB));
    char *at = mmap(NULL, GIB, ALL, MAP_SHARED, fd, 0);
    CHECK(at != MAP_FAILED);
    for (uint64_t i = 0; i < GIB; i += 2 * MIB)
        at[i] = 1;
    char *copy = mmap(NULL, 512 * MIB, ALL, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    CHECK(copy != MAP_FAILED);
    CHECK_EQUAL(copy[2 * MIB], 1);
    CHECK_OK(munmap(copy, 512 * MIB));
    CHECK_OK(madvise(at + MIB, 512 * MIB, MADV_REMOVE));
    CHECK_OK(ftruncate(fd, 4096 + 5));
    CHECK_OK(ftruncate(fd, GIB));
    CHECK_OK(munmap(at, GIB));
    CHECK_OK(close(fd));
}

/* One frame each, all over the object. */
static void scattered_file(void)
{
    int fd = memfd_create("scattered", 0);
    CHECK_OK(fd);
    for (uint64_t i = 0; i < 60000; i++)
        CHECK_EQUAL(pwrite(fd, "x", 1, (off_t)(i * 8 * PAGE)), 1);
    CHECK_OK(ftruncate(fd, 3 * PAGE));
    for (uint64_t i = 0; i < 60000; i++)
        CHECK_EQUAL(pwrite(fd, "x", 1, (off_t)(i * 8 * PAGE)), 1);
    CHECK_OK(close(fd));
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

static void many_descriptors(void)
{
    struct rlimit limit;
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = limit.rlim_max;
    CHECK_OK(setrlimit(RLIMIT_NOFILE, &limit));
    int first = eventfd(0, EFD_NONBLOCK);
    int epoll = epoll_create1(0);
    CHECK(first >= 0 && epoll >= 0);
    unsigned count = 0;
    for (int fd; (fd = count % 2 ? dup(first) : eventfd(1, EFD_NONBLOCK)) >= 0; count++) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) {
            CHECK(errno == ENOSPC || errno == ENOMEM);
        }
    }
    printf("descriptors: %u\n", count);
    struct pollfd *polls = calloc(count, sizeof(*polls));
    CHECK(polls);
    for (unsigned i = 0; i < count; i++)
        polls[i] = (struct pollfd){.fd = first, .events = POLLIN};
    CHECK_EQUAL(poll(polls, count, 0), 0);
    CHECK_EQUAL(poll(polls, count, 1), 0);
    struct epoll_event *events = calloc(count, sizeof(*events));
    CHECK(events);
    CHECK(epoll_wait(epoll, events, (int)count, 0) > 0);
    uint64_t one = 1;
    CHECK_EQUAL(write(first, &one, sizeof(one)), 8);
    free(events);
    free(polls);
    CHECK_OK(close(epoll));
    CHECK_OK(syscall(SYS_close_range, first, ~0u, 4));
    CHECK_OK(syscall(SYS_close_range, first, ~0u, 0));
}

static void vectors(void)
{
    static struct iovec parts[1024];
    int fd = open("/dev/zero", O_RDWR);
    int file = memfd_create("vectors", 0);
    char *memory = map(MIB, ALL, PRIVATE);
    CHECK(fd >= 0 && file >= 0 && memory != MAP_FAILED);
    for (unsigned i = 0; i < 1024; i++)
        parts[i] = (struct iovec){memory, MIB};
    CHECK_EQUAL(readv(fd, parts, 1024), (ssize_t)GIB);
    CHECK_EQUAL(writev(fd, parts, 1024), (ssize_t)GIB);
    CHECK_EQUAL(writev(file, parts, 1024), (ssize_t)GIB);
    for (unsigned i = 0; i < 1024; i++)
        parts[i] = (struct iovec){memory, 4000};
    CHECK_EQUAL(preadv(file, parts, 1024, 0), 1024 * 4000);
    CHECK_OK(close(file));
    CHECK_OK(close(fd));
    CHECK_OK(munmap(memory, MIB));
}

static void randomness(void)
{
    char *memory = map(32 * MIB, ALL, PRIVATE);
    CHECK(memory != MAP_FAILED);
    CHECK_EQUAL(syscall(SYS_getrandom, memory, 32 * MIB, 0), (long)(32 * MIB));
    CHECK_OK(munmap(memory, 32 * MIB));
}

static const struct conform_case cases[] = {
    CASE(file_io),       CASE(mincore_of_nothing), CASE(large_map),      CASE(small_pages),
    CASE(many_mappings), CASE(shared_file),        CASE(scattered_file), CASE(pagemap),
    CASE(links),         CASE(many_descriptors),   CASE(vectors),        CASE(randomness),
};

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    return conform_run(cases, sizeof(cases) / sizeof(cases[0]), NULL, argc, argv);
}
