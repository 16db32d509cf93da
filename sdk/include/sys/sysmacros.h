/* SPDX-License-Identifier: BSD-2-Clause */
/* Device numbers: minor 7:0, major 19:8, minor 31:20, major 63:32. */
#ifndef _SYS_SYSMACROS_H
#define _SYS_SYSMACROS_H

#include <sys/types.h>

static inline unsigned gnu_dev_major(dev_t device)
{
    return (unsigned)((device >> 8) & 0xfff) | (unsigned)((device >> 32) & ~0xfffU);
}

static inline unsigned gnu_dev_minor(dev_t device)
{
    return (unsigned)(device & 0xff) | (unsigned)((device >> 12) & ~0xffU);
}

static inline dev_t gnu_dev_makedev(unsigned major, unsigned minor)
{
    return (minor & 0xffU) | ((dev_t)(major & 0xfffU) << 8) | ((dev_t)(minor & ~0xffU) << 12) |
           ((dev_t)(major & ~0xfffU) << 32);
}

#define major(device)         gnu_dev_major(device)
#define minor(device)         gnu_dev_minor(device)
#define makedev(major, minor) gnu_dev_makedev(major, minor)

#endif
