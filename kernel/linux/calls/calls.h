/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions behind the rows of syscall_table.h, one prototype each. Arguments and results are
 * those of the Linux manual page of the same name (section 2); docs/system-calls.md says what each
 * lacks. A result is a value or a negative error.
 */
#ifndef KERNEL_LINUX_CALLS_CALLS_H
#define KERNEL_LINUX_CALLS_CALLS_H

#include "kernel/lib/types.h"

struct trap_frame;

/* sys_io.c: reading and writing */
int64_t sys_read(int fd, uaddr_t buffer, size_t length);
int64_t sys_write(int fd, uaddr_t buffer, size_t length);
int64_t sys_pread64(int fd, uaddr_t buffer, size_t length, int64_t position);
int64_t sys_pwrite64(int fd, uaddr_t buffer, size_t length, int64_t position);
int64_t sys_readv(int fd, uaddr_t vectors, int count);
int64_t sys_writev(int fd, uaddr_t vectors, int count);
int64_t sys_preadv(int fd, uaddr_t vectors, int count, int64_t position);
int64_t sys_pwritev(int fd, uaddr_t vectors, int count, int64_t position);

/* sys_file.c: descriptors and open files */
int64_t sys_close(int fd);
int64_t sys_close_range(unsigned first, unsigned last, unsigned flags);
int64_t sys_dup(int fd);
int64_t sys_dup2(int fd, int target);
int64_t sys_dup3(int fd, int target, int flags);
int64_t sys_fcntl(int fd, unsigned command, uint64_t argument);
int64_t sys_flock(int fd, int operation);
int64_t sys_ioctl(int fd, uint32_t command, uint64_t argument);
int64_t sys_lseek(int fd, int64_t offset, int whence);
int64_t sys_ftruncate(int fd, int64_t size);
int64_t sys_fsync(int fd);
int64_t sys_fdatasync(int fd);
int64_t sys_fadvise64(int fd, int64_t offset, int64_t length, int advice);
int64_t sys_fallocate(int fd, int mode, int64_t offset, int64_t length);
int64_t sys_getdents64(int fd, uaddr_t buffer, unsigned size);

/* sys_path.c: names */
int64_t sys_open(uaddr_t path, unsigned flags, uint32_t mode);
int64_t sys_openat(int directory, uaddr_t path, unsigned flags, uint32_t mode);
int64_t sys_creat(uaddr_t path, uint32_t mode);
int64_t sys_access(uaddr_t path, unsigned mode);
int64_t sys_faccessat(int directory, uaddr_t path, unsigned mode);
int64_t sys_faccessat2(int directory, uaddr_t path, unsigned mode, unsigned flags);
int64_t sys_readlink(uaddr_t path, uaddr_t buffer, int size);
int64_t sys_readlinkat(int directory, uaddr_t path, uaddr_t buffer, int size);
int64_t sys_getcwd(uaddr_t buffer, size_t size);
int64_t sys_chdir(uaddr_t path);
int64_t sys_fchdir(int fd);
int64_t sys_mkdir(uaddr_t path, uint32_t mode);
int64_t sys_mkdirat(int directory, uaddr_t path, uint32_t mode);
int64_t sys_rmdir(uaddr_t path);
int64_t sys_unlink(uaddr_t path);
int64_t sys_unlinkat(int directory, uaddr_t path, unsigned flags);
int64_t sys_rename(uaddr_t from, uaddr_t to);
int64_t sys_renameat(int from_directory, uaddr_t from, int to_directory, uaddr_t to);
int64_t sys_renameat2(int from_directory, uaddr_t from, int to_directory, uaddr_t to,
                      unsigned flags);
int64_t sys_symlink(uaddr_t target, uaddr_t path);
int64_t sys_symlinkat(uaddr_t target, int directory, uaddr_t path);
int64_t sys_truncate(uaddr_t path, int64_t size);
int64_t sys_umask(uint32_t mask);
int64_t sys_chmod(uaddr_t path, uint32_t mode);
int64_t sys_fchmod(int fd, uint32_t mode);
int64_t sys_fchmodat(int directory, uaddr_t path, uint32_t mode);

/* sys_stat.c */
int64_t sys_stat(uaddr_t path, uaddr_t out);
int64_t sys_lstat(uaddr_t path, uaddr_t out);
int64_t sys_fstat(int fd, uaddr_t out);
int64_t sys_newfstatat(int directory, uaddr_t path, uaddr_t out, unsigned flags);
int64_t sys_statx(int directory, uaddr_t path, unsigned flags, unsigned mask, uaddr_t out);
int64_t sys_statfs(uaddr_t path, uaddr_t out);
int64_t sys_fstatfs(int fd, uaddr_t out);

/* sys_poll.c: waiting for descriptors */
int64_t sys_poll(uaddr_t entries, unsigned count, int timeout_ms);
int64_t sys_ppoll(uaddr_t entries, unsigned count, uaddr_t timeout, uaddr_t mask, size_t mask_size);
int64_t sys_select(int count, uaddr_t in, uaddr_t out, uaddr_t except, uaddr_t timeout);
int64_t sys_pselect6(int count, uaddr_t in, uaddr_t out, uaddr_t except, uaddr_t timeout,
                     uaddr_t mask);
