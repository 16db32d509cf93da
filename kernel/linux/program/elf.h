/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the headers of a statically linked ELF64 program (System V ABI, chapters 4 and 5, and its
 * x86-64 supplement) and refuses whatever could not be loaded exactly as asked.
 */
#ifndef KERNEL_LINUX_PROGRAM_ELF_H
#define KERNEL_LINUX_PROGRAM_ELF_H

#include "kernel/lib/types.h"

#define ELF_SEGMENTS_MAX    16
#define ELF_PROGRAM_HEADERS 64         /* the most a file may have */
#define ELF_LOWEST          (64 * KIB) /* below lies what a null pointer hits */
#define ELF_SPAN_MAX        (UINT64_C(1024) * GIB)

/* One PT_LOAD segment. Addresses are as in the file; a relocatable program is moved as a whole. */
struct elf_segment {
    uint64_t address;     /* need not be page aligned; no two segments share a page */
    uint64_t offset;      /* of its bytes in the file */
    uint64_t file_size;   /* bytes from the file; the rest up to memory_size is zero */
    uint64_t memory_size; /* not 0 */
    bool read, write, execute;
};

struct elf_image {
    bool relocatable; /* static-PIE: may be loaded at any page-aligned displacement */
    uint64_t entry;   /* inside an executable segment */
    uint64_t low;     /* page-aligned extent of all segments; high is exclusive */
    uint64_t high;
    uint64_t headers_address; /* where the program headers are in memory; 0: in no segment */
    unsigned headers_count;
    unsigned segment_count;
    struct elf_segment segments[ELF_SEGMENTS_MAX]; /* by ascending address */
};

/*
 * Fills *image, or returns -ENOEXEC with *reason, one sentence without the final stop. Reads only
 * the `size` bytes at `file`, which need no alignment.
 */
int elf_parse(const void *file, uint64_t size, struct elf_image *image, const char **reason);

#endif
