/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _SCHED_H_
#define _SCHED_H_

#include <string.h>
#include <sys/cdefs.h>
#include <sys/sched.h>
#include <sys/types.h>

#define CPU_SETSIZE 1024

typedef struct {
    unsigned long __bits[CPU_SETSIZE / 64];
} cpu_set_t;

#define CPU_ZERO(set)       memset((set), 0, sizeof(cpu_set_t))
#define CPU_SET(cpu, set)   ((set)->__bits[(cpu) / 64] |= 1UL << ((cpu) % 64))
#define CPU_CLR(cpu, set)   ((set)->__bits[(cpu) / 64] &= ~(1UL << ((cpu) % 64)))
#define CPU_ISSET(cpu, set) ((set)->__bits[(cpu) / 64] >> ((cpu) % 64) & 1)
#define CPU_COUNT(set)      sdk_count_cpus(set)

__BEGIN_DECLS
int sched_yield(void);
int sched_getcpu(void);
int sched_setscheduler(pid_t, int, const struct sched_param *);
int sched_getscheduler(pid_t);
int sched_getparam(pid_t, struct sched_param *);
int sched_get_priority_max(int);
int sched_get_priority_min(int);
int sched_setaffinity(pid_t, size_t, const cpu_set_t *);
int sched_getaffinity(pid_t, size_t, cpu_set_t *);
int sdk_count_cpus(const cpu_set_t *);
__END_DECLS

#endif
