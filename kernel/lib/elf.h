/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the headers of a statically linked ELF64 program (System V ABI, chapters 4 and 5, and its
 * x86-64 supplement) and refuses whatever could not be loaded exactly as asked. The loader judges
 * the kernel by it, and the kernel the payload; what differs is in the rules. Pure functions over
 * bytes.
 */
#ifndef KERNEL_LIB_ELF_H
#define KERNEL_LIB_ELF_H

#include "kernel/lib/types.h"

#define ELF_SEGMENTS_MAX    16
#define ELF_PROGRAM_HEADERS 64 /* the most a file may have */
#define ELF_PAGE            4096

/* What is asked of a file, and the sentences for one that does not comply. */
struct elf_rules {
    bool relocatable;   /* static-PIE is welcome too, and may begin at address 0 */
    uint64_t lowest;    /* address of a segment */
    uint64_t end;       /* of the last segment, exclusive; page aligned */
    uint64_t span_max;  /* bytes from the first segment's page to the last one's end */
    uint64_t alignment; /* of the first segment's page: a power of two, at least a page */
    const char *wrong_type;
    const char *below;
    const char *above;
    const char *too_large;
    const char *misaligned;
};

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
 * Fills *image and returns NULL, or what is wrong: a sentence without the final stop. Reads only
 * the `size` bytes at `file`, which need no alignment.
 */
const char *elf_check(const void *file, uint64_t size, const struct elf_rules *rules,
                      struct elf_image *image);

#endif
