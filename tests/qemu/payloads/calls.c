/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls on files, time and limits, called by number so that no C library stands between.
 * The first argument says where this runs: "guest", or anything else for Linux itself.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "conform.h"

#define CALL(name, ...) syscall(SYS_##name, ##__VA_ARGS__)
#define BAD             ((void *)8)                    /* nothing is ever mapped there */
#define KERNEL          ((void *)0xffffffff80000000ul) /* not the program's half */
#define WRAPS           ((void *)0xfffffffffffff000ul)
#define MS              1000000ll

static bool in_guest;

static int new_memfd(void)
{
    return (int)CALL(memfd_create, "calls", 3u);
}

static long long now_ns(void)
{
    struct timespec t;
    CALL(clock_gettime, CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* ---- descriptors ---- */

static void duplicates(void)
{
    int fd = new_memfd();
    CHECK(fd >= 0);
    CHECK_EQUAL(CALL(write, fd, "abc", 3), 3);
    int copy = (int)CALL(dup, fd);
    CHECK(copy > fd);
    CHECK_EQUAL(CALL(lseek, copy, 0, SEEK_CUR), 3); /* one open file, one position */
    CHECK_EQUAL(CALL(dup2, fd, fd), fd);
    CHECK_ERROR(CALL(dup2, -1, -1), EBADF);
    CHECK_ERROR(CALL(dup2, fd, -1), EBADF);
    CHECK_ERROR(CALL(dup2, fd, 1 << 30), EBADF);
    CHECK_ERROR(CALL(dup3, fd, fd, 0), EINVAL);
    CHECK_ERROR(CALL(dup3, fd, copy, 1), EINVAL);
    CHECK_EQUAL(CALL(dup3, fd, copy, O_CLOEXEC), copy);
    CHECK_EQUAL(CALL(fcntl, copy, F_GETFD), 1);
    CHECK_EQUAL(CALL(fcntl, fd, F_DUPFD, 100), 100);
    CHECK_EQUAL(CALL(fcntl, fd, 1030 /* F_DUPFD_CLOEXEC */, 100), 101);
    CHECK_EQUAL(CALL(fcntl, 101, F_GETFD), 1);
    CHECK_EQUAL(CALL(fcntl, 101, F_SETFD, 0), 0);
    CHECK_EQUAL(CALL(fcntl, 101, F_GETFD), 0);
    CHECK_ERROR(CALL(fcntl, fd, F_DUPFD, -1), EINVAL);
    CHECK_ERROR(CALL(fcntl, fd, 9999), EINVAL);
    CHECK_OK(CALL(close_range, 100, 200, 0));
    CHECK_ERROR(CALL(close, 100), EBADF);
    CHECK_ERROR(CALL(close_range, 5, 4, 0), EINVAL);
    CHECK_OK(CALL(close, copy));
    CHECK_OK(CALL(close, fd));
    CHECK_ERROR(CALL(close, fd), EBADF);
    CHECK_ERROR(CALL(read, fd, &fd, 1), EBADF);
}

/* A text is as old as the last read from its start. */
static void texts_anew(void)
{
    char before[64] = "", rest[64] = "", now[64] = "";
    int fd = open("/proc/self/status", O_RDONLY);
    CHECK(fd >= 0);
    CHECK_OK(CALL(prctl, 15 /* PR_SET_NAME */, "old", 0, 0, 0));
    CHECK_EQUAL(pread(fd, before, 10, 0), 10);
    CHECK_OK(CALL(prctl, 15, "new", 0, 0, 0));
    CHECK_EQUAL(pread(fd, rest, 3, 6), 3);
    CHECK_EQUAL(pread(fd, now, 10, 0), 10);
    CHECK(memcmp(before, "Name:\told\n", 10) == 0);
    CHECK(memcmp(now, "Name:\tnew\n", 10) == 0);
    CHECK(!in_guest || memcmp(rest, "old", 3) == 0); /* Linux need not remember it */
    CHECK_OK(close(fd));
}

static void positions(void)
{
    char text[32] = {0};
    int fd = new_memfd();
    CHECK_EQUAL(CALL(pwrite64, fd, "hello", 5, 3), 5);
    CHECK_EQUAL(CALL(lseek, fd, 0, SEEK_CUR), 0);
    CHECK_EQUAL(CALL(lseek, fd, 0, SEEK_END), 8);
    CHECK_EQUAL(CALL(pread64, fd, text, sizeof(text), 1), 7);
    CHECK(memcmp(text, "\0\0hello", 7) == 0);
    CHECK_ERROR(CALL(pread64, fd, text, 1, -1l), EINVAL);
    CHECK_ERROR(CALL(lseek, fd, -9l, SEEK_END), EINVAL);
    CHECK_ERROR(CALL(lseek, fd, 0, 77), EINVAL);
    CHECK_EQUAL(CALL(lseek, fd, 100, SEEK_SET), 100);
    CHECK_EQUAL(CALL(read, fd, text, 1), 0);
    CHECK_EQUAL(CALL(write, fd, "x", 1), 1);
    CHECK_EQUAL(CALL(pread64, fd, text, 2, 99), 2);
    CHECK_EQUAL(text[0], 0);
    CHECK_EQUAL(text[1], 'x');
    CHECK_OK(CALL(ftruncate, fd, 4));
    CHECK_OK(CALL(ftruncate, fd, 8));
    CHECK_EQUAL(CALL(pread64, fd, text, 8, 0), 8);
    CHECK(memcmp(text, "\0\0\0h\0\0\0\0", 8) == 0);
    CHECK_ERROR(CALL(ftruncate, fd, -1l), EINVAL);
    CHECK_OK(CALL(fallocate, fd, 0, 0, 100));
    CHECK_EQUAL(CALL(lseek, fd, 0, SEEK_END), 100);
    CHECK_ERROR(CALL(fallocate, fd, 0, 0, 0), EINVAL);
    close(fd);
}

static void vectors(void)
{
    static struct iovec many[1025];
    char a[4] = {0}, b[8] = {0};
    int fd = new_memfd();
    struct iovec out[3] = {{"ab", 2}, {NULL, 0}, {"cdef", 4}};
    struct iovec in[2] = {{a, 3}, {b, 8}};
    CHECK_EQUAL(CALL(writev, fd, out, 3), 6);
    CHECK_EQUAL(CALL(lseek, fd, 0, SEEK_SET), 0);
    CHECK_EQUAL(CALL(readv, fd, in, 2), 6);
    CHECK(memcmp(a, "abc", 3) == 0 && memcmp(b, "def", 3) == 0);
    CHECK_EQUAL(CALL(preadv, fd, in, 1, 2, 0), 3);
    CHECK(memcmp(a, "cde", 3) == 0);
    CHECK_EQUAL(CALL(pwritev, fd, out, 1, 4, 0), 2);
    CHECK_EQUAL(CALL(writev, fd, out, 0), 0);
    CHECK_ERROR(CALL(writev, fd, out, -1), EINVAL);
    CHECK_ERROR(CALL(writev, fd, many, 1025), EINVAL);
    CHECK_ERROR(CALL(readv, fd, BAD, 1), EFAULT);
    out[0].iov_len = SIZE_MAX / 2 + 1;
    CHECK_ERROR(CALL(writev, fd, out, 2), EINVAL);
    close(fd);
}

/* Every pointer that may be bad is refused, none brings anything down. */
static void bad_pointers(void)
{
    int fd = new_memfd();
    void *const bad[] = {BAD, KERNEL, WRAPS};
    CHECK_EQUAL(CALL(write, fd, "abcdefgh", 8), 8);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_ERROR(CALL(pread64, fd, bad[i], 8, 0), EFAULT);
        CHECK_ERROR(CALL(pwrite64, fd, bad[i], 8, 0), EFAULT);
        CHECK_ERROR(CALL(openat, AT_FDCWD, bad[i], 0, 0), EFAULT);
        CHECK_ERROR(CALL(fstat, fd, bad[i]), EFAULT);
        CHECK_ERROR(CALL(newfstatat, AT_FDCWD, bad[i], &fd, 0), EFAULT);
        CHECK_ERROR(CALL(newfstatat, AT_FDCWD, "/", bad[i], 0), EFAULT);
        CHECK_ERROR(CALL(statx, AT_FDCWD, "/", 0, 0x7ff, bad[i]), EFAULT);
        CHECK_ERROR(CALL(poll, bad[i], 1, 0), EFAULT);
        CHECK_ERROR(CALL(ppoll, NULL, 0, bad[i], NULL, 8), EFAULT);
        CHECK_ERROR(CALL(ppoll, NULL, 0, NULL, bad[i], 8), EFAULT);
        CHECK_ERROR(CALL(select, 5, bad[i], NULL, NULL, NULL), EFAULT);
        CHECK_ERROR(CALL(pipe2, bad[i], 0), EFAULT);
        CHECK_ERROR(CALL(memfd_create, bad[i], 0), EFAULT);
        CHECK_ERROR(CALL(nanosleep, bad[i], NULL), EFAULT);
        CHECK_ERROR(CALL(clock_gettime, CLOCK_MONOTONIC, bad[i]), EFAULT);
        CHECK_ERROR(CALL(gettimeofday, bad[i], NULL), EFAULT);
        CHECK_ERROR(CALL(uname, bad[i]), EFAULT);
        CHECK_ERROR(CALL(sysinfo, bad[i]), EFAULT);
        CHECK_ERROR(CALL(getrandom, bad[i], 8, 0), EFAULT);
        CHECK_ERROR(CALL(prlimit64, 0, RLIMIT_NOFILE, NULL, bad[i]), EFAULT);
        CHECK_ERROR(CALL(prlimit64, 0, RLIMIT_NOFILE, bad[i], NULL), EFAULT);
        CHECK_ERROR(CALL(getrusage, 0, bad[i]), EFAULT);
        CHECK_ERROR(CALL(rt_sigaction, SIGUSR1, bad[i], NULL, 8), EFAULT);
        CHECK_ERROR(CALL(rt_sigprocmask, SIG_BLOCK, bad[i], NULL, 8), EFAULT);
        CHECK_ERROR(CALL(sigaltstack, bad[i], NULL), EFAULT);
        CHECK_ERROR(CALL(futex, bad[i], 0, 0, NULL, NULL, 0), EFAULT);
        CHECK_ERROR(CALL(chdir, bad[i]), EFAULT);
        CHECK_ERROR(CALL(getcwd, bad[i], 4096), EFAULT);
        CHECK_ERROR(CALL(timerfd_settime, fd, 0, bad[i], NULL), EFAULT);
        CHECK_ERROR(CALL(epoll_ctl, fd, 1, 0, bad[i]), EFAULT);
        CHECK_ERROR(CALL(readlink, "/proc/self/exe", bad[i], 10), EFAULT);
    }
    /* A buffer whose second page is missing. */
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    munmap(page + 4096, 4096);
    memcpy(page + 4092, "/tmp", 4);
    CHECK_ERROR(CALL(openat, AT_FDCWD, page + 4092, 0, 0), EFAULT);
    CHECK_ERROR(CALL(fstat, fd, page + 4090), EFAULT);
    munmap(page, 4096);
    close(fd);
}

/* ---- names ---- */

#define DIR "/tmp/bulkhead-calls"

static void wipe(void)
{
    static const char *const files[] = {DIR "/f", DIR "/g", DIR "/l", DIR "/loop", DIR "/d/x"};
    for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        CALL(unlink, files[i]);
    CALL(rmdir, DIR "/d");
    CALL(rmdir, DIR "/e");
    CALL(rmdir, DIR);
}

static int make_file(const char *path)
{
    int fd = (int)CALL(open, path, O_RDWR | 0100 /* O_CREAT */, 0644);
    return fd < 0 ? -1 : close(fd);
}

static void naming(void)
{
    static char longest[5000];
    char buffer[64] = {0};
    wipe();
    CHECK_OK(CALL(mkdir, DIR, 0755));
    CHECK_ERROR(CALL(mkdir, DIR, 0755), EEXIST);
    CHECK_ERROR(CALL(open, DIR "/f", O_RDONLY), ENOENT);
    CHECK_OK(make_file(DIR "/f"));
    CHECK_ERROR(CALL(open, DIR "/f", O_RDWR | 0300, 0644), EEXIST);
    CHECK_ERROR(CALL(open, DIR "/f/x", O_RDONLY), ENOTDIR);
    CHECK_ERROR(CALL(open, DIR "/f/", O_RDONLY), ENOTDIR);
    CHECK_ERROR(CALL(open, DIR, O_RDWR), EISDIR);
    CHECK_ERROR(CALL(open, DIR "/f", 0200000 /* O_DIRECTORY */), ENOTDIR);
    CHECK_ERROR(CALL(open, "", O_RDONLY), ENOENT);
    memset(longest, 'x', 4999);
    longest[0] = '/';
    CHECK_ERROR(CALL(open, longest, O_RDONLY), ENAMETOOLONG);
    longest[300] = 0;
    CHECK_ERROR(CALL(open, longest, O_RDONLY), ENAMETOOLONG);
    CHECK_OK(CALL(symlink, "f", DIR "/l"));
    CHECK_OK(CALL(symlink, "loop", DIR "/loop"));
    CHECK_ERROR(CALL(open, DIR "/loop", O_RDONLY), ELOOP);
    CHECK_ERROR(CALL(open, DIR "/l", 0400000 /* O_NOFOLLOW */), ELOOP);
    CHECK_EQUAL(CALL(readlink, DIR "/l", buffer, sizeof(buffer)), 1);
    CHECK_EQUAL(buffer[0], 'f');
    CHECK_ERROR(CALL(readlink, DIR "/f", buffer, sizeof(buffer)), EINVAL);
    CHECK_ERROR(CALL(readlink, DIR "/l", buffer, 0), EINVAL);
    CHECK_ERROR(CALL(symlink, "", DIR "/g"), ENOENT);
    CHECK_OK(CALL(access, DIR "/f", R_OK | W_OK));
    CHECK_ERROR(CALL(access, DIR "/f", X_OK), EACCES);
    CHECK_ERROR(CALL(access, DIR "/f", 8), EINVAL);
    CHECK_ERROR(CALL(unlink, DIR), EISDIR);
    CHECK_ERROR(CALL(rmdir, DIR), ENOTEMPTY);
    CHECK_ERROR(CALL(rmdir, DIR "/f"), ENOTDIR);
    wipe();
}

static void renaming(void)
{
    struct stat before, after;
    wipe();
    CHECK_OK(CALL(mkdir, DIR, 0755));
    CHECK_OK(make_file(DIR "/f"));
    CHECK_OK(make_file(DIR "/g"));
    CHECK_OK(CALL(mkdir, DIR "/d", 0755));
    CHECK_OK(CALL(mkdir, DIR "/e", 0755));
    CHECK_OK(stat(DIR "/f", &before));
    CHECK_ERROR(CALL(renameat2, AT_FDCWD, DIR "/f", AT_FDCWD, DIR "/g", 1), EEXIST);
    CHECK_OK(CALL(rename, DIR "/f", DIR "/g"));
    CHECK_ERROR(CALL(access, DIR "/f", 0), ENOENT);
    CHECK_OK(stat(DIR "/g", &after));
    CHECK_EQUAL(after.st_ino, before.st_ino);
    CHECK_ERROR(CALL(rename, DIR "/g", DIR "/d"), EISDIR);
    CHECK_ERROR(CALL(rename, DIR "/d", DIR "/g"), ENOTDIR);
    CHECK_OK(CALL(rename, DIR "/g", DIR "/d/x"));
    CHECK_ERROR(CALL(rename, DIR "/e", DIR "/d"), ENOTEMPTY);
    CHECK_ERROR(CALL(rename, DIR "/d", DIR "/d/y"), EINVAL);
    CHECK_OK(CALL(rename, DIR "/d", DIR "/e"));
    CHECK_OK(CALL(access, DIR "/e/x", 0));
    CHECK_OK(CALL(unlink, DIR "/e/x"));
    wipe();
}

static void open_after_unlink(void)
{
    char text[4] = {0};
    struct stat st;
    wipe();
    CHECK_OK(CALL(mkdir, DIR, 0755));
    int fd = (int)CALL(open, DIR "/f", O_RDWR | 0100, 0644);
    CHECK(fd >= 0);
    CHECK_EQUAL(CALL(write, fd, "abc", 3), 3);
    CHECK_OK(CALL(unlink, DIR "/f"));
    CHECK_EQUAL(CALL(pread64, fd, text, 4, 0), 3);
    CHECK_OK(fstat(fd, &st));
    CHECK_EQUAL(st.st_nlink, 0);
    CHECK_EQUAL(st.st_size, 3);
    close(fd);
    wipe();
}

static void directories_at(void)
{
    char text[64];
    wipe();
    CHECK_OK(CALL(mkdir, DIR, 0755));
    int dir = (int)CALL(open, DIR, 0200000);
    CHECK(dir >= 0);
    CHECK_OK(CALL(mkdirat, dir, "d", 0755));
    int fd = (int)CALL(openat, dir, "d/../f", O_RDWR | 0100, 0644);
    CHECK(fd >= 0);
    CHECK_ERROR(CALL(openat, fd, "x", 0), ENOTDIR);
    CHECK_ERROR(CALL(openat, 999, "x", 0), EBADF);
    CHECK_OK(CALL(faccessat, 999, "/tmp", 0));
    CHECK_OK(CALL(fchdir, dir));
    CHECK_OK(CALL(access, "f", 0));
    CHECK(CALL(getcwd, text, sizeof(text)) == sizeof(DIR));
    CHECK(strcmp(text, DIR) == 0);
    CHECK_ERROR(CALL(getcwd, text, 3), ERANGE);
    CHECK_OK(CALL(chdir, "d"));
    CHECK_OK(CALL(access, "../f", 0));
    CHECK_ERROR(CALL(chdir, "../f"), ENOTDIR);
    CHECK_ERROR(CALL(fchdir, fd), ENOTDIR);
    CHECK_OK(CALL(chdir, "/"));
    CHECK_OK(CALL(unlinkat, dir, "f", 0));
    CHECK_OK(CALL(unlinkat, dir, "d", 0x200));
    close(fd);
    close(dir);
    wipe();
}

struct dirent64 {
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

static void listing(void)
{
    char buffer[64] __attribute__((aligned(8)));
    unsigned found = 0, entries = 0;
    long n;
    wipe();
    CHECK_OK(CALL(mkdir, DIR, 0755));
    CHECK_OK(make_file(DIR "/f"));
    CHECK_OK(CALL(mkdir, DIR "/d", 0755));
    int dir = (int)CALL(open, DIR, 0200000);
    CHECK_ERROR(CALL(getdents64, dir, buffer, 10), EINVAL);
    while ((n = CALL(getdents64, dir, buffer, sizeof(buffer))) > 0) {
        for (long at = 0; at < n;) {
            struct dirent64 *e = (void *)(buffer + at);
            found |= (strcmp(e->name, "f") == 0 && e->type == 8) ? 1 : 0;
            found |= (strcmp(e->name, "d") == 0 && e->type == 4) ? 2 : 0;
            found |= (strcmp(e->name, ".") == 0 && e->type == 4) ? 4 : 0;
            found |= (strcmp(e->name, "..") == 0 && e->type == 4) ? 8 : 0;
            entries++;
            at += e->length;
        }
    }
    CHECK_EQUAL(n, 0);
    CHECK_EQUAL(found, 15);
    CHECK_EQUAL(entries, 4);
    CHECK_OK(CALL(lseek, dir, 0, SEEK_SET));
    CHECK(CALL(getdents64, dir, buffer, sizeof(buffer)) > 0);
    CHECK_ERROR(CALL(read, dir, buffer, 1), EISDIR);
    int fd = new_memfd();
    CHECK_ERROR(CALL(getdents64, fd, buffer, sizeof(buffer)), ENOTDIR);
    close(fd);
    close(dir);
    wipe();
}

static void statuses(void)
{
    struct stat st, link;
    uint64_t extended[32];
    wipe();
    CHECK_OK(CALL(mkdir, DIR, 0755));
    CHECK_OK(make_file(DIR "/f"));
    CHECK_OK(CALL(symlink, "f", DIR "/l"));
    CHECK_OK(stat(DIR "/l", &st));
    CHECK_OK(lstat(DIR "/l", &link));
    CHECK(S_ISREG(st.st_mode) && S_ISLNK(link.st_mode));
    CHECK_EQUAL(link.st_size, 1);
    CHECK_EQUAL(st.st_mode & 0777, 0644);
    CHECK_OK(CALL(statx, AT_FDCWD, DIR "/f", 0, 0x7ff, extended));
    CHECK_EQUAL(extended[4], st.st_ino);
    CHECK_ERROR(CALL(statx, AT_FDCWD, DIR "/f", 0x6000, 0x7ff, extended), EINVAL);
    CHECK_ERROR(CALL(statx, AT_FDCWD, DIR "/f", 0, 0x80000000, extended), EINVAL);
    CHECK_OK(stat("/dev/null", &st));
    CHECK(S_ISCHR(st.st_mode));
    CHECK_EQUAL(st.st_rdev, 0x103);
    int fd = (int)CALL(open, "/dev/null", O_RDWR);
    CHECK_OK(CALL(newfstatat, fd, "", &link, 0x1000));
    CHECK_ERROR(CALL(newfstatat, fd, "", &link, 0), ENOENT);
    CHECK_EQUAL(CALL(write, fd, "x", 1), 1);
    CHECK_EQUAL(CALL(read, fd, extended, 1), 0);
    close(fd);
    wipe();
}

/* ---- files without a name ---- */

static void pipes(void)
{
    int fds[2], other[2];
    char byte;
    struct pollfd p = {.events = POLLIN};
    CHECK_ERROR(CALL(pipe2, fds, 1), EINVAL);
    CHECK_OK(CALL(pipe2, fds, O_NONBLOCK));
    CHECK_ERROR(CALL(read, fds[0], &byte, 1), EAGAIN);
    CHECK_ERROR(CALL(write, fds[0], &byte, 1), EBADF);
    CHECK_ERROR(CALL(read, fds[1], &byte, 1), EBADF);
    CHECK_ERROR(CALL(lseek, fds[0], 0, SEEK_CUR), ESPIPE);
    CHECK_ERROR(CALL(pread64, fds[0], &byte, 1, 0), ESPIPE);
    CHECK_EQUAL(CALL(write, fds[1], "ab", 2), 2);
    CHECK_EQUAL(CALL(read, fds[0], &byte, 1), 1);
    p.fd = fds[0];
    CHECK_EQUAL(CALL(poll, &p, 1, 0), 1);
    CHECK_EQUAL(p.revents, POLLIN);
    close(fds[1]);
    CHECK_EQUAL(CALL(poll, &p, 1, 0), 1);
    CHECK_EQUAL(p.revents, POLLIN | POLLHUP);
    CHECK_EQUAL(CALL(read, fds[0], &byte, 1), 1);
    CHECK_EQUAL(CALL(read, fds[0], &byte, 1), 0);
    close(fds[0]);
    CHECK_OK(CALL(pipe2, other, 0));
    close(other[0]);
    signal(SIGPIPE, SIG_IGN);
    CHECK_ERROR(CALL(write, other[1], "x", 1), EPIPE);
    close(other[1]);
}

static void sealed_memory(void)
{
    int fd = new_memfd();
    CHECK_OK(CALL(ftruncate, fd, 4096));
    CHECK_EQUAL(CALL(fcntl, fd, 1034 /* F_GET_SEALS */), 0);
    CHECK_OK(CALL(fcntl, fd, 1033 /* F_ADD_SEALS */, 4 /* GROW */));
    CHECK_ERROR(CALL(ftruncate, fd, 8192), EPERM);
    CHECK_OK(CALL(fcntl, fd, 1033, 8 | 1 /* WRITE, SEAL */));
    CHECK_ERROR(CALL(write, fd, "x", 1), EPERM);
    CHECK_ERROR(CALL(fcntl, fd, 1033, 2), EPERM);
    CHECK_EQUAL(CALL(fcntl, fd, 1034), 13);
    close(fd);
    fd = (int)CALL(memfd_create, "unsealable", 0);
    CHECK_ERROR(CALL(fcntl, fd, 1033, 2), EPERM);
    CHECK_ERROR(CALL(memfd_create, "x", 0x100), EINVAL);
    close(fd);
}

/* A shared mapping and the file are one memory, also across a change of size. */
static void mapped_files(void)
{
    char text[8] = {0};
    int fd = new_memfd();
    CHECK_OK(CALL(ftruncate, fd, 10000));
    char *map = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED);
    memcpy(map + 5000, "mapped", 6);
    CHECK_EQUAL(CALL(pread64, fd, text, 6, 5000), 6);
    CHECK(memcmp(text, "mapped", 6) == 0);
    CHECK_EQUAL(CALL(pwrite64, fd, "file", 4, 5000), 4);
    CHECK(memcmp(map + 5000, "fileed", 6) == 0);
    CHECK_EQUAL(map[10001], 0);
    map[10001] = 1; /* behind the end, in the last page */
    CHECK_OK(CALL(ftruncate, fd, 10000));
    CHECK_OK(CALL(ftruncate, fd, 5002));
    CHECK_OK(CALL(ftruncate, fd, 10000));
    CHECK(memcmp(map + 5000, "fi\0\0\0\0", 6) == 0);
    char *copy = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 4096);
    CHECK(copy != MAP_FAILED);
    copy[0] = 'p';
    CHECK_EQUAL(map[4096], 0);
    close(fd);
    map[0] = 'm'; /* the mapping keeps the memory */
    munmap(copy, 4096);
    munmap(map, 12288);
}

