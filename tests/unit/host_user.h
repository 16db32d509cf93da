/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_HOST_USER_H
#define TESTS_UNIT_HOST_USER_H

#include "kernel/lib/types.h"

/* Addresses that the payload cannot reach, beside the first 64 KiB. */
extern struct phys_run host_bad_user;
/* Addresses that it can read and not write. */
extern struct phys_run host_const_user;

static inline uaddr_t user_address(const void *pointer)
{
    return (uaddr_t)(uintptr_t)pointer;
}

#endif
