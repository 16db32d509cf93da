/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one way to store an entry of a live table. Stores reach memory in the order of the calls, as
 * a unit sees it. Where the unit does not snoop caches (ECAP.C = 0), entries stored one after the
 * other are flushed together, each cache line once: before the first store elsewhere, and by
 * entry_flush() at the end.
 */
#ifndef KERNEL_TABLE_ENTRY_H
#define KERNEL_TABLE_ENTRY_H

#include "kernel/cpu/cache.h"
#include "kernel/lib/types.h"

struct entry_writer {
    uint64_t *first; /* stored and not flushed yet: from here */
    uint64_t *end;   /* to here (exclusive) */
    bool flush;
};

static inline void entry_flush(struct entry_writer *writer)
{
    if (writer->flush && writer->first != writer->end)
        cache_flush(writer->first, (size_t)((char *)writer->end - (char *)writer->first));
    writer->first = writer->end;
}

/*
 * Entries stored in a row: entry_start() at the first slot, entry_put() for one after the other,
 * entry_stop() behind the last.
 */
static inline void entry_start(struct entry_writer *writer, uint64_t *slot)
{
    if (slot == writer->end)
        return;
    entry_flush(writer);
    writer->first = slot;
}

static inline void entry_put(uint64_t *slot, uint64_t value)
{
    *(volatile uint64_t *)slot = value;
}

static inline void entry_stop(struct entry_writer *writer, uint64_t *slot)
{
    writer->end = slot;
}

static inline void entry_store(struct entry_writer *writer, uint64_t *slot, uint64_t value)
{
    entry_start(writer, slot);
    entry_put(slot, value);
    entry_stop(writer, slot + 1);
}

#endif