/* ---- waiting ---- */

static void polling(void)
{
    int fds[2];
    struct pollfd p[3] = {{.fd = -1, .events = POLLIN, .revents = 7}, {.fd = 999}, {.fd = -1}};
    CHECK_OK(CALL(pipe2, fds, 0));
    CHECK_EQUAL(CALL(poll, p, 2, -1), 1);
    CHECK_EQUAL(p[0].revents, 0);
    CHECK_EQUAL(p[1].revents, POLLNVAL);
    p[1] = (struct pollfd){.fd = fds[0], .events = POLLIN};
    long long start = now_ns();
    CHECK_EQUAL(CALL(poll, p, 2, 20), 0);
    CHECK(now_ns() - start >= 20 * MS);
    p[2] = (struct pollfd){.fd = fds[1], .events = POLLOUT | POLLWRNORM};
    CHECK_EQUAL(CALL(poll, p, 3, -1), 1);
    CHECK_EQUAL(p[2].revents, POLLOUT | POLLWRNORM);
    CHECK_ERROR(CALL(poll, p, 1000000, 0), EINVAL);
    struct timespec none = {0, 0}, bad = {0, 1000000000};
    CHECK_EQUAL(CALL(ppoll, p, 2, &none, NULL, 8), 0);
    CHECK_ERROR(CALL(ppoll, p, 2, &bad, NULL, 8), EINVAL);
    close(fds[0]);
    close(fds[1]);
}

