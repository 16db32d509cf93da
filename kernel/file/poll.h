/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for the first of several files: what poll(2) and select(2) have in common. */
#ifndef KERNEL_FILE_POLL_H
#define KERNEL_FILE_POLL_H

#include "kernel/file/file.h"

/* Event bits of the interface that say the same as POLL_IN and POLL_OUT. */
enum poll_normal {
    POLL_RDNORM = 0x40,
    POLL_WRNORM = 0x100,
};

/* Entries that may wait at one time, of all threads together: one event may wake them all. */
#define POLL_WAITING_MAX 32768

struct poll_entry {
    struct file *file; /* referenced by the caller; NULL: `ready` stays as it is */
    unsigned events;   /* asked for; POLL_ERR and POLL_HUP are always reported */
    unsigned ready;    /* result */
    struct waiter waiter;
};

/*
 * Fills `ready` of every entry; sleeps while all are 0, until the deadline (time_ns() terms; 0: not
 * at all). Returns how many are not 0, -EINTR, or -ENOMEM when too many wait already.
 */
int poll_entries(struct poll_entry *entries, unsigned count, uint64_t deadline_ns);
/* file_poll() with the bits of enum poll_normal added. */
unsigned poll_ready(struct file *file);

#endif
