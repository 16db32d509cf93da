/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory system calls. Arguments and results are those of the Linux manual page of the same
 * name (section 2). A result is a value or a negative error.
 */
#ifndef KERNEL_LINUX_MEMORY_SYS_MEMORY_H
#define KERNEL_LINUX_MEMORY_SYS_MEMORY_H

#include "kernel/lib/types.h"

int64_t sys_mmap(uaddr_t at, uint64_t length, unsigned protection, unsigned flags, int fd,
                 uint64_t offset);
int64_t sys_munmap(uaddr_t at, uint64_t length);
int64_t sys_mprotect(uaddr_t at, uint64_t length, uint64_t protection);
int64_t sys_mremap(uaddr_t at, uint64_t old_length, uint64_t length, uint64_t flags, uaddr_t to);
int64_t sys_madvise(uaddr_t at, uint64_t length, unsigned advice);
int64_t sys_mlock(uaddr_t at, uint64_t length);
int64_t sys_mlock2(uaddr_t at, uint64_t length, unsigned flags);
int64_t sys_munlock(uaddr_t at, uint64_t length);
int64_t sys_mlockall(unsigned flags);
int64_t sys_munlockall(void);
int64_t sys_msync(uaddr_t at, uint64_t length, unsigned flags);
int64_t sys_mincore(uaddr_t at, uint64_t length, uaddr_t vector);
/* Never an error: the break as it is afterwards. */
int64_t sys_brk(uaddr_t to);

#endif
