/* SPDX-License-Identifier: BSD-2-Clause */
/* struct stat as the kernel fills it: the layout of the Linux x86-64 ABI. */
#ifndef _SYS_STAT_H
#define _SYS_STAT_H

#include <sys/_timespec.h>
#include <sys/cdefs.h>
#include <sys/types.h>
#include <time.h>

struct stat {
    dev_t st_dev;
    ino_t st_ino;
    unsigned long st_nlink;
    mode_t st_mode;
    uid_t st_uid;
    gid_t st_gid;
    int __st_padding;
    dev_t st_rdev;
    off_t st_size;
    blksize_t st_blksize;
    blkcnt_t st_blocks;
    struct timespec st_atim;
    struct timespec st_mtim;
    struct timespec st_ctim;
    long __st_spare[3];
};
#define st_atime st_atim.tv_sec
#define st_mtime st_mtim.tv_sec
#define st_ctime st_ctim.tv_sec

#define S_IFMT   0170000
#define S_IFSOCK 0140000
#define S_IFLNK  0120000
#define S_IFREG  0100000
#define S_IFBLK  0060000
#define S_IFDIR  0040000
#define S_IFCHR  0020000
#define S_IFIFO  0010000
#define S_ISUID  0004000
#define S_ISGID  0002000
#define S_ISVTX  0001000

#define S_IRUSR 0400
#define S_IWUSR 0200
#define S_IXUSR 0100
#define S_IRWXU (S_IRUSR | S_IWUSR | S_IXUSR)
#define S_IRGRP (S_IRUSR >> 3)
#define S_IWGRP (S_IWUSR >> 3)
#define S_IXGRP (S_IXUSR >> 3)
#define S_IRWXG (S_IRWXU >> 3)
#define S_IROTH (S_IRUSR >> 6)
#define S_IWOTH (S_IWUSR >> 6)
#define S_IXOTH (S_IXUSR >> 6)
#define S_IRWXO (S_IRWXU >> 6)

/* The older names, which newlib's own sources use. */
#define _IFMT  S_IFMT
#define _IFREG S_IFREG
#define _IFCHR S_IFCHR
#define _IFDIR S_IFDIR

#define S_ISBLK(mode)  ((S_IFMT & (mode)) == S_IFBLK)
#define S_ISCHR(mode)  ((S_IFMT & (mode)) == S_IFCHR)
#define S_ISDIR(mode)  ((S_IFMT & (mode)) == S_IFDIR)
#define S_ISFIFO(mode) ((S_IFMT & (mode)) == S_IFIFO)
#define S_ISREG(mode)  ((S_IFMT & (mode)) == S_IFREG)
#define S_ISLNK(mode)  ((S_IFMT & (mode)) == S_IFLNK)
#define S_ISSOCK(mode) ((S_IFMT & (mode)) == S_IFSOCK)

__BEGIN_DECLS
int stat(const char *__restrict, struct stat *__restrict);
int fstat(int, struct stat *);
int lstat(const char *__restrict, struct stat *__restrict);
int fstatat(int, const char *__restrict, struct stat *__restrict, int);
int mkdir(const char *, mode_t);
int chmod(const char *, mode_t);
int fchmod(int, mode_t);
mode_t umask(mode_t);
int mkdirat(int, const char *, mode_t);
__END_DECLS

#endif
