/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fine print of paths and of descriptors that only stand for a path: what a slash at the end
 * asks for, which of two errors comes first. Called by number; the same on Linux.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "conform.h"

#define CALL(name, ...) syscall(SYS_##name, ##__VA_ARGS__)
#define PATH_ONLY       010000000
#define DIRECTORY       0200000
#define CREATE          0100

static char place[40];

static void make(const char *path)
{
    close((int)CALL(open, path, O_RDWR | CREATE, 0644));
}

/* Of a descriptor that only stands for a path nearly every call says that it is none. */
static void path_descriptors(void)
{
    char byte;
    make("f");
    int fd = (int)CALL(open, "f", PATH_ONLY | O_RDWR | CREATE | 0200 /* O_EXCL: not looked at */);
    CHECK(fd >= 0);
    CHECK_EQUAL(CALL(fcntl, fd, F_GETFL) & PATH_ONLY, PATH_ONLY);
    CHECK_EQUAL(CALL(fcntl, fd, F_GETFL) & 3, 0);
    CHECK_ERROR(CALL(fcntl, fd, F_SETFL, 0), EBADF);
    CHECK_ERROR(CALL(read, fd, &byte, 1), EBADF);
    CHECK_ERROR(CALL(lseek, fd, 0, SEEK_CUR), EBADF);
    CHECK_ERROR(CALL(ftruncate, fd, 0), EBADF);
    CHECK_ERROR(CALL(fsync, fd), EBADF);
    CHECK_ERROR(CALL(flock, fd, 1), EBADF);
    CHECK_ERROR(CALL(fchmod, fd, 0600), EBADF);
    CHECK_ERROR(CALL(ioctl, fd, 0x5421ul, &byte), EBADF);
    CHECK_ERROR(CALL(mmap, NULL, 4096ul, 1, MAP_SHARED, fd, 0ul), EBADF);
    int copy = (int)CALL(dup, fd);
    CHECK(copy >= 0);
    CHECK_EQUAL(CALL(fcntl, copy, F_GETFD), 0);
    CHECK_OK(CALL(close, copy));
    CHECK_OK(CALL(close, fd));
    int dir = (int)CALL(open, ".", PATH_ONLY | DIRECTORY);
    CHECK(dir >= 0);
    CHECK_OK(CALL(faccessat, dir, "f", 0));
    CHECK_OK(CALL(fchdir, dir));
    CHECK_OK(CALL(close, dir));
}

/* A slash at the end asks for a directory, and takes none away from what is no directory. */
static void slashes_at_the_end(void)
{
    make("f");
    CHECK_OK(CALL(mkdir, "d/", 0755));
    CHECK_OK(CALL(symlink, "d", "to_d"));
    CHECK_ERROR(CALL(open, "f/", 0), ENOTDIR);
    CHECK_ERROR(CALL(open, "new/", O_RDWR | CREATE, 0644), EISDIR);
    CHECK_ERROR(CALL(open, "d/", O_RDONLY | CREATE, 0644), EISDIR);
    CHECK_ERROR(CALL(unlink, "f/"), ENOTDIR);
    CHECK_ERROR(CALL(unlink, "d/"), EISDIR);
    CHECK_ERROR(CALL(rename, "f/", "g"), ENOTDIR);
    CHECK_ERROR(CALL(rename, "f", "g/"), ENOTDIR);
    CHECK_ERROR(CALL(symlink, "f", "link/"), ENOENT);
    CHECK_ERROR(CALL(rmdir, "to_d/"), ENOTDIR); /* the link, not what it leads to */
    CHECK_OK(CALL(access, "to_d/", 0));
    CHECK_OK(CALL(rename, "d/", "e/"));
    CHECK_OK(CALL(rmdir, "e/"));
}

static void dots(void)
{
    CHECK_OK(CALL(mkdir, "d", 0755));
    CHECK_ERROR(CALL(rmdir, "d/."), EINVAL);
    CHECK_ERROR(CALL(rmdir, "d/.."), ENOTEMPTY);
    CHECK_ERROR(CALL(rmdir, "/"), EBUSY);
    CHECK_ERROR(CALL(rmdir, "/."), EINVAL);
    CHECK_ERROR(CALL(unlink, "d/."), EISDIR);
    CHECK_ERROR(CALL(unlink, "/"), EISDIR);
    CHECK_ERROR(CALL(rename, "d/.", "e"), EBUSY);
    CHECK_ERROR(CALL(rename, "d", "d/.."), EBUSY);
}

static void renames_in_order(void)
{
    make("f");
    CHECK_OK(CALL(mkdir, "d", 0755));
    CHECK_OK(CALL(mkdir, "d/e", 0755));
    CHECK_ERROR(CALL(rename, "none", "f"), ENOENT);
    CHECK_ERROR(CALL(rename, "d", "d/e/x"), EINVAL);
    CHECK_ERROR(CALL(rename, "d/e", "d"), ENOTEMPTY);
    CHECK_ERROR(CALL(rename, "d", "f"), ENOTDIR);
    CHECK_ERROR(CALL(rename, "f", "d"), EISDIR);
    CHECK_ERROR(CALL(renameat2, AT_FDCWD, "f", AT_FDCWD, "d", 1u), EEXIST);
    CHECK_ERROR(CALL(renameat2, AT_FDCWD, "f", AT_FDCWD, "f", 1u), EEXIST);
    CHECK_OK(CALL(rename, "f", "f"));
}

