/* SPDX-License-Identifier: BSD-2-Clause */
/* The process itself: identity, limits, its end, and the calls a lone program cannot make. */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
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

/* The call tells 20 to 1, so that no result looks like an error. */
int getpriority(int which, unsigned who)
{
    long value = CALL(SYS_getpriority, which, who);
    return value < 0 ? -1 : (int)(20 - value);
}

int setpriority(int which, unsigned who, int value)
{
    return (int)CALL(SYS_setpriority, which, who, value);
}

pid_t getpgid(pid_t pid)
{
    return (pid_t)CALL(SYS_getpgid, pid);
}

pid_t getpgrp(void)
{
    return (pid_t)CALL(SYS_getpgrp);
}

pid_t setsid(void)
{
    return (pid_t)CALL(SYS_setsid);
}

int prctl(int option, ...)
{
    va_list args;
    long a[4];

    va_start(args, option);
    for (int i = 0; i < 4; i++)
        a[i] = va_arg(args, long);
    va_end(args);
    return (int)CALL(SYS_prctl, option, a[0], a[1], a[2], a[3]);
}

int gethostname(char *name, size_t size)
{
    struct utsname system;

    if (uname(&system) < 0)
        return -1;
    if (strlen(system.nodename) >= size) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(name, system.nodename, strlen(system.nodename) + 1);
    return 0;
}

/* Nobody has given this program rights that its user lacks. */
int issetugid(void)
{
    return 0;
}

int sysinfo(struct sysinfo *out)
{
    return (int)CALL(SYS_sysinfo, out);
}

int sched_setscheduler(pid_t pid, int policy, const struct sched_param *parameters)
{
    return (int)CALL(SYS_sched_setscheduler, pid, policy, parameters);
}

int sched_getscheduler(pid_t pid)
{
    return (int)CALL(SYS_sched_getscheduler, pid);
}

int sched_getparam(pid_t pid, struct sched_param *parameters)
{
    return (int)CALL(SYS_sched_getparam, pid, parameters);
}

int sched_get_priority_max(int policy)
{
    return (int)CALL(SYS_sched_get_priority_max, policy);
}

int sched_get_priority_min(int policy)
{
    return (int)CALL(SYS_sched_get_priority_min, policy);
}

int sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *set)
{
    return (int)CALL(SYS_sched_setaffinity, pid, size, set);
}

/* The call writes as many bytes as the kernel has; the rest of the set is nobody's. */
int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
    memset(set, 0, size);
    return CALL(SYS_sched_getaffinity, pid, size, set) < 0 ? -1 : 0;
}

int sdk_count_cpus(const cpu_set_t *set)
{
    int count = 0;

    for (unsigned i = 0; i < CPU_SETSIZE / 64; i++)
        count += __builtin_popcountl(set->__bits[i]);
    return count;
}

int get_nprocs(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof(set), &set) < 0 ? 1 : CPU_COUNT(&set);
}

int get_nprocs_conf(void)
{
    return (int)sysconf(_SC_NPROCESSORS_CONF);
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