static void selecting(void)
{
    int fds[2];
    fd_set in, out;
    struct timeval time = {0, 20000};
    CHECK_OK(CALL(pipe2, fds, 0));
    FD_ZERO(&in);
    FD_SET(fds[0], &in);
    long long start = now_ns();
    CHECK_EQUAL(CALL(select, fds[0] + 1, &in, NULL, NULL, &time), 0);
    CHECK(now_ns() - start >= 20 * MS);
    CHECK(!FD_ISSET(fds[0], &in));
    CHECK_EQUAL(time.tv_sec, 0); /* Linux writes what is left */
    CHECK_EQUAL(time.tv_usec, 0);
    FD_SET(fds[0], &in);
    FD_ZERO(&out);
    FD_SET(fds[1], &out);
    CHECK_EQUAL(CALL(write, fds[1], "x", 1), 1);
    CHECK_EQUAL(CALL(select, fds[1] + 1, &in, &out, NULL, NULL), 2);
    CHECK(FD_ISSET(fds[0], &in) && FD_ISSET(fds[1], &out));
    /* a low number: Linux looks at no more than its table of files has room for */
    int closed = dup(fds[0]);
    CHECK(closed >= 0);
    close(closed);
    FD_SET(closed, &in);
    CHECK_ERROR(CALL(select, closed + 1, &in, NULL, NULL, NULL), EBADF);
    CHECK_ERROR(CALL(select, -1, NULL, NULL, NULL, NULL), EINVAL);
    close(fds[0]);
    close(fds[1]);
}

