/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console as the payload sees it: a terminal whose output goes to every log sink as it is.
 * It has no input: reads are at the end of file.
 */
#ifndef KERNEL_FILE_CONSOLE_H
#define KERNEL_FILE_CONSOLE_H

#include "kernel/file/file.h"

/* A tree_open: what /dev/console, /dev/tty and descriptors 0 to 2 are. */
int console_open(void *context, unsigned flags, struct file **out);

#endif
