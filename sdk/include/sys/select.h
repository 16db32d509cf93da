/* SPDX-License-Identifier: BSD-2-Clause */
/* newlib's own, with room for as many descriptors as the kernel's bit sets have. */
#ifndef BULKHEAD_SYS_SELECT_H
#define BULKHEAD_SYS_SELECT_H

#ifndef FD_SETSIZE
#define FD_SETSIZE 1024
#endif
#include_next <sys/select.h>

#endif
