/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals. newlib's own signal() and raise() only simulate; these ask the kernel. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <unistd.h>

#include "call.h"

#define SA_RESTORER 0x04000000

/* What rt_sigaction takes. */
struct kernel_sigaction {
    void *handler;
    unsigned long flags;
    void (*restorer)(void);
    sigset_t mask;
};

/* Where a handler returns to (start.S): calls rt_sigreturn. */
extern void sdk_signal_return(void);

int sigaction(int number, const struct sigaction *restrict set, struct sigaction *restrict old)
{
    struct kernel_sigaction new = {0}, before = {0};

    if (set) {
        new.handler = (void *)set->sa_handler;
        new.flags = (unsigned)set->sa_flags | SA_RESTORER;
        new.restorer = sdk_signal_return;
        new.mask = set->sa_mask;
    }
    if (CALL(SYS_rt_sigaction, number, set ? &new : NULL, &before, sizeof(sigset_t)) < 0)
        return -1;
    if (old) {
        old->sa_handler = (_sig_func_ptr)before.handler;
        old->sa_flags = (int)(before.flags & ~SA_RESTORER);
        old->sa_mask = before.mask;
    }
    return 0;
}

_sig_func_ptr signal(int number, _sig_func_ptr handler)
{
    struct sigaction set = {.sa_flags = SA_RESTART}, old;

    set.sa_handler = handler;
    return sigaction(number, &set, &old) < 0 ? SIG_ERR : old.sa_handler;
}

int sigprocmask(int how, const sigset_t *restrict set, sigset_t *restrict old)
{
    return (int)CALL(SYS_rt_sigprocmask, how, set, old, sizeof(sigset_t));
}

int sigaltstack(const stack_t *restrict set, stack_t *restrict old)
{
    return (int)CALL(SYS_sigaltstack, set, old);
}

int kill(pid_t pid, int number)
{
    return (int)CALL(SYS_kill, pid, number);
}

int raise(int number)
{
    return (int)CALL(SYS_tgkill, getpid(), gettid(), number);
}

unsigned alarm(unsigned seconds)
{
    return (unsigned)CALL(SYS_alarm, seconds);
}

void sdk_save_mask(sigjmp_buf environment, int save)
{
    environment->__mask_saved = save;
    if (save)
        sigprocmask(SIG_SETMASK, NULL, &environment->__mask);
}

void siglongjmp(sigjmp_buf environment, int value)
{
    if (environment->__mask_saved)
        sigprocmask(SIG_SETMASK, &environment->__mask, NULL);
    longjmp(environment->__jump, value);
}

static int signal_bit(int number, sigset_t *bit)
{
    if (number < 1 || number >= NSIG) {
        errno = EINVAL;
        return -1;
    }
    *bit = (sigset_t)1 << (number - 1);
    return 0;
}

int sigemptyset(sigset_t *set)
{
    *set = 0;
    return 0;
}

int sigfillset(sigset_t *set)
{
    *set = ~(sigset_t)0;
    return 0;
}

int sigaddset(sigset_t *set, int number)
{
    sigset_t bit;
    if (signal_bit(number, &bit) < 0)
        return -1;
    *set |= bit;
    return 0;
}

int sigdelset(sigset_t *set, int number)
{
    sigset_t bit;
    if (signal_bit(number, &bit) < 0)
        return -1;
    *set &= ~bit;
    return 0;
}

int sigismember(const sigset_t *set, int number)
{
    sigset_t bit;
    return signal_bit(number, &bit) < 0 ? -1 : (*set & bit) != 0;
}

/* Waiting for signals */

int pause(void)
{
    return (int)CALL(SYS_pause);
}

int sigsuspend(const sigset_t *mask)
{
    return (int)CALL(SYS_rt_sigsuspend, mask, sizeof(sigset_t));
}

int sigpending(sigset_t *set)
{
    return (int)CALL(SYS_rt_sigpending, set, sizeof(sigset_t));
}

int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
    return (int)CALL(SYS_rt_sigtimedwait, set, info, timeout, sizeof(sigset_t));
}

int sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
    return sigtimedwait(set, info, NULL);
}

/* Unlike its relatives this one returns the error number. */
int sigwait(const sigset_t *set, int *number)
{
    int got = sigtimedwait(set, NULL, NULL);

    if (got < 0)
        return errno;
    *number = got;
    return 0;
}

int sigqueue(pid_t pid, int number, const union sigval value)
{
    siginfo_t info = {.si_signo = number, .si_code = SI_QUEUE};

    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value = value;
    return (int)CALL(SYS_rt_sigqueueinfo, pid, number, &info);
}

int signalfd(int fd, const sigset_t *set, int flags)
{
    return (int)CALL(SYS_signalfd4, fd, set, sizeof(sigset_t), flags);
}

int getitimer(int which, struct itimerval *now)
{
    return (int)CALL(SYS_getitimer, which, now);
}

int setitimer(int which, const struct itimerval *restrict set, struct itimerval *restrict old)
{
    return (int)CALL(SYS_setitimer, which, set, old);
}
