/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a VT-d unit does with a request of a device, in legacy mode: from root table to context
 * entry to second-level tables (VT-d 3.4 and 3.6). It has no cache, writes nothing, and lets
 * nothing pass that is not translated. Written from the specification, not from the kernel.
 */
#ifndef TOOLS_AFU_MODEL_WALK_H
#define TOOLS_AFU_MODEL_WALK_H

#include "memory.h"

/* Why a request is refused: VT-d 7.1.3 up to 0xff, and what that has no number for. */
enum walk_fault {
    WALK_GOOD = 0,
    WALK_ROOT_ABSENT = 1,
    WALK_CONTEXT_ABSENT = 2,
    WALK_CONTEXT_INVALID = 3, /* translation type or address width */
    WALK_BEYOND_WIDTH = 4,
    WALK_NO_WRITE = 5,
    WALK_NO_READ = 6,
    WALK_TABLE_NOT_RAM = 7,
    WALK_ROOT_NOT_RAM = 8, /* or not of legacy mode */
    WALK_CONTEXT_NOT_RAM = 9,
    WALK_ROOT_RESERVED = 0xa,
    WALK_CONTEXT_RESERVED = 0xb,
    WALK_ENTRY_RESERVED = 0xc,
    WALK_INTERRUPT = 0x100, /* the window of interrupt messages is not for data */
    WALK_NOT_RAM = 0x101,   /* the page is none of the guest's RAM */
    WALK_OFF = 0x102,       /* translation is off */
    WALK_NO_MACHINE = 0x103 /* the machine does not say where its tables are */
};

#define WALK_PAGE UINT64_C(4096)

/* One request as PCIe carries it: it does not leave its page. */
struct walk_request {
    uint64_t root; /* the unit's root table address register */
    uint16_t requester;
    uint64_t iova;
    uint64_t length;
    bool write;
};

/* Where a request leads: `out` is set with WALK_GOOD only, to `length` bytes of guest RAM. */
enum walk_fault walk(const struct memory *memory, const struct walk_request *request,
                     uint8_t **out);

#endif
