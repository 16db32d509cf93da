/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console as the payload sees it: what is written goes to every log sink, what is read comes
 * from kernel/machine/console/input.h through the line discipline of kernel/file/tty.h.
 */
#ifndef KERNEL_FILE_CONSOLE_H
#define KERNEL_FILE_CONSOLE_H

#include "kernel/file/file.h"
#include "kernel/machine/config/config.h"

/*
 * For each life of the payload: a terminal has its first modes again, and input that nobody has
 * read stays. The first call starts the input. signal() sends the payload one; it is called in an
 * interrupt.
 */
void console_begin(const struct config *config, void (*signal)(int number));
/* How the payload's standard input (0), output (1) and error (2) are to be opened: file_flags. */
unsigned console_flags(int fd);
/* A tree_open: what /dev/console and descriptors 0 to 2 are. */
int console_open(void *context, unsigned flags, struct file **out);
/* A tree_open: what /dev/tty is. -ENXIO where the console is no terminal. */
int console_open_tty(void *context, unsigned flags, struct file **out);

#endif
