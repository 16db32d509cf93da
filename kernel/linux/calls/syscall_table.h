/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system calls we have. CALL: number, name, parameters of the function behind it (sys_ and the
 * name), how many they are (F: it gets the registers instead), and whether the call starts again
 * when a handler installed with SA_RESTART interrupts it (signal(7)). RESULT: one that needs no
 * function of its own; what it answers stands there, with its arguments in the registers of
 * `frame`. Arguments and results are those of the Linux manual page of the same name (section 2); a
 * result is a value or a negative error. docs/system-calls.md has the same rows and says what each
 * lacks; a test compares them.
 */
#ifndef KERNEL_LINUX_CALLS_SYSCALL_TABLE_H
#define KERNEL_LINUX_CALLS_SYSCALL_TABLE_H

#include "kernel/lib/types.h"

enum syscall_restart {
    ONCE,
    RESTART,
};

struct trap_frame;

/* clang-format off */
#define SYSCALL_TABLE(CALL, RESULT)                                                                \
    CALL(0, read, (int fd, uaddr_t buffer, size_t length), 3, RESTART)                             \
    CALL(1, write, (int fd, uaddr_t buffer, size_t length), 3, RESTART)                            \
    RESULT(2, open, sys_openat(AT_FDCWD, frame->rdi, frame->rsi, frame->rdx), RESTART)             \
    RESULT(3, close, fd_close((int)frame->rdi), ONCE)                                              \
    RESULT(4, stat, sys_newfstatat(AT_FDCWD, frame->rdi, frame->rsi, 0), ONCE)                     \
    CALL(5, fstat, (int fd, uaddr_t out), 2, ONCE)                                                 \
    RESULT(6, lstat, sys_newfstatat(AT_FDCWD, frame->rdi, frame->rsi, AT_NOFOLLOW), ONCE)          \
    CALL(7, poll, (uaddr_t entries, unsigned count, int timeout_ms), 3, ONCE)                      \
    CALL(8, lseek, (int fd, int64_t offset, int whence), 3, ONCE)                                  \
    CALL(9, mmap, (uaddr_t at, uint64_t length, unsigned protection, unsigned flags, int fd,       \
         uint64_t offset), 6, ONCE)                                                                \
    CALL(10, mprotect, (uaddr_t at, uint64_t length, uint64_t protection), 3, ONCE)                \
    CALL(11, munmap, (uaddr_t at, uint64_t length), 2, ONCE)                                       \
    CALL(12, brk, (uaddr_t to), 1, ONCE)                                                           \
    CALL(13, rt_sigaction, (int number, uaddr_t action, uaddr_t old, size_t mask_size), 4, ONCE)   \
    CALL(14, rt_sigprocmask, (int how, uaddr_t set, uaddr_t old, size_t mask_size), 4, ONCE)       \
    CALL(15, rt_sigreturn, (struct trap_frame *frame), F, ONCE)                                    \
    CALL(16, ioctl, (int fd, uint32_t command, uint64_t argument), 3, RESTART)                     \
    CALL(17, pread64, (int fd, uaddr_t buffer, size_t length, int64_t position), 4, RESTART)       \
    CALL(18, pwrite64, (int fd, uaddr_t buffer, size_t length, int64_t position), 4, RESTART)      \
    CALL(19, readv, (int fd, uaddr_t vectors, int count), 3, RESTART)                              \
    CALL(20, writev, (int fd, uaddr_t vectors, int count), 3, RESTART)                             \
    RESULT(21, access, sys_faccessat2(AT_FDCWD, frame->rdi, frame->rsi, 0), ONCE)                  \
    RESULT(22, pipe, sys_pipe2(frame->rdi, 0), ONCE)                                               \
    CALL(23, select, (int count, uaddr_t in, uaddr_t out, uaddr_t except, uaddr_t timeout), 5,     \
         ONCE)                                                                                     \
    CALL(24, sched_yield, (void), 0, ONCE)                                                         \
    CALL(25, mremap, (uaddr_t at, uint64_t old_length, uint64_t length, uint64_t flags,            \
         uaddr_t to), 5, ONCE)                                                                     \
    CALL(26, msync, (uaddr_t at, uint64_t length, unsigned flags), 3, ONCE)                        \
    CALL(27, mincore, (uaddr_t at, uint64_t length, uaddr_t vector), 3, ONCE)                      \
    CALL(28, madvise, (uaddr_t at, uint64_t length, unsigned advice), 3, ONCE)                     \
    CALL(32, dup, (int fd), 1, ONCE)                                                               \
    CALL(33, dup2, (int fd, int target), 2, ONCE)                                                  \
    CALL(34, pause, (void), 0, ONCE)                                                               \
    RESULT(35, nanosleep, sys_clock_nanosleep(CLOCK_MONOTONIC, 0, frame->rdi, frame->rsi), ONCE)   \
    CALL(36, getitimer, (int which, uaddr_t out), 2, ONCE)                                         \
    CALL(37, alarm, (unsigned seconds), 1, ONCE)                                                   \
    CALL(38, setitimer, (int which, uaddr_t in, uaddr_t old), 3, ONCE)                             \
    RESULT(39, getpid, PAYLOAD_PID, ONCE)                                                          \
    /* There is no network, not even one inside. */                                                \
    CALL(41, socket, (int family, unsigned type), 2, ONCE)                                         \
    RESULT(53, socketpair, sys_socket((int)frame->rdi, frame->rsi), ONCE)                          \
    CALL(56, clone, (struct trap_frame *frame), F, ONCE)                                           \
    CALL(60, exit, (int status), 1, ONCE)                                                          \
    CALL(62, kill, (int pid, int number), 2, ONCE)                                                 \
    CALL(63, uname, (uaddr_t out), 1, ONCE)                                                        \
    CALL(72, fcntl, (int fd, unsigned command, uint64_t argument), 3, RESTART)                     \
    CALL(73, flock, (int fd, int operation), 2, RESTART)                                           \
    /* Files are in RAM: there is nothing to write back, and nothing to read ahead. */             \
    RESULT(74, fsync, fd_is_file((int)frame->rdi) ? 0 : -EBADF, ONCE)                              \
    RESULT(75, fdatasync, fd_is_file((int)frame->rdi) ? 0 : -EBADF, ONCE)                          \
    CALL(76, truncate, (uaddr_t path, int64_t size), 2, ONCE)                                      \
    CALL(77, ftruncate, (int fd, int64_t size), 2, ONCE)                                           \
    CALL(79, getcwd, (uaddr_t buffer, size_t size), 2, ONCE)                                       \
    CALL(80, chdir, (uaddr_t path), 1, ONCE)                                                       \
    CALL(81, fchdir, (int fd), 1, ONCE)                                                            \
    RESULT(82, rename, sys_renameat2(AT_FDCWD, frame->rdi, AT_FDCWD, frame->rsi, 0), ONCE)         \
    RESULT(83, mkdir, sys_mkdirat(AT_FDCWD, frame->rdi, frame->rsi), ONCE)                         \
    RESULT(84, rmdir, sys_unlinkat(AT_FDCWD, frame->rdi, AT_REMOVEDIR), ONCE)                      \
    RESULT(85, creat, sys_openat(AT_FDCWD, frame->rdi, OPEN_CREATE | OPEN_TRUNCATE | FILE_WRONLY,  \
           frame->rsi), ONCE)                                                                      \
    RESULT(87, unlink, sys_unlinkat(AT_FDCWD, frame->rdi, 0), ONCE)                                \
    RESULT(88, symlink, sys_symlinkat(frame->rdi, AT_FDCWD, frame->rsi), ONCE)                     \
    RESULT(89, readlink, sys_readlinkat(AT_FDCWD, frame->rdi, frame->rsi, frame->rdx), ONCE)       \
    RESULT(90, chmod, sys_fchmodat(AT_FDCWD, frame->rdi, frame->rsi), ONCE)                        \
    CALL(91, fchmod, (int fd, uint32_t mode), 2, ONCE)                                             \
    CALL(95, umask, (uint32_t mask), 1, ONCE)                                                      \
    CALL(96, gettimeofday, (uaddr_t out, uaddr_t zone), 2, ONCE)                                   \
    RESULT(97, getrlimit, sys_prlimit64(PAYLOAD_PID, frame->rdi, 0, frame->rsi), ONCE)             \
    CALL(98, getrusage, (int who, uaddr_t out), 2, ONCE)                                           \
    CALL(99, sysinfo, (uaddr_t out), 1, ONCE)                                                      \
    CALL(100, times, (uaddr_t out), 1, ONCE)                                                       \
    RESULT(102, getuid, 0, ONCE)                                                                   \
    RESULT(104, getgid, 0, ONCE)                                                                   \
    RESULT(107, geteuid, 0, ONCE)                                                                  \
    RESULT(108, getegid, 0, ONCE)                                                                  \
    CALL(109, setpgid, (int pid, int group), 2, ONCE)                                              \
    RESULT(110, getppid, 0, ONCE)                                                                  \
    RESULT(111, getpgrp, PAYLOAD_PID, ONCE)                                                        \
    RESULT(112, setsid, sys_setpgid(PAYLOAD_PID, 0), ONCE)                                         \
    RESULT(115, getgroups, (int)frame->rdi < 0 ? -EINVAL : 0, ONCE)                                \
    CALL(118, getresuid, (uaddr_t real, uaddr_t effective, uaddr_t saved), 3, ONCE)                \
    RESULT(120, getresgid, sys_getresuid(frame->rdi, frame->rsi, frame->rdx), ONCE)                \
    CALL(121, getpgid, (int pid), 1, ONCE)                                                         \
    RESULT(124, getsid, sys_getpgid(frame->rdi), ONCE)                                             \
    CALL(125, capget, (uaddr_t header, uaddr_t data), 2, ONCE)                                     \
    CALL(127, rt_sigpending, (uaddr_t out, size_t mask_size), 2, ONCE)                             \
    CALL(128, rt_sigtimedwait, (uaddr_t set, uaddr_t info, uaddr_t timeout, size_t mask_size), 4,  \
         ONCE)                                                                                     \
    CALL(129, rt_sigqueueinfo, (int pid, int number, uaddr_t info), 3, ONCE)                       \
    CALL(130, rt_sigsuspend, (uaddr_t mask, size_t mask_size), 2, ONCE)                            \
    CALL(131, sigaltstack, (struct trap_frame *frame), F, ONCE)                                    \
    CALL(137, statfs, (uaddr_t path, uaddr_t out), 2, ONCE)                                        \
    CALL(138, fstatfs, (int fd, uaddr_t out), 2, ONCE)                                             \
    CALL(140, getpriority, (int which, int who), 2, ONCE)                                          \
    CALL(141, setpriority, (int which, int who, int nice), 3, ONCE)                                \
    CALL(142, sched_setparam, (int id, uaddr_t from), 2, ONCE)                                     \
    CALL(143, sched_getparam, (int id, uaddr_t out), 2, ONCE)                                      \
    CALL(144, sched_setscheduler, (int id, int policy, uaddr_t from), 3, ONCE)                     \
    CALL(145, sched_getscheduler, (int id), 1, ONCE)                                               \
    CALL(146, sched_get_priority_max, (int policy), 1, ONCE)                                       \
    RESULT(147, sched_get_priority_min, MIN(sys_sched_get_priority_max(frame->rdi), 1), ONCE)      \
    CALL(149, mlock, (uaddr_t at, uint64_t length), 2, ONCE)                                       \
    CALL(150, munlock, (uaddr_t at, uint64_t length), 2, ONCE)                                     \
    CALL(151, mlockall, (unsigned flags), 1, ONCE)                                                 \
    CALL(152, munlockall, (void), 0, ONCE)                                                         \
    CALL(157, prctl, (int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d), 5, ONCE)        \
    CALL(158, arch_prctl, (unsigned code, uint64_t argument), 2, ONCE)                             \
    RESULT(160, setrlimit, sys_prlimit64(PAYLOAD_PID, frame->rdi, frame->rsi, 0), ONCE)            \
    RESULT(162, sync, 0, ONCE)                                                                     \
    RESULT(186, gettid, task_current()->id, ONCE)                                                  \
    CALL(200, tkill, (int id, int number), 2, ONCE)                                                \
    CALL(201, time, (uaddr_t out), 1, ONCE)                                                        \
    CALL(202, futex, (uaddr_t word, unsigned operation, uint32_t value, uint64_t timeout,          \
         uaddr_t second_word, uint32_t value3), 6, RESTART)                                        \
    CALL(203, sched_setaffinity, (int id, size_t size, uaddr_t mask), 3, ONCE)                     \
    CALL(204, sched_getaffinity, (int id, size_t size, uaddr_t mask), 3, ONCE)                     \
    RESULT(213, epoll_create, (int)frame->rdi > 0 ? fd_install(epoll_create(), false) : -EINVAL,   \
           ONCE)                                                                                   \
    CALL(217, getdents64, (int fd, uaddr_t buffer, unsigned size), 3, ONCE)                        \
    CALL(218, set_tid_address, (uaddr_t address), 1, ONCE)                                         \
    RESULT(221, fadvise64, fd_is_file((int)frame->rdi) ? 0 : -EBADF, ONCE)                         \
    CALL(228, clock_gettime, (int clock, uaddr_t out), 2, ONCE)                                    \
    CALL(229, clock_getres, (int clock, uaddr_t out), 2, ONCE)                                     \
    CALL(230, clock_nanosleep, (int clock, unsigned flags, uaddr_t request, uaddr_t remain), 4,    \
         ONCE)                                                                                     \
    CALL(231, exit_group, (int status), 1, ONCE)                                                   \
    CALL(232, epoll_wait, (int epoll, uaddr_t events, int count, int timeout_ms), 4, ONCE)         \
    CALL(233, epoll_ctl, (int epoll, int operation, int fd, uaddr_t event), 4, ONCE)               \
    CALL(234, tgkill, (int pid, int id, int number), 3, ONCE)                                      \
    CALL(237, mbind, (uaddr_t at, uint64_t length, unsigned mode, uaddr_t mask, uint64_t bits,     \
         unsigned flags), 6, ONCE)                                                                 \
    CALL(238, set_mempolicy, (unsigned mode, uaddr_t mask, uint64_t bits), 3, ONCE)                \
    CALL(239, get_mempolicy, (uaddr_t mode, uaddr_t mask, uint64_t bits, uaddr_t at,               \
         unsigned flags), 5, ONCE)                                                                 \
    CALL(257, openat, (int directory, uaddr_t path, unsigned flags, uint32_t mode), 4, RESTART)    \
    CALL(258, mkdirat, (int directory, uaddr_t path, uint32_t mode), 3, ONCE)                      \
    CALL(262, newfstatat, (int directory, uaddr_t path, uaddr_t out, unsigned flags), 4, ONCE)     \
    CALL(263, unlinkat, (int directory, uaddr_t path, unsigned flags), 3, ONCE)                    \
    RESULT(264, renameat, sys_renameat2(frame->rdi, frame->rsi, frame->rdx, frame->r10, 0), ONCE)  \
    CALL(266, symlinkat, (uaddr_t target, int directory, uaddr_t path), 3, ONCE)                   \
    CALL(267, readlinkat, (int directory, uaddr_t path, uaddr_t buffer, int size), 4, ONCE)        \
    CALL(268, fchmodat, (int directory, uaddr_t path, uint32_t mode), 3, ONCE)                     \
    RESULT(269, faccessat, sys_faccessat2(frame->rdi, frame->rsi, frame->rdx, 0), ONCE)            \
    CALL(270, pselect6, (int count, uaddr_t in, uaddr_t out, uaddr_t except, uaddr_t timeout,      \
         uaddr_t mask), 6, ONCE)                                                                   \
    CALL(271, ppoll, (uaddr_t entries, unsigned count, uaddr_t timeout, uaddr_t mask,              \
         size_t mask_size), 5, ONCE)                                                               \
    CALL(273, set_robust_list, (uaddr_t head, size_t size), 2, ONCE)                               \
    CALL(274, get_robust_list, (int id, uaddr_t head, uaddr_t size), 3, ONCE)                      \
    CALL(281, epoll_pwait, (int epoll, uaddr_t events, int count, int timeout_ms, uaddr_t mask,    \
         size_t mask_size), 6, ONCE)                                                               \
    RESULT(282, signalfd, sys_signalfd4((int)frame->rdi, frame->rsi, frame->rdx, 0), ONCE)         \
    CALL(283, timerfd_create, (int clock, unsigned flags), 2, ONCE)                                \
    RESULT(284, eventfd, sys_eventfd2(frame->rdi, 0), ONCE)                                        \
    CALL(285, fallocate, (int fd, int mode, int64_t offset, int64_t length), 4, ONCE)              \
    CALL(286, timerfd_settime, (int fd, unsigned flags, uaddr_t value, uaddr_t old), 4, ONCE)      \
    CALL(287, timerfd_gettime, (int fd, uaddr_t value), 2, ONCE)                                   \
    CALL(289, signalfd4, (int fd, uaddr_t mask, size_t size, unsigned flags), 4, ONCE)             \
    CALL(290, eventfd2, (unsigned initial, unsigned flags), 2, ONCE)                               \
    CALL(291, epoll_create1, (unsigned flags), 1, ONCE)                                            \
    CALL(292, dup3, (int fd, int target, int flags), 3, ONCE)                                      \
    CALL(293, pipe2, (uaddr_t out, unsigned flags), 2, ONCE)                                       \
    CALL(295, preadv, (int fd, uaddr_t vectors, int count, int64_t position), 4, RESTART)          \
    CALL(296, pwritev, (int fd, uaddr_t vectors, int count, int64_t position), 4, RESTART)         \
    CALL(297, rt_tgsigqueueinfo, (int pid, int id, int number, uaddr_t info), 4, ONCE)             \
    CALL(302, prlimit64, (int pid, unsigned which, uaddr_t in, uaddr_t out), 4, ONCE)              \
    RESULT(306, syncfs, fd_is_file((int)frame->rdi) ? 0 : -EBADF, ONCE)                            \
    CALL(309, getcpu, (uaddr_t cpu, uaddr_t node), 2, ONCE)                                        \
    CALL(316, renameat2, (int from_directory, uaddr_t from, int to_directory, uaddr_t to,          \
         unsigned flags), 5, ONCE)                                                                 \
    CALL(318, getrandom, (uaddr_t buffer, size_t length, unsigned flags), 3, RESTART)              \
    CALL(319, memfd_create, (uaddr_t name, unsigned flags), 2, ONCE)                               \
    CALL(324, membarrier, (int command, unsigned flags), 2, ONCE)                                  \
    CALL(325, mlock2, (uaddr_t at, uint64_t length, unsigned flags), 3, ONCE)                      \
    CALL(332, statx, (int directory, uaddr_t path, unsigned flags, unsigned mask, uaddr_t out),    \
         5, ONCE)                                                                                  \
    CALL(434, pidfd_open, (int pid, unsigned flags), 2, ONCE)                                      \
    CALL(435, clone3, (struct trap_frame *frame), F, ONCE)                                         \
    CALL(436, close_range, (unsigned first, unsigned last, unsigned flags), 3, ONCE)               \
    CALL(439, faccessat2, (int directory, uaddr_t path, unsigned mode, unsigned flags), 4, ONCE)   \
    CALL(441, epoll_pwait2, (int epoll, uaddr_t events, int count, uaddr_t timeout, uaddr_t mask,  \
         size_t mask_size), 6, ONCE)
/* clang-format on */

#define SYSCALL_PROTOTYPE(number, name, parameters, count, restart) int64_t sys_##name parameters;
#define SYSCALL_NOTHING(number, name, expression, restart)
SYSCALL_TABLE(SYSCALL_PROTOTYPE, SYSCALL_NOTHING)

#endif
