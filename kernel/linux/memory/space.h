/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The payload's address space: what is mapped where, with which frames or memory objects behind it.
 * The mmap family of system calls (sys_memory.c) and the program loader stand on it.
 *
 * Anonymous memory that is accessible has frames from the start, in the largest blocks available,
 * so that it is physically consecutive and can be pinned in few pieces. Frames come on first touch
 * for reservations (MAP_NORESERVE), thread stacks (MAP_STACK), files, and what madvise dropped.
 * Every change happens whole or not at all.
 */
#ifndef KERNEL_LINUX_MEMORY_SPACE_H
#define KERNEL_LINUX_MEMORY_SPACE_H

#include "kernel/ioas/ioas.h"
#include "kernel/lib/format.h"
#include "kernel/lib/types.h"
#include "kernel/mm/paging/paging.h"

struct space;
struct file;
struct memobj;

/* ---- life ---- */

/*
 * -ENOMEM. mlock is charged to `account`, which is the one that devices' pins are charged to: there
 * is one limit for both, as in Linux. It must outlive the space.
 */
int space_create(struct ioas_account *account, struct space **out);
/* setrlimit(2) of RLIMIT_MEMLOCK and RLIMIT_STACK, in bytes. */
void space_set_memlock(struct space *space, uint64_t limit);
void space_set_stack_limit(struct space *space, uint64_t limit);
/*
 * Unmaps everything, gives all frames back, closes mapped files (which may sleep). The space must
 * not be active.
 */
void space_destroy(struct space *space);
struct cpu_space *space_cpu(struct space *space);

/*
 * The payload's memory by its addresses, for DMA mappings. The source stays valid (but has nothing
 * to offer) after the space is destroyed, as long as it is referenced.
 */
struct ioas_source space_source(struct space *space);

/* ---- for the loader ---- */

/*
 * Anonymous zeroed memory at exactly [at, at + length), page aligned, with PAGE_READ, PAGE_WRITE,
 * PAGE_EXEC. The name shows in /proc/self/maps and stays the caller's; NULL for none. -ENOMEM,
 * -EEXIST when something is there, -EINVAL.
 */
int space_map(struct space *space, uaddr_t at, uint64_t length, unsigned flags, const char *name);
/* Changes the access of a range that is wholly mapped. -ENOMEM, -EACCES, -EINVAL. */
int space_protect(struct space *space, uaddr_t at, uint64_t length, unsigned access);
/* The main thread's stack, which grows down to `limit` bytes. *top is its end, page aligned. */
int space_map_stack(struct space *space, uint64_t limit, uaddr_t *top);
/* Where brk(2) starts: page aligned. */
void space_set_break(struct space *space, uaddr_t start);

/* ---- for the system calls: Linux values, Linux errors ---- */

/*
 * Threads of the payload hold this while they call what changes the space, or walks over it, which
 * may breathe then. -EINTR.
 */
int space_lock(struct space *space);
void space_unlock(struct space *space);

enum space_map_flags { /* MAP_ of mmap(2) */
                       SPACE_SHARED = 0x01,
                       SPACE_PRIVATE = 0x02,
                       SPACE_SHARED_VALIDATE = 0x03,
                       SPACE_TYPE = 0x0f,
                       SPACE_FIXED = 0x10,
                       SPACE_ANONYMOUS = 0x20,
                       SPACE_32BIT = 0x40,
                       SPACE_GROWSDOWN = 0x100,
                       SPACE_LOCK = 0x2000,
                       SPACE_NORESERVE = 0x4000,
                       SPACE_POPULATE = 0x8000,
                       SPACE_NONBLOCK = 0x10000,
                       SPACE_STACK = 0x20000,
                       SPACE_HUGETLB = 0x40000,
                       SPACE_FIXED_NOREPLACE = 0x100000,
                       SPACE_HUGE_SHIFT =
                           26, /* log2 of the huge page size stands above this bit; 0: 2 MiB */
                       SPACE_NO_HUGE_SIZE = 0x3ffffff,
};

