/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory calls, called by number so that no C library stands between. The first argument says
 * where this runs: "guest", or anything else for Linux itself (where root may lock what it likes).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conform.h"

#define CALL(name, ...) syscall(SYS_##name, ##__VA_ARGS__)
#define PAGE            4096ul
#define MIB             (1ul << 20)
#define GIB             (1ul << 30)
#define RW              (PROT_READ | PROT_WRITE)
#define ANONYMOUS       (MAP_PRIVATE | MAP_ANONYMOUS)

#define FIXED_NOREPLACE 0x100000
#define SHARED_VALIDATE 3
#define FLAG_32BIT      0x40
#define MAP_DAX         0x80000 /* SYNC: no file here can do that */
#define MADV_POPULATE   23      /* _WRITE */
#define MADV_HOLE       9       /* REMOVE */

static bool in_guest;

static char *map(void *at, size_t length, int access, int flags)
{
    return (char *)CALL(mmap, at, length, access, flags, -1, 0ul);
}

static bool failed(const void *at)
{
    return (unsigned long)at >= -4095ul || at == MAP_FAILED;
}

/* ---- faults: which signal an access raises, and why ---- */

#define SA_RESTORER_BIT 0x04000000ul
#define MAPERR          1
#define ACCERR          2
#define ADRERR          2 /* of SIGBUS */

