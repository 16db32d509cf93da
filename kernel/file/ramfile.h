/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files in RAM: those of the boot archive (read-only), those the payload makes in /tmp, /dev/shm
 * and /dev/hugepages, and memfd. A ramfile is what a node or a memfd holds; opening it makes a
 * struct file.
 */
#ifndef KERNEL_FILE_RAMFILE_H
#define KERNEL_FILE_RAMFILE_H

#include "kernel/file/file.h"

struct ramfile;

/* memfd seals, Linux F_SEAL_ values. */
enum ramfile_seals {
    SEAL_SEAL = 1,
    SEAL_SHRINK = 2,
    SEAL_GROW = 4,
    SEAL_WRITE = 8,
    SEAL_FUTURE_WRITE = 16,
    SEAL_ALL = 31,
};

/* An empty file, of huge pages or not, with one reference. NULL when out of memory. */
struct ramfile *ramfile_create(unsigned seals, bool huge);
struct ramfile *ramfile_get(struct ramfile *ram);
/* Accepts NULL. The last reference gives the memory back. */
void ramfile_put(struct ramfile *ram);
/* Appends kernel memory: how the boot archive is copied in. -ENOMEM. */
int ramfile_append(struct ramfile *ram, const void *bytes, uint64_t length);
/* Fills size, modification time; leaves the rest. */
void ramfile_stat(const struct ramfile *ram, struct file_stat *out);
/*
 * What is at `offset` (page aligned, below the size) without making it: as many bytes, and at most
 * *length, as lie together in memory; NULL for a hole. *length becomes how many; it may reach
 * beyond the end of the file, where there are zeros.
 */
const void *ramfile_peek(const struct ramfile *ram, uint64_t offset, uint64_t *length);
/* A file open on it, which takes a reference of its own. NULL when out of memory. */
struct file *ramfile_open(struct ramfile *ram, unsigned flags, const char *name);
/* 0, -EFBIG, -EPERM (sealed), -EINVAL (no whole huge page). New bytes read as zero. */
int ramfile_resize(struct ramfile *ram, uint64_t size);
/*
 * fallocate(2) of bytes below 2^63: the file becomes as long at least; one of huge pages has them
 * then, others when they are used. -ENOMEM, and as above.
 */
int ramfile_allocate(struct ramfile *ram, uint64_t offset, uint64_t length);

/* NULL unless the file is open on a ramfile. */
struct ramfile *file_ramfile(const struct file *file);
/* Is that one of huge pages? */
bool file_is_huge(const struct file *file);
unsigned ramfile_get_seals(const struct ramfile *ram);
/* -EPERM once SEAL_SEAL is set, -EBUSY for SEAL_WRITE while the memory is mapped. */
int ramfile_add_seals(struct ramfile *ram, unsigned seals);

#endif
