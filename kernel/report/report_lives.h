/* SPDX-License-Identifier: BSD-2-Clause */
/* The lives of the payload, for the report: how each ended, and what was in use after it. */
#ifndef KERNEL_REPORT_REPORT_LIVES_H
#define KERNEL_REPORT_REPORT_LIVES_H

#include "kernel/report/report.h"

struct json;

/* Notes a life that ended so; everything of it has been taken apart. */
void report_life(const struct report_end *end);
/* Notes why there is no other one. The sentence must stay. */
void report_no_restart(const char *sentence);

/* The member "lives". */
void report_lives(struct json *json);

#endif
