/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of the kernel's functions, from the table that the second link adds to the image. */
#ifndef KERNEL_LIB_SYMBOL_H
#define KERNEL_LIB_SYMBOL_H

#include "kernel/lib/types.h"

/* The function that contains a link address, and how far into it; NULL when there is none. */
const char *symbol_find(uint64_t address, uint64_t *offset);

#endif
