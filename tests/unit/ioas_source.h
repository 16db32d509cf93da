/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A payload's memory as the tests of kernel/ioas and of the files above it see it: SOURCE_PAGES
 * virtual pages from SOURCE_BASE on, each with a frame, a page of a device, or nothing behind it.
 */
#ifndef TESTS_UNIT_IOAS_SOURCE_H
#define TESTS_UNIT_IOAS_SOURCE_H

#include "kernel/ioas/source.h"
#include "kernel/mm/memobj.h"

#define SOURCE_BASE   (7 * SIZE_1G)
#define SOURCE_PAGES  2304u
#define SOURCE_HOLE   PADDR_NONE
#define SOURCE_DEVICE UINT64_C(0xd0000000) /* physical address of the device's memory */

/*
 * What lies where (page numbers): a 2 MiB block; frames in random order; a 2 MiB block at a virtual
 * address that does not fit its physical one; read-only frames; device memory; a hole.
 */
#define SOURCE_BLOCK       0u
#define SOURCE_SCATTERED   512u
#define SOURCE_ASKEW       1031u
#define SOURCE_READ_ONLY   1600u
#define SOURCE_DEVICE_PAGE 1700u
#define SOURCE_END         1764u /* holes from here on, and in the gaps */

extern paddr_t source_frame[SOURCE_PAGES];
extern bool source_writable[SOURCE_PAGES];
extern unsigned source_references;
extern size_t source_room; /* gives at most so many runs at a time, even if asked for more */
extern struct memobj source_device;

/* Starts RAM, frames and the map above. */
void source_create(uint64_t *rng);
/* Gives all frames back and checks that all of RAM is free and nobody holds the source. */
void source_destroy(void);
/* Puts another frame behind a page, or nothing. What was there is given back. */
void source_replace(unsigned page, bool hole);
struct ioas_source source_get(void);

static inline uint64_t source_address(unsigned page)
{
    return SOURCE_BASE + page * PAGE_SIZE;
}

static inline bool source_is_device(paddr_t frame)
{
    return frame >= SOURCE_DEVICE && frame < SOURCE_DEVICE + 64 * PAGE_SIZE;
}

#endif
