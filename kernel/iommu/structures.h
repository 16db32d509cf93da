/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The structures in memory that a VT-d unit reads: root and context entries, invalidation
 * descriptors, interrupt-remapping entries, and the fault records it shows. Each is a pair of
 * 64-bit halves built by a function that names what it builds (specification chapters 6.5 and 9).
 */
#ifndef KERNEL_IOMMU_STRUCTURES_H
#define KERNEL_IOMMU_STRUCTURES_H

#include "kernel/lib/types.h"

#define VTD_ADDRESS_MASK UINT64_C(0x000ffffffffff000)

#define VTD_PAIR(name)                                                                             \
    struct name {                                                                                  \
        uint64_t low;                                                                              \
        uint64_t high;                                                                             \
    } __attribute__((aligned(16)))

/* 9.1 Root entry: the context table of one bus. */
VTD_PAIR(vtd_root_entry);

#define VTD_PRESENT BIT(0)

static inline uint64_t vtd_root_low(paddr_t context_table)
{
    return context_table | VTD_PRESENT;
}

/* 9.3 Context entry: what one requester id is translated with. */
VTD_PAIR(vtd_context_entry);

#define VTD_CONTEXT_FPD BIT(1) /* faults are not recorded; honoured in absent entries, too */
#define VTD_CONTEXT_ATS BIT(2) /* translation type 1: device TLB allowed */

/* `levels` is 3, 4 or 5. */
static inline struct vtd_context_entry vtd_context(paddr_t table, unsigned levels, uint16_t domain,
                                                   bool ats)
{
    return (struct vtd_context_entry){
        .low = table | (ats ? VTD_CONTEXT_ATS : 0) | VTD_PRESENT,
        .high = (uint64_t)(levels - 2) | ((uint64_t)domain << 8),
    };
}

/* 6.5.2 Invalidation descriptors. */
VTD_PAIR(vtd_descriptor);

enum vtd_descriptor_type {
    VTD_DESCRIPTOR_CONTEXT = 1,
    VTD_DESCRIPTOR_IOTLB = 2,
    VTD_DESCRIPTOR_DEVICE_TLB = 3,
    VTD_DESCRIPTOR_ENTRY_CACHE = 4,
    VTD_DESCRIPTOR_WAIT = 5,
};

static inline unsigned vtd_descriptor_type(const struct vtd_descriptor *descriptor)
{
    return (unsigned)bits_get(descriptor->low, 3, 0);
}

/* Granularities, the same numbers in descriptors and in the CCMD and IOTLB registers. */
enum vtd_granularity {
    VTD_GLOBAL = 1,
    VTD_DOMAIN = 2,
    VTD_DEVICE = 3, /* context cache */
    VTD_PAGES = 3,  /* IOTLB */
};

static inline unsigned vtd_descriptor_granularity(const struct vtd_descriptor *descriptor)
{
    return (unsigned)bits_get(descriptor->low, 5, 4);
}

static inline struct vtd_descriptor vtd_invalidate_context(enum vtd_granularity granularity,
                                                           uint16_t domain, uint16_t rid)
{
    return (struct vtd_descriptor){
        .low = VTD_DESCRIPTOR_CONTEXT | ((uint64_t)granularity << 4) | ((uint64_t)domain << 16) |
               ((uint64_t)rid << 32),
    };
}

#define VTD_IOTLB_DRAIN_WRITES BIT(6)
#define VTD_IOTLB_DRAIN_READS  BIT(7)

/*
 * `mask`: 2^mask pages from the naturally aligned `address` on. `leaf_only`: no table changed, the
 * paging-structure caches may stay.
 */
static inline struct vtd_descriptor vtd_invalidate_iotlb(enum vtd_granularity granularity,
                                                         uint16_t domain, uint64_t address,
                                                         unsigned mask, bool leaf_only,
                                                         uint64_t drain)
{
    return (struct vtd_descriptor){
        .low =
            VTD_DESCRIPTOR_IOTLB | ((uint64_t)granularity << 4) | drain | ((uint64_t)domain << 16),
        .high = address | ((uint64_t)leaf_only << 6) | mask,
    };
}

/*
 * Device TLB of a requester: 2^mask pages from the aligned `address`. With S = 1 the lowest zero
 * among the address bits from 12 on says how large the range is.
 */
