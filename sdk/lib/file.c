/* SPDX-License-Identifier: BSD-2-Clause */
/* Files and descriptors. Flags and numbers are the kernel's own, so each call passes through. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "call.h"

/* Is there a mode behind the flags? O_TMPFILE holds the bit of O_DIRECTORY. */
static bool makes_file(int flags)
{
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

int openat(int directory, const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    unsigned mode = makes_file(flags) ? va_arg(args, unsigned) : 0;
    va_end(args);
    return (int)CALL(SYS_openat, directory, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    unsigned mode = makes_file(flags) ? va_arg(args, unsigned) : 0;
    va_end(args);
    return (int)CALL(SYS_open, path, flags, mode);
}

int creat(const char *path, mode_t mode)
{
    return open(path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int close(int fd)
{
    return (int)CALL(SYS_close, fd);
}

_READ_WRITE_RETURN_TYPE read(int fd, void *buffer, size_t length)
{
    return (_READ_WRITE_RETURN_TYPE)CALL(SYS_read, fd, buffer, length);
}

_READ_WRITE_RETURN_TYPE write(int fd, const void *buffer, size_t length)
{
    return (_READ_WRITE_RETURN_TYPE)CALL(SYS_write, fd, buffer, length);
}

ssize_t pread(int fd, void *buffer, size_t length, off_t offset)
{
    return CALL(SYS_pread64, fd, buffer, length, offset);
}

ssize_t pwrite(int fd, const void *buffer, size_t length, off_t offset)
{
    return CALL(SYS_pwrite64, fd, buffer, length, offset);
}

ssize_t readv(int fd, const struct iovec *vector, int count)
{
    return CALL(SYS_readv, fd, vector, count);
}

ssize_t writev(int fd, const struct iovec *vector, int count)
{
    return CALL(SYS_writev, fd, vector, count);
}

off_t lseek(int fd, off_t offset, int whence)
{
    return CALL(SYS_lseek, fd, offset, whence);
}

ssize_t preadv(int fd, const struct iovec *vector, int count, off_t offset)
{
    return CALL(SYS_preadv, fd, vector, count, offset, 0);
}

ssize_t pwritev(int fd, const struct iovec *vector, int count, off_t offset)
{
    return CALL(SYS_pwritev, fd, vector, count, offset, 0);
}

int dup(int fd)
{
    return (int)CALL(SYS_dup, fd);
}

int dup2(int fd, int to)
{
    return (int)CALL(SYS_dup2, fd, to);
}

int dup3(int fd, int to, int flags)
{
    return (int)CALL(SYS_dup3, fd, to, flags);
}

int fcntl(int fd, int command, ...)
{
    va_list args;
    va_start(args, command);
    long argument = va_arg(args, long);
    va_end(args);
    return (int)CALL(SYS_fcntl, fd, command, argument);
}

int flock(int fd, int operation)
{
    return (int)CALL(SYS_flock, fd, operation);
}

/*
 * ioctl() and its one argument, which comes in a register like a named one: va_start would store
 * every register that can hold arguments first.
 */
static int ioctl_with(int fd, unsigned long command, long argument)
{
    return (int)CALL(SYS_ioctl, fd, command, argument);
}
int ioctl(int fd, unsigned long command, ...) __attribute__((alias("ioctl_with")));

/* A terminal is what answers the question for its window size. */
int isatty(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0;
}

int fsync(int fd)
{
    return (int)CALL(SYS_fsync, fd);
}

int ftruncate(int fd, off_t length)
{
    return (int)CALL(SYS_ftruncate, fd, length);
}

int pipe(int fds[2])
{
    return (int)CALL(SYS_pipe2, fds, 0);
}

int pipe2(int fds[2], int flags)
{
    return (int)CALL(SYS_pipe2, fds, flags);
}

int fdatasync(int fd)
{
    return (int)CALL(SYS_fdatasync, fd);
}

void sync(void)
{
    CALL_RAW(SYS_sync);
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
    return (int)CALL(SYS_fallocate, fd, mode, offset, length);
}

/* Unlike its relatives this one returns the error number. */
int posix_fallocate(int fd, off_t offset, off_t length)
{
    return (int)-CALL_RAW(SYS_fallocate, fd, 0, offset, length);
}
