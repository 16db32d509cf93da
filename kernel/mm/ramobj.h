/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory objects made of RAM: what is behind memfd, files in /tmp and shared anonymous memory. An
 * object is sparse: a hole reads as zero and gets frames when run() reaches it, in the largest
 * blocks that fit the hole, the alignment of the offset and what was asked for.
 */
#ifndef KERNEL_MM_RAMOBJ_H
#define KERNEL_MM_RAMOBJ_H

#include "kernel/mm/memobj.h"

/*
 * An object without frames, with one reference. `granule`, of which its sizes are multiples, is
 * PAGE_SIZE, or SIZE_2M for one of huge pages: charged as such, in whole blocks. NULL: out of
 * memory.
 */
struct memobj *ramobj_create(uint64_t size, uint64_t granule);
/*
 * Page aligned. Growing adds a hole. Shrinking takes CPU translations away and releases frames,
 * which become orphans while a device may reach them. Cannot fail.
 */
void ramobj_resize(struct memobj *object, uint64_t size);
/*
 * Turns [offset, offset + length) into a hole, as far as it is whole blocks of a huge one; what is
 * touched meanwhile may be there again. Page aligned. -ENOMEM: the beginning may still be there.
 */
int ramobj_punch(struct memobj *object, uint64_t offset, uint64_t length);
/*
 * What is at `offset`, without making frames: a run of at most `max` bytes, with base PADDR_NONE
 * for a hole. Page aligned; offset must be below the size.
 */
struct phys_run ramobj_peek(const struct memobj *object, uint64_t offset, uint64_t max);
/*
 * Makes frames at the start of a hole of `length` bytes at `offset` if they come in blocks so large
 * that clearing them takes long. 1: it let others in, and whatever was known of the object may have
 * changed; 0: there was nothing to do. -ENOMEM, -EINTR.
 */
int ramobj_populate(struct memobj *object, uint64_t offset, uint64_t length);
/*
 * All frames that [offset, offset + length) of a huge object lacks below its size, which stays what
 * it is meanwhile. Lets others in.
 * -ENOMEM: there were not enough, and unless others took some meanwhile nothing has changed;
 * -EINTR.
 */
int ramobj_allocate(struct memobj *object, uint64_t offset, uint64_t length);
bool memobj_is_ram(const struct memobj *object);

#endif
