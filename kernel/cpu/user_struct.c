/* SPDX-License-Identifier: BSD-2-Clause */
/* Structures of the payload that grow from one version of an interface to the next. */
#include "kernel/cpu/user.h"
#include "kernel/lib/error.h"
#include "kernel/lib/string.h"

/* -E2BIG: a byte is not zero. */
static int check_zero(uaddr_t from, uint64_t length)
{
    uint8_t part[64];

    while (length) {
        size_t n = MIN(sizeof(part), length);

        if (copy_from_user(part, from, n))
            return -EFAULT;
        for (size_t i = 0; i < n; i++)
            if (part[i])
                return -E2BIG;
        from += n;
        length -= n;
    }
    return 0;
}

int copy_struct_from_user(void *to, size_t known, uaddr_t from, uint64_t size)
{
    size_t length = MIN(known, size);

    if (copy_from_user(to, from, length))
        return -EFAULT;
    memset((char *)to + length, 0, known - length);
    if (size > USER_STRUCT_MAX)
        return -E2BIG;
    return check_zero(from + length, size - length);
}
