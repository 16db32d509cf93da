/* SPDX-License-Identifier: BSD-2-Clause */
/* newlib's own, and the calls it does not declare. */
#ifndef BULKHEAD_UNISTD_H
#define BULKHEAD_UNISTD_H

#include_next <unistd.h>

__BEGIN_DECLS
/* Any system call by its Linux number (<sys/syscall.h>): -1 with errno set on failure. */
long syscall(long, ...);
pid_t gettid(void);
__END_DECLS

#endif