static inline struct vtd_descriptor vtd_invalidate_device_tlb(uint16_t rid, unsigned depth,
                                                              uint64_t address, unsigned mask)
{
    uint64_t size = mask ? (BIT(PAGE_SHIFT + mask - 1) - PAGE_SIZE) | 1 : 0;

    return (struct vtd_descriptor){
        .low = VTD_DESCRIPTOR_DEVICE_TLB | ((uint64_t)(depth & 31) << 16) | ((uint64_t)rid << 32),
        .high = address | size,
    };
}

/*
 * PFSID, the physical function whose queue a device-TLB invalidation takes a place in, to be added
 * to the low half for units with ECAP.DIT. Others reserve these bits.
 */
static inline uint64_t vtd_physical_function(uint16_t rid)
{
    return (uint64_t)(rid & 15) << 12 | (uint64_t)(rid >> 4) << 52;
}

static inline struct vtd_descriptor vtd_invalidate_all_entries(void)
{
    return (struct vtd_descriptor){.low = VTD_DESCRIPTOR_ENTRY_CACHE};
}

/* 2^mask interrupt-remapping entries from the aligned `index`. */
static inline struct vtd_descriptor vtd_invalidate_entries(uint16_t index, unsigned mask)
{
    return (struct vtd_descriptor){
        .low =
            VTD_DESCRIPTOR_ENTRY_CACHE | BIT(4) | ((uint64_t)mask << 27) | ((uint64_t)index << 32),
    };
}

/* Writes `value` to the dword at `address` once everything before it is done. */
static inline struct vtd_descriptor vtd_wait(paddr_t address, uint32_t value)
{
    return (struct vtd_descriptor){
        .low = VTD_DESCRIPTOR_WAIT | BIT(5) | ((uint64_t)value << 32),
        .high = address,
    };
}

/*
 * Nothing after it starts before everything ahead of it is done. It also writes a zero to
 * `address`, which nobody reads: QEMU calls a wait malformed that neither writes nor interrupts.
 */
static inline struct vtd_descriptor vtd_fence(paddr_t address)
{
    return (struct vtd_descriptor){.low = VTD_DESCRIPTOR_WAIT | BIT(5) | BIT(6), .high = address};
}

/* 9.10 Interrupt-remapping entry. */
VTD_PAIR(vtd_irte);

enum vtd_source_check {
    VTD_SOURCE_EXACT = 1, /* requester id equals the source id */
    VTD_SOURCE_BUSES = 2, /* bus lies in [source 15:8, source 7:0] */
};

/* Fixed delivery to one CPU. `x2apic`: 32-bit destination format (IRTA.EIME). */
static inline struct vtd_irte vtd_irte(uint8_t vector, uint32_t apic_id, bool x2apic, bool level,
                                       enum vtd_source_check check, uint16_t source)
{
    uint64_t destination = x2apic ? apic_id : (apic_id & 0xff) << 8;

    return (struct vtd_irte){
        .low =
            VTD_PRESENT | ((uint64_t)level << 4) | ((uint64_t)vector << 16) | (destination << 32),
        .high = source | ((uint64_t)check << 18),
    };
}

/* 11.4.14 Fault record. */
VTD_PAIR(vtd_fault);

static inline bool vtd_fault_filled(const struct vtd_fault *fault)
{
    return fault->high & BIT(63);
}

static inline uint16_t vtd_fault_source(const struct vtd_fault *fault)
{
    return (uint16_t)fault->high;
}

static inline uint8_t vtd_fault_reason(const struct vtd_fault *fault)
{
    return (uint8_t)bits_get(fault->high, 39, 32);
}

/* Type bits T1 (62) and T2 (28): write, read, page request, atomic operation. */
static inline unsigned vtd_fault_type(const struct vtd_fault *fault)
{
    return (unsigned)(bits_get(fault->high, 28, 28) << 1 | bits_get(fault->high, 62, 62));
}

static inline uint64_t vtd_fault_address(const struct vtd_fault *fault)
{
    return ALIGN_DOWN(fault->low, PAGE_SIZE);
}

/* For interrupt faults the same field holds the index of the remapping entry. */
static inline uint16_t vtd_fault_index(const struct vtd_fault *fault)
{
    return (uint16_t)bits_get(fault->low, 63, 48);
}

#endif
