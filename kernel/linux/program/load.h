/* SPDX-License-Identifier: BSD-2-Clause */
/* Puts a program into an address space. */
#ifndef KERNEL_LINUX_PROGRAM_LOAD_H
#define KERNEL_LINUX_PROGRAM_LOAD_H

#include "kernel/lib/refusal.h"
#include "kernel/lib/types.h"

struct config;
struct space;
struct trap_frame;

/* What /proc calls the program. */
#define PROGRAM_PATH "/payload.elf"

/*
 * Loads segments, stack and arguments into the space, which must be active, and fills the registers
 * to start with. -ENOEXEC, -ENOMEM, -E2BIG with *why; what was mapped goes with the space.
 */
int program_load(struct space *space, const void *file, uint64_t size, const struct config *config,
                 uint64_t stack_limit, struct trap_frame *start, struct refusal *why);

#endif
