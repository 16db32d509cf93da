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
#define RESERVED (PRIVATE | MAP_NORESERVE)
#define FILES    20000
#define LINKS    40
#define COUNT    UINT64_C(16000)
#define STACKS   UINT64_C(20000)
/* madvise(2), which musl does not name. */
#define POPULATE_READ  22
#define POPULATE_WRITE 23
#define MIN_OF(a, b)   ((a) < (b) ? (a) : (b))

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

/* Cleared, or copied, as a whole. */
static void large_map(void)
{
    const uint64_t length = 64 * MIB;
    char *at = map(length, ALL, PRIVATE);
    char *populated = map(length / 2, ALL, RESERVED | MAP_POPULATE);
    CHECK(at != MAP_FAILED && populated != MAP_FAILED);
    CHECK_EQUAL(at[length / 2 + 5], 0);
    CHECK_OK(mprotect(at, length, PROT_READ));
    CHECK_OK(mprotect(at + PAGE, length / 2, ALL));
    CHECK_OK(mprotect(at, length, ALL));
    at = mremap(at, length, 2 * length, MREMAP_MAYMOVE);
    CHECK(at != MAP_FAILED);
    CHECK_OK(mlock(at, 2 * length));
    CHECK_OK(munmap(at, 2 * length));
    CHECK_OK(munmap(populated, length / 2));
}

/* Puts single pages into a reservation, `step` bytes apart. */
static char *sparse(uint64_t count, uint64_t step)
{
    char *at = map(count * step, ALL, RESERVED);
    if (at == MAP_FAILED)
        return at;
    for (uint64_t i = 0; i < count; i++) {
        if (madvise(at + i * step, PAGE, POPULATE_WRITE))
            return MAP_FAILED;
    }
    return at;
}

