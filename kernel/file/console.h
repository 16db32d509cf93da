/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console as the payload sees it: what is written goes to every log sink, what is read comes
 * from kernel/machine/console/input.h through the line discipline of kernel/file/tty.h.
 */
#ifndef KERNEL_FILE_CONSOLE_H
#define KERNEL_FILE_CONSOLE_H

#include "kernel/file/file.h"
#include "kernel/machine/console/input.h"

struct console_terms {
    enum console_terminal terminal;
    enum input_source input;
    uint16_t rows, columns;
    void (*signal)(int number); /* for the payload; called in an interrupt */
};

/*
 * For each life of the payload: a terminal has its first modes again, and input that nobody has
 * read stays. The first call starts the input.
 */
void console_begin(const struct console_terms *terms);
/* How the payload's standard input (0), output (1) and error (2) are to be opened: file_flags. */
unsigned console_flags(int fd);
/* A tree_open: what /dev/console and descriptors 0 to 2 are. */
int console_open(void *context, unsigned flags, struct file **out);
/* A tree_open: what /dev/tty is. -ENXIO where the console is no terminal. */
int console_open_tty(void *context, unsigned flags, struct file **out);

#endif
