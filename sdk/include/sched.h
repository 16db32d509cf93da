/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SCHED_H_
#define _SCHED_H_

#include <sys/cdefs.h>
#include <sys/types.h>

__BEGIN_DECLS
int sched_yield(void);
int sched_getcpu(void);
__END_DECLS

#endif