static void epolling(void)
{
    int fds[2];
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = 77}, got[4];
    int epoll = (int)CALL(epoll_create1, 0);
    CHECK_ERROR(CALL(epoll_create1, 1), EINVAL);
    CHECK_OK(CALL(pipe2, fds, O_NONBLOCK));
    CHECK_OK(CALL(epoll_ctl, epoll, EPOLL_CTL_ADD, fds[0], &event));
    CHECK_ERROR(CALL(epoll_ctl, epoll, EPOLL_CTL_ADD, fds[0], &event), EEXIST);
    CHECK_ERROR(CALL(epoll_ctl, epoll, EPOLL_CTL_MOD, fds[1], &event), ENOENT);
    CHECK_ERROR(CALL(epoll_ctl, epoll, EPOLL_CTL_ADD, 999, &event), EBADF);
    CHECK_ERROR(CALL(epoll_ctl, epoll, EPOLL_CTL_ADD, epoll, &event), EINVAL);
    CHECK_ERROR(CALL(epoll_ctl, fds[0], EPOLL_CTL_ADD, fds[1], &event), EINVAL);
    CHECK_ERROR(CALL(epoll_ctl, epoll, 9, fds[0], &event), EINVAL);
    int file = (int)CALL(open, "/proc/self/maps", O_RDONLY);
    (void)file;
    CHECK_EQUAL(CALL(epoll_wait, epoll, got, 4, 0), 0);
    CHECK_EQUAL(CALL(write, fds[1], "x", 1), 1);
    CHECK_EQUAL(CALL(epoll_wait, epoll, got, 4, -1), 1);
    CHECK_EQUAL(got[0].events, EPOLLIN);
    CHECK_EQUAL(got[0].data.u64, 77);
    CHECK_EQUAL(CALL(epoll_wait, epoll, got, 4, 10), 0); /* an edge, once */
    CHECK_ERROR(CALL(epoll_wait, epoll, got, 0, 0), EINVAL);
    CHECK_ERROR(CALL(epoll_wait, fds[0], got, 4, 0), EINVAL);
    event.events = EPOLLIN | EPOLLONESHOT;
    CHECK_OK(CALL(epoll_ctl, epoll, EPOLL_CTL_MOD, fds[0], &event));
    CHECK_EQUAL(CALL(epoll_pwait, epoll, got, 4, 0, NULL, 8), 1);
    CHECK_EQUAL(CALL(epoll_wait, epoll, got, 4, 0), 0);
    close(fds[1]);
    close(fds[0]); /* its entry goes with it */
    CHECK_EQUAL(CALL(epoll_wait, epoll, got, 4, 0), 0);
    close(file);
    close(epoll);
}

