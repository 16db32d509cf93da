/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers of a VT-d unit (Intel Virtualization Technology for Directed I/O specification,
 * chapter 11, "Register descriptions"). An offset carries the width of its register in its type, so
 * reading half of a 64-bit register does not compile.
 */
#ifndef KERNEL_IOMMU_REGS_H
#define KERNEL_IOMMU_REGS_H

#include "kernel/cpu/mmio.h"
#include "kernel/lib/types.h"

struct vtd_reg32 {
    uint32_t offset;
};

struct vtd_reg64 {
    uint32_t offset;
};

#define VTD_VER     ((struct vtd_reg32){0x00})
#define VTD_CAP     ((struct vtd_reg64){0x08})
#define VTD_ECAP    ((struct vtd_reg64){0x10})
#define VTD_GCMD    ((struct vtd_reg32){0x18})
#define VTD_GSTS    ((struct vtd_reg32){0x1c})
#define VTD_RTADDR  ((struct vtd_reg64){0x20})
#define VTD_CCMD    ((struct vtd_reg64){0x28})
#define VTD_FSTS    ((struct vtd_reg32){0x34})
#define VTD_FECTL   ((struct vtd_reg32){0x38})
#define VTD_FEDATA  ((struct vtd_reg32){0x3c})
#define VTD_FEADDR  ((struct vtd_reg32){0x40})
#define VTD_FEUADDR ((struct vtd_reg32){0x44})
#define VTD_PMEN    ((struct vtd_reg32){0x64})
#define VTD_IQH     ((struct vtd_reg64){0x80})
#define VTD_IQT     ((struct vtd_reg64){0x88})
#define VTD_IQA     ((struct vtd_reg64){0x90})
#define VTD_IECTL   ((struct vtd_reg32){0xa0})
#define VTD_IQERCD  ((struct vtd_reg64){0xb0})
#define VTD_IRTA    ((struct vtd_reg64){0xb8})

/* The registers every unit has end here; fault records and IOTLB registers may lie beyond. */
#define VTD_REGISTERS_MIN PAGE_SIZE

/* 11.4.4: GCMD commands and the GSTS bits that answer them share their positions. */
enum vtd_global {
    VTD_GLOBAL_TE = 1u << 31,   /* DMA translation */
    VTD_GLOBAL_RTP = 1u << 30,  /* one-shot: load the root table pointer */
    VTD_GLOBAL_WBF = 1u << 27,  /* one-shot: flush write buffers; status is set while busy */
    VTD_GLOBAL_QIE = 1u << 26,  /* queued invalidation */
    VTD_GLOBAL_IRE = 1u << 25,  /* interrupt remapping */
    VTD_GLOBAL_IRTP = 1u << 24, /* one-shot: load the interrupt-remapping table pointer */
    VTD_GLOBAL_CFI = 1u << 23,  /* let compatibility-format interrupts pass */
};
/* What of GSTS goes back into GCMD: everything but the one-shot bits, as 11.4.4.1 prescribes. */
#define VTD_GLOBAL_KEEP 0x96ffffffu

enum vtd_cap_bits {
    VTD_CAP_RWBF = 4,
    VTD_CAP_PLMR = 5,
    VTD_CAP_PHMR = 6,
    VTD_CAP_CM = 7,
    VTD_CAP_PSI = 39,
    VTD_CAP_DWD = 54,
    VTD_CAP_DRD = 55,
};

enum vtd_ecap_bits {
    VTD_ECAP_C = 0,
    VTD_ECAP_QI = 1,
    VTD_ECAP_DT = 2,
    VTD_ECAP_IR = 3,
    VTD_ECAP_EIM = 4,
    VTD_ECAP_SC = 7,
    VTD_ECAP_DIT = 41,
};

/* Fields of CAP and ECAP as bits_get() takes them. */
#define VTD_CAP_ND    2, 0   /* 2^(4 + 2 * ND) domain ids; 7 is reserved */
#define VTD_CAP_SAGAW 12, 8  /* bit n: tables of n + 2 levels are supported */
#define VTD_CAP_MGAW  21, 16 /* address bits of a request that the unit can translate, less 1 */
#define VTD_CAP_SLLPS 37, 34 /* bit 0: 2 MiB leaves, bit 1: 1 GiB leaves */
#define VTD_CAP_MAMV  53, 48 /* page-selective invalidation of up to 2^MAMV pages */
#define VTD_ECAP_MHMV 23, 20 /* the same of interrupt entries */

