/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/linux/program/elf.h"
#include "kernel/mm/paging/paging.h"

const struct elf_rules program_rules = {
    .relocatable = true,
    .lowest = 64 * KIB, /* below lies what a null pointer hits */
    .end = USER_END,
    .span_max = UINT64_C(1024) * GIB,
    .alignment = PAGE_SIZE,
    .wrong_type = "it is not a program (neither executable nor static-PIE)",
    .below = "a segment lies in the first 64 KiB, which stay unmapped",
    .above = "a segment lies outside the payload's half of the address space",
    .too_large = "it is larger than 1 TiB in memory",
};