struct action {
    void (*handler)(int, void *, void *);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

__attribute__((naked)) static void restorer(void)
{
    __asm__("movl $15, %eax; syscall");
}

static jmp_buf back;
static volatile int fault_signal, fault_code;
static char *volatile fault_address;
static char handler_stack[16384] __attribute__((aligned(16)));

static void on_fault(int number, void *info, void *context)
{
    uint64_t none = 0;

    fault_signal = number;
    fault_code = ((int *)info)[2];
    memcpy((void *)&fault_address, (char *)info + 16, sizeof(fault_address));
    CALL(rt_sigprocmask, SIG_SETMASK, &none, NULL, 8);
    longjmp(back, 1);
}

static void catch_faults(void)
{
    struct action action = {on_fault, SA_SIGINFO | SA_RESTORER_BIT | 0x08000000ul, restorer, 0};
    struct {
        void *base;
        int flags;
        size_t size;
    } stack = {handler_stack, 0, sizeof(handler_stack)};

    CALL(sigaltstack, &stack, NULL);
    CALL(rt_sigaction, SIGSEGV, &action, NULL, 8);
    CALL(rt_sigaction, SIGBUS, &action, NULL, 8);
}

/* The signal times 100 plus its code, or 0 if the access is fine. */
static int fault_of(volatile char *at, bool write)
{
    fault_signal = fault_code = 0;
    if (setjmp(back) == 0) {
        if (write)
            *at = 1;
        else
            (void)*at;
        return 0;
    }
    return fault_address == (char *)at ? fault_signal * 100 + fault_code : -1;
}

#define SEGV_MAP (SIGSEGV * 100 + MAPERR)
#define SEGV_ACC (SIGSEGV * 100 + ACCERR)
#define BUS_ADR  (SIGBUS * 100 + ADRERR)

static int fault_of_call(char *at)
{
    fault_signal = fault_code = 0;
    if (setjmp(back) == 0) {
        ((void (*)(void))at)();
        return 0;
    }
    return fault_signal * 100 + fault_code;
}

/* ---- mmap and munmap ---- */

static void mmap_refusals(void)
{
    int fd = (int)CALL(memfd_create, "memory", 0u), pipes[2];
    char *p = map(NULL, PAGE, RW, ANONYMOUS);

    CHECK(fd >= 0 && !failed(p));
    CHECK_OK(CALL(ftruncate, fd, PAGE));
    CHECK_ERROR(CALL(mmap, NULL, 0ul, RW, ANONYMOUS, -1, 0ul), EINVAL);
    CHECK_ERROR(CALL(mmap, NULL, PAGE, RW, MAP_PRIVATE, fd, 1ul), EINVAL);
    CHECK_ERROR(CALL(mmap, NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0ul), EINVAL);
    CHECK_ERROR(CALL(mmap, NULL, PAGE, RW, 0, fd, 0ul), EINVAL);
    CHECK_ERROR(CALL(mmap, NULL, PAGE, RW, SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0ul), EINVAL);
    CHECK_ERROR(CALL(mmap, NULL, PAGE, RW, SHARED_VALIDATE | MAP_DAX, fd, 0ul), EOPNOTSUPP);
    CHECK_ERROR(CALL(mmap, NULL, PAGE, RW, MAP_SHARED, -1, 0ul), EBADF);
    CHECK_ERROR(CALL(mmap, NULL, PAGE, RW, MAP_SHARED, 9999, 0ul), EBADF);
    CHECK_ERROR(CALL(mmap, NULL, -1ul, RW, ANONYMOUS, -1, 0ul), ENOMEM);
    CHECK_ERROR(CALL(mmap, NULL, 1ul << 47, RW, ANONYMOUS, -1, 0ul), ENOMEM);
    CHECK_ERROR(CALL(mmap, NULL, PAGE, RW, MAP_SHARED, fd, -PAGE), EOVERFLOW);
    CHECK_ERROR(CALL(mmap, NULL, PAGE, RW, MAP_SHARED, fd, (1ul << 63) - PAGE), EOVERFLOW);
    CHECK_ERROR(CALL(mmap, p + 1, PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0ul), EINVAL);
    /* The place is judged before the kind. */
    CHECK_ERROR(CALL(mmap, p + 1, 1ul << 47, RW, ANONYMOUS | MAP_FIXED, -1, 0ul), ENOMEM);
    CHECK_ERROR(CALL(mmap, NULL, 1ul << 47, RW, MAP_ANONYMOUS, -1, 0ul), ENOMEM);
    CHECK_ERROR(CALL(mmap, NULL, 1ul << 47, RW, 0, fd, 0ul), ENOMEM);
    CHECK_ERROR(CALL(mmap, p, PAGE, RW, MAP_ANONYMOUS | FIXED_NOREPLACE, -1, 0ul), EEXIST);
    CHECK_ERROR(CALL(mmap, -PAGE, PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0ul), ENOMEM);
    CHECK_ERROR(CALL(mmap, p, PAGE, RW, ANONYMOUS | FIXED_NOREPLACE, -1, 0ul), EEXIST);
    CHECK_OK(CALL(pipe2, pipes, 0));
    CHECK_ERROR(CALL(mmap, NULL, PAGE, PROT_READ, MAP_SHARED, pipes[0], 0ul), ENODEV);
    CHECK_ERROR(CALL(mmap, NULL, PAGE, PROT_READ, MAP_SHARED, pipes[1], 0ul), EACCES);
    CHECK_OK(CALL(close, pipes[0]));
    CHECK_OK(CALL(close, pipes[1]));
    CHECK_OK(CALL(close, fd));
    CHECK_OK(CALL(munmap, p, PAGE));
}

static void munmap_refusals(void)
{
    char *p = map(NULL, 4 * PAGE, RW, ANONYMOUS);

    CHECK_ERROR(CALL(munmap, p + 1, PAGE), EINVAL);
    CHECK_ERROR(CALL(munmap, p, 0ul), EINVAL);
    CHECK_ERROR(CALL(munmap, p, -1ul), EINVAL);
    CHECK_ERROR(CALL(munmap, -PAGE, PAGE), EINVAL);
    CHECK_OK(CALL(munmap, p, 4 * PAGE));
    CHECK_OK(CALL(munmap, p, 4 * PAGE)); /* nothing there is no error */
}

static void memory_is_clear(void)
{
    unsigned long *p = (unsigned long *)map(NULL, 3 * MIB, RW, ANONYMOUS), sum = 0;

    CHECK(!failed(p));
    for (size_t i = 0; i < 3 * MIB / sizeof(*p); i++)
        sum |= p[i];
    CHECK_EQUAL(sum, 0);
    memset(p, 0xff, 3 * MIB);
    CHECK_OK(CALL(munmap, p, 3 * MIB));
    p = (unsigned long *)map(NULL, 3 * MIB, RW, ANONYMOUS);
    for (size_t i = 0; i < 3 * MIB / sizeof(*p); i++)
        sum |= p[i];
    CHECK_EQUAL(sum, 0);
    CHECK_OK(CALL(munmap, p, 3 * MIB));
}

static void faults(void)
{
    char *p = map(NULL, 4 * PAGE, RW, ANONYMOUS);

    *p = (char)0xc3; /* ret */
    CHECK_EQUAL(fault_of_call(p), SEGV_ACC);
    CHECK_OK(CALL(mprotect, p, PAGE, PROT_READ | PROT_EXEC));
    CHECK_EQUAL(fault_of_call(p), 0);
    CHECK_EQUAL(fault_of(p, true), SEGV_ACC);
    CHECK_OK(CALL(mprotect, p + PAGE, PAGE, PROT_NONE));
    CHECK_EQUAL(fault_of(p + PAGE, false), SEGV_ACC);
    CHECK_OK(CALL(munmap, p + 2 * PAGE, PAGE));
    CHECK_EQUAL(fault_of(p + 2 * PAGE, false), SEGV_MAP);
    CHECK_EQUAL(fault_of(p + 3 * PAGE, true), 0);
    CHECK_EQUAL(fault_of((char *)0xffff800000000000ul, false) == 0, false);
    CHECK_OK(CALL(munmap, p, 4 * PAGE));
}

static void fixed_replaces(void)
{
    char *p = map(NULL, 4 * MIB, RW, ANONYMOUS);

    memset(p, 7, 4 * MIB);
    CHECK(map(p + MIB, 2 * MIB, PROT_READ, ANONYMOUS | MAP_FIXED) == p + MIB);
    CHECK_EQUAL(p[MIB - 1], 7);
    CHECK_EQUAL(p[MIB], 0);
    CHECK_EQUAL(p[3 * MIB - 1], 0);
    CHECK_EQUAL(p[3 * MIB], 7);
    CHECK_EQUAL(fault_of(p + 2 * MIB, true), SEGV_ACC);
    CHECK_OK(CALL(munmap, p, 4 * MIB));
}

static void reservations(void)
{
    char *none = map(NULL, 64 * GIB, PROT_NONE, ANONYMOUS | MAP_NORESERVE);
    char *lazy = map(NULL, 64 * GIB, RW, ANONYMOUS | MAP_NORESERVE);

    CHECK(!failed(none) && !failed(lazy));
    CHECK_EQUAL(fault_of(none + GIB, false), SEGV_ACC);
    CHECK_OK(CALL(mprotect, none + GIB, MIB, RW));
    CHECK_EQUAL(fault_of(none + GIB + MIB - 1, true), 0);
    CHECK_EQUAL(fault_of(none + GIB + MIB, true), SEGV_ACC);
    for (size_t i = 0; i < 64; i++)
        lazy[i * GIB + 5] = (char)i;
    for (size_t i = 0; i < 64; i++)
        CHECK_EQUAL(lazy[i * GIB + 5], i);
    CHECK_OK(CALL(munmap, none, 64 * GIB));
    CHECK_OK(CALL(munmap, lazy, 64 * GIB));
}

static void address_choice(void)
{
    char *low = map(NULL, PAGE, RW, ANONYMOUS | FLAG_32BIT);
    char *hint = (char *)(8 * GIB), *p;

    CHECK((unsigned long)low < 2 * GIB);
    p = map(hint + 5, PAGE, RW, ANONYMOUS);
    CHECK(p == hint);
    CHECK(map(hint, PAGE, RW, ANONYMOUS) != p);
    CHECK(map(p + PAGE, PAGE, RW, ANONYMOUS | FIXED_NOREPLACE) == p + PAGE);
    CHECK_OK(CALL(munmap, p, 2 * PAGE));
    CHECK_OK(CALL(munmap, low, PAGE));
}

/* Calls may be given memory that is not there yet, and say so when it must not be touched. */
static void calls_reach_lazy_memory(void)
{
    char *p = map(NULL, 64 * MIB, RW, ANONYMOUS | MAP_NORESERVE);
    int pipes[2];

    CHECK_OK(CALL(pipe2, pipes, 0));
    CHECK_EQUAL(CALL(write, pipes[1], "hello", 5), 5);
    CHECK_EQUAL(CALL(read, pipes[0], p + 32 * MIB, 5), 5);
    CHECK_EQUAL(memcmp(p + 32 * MIB, "hello", 5), 0);
    CHECK_EQUAL(CALL(write, pipes[1], p + 48 * MIB, 5), 5);
    CHECK_OK(CALL(mprotect, p, PAGE, PROT_READ));
    CHECK_ERROR(CALL(read, pipes[0], p, 5), EFAULT);
    CHECK_OK(CALL(mprotect, p, PAGE, PROT_NONE));
    CHECK_ERROR(CALL(write, pipes[1], p, 5), EFAULT);
    CHECK_OK(CALL(close, pipes[0]));
    CHECK_OK(CALL(close, pipes[1]));
    CHECK_OK(CALL(munmap, p, 64 * MIB));
}

/* ---- files ---- */

static void shared_files(void)
{
    int fd = (int)CALL(memfd_create, "memory", 0u);
    char *a, *b, c = 0;

    CHECK_OK(CALL(ftruncate, fd, 2 * MIB));
    a = (char *)CALL(mmap, NULL, 3 * MIB, RW, MAP_SHARED, fd, 0ul);
    b = (char *)CALL(mmap, NULL, PAGE, PROT_READ, MAP_SHARED, fd, MIB);
    CHECK(!failed(a) && !failed(b));
    a[MIB + 3] = 9;
    CHECK_EQUAL(b[3], 9);
    CHECK_EQUAL(CALL(pread64, fd, &c, 1, MIB + 3), 1);
    CHECK_EQUAL(c, 9);
    c = 10;
    CHECK_EQUAL(CALL(pwrite64, fd, &c, 1, MIB + 4), 1);
    CHECK_EQUAL(b[4], 10);
    CHECK_EQUAL(fault_of(a + 2 * MIB, false), BUS_ADR);
    CHECK_OK(CALL(ftruncate, fd, MIB));
    CHECK_EQUAL(fault_of(b, false), BUS_ADR);
    CHECK_OK(CALL(ftruncate, fd, 2 * MIB));
    CHECK_EQUAL(b[3], 0);
    CHECK_OK(CALL(close, fd)); /* the mapping keeps the file */
    a[5] = 1;
    CHECK_OK(CALL(munmap, a, 3 * MIB));
    CHECK_OK(CALL(munmap, b, PAGE));
}

static void private_files(void)
{
    int fd = (int)CALL(memfd_create, "memory", 0u);
    char *p, c = 5;

    CHECK_OK(CALL(ftruncate, fd, 2 * PAGE));
    CHECK_EQUAL(CALL(pwrite64, fd, &c, 1, PAGE), 1);
    p = (char *)CALL(mmap, NULL, 3 * PAGE, RW, MAP_PRIVATE, fd, 0ul);
    CHECK_EQUAL(p[PAGE], 5);
    p[PAGE] = 6;
    CHECK_EQUAL(CALL(pread64, fd, &c, 1, PAGE), 1);
    CHECK_EQUAL(c, 5);
    CHECK_EQUAL(fault_of(p + 2 * PAGE, false), BUS_ADR);
    CHECK_OK(CALL(madvise, p, 2 * PAGE, MADV_DONTNEED));
    CHECK_EQUAL(p[PAGE], 5);
    CHECK_OK(CALL(munmap, p, 3 * PAGE));
    CHECK_OK(CALL(close, fd));
}

static void access_of_files(void)
{
    const char *path = "/tmp/memory-test";
    int fd = (int)CALL(open, path, O_RDWR | O_CREAT, 0600), only;
    char *p;

    CHECK(fd >= 0);
    CHECK_OK(CALL(ftruncate, fd, PAGE));
    CHECK_OK(CALL(close, fd));
    only = (int)CALL(open, path, O_RDONLY);
    CHECK_ERROR(CALL(mmap, NULL, PAGE, RW, MAP_SHARED, only, 0ul), EACCES);
    p = (char *)CALL(mmap, NULL, PAGE, PROT_READ, MAP_SHARED, only, 0ul);
    CHECK(!failed(p));
    CHECK_ERROR(CALL(mprotect, p, PAGE, RW), EACCES);
    CHECK_OK(CALL(munmap, p, PAGE));
    p = (char *)CALL(mmap, NULL, PAGE, RW, MAP_PRIVATE, only, 0ul);
    CHECK(!failed(p));
    *p = 1;
    CHECK_OK(CALL(munmap, p, PAGE));
    CHECK_OK(CALL(close, only));
    only = (int)CALL(open, path, O_WRONLY);
    CHECK_ERROR(CALL(mmap, NULL, PAGE, PROT_WRITE, MAP_SHARED, only, 0ul), EACCES);
    CHECK_OK(CALL(close, only));
    CHECK_OK(CALL(unlink, path));
}

static void shared_anonymous(void)
{
    char *p = map(NULL, 2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS), *second;

    CHECK(!failed(p));
    p[PAGE] = 3;
    second = (char *)CALL(mremap, p + PAGE, 0ul, PAGE, MREMAP_MAYMOVE, NULL);
    CHECK(!failed(second));
    CHECK_EQUAL(*second, 3);
    *second = 4;
    CHECK_EQUAL(p[PAGE], 4);
    CHECK_OK(CALL(madvise, p, 2 * PAGE, MADV_DONTNEED)); /* the memory is the object's */
    CHECK_EQUAL(p[PAGE], 4);
    CHECK_OK(CALL(madvise, p, 2 * PAGE, MADV_HOLE));
    CHECK_EQUAL(*second, 0);
    CHECK_OK(CALL(munmap, p, 2 * PAGE));
    CHECK_OK(CALL(munmap, second, PAGE));
}

/* ---- mprotect, mremap ---- */

static void mprotect_rules(void)
{
    char *p = map(NULL, 4 * PAGE, RW, ANONYMOUS);

    CHECK_ERROR(CALL(mprotect, p + 1, PAGE, PROT_READ), EINVAL);
    CHECK_ERROR(CALL(mprotect, p, PAGE, 0x10ul), EINVAL);
    CHECK_ERROR(CALL(mprotect, p, -PAGE, PROT_READ), ENOMEM);
    CHECK_OK(CALL(mprotect, p + 1 - 1, 0ul, PROT_READ));
    p[PAGE] = 1;
    CHECK_OK(CALL(mprotect, p + PAGE, 1ul, PROT_NONE)); /* rounded up */
    CHECK_EQUAL(fault_of(p + 2 * PAGE - 1, false), SEGV_ACC);
    CHECK_EQUAL(fault_of(p + 2 * PAGE, true), 0);
    CHECK_OK(CALL(mprotect, p, 4 * PAGE, RW));
    CHECK_EQUAL(p[PAGE], 1);
    CHECK_OK(CALL(munmap, p + 2 * PAGE, PAGE));
    CHECK_ERROR(CALL(mprotect, p, 4 * PAGE, RW), ENOMEM);
    CHECK_OK(CALL(munmap, p, 4 * PAGE));
}

static void mremap_refusals(void)
{
    char *p = map(NULL, 4 * PAGE, RW, ANONYMOUS);

    CHECK_OK(CALL(munmap, p + 2 * PAGE, PAGE));
    CHECK_ERROR(CALL(mremap, p + 1, PAGE, PAGE, 1ul), EINVAL);
    CHECK_ERROR(CALL(mremap, p, PAGE, 0ul, 1ul), EINVAL);
    CHECK_ERROR(CALL(mremap, p, PAGE, PAGE, 8ul), EINVAL);
    CHECK_ERROR(CALL(mremap, p, PAGE, PAGE, 2ul, p + 3 * PAGE), EINVAL);
    CHECK_ERROR(CALL(mremap, p, PAGE, PAGE, 3ul, p + 1), EINVAL);
    CHECK_ERROR(CALL(mremap, p, 2 * PAGE, PAGE, 3ul, p + PAGE), EINVAL);
    CHECK_ERROR(CALL(mremap, p + 2 * PAGE, PAGE, PAGE, 1ul), EFAULT);
    CHECK_ERROR(CALL(mremap, p, 3 * PAGE, 3 * PAGE + 1, 1ul), EFAULT);
    CHECK_ERROR(CALL(mremap, p, 1ul << 46, 1ul << 47, 1ul), EINVAL);
    CHECK_ERROR(CALL(mremap, p + 2 * PAGE, 1ul << 47, PAGE, 1ul), EFAULT);
    CHECK_ERROR(CALL(mremap, p, 0ul, PAGE, 1ul), EINVAL);
    CHECK_ERROR(CALL(mremap, p + PAGE, PAGE, 3 * PAGE, 0ul), ENOMEM);
    CHECK_OK(CALL(munmap, p, 4 * PAGE));
}

static void mremap_moves(void)
{
    char *p = map(NULL, 8 * MIB, PROT_NONE, ANONYMOUS), *q;

    CHECK(map(p, PAGE, RW, ANONYMOUS | MAP_FIXED) == p);
    CHECK_OK(CALL(munmap, p + PAGE, PAGE));
    *p = 42;
    CHECK(CALL(mremap, p, PAGE, 2 * PAGE, 0ul) == (long)p); /* grows where it is */
    CHECK_EQUAL(p[PAGE], 0);
    p[PAGE] = 43;
    q = (char *)CALL(mremap, p, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE);
    CHECK(!failed(q) && q != p);
    CHECK_EQUAL(q[0] + q[PAGE] + q[2 * PAGE], 85);
    CHECK_EQUAL(fault_of(p, false), SEGV_MAP);
    CHECK(CALL(mremap, q, 3 * PAGE, PAGE, MREMAP_MAYMOVE) == (long)q);
    CHECK_EQUAL(fault_of(q + PAGE, false), SEGV_MAP);
    CHECK(CALL(mremap, q, PAGE, 2 * PAGE, 3ul, p + 4 * MIB) == (long)p + 4 * (long)MIB);
    CHECK_EQUAL(p[4 * MIB], 42);
    CHECK_EQUAL(p[4 * MIB + PAGE], 0);
    CHECK_EQUAL(fault_of(p + 4 * MIB + 2 * PAGE, false), SEGV_ACC);
    CHECK_OK(CALL(munmap, p, 8 * MIB));
}

/* What is cut off may be anything: other mappings, and nothing. */
static void mremap_shrinks(void)
{
    char *p = map(NULL, 8 * PAGE, RW, ANONYMOUS), *to = map(NULL, PAGE, RW, ANONYMOUS);

    *p = 42;
    CHECK_OK(CALL(mprotect, p + 2 * PAGE, PAGE, PROT_READ));
    CHECK_OK(CALL(munmap, p + 3 * PAGE, PAGE));
    CHECK(CALL(mremap, p, 6 * PAGE, 2 * PAGE, 0ul) == (long)p);
    CHECK_EQUAL(fault_of(p + 2 * PAGE, false), SEGV_MAP);
    CHECK_EQUAL(fault_of(p + 5 * PAGE, false), SEGV_MAP);
    CHECK_EQUAL(fault_of(p + 6 * PAGE, false), 0);
    CHECK(CALL(mremap, p, 7 * PAGE, PAGE, 3ul, to) == (long)to);
    CHECK_EQUAL(*to, 42);
    CHECK_EQUAL(fault_of(p, false), SEGV_MAP);
    CHECK_EQUAL(fault_of(p + 6 * PAGE, false), SEGV_MAP);
    CHECK_EQUAL(fault_of(p + 7 * PAGE, false), 0);
    CHECK_OK(CALL(munmap, p, 8 * PAGE));
    CHECK_OK(CALL(munmap, to, PAGE));
}

/* Scattered memory, one page at a time: how the benchmarks make it. */
static void scattered_pages(void)
{
    const size_t pages = 1024;
    char *from = map(NULL, pages * PAGE, RW, ANONYMOUS),
         *to = map(NULL, pages * PAGE, RW, ANONYMOUS);

    CHECK(!failed(from) && !failed(to));
    for (size_t i = 0; i < pages; i++)
        *(size_t *)(void *)(from + i * PAGE) = i;
    for (size_t i = 0; i < pages; i++) {
        char *source = from + (i * 389 + 5) % pages * PAGE;

        CHECK(CALL(mremap, source, PAGE, PAGE, 3ul, to + i * PAGE) == (long)(to + i * PAGE));
    }
    for (size_t i = 0; i < pages; i++)
        CHECK_EQUAL(*(size_t *)(void *)(to + i * PAGE), (i * 389 + 5) % pages);
    CHECK_EQUAL(fault_of(from, false), SEGV_MAP);
    CHECK_OK(CALL(munmap, to, pages * PAGE));
}

/* ---- madvise, mlock, msync, mincore, brk, stack ---- */

static void madvise_rules(void)
{
    char *p = map(NULL, 4 * MIB, RW, ANONYMOUS);

    memset(p, 1, 4 * MIB);
    CHECK_OK(CALL(madvise, p + PAGE, 2 * MIB, MADV_DONTNEED));
    CHECK_EQUAL(p[0] + p[PAGE] * 2 + p[2 * MIB] * 4 + p[2 * MIB + PAGE] * 8, 9);
    CHECK_ERROR(CALL(madvise, p + 1, PAGE, MADV_NORMAL), EINVAL);
    CHECK_ERROR(CALL(madvise, p, PAGE, 1000), EINVAL);
    CHECK_ERROR(CALL(madvise, p, PAGE, MADV_HOLE), EINVAL);
    CHECK_OK(CALL(madvise, p + 1 - 1, 0ul, MADV_NORMAL));
    CHECK_OK(CALL(madvise, p, 4 * MIB, MADV_HUGEPAGE));
    CHECK_OK(CALL(madvise, p, 4 * MIB, MADV_WILLNEED));
    CHECK_OK(CALL(madvise, p, 4 * MIB, MADV_POPULATE));
    CHECK_OK(CALL(munmap, p + MIB, PAGE));
    p[MIB + PAGE] = 1;
    CHECK_ERROR(CALL(madvise, p, 2 * MIB, MADV_DONTNEED), ENOMEM);
    CHECK_EQUAL(p[MIB + PAGE], 0); /* done all the same behind the gap */
    CHECK_OK(CALL(munmap, p, 4 * MIB));
}

static void madvise_order(void)
{
    int fd = (int)CALL(memfd_create, "memory", 0u);
    char *p = map(NULL, 4 * PAGE, RW, ANONYMOUS), *file;

    CHECK_OK(CALL(ftruncate, fd, PAGE));
    file = (char *)CALL(mmap, NULL, PAGE, RW, MAP_PRIVATE, fd, 0ul);
    CHECK(!failed(file));
    CHECK_ERROR(CALL(madvise, file, PAGE, MADV_HOLE), EACCES); /* the file is not to change */
    CHECK_OK(CALL(mprotect, p, PAGE, PROT_EXEC));
    CHECK_ERROR(CALL(madvise, p, PAGE, MADV_POPULATE - 1), EINVAL); /* cannot be read */
    CHECK_OK(CALL(munmap, p + PAGE, PAGE));
    CHECK_OK(CALL(mprotect, p + 2 * PAGE, PAGE, PROT_READ));
    CHECK_ERROR(CALL(madvise, p + PAGE, 2 * PAGE, MADV_POPULATE), ENOMEM); /* the gap is first */
    CHECK_ERROR(CALL(madvise, p, 1ul << 47, MADV_HOLE), EINVAL);           /* before the end */
    CHECK_ERROR(CALL(madvise, -2 * PAGE, PAGE, MADV_NORMAL), ENOMEM);
    CHECK_OK(CALL(munmap, p, 4 * PAGE));
    CHECK_OK(CALL(munmap, file, PAGE));
    CHECK_OK(CALL(close, fd));
}

static void mlock_rules(void)
{
    struct rlimit limit, old;
    char *p = map(NULL, MIB, RW, ANONYMOUS);

    CHECK_OK(getrlimit(RLIMIT_MEMLOCK, &old));
    CHECK_OK(CALL(mlock, p, PAGE));
    CHECK_OK(CALL(munlock, p, PAGE));
    CHECK_OK(CALL(mlock2, p, PAGE, 1));
    CHECK_ERROR(CALL(madvise, p, PAGE, MADV_DONTNEED), EINVAL);
    CHECK_ERROR(CALL(msync, p, PAGE, 2), EBUSY);
    CHECK_ERROR(CALL(mlock2, p, PAGE, 2), EINVAL);
    CHECK_ERROR(CALL(mlockall, 0), EINVAL);
    CHECK_ERROR(CALL(mlockall, 8), EINVAL);
    CHECK_OK(CALL(munmap, p + 2 * PAGE, PAGE));
    CHECK_ERROR(CALL(mlock, p, 4 * PAGE), ENOMEM);
    CHECK_OK(CALL(munlock, p + 2 * PAGE, 0ul));
    CHECK_ERROR(CALL(munlock, p + 2 * PAGE + 1, 0ul), ENOMEM); /* the page that it is in */
    CHECK_ERROR(CALL(munlock, -4 * PAGE, 3 * PAGE), ENOMEM);   /* ends before the last page */
    CHECK_OK(CALL(munlockall));
    if (in_guest) { /* Linux lets root lock without a limit */
        limit = (struct rlimit){16 * PAGE, old.rlim_max};
        CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &limit));
        CHECK_ERROR(CALL(mlock, p + 8 * PAGE, 17 * PAGE), ENOMEM);
        CHECK_OK(CALL(mlock, p + 8 * PAGE, 16 * PAGE));
        CHECK_ERROR(CALL(mlock, p + 32 * PAGE, 1ul), ENOMEM);
        CHECK_OK(CALL(mlock, p + 8 * PAGE, PAGE)); /* counts once */
        CHECK_ERROR(CALL(mmap, NULL, PAGE, RW, ANONYMOUS | MAP_LOCKED, -1, 0ul), EAGAIN);
        CHECK_ERROR(CALL(mlockall, MCL_CURRENT), ENOMEM);
        CHECK_OK(CALL(munmap, p + 8 * PAGE, 16 * PAGE));
        CHECK_OK(CALL(mlock, p + 32 * PAGE, 16 * PAGE));
        CHECK_OK(CALL(munlockall));
        CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &old));
    }
    CHECK_OK(CALL(munmap, p, MIB));
}

