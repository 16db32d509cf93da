/* SPDX-License-Identifier: BSD-2-Clause */
/* What is asked of a payload's file (elf_check()). */
#ifndef KERNEL_LINUX_PROGRAM_ELF_H
#define KERNEL_LINUX_PROGRAM_ELF_H

#include "kernel/lib/elf.h"

extern const struct elf_rules program_rules;

#endif
