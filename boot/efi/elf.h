/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel image: an ELF64 executable, checked before a byte of it is believed. Pure functions
 * over bytes, also compiled for the host.
 */
#ifndef BOOT_EFI_ELF_H
#define BOOT_EFI_ELF_H

#include <stddef.h>
#include <stdint.h>

/* The kernel lives in the top 2 GiB and is not larger than this. */
#define ELF_LOWEST_ADDRESS UINT64_C(0xffffffff80000000)
#define ELF_SIZE_MAX       (UINT64_C(64) << 20)
#define ELF_ALIGNMENT      (UINT64_C(2) << 20)
#define ELF_SEGMENTS_MAX   8

struct elf_segment {
    uint64_t offset;    /* in the file */
    uint64_t file_size; /* bytes taken from the file; the rest up to memory_size is zero */
    uint64_t address;   /* link address */
    uint64_t memory_size;
};

struct elf_plan {
    uint64_t base;  /* link address of the first byte, a multiple of ELF_ALIGNMENT */
    uint64_t size;  /* bytes from there to the end, a multiple of 4096 */
    uint64_t entry; /* link address */
    size_t count;
    struct elf_segment segments[ELF_SEGMENTS_MAX]; /* ascending, disjoint by pages, in the file */
};

/* NULL, or what is wrong with the file ("is not an ELF file"). */
const char *elf_check(const void *file, size_t size, struct elf_plan *plan);
/* Puts the segments of a checked file in place: `to` is plan->size bytes for plan->base. */
void elf_load(const void *file, const struct elf_plan *plan, void *to);

#endif