static void msync_and_mincore(void)
{
    unsigned char present[3] = {0};
    char *p = map(NULL, 3 * PAGE, RW, ANONYMOUS);

    memset(p, 1, 3 * PAGE);
    CHECK_OK(CALL(msync, p, 3 * PAGE, 4));
    CHECK_ERROR(CALL(msync, p, PAGE, 5), EINVAL);
    CHECK_ERROR(CALL(msync, p, PAGE, 8), EINVAL);
    CHECK_ERROR(CALL(msync, p + 1, PAGE, 4), EINVAL);
    CHECK_OK(CALL(mincore, p, 3 * PAGE, present));
    CHECK_EQUAL((present[0] & present[1] & present[2]) & 1, 1);
    CHECK_ERROR(CALL(mincore, p + 1, PAGE, present), EINVAL);
    CHECK_ERROR(CALL(mincore, p, PAGE, 8ul), EFAULT);
    CHECK_ERROR(CALL(mincore, -PAGE, 0ul, present), ENOMEM);
    CHECK_OK(CALL(munmap, p + PAGE, PAGE));
    CHECK_ERROR(CALL(mincore, p, 3 * PAGE, present), ENOMEM);
    CHECK_ERROR(CALL(msync, p, 3 * PAGE, 4), ENOMEM);
    CHECK_OK(CALL(munmap, p, 3 * PAGE));
}

