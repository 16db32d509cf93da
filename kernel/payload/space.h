/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The payload's address space: what is mapped where, with which frames or memory objects behind it.
 * The mmap family of system calls (sys_memory.c) and the program loader stand on it.
 */
#ifndef KERNEL_PAYLOAD_SPACE_H
#define KERNEL_PAYLOAD_SPACE_H

#include "kernel/ioas/source.h"
#include "kernel/lib/format.h"
#include "kernel/lib/types.h"
#include "kernel/mm/paging.h"

struct space;

/* -ENOMEM. `memlock` is the limit of mlock in bytes. */
int space_create(uint64_t memlock, struct space **out);
/* setrlimit(2) of RLIMIT_MEMLOCK and RLIMIT_STACK, in bytes. */
void space_set_memlock(struct space *space, uint64_t limit);
void space_set_stack_limit(struct space *space, uint64_t limit);
/* The payload's memory by its addresses, for DMA mappings; keeps what is pinned, not the space. */
struct ioas_source space_source(struct space *space);
/* Unmaps everything and gives all frames back. The space must not be active. */
void space_destroy(struct space *space);
struct cpu_space *space_cpu(struct space *space);

/*
 * For the loader. Anonymous zeroed memory at exactly [at, at + length), page aligned, with
 * PAGE_READ, PAGE_WRITE, PAGE_EXEC. -ENOMEM, -EEXIST when something is there.
 */
int space_map(struct space *space, uaddr_t at, uint64_t length, unsigned flags, const char *name);
/* Changes the access of a range that is wholly mapped. -ENOMEM. */
int space_protect(struct space *space, uaddr_t at, uint64_t length, unsigned flags);
/* The main thread's stack, which grows down to `limit` bytes. *top is its end, page aligned. */
int space_map_stack(struct space *space, uint64_t limit, uaddr_t *top);
/* Where brk(2) starts: page aligned. */
void space_set_break(struct space *space, uaddr_t start);

/* user_ops.page_fault for this space: true if the page is there now (a stack that grows). */
bool space_fault(struct space *space, uaddr_t address, uint64_t error);
/* Why an access to the address failed, for the signal. */
enum space_reason {
    SPACE_UNMAPPED,  /* SIGSEGV, SEGV_MAPERR */
    SPACE_FORBIDDEN, /* SIGSEGV, SEGV_ACCERR */
    SPACE_GONE, /* SIGBUS, BUS_ADRERR: beyond the end of a file, or a device that was revoked */
};
enum space_reason space_explain(struct space *space, uaddr_t address);

/* Text of /proc/self/maps. */
void space_show_maps(struct space *space, struct text *out);
/* For /proc/self/pagemap: is there a frame behind the page, and does it belong to a file? */
bool space_resident(struct space *space, uaddr_t page, bool *file);
struct space_stats {
    uint64_t mapped;   /* bytes of address space in mappings */
    uint64_t resident; /* bytes with frames behind them */
    uint64_t locked;   /* bytes under mlock */
    uint64_t stack, data, text;
};
void space_stats(struct space *space, struct space_stats *out);

#endif