static void timers(void)
{
    uint64_t count = 0;
    struct itimerspec set = {{0, 5 * MS}, {0, 5 * MS}}, old;
    int fd = (int)CALL(timerfd_create, CLOCK_MONOTONIC, O_NONBLOCK);
    CHECK(fd >= 0);
    CHECK_ERROR(CALL(timerfd_create, 99, 0), EINVAL);
    CHECK_ERROR(CALL(timerfd_create, CLOCK_MONOTONIC, 1), EINVAL);
    CHECK_ERROR(CALL(read, fd, &count, 8), EAGAIN);
    CHECK_OK(CALL(timerfd_settime, fd, 0, &set, &old));
    CHECK_EQUAL(old.it_value.tv_nsec, 0);
    struct timespec pause = {0, 22 * MS};
    CHECK_OK(CALL(nanosleep, &pause, NULL));
    CHECK_EQUAL(CALL(read, fd, &count, 8), 8);
    CHECK(count >= 4);
    CHECK_OK(CALL(timerfd_gettime, fd, &old));
    CHECK_EQUAL(old.it_interval.tv_nsec, 5 * MS);
    CHECK(old.it_value.tv_nsec > 0 && old.it_value.tv_nsec <= 5 * MS);
    set = (struct itimerspec){{0, 0}, {0, 1}};
    CHECK_OK(CALL(timerfd_settime, fd, 1 /* absolute: long ago */, &set, NULL));
    CHECK_EQUAL(CALL(read, fd, &count, 8), 8);
    CHECK_EQUAL(count, 1);
    set.it_value.tv_nsec = 1000000000;
    CHECK_ERROR(CALL(timerfd_settime, fd, 0, &set, NULL), EINVAL);
    CHECK_ERROR(CALL(read, fd, &count, 4), EINVAL);
    close(fd);
}

static void sleeping(void)
{
    struct timespec time = {0, 15 * MS}, bad = {0, -1}, past = {1, 0}, real;
    long long start = now_ns();
    CHECK_OK(CALL(nanosleep, &time, NULL));
    CHECK(now_ns() - start >= 15 * MS);
    CHECK_ERROR(CALL(nanosleep, &bad, NULL), EINVAL);
    CHECK_OK(CALL(clock_nanosleep, CLOCK_MONOTONIC, 1, &past, NULL));
    CHECK_OK(CALL(clock_gettime, CLOCK_REALTIME, &real));
    CHECK(real.tv_sec > 1600000000);
    real.tv_nsec += 10 * MS;
    if (real.tv_nsec >= 1000000000) {
        real.tv_nsec -= 1000000000;
        real.tv_sec++;
    }
    start = now_ns();
    CHECK_OK(CALL(clock_nanosleep, CLOCK_REALTIME, 1, &real, NULL));
    CHECK(now_ns() - start >= 5 * MS);
    CHECK_ERROR(CALL(clock_gettime, 55, &time), EINVAL);
    CHECK_OK(CALL(clock_getres, CLOCK_MONOTONIC, &time));
    CHECK_EQUAL(time.tv_nsec, 1);
}

/* ---- who and how much ---- */

static void file_limit(void)
{
    struct rlimit old, low = {20, 0};
    int fds[32], count = 0;
    CHECK_OK(CALL(prlimit64, 0, RLIMIT_NOFILE, NULL, &old));
    low.rlim_max = old.rlim_max;
    CHECK_OK(CALL(prlimit64, 0, RLIMIT_NOFILE, &low, NULL));
    while (count < 32 && (fds[count] = (int)CALL(dup, 0)) >= 0)
        count++;
    int error = errno;
    CHECK_EQUAL(error, EMFILE);
    CHECK(count > 0 && fds[count - 1] == 19);
    while (count > 0)
        close(fds[--count]);
    low = (struct rlimit){5, 4};
    CHECK_ERROR(CALL(prlimit64, 0, RLIMIT_NOFILE, &low, NULL), EINVAL);
    CHECK_ERROR(CALL(prlimit64, 0, 99, NULL, &low), EINVAL);
    CHECK_OK(CALL(prlimit64, 0, RLIMIT_NOFILE, &old, NULL));
}

static void facts(void)
{
    struct utsname names;
    char bytes[16] = {0}, name[16] = {0};
    unsigned cpu = 99;
    unsigned long cpus[16] = {0};
    CHECK_OK(CALL(uname, &names));
    CHECK(strcmp(names.sysname, "Linux") == 0 && strcmp(names.machine, "x86_64") == 0);
    CHECK_EQUAL(CALL(getrandom, bytes, 16, 0), 16);
    CHECK_ERROR(CALL(getrandom, bytes, 16, 0x100), EINVAL);
    CHECK_OK(CALL(prctl, 15, "renamed", 0, 0, 0));
    CHECK_OK(CALL(prctl, 16, name, 0, 0, 0));
    CHECK(strcmp(name, "renamed") == 0);
    CHECK_ERROR(CALL(prctl, 9999, 0, 0, 0, 0), EINVAL);
    CHECK_OK(CALL(getcpu, &cpu, NULL, NULL));
    CHECK(CALL(sched_getaffinity, 0, sizeof(cpus), cpus) > 0);
    CHECK(cpus[cpu / 64] >> cpu % 64 & 1);
    CHECK_ERROR(CALL(sched_getaffinity, 0, 3, cpus), EINVAL);
    CHECK_EQUAL(CALL(getpid), CALL(gettid));
    CHECK_EQUAL(CALL(umask, 077), 022);
    CHECK_EQUAL(CALL(umask, 022), 077);
}

