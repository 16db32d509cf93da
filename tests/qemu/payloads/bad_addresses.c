/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hands addresses that are not the payload's to every system call there is. The calls of the first
 * table have to fail with EFAULT (or what Linux gives where it never looks); then every number is
 * swept with bad addresses in every argument, and every ioctl of the device files: these only have
 * to come back. Prints what was wrong; ends with "nothing wrong" and 0 if nothing was.
 *
 * usage: bad-addresses
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static long raw_call(long number, const uint64_t a[6])
{
    register uint64_t r10 __asm__("r10") = a[3];
    register uint64_t r8 __asm__("r8") = a[4];
    register uint64_t r9 __asm__("r9") = a[5];
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* Kernel space (image, direct map, last page), not canonical, unmapped, the first page. */
static uint64_t bad[] = {
    0xffffffff80200000,
    0xffff800000000000,
    0xfffffffffffff000,
    0x0000800000000000,
    0x8000000000000000,
    0x0000700000000000,
    0x10,
    0, /* a page without access, filled in by main() */
    0, /* the last byte before one: structures reach into it */
};

/* In the tables: P is replaced by a bad address, F by a file with content, D by a descriptor. */
enum {
    P = 0xbad0001,
    F = 0xbad0002,
    E = 0xbad0003, /* an epoll descriptor */
    T = 0xbad0004, /* a timer descriptor */
    O = 0xbad0005, /* a path that exists */
};

static const struct {
    const char *name;
    short number;
    uint64_t arguments[6];
} calls[] = {
    {"read", 0, {F, P, 64}},
    {"write", 1, {F, P, 64}},
    {"open", 2, {P}},
    {"stat path", 4, {P, P}},
    {"stat", 4, {O, P}},
    {"fstat", 5, {F, P}},
    {"lstat", 6, {O, P}},
    {"poll", 7, {P, 1}},
    {"rt_sigaction new", 13, {10, P, 0, 8}},
    {"rt_sigaction old", 13, {10, 0, P, 8}},
    {"rt_sigprocmask", 14, {0, P, 0, 8}},
    {"rt_sigprocmask old", 14, {0, 0, P, 8}},
    {"pread64", 17, {F, P, 64}},
    {"pwrite64", 18, {F, P, 64}},
    {"readv", 19, {F, P, 1}},
    {"writev", 20, {F, P, 1}},
    {"access", 21, {P}},
    {"pipe", 22, {P}},
    {"select", 23, {8, P}},
    {"nanosleep", 35, {P}},
    {"setitimer", 38, {0, P}},
    {"uname", 63, {P}},
    {"truncate", 76, {P}},
    {"getcwd", 79, {P, 4096}},
    {"chdir", 80, {P}},
    {"rename", 82, {P, P}},
    {"mkdir", 83, {P}},
    {"rmdir", 84, {P}},
    {"unlink", 87, {P}},
    {"readlink", 89, {P, P, 64}},
    {"gettimeofday", 96, {P}},
    {"getrlimit", 97, {0, P}},
    {"getrusage", 98, {0, P}},
    {"sysinfo", 99, {P}},
    {"times", 100, {P}},
    {"getresuid", 118, {P, P, P}},
    {"rt_sigpending", 127, {P, 8}},
    {"rt_sigtimedwait", 128, {P, 0, 0, 8}},
    {"rt_sigsuspend", 130, {P, 8}},
    {"sigaltstack", 131, {P}},
    {"statfs", 137, {O, P}},
    {"fstatfs", 138, {F, P}},
    {"arch_prctl", 158, {0x1003, P}},
    {"setrlimit", 160, {7, P}},
    {"time", 201, {P}},
    {"sched_getaffinity", 204, {0, 128, P}},
    {"clock_gettime", 228, {1, P}},
    {"clock_getres", 229, {1, P}},
    {"clock_nanosleep", 230, {1, 0, P}},
    {"epoll_ctl", 233, {E, 1, F, P}},
    {"openat", 257, {-100ull, P}},
    {"newfstatat", 262, {-100ull, O, P}},
    {"readlinkat", 267, {-100ull, P, P, 64}},
    {"faccessat", 269, {-100ull, P}},
    {"ppoll", 271, {P, 1}},
    {"timerfd_settime", 286, {T, 0, P}},
    {"timerfd_gettime", 287, {T, P}},
    {"pipe2", 293, {P}},
    {"preadv", 295, {F, P, 1}},
    {"pwritev", 296, {F, P, 1}},
    {"prlimit64", 302, {0, 7, 0, P}},
    {"getrandom", 318, {P, 64}},
    {"memfd_create", 319, {P}},
    {"statx", 332, {-100ull, O, 0, 0, P}},
};

/* Ends the program, replaces its stack, or waits for a signal that nobody sends. */
static const short not_swept[] = {
    SYS_exit, SYS_exit_group, 11, /* munmap: from a descriptor to a bad address lies the program */
    15,                           /* rt_sigreturn */
    34,                           /* pause */
    130,                          /* rt_sigsuspend */
    436,                          /* close_range: our descriptors */
};

static const char folder_name[] = "/tmp";
static int file, epoll, timer, wrong;
static uint8_t *edge; /* the last byte before the page without access */

static uint64_t argument(uint64_t given, uint64_t address)
{
    switch (given) {
    case P:
        return address;
    case F:
        return (uint64_t)file;
    case E:
        return (uint64_t)epoll;
    case T:
        return (uint64_t)timer;
    case O:
        return (uintptr_t)folder_name;
    default:
        return given;
    }
}

static void check_calls(void)
{
    for (size_t i = 0; i < COUNT(calls); i++) {
        for (size_t j = 0; j < COUNT(bad); j++) {
            uint64_t arguments[6];
            long result;

            for (size_t k = 0; k < 6; k++)
                arguments[k] = argument(calls[i].arguments[k], bad[j]);
            lseek(file, 0, SEEK_SET);
            *edge = 'x'; /* a path that does not end there; calls may have written to it */
            result = raw_call(calls[i].number, arguments);
            if (result == -EFAULT)
                continue;
            wrong++;
            printf("bad-addresses: %s with %llx gives %ld\n", calls[i].name,
                   (unsigned long long)bad[j], result);
        }
    }
}

static bool swept(long number)
{
    for (size_t i = 0; i < COUNT(not_swept); i++)
        if (not_swept[i] == number)
            return false;
    return true;
}

/* The bad address everywhere; behind a good descriptor; behind a good descriptor with a length. */
static unsigned sweep_calls(void)
{
    unsigned count = 0;

    for (long number = 0; number < 480; number++) {
        for (size_t j = 0; swept(number) && j < COUNT(bad); j++) {
            const uint64_t b = bad[j];
            const uint64_t everywhere[6] = {b, b, b, b, b, b};
            uint64_t good[6] = {0, b, b, b, b, b}, length[6] = {0, b, 64, b, 8, b};

            raw_call(number, everywhere);
            good[0] = length[0] = (uint64_t)dup(file);
            raw_call(number, good);
            raw_call(number, length);
            close((int)good[0]);
            count += 3;
        }
    }
    return count;
}

/* Every command number of the device files, with the bad address as its structure. */
static unsigned sweep_ioctls(void)
{
    static const char *const paths[] = {"/dev/vfio/vfio", "/dev/vfio/1", "/dev/iommu",
                                        "/dev/vfio/devices/vfio0", "/dev/console"};
    unsigned count = 0;

    for (size_t i = 0; i < COUNT(paths); i++) {
        int fd = open(paths[i], O_RDWR);

        for (unsigned command = 0; fd >= 0 && command < 256; command++) {
            for (size_t j = 0; j < COUNT(bad); j++) {
                const uint64_t arguments[6] = {(uint64_t)fd, ';' << 8 | command, bad[j]};

                raw_call(SYS_ioctl, arguments);
                count++;
            }
        }
        if (fd >= 0)
            close(fd);
    }
    return count;
}

static void prepare(void)
{
    const uint64_t memfd[6] = {(uintptr_t)folder_name, 0};
    char text[128] = {0};
    uint8_t *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    mprotect(pages + 4096, 4096, PROT_NONE);
    bad[COUNT(bad) - 2] = (uintptr_t)pages + 4096;
    edge = pages + 4095;
    bad[COUNT(bad) - 1] = (uintptr_t)edge;
    file = (int)raw_call(319, memfd);
    epoll = (int)raw_call(291, (const uint64_t[6]){0});
    timer = (int)raw_call(283, (const uint64_t[6]){1});
    if (write(file, text, sizeof(text)) != sizeof(text) || epoll < 0 || timer < 0) {
        wrong++;
        printf("bad-addresses: cannot prepare\n");
    }
}

int main(void)
{
    unsigned sweeps;

    prepare();
    check_calls();
    printf("bad-addresses: %zu calls checked\n", COUNT(calls) * COUNT(bad));
    fflush(stdout);
    sweeps = sweep_calls();
    printf("bad-addresses: %u calls swept\n", sweeps);
    printf("bad-addresses: %u ioctls swept\n", sweep_ioctls());
    printf("bad-addresses: %s\n", wrong ? "SOMETHING WRONG" : "nothing wrong");
    return wrong != 0;
}
