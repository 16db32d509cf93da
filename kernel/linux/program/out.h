/* SPDX-License-Identifier: BSD-2-Clause */
/* What the payload leaves for whoever started it: the files under /out. */
#ifndef KERNEL_LINUX_PROGRAM_OUT_H
#define KERNEL_LINUX_PROGRAM_OUT_H

#include "kernel/lib/types.h"

#define OUT_PATH "/out"

/*
 * Sends what is below /out to the stream (docs/report.md), in the order it was made: of everything
 * name, kind and size, and of regular files what is in them, as long as their sizes do not come to
 * more than `limit` bytes. For the end of the payload, when nobody changes it any more. Lets others
 * in; hears nothing.
 */
void out_send(uint64_t limit);

#endif