int64_t sys_epoll_create(int size);
int64_t sys_epoll_create1(unsigned flags);
int64_t sys_epoll_ctl(int epoll, int operation, int fd, uaddr_t event);
int64_t sys_epoll_wait(int epoll, uaddr_t events, int count, int timeout_ms);
int64_t sys_epoll_pwait(int epoll, uaddr_t events, int count, int timeout_ms, uaddr_t mask,
                        size_t mask_size);
int64_t sys_epoll_pwait2(int epoll, uaddr_t events, int count, uaddr_t timeout, uaddr_t mask,
                         size_t mask_size);

/* sys_event.c: files without a name */
int64_t sys_eventfd(unsigned initial);
int64_t sys_eventfd2(unsigned initial, unsigned flags);
int64_t sys_pipe(uaddr_t fds);
int64_t sys_pipe2(uaddr_t out, unsigned flags);
int64_t sys_memfd_create(uaddr_t name, unsigned flags);
int64_t sys_timerfd_create(int clock, unsigned flags);
int64_t sys_timerfd_settime(int fd, unsigned flags, uaddr_t value, uaddr_t old);
int64_t sys_timerfd_gettime(int fd, uaddr_t value);

/* sys_time.c */
int64_t sys_clock_gettime(int clock, uaddr_t out);
int64_t sys_clock_getres(int clock, uaddr_t out);
int64_t sys_clock_nanosleep(int clock, unsigned flags, uaddr_t request, uaddr_t remain);
int64_t sys_nanosleep(uaddr_t request, uaddr_t remain);
int64_t sys_gettimeofday(uaddr_t out, uaddr_t zone);
int64_t sys_time(uaddr_t out);
int64_t sys_times(uaddr_t out);
int64_t sys_alarm(unsigned seconds);
int64_t sys_setitimer(int which, uaddr_t in, uaddr_t old);
int64_t sys_getitimer(int which, uaddr_t out);

/* sys_thread.c */
int64_t sys_clone(struct trap_frame *frame);
int64_t sys_clone3(struct trap_frame *frame);
int64_t sys_exit(int status);
int64_t sys_exit_group(int status);
int64_t sys_set_tid_address(uaddr_t address);
int64_t sys_set_robust_list(uaddr_t head, size_t size);
int64_t sys_get_robust_list(int id, uaddr_t head, uaddr_t size);
int64_t sys_arch_prctl(unsigned code, uint64_t argument);
int64_t sys_futex(uaddr_t word, unsigned operation, uint32_t value, uint64_t timeout,
                  uaddr_t second_word, uint32_t value3);
int64_t sys_sched_yield(void);
int64_t sys_sched_getaffinity(int id, size_t size, uaddr_t mask);
int64_t sys_sched_setaffinity(int id, size_t size, uaddr_t mask);
int64_t sys_sched_getscheduler(int id);
int64_t sys_sched_getparam(int id, uaddr_t out);
int64_t sys_sched_get_priority_max(int policy);
int64_t sys_sched_get_priority_min(int policy);
int64_t sys_getcpu(uaddr_t cpu, uaddr_t node);
int64_t sys_gettid(void);

/* sys_signal.c */
int64_t sys_rt_sigaction(int number, uaddr_t action, uaddr_t old, size_t mask_size);
int64_t sys_rt_sigprocmask(int how, uaddr_t set, uaddr_t old, size_t mask_size);
int64_t sys_rt_sigpending(uaddr_t out, size_t mask_size);
int64_t sys_rt_sigsuspend(uaddr_t mask, size_t mask_size);
int64_t sys_rt_sigtimedwait(uaddr_t set, uaddr_t info, uaddr_t timeout, size_t mask_size);
int64_t sys_rt_sigqueueinfo(int pid, int number, uaddr_t info);
int64_t sys_rt_tgsigqueueinfo(int pid, int id, int number, uaddr_t info);
int64_t sys_rt_sigreturn(struct trap_frame *frame);
int64_t sys_sigaltstack(struct trap_frame *frame);
int64_t sys_kill(int pid, int number);
int64_t sys_tkill(int id, int number);
int64_t sys_tgkill(int pid, int id, int number);
int64_t sys_pause(void);

/* sys_identity.c: who the payload is and what it may use */
int64_t sys_getpid(void);
int64_t sys_getppid(void);
int64_t sys_getuid(void);
int64_t sys_getgid(void);
int64_t sys_geteuid(void);
int64_t sys_getegid(void);
int64_t sys_getresuid(uaddr_t real, uaddr_t effective, uaddr_t saved);
int64_t sys_getresgid(uaddr_t real, uaddr_t effective, uaddr_t saved);
int64_t sys_getgroups(int size, uaddr_t list);
int64_t sys_getpgrp(void);
int64_t sys_getpgid(int pid);
int64_t sys_getsid(int pid);
int64_t sys_capget(uaddr_t header, uaddr_t data);
int64_t sys_uname(uaddr_t out);
int64_t sys_sysinfo(uaddr_t out);
int64_t sys_getrandom(uaddr_t buffer, size_t length, unsigned flags);
int64_t sys_getrlimit(unsigned which, uaddr_t out);
int64_t sys_setrlimit(unsigned which, uaddr_t in);
int64_t sys_prlimit64(int pid, unsigned which, uaddr_t in, uaddr_t out);
int64_t sys_getrusage(int who, uaddr_t out);
int64_t sys_prctl(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
int64_t sys_getpriority(int which, int who);

#endif
