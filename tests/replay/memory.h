/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's own memory in a replay, which lies in RAM of the collected machine. */
#ifndef TESTS_REPLAY_MEMORY_H
#define TESTS_REPLAY_MEMORY_H

#include "kernel/lib/types.h"

void memory_place(const struct phys_run *ram, size_t count);

#endif