static void heap_end(void)
{
    char *start = (char *)CALL(brk, 0);
    CHECK(start != NULL);
    char *grown = (char *)CALL(brk, start + 100000);
    CHECK(grown == start + 100000);
    start[99999] = 1;
    CHECK((char *)CALL(brk, start) == start);
    CHECK((char *)CALL(brk, start + 100000) == start + 100000);
    CHECK_EQUAL(start[99999], 0);
    CHECK((char *)CALL(brk, KERNEL) == start + 100000); /* refused: the break stays */
    CALL(brk, start);
}

/* What only the guest says: it is alone, and what it lacks it lacks honestly. */
/* struct winsize, which not every C library shows */
struct window {
    uint16_t rows, columns, x, y;
};

/* Standard output of a payload is a terminal; a pipe and a file are none anywhere. */
static void terminal(void)
{
    struct window window, before;
    char settings[64];
    int fds[2], fd = new_memfd();
    CHECK_OK(CALL(pipe, fds));
    CHECK_ERROR(CALL(ioctl, fds[1], 0x5413ul /* TIOCGWINSZ */, &window), ENOTTY);
    CHECK_ERROR(CALL(ioctl, fd, 0x5401ul /* TCGETS */, settings), ENOTTY);
    CHECK_EQUAL(isatty(fds[1]), 0);
    close(fd);
    close(fds[0]);
    close(fds[1]);
    if (!in_guest)
        return;
    CHECK(isatty(0) && isatty(1) && isatty(2));
    CHECK_OK(CALL(ioctl, 1, 0x5401ul, settings));
    CHECK_ERROR(CALL(ioctl, 1, 0x5401ul, BAD), EFAULT);
    CHECK_OK(CALL(ioctl, 1, 0x5413ul, &before));
    CHECK_EQUAL(before.rows, 24);
    CHECK_EQUAL(before.columns, 80);
    CHECK_ERROR(CALL(ioctl, 1, 0x5413ul, BAD), EFAULT);
    window = (struct window){.rows = 50, .columns = 132};
    CHECK_OK(CALL(ioctl, 1, 0x5414ul /* TIOCSWINSZ */, &window));
    memset(&window, 0, sizeof(window));
    fd = (int)CALL(open, "/dev/tty", O_RDWR); /* the same terminal */
    CHECK(fd >= 0);
    CHECK_OK(CALL(ioctl, fd, 0x5413ul, &window));
    CHECK_EQUAL(window.rows, 50);
    CHECK_EQUAL(window.columns, 132);
    CHECK_OK(CALL(ioctl, fd, 0x5414ul, &before));
    CHECK_ERROR(CALL(ioctl, fd, 0x54fful, &window), ENOTTY);
    close(fd);
}

/* A child process, however it is asked for, is what there is none of; nonsense stays EINVAL. */
static void no_children(void)
{
    struct {
        uint64_t flags, pidfd, child_id, parent_id, exit_signal, stack, stack_size, tls;
    } args = {.exit_signal = SIGCHLD};
    if (!in_guest)
        return;
    CHECK_ERROR(CALL(fork), ENOSYS);
    CHECK_ERROR(CALL(vfork), ENOSYS);
    CHECK_ERROR(CALL(clone, SIGCHLD, 0, 0, 0, 0), ENOSYS);
    CHECK_ERROR(CALL(clone, 0x4100 | SIGCHLD, 0, 0, 0, 0), ENOSYS); /* VM, VFORK */
    CHECK_ERROR(CALL(clone3, &args, sizeof(args)), ENOSYS);
    args.flags = 0x4100;
    args.stack = (uint64_t)(uintptr_t)&args - 4096;
    args.stack_size = 4096;
    CHECK_ERROR(CALL(clone3, &args, sizeof(args)), ENOSYS);
    args.exit_signal = 0;
    CHECK_ERROR(CALL(clone3, &args, sizeof(args)), ENOSYS);
    args.exit_signal = 65;
    CHECK_ERROR(CALL(clone3, &args, sizeof(args)), EINVAL);
    args.exit_signal = SIGCHLD;
    args.flags = 0x10f00; /* a thread has none */
    CHECK_ERROR(CALL(clone3, &args, sizeof(args)), EINVAL);
    args.exit_signal = 0;
    args.flags = 0x10000; /* THREAD without SIGHAND */
    CHECK_ERROR(CALL(clone3, &args, sizeof(args)), EINVAL);
    args.flags = 0x800; /* SIGHAND without VM */
    CHECK_ERROR(CALL(clone3, &args, sizeof(args)), EINVAL);
    CHECK_ERROR(CALL(execve, "/payload.elf", NULL, NULL), ENOSYS);
    CHECK_ERROR(syscall(322 /* execveat */, -100, "/payload.elf", NULL, NULL, 0), ENOSYS);
    CHECK_ERROR(CALL(wait4, -1, NULL, 0, NULL), ENOSYS);
}

/* ---- one CPU, one node, one process, no network ---- */

static void memory_policy(void)
{
    unsigned long nodes = 1, none = 0, far = 1ul << 40, got[4];
    void *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int mode = -1;
    CHECK(page != MAP_FAILED);
    CHECK_OK(CALL(get_mempolicy, &mode, NULL, 0ul, NULL, 0u));
    CHECK_EQUAL(mode, 0);
    CHECK_OK(CALL(set_mempolicy, 2u /* BIND */, &nodes, 64ul));
    memset(got, 0xff, sizeof(got));
    CHECK_OK(CALL(get_mempolicy, &mode, got, 129ul, NULL, 0u));
    CHECK_EQUAL(mode, 2);
    CHECK(got[0] == 1 && got[1] == 0 && got[3] == ~0ul);
    CHECK_ERROR(CALL(set_mempolicy, 2u, &none, 64ul), EINVAL);
    CHECK_ERROR(CALL(set_mempolicy, 2u, &far, 64ul), EINVAL);
    CHECK_ERROR(CALL(set_mempolicy, 77u, &nodes, 64ul), EINVAL);
    CHECK_ERROR(CALL(set_mempolicy, 0u, &nodes, 64ul), EINVAL);
    CHECK_ERROR(CALL(set_mempolicy, 2u, BAD, 64ul), EFAULT);
    CHECK_ERROR(CALL(set_mempolicy, 2u, &nodes, 1ul << 40), EINVAL);
    CHECK_OK(CALL(set_mempolicy, 1u /* PREFERRED */, NULL, 0ul));
    CHECK_OK(CALL(set_mempolicy, 0u, NULL, 0ul));
    CHECK_OK(CALL(get_mempolicy, &mode, NULL, 0ul, page, 3u /* the node of an address */));
    CHECK_EQUAL(mode, 0);
    CHECK_ERROR(CALL(get_mempolicy, &mode, NULL, 0ul, page, 0u), EINVAL);
    CHECK_ERROR(CALL(get_mempolicy, &mode, NULL, 0ul, BAD, 2u), EFAULT);
    CHECK_ERROR(CALL(get_mempolicy, &mode, NULL, 0ul, NULL, 8u), EINVAL);
    CHECK_ERROR(CALL(get_mempolicy, &mode, NULL, 0ul, NULL, 1u), EINVAL);
    CHECK_OK(CALL(mbind, page, 8192ul, 2u, &nodes, 64ul, 1u));
    CHECK_OK(CALL(mbind, page, 0ul, 2u, &nodes, 64ul, 0u));
    CHECK_ERROR(CALL(mbind, (char *)page + 1, 8192ul, 2u, &nodes, 64ul, 0u), EINVAL);
    CHECK_ERROR(CALL(mbind, page, 8192ul, 2u, &nodes, 64ul, 8u), EINVAL);
    CHECK_ERROR(CALL(mbind, page, 8192ul, 2u, &far, 64ul, 0u), EINVAL);
    CHECK_OK(munmap((char *)page + 4096, 4096));
    CHECK_ERROR(CALL(mbind, page, 8192ul, 2u, &nodes, 64ul, 0u), EFAULT);
    munmap(page, 4096);
}

