/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals of one thread: what a handler is told, what it may change, what it interrupts. The first
 * argument is not used.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "conform.h"

#define CALL(name, ...) syscall(SYS_##name, ##__VA_ARGS__)
#define MS              1000000ll

/* The kernel's own structures, so that no C library stands between. */
struct action {
    void (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

struct info { /* siginfo_t of the interface */
    int number, error, code, padding;
    union {
        uint64_t address;
        struct {
            int pid;
            unsigned uid;
            uint64_t value;
        };
    };
    char rest[96];
};

struct context { /* ucontext_t of the interface */
    uint64_t flags, link;
    struct {
        uint64_t base;
        uint32_t flags, padding;
        uint64_t size;
    } stack;
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip;
    uint64_t rflags;
    uint16_t cs, gs, fs, ss;
    uint64_t error, trap, old_mask, cr2, fpu;
    uint64_t reserved[8];
    uint64_t mask;
};

#define SA_RESTORER_BIT 0x04000000ul

__attribute__((naked)) static void restorer(void)
{
    __asm__("movl $15, %eax; syscall");
}

static struct info seen;
static struct context seen_context;
static volatile int count, order[8];
static int wake_fd;

static void note(int number, siginfo_t *info, void *context)
{
    memcpy(&seen, info, sizeof(seen));
    memcpy(&seen_context, context, sizeof(seen_context));
    if (count < 8)
        order[count] = number;
    count++;
}

static int install(int number, void (*handler)(int, siginfo_t *, void *), unsigned long flags,
                   uint64_t mask)
{
    struct action action = {handler, flags | SA_SIGINFO | SA_RESTORER_BIT, restorer, mask};
    count = 0;
    memset(&seen, 0, sizeof(seen));
    return (int)CALL(rt_sigaction, number, &action, NULL, 8);
}

static void uninstall(int number)
{
    struct action action = {0};
    CALL(rt_sigaction, number, &action, NULL, 8);
}

static int own_thread(void)
{
    return (int)CALL(gettid);
}

static uint64_t bit(int number)
{
    return 1ull << (number - 1);
}

static uint64_t set_mask(uint64_t mask)
{
    uint64_t old;
    CALL(rt_sigprocmask, SIG_SETMASK, &mask, &old, 8);
    return old;
}

static void start_alarm(long ms, long interval_ms)
{
    struct itimerval timer = {{0, interval_ms * 1000}, {0, ms * 1000}};
    CALL(setitimer, ITIMER_REAL, &timer, NULL);
}

static long long now_ns(void)
{
    struct timespec t;
    CALL(clock_gettime, CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* ---- who sent it ---- */

static void senders(void)
{
    int pid = (int)CALL(getpid);
    CHECK_OK(install(SIGUSR1, note, 0, 0));
    CHECK_OK(CALL(kill, pid, SIGUSR1));
    CHECK_EQUAL(count, 1);
    CHECK_EQUAL(seen.number, SIGUSR1);
    CHECK_EQUAL(seen.code, 0); /* SI_USER */
    CHECK_EQUAL(seen.pid, pid);
    CHECK_OK(CALL(tgkill, pid, own_thread(), SIGUSR1));
    CHECK_EQUAL(count, 2);
    CHECK_EQUAL(seen.code, -6); /* SI_TKILL */
    struct info queued = {.number = SIGUSR1, .code = -1, .pid = pid, .value = 12345};
    CHECK_OK(CALL(rt_sigqueueinfo, pid, SIGUSR1, &queued));
    CHECK_EQUAL(seen.code, -1);
    CHECK_EQUAL(seen.value, 12345);
    CHECK_OK(CALL(kill, pid, 0));
    CHECK_ERROR(CALL(kill, pid, 65), EINVAL);
    CHECK_ERROR(CALL(tgkill, pid, 999999, SIGUSR1), ESRCH);
    CHECK_ERROR(CALL(tgkill, pid, -1, SIGUSR1), EINVAL);
    CHECK_ERROR(install(SIGKILL, note, 0, 0), EINVAL);
    CHECK_ERROR(install(65, note, 0, 0), EINVAL);
    CHECK_ERROR(CALL(rt_sigaction, SIGUSR1, NULL, NULL, 4), EINVAL);
    uninstall(SIGUSR1);
}

/* ---- faults ---- */

static sigjmp_buf back;

static void jump_back(int number, siginfo_t *info, void *context)
{
    note(number, info, context);
    set_mask(0);
    siglongjmp(back, 1);
}

#define FAULT(sig, ...)                                                                            \
    do {                                                                                           \
        CHECK_OK(install(sig, jump_back, 0, 0));                                                   \
        if (sigsetjmp(back, 0) == 0) {                                                             \
            __VA_ARGS__;                                                                           \
            CONFORM_FAIL("line %d: no fault", __LINE__);                                           \
        }                                                                                          \
        uninstall(sig);                                                                            \
        CHECK_EQUAL(seen.number, sig);                                                             \
    } while (0)

static void memory_faults(void)
{
    volatile char *page =
        mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK((void *)page != MAP_FAILED);
    munmap((void *)(page + 4096), 4096);
    mprotect((void *)(page + 8192), 4096, PROT_READ);
    FAULT(SIGSEGV, page[4100] = 1);
    CHECK_EQUAL(seen.code, 1); /* SEGV_MAPERR */
    CHECK_EQUAL(seen.address, (uintptr_t)page + 4100);
    CHECK_EQUAL(seen_context.trap, 14);
    CHECK_EQUAL(seen_context.cr2, (uintptr_t)page + 4100);
    CHECK_EQUAL(seen_context.error, 6); /* a write in user mode, nothing there */
    FAULT(SIGSEGV, page[8192] = 1);
    CHECK_EQUAL(seen.code, 2); /* SEGV_ACCERR */
    CHECK_EQUAL(seen.address, (uintptr_t)page + 8192);
    FAULT(SIGSEGV, ((void (*)(void))(uintptr_t)page)()); /* data is not code */
    CHECK_EQUAL(seen.code, 2);
    CHECK_EQUAL(seen.address, (uintptr_t)page);
    FAULT(SIGSEGV, *(volatile char *)0xffffffff80000000ul = 1);
    FAULT(SIGSEGV, *(volatile char *)0x8000000000000000ul = 1); /* no address at all */
    CHECK_EQUAL(seen.code, 128);                                /* SI_KERNEL */
    mprotect((void *)page, 4096, PROT_NONE);
    FAULT(SIGSEGV, page[0]);
    CHECK_EQUAL(seen.code, 2);
    munmap((void *)page, 4096);
    munmap((void *)(page + 8192), 4096);
}

static void file_faults(void)
{
    int fd = (int)CALL(memfd_create, "signals", 0u);
    CHECK_OK(CALL(ftruncate, fd, 5000l));
    volatile char *map = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK((void *)map != MAP_FAILED);
    map[8191] = 1; /* the rest of the last page is there */
    FAULT(SIGBUS, map[8192] = 1);
    CHECK_EQUAL(seen.code, 2); /* BUS_ADRERR */
    CHECK_EQUAL(seen.address, (uintptr_t)map + 8192);
    CHECK_OK(CALL(ftruncate, fd, 0l));
    FAULT(SIGBUS, map[0] = 1);
    CHECK_ERROR(CALL(write, 1, map, 1), EFAULT); /* the kernel meets the same page */
    munmap((void *)map, 12288);
    close(fd);
}

static void arithmetic_faults(void)
{
    FAULT(SIGFPE, __asm__ volatile("divl %%ecx" : : "a"(1), "d"(0), "c"(0) : "cc"));
    CHECK_EQUAL(seen.code, 1); /* FPE_INTDIV */
    CHECK_EQUAL(seen.address, seen_context.rip);
    FAULT(SIGILL, __asm__ volatile("ud2"));
    CHECK_EQUAL(seen.code, 2); /* ILL_ILLOPN */
    CHECK_EQUAL(seen.address, seen_context.rip);
    FAULT(SIGSEGV, __asm__ volatile("hlt"));
    CHECK_EQUAL(seen.code, 128);
    FAULT(SIGSEGV, __asm__ volatile("cli"));
    FAULT(SIGSEGV, __asm__ volatile("outb %%al, $0x80" : : "a"(0)));
    FAULT(SIGTRAP, __asm__ volatile("int3"));
    CHECK_EQUAL(seen.code, 128);
}

static void skip_fault(int number, siginfo_t *info, void *context)
{
    struct context *c = context;
    note(number, info, context);
    c->rip += 2; /* over the UD2 */
    c->rbx = 0x1234567890abcdef;
    c->rflags |= 1 | 0x3000 | 0x4000; /* carry; I/O privilege and nested task are not its to give */
}

/* A handler may change the registers it returns to. */
static void changed_registers(void)
{
    uint64_t rbx, rflags;
    CHECK_OK(install(SIGILL, skip_fault, 0, 0));
    __asm__ volatile("clc; ud2; pushfq; popq %1" : "=b"(rbx), "=r"(rflags) : : "memory", "cc");
    uninstall(SIGILL);
    CHECK_EQUAL(count, 1);
    CHECK(rbx == 0x1234567890abcdef);
    CHECK_EQUAL(rflags & 0x7001, 1);
    CHECK_EQUAL(seen_context.cs & 3, 3);
}

/* ---- registers survive ---- */

static void spoil_vectors(int number, siginfo_t *info, void *context)
{
    __asm__ volatile("pxor %%xmm3, %%xmm3; pcmpeqb %%xmm7, %%xmm7; fninit; fldpi" : : : "memory");
    note(number, info, context);
}

static void vector_state(void)
{
    uint64_t in[2] = {0x1111222233334444, 0x5555666677778888}, out[2] = {0};
    uint16_t control = 0x27f, after = 0;
    uint32_t mxcsr = 0x1fc0, mxcsr_after = 0; /* denormals are zero */
    const uint32_t default_mxcsr = 0x1f80;
    int pid = (int)CALL(getpid);
    CHECK_OK(install(SIGUSR1, spoil_vectors, 0, 0));
    long result = SYS_kill;
    __asm__ volatile("movdqu (%[in]), %%xmm3; movdqu (%[in]), %%xmm7; fldcw %[control]\n\t"
                     "ldmxcsr %[mxcsr]\n\t"
                     "syscall\n\t"
                     "movdqu %%xmm3, (%[out]); fnstcw %[after]; stmxcsr %[mxcsr_after]\n\t"
                     "pxor %%xmm7, %%xmm3"
                     : "+a"(result), [after] "=m"(after), [mxcsr_after] "=m"(mxcsr_after)
                     : [in] "b"(in), [out] "r"(out), [control] "m"(control), [mxcsr] "m"(mxcsr),
                       "D"((long)pid), "S"((long)SIGUSR1)
                     : "rcx", "r11", "memory", "xmm3", "xmm7");
    __asm__ volatile("ldmxcsr %0; fninit" : : "m"(default_mxcsr));
    uninstall(SIGUSR1);
    CHECK_EQUAL(result, 0);
    CHECK_EQUAL(count, 1);
    CHECK(memcmp(in, out, sizeof(in)) == 0);
    CHECK_EQUAL(after, control);
    CHECK_EQUAL(mxcsr_after, mxcsr);
    CHECK(seen_context.fpu % 64 == 0);
}

/*
 * All registers of a loop that the timer interrupts. It ends by the number of interruptions: on a
 * busy machine, a given time may pass without any.
 */
static void interrupted_loop(void)
{
    uint64_t sum = 333833500;
    CHECK_OK(install(SIGALRM, spoil_vectors, SA_RESTART, 0));
    start_alarm(1, 1);
    long long end = now_ns() + 20000 * MS;
    double x = 1.0;
    uint64_t rounds = 0;
    while (count < 20 && now_ns() < end) {
        double y = 1.0;
        sum = 0;
        for (uint64_t i = 1; i <= 1000; i++) {
            sum += i * i;
            y = y * 1.0009765625 - 0.0009765625;
        }
        if (sum != 333833500 || (rounds > 0 && y != x))
            break;
        x = y;
        rounds++;
    }
    start_alarm(0, 0);
    uninstall(SIGALRM);
    CHECK_EQUAL(sum, 333833500);
    CHECK(count >= 20);
}

/* ---- masks and order ---- */

static void masks(void)
{
    int pid = (int)CALL(getpid);
    uint64_t pending = 0, mask = 0;
    CHECK_OK(install(SIGUSR2, note, 0, 0));
    CHECK_OK(install(SIGUSR1, note, 0, bit(SIGUSR2)));
    set_mask(bit(SIGUSR1) | bit(SIGUSR2) | bit(SIGKILL));
    CHECK_OK(CALL(kill, pid, SIGUSR2));
    CHECK_OK(CALL(kill, pid, SIGUSR1));
    CHECK_OK(CALL(kill, pid, SIGUSR1)); /* kept once */
    CHECK_EQUAL(count, 0);
    CHECK_OK(CALL(rt_sigpending, &pending, 8));
    CHECK_EQUAL(pending, bit(SIGUSR1) | bit(SIGUSR2));
    CHECK_OK(CALL(rt_sigprocmask, SIG_BLOCK, NULL, &mask, 8));
    CHECK_EQUAL(mask, bit(SIGUSR1) | bit(SIGUSR2)); /* SIGKILL cannot be blocked */
    set_mask(0);
    CHECK_EQUAL(count, 2);
    CHECK_ERROR(CALL(rt_sigprocmask, 7, &mask, NULL, 8), EINVAL);
    CHECK_ERROR(CALL(rt_sigprocmask, SIG_BLOCK, &mask, NULL, 4), EINVAL);
    /* Ignoring a pending signal drops it. */
    set_mask(bit(SIGUSR1));
    CHECK_OK(CALL(kill, pid, SIGUSR1));
    struct action ignore = {.handler = (void (*)(int, siginfo_t *, void *))(uintptr_t)SIG_IGN};
    CHECK_OK(CALL(rt_sigaction, SIGUSR1, &ignore, NULL, 8));
    CHECK_OK(install(SIGUSR1, note, 0, 0));
    set_mask(0);
    CHECK_EQUAL(count, 0);
    uninstall(SIGUSR1);
    uninstall(SIGUSR2);
}

static volatile int depth, deepest;

static void nest(int number, siginfo_t *info, void *context)
{
    depth++;
    if (depth > deepest)
        deepest = depth;
    if (depth < 3)
        CALL(tgkill, getpid(), own_thread(), number);
    depth--;
    count++;
}

static void nesting(void)
{
    int pid = (int)CALL(getpid);
    depth = deepest = 0;
    CHECK_OK(install(SIGUSR1, nest, SA_NODEFER, 0));
    CHECK_OK(CALL(kill, pid, SIGUSR1));
    CHECK_EQUAL(deepest, 3);
    CHECK_EQUAL(count, 3);
    depth = 1;
    deepest = 0;
    CHECK_OK(install(SIGUSR1, nest, 0, 0)); /* blocked in its own handler: one after the other */
    depth = 2;
    CHECK_OK(CALL(kill, pid, SIGUSR1));
    CHECK_EQUAL(deepest, 3);
    CHECK_EQUAL(count, 1);
    CHECK_OK(install(SIGUSR1, note, SA_RESETHAND, 0));
    CHECK_OK(CALL(kill, pid, SIGUSR1));
    struct action now;
    CHECK_OK(CALL(rt_sigaction, SIGUSR1, NULL, &now, 8));
    CHECK(now.handler == NULL);
}

static void queued_in_order(void)
{
    int pid = (int)CALL(getpid);
    CHECK_OK(install(40, note, 0, ~0ull));
    CHECK_OK(install(41, note, 0, ~0ull));
    set_mask(bit(40) | bit(41));
    for (int i = 0; i < 3; i++) {
        struct info queued = {.code = -1, .pid = pid, .value = (uint64_t)i};
        CHECK_OK(CALL(rt_sigqueueinfo, pid, 41, &queued));
        CHECK_OK(CALL(rt_sigqueueinfo, pid, 40, &queued));
    }
    count = 0;
    set_mask(0);
    CHECK_EQUAL(count, 6);
    for (int i = 0; i < 6; i++)
        CHECK_EQUAL(order[i], i < 3 ? 40 : 41);
    CHECK_EQUAL(seen.value, 2); /* the last one sent came last */
    uninstall(40);
    uninstall(41);
}

/* ---- stacks ---- */

static volatile uintptr_t handler_stack;

static void where(int number, siginfo_t *info, void *context)
{
    stack_t now;
    handler_stack = (uintptr_t)__builtin_frame_address(0);
    note(number, info, context);
    CALL(sigaltstack, NULL, &now);
    order[0] = now.ss_flags;
}

static void other_stack(void)
{
    static char memory[32768];
    stack_t stack = {.ss_sp = memory, .ss_size = sizeof(memory)}, old;
    int pid = (int)CALL(getpid);
    CHECK_OK(CALL(sigaltstack, &stack, &old));
    CHECK_EQUAL(old.ss_flags, SS_DISABLE);
    CHECK_OK(install(SIGUSR1, where, SA_ONSTACK, 0));
    CHECK_OK(CALL(kill, pid, SIGUSR1));
    CHECK(handler_stack > (uintptr_t)memory && handler_stack < (uintptr_t)memory + sizeof(memory));
    CHECK_EQUAL(order[0], SS_ONSTACK);
    CHECK_OK(install(SIGUSR1, where, 0, 0));
    CHECK_OK(CALL(kill, pid, SIGUSR1));
    CHECK(handler_stack < (uintptr_t)memory || handler_stack > (uintptr_t)memory + sizeof(memory));
    CHECK_EQUAL(order[0], 0);
    stack.ss_size = 1000;
    CHECK_ERROR(CALL(sigaltstack, &stack, NULL), ENOMEM);
    stack.ss_flags = 77;
    CHECK_ERROR(CALL(sigaltstack, &stack, NULL), EINVAL);
    stack.ss_flags = SS_DISABLE;
    CHECK_OK(CALL(sigaltstack, &stack, &old));
    CHECK(old.ss_sp == memory);
    uninstall(SIGUSR1);
}

static __attribute__((noinline)) int overflow(volatile char *above)
{
    volatile char room[4096];
    room[0] = above ? above[0] : 0;
    return room[0] == 7 ? 0 : overflow(room) + room[0];
}

/* A stack that has run out is reported on the other stack. */
static void stack_overflow(void)
{
    static char memory[32768];
    stack_t stack = {.ss_sp = memory, .ss_size = sizeof(memory)};
    CHECK_OK(CALL(sigaltstack, &stack, NULL));
    CHECK_OK(install(SIGSEGV, jump_back, SA_ONSTACK, 0));
    if (sigsetjmp(back, 0) == 0)
        overflow(NULL);
    CHECK_EQUAL(seen.number, SIGSEGV);
    stack.ss_flags = SS_DISABLE;
    CHECK_OK(CALL(sigaltstack, &stack, NULL));
    uninstall(SIGSEGV);
}

/* ---- what is interrupted ---- */

static void write_one(int number, siginfo_t *info, void *context)
{
    uint64_t one = 1;
    note(number, info, context);
    CALL(write, wake_fd, &one, 8);
}

static void restarts(void)
{
    uint64_t value = 0;
    int fd = (int)CALL(eventfd2, 0, 0);
    wake_fd = fd;
    CHECK_OK(install(SIGALRM, write_one, SA_RESTART, 0));
    start_alarm(10, 0);
    CHECK_EQUAL(CALL(read, fd, &value, 8), 8); /* began again, and found what the handler wrote */
    CHECK_EQUAL(count, 1);
    CHECK_EQUAL(seen.code, 128);
    CHECK_OK(install(SIGALRM, note, 0, 0));
    start_alarm(10, 10);
    CHECK_ERROR(CALL(read, fd, &value, 8), EINTR);
    start_alarm(0, 0);
    CHECK(count >= 1);
    close(fd);
    uninstall(SIGALRM);
}

/* These never start again. The alarm repeats: a busy machine may be late for the first one. */
static void interrupts(void)
{
    struct timespec time = {100, 0}, left = {0, 0};
    struct pollfd none = {.fd = -1};
    struct epoll_event event;
    int epoll = (int)CALL(epoll_create1, 0);
    CHECK_OK(install(SIGALRM, note, SA_RESTART, 0));
    start_alarm(10, 10);
    CHECK_ERROR(CALL(poll, &none, 1, 100000), EINTR);
    CHECK_ERROR(CALL(epoll_wait, epoll, &event, 1, 100000), EINTR);
    CHECK_ERROR(CALL(select, 0, NULL, NULL, NULL, &time), EINTR);
    time = (struct timespec){100, 0};
    CHECK_ERROR(CALL(nanosleep, &time, &left), EINTR);
    CHECK(left.tv_sec >= 50 && left.tv_sec < 100);
    CHECK_ERROR(CALL(pause), EINTR);
    start_alarm(0, 0);
    CHECK(count >= 5);
    uninstall(SIGALRM);
    close(epoll);
}

static void suspended(void)
{
    int pid = (int)CALL(getpid);
    uint64_t empty = 0, mask;
    struct pollfd none = {.fd = -1};
    struct timespec second = {1, 0};
    CHECK_OK(install(SIGUSR1, note, 0, 0));
    set_mask(bit(SIGUSR1));
    CHECK_OK(CALL(kill, pid, SIGUSR1));
    CHECK_EQUAL(count, 0);
    CHECK_ERROR(CALL(rt_sigsuspend, &empty, 8), EINTR);
    CHECK_EQUAL(count, 1);
    CALL(rt_sigprocmask, SIG_BLOCK, NULL, &mask, 8);
    CHECK_EQUAL(mask, bit(SIGUSR1)); /* back to what it was */
    CHECK_EQUAL(seen_context.mask, bit(SIGUSR1));
    CHECK_OK(CALL(kill, pid, SIGUSR1));
    CHECK_ERROR(CALL(ppoll, &none, 1, &second, &empty, 8), EINTR);
    CHECK_EQUAL(count, 2);
    CALL(rt_sigprocmask, SIG_BLOCK, NULL, &mask, 8);
    CHECK_EQUAL(mask, bit(SIGUSR1));
    second = (struct timespec){0, 1000000};
    CHECK_EQUAL(CALL(ppoll, &none, 1, &second, &empty, 8), 0);
    CALL(rt_sigprocmask, SIG_BLOCK, NULL, &mask, 8);
    CHECK_EQUAL(mask, bit(SIGUSR1));
    set_mask(0);
    uninstall(SIGUSR1);
}

static void waited_for(void)
{
    int pid = (int)CALL(getpid);
    uint64_t set = bit(SIGUSR1) | bit(42);
    struct timespec none = {0, 0}, some = {0, 20 * MS};
    struct info info = {0}, queued = {.code = -1, .pid = pid, .value = 7};
    set_mask(set | bit(SIGALRM));
    CHECK_ERROR(CALL(rt_sigtimedwait, &set, &info, &none, 8), EAGAIN);
    long long start = now_ns();
    CHECK_ERROR(CALL(rt_sigtimedwait, &set, &info, &some, 8), EAGAIN);
    CHECK(now_ns() - start >= 20 * MS);
    CHECK_OK(CALL(rt_sigqueueinfo, pid, 42, &queued));
    CHECK_EQUAL(CALL(rt_sigtimedwait, &set, &info, NULL, 8), 42);
    CHECK_EQUAL(info.value, 7);
    set = bit(SIGALRM);
    start_alarm(10, 0);
    CHECK_EQUAL(CALL(rt_sigtimedwait, &set, &info, NULL, 8), SIGALRM);
    CHECK_OK(install(SIGUSR2, note, 0, 0));
    set = bit(SIGUSR1);
    set_mask(set);
    CHECK_OK(install(SIGALRM, note, 0, 0));
    start_alarm(10, 10);
    CHECK_ERROR(CALL(rt_sigtimedwait, &set, &info, NULL, 8), EINTR); /* another signal's handler */
    start_alarm(0, 0);
    set_mask(0);
    uninstall(SIGALRM);
    uninstall(SIGUSR2);
}

static void alarms(void)
{
    struct itimerval now;
    CHECK_OK(install(SIGALRM, note, SA_RESTART, 0));
    CHECK_EQUAL(CALL(alarm, 100), 0);
    long left = CALL(alarm, 0);
    CHECK(left > 50 && left <= 100);
    start_alarm(5, 5);
    while (count < 4)
        ;
    CHECK_OK(CALL(getitimer, ITIMER_REAL, &now));
    CHECK_EQUAL(now.it_interval.tv_usec, 5000);
    start_alarm(0, 0);
    int last = count;
    struct timespec pause = {0, 20 * MS};
    CHECK_OK(CALL(nanosleep, &pause, NULL));
    CHECK_EQUAL(count, last);
    CHECK_ERROR(CALL(setitimer, 7, &now, NULL), EINVAL);
    uninstall(SIGALRM);
}

static const struct conform_case cases[] = {
    {"senders", senders},
    {"memory_faults", memory_faults},
    {"file_faults", file_faults},
    {"arithmetic_faults", arithmetic_faults},
    {"changed_registers", changed_registers},
    {"vector_state", vector_state},
    {"interrupted_loop", interrupted_loop},
    {"masks", masks},
    {"nesting", nesting},
    {"queued_in_order", queued_in_order},
    {"other_stack", other_stack},
    {"stack_overflow", stack_overflow},
    {"restarts", restarts},
    {"interrupts", interrupts},
    {"suspended", suspended},
    {"waited_for", waited_for},
    {"alarms", alarms},
};

int main(int argc, char **argv)
{
    return conform_run(cases, sizeof(cases) / sizeof(cases[0]), NULL, argc, argv);
}
