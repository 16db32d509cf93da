/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel image: what is asked of its file (elf_check()), and how it gets in place. */
#ifndef BOOT_EFI_ELF_H
#define BOOT_EFI_ELF_H

#include "kernel/lib/elf.h"

extern const struct elf_rules kernel_rules;

/* Puts the segments of a checked file in place: `to` is image->high - image->low bytes. */
void elf_load(const void *file, const struct elf_image *image, void *to);

#endif