static void scheduling(void)
{
    int zero = 0, one = 1, invalid = -EINVAL;
    CHECK_EQUAL(CALL(sched_get_priority_max, 1), 99);
    CHECK_EQUAL(CALL(sched_get_priority_min, 2), 1);
    CHECK_EQUAL(CALL(sched_get_priority_max, 3), 0);
    CHECK_ERROR(CALL(sched_get_priority_max, 4), EINVAL);
    CHECK_ERROR(CALL(sched_get_priority_min, -1), EINVAL);
    if (in_guest)
        CHECK_EQUAL(CALL(sched_getscheduler, 0), 0);
    CHECK_OK(CALL(sched_setscheduler, 0, 3 /* BATCH */, &zero));
    CHECK_EQUAL(CALL(sched_getscheduler, 0), 3);
    CHECK_OK(CALL(sched_setparam, 0, &zero));
    CHECK_ERROR(CALL(sched_setparam, 0, &one), EINVAL);
    CHECK_OK(CALL(sched_setscheduler, 0, 0, &zero));
    CHECK_ERROR(CALL(sched_setscheduler, 0, 1 /* FIFO */, &zero), EINVAL);
    CHECK_ERROR(CALL(sched_setscheduler, 0, 0, &one), EINVAL);
    CHECK_ERROR(CALL(sched_setscheduler, 0, 9, &zero), EINVAL);
    CHECK_ERROR(CALL(sched_setscheduler, 0, 4, &invalid), EINVAL);
    CHECK_ERROR(CALL(sched_setscheduler, 0, 0, NULL), EINVAL);
    CHECK_ERROR(CALL(sched_setscheduler, 0, 0, BAD), EFAULT);
    CHECK_ERROR(CALL(sched_setscheduler, -1, 0, &zero), EINVAL);
    CHECK_ERROR(CALL(sched_setparam, -1, &zero), EINVAL);
    CHECK_ERROR(CALL(sched_setparam, 1 << 30, &zero), ESRCH);
    CHECK_ERROR(CALL(sched_setparam, 0, NULL), EINVAL);
    CHECK_ERROR(CALL(sched_setscheduler, 1 << 30, 0, &zero), ESRCH);
    if (in_guest)
        CHECK_ERROR(CALL(sched_setscheduler, 0, 1, &one), EPERM);
    if (in_guest) { /* elsewhere who starts it says how nice it is */
        CHECK_EQUAL(CALL(getpriority, 0, 0), 20);
        CHECK_OK(CALL(setpriority, 0, 0, 5));
        CHECK_EQUAL(CALL(getpriority, 0, 0), 15);
    }
    CHECK_OK(CALL(setpriority, 0, 0, 1000)); /* as far as it goes */
    CHECK_EQUAL(CALL(getpriority, 0, 0), 1);
    if (in_guest)
        CHECK_ERROR(CALL(setpriority, 1, 1, 0), EACCES);
    CHECK_ERROR(CALL(setpriority, 3, 0, 0), EINVAL);
    CHECK_ERROR(CALL(setpriority, 0, 1 << 30, 0), ESRCH);
    CHECK_ERROR(CALL(getpriority, 0, 1 << 30), ESRCH);
}

struct signal_read {
    uint32_t number, error, code, pid, uid, skipped[6], value;
    uint64_t rest[10];
};

static void signal_descriptor(void)
{
    uint64_t usr1 = 1 << (SIGUSR1 - 1), both = usr1 | 1 << (SIGUSR2 - 1), hard = 1 << (SIGKILL - 1);
    struct signal_read got[3];
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = (int)CALL(epoll_create1, 0);
    CHECK_OK(CALL(rt_sigprocmask, 0 /* BLOCK */, &both, NULL, 8ul));
    int fd = (int)CALL(signalfd4, -1, &usr1, 8ul, O_NONBLOCK);
    CHECK(fd >= 0);
    CHECK_OK(CALL(epoll_ctl, epoll, EPOLL_CTL_ADD, fd, &event));
    CHECK_ERROR(CALL(read, fd, got, sizeof(got)), EAGAIN);
    CHECK_EQUAL(CALL(epoll_wait, epoll, &event, 1, 0), 0);
    CHECK_OK(CALL(kill, getpid(), SIGUSR2));
    CHECK_EQUAL(CALL(epoll_wait, epoll, &event, 1, 0), 0); /* not one of its signals */
    CHECK_OK(CALL(kill, getpid(), SIGUSR1));
    CHECK_EQUAL(CALL(epoll_wait, epoll, &event, 1, 0), 1);
    CHECK_ERROR(CALL(read, fd, got, 127), EINVAL);
    CHECK_EQUAL(CALL(signalfd4, fd, &both, 8ul, 0), fd); /* from now on both */
    CHECK_EQUAL(CALL(read, fd, got, sizeof(got)), 256);
    CHECK_EQUAL(got[0].number, SIGUSR1);
    CHECK_EQUAL(got[1].number, SIGUSR2);
    CHECK_EQUAL(got[0].pid, getpid());
    CHECK_ERROR(CALL(read, fd, got, sizeof(got)), EAGAIN);
    CHECK_ERROR(CALL(write, fd, got, sizeof(got)), EINVAL);
    CHECK_ERROR(CALL(signalfd4, -1, &both, 4ul, 0), EINVAL);
    CHECK_ERROR(CALL(signalfd4, -1, &both, 8ul, 1), EINVAL);
    CHECK_ERROR(CALL(signalfd4, -1, BAD, 8ul, 0), EFAULT);
    CHECK_ERROR(CALL(signalfd4, epoll, &both, 8ul, 0), EINVAL);
    CHECK_ERROR(CALL(signalfd4, 1000, &both, 8ul, 0), EBADF);
    CHECK_EQUAL(CALL(signalfd4, fd, &hard, 8ul, 0), fd);
    CHECK_OK(CALL(rt_sigprocmask, 1 /* UNBLOCK */, &both, NULL, 8ul));
    close(fd);
    close(epoll);
}

