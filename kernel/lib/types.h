/* SPDX-License-Identifier: BSD-2-Clause */
/* Basic types, sizes and arithmetic every folder of the kernel shares. */
#ifndef KERNEL_LIB_TYPES_H
#define KERNEL_LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A physical (bus) address. */
typedef uint64_t paddr_t;
/* An address in the payload's address space. Never dereferenced directly: see kernel/cpu/user.h. */
typedef uint64_t uaddr_t;

#define PADDR_NONE (~(paddr_t)0)

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

#define PAGE_SHIFT 12
#define PAGE_SIZE  ((uint64_t)1 << PAGE_SHIFT)
#define SIZE_2M    (2 * MIB)
#define SIZE_1G    GIB

/* Physically consecutive memory, in bytes. */
struct phys_run {
    paddr_t base;
    uint64_t length;
};

#define ALWAYS_INLINE inline __attribute__((always_inline))
/*
 * Kept out of line: what a short way through a function calls only sometimes would otherwise make
 * it save registers each time.
 */
#define APART __attribute__((noinline))
/* The same, of what is called hardly ever: the way to it is not the one laid out straight. */
#define RARE          __attribute__((noinline, cold))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)     ((a) < (b) ? (a) : (b))
#define MAX(a, b)     ((a) > (b) ? (a) : (b))
#define BIT(n)        ((uint64_t)1 << (n))
/* Versions of clang-format differ in these. */
/* clang-format off */
#define ALIGN_DOWN(x, a)      ((x) & ~((uint64_t)(a) - 1))
#define ALIGN_UP(x, a)        ALIGN_DOWN((x) + ((uint64_t)(a) - 1), a)
#define IS_ALIGNED(x, a)      (((x) & ((uint64_t)(a) - 1)) == 0)
#define container_of(p, t, m) ((t *)((char *)(p) - offsetof(t, m)))
/* clang-format on */

/* Field access by first and last bit (inclusive), as specifications write them. */
/*@ requires low <= high <= 63;
    assigns \nothing; */
static inline uint64_t bits_get(uint64_t value, unsigned high, unsigned low)
{
    return (value >> low) & (~(uint64_t)0 >> (63 - (high - low)));
}

/* True, with the end (exclusive) stored, unless base + length wraps. */
static inline bool range_end(uint64_t base, uint64_t length, uint64_t *end)
{
    return !__builtin_add_overflow(base, length, end);
}

/* Do [a, a + alen) and [b, b + blen) share a byte? Neither range may wrap. */
/*@ assigns \nothing;
    ensures a + alen <= 1 << 64 && b + blen <= 1 << 64 ==>
      (\result == 1 <==> \exists integer x; a <= x < a + alen && b <= x < b + blen); */
static inline bool ranges_overlap(uint64_t a, uint64_t alen, uint64_t b, uint64_t blen)
{
    return alen && blen && a <= b + (blen - 1) && b <= a + (alen - 1);
}

#endif
