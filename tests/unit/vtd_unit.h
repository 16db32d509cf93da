/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated VT-d unit behind kernel/cpu/mmio.h, written from the specification: registers, queue,
 * caches and fault records. It is as unforgiving as the specification allows: it caches whatever it
 * may (contexts, leaves, paging-structure entries, with caching mode also absence), forgets only
 * what an invalidation names, and without snooping reads only what was flushed.
 */
#ifndef TESTS_UNIT_VTD_UNIT_H
#define TESTS_UNIT_VTD_UNIT_H

#include "kernel/iommu/structures.h"
#include "kernel/lib/types.h"

#define VTD_UNITS_MAX   512
#define VTD_CACHED_MAX  256
#define VTD_RECORDS_MAX 256
#define VTD_LOG_MAX     4096

/* What happened, in order. */
enum vtd_event {
    VTD_EVENT_ROOT = 1, /* root table pointer loaded */
    VTD_EVENT_TABLE,    /* interrupt-remapping table pointer loaded */
    VTD_EVENT_QUEUE_ON,
    VTD_EVENT_QUEUE_OFF,
    VTD_EVENT_REMAP_ON,
    VTD_EVENT_REMAP_OFF,
    VTD_EVENT_TRANSLATE_ON,
    VTD_EVENT_TRANSLATE_OFF,
    VTD_EVENT_PROTECT_OFF,
    VTD_EVENT_COMPATIBILITY_OFF,
    VTD_EVENT_BUFFER_FLUSH,
    VTD_EVENT_CONTEXT, /* invalidations */
    VTD_EVENT_IOTLB,
    VTD_EVENT_DEVICE_TLB,
    VTD_EVENT_ENTRIES,
    VTD_EVENT_WAIT,
};

/* Invalidations a unit can be told to overhear, which is as if the kernel had left them out. */
enum vtd_deafness {
    VTD_DEAF_CONTEXT = 1,
    VTD_DEAF_PAGES = 2,       /* leaves, page-selective */
    VTD_DEAF_PAGE_TABLES = 4, /* paging-structure entries, page-selective */
    VTD_DEAF_DOMAIN = 8,      /* leaves, domain-selective */
    VTD_DEAF_DOMAIN_TABLES = 16,
};

struct vtd_cached_context {
    bool valid;
    uint16_t rid, domain;
    struct vtd_context_entry entry;
};

/* A leaf, or a table below a place, or (caching mode) the absence of either. */
struct vtd_cached_entry {
    bool valid;
    uint16_t domain;
    unsigned level;
    uint64_t iova;
    uint64_t entry;
};

struct vtd_cached_interrupt {
    bool valid;
    struct vtd_irte entry;
};

struct vtd_unit {
    paddr_t base;
    uint64_t cap, ecap;
    /* registers */
    uint32_t gsts, fsts, fectl, iectl, fedata, feaddr, feuaddr, pmen;
    uint64_t rtaddr, irta, iqa, iqh, iqt, ccmd, iva, iotlb, iqercd;
    paddr_t root;   /* latched */
    uint64_t table; /* latched IRTA */
    uint64_t records[VTD_RECORDS_MAX][2];
    unsigned next_record;
    /* caches */
    struct vtd_cached_context contexts[256];
    struct vtd_cached_entry leaves[VTD_CACHED_MAX];
    struct vtd_cached_entry tables[VTD_CACHED_MAX];
    size_t next_context, next_leaf, next_table;
    struct vtd_cached_interrupt interrupts[65536];
    /* misbehaviour */
    bool dead;                 /* answers nothing any more */
    uint32_t ignored;          /* GCMD bits that never take effect */
    unsigned reject_in;        /* the n-th descriptor from now on is called malformed; 0: none */
    unsigned rejections;       /* how many more times, one after the other */
    bool device_tlb_dead;      /* device-TLB invalidations time out, */
    unsigned device_tlb_looks; /* or are answered, after so many looks at the fault status */
    uint16_t
        physical_function; /* whose queue requests to device TLBs take a place in; 0: their own */
    bool completion_error; /* ICE with the next wait */
    bool registers_refuse; /* register-based invalidation answers "nothing done" */
    unsigned deaf_to;      /* enum vtd_deafness: invalidations that do nothing */
    bool strict_off;       /* the queue is switched off only while it is empty */
    bool protect_stuck;
    bool endless_faults;  /* the overflow bit cannot be cleared */
    bool endless_records; /* a record that is taken is filled again at once */
    /* record of what happened */
    uint8_t events[VTD_LOG_MAX];
    size_t event_count;
    struct vtd_descriptor descriptors[VTD_LOG_MAX];
    size_t descriptor_count;
    uint64_t gcmd_writes;
    unsigned fault_interrupts;
};

/* QEMU's default values, for aw-bits=48. */
#define VTD_TEST_CAP  UINT64_C(0x00d2008c222f0606)
#define VTD_TEST_ECAP UINT64_C(0x0000000000f00f4a)

/* Set in reserved bits that software has to preserve. */
#define VTD_RESERVED UINT64_C(0x154)

/* A unit at a physical address. All units go with vtd_units_reset(). */
struct vtd_unit *vtd_unit_add(paddr_t base, uint64_t cap, uint64_t ecap);
void vtd_units_reset(void);

/*
 * A device's request. 0 with *physical stored, or the fault reason; the fault is recorded. With
 * translation off, everything passes.
 */
unsigned vtd_unit_dma(struct vtd_unit *unit, uint16_t rid, uint64_t iova, bool write,
                      paddr_t *physical);
/* A translated request (device TLB): 0 if it passes. */
unsigned vtd_unit_translated(struct vtd_unit *unit, uint16_t rid);
/* An interrupt message. 0 with the vector and destination stored, or the fault reason. */
unsigned vtd_unit_interrupt(struct vtd_unit *unit, uint16_t rid, uint64_t address, uint32_t data,
                            uint8_t *vector, uint32_t *destination, bool *level);
/* Records a fault as hardware would. */
void vtd_unit_fault(struct vtd_unit *unit, uint16_t rid, uint8_t reason, uint64_t info, bool read);
/* How often an event happened, and at which place it happened first (or the count of events). */
unsigned vtd_unit_count(const struct vtd_unit *unit, enum vtd_event event);
size_t vtd_unit_first(const struct vtd_unit *unit, enum vtd_event event);
void vtd_unit_forget_events(struct vtd_unit *unit);

uint64_t vtd_unit_read(struct vtd_unit *unit, uint64_t offset, unsigned bytes);
void vtd_unit_write(struct vtd_unit *unit, uint64_t offset, uint64_t value, unsigned bytes);

#endif
