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

/* Notes a life of the payload that ended so; everything of it has been taken apart. */
void report_life(const struct report_end *end);
/* Notes why there is no other one. The sentence must stay. */
void report_no_restart(const char *sentence);

struct json;
/* Parts of the report: the lives of the payload, how each ended, and what was in use after it; */
void report_lives(struct json *json);
/* "groups" (all of them) and "assigned" (names of the assigned devices). */
void report_groups(struct json *json);

/*
 * What `show = devices` tells of every PCI function (docs/devices.md): writes some lines for each
 * to the console, whatever the log level, for people to read, and for `./bulkhead devices`. Call
 * when groups are built and assigned devices are known.
 */
void show_devices(void);

#endif