static void change_sparse(uint64_t count, uint64_t step)
{
    const uint64_t length = count * step;
    char *at = sparse(count, step);
    CHECK(at != MAP_FAILED);
    CHECK_OK(mprotect(at, length, PROT_READ));
    CHECK_OK(mprotect(at, length, ALL));
    CHECK_OK(msync(at, length, MS_SYNC));
    CHECK_OK(mlock2(at, length, MLOCK_ONFAULT));
    CHECK_OK(munlock(at, length));
    char *to = map(length, PROT_NONE, RESERVED);
    CHECK(to != MAP_FAILED);
    CHECK_OK(munmap(to, length));
    CHECK(mremap(at, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
    at = mmap(NULL, length, ALL, RESERVED, -1, 0);
    CHECK(at != MAP_FAILED);
    at[5] = 1;
    CHECK(mremap(to, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, at) == at);
    CHECK_OK(madvise(at, length / 2, MADV_DONTNEED));
    CHECK_OK(munmap(at, length));
}

/* One page in two, in a table, in a table of tables. */
static void small_pages(void)
{
    change_sparse(16000, 2 * PAGE);
    change_sparse(1000, 2 * MIB);
    change_sparse(500, GIB);
}

/* Memory that comes and goes page by page. */
static void populate(void)
{
    const uint64_t length = COUNT * PAGE;
    char *at = sparse(COUNT / 2, 2 * PAGE);
    CHECK(at != MAP_FAILED);
    CHECK_OK(madvise(at, length / 2, POPULATE_READ));
    CHECK_OK(mlock(at, length));
    CHECK_OK(munmap(at, length));
}

/* Neighbours that cannot be joined: one mapping each. */
static void many_mappings(void)
{
    const uint64_t count = COUNT;
    char text[4096];
    char *at = map(count * PAGE, PROT_NONE, RESERVED);
    CHECK(at != MAP_FAILED);
    CHECK_OK(munmap(at, count * PAGE));
    for (uint64_t i = count; i-- > 0;)
        CHECK(mmap(at + i * PAGE, PAGE, i % 2 ? PROT_READ : PROT_NONE, RESERVED, -1, 0) ==
              at + i * PAGE);
    for (int round = 0; round < 2; round++) {
        int fd = open(round ? "/proc/self/status" : "/proc/self/maps", O_RDONLY);
        CHECK_OK(fd);
        ssize_t n;
        while ((n = read(fd, text, sizeof(text))) > 0)
            ;
        CHECK_EQUAL(n, 0);
        CHECK_OK(close(fd));
    }
    CHECK_OK(madvise(at, count * PAGE, MADV_DONTNEED));
    CHECK_OK(msync(at, count * PAGE, MS_SYNC));
    CHECK_OK(mlock2(at, count * PAGE, MLOCK_ONFAULT));
    CHECK_OK(munlock(at, count * PAGE));
    CHECK_OK(mlockall(MCL_CURRENT));
    CHECK_OK(munlockall());
    CHECK_OK(munmap(at + count / 2 * PAGE, count / 2 * PAGE));
    CHECK_OK(mprotect(at, count / 2 * PAGE, ALL));
    CHECK_OK(munmap(at, count / 2 * PAGE));
}

/* All that MAP_32BIT may have: below each of them is room, but a stack may grow into it. */
static void many_stacks(void)
{
    const uint64_t step = GIB / STACKS / PAGE * PAGE;
    char *low = (char *)GIB, *high = low + GIB;
    for (char *at = high - PAGE; at > low; at -= step)
        CHECK(mmap(at, PAGE, ALL, RESERVED | MAP_GROWSDOWN | MAP_FIXED, -1, 0) == at);
    CHECK(mmap(NULL, step / 2, ALL, RESERVED | MAP_32BIT, -1, 0) == MAP_FAILED);
    CHECK_EQUAL(errno, ENOMEM);
    CHECK_OK(munmap(low, GIB));
}

static void shared_file(void)
{
    const uint64_t length = 64 * MIB;
    int fd = memfd_create("large", 0);
    CHECK_OK(fd);
    CHECK_OK(ftruncate(fd, (off_t)length));
    char *at = mmap(NULL, length, ALL, MAP_SHARED | MAP_POPULATE, fd, 0);
    CHECK(at != MAP_FAILED);
    at[2 * MIB] = 1;
    char *copy = mmap(NULL, length / 2, ALL, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    CHECK(copy != MAP_FAILED);
    CHECK_EQUAL(copy[2 * MIB], 1);
    CHECK_OK(munmap(copy, length / 2));
    CHECK_OK(madvise(at + MIB, length / 2, MADV_REMOVE));
    CHECK_EQUAL(at[2 * MIB], 0);
    CHECK_OK(ftruncate(fd, 4096 + 5));
    CHECK_OK(ftruncate(fd, (off_t)length));
    CHECK_OK(munmap(at, length));
    CHECK_OK(close(fd));
}

/* One frame each, all over the object. */
static void scattered_file(void)
{
    int fd = memfd_create("scattered", 0);
    char *of = map(COUNT / 2 * 8 * PAGE, ALL, RESERVED);
    CHECK(fd >= 0 && of != MAP_FAILED);
    for (int round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < COUNT / 4; i++)
            CHECK_EQUAL(pwrite(fd, "x", 1, (off_t)(i * 2 * PAGE)), 1);
        char *at = mmap(NULL, COUNT / 2 * PAGE, ALL, MAP_PRIVATE | MAP_POPULATE, fd, 0);
        CHECK(at != MAP_FAILED);
        CHECK_OK(munmap(at, COUNT / 2 * PAGE));
        at = mmap(NULL, COUNT / 2 * PAGE, ALL, MAP_SHARED | MAP_POPULATE, fd, 0);
        CHECK(at != MAP_FAILED);
        CHECK_OK(ftruncate(fd, 3 * PAGE));
        CHECK_OK(munmap(at, COUNT / 2 * PAGE));
    }
    CHECK_OK(close(fd));
    CHECK_OK(munmap(of, COUNT / 2 * 8 * PAGE));
}

/* A file loses memory that thousands may have mapped. */
static void mapped_often(void)
{
    const uint64_t length = 8 * PAGE;
    int fd = memfd_create("popular", 0);
    CHECK_OK(fd);
    CHECK_OK(ftruncate(fd, (off_t)length));
    for (uint64_t i = 0; i < COUNT; i++)
        CHECK(mmap(NULL, length, ALL, MAP_SHARED, fd, 0) != MAP_FAILED);
    CHECK_EQUAL(pwrite(fd, "x", 1, 0), 1);
    CHECK_OK(ftruncate(fd, 0));
    CHECK_OK(close(fd));
}

static void many_descriptors(void)
{
    struct rlimit limit;
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = MIN_OF(limit.rlim_max, COUNT);
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
    struct pollfd *polls = calloc(count, sizeof(*polls));
    struct epoll_event *events = calloc(count, sizeof(*events));
    CHECK(polls && events && count > 1000);
    for (unsigned i = 0; i < count; i++)
        polls[i] = (struct pollfd){.fd = first, .events = POLLIN};
    CHECK_EQUAL(poll(polls, count, 0), 0);
    CHECK_EQUAL(poll(polls, count, 1), 0);
    CHECK(epoll_wait(epoll, events, (int)count, 0) > 0);
    CHECK_EQUAL(write(first, &(uint64_t){1}, 8), 8);
    free(events);
    free(polls);
    CHECK_OK(syscall(SYS_close_range, first, ~0u, 4)); /* CLOSE_RANGE_CLOEXEC */
    CHECK_OK(syscall(SYS_close_range, first, ~0u, 0));
}

static void vectors(void)
{
    static struct iovec parts[1024];
    const size_t part = 16 * KIB, all = 1024 * part;
    int fd = open("/dev/zero", O_RDWR);
    int file = memfd_create("vectors", 0);
    char *memory = map(MIB, ALL, PRIVATE);
    CHECK(fd >= 0 && file >= 0 && memory != MAP_FAILED);
    for (unsigned i = 0; i < 1024; i++)
        parts[i] = (struct iovec){memory, part};
    CHECK_EQUAL(readv(fd, parts, 1024), (ssize_t)all);
    CHECK_EQUAL(writev(fd, parts, 1024), (ssize_t)all);
    CHECK_EQUAL(writev(file, parts, 1024), (ssize_t)all);
    for (unsigned i = 0; i < 1024; i++)
        parts[i] = (struct iovec){memory, 4000};
    CHECK_EQUAL(preadv(file, parts, 1024, 0), 1024 * 4000);
    CHECK_OK(munmap(memory, MIB));
    memory = map(1024 * 2 * MIB, ALL, RESERVED);
    CHECK(memory != MAP_FAILED);
    for (unsigned i = 0; i < 1024; i++)
        parts[i] = (struct iovec){memory + i * 2 * MIB - (i ? 1 : 0), i ? 2 : 1};
    CHECK_EQUAL(preadv(file, parts, 1024, 0), 2047); /* two faults each */
    CHECK_OK(munmap(memory, 1024 * 2 * MIB));
    CHECK_OK(close(file));
    CHECK_OK(close(fd));
}

static void randomness(void)
{
    const size_t length = 256 * KIB;
    char *memory = map(length, ALL, PRIVATE);
    CHECK(memory != MAP_FAILED);
    CHECK_EQUAL(syscall(SYS_getrandom, memory, length, 0), (long)length);
    CHECK_OK(munmap(memory, length));
}

/* What the end finds. */
static void leftovers(void)
{
    int fd = memfd_create("scattered", 0);
    char *of = map(8 * MIB, ALL, PRIVATE);
    CHECK(fd >= 0 && of != MAP_FAILED);
    for (uint64_t i = 0; i < 4000; i++)
        CHECK_EQUAL(pwrite(fd, "x", 1, (off_t)(i * 2 * PAGE)), 1);
    for (uint64_t i = 0; i < 900; i++)
        CHECK(eventfd(0, 0) >= 0);
    for (uint64_t i = 0; i < 2000; i++)
        CHECK(mmap(NULL, PAGE, i % 2 ? PROT_READ : ALL, MAP_SHARED, fd, 0) != MAP_FAILED);
    CHECK(sparse(16000, 2 * PAGE) != MAP_FAILED);
    CHECK(sparse(1000, 2 * MIB) != MAP_FAILED);
}

static const struct conform_case cases[] = {
    CASE(file_io),          CASE(large_map),          CASE(links),
    CASE(many_descriptors), CASE(many_mappings),      CASE(many_stacks),
    CASE(mapped_often),     CASE(mincore_of_nothing), CASE(pagemap),
    CASE(populate),         CASE(randomness),         CASE(scattered_file),
    CASE(shared_file),      CASE(small_pages),        CASE(vectors),
    CASE(leftovers), /* last: it leaves things behind */
};

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    return conform_run(cases, sizeof(cases) / sizeof(cases[0]), NULL, argc, argv);
}