/* One mmap. The space takes references of its own to file and object. */
struct space_request {
    uaddr_t at; /* a hint, or with SPACE_FIXED the place */
    uint64_t length;
    unsigned access; /* PAGE_READ, PAGE_WRITE, PAGE_EXEC: the values of PROT_ */
    unsigned access_max;
    unsigned flags;
    struct memobj *object; /* NULL: anonymous */
    uint64_t offset;       /* in the object, page aligned */
    struct file *file;     /* kept open while mapped; NULL */
    uint64_t file_offset;  /* what /proc/self/maps shows */
    const char *name;      /* shown when there is no file; NULL */
};
/* The memory of a shared anonymous mapping that space_check() allows. NULL: none left. */
struct memobj *space_object(const struct space_request *request);
/* Everything that space_mmap() would refuse, memory aside. 0 or a negative error of mmap(2). */
int space_check(const struct space *space, const struct space_request *request);
/* The address, or a negative error of mmap(2). */
int64_t space_mmap(struct space *space, const struct space_request *request);
int space_munmap(struct space *space, uaddr_t at, uint64_t length);
/* mremap(2): flags 1 MAYMOVE, 2 FIXED (to `to`), 4 DONTUNMAP (-EINVAL). The address or an error. */
int64_t space_mremap(struct space *space, uaddr_t at, uint64_t old_length, uint64_t length,
                     unsigned flags, uaddr_t to);
int space_madvise(struct space *space, uaddr_t at, uint64_t length, unsigned advice);
int space_mlock(struct space *space, uaddr_t at, uint64_t length, bool on_fault);
int space_munlock(struct space *space, uaddr_t at, uint64_t length);
/* flags: 1 CURRENT, 2 FUTURE, 4 ONFAULT */
int space_mlockall(struct space *space, unsigned flags);
void space_munlockall(struct space *space);
int space_msync(struct space *space, uaddr_t at, uint64_t length, unsigned flags);
/* Pages from an address on that are all there, with frames of one kind, or all not there. */
struct space_pages {
    uaddr_t end;
    bool present;
    bool file; /* the frames are an object's */
};
/*
 * The first such pages of [at, end), not empty, for mincore(2): -ENOMEM when `at` is not mapped.
 * Takes as long as one call may; needs no lock.
 */
int space_mincore(struct space *space, uaddr_t at, uaddr_t end, struct space_pages *out);
/* The same of any addresses. */
void space_pages(struct space *space, uaddr_t at, uaddr_t end, struct space_pages *out);
/* The break after the call: the new one, or the old one if that cannot be. */
uaddr_t space_brk(struct space *space, uaddr_t to);

/* ---- faults ---- */

/*
 * user_ops.page_fault for this space: true if the access is to be tried again. A fault in user mode
 * waits for a change of the space that is under way; one in a copy of the kernel never does.
 */
bool space_fault(struct space *space, uaddr_t address, uint64_t error);
/* Why an access to the address failed, for the signal. `error`: as the CPU gave it. */
enum space_reason {
    SPACE_UNMAPPED,  /* SIGSEGV, SEGV_MAPERR */
    SPACE_FORBIDDEN, /* SIGSEGV, SEGV_ACCERR */
    SPACE_GONE, /* SIGBUS, BUS_ADRERR: beyond the end of a file, a revoked device, out of memory */
};
enum space_reason space_explain(struct space *space, uaddr_t address, uint64_t error);

/* Is there memory at the address, not a device's? */
bool space_is_memory(const struct space *space, uaddr_t at);

/* ---- reports ---- */

/* Text of /proc/self/maps. These two take the lock. -EINTR. */
int space_show_maps(struct space *space, struct text *out);
struct space_stats {
    uint64_t mapped;   /* bytes of address space in mappings */
    uint64_t resident; /* bytes with frames behind them */
    uint64_t locked;   /* bytes under mlock */
    uint64_t stack, data, text;
};
int space_stats(struct space *space, struct space_stats *out);
/*
 * Sends to the stream (docs/report.md) the mappings, and at most `limit` bytes of what is in memory
 * and not zero: what is near the `count` stack pointers first, then the rest. Never device memory
 * or code. Takes the lock, lets others in, hears nothing.
 */
void space_send(struct space *space, const uaddr_t *stacks, size_t count, uint64_t limit);

#endif
