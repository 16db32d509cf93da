/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stand-in for the payload's memory: an address is a host pointer, and what lies in the first 64
 * KiB or at host_bad_user cannot be reached.
 */
#include "tests/unit/host_user.h"
#include <string.h>
#include "kernel/cpu/user.h"
#include "kernel/lib/error.h"
#include "kernel/mm/paging/paging.h"

#define LOWEST (64 * KIB)

struct phys_run host_bad_user, host_const_user;

static bool reachable(uaddr_t at, size_t length)
{
    return length == 0 ||
           (at >= LOWEST && !ranges_overlap(at, length, host_bad_user.base, host_bad_user.length));
}

static bool writable(uaddr_t at, size_t length)
{
    return reachable(at, length) &&
           !ranges_overlap(at, length, host_const_user.base, host_const_user.length);
}

bool user_range_ok(uaddr_t address, uint64_t length)
{
    return address <= USER_END && length <= USER_END - address;
}

int copy_from_user(void *to, uaddr_t from, size_t length)
{
    if (!user_range_ok(from, length) || !reachable(from, length))
        return -EFAULT;
    if (length) /* NULL may be passed for nothing */
        memcpy(to, (const void *)(uintptr_t)from, length);
    return 0;
}

int copy_to_user(uaddr_t to, const void *from, size_t length)
{
    if (!user_range_ok(to, length) || !writable(to, length))
        return -EFAULT;
    if (length) /* NULL may be passed for nothing */
        memcpy((void *)(uintptr_t)to, from, length);
    return 0;
}

int clear_user(uaddr_t to, size_t length)
{
    if (!user_range_ok(to, length) || !writable(to, length))
        return -EFAULT;
    memset((void *)(uintptr_t)to, 0, length);
    return 0;
}

int copy_string_from_user(char *to, uaddr_t from, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (copy_from_user(to + i, from + i, 1))
            return -EFAULT;
        if (to[i] == 0)
            return (int)i;
    }
    return -ENAMETOOLONG;
}
