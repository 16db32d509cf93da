/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stream: records for the host that runs the machine, written to a debug port such as QEMU's
 * isa-debugcon (key `stream-port`). The kernel sends numbers and bytes; names, symbols and
 * sentences are made of them on the host. docs/report.md has the format.
 *
 * A record is a header and its bytes, with nothing in between: who writes one does not breathe or
 * sleep from stream_begin() to its last byte, with interrupts out if a handler also writes records.
 */
#ifndef KERNEL_MACHINE_CONSOLE_STREAM_H
#define KERNEL_MACHINE_CONSOLE_STREAM_H

#include "kernel/lib/types.h"

#define STREAM_BYTES_MAX 4096u /* of one record: what is longer is sent in several */

/* What the bytes of a record are; tools/bulkhead/stream.py has the same numbers. */
enum stream_kind {
    STREAM_FILE = 1, /* 1 to 15: files that the payload leaves (kernel/linux/program/out.c) */
    STREAM_FILE_DATA,
    STREAM_FILE_UP,
    STREAM_FILE_END,
    STREAM_CRASH = 16, /* 16 to 31: how it was when it was ended (kernel/linux/program/crash.c) */
    STREAM_CRASH_THREAD,
    STREAM_CRASH_STACK,
    STREAM_CRASH_MAPPING,
    STREAM_CRASH_SPAN,
    STREAM_CRASH_MEMORY,
    STREAM_CRASH_END,
    STREAM_TRACE = 32,  /* 32 to 63: what it does (trace.h) */
    STREAM_OUTPUT = 64, /* what it writes to its console, if that goes here */
    STREAM_INPUT = 65,  /* where its input is taken from: kernel/machine/console/input.h */
};

struct stream_header {
    uint32_t kind;
    uint32_t length; /* of what follows, in bytes */
};

/* The records go to an I/O port (0: nowhere) from now on; is the payload's output among them? */
void stream_open(uint16_t to, bool output);
bool stream_has_output(void);
bool stream_is_open(void);
/* Begins a record of `length` bytes, STREAM_BYTES_MAX at most; they follow by stream_put(). */
void stream_begin(unsigned kind, size_t length);
void stream_put(const void *bytes, size_t length);
/* A whole record. */
void stream_record(unsigned kind, const void *bytes, size_t length);
/* A whole record of somebody who may let others in before and after it, which it counts. */
void stream_send(unsigned kind, const void *bytes, size_t length);
/*
 * Memory that begins at `at`, as such records: pieces with the place of each in front (u64). Those
 * that are all zero are left out. Returns how many bytes of it were sent.
 */
uint64_t stream_send_memory(unsigned kind, uint64_t at, const void *bytes, uint64_t length);

#endif
