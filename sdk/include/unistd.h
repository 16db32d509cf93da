/* SPDX-License-Identifier: BSD-2-Clause */
/* newlib's own, and the calls it does not declare. */
#ifndef BULKHEAD_UNISTD_H
#define BULKHEAD_UNISTD_H

#include_next <unistd.h>

__BEGIN_DECLS
/* Any system call by its Linux number (<sys/syscall.h>): -1 with errno set on failure. */
long syscall(long, ...);
pid_t gettid(void);
char *getlogin(void);
int issetugid(void);
int symlink(const char *, const char *);
int symlinkat(const char *, int, const char *);
int unlinkat(int, const char *, int);
ssize_t readlink(const char *__restrict, char *__restrict, size_t);
ssize_t readlinkat(int, const char *__restrict, char *__restrict, size_t);
void sync(void);
int pause(void);
int truncate(const char *, off_t);
int gethostname(char *, size_t);
__END_DECLS

#endif
