/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system calls we have: number, name, how many arguments (F: the call gets the registers
 * instead), and whether it starts again when a handler installed with SA_RESTART interrupts it
 * (signal(7)). docs/system-calls.md must have the same rows; a test compares them.
 */
#ifndef KERNEL_LINUX_CALLS_SYSCALL_TABLE_H
#define KERNEL_LINUX_CALLS_SYSCALL_TABLE_H

enum syscall_restart {
    ONCE,
    RESTART,
};

/* clang-format off */
#define SYSCALL_TABLE(ROW)                                                                         \
    ROW(0, read, 3, RESTART)                                                                       \
    ROW(1, write, 3, RESTART)                                                                      \
    ROW(2, open, 3, RESTART)                                                                       \
    ROW(3, close, 1, ONCE)                                                                         \
    ROW(4, stat, 2, ONCE)                                                                          \
    ROW(5, fstat, 2, ONCE)                                                                         \
    ROW(6, lstat, 2, ONCE)                                                                         \
    ROW(7, poll, 3, ONCE)                                                                          \
    ROW(8, lseek, 3, ONCE)                                                                         \
    ROW(9, mmap, 6, ONCE)                                                                          \
    ROW(10, mprotect, 3, ONCE)                                                                     \
    ROW(11, munmap, 2, ONCE)                                                                       \
    ROW(12, brk, 1, ONCE)                                                                          \
    ROW(13, rt_sigaction, 4, ONCE)                                                                 \
    ROW(14, rt_sigprocmask, 4, ONCE)                                                               \
    ROW(15, rt_sigreturn, F, ONCE)                                                                 \
    ROW(16, ioctl, 3, RESTART)                                                                     \
    ROW(17, pread64, 4, RESTART)                                                                   \
    ROW(18, pwrite64, 4, RESTART)                                                                  \
    ROW(19, readv, 3, RESTART)                                                                     \
    ROW(20, writev, 3, RESTART)                                                                    \
    ROW(21, access, 2, ONCE)                                                                       \
    ROW(22, pipe, 1, ONCE)                                                                         \
    ROW(23, select, 5, ONCE)                                                                       \
    ROW(24, sched_yield, 0, ONCE)                                                                  \
    ROW(25, mremap, 5, ONCE)                                                                       \
    ROW(26, msync, 3, ONCE)                                                                        \
    ROW(27, mincore, 3, ONCE)                                                                      \
    ROW(28, madvise, 3, ONCE)                                                                      \
    ROW(32, dup, 1, ONCE)                                                                          \
    ROW(33, dup2, 2, ONCE)                                                                         \
    ROW(34, pause, 0, ONCE)                                                                        \
    ROW(35, nanosleep, 2, ONCE)                                                                    \
    ROW(36, getitimer, 2, ONCE)                                                                    \
    ROW(37, alarm, 1, ONCE)                                                                        \
    ROW(38, setitimer, 3, ONCE)                                                                    \
    ROW(39, getpid, 0, ONCE)                                                                       \
    ROW(56, clone, F, ONCE)                                                                        \
    ROW(60, exit, 1, ONCE)                                                                         \
    ROW(62, kill, 2, ONCE)                                                                         \
    ROW(63, uname, 1, ONCE)                                                                        \
    ROW(72, fcntl, 3, RESTART)                                                                     \
    ROW(73, flock, 2, RESTART)                                                                     \
    ROW(74, fsync, 1, ONCE)                                                                        \
    ROW(76, truncate, 2, ONCE)                                                                     \
    ROW(75, fdatasync, 1, ONCE)                                                                    \
    ROW(77, ftruncate, 2, ONCE)                                                                    \
    ROW(79, getcwd, 2, ONCE)                                                                       \
    ROW(80, chdir, 1, ONCE)                                                                        \
    ROW(81, fchdir, 1, ONCE)                                                                       \
    ROW(82, rename, 2, ONCE)                                                                       \
    ROW(83, mkdir, 2, ONCE)                                                                        \
    ROW(84, rmdir, 1, ONCE)                                                                        \
    ROW(85, creat, 2, ONCE)                                                                        \
    ROW(87, unlink, 1, ONCE)                                                                       \
    ROW(88, symlink, 2, ONCE)                                                                      \
    ROW(89, readlink, 3, ONCE)                                                                     \
    ROW(90, chmod, 2, ONCE)                                                                        \
    ROW(91, fchmod, 2, ONCE)                                                                       \
    ROW(95, umask, 1, ONCE)                                                                        \
    ROW(96, gettimeofday, 2, ONCE)                                                                 \
    ROW(97, getrlimit, 2, ONCE)                                                                    \
    ROW(98, getrusage, 2, ONCE)                                                                    \
    ROW(99, sysinfo, 1, ONCE)                                                                      \
    ROW(100, times, 1, ONCE)                                                                       \
    ROW(102, getuid, 0, ONCE)                                                                      \
    ROW(104, getgid, 0, ONCE)                                                                      \
    ROW(107, geteuid, 0, ONCE)                                                                     \
    ROW(108, getegid, 0, ONCE)                                                                     \
    ROW(110, getppid, 0, ONCE)                                                                     \
    ROW(111, getpgrp, 0, ONCE)                                                                     \
    ROW(115, getgroups, 2, ONCE)                                                                   \
    ROW(118, getresuid, 3, ONCE)                                                                   \
    ROW(120, getresgid, 3, ONCE)                                                                   \
    ROW(121, getpgid, 1, ONCE)                                                                     \
    ROW(124, getsid, 1, ONCE)                                                                      \
    ROW(125, capget, 2, ONCE)                                                                      \
    ROW(127, rt_sigpending, 2, ONCE)                                                               \
    ROW(128, rt_sigtimedwait, 4, ONCE)                                                             \
    ROW(129, rt_sigqueueinfo, 3, ONCE)                                                             \
    ROW(130, rt_sigsuspend, 2, ONCE)                                                               \
    ROW(131, sigaltstack, F, ONCE)                                                                 \
    ROW(137, statfs, 2, ONCE)                                                                      \
    ROW(138, fstatfs, 2, ONCE)                                                                     \
    ROW(140, getpriority, 2, ONCE)                                                                 \
    ROW(143, sched_getparam, 2, ONCE)                                                              \
    ROW(145, sched_getscheduler, 1, ONCE)                                                          \
    ROW(146, sched_get_priority_max, 1, ONCE)                                                      \
    ROW(147, sched_get_priority_min, 1, ONCE)                                                      \
    ROW(149, mlock, 2, ONCE)                                                                       \
    ROW(150, munlock, 2, ONCE)                                                                     \
    ROW(151, mlockall, 1, ONCE)                                                                    \
    ROW(152, munlockall, 0, ONCE)                                                                  \
    ROW(157, prctl, 5, ONCE)                                                                       \
    ROW(158, arch_prctl, 2, ONCE)                                                                  \
    ROW(160, setrlimit, 2, ONCE)                                                                   \
    ROW(186, gettid, 0, ONCE)                                                                      \
    ROW(200, tkill, 2, ONCE)                                                                       \
    ROW(201, time, 1, ONCE)                                                                        \
    ROW(202, futex, 6, RESTART)                                                                    \
    ROW(203, sched_setaffinity, 3, ONCE)                                                           \
    ROW(204, sched_getaffinity, 3, ONCE)                                                           \
    ROW(213, epoll_create, 1, ONCE)                                                                \
    ROW(217, getdents64, 3, ONCE)                                                                  \
    ROW(218, set_tid_address, 1, ONCE)                                                             \
    ROW(221, fadvise64, 4, ONCE)                                                                   \
    ROW(228, clock_gettime, 2, ONCE)                                                               \
    ROW(229, clock_getres, 2, ONCE)                                                                \
    ROW(230, clock_nanosleep, 4, ONCE)                                                             \
    ROW(231, exit_group, 1, ONCE)                                                                  \
    ROW(232, epoll_wait, 4, ONCE)                                                                  \
    ROW(233, epoll_ctl, 4, ONCE)                                                                   \
    ROW(234, tgkill, 3, ONCE)                                                                      \
    ROW(257, openat, 4, RESTART)                                                                   \
    ROW(258, mkdirat, 3, ONCE)                                                                     \
    ROW(262, newfstatat, 4, ONCE)                                                                  \
    ROW(263, unlinkat, 3, ONCE)                                                                    \
    ROW(264, renameat, 4, ONCE)                                                                    \
    ROW(266, symlinkat, 3, ONCE)                                                                   \
    ROW(267, readlinkat, 4, ONCE)                                                                  \
    ROW(268, fchmodat, 3, ONCE)                                                                    \
    ROW(269, faccessat, 3, ONCE)                                                                   \
    ROW(270, pselect6, 6, ONCE)                                                                    \
    ROW(271, ppoll, 5, ONCE)                                                                       \
    ROW(273, set_robust_list, 2, ONCE)                                                             \
    ROW(274, get_robust_list, 3, ONCE)                                                             \
    ROW(281, epoll_pwait, 6, ONCE)                                                                 \
    ROW(283, timerfd_create, 2, ONCE)                                                              \
    ROW(284, eventfd, 1, ONCE)                                                                     \
    ROW(285, fallocate, 4, ONCE)                                                                   \
    ROW(286, timerfd_settime, 4, ONCE)                                                             \
    ROW(287, timerfd_gettime, 2, ONCE)                                                             \
    ROW(290, eventfd2, 2, ONCE)                                                                    \
    ROW(291, epoll_create1, 1, ONCE)                                                               \
    ROW(292, dup3, 3, ONCE)                                                                        \
    ROW(293, pipe2, 2, ONCE)                                                                       \
    ROW(295, preadv, 4, RESTART)                                                                   \
    ROW(296, pwritev, 4, RESTART)                                                                  \
    ROW(297, rt_tgsigqueueinfo, 4, ONCE)                                                           \
    ROW(302, prlimit64, 4, ONCE)                                                                   \
    ROW(309, getcpu, 2, ONCE)                                                                      \
    ROW(316, renameat2, 5, ONCE)                                                                   \
    ROW(318, getrandom, 3, RESTART)                                                                \
    ROW(319, memfd_create, 2, ONCE)                                                                \
    ROW(325, mlock2, 3, ONCE)                                                                      \
    ROW(332, statx, 5, ONCE)                                                                       \
    ROW(435, clone3, F, ONCE)                                                                      \
    ROW(436, close_range, 3, ONCE)                                                                 \
    ROW(439, faccessat2, 4, ONCE)                                                                  \
    ROW(441, epoll_pwait2, 6, ONCE)
/* clang-format on */

#endif
