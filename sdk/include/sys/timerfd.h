/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SYS_TIMERFD_H
#define _SYS_TIMERFD_H

#include <fcntl.h>
#include <sys/cdefs.h>
#include <time.h>

#define TFD_NONBLOCK      O_NONBLOCK
#define TFD_CLOEXEC       O_CLOEXEC
#define TFD_TIMER_ABSTIME 1

__BEGIN_DECLS
int timerfd_create(int, int);
int timerfd_settime(int, int, const struct itimerspec *, struct itimerspec *);
int timerfd_gettime(int, struct itimerspec *);
__END_DECLS

#endif
