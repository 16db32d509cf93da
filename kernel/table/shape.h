/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shape that all page tables of x86 have in common: the CPU's own (SDM volume 3, 4.5), those of
 * guests (EPT: SDM volume 3, 29.3; AMD NPT: APM volume 2, 15.25) and the second-level ones of VT-d
 * (9.8). A table is a page of 512 entries. An entry that is zero is absent. In any other, bits 12
 * to 51 are an address: of a table or, at level 1 and where bit 7 is set, of memory. Level 1 holds
 * leaves of 4 KiB, level 2 of 2 MiB, level 3 of 1 GiB.
 *
 * What the other bits mean is the format, a header beside its user: the bits of an entry that
 * points to a table, those of a leaf for given permissions, and back.
 */
#ifndef KERNEL_TABLE_SHAPE_H
#define KERNEL_TABLE_SHAPE_H

#include "kernel/lib/types.h"

#define PT_ENTRIES    512u
#define PT_LEVELS_MIN 3u
#define PT_LEVELS_MAX 5u
#define PT_LEAF_MAX   3u /* the highest level with leaves */

#define PT_LARGE   BIT(7)
#define PT_ADDRESS UINT64_C(0x000ffffffffff000)

/*@ requires 1 <= level <= PT_LEVELS_MAX + 1;
    assigns \nothing;
    ensures \result == 12 + 9 * (level - 1); */
static inline unsigned pt_shift(unsigned level)
{
    return PAGE_SHIFT + 9 * (level - 1);
}

/* Bytes that one entry of a table of this level stands for; one more level is the whole tree. */
/*@ requires 1 <= level <= PT_LEVELS_MAX + 1;
    assigns \nothing;
    ensures \result == 1 << (12 + 9 * (level - 1));
    ensures level == 2 ==> \result == SIZE_2M;
    ensures level == 3 ==> \result == SIZE_1G; */
static inline uint64_t pt_span(unsigned level)
{
    return BIT(pt_shift(level));
}

/* Which entry of a table of this level an address uses. */
/*@ requires 1 <= level <= PT_LEVELS_MAX;
    assigns \nothing;
    ensures level == 1 ==> \result == at / 0x1000 % 512;
    ensures level == 2 ==> \result == at / 0x200000 % 512;
    ensures level == 3 ==> \result == at / 0x40000000 % 512;
    ensures level == 4 ==> \result == at / 0x8000000000 % 512;
    ensures level == 5 ==> \result == at / 0x1000000000000 % 512; */
static inline unsigned pt_index(uint64_t at, unsigned level)
{
    return (unsigned)(at / pt_span(level) % PT_ENTRIES);
}

/* What a leaf of this level has beside its address and the bits of its format. */
static inline uint64_t pt_large(unsigned level)
{
    return level > 1 ? PT_LARGE : 0;
}

/* Of an entry that is not absent. */
static inline bool pt_is_leaf(uint64_t entry, unsigned level)
{
    return level == 1 || (entry & PT_LARGE);
}

static inline bool pt_is_table(uint64_t entry, unsigned level)
{
    return entry && !pt_is_leaf(entry, level);
}

static inline paddr_t pt_address(uint64_t entry)
{
    return entry & PT_ADDRESS;
}

#endif
