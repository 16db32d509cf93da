/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one way to store an entry of a live table. Stores reach memory in the order of the calls, as
 * a unit sees it; where the unit does not snoop caches (ECAP.C = 0), each cache line is flushed
 * once for the entries stored in it one after the other: before the first store to another line,
 * and at the end.
 */
#ifndef KERNEL_IOMMU_ENTRY_H
#define KERNEL_IOMMU_ENTRY_H

#include "kernel/cpu/cache.h"
#include "kernel/lib/types.h"

struct entry_writer {
    uintptr_t line; /* the line stored to and not flushed yet; 0: none */
    bool flush;
};

static inline void entry_flush(struct entry_writer *writer)
{
    if (writer->flush && writer->line)
        cache_flush((const void *)writer->line, CACHE_LINE);
    writer->line = 0;
}

static inline void entry_store(struct entry_writer *writer, uint64_t *slot, uint64_t value)
{
    uintptr_t line = ALIGN_DOWN((uintptr_t)slot, CACHE_LINE);

    if (line != writer->line) {
        entry_flush(writer);
        writer->line = line;
    }
    *(volatile uint64_t *)slot = value;
}

#endif
