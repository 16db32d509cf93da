/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the payload is allowed: it is user 0, with these Linux capabilities and no others. Nothing
 * can change them.
 *
 *   CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID
 *                     files are open to it, as far as anything can change them
 *   CAP_KILL          it may signal itself
 *   not CAP_IPC_LOCK  the locked-memory limit binds it (mlock, pinned DMA memory)
 *   not CAP_SYS_RESOURCE  it cannot raise a hard limit, nor choose how iommufd charges
 *   not CAP_SYS_RAWIO no I/O ports and no device without an IOMMU
 *   not CAP_SYS_ADMIN, CAP_SYS_NICE, CAP_SYS_TIME and the rest: there is nothing they could do
 */
#ifndef KERNEL_LINUX_CALLS_PRIVILEGE_H
#define KERNEL_LINUX_CALLS_PRIVILEGE_H

#include "kernel/lib/types.h"

enum capability {
    CAP_CHOWN = 0,
    CAP_DAC_OVERRIDE = 1,
    CAP_DAC_READ_SEARCH = 2,
    CAP_FOWNER = 3,
    CAP_FSETID = 4,
    CAP_KILL = 5,
    CAP_LAST = 40,
};

#define PAYLOAD_CAPABILITIES                                                                       \
    (BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_FOWNER) |         \
     BIT(CAP_FSETID) | BIT(CAP_KILL))

#endif
