/* SPDX-License-Identifier: BSD-2-Clause */
/* The initial stack of a program: arguments, environment, auxiliary vector (System V ABI, 3.4.1).
 */
#ifndef KERNEL_LINUX_PROGRAM_START_STACK_H
#define KERNEL_LINUX_PROGRAM_START_STACK_H

#include "kernel/lib/types.h"

#define START_STACK_MAX (128 * KIB) /* bytes of strings and vectors together */
#define START_RANDOM    16          /* bytes that AT_RANDOM points to */

/* Types of auxiliary vector entries. */
enum auxiliary_type {
    AUX_NULL = 0,
    AUX_PHDR = 3,
    AUX_PHENT = 4,
    AUX_PHNUM = 5,
    AUX_PAGESZ = 6,
    AUX_BASE = 7,
    AUX_FLAGS = 8,
    AUX_ENTRY = 9,
    AUX_UID = 11,
    AUX_EUID = 12,
    AUX_GID = 13,
    AUX_EGID = 14,
    AUX_PLATFORM = 15,
    AUX_HWCAP = 16,
    AUX_CLKTCK = 17,
    AUX_SECURE = 23,
    AUX_RANDOM = 25,
    AUX_HWCAP2 = 26,
    AUX_EXECFN = 31,
    AUX_MINSIGSTKSZ = 51,
};

struct start_auxiliary {
    uint64_t type;
    uint64_t value;
};

struct start_arguments {
    const char *name; /* argv[0], also AT_EXECFN */
    const char *const *args;
    size_t arg_count;
    const char *const *env;
    size_t env_count;
    const struct start_auxiliary *auxiliary; /* numeric entries; pointers are added */
    size_t auxiliary_count;
    uint8_t random[START_RANDOM];
};

/* Where in it /proc finds what it shows: strings one behind another, and the auxiliary vector. */
struct start_layout {
    struct start_part {
        uaddr_t from, end;
    } args, env, auxiliary;
};

/*
 * Writes the image of the stack below `top` (16-byte aligned) into the end of buffer[size].
 * Returns its length in bytes, so that the stack pointer is top - length, or -E2BIG;
 * *layout is filled on success.
 */
int64_t start_stack_build(const struct start_arguments *arguments, uaddr_t top, void *buffer,
                          size_t size, struct start_layout *layout);

#endif