static void break_moves(void)
{
    long start = CALL(brk, 0ul), end = (start + 3 * (long)PAGE) & -(long)PAGE;

    CHECK_EQUAL(CALL(brk, end), end);
    *(volatile char *)(end - 1) = 1;
    CHECK_EQUAL(CALL(brk, end + 1), end + 1);
    CHECK_EQUAL(*(volatile char *)end, 0);
    CHECK_EQUAL(CALL(brk, 16ul), end + 1); /* not below its start */
    CHECK_EQUAL(CALL(brk, end), end);
    CHECK_EQUAL(fault_of((char *)end, false), SEGV_MAP);
    CHECK_EQUAL(CALL(brk, start), start);
}

static unsigned long dive(unsigned long depth)
{
    volatile char room[4096];
    unsigned long below = 0;

    room[0] = (char)depth;
    if (depth > 0)
        below = dive(depth - 1) + 1;
    __asm__ volatile("" : : "r"(room) : "memory"); /* the room is needed until here */
    return room[0] == (char)depth ? below : 0;
}

static void stack_grows(void)
{
    struct rlimit limit;

    CHECK_EQUAL(dive(1500), 1500); /* 6 MiB of the usual 8 */
    CHECK_OK(getrlimit(RLIMIT_STACK, &limit));
    if (limit.rlim_cur > 64 * MIB)
        return; /* no end to it */
    fault_signal = 0;
    if (setjmp(back) == 0)
        dive(100000);
    CHECK_EQUAL(fault_signal, SIGSEGV);
    CHECK_EQUAL(dive(1500), 1500);
}