/* Byte offset of the first fault record and the number of records. */
static inline uint32_t vtd_cap_fault_offset(uint64_t cap)
{
    return (uint32_t)bits_get(cap, 33, 24) * 16;
}

static inline unsigned vtd_cap_fault_records(uint64_t cap)
{
    return (unsigned)bits_get(cap, 47, 40) + 1;
}

static inline uint32_t vtd_ecap_iotlb_offset(uint64_t ecap)
{
    return (uint32_t)bits_get(ecap, 17, 8) * 16;
}

#define VTD_IVA(ecap)   ((struct vtd_reg64){vtd_ecap_iotlb_offset(ecap)})
#define VTD_IOTLB(ecap) ((struct vtd_reg64){vtd_ecap_iotlb_offset(ecap) + 8})

/* 11.4.9.1: all of these but PPF and FRI are write-1-to-clear; PPF follows the records. */
enum vtd_fsts {
    VTD_FSTS_PFO = 1u << 0, /* a fault was lost for want of a free record */
    VTD_FSTS_PPF = 1u << 1, /* some record is filled */
    VTD_FSTS_IQE = 1u << 4, /* malformed descriptor in the queue */
    VTD_FSTS_ICE = 1u << 5, /* unexpected device-TLB completion */
    VTD_FSTS_ITE = 1u << 6, /* a device did not answer a device-TLB invalidation */
};

/* The errors of the invalidation queue; writing the others back too would hide a lost fault. */
#define VTD_FSTS_QUEUE (VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE)

static inline unsigned vtd_fsts_index(uint32_t fsts)
{
    return (unsigned)bits_get(fsts, 15, 8);
}

/* FECTL and IECTL: no interrupt messages while set. */
#define VTD_EVENT_MASK (1u << 31)

enum vtd_pmen {
    VTD_PMEN_PRS = 1u << 0,
    VTD_PMEN_EPM = 1u << 31,
};

/* A fault record is two 64-bit halves; writing its topmost dword clears it. */
#define VTD_FAULT_OFFSET(cap, index) (vtd_cap_fault_offset(cap) + 16 * (index))
#define VTD_FAULT_LOW(cap, index)    ((struct vtd_reg64){VTD_FAULT_OFFSET(cap, index)})
#define VTD_FAULT_HIGH(cap, index)   ((struct vtd_reg64){VTD_FAULT_OFFSET(cap, index) + 8})
#define VTD_FAULT_CLEAR(cap, index)  ((struct vtd_reg32){VTD_FAULT_OFFSET(cap, index) + 12})
#define VTD_FAULT_F                  (1u << 31)

/* CCMD and IOTLB registers (11.4.7, 11.4.8): for units without an invalidation queue. */
#define VTD_CCMD_CIRG_SHIFT  61
#define VTD_CCMD_CAIG_SHIFT  59
#define VTD_IOTLB_IIRG_SHIFT 60
#define VTD_IOTLB_IAIG_SHIFT 57
#define VTD_IOTLB_DR         BIT(49)
#define VTD_IOTLB_DW         BIT(48)
/* Their reserved bits, which are to be preserved. */
#define VTD_CCMD_RESERVED  UINT64_C(0x07fffffc00000000)
#define VTD_IOTLB_RESERVED UINT64_C(0x49fc0000ffffffff)

/* RTADDR bits 11:10: translation table mode; 0 is legacy. */
#define VTD_RTADDR_TTM 0xc00u

/* IRTA: 2^(S+1) entries, bit 11 extended interrupt mode. */
#define VTD_IRTA_EIME BIT(11)

static inline uint32_t vtd_read32(const volatile uint8_t *unit, struct vtd_reg32 reg)
{
    return mmio_read32(unit + reg.offset);
}

static inline uint64_t vtd_read64(const volatile uint8_t *unit, struct vtd_reg64 reg)
{
    return mmio_read64(unit + reg.offset);
}

static inline void vtd_write32(volatile uint8_t *unit, struct vtd_reg32 reg, uint32_t value)
{
    mmio_write32(unit + reg.offset, value);
}

static inline void vtd_write64(volatile uint8_t *unit, struct vtd_reg64 reg, uint64_t value)
{
    mmio_write64(unit + reg.offset, value);
}

/* For registers whose reserved bits are to be written as they are read. */
static inline void vtd_change32(volatile uint8_t *unit, struct vtd_reg32 reg, uint32_t clear,
                                uint32_t set)
{
    vtd_write32(unit, reg, (vtd_read32(unit, reg) & ~clear) | set);
}

#endif