static void own_process(void)
{
    struct pollfd poll_one = {.events = POLLIN};
    uint64_t word;
    int fd = (int)syscall(434 /* pidfd_open */, getpid(), 0);
    CHECK(fd >= 0);
    CHECK_EQUAL(fcntl(fd, F_GETFD), 1);
    poll_one.fd = fd;
    CHECK_EQUAL(poll(&poll_one, 1, 0), 0);
    CHECK_ERROR(CALL(read, fd, &word, 8), EINVAL);
    CHECK_ERROR(syscall(434, getpid(), 1), EINVAL);
    CHECK_ERROR(syscall(434, 0, 0), EINVAL);
    CHECK_ERROR(syscall(434, 1 << 30, 0), ESRCH);
    close(fd);
    CHECK_ERROR(syscall(109 /* setpgid */, 0, -1), EINVAL);
    CHECK_ERROR(syscall(109 /* setpgid */, 1 << 30, 0), ESRCH);
    CHECK_OK(CALL(sync));
    CHECK_ERROR(syscall(306 /* syncfs */, -1), EBADF);
    CHECK_OK(syscall(306 /* syncfs */, 1));
    CHECK_ERROR(CALL(socket, 77, 1, 0), EAFNOSUPPORT);
    CHECK_OK(CALL(prctl, 4 /* PR_SET_DUMPABLE */, 0, 0, 0, 0));
    CHECK_EQUAL(CALL(prctl, 3, 0, 0, 0, 0), 0);
    CHECK_OK(CALL(prctl, 4, 1, 0, 0, 0));
    CHECK_EQUAL(CALL(prctl, 3, 0, 0, 0, 0), 1);
    CHECK_ERROR(CALL(prctl, 4, 3, 0, 0, 0), EINVAL);
    CHECK_EQUAL(CALL(prctl, 30 /* PR_GET_TIMERSLACK */, 0, 0, 0, 0), 50000);
    CHECK_OK(CALL(prctl, 29, 1, 0, 0, 0));
    CHECK_EQUAL(CALL(prctl, 30, 0, 0, 0, 0), 1);
    CHECK_OK(CALL(prctl, 29, 0, 0, 0, 0));
    CHECK_EQUAL(CALL(prctl, 30, 0, 0, 0, 0), 50000);
    long commands = syscall(324 /* membarrier */, 0, 0, 0);
    CHECK_EQUAL(commands & 31, 31);
    CHECK_ERROR(syscall(324, 8 /* PRIVATE_EXPEDITED */, 0, 0), EPERM);
    CHECK_OK(syscall(324, 16, 0, 0));
    CHECK_OK(syscall(324, 8, 0, 0));
    CHECK_ERROR(syscall(324, 1 << 20, 0, 0), EINVAL);
    CHECK_ERROR(syscall(324, 0, 2, 0), EINVAL);
}

/* ---- what is open, by its descriptor ---- */

static void open_files(void)
{
    char path[40], text[100] = {0};
    struct stat by_link, by_file, link;
    int fd = new_memfd(), pair[2];
    CHECK_EQUAL(write(fd, "abc", 3), 3);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    CHECK(readlink(path, text, sizeof(text)) > 0);
    CHECK(strncmp(text, "/memfd:", 7) == 0);
    int again = open(path, O_RDONLY);
    CHECK(again >= 0);
    CHECK_EQUAL(read(again, text, 9), 3); /* a position of its own */
    CHECK_ERROR(write(again, "x", 1), EBADF);
    CHECK_OK(stat(path, &by_link));
    CHECK_OK(fstat(fd, &by_file));
    CHECK_OK(lstat(path, &link));
    CHECK(by_link.st_size == 3 && by_file.st_size == 3 && S_ISLNK(link.st_mode));
    CHECK_ERROR(open(path, O_RDONLY | O_NOFOLLOW), ELOOP);
    close(again);
    close(fd);
    CHECK_ERROR(open(path, O_RDONLY), ENOENT);
    CHECK_ERROR(readlink(path, text, sizeof(text)), ENOENT);

    fd = open("/tmp/calls-open", O_CREAT | O_RDWR, 0600);
    CHECK(fd >= 0);
    memset(text, 0, sizeof(text));
    CHECK(readlink(path, text, sizeof(text)) > 0); /* the same number */
    CHECK(strcmp(text, "/tmp/calls-open") == 0);
    CHECK_OK(unlink("/tmp/calls-open"));
    CHECK_OK(again = open(path, O_RDWR));
    CHECK_OK(stat(path, &by_link));
    CHECK(S_ISREG(by_link.st_mode));
    close(again);
    close(fd);
    CHECK_OK(pipe(pair));
    snprintf(path, sizeof(path), "/proc/self/fd/%d", pair[0]);
    CHECK_OK(stat(path, &by_link));
    CHECK(S_ISFIFO(by_link.st_mode));
    close(pair[0]);
    close(pair[1]);
    fd = (int)CALL(eventfd2, 0, 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    memset(text, 0, sizeof(text));
    CHECK(readlink(path, text, sizeof(text)) > 0);
    CHECK(strcmp(text, "anon_inode:[eventfd]") == 0);
    CHECK_ERROR(open(path, O_RDWR), ENXIO);
    close(fd);
}

static void only_here(void)
{
    struct rlimit lock, more;
    uint32_t header[2] = {0x20080522, 0}, sets[6];
    if (!in_guest)
        return;
    CHECK_EQUAL(getpid(), 1);
    CHECK_EQUAL(getuid(), 0);
    CHECK_ERROR(CALL(socket, 1, 1, 0), EAFNOSUPPORT);
    CHECK_ERROR(syscall(53 /* socketpair */, 1, 1, 0, NULL), EAFNOSUPPORT);
    CHECK_ERROR(CALL(setsid), EPERM);
    CHECK_ERROR(syscall(109 /* setpgid */, 0, 0), EPERM);
    CHECK_ERROR(syscall(1000), ENOSYS);
    CHECK_ERROR(syscall(-1), ENOSYS);
    CHECK_ERROR(CALL(open, "/new", O_RDWR | 0100, 0644), EROFS);
    CHECK_OK(CALL(prlimit64, 0, RLIMIT_MEMLOCK, NULL, &lock));
    CHECK_EQUAL(lock.rlim_cur, -1); /* no limit */
    lock = (struct rlimit){64 << 20, 64 << 20};
    CHECK_OK(CALL(prlimit64, 0, RLIMIT_MEMLOCK, &lock, NULL));
    more = (struct rlimit){lock.rlim_max + 1, lock.rlim_max + 1};
    CHECK_ERROR(CALL(prlimit64, 0, RLIMIT_MEMLOCK, &more, NULL), EPERM);
    CHECK_OK(CALL(capget, header, sets));
    CHECK_EQUAL(sets[0] >> 14 & 1, 0); /* CAP_IPC_LOCK */
    CHECK_ERROR(CALL(kill, 2, 0), ESRCH);
}

static const struct conform_case cases[] = {
    {"duplicates", duplicates},
    {"positions", positions},
    {"texts_anew", texts_anew},
    {"vectors", vectors},
    {"bad_pointers", bad_pointers},
    {"naming", naming},
    {"renaming", renaming},
    {"open_after_unlink", open_after_unlink},
    {"directories_at", directories_at},
    {"listing", listing},
    {"statuses", statuses},
    {"pipes", pipes},
    {"sealed_memory", sealed_memory},
    {"mapped_files", mapped_files},
    {"polling", polling},
    {"selecting", selecting},
    {"epolling", epolling},
    {"timers", timers},
    {"sleeping", sleeping},
    {"file_limit", file_limit},
    {"facts", facts},
    {"heap_end", heap_end},
    {"terminal", terminal},
    {"no_children", no_children},
    {"memory_policy", memory_policy},
    {"scheduling", scheduling},
    {"signal_descriptor", signal_descriptor},
    {"own_process", own_process},
    {"open_files", open_files},
    {"only_here", only_here},
};

int main(int argc, char **argv)
{
    in_guest = argc > 1 && strcmp(argv[1], "guest") == 0;
    return conform_run(cases, sizeof(cases) / sizeof(cases[0]), NULL, argc, argv);
}
