/* SPDX-License-Identifier: BSD-2-Clause */
/* The report of a run: one JSON object, written bytewise to a port. Format: docs/report.md. */
#ifndef KERNEL_REPORT_REPORT_H
#define KERNEL_REPORT_REPORT_H

#include "kernel/machine/exit.h"
#include "kernel/lib/types.h"

/* What this build calls itself, and a door's name (enum boot_door). */
const char *report_version(void);
const char *report_door(uint32_t door);

/* Notes that a step of the story ended now. `step` is a constant. */
void report_step(const char *step);

struct report_end {
    enum end_reason reason;
    int status;           /* exit status of the payload, or the signal that ended it */
    const char *sentence; /* why, in words; NULL or empty: nothing to add */
    bool located;         /* a signal came to the payload at rip */
    uaddr_t rip;
};

/* Everything the layers know, and how it ended. `door` is an enum boot_door. */
void report_write(uint16_t port, uint32_t door, const struct report_end *end);

#endif
