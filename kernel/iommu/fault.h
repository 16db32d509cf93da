/* SPDX-License-Identifier: BSD-2-Clause */
/* DMA and interrupt requests that a unit refused. */
#ifndef KERNEL_IOMMU_FAULT_H
#define KERNEL_IOMMU_FAULT_H

#include "kernel/cpu/timer.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/types.h"

struct iommu_unit;

#define FAULTS_KEPT    64u
#define FAULT_DEVICES  32u
#define FAULT_TEXT_MAX 192u

/* Request types as fault records name them: T1 | T2 << 1. */
enum fault_type {
    FAULT_WRITE = 0,
    FAULT_READ = 1,
    FAULT_PAGE_REQUEST = 2,
    FAULT_ATOMIC = 3,
};

struct fault {
    uint16_t segment;
    uint16_t rid;
    uint8_t reason;
    uint8_t type;     /* enum fault_type; DMA only */
    bool interrupt;   /* an interrupt request: `address` is the index it named */
    uint64_t address; /* page aligned */
    uint64_t time_ns;
    /* Reason 0x26: who may use that entry, as enum vtd_source_check and its id; 0: not known. */
    uint8_t owner_check;
    uint16_t owner;
};

struct fault_device {
    uint16_t rid;
    bool stopped; /* the threshold was reached and acted upon, since it was reset last */
    bool reached; /* ... ever */
    bool unheard; /* its refused interrupts are only counted, with those of all such */
    uint64_t count;
    uint64_t forgiven; /* of these: iommu_forgive() */
};

/* Per unit. */
struct fault_log {
    struct fault_device devices[FAULT_DEVICES];
    size_t device_count;
    uint64_t other;     /* faults of requesters without a place in the table */
    uint64_t overflows; /* times the hardware lost at least one */
    int vector;         /* of the fault events; negative: none, 0: not yet */
    uint64_t strangers; /* refused interrupts of sources that are nobody's, beyond the first */
    bool deaf;          /* for now, because the faults did not end: */
    struct timer again; /* when they are read again, */
    uint64_t pause_ns;  /* after so long, */
    uint64_t heard_at;  /* and when they were for the last time */
    struct log_limit limit;
};

/* Programs the fault event, clears what firmware left. -ENOSPC: no vector. */
int fault_start(struct iommu_unit *unit);
/* Reads and clears every filled record. Called by the event; harmless at any time. */
void fault_collect(struct iommu_unit *unit);
/* Why a request was refused, in words. */
const char *fault_reason(uint8_t reason);
/*
 * "0000:00:02.0 write to 0x100000000 refused: reason 5, no write permission"; an interrupt from the
 * wrong source also names the right one.
 */
void fault_describe(const struct fault *fault, char *buffer, size_t size);

/* The most recent of all units together, oldest first; iommu_fault_count() tells how many there
 * were. */
size_t fault_recent(struct fault *out, size_t max);

#endif