/* struct flock, whatever the C library calls it */
struct lock {
    int16_t type, whence;
    int64_t start, length;
    int32_t pid;
};

static void record_locks(void)
{
    struct lock lock = {.type = 1};
    make("f");
    int fd = (int)CALL(open, "f", O_RDONLY);
    CHECK(fd >= 0);
    CHECK_OK(CALL(fcntl, fd, 5 /* F_GETLK */, &lock));
    CHECK_EQUAL(lock.type, 2);
    CHECK_ERROR(CALL(fcntl, fd, 5, &lock), EINVAL); /* nobody asks whether it is unlocked */
    CHECK_OK(CALL(fcntl, fd, 6 /* F_SETLK */, &lock));
    lock.type = 0;
    CHECK_OK(CALL(fcntl, fd, 6, &lock));
    lock.type = 1;
    CHECK_ERROR(CALL(fcntl, fd, 6, &lock), EBADF); /* not open for writing */
    lock.type = 7;
    CHECK_ERROR(CALL(fcntl, fd, 6, &lock), EINVAL);
    lock = (struct lock){.whence = 9};
    CHECK_ERROR(CALL(fcntl, fd, 6, &lock), EINVAL);
    CHECK_ERROR(CALL(fcntl, fd, 6, 8ul), EFAULT);
    CHECK_OK(CALL(close, fd));
}

static void data_and_holes(void)
{
    int fd = (int)CALL(memfd_create, "paths", 0u);
    CHECK_EQUAL(CALL(write, fd, "abc", 3), 3);
    CHECK_EQUAL(CALL(lseek, fd, 1, 3 /* SEEK_DATA */), 1);
    CHECK_EQUAL(CALL(lseek, fd, 1, 4 /* SEEK_HOLE */), 3);
    CHECK_ERROR(CALL(lseek, fd, 3, 3), ENXIO);
    CHECK_ERROR(CALL(lseek, fd, 3, 4), ENXIO);
    CHECK_ERROR(CALL(lseek, fd, -1, 3), ENXIO);
    CHECK_EQUAL(CALL(lseek, fd, 0, SEEK_CUR), 3);
    CHECK_OK(CALL(close, fd));
}

static void mode_bits(void)
{
    struct stat status;
    make("f");
    CHECK_OK(CALL(chmod, "f", 07755));
    CHECK_OK(stat("f", &status));
    CHECK_EQUAL(status.st_mode & 07777, 07755);
    CHECK_OK(CALL(mkdir, "d", 01777));
    CHECK_OK(stat("d", &status));
    CHECK_EQUAL(status.st_mode & 01000, 01000);
}

static void errors_in_order(void)
{
    struct iovec vectors[2] = {{(void *)-4096ul, 1}, {NULL, (size_t)-1}};
    char byte;
    int fd = (int)CALL(memfd_create, "paths", 0u);
    CHECK_ERROR(CALL(readv, fd, vectors, 2), EINVAL); /* lengths before addresses */
    vectors[1].iov_len = 0;
    CHECK_ERROR(CALL(readv, fd, vectors, 2), EFAULT);
    CHECK_ERROR(CALL(pread64, fd, &byte, 2ul, 0x7fffffffffffffffl), EINVAL);
    CHECK_ERROR(CALL(ftruncate, 999, -1l), EINVAL);
    CHECK_ERROR(CALL(fallocate, 999, 0, -1l, 0l), EBADF);
    CHECK_ERROR(CALL(fallocate, fd, 0, -1l, 1l), EINVAL);
    CHECK_OK(CALL(close, fd));
}

/* Back to an empty directory of its own. */
static void tidy(void)
{
    static const char *const names[] = {"f", "g", "to_d", "new", "d/e", "d", "e"};
    (void)!chdir(place);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (CALL(unlink, names[i]))
            CALL(rmdir, names[i]);
}

static const struct conform_case cases[] = {
    CASE(path_descriptors), CASE(slashes_at_the_end), CASE(dots),      CASE(renames_in_order),
    CASE(record_locks),     CASE(data_and_holes),     CASE(mode_bits), CASE(errors_in_order),
};

int main(int argc, char **argv)
{
    int status;

    CALL(umask, 0);
    snprintf(place, sizeof(place), "/tmp/paths.%ld", CALL(getpid));
    if (CALL(mkdir, place, 0700) || chdir(place)) {
        perror(place);
        return 2;
    }
    status = conform_run(cases, sizeof(cases) / sizeof(cases[0]), tidy, argc, argv);
    if (chdir("/") || rmdir(place)) {
        perror(place);
        return 2;
    }
    return status;
}