static void maps_lists_it(void)
{
    char *p = map((void *)(12 * GIB), 4 * PAGE, RW, ANONYMOUS | MAP_FIXED);
    static char text[65536];
    long length = 0, got;
    int fd;

    CHECK_OK(CALL(mprotect, p + PAGE, PAGE, PROT_READ));
    fd = (int)CALL(open, "/proc/self/maps", O_RDONLY);
    CHECK(fd >= 0);
    while ((got = CALL(read, fd, text + length, sizeof(text) - 1 - (size_t)length)) > 0)
        length += got;
    CHECK_OK(CALL(close, fd));
    CHECK(strstr(text, "\n300000000-300001000 rw-p 00000000 00:00 0 \n"));
    CHECK(strstr(text, "\n300001000-300002000 r--p 00000000 00:00 0 \n"));
    CHECK(strstr(text, "\n300002000-300004000 rw-p 00000000 00:00 0 \n"));
    CHECK(strstr(text, "[stack]\n"));
    CHECK_OK(CALL(mprotect, p + PAGE, PAGE, RW)); /* one mapping again */
    CHECK_OK(CALL(munmap, p, 4 * PAGE));
}

static void huge_pages(void)
{
    char *p = map(NULL, PAGE, RW, ANONYMOUS | MAP_HUGETLB);

    CHECK_ERROR(CALL(mmap, NULL, PAGE, RW, ANONYMOUS | MAP_HUGETLB | (13 << 26), -1, 0ul), EINVAL);
    if (!in_guest) /* Linux has some only if somebody set them aside */
        return;
    CHECK(!failed(p));
    CHECK_EQUAL((unsigned long)p % (2 * MIB), 0);
    p[2 * MIB - 1] = 1;
    CHECK_OK(CALL(munmap, p, 2 * MIB));
}

