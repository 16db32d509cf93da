/* SPDX-License-Identifier: BSD-2-Clause */
/* Access to the payload's memory. Any address is safe to pass: what cannot be reached is -EFAULT.
 */
#ifndef KERNEL_CPU_USER_H
#define KERNEL_CPU_USER_H

#include "kernel/lib/types.h"

/* 0 or -EFAULT. On -EFAULT a part may have been copied. */
int copy_from_user(void *to, uaddr_t from, size_t length);
int copy_to_user(uaddr_t to, const void *from, size_t length);
int clear_user(uaddr_t to, size_t length);
/*
 * Copies a string with its terminating zero; `size` is the room at `to`. Returns the length
 * without the zero, -EFAULT, or -ENAMETOOLONG when no zero was found in `size` bytes.
 */
int copy_string_from_user(char *to, uaddr_t from, size_t size);
/* Is [address, address + length) in the payload's half, without a wrap? */
bool user_range_ok(uaddr_t address, uint64_t length);

#endif
