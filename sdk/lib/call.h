/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls: number in rax, arguments in rdi rsi rdx r10 r8 r9, result in rax, where -4095 to
 * -1 is a negative error number. CALL takes up to six arguments of any integer or pointer type.
 */
#ifndef SDK_LIB_CALL_H
#define SDK_LIB_CALL_H

#include <sys/syscall.h>

static inline long sdk_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* Sets errno and returns -1. */
long sdk_error(long error);

/* The result as C functions give it: -1 with errno set if it is an error. */
static inline long sdk_result(long result)
{
    return (unsigned long)result >= (unsigned long)-4095L ? sdk_error(-result) : result;
}

#define CALL_6(n, a, b, c, d, e, f, ...)                                                           \
    sdk_syscall(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define CALL_RAW(number, ...) CALL_6(number, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define CALL(...)             sdk_result(CALL_RAW(__VA_ARGS__))

#endif
