/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a boot door (boot/pvh, boot/efi) tells the kernel. This structure is the whole contract
 * between them: a door knows nothing else of the kernel, the kernel nothing else of the door.
 *
 * Entry state: 64-bit mode, interrupts off, RDI = physical address of struct boot_info. The door's
 * page tables map the kernel image at its link address (2 MiB aligned physical base, given below)
 * and every byte that this structure points to at its physical address. The kernel copies what it
 * needs, then builds page tables of its own.
 *
 * All addresses are physical. Every pointer is 0 when its length is 0.
 */
#ifndef BULKHEAD_BOOT_INFO_H
#define BULKHEAD_BOOT_INFO_H

#include <stdint.h>

#define BOOT_INFO_MAGIC   UINT64_C(0x31304b4c55424842) /* "BHBULK01" */
#define BOOT_INFO_VERSION 1

enum boot_door {
    BOOT_DOOR_PVH = 1,
    BOOT_DOOR_UEFI = 2,
};

enum boot_memory_type {
    BOOT_MEMORY_USABLE = 1,   /* RAM nobody uses */
    BOOT_MEMORY_RESERVED = 2, /* not RAM for us: firmware, MMIO */
    BOOT_MEMORY_ACPI = 3,     /* RAM holding ACPI tables; kept */
    BOOT_MEMORY_NVS = 4,      /* RAM the firmware keeps using */
    BOOT_MEMORY_BOOT = 5,     /* RAM holding boot data (archive, this structure, door's tables) */
    BOOT_MEMORY_KERNEL = 6,   /* RAM holding the kernel image */
};

struct boot_memory {
    uint64_t base;   /* bytes; need not be page aligned */
    uint64_t length; /* bytes, not 0 */
    uint32_t type;   /* enum boot_memory_type; unknown values mean reserved */
    uint32_t reserved;
};

struct boot_framebuffer {
    uint64_t base; /* 0: there is none */
    uint64_t size; /* bytes */
    uint32_t width;
    uint32_t height;
    uint32_t pitch;    /* bytes from one line to the next */
    uint32_t bits_red; /* masks of a 32-bit pixel */
    uint32_t bits_green;
    uint32_t bits_blue;
};

/* Regions of `memory` may overlap and need not be sorted; where they do, the higher type wins. */
struct boot_info {
    uint64_t magic;
    uint32_t version;
    uint32_t size; /* bytes of this structure as the door knows it */
    uint32_t door; /* enum boot_door */
    uint32_t memory_count;
    uint64_t memory; /* struct boot_memory[memory_count] */
    uint64_t kernel_base;
    uint64_t kernel_size;
    uint64_t rsdp; /* 0: search the BIOS areas */
    uint64_t command_line;
    uint64_t command_line_size; /* bytes, without the terminating zero */
    uint64_t config;            /* text of bulkhead.conf */
    uint64_t config_size;
    uint64_t archive; /* the payload ELF, or a cpio archive (newc) that holds it */
    uint64_t archive_size;
    uint64_t entry_tsc; /* time-stamp counter when the door was entered */
    uint32_t flags;     /* enum boot_flags */
    uint32_t reserved;
    struct boot_framebuffer framebuffer;
};

enum boot_flags {
    BOOT_BUS_MASTERS_CLEARED = 1, /* the door switched bus mastering off everywhere */
};

#endif
