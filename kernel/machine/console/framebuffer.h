/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console as text on a linear framebuffer with 32-bit pixels, for machines without a serial
 * port. A write draws little, and the rest comes from a timer, unless everything is flushed at once
 * (log_set_patient()). Scrolls by drawing only the letters that differ: reading a framebuffer is
 * very slow.
 */
#ifndef KERNEL_MACHINE_CONSOLE_FRAMEBUFFER_H
#define KERNEL_MACHINE_CONSOLE_FRAMEBUFFER_H

#include <bulkhead/boot_info.h>
#include "kernel/lib/types.h"

/* Larger screens use their upper left part. */
#define FRAMEBUFFER_COLUMNS_MAX 240
#define FRAMEBUFFER_ROWS_MAX    100

/*
 * Clears the screen and adds the log sink (once). `pixels` is where `info->size` bytes from
 * info->base on can be written now. False, and nothing happens, if the description makes no sense
 * (no room for a letter, lines shorter than the width, more lines than bytes).
 */
bool framebuffer_init(const struct boot_framebuffer *info, void *pixels);
/* The pixels are elsewhere from now on; NULL: not reachable, text is only remembered. */
void framebuffer_move(void *pixels);

#endif
