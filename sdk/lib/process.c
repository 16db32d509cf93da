/* SPDX-License-Identifier: BSD-2-Clause */
/* The process itself: identity, limits, its end, and the calls a lone program cannot make. */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call.h"

long sdk_error(long error)
{
    errno = (int)error;
    return -1;
}

long syscall(long number, ...)
{
    va_list args;
    long a[6];

    va_start(args, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(args, long);
    va_end(args);
    return CALL(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

_Noreturn void _exit(int status)
{
    for (;;)
        CALL_RAW(SYS_exit_group, status);
}

pid_t getpid(void)
{
    return (pid_t)CALL(SYS_getpid);
}

pid_t getppid(void)
{
    return (pid_t)CALL(SYS_getppid);
}

pid_t gettid(void)
{
    return (pid_t)CALL(SYS_gettid);
}

uid_t getuid(void)
{
    return (uid_t)CALL(SYS_getuid);
}

uid_t geteuid(void)
{
    return (uid_t)CALL(SYS_geteuid);
}

gid_t getgid(void)
{
    return (gid_t)CALL(SYS_getgid);
}

gid_t getegid(void)
{
    return (gid_t)CALL(SYS_getegid);
}

int uname(struct utsname *out)
{
    return (int)CALL(SYS_uname, out);
}

ssize_t getrandom(void *buffer, size_t length, unsigned flags)
{
    return CALL(SYS_getrandom, buffer, length, flags);
}

int getentropy(void *buffer, size_t length)
{
    if (length > 256) {
        errno = EIO;
        return -1;
    }
    return getrandom(buffer, length, 0) == (ssize_t)length ? 0 : -1;
}

int getrlimit(int resource, struct rlimit *limit)
{
    return (int)CALL(SYS_getrlimit, resource, limit);
}

int setrlimit(int resource, const struct rlimit *limit)
{
    return (int)CALL(SYS_setrlimit, resource, limit);
}

int getrusage(int who, struct rusage *usage)
{
    return (int)CALL(SYS_getrusage, who, usage);
}

int sched_yield(void)
{
    return (int)CALL(SYS_sched_yield);
}

int sched_getcpu(void)
{
    unsigned cpu = 0;
    return CALL(SYS_getcpu, &cpu, NULL, NULL) < 0 ? -1 : (int)cpu;
}

long sysconf(int name)
{
    struct rlimit files = {0};

    switch (name) {
    case _SC_PAGESIZE:
        return 4096;
    case _SC_NPROCESSORS_CONF:
    case _SC_NPROCESSORS_ONLN:
        return 1;
    case _SC_CLK_TCK:
        return CLOCKS_PER_SEC;
    case _SC_OPEN_MAX:
        return getrlimit(RLIMIT_NOFILE, &files) < 0 ? -1 : (long)files.rlim_cur;
    default:
        errno = EINVAL;
        return -1;
    }
}

int getpagesize(void)
{
    return 4096;
}

/* newlib's system() and popen() refer to these; the kernel says ENOSYS. */
pid_t fork(void)
{
    return (pid_t)CALL(SYS_fork);
}

int execve(const char *path, char *const argv[], char *const envp[])
{
    return (int)CALL(SYS_execve, path, argv, envp);
}

pid_t wait(int *status)
{
    return (pid_t)CALL(SYS_wait4, -1, status, 0, NULL);
}
