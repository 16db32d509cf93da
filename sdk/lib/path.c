/* SPDX-License-Identifier: BSD-2-Clause */
/* What a path names. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "call.h"

int fstatat(int directory, const char *restrict path, struct stat *restrict out, int flags)
{
    return (int)CALL(SYS_newfstatat, directory, path, out, flags);
}

int stat(const char *restrict path, struct stat *restrict out)
{
    return (int)CALL(SYS_stat, path, out);
}

int lstat(const char *restrict path, struct stat *restrict out)
{
    return (int)CALL(SYS_lstat, path, out);
}

int fstat(int fd, struct stat *out)
{
    return (int)CALL(SYS_fstat, fd, out);
}

int access(const char *path, int mode)
{
    return (int)CALL(SYS_access, path, mode);
}

ssize_t readlink(const char *restrict path, char *restrict buffer, size_t size)
{
    return CALL(SYS_readlink, path, buffer, size);
}

ssize_t readlinkat(int directory, const char *restrict path, char *restrict buffer, size_t size)
{
    return CALL(SYS_readlinkat, directory, path, buffer, size);
}

char *getcwd(char *buffer, size_t size)
{
    return CALL(SYS_getcwd, buffer, size) < 0 ? NULL : buffer;
}

int chdir(const char *path)
{
    return (int)CALL(SYS_chdir, path);
}

int mkdir(const char *path, mode_t mode)
{
    return (int)CALL(SYS_mkdir, path, mode);
}

int rmdir(const char *path)
{
    return (int)CALL(SYS_rmdir, path);
}

int link(const char *from, const char *to)
{
    return (int)CALL(SYS_link, from, to);
}

int unlink(const char *path)
{
    return (int)CALL(SYS_unlink, path);
}

int faccessat(int directory, const char *path, int mode, int flags)
{
    return (int)CALL(SYS_faccessat2, directory, path, mode, flags);
}

int mkdirat(int directory, const char *path, mode_t mode)
{
    return (int)CALL(SYS_mkdirat, directory, path, mode);
}

int unlinkat(int directory, const char *path, int flags)
{
    return (int)CALL(SYS_unlinkat, directory, path, flags);
}

int symlink(const char *target, const char *path)
{
    return (int)CALL(SYS_symlink, target, path);
}

int symlinkat(const char *target, int directory, const char *path)
{
    return (int)CALL(SYS_symlinkat, target, directory, path);
}

int rename(const char *from, const char *to)
{
    return (int)CALL(SYS_rename, from, to);
}

int renameat(int from_directory, const char *from, int to_directory, const char *to)
{
    return (int)CALL(SYS_renameat, from_directory, from, to_directory, to);
}

int chmod(const char *path, mode_t mode)
{
    return (int)CALL(SYS_chmod, path, mode);
}

int fchmod(int fd, mode_t mode)
{
    return (int)CALL(SYS_fchmod, fd, mode);
}

mode_t umask(mode_t mask)
{
    return (mode_t)CALL(SYS_umask, mask);
}

int fchdir(int fd)
{
    return (int)CALL(SYS_fchdir, fd);
}

int truncate(const char *path, off_t length)
{
    return (int)CALL(SYS_truncate, path, length);
}

int statfs(const char *path, struct statfs *out)
{
    return (int)CALL(SYS_statfs, path, out);
}

int fstatfs(int fd, struct statfs *out)
{
    return (int)CALL(SYS_fstatfs, fd, out);
}
