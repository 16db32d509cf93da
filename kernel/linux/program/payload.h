/* SPDX-License-Identifier: BSD-2-Clause */
/* The payload: one program in user mode. What kernel/main.c needs to start and end it. */
#ifndef KERNEL_LINUX_PROGRAM_PAYLOAD_H
#define KERNEL_LINUX_PROGRAM_PAYLOAD_H

#include "kernel/ioas/ioas.h"
#include "kernel/lib/refusal.h"
#include "kernel/lib/types.h"

struct config;

/* How it ended. */
struct payload_exit {
    int status;        /* 0 to 255: of exit(2), or 128 + signal */
    int signal;        /* the signal that ended it; 0: it called exit */
    const char *cause; /* of the signal, in words; NULL without one */
    bool inside;       /* the signal came to a thread in user mode, at rip */
    uaddr_t rip;
};

/*
 * Makes the payload ready to run: /dev, /proc, /tmp and the archive's files in the tree, the
 * program (the archive itself, or its member payload.elf) in an address space of its own, a stack
 * with arguments, three descriptors on the console. The archive is not needed afterwards.
 * 0, or a negative error with *why filled and everything undone.
 */
int payload_load(const void *archive, uint64_t size, const struct config *config,
                 struct refusal *why);

/* Whose memory the device files map, and who pays: valid as long as the payload is loaded. */
const struct ioas_user *payload_user(void);

/*
 * Runs the loaded payload to its end: all its threads are gone, its files are still open. Sleeps;
 * call it in a thread.
 */
struct payload_exit payload_run(void);
/*
 * Takes the payload apart when it has ended: all files are closed (which stops devices), then its
 * memory is given back.
 */
void payload_take_apart(void);

/*
 * Ends the running payload from outside (a time limit, a policy), as by the given signal. `reason`
 * goes into the log. True if this ended it; false: it was ending, or is not running. Safe in an
 * interrupt handler.
 */
bool payload_kill(int signal, const char *reason);

#endif
