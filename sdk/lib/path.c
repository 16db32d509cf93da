/* SPDX-License-Identifier: BSD-2-Clause */
/* What a path names. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
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