static const struct conform_case cases[] = {
    {"mmap_refusals", mmap_refusals},
    {"munmap_refusals", munmap_refusals},
    {"memory_is_clear", memory_is_clear},
    {"faults", faults},
    {"fixed_replaces", fixed_replaces},
    {"reservations", reservations},
    {"address_choice", address_choice},
    {"calls_reach_lazy_memory", calls_reach_lazy_memory},
    {"shared_files", shared_files},
    {"private_files", private_files},
    {"access_of_files", access_of_files},
    {"shared_anonymous", shared_anonymous},
    {"mprotect_rules", mprotect_rules},
    {"mremap_refusals", mremap_refusals},
    {"mremap_moves", mremap_moves},
    {"mremap_shrinks", mremap_shrinks},
    {"scattered_pages", scattered_pages},
    {"madvise_rules", madvise_rules},
    {"madvise_order", madvise_order},
    {"mlock_rules", mlock_rules},
    {"msync_and_mincore", msync_and_mincore},
    {"break_moves", break_moves},
    {"stack_grows", stack_grows},
    {"maps_lists_it", maps_lists_it},
    {"huge_pages", huge_pages},
};

int main(int argc, char **argv)
{
    in_guest = argc > 1 && strcmp(argv[1], "guest") == 0;
    catch_faults();
    return conform_run(cases, sizeof(cases) / sizeof(cases[0]), NULL, argc, argv);
}
