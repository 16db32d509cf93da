/* SPDX-License-Identifier: BSD-2-Clause */
/* What the boot door handed over: a program, alone or in an archive with the user's files. */
#ifndef KERNEL_LINUX_PROGRAM_ARCHIVE_H
#define KERNEL_LINUX_PROGRAM_ARCHIVE_H

#include "kernel/lib/refusal.h"
#include "kernel/lib/types.h"

#define ARCHIVE_PROGRAM "payload.elf"

/*
 * Puts the files of the archive into the tree, read-only, and tells where the program is (its
 * bytes lie in the archive). -ENOENT, -EINVAL, -ENOMEM, -EEXIST with *why; files already added stay
 * for tree_clear().
 */
int archive_unpack(const void *archive, uint64_t size, const void **program, uint64_t *program_size,
                   struct refusal *why);

#endif
