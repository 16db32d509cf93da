/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Areas of a disk, 2 MiB each, that the examples read and write.
 *
 * What is written depends on the block: each 8-byte word of it is (number of the block << 16 |
 * number of the word in it) * AREA_FACTOR. Only blocks that hold zeros, or this already, are
 * overwritten.
 */
#ifndef EXAMPLES_NVME_AREAS_H
#define EXAMPLES_NVME_AREAS_H

#include "nvme/nvme.h"

#define AREA_SIZE   (2u << 20)
#define AREA_FACTOR 0x9e3779b97f4a7c15ull

struct area {
    uint64_t first; /* block */
    unsigned blocks;
    unsigned piece; /* blocks that one command moves */
};

/* The number-th area of a disk, from 0. Ends the program where the disk is too small. */
struct area area_at(struct nvme *nvme, unsigned number);

/* Begins to read or write pieces from the from-th on, one for each slot. */
void area_begin(struct nvme *nvme, const struct area *area, enum nvme_operation operation,
                unsigned from);

/* Sleeps until all that area_begin() began has ended. */
void area_end(struct nvme *nvme);

/* Do all slots hold what area_write() writes to the pieces from the from-th on? */
bool area_came_as_written(struct nvme *nvme, const struct area *area, unsigned from);

/* Reads an area; the CRC-32 of it, as zlib has it. */
uint32_t area_checksum(struct nvme *nvme, const struct area *area);

/* Writes an area, or ends the program where it holds something. */
void area_write(struct nvme *nvme, const struct area *area);

/* Reads an area. Does it hold what area_write() writes? */
bool area_is_as_written(struct nvme *nvme, const struct area *area);

#endif
