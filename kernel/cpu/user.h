/* SPDX-License-Identifier: BSD-2-Clause */
/* Access to the payload's memory. Any address is safe to pass: what cannot be reached is -EFAULT.
 */
#ifndef KERNEL_CPU_USER_H
#define KERNEL_CPU_USER_H

#include "kernel/lib/types.h"

/* The most bytes of a structure: looking at them is one step of work. */
#define USER_STRUCT_MAX 4096

/* 0 or -EFAULT. On -EFAULT a part may have been copied. */
int copy_from_user(void *to, uaddr_t from, size_t length);
int copy_to_user(uaddr_t to, const void *from, size_t length);
int clear_user(uaddr_t to, size_t length);
/*
 * Copies a string with its terminating zero; `size` is the room at `to`. Returns the length
 * without the zero, -EFAULT, or -ENAMETOOLONG when no zero was found in `size` bytes.
 */
int copy_string_from_user(char *to, uaddr_t from, size_t size);
/*
 * Copies in a structure of which the caller has `size` bytes and `known` are known here: what is
 * missing is zero, what there is beyond must be zero. -EFAULT; -E2BIG, also above USER_STRUCT_MAX.
 */
int copy_struct_from_user(void *to, size_t known, uaddr_t from, uint64_t size);
/* Is [address, address + length) in the payload's half, without a wrap? */
bool user_range_ok(uaddr_t address, uint64_t length);

#endif
