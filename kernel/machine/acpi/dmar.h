/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The DMAR table: DMA remapping units and which devices each of them serves (Intel Virtualization
 * Technology for Directed I/O specification, chapter 8, "BIOS considerations").
 */
#ifndef KERNEL_MACHINE_ACPI_DMAR_H
#define KERNEL_MACHINE_ACPI_DMAR_H

#include "kernel/lib/refusal.h"
#include "kernel/lib/types.h"

/* Longer regions of it are taken for firmware errors: real ones hold a frame buffer at most. */
#define DMAR_REGION_LENGTH_MAX (4 * GIB)
#define DMAR_HOPS_MAX          8

enum dmar_scope_type {
    DMAR_SCOPE_ENDPOINT = 1,
    DMAR_SCOPE_BRIDGE = 2,    /* a bridge and everything below it */
    DMAR_SCOPE_IO_APIC = 3,   /* its bus and path form the source id of its requests */
    DMAR_SCOPE_HPET = 4,      /* likewise */
    DMAR_SCOPE_NAMESPACE = 5, /* a device known by its ACPI name only */
};

struct dmar_hop {
    uint8_t device;
    uint8_t function;
};

/*
 * One device: start at `bus`, go to path[0]; each further hop is on the secondary bus of the bridge
 * reached so far. The bus numbers of bridges are in their configuration space.
 */
struct dmar_scope {
    uint8_t type;           /* enum dmar_scope_type */
    uint8_t enumeration_id; /* I/O APIC id, HPET number, or ACPI device number */
    uint8_t bus;
    uint8_t hops; /* 1 to DMAR_HOPS_MAX */
    struct dmar_hop path[DMAR_HOPS_MAX];
};

/* The scopes first to first + count - 1 of struct dmar_info. */
struct dmar_scope_list {
    uint32_t first;
    uint32_t count;
};

/* DRHD: a remapping unit. */
struct dmar_unit {
    uint16_t segment;
    bool include_all;       /* serves every function of the segment no other unit names */
    paddr_t registers;      /* 4 KiB aligned; 0: the unit is not there, whatever it serves */
    uint64_t register_size; /* bytes to map at least */
    struct dmar_scope_list scopes;
};

/* RMRR: memory the firmware lets the devices of the scopes reach at all times. */
struct dmar_region {
    uint16_t segment;
    paddr_t base;    /* 4 KiB aligned */
    uint64_t length; /* bytes, a multiple of 4 KiB */
    bool named;      /* by the operator, who may name as much as he likes */
    /* What is wrong with it, for a sentence; or NULL. The other members may make no sense then. */
    const char *fault;
    struct dmar_scope_list scopes;
};

/* ATSR (root ports below which ATS may be used) and SATC (integrated devices with a cache). */
struct dmar_port {
    uint16_t segment;
    bool integrated; /* SATC, else ATSR */
    bool all_ports;  /* ATSR: every root port of the segment */
    struct dmar_scope_list scopes;
};

enum dmar_flags {
    DMAR_INTR_REMAP = 1,     /* the platform supports interrupt remapping */
    DMAR_X2APIC_OPT_OUT = 2, /* the firmware asks not to use x2APIC mode */
    DMAR_DMA_CTRL_OPT_IN = 4 /* the firmware kept DMA remapped and asks to continue so */
};

struct dmar_info {
    uint8_t address_width; /* host address width in bits */
    uint8_t flags;         /* enum dmar_flags */
    /* On the heap, and only made longer by the functions below. */
    struct dmar_unit *units;
    size_t unit_count;
    struct dmar_region *regions;
    size_t region_count;
    struct dmar_port *ports;
    size_t port_count;
    struct dmar_scope *scopes;
    size_t scope_count;
};

/*@ predicate listed(struct dmar_info *info) =
      \valid_read(info->units + (0 .. info->unit_count - 1)) &&
      \separated(info, info->units + (0 .. info->unit_count - 1)); */

/* Each adds one more behind the others. -ENOMEM. */
/*@ requires \valid(info) && \valid_read(item) && \separated(info, item) && listed(info);
    assigns *info;
    ensures listed(info);
    ensures \result == 0 ==> info->unit_count > 0;
    ensures \result == 0 || \result == -12; */
int dmar_add_unit(struct dmar_info *info, const struct dmar_unit *item);
/*@ requires \valid(info) && \valid_read(item) && \separated(info, item) && listed(info);
    assigns *info;
    ensures listed(info) && info->unit_count == \old(info->unit_count);
    ensures \result == 0 || \result == -12; */
int dmar_add_region(struct dmar_info *info, const struct dmar_region *item);
/*@ requires \valid(info) && \valid_read(item) && \separated(info, item) && listed(info);
    assigns *info;
    ensures listed(info) && info->unit_count == \old(info->unit_count);
    ensures \result == 0 || \result == -12; */
int dmar_add_port(struct dmar_info *info, const struct dmar_port *item);
/*@ requires \valid(info) && \valid_read(item) && \separated(info, item) && listed(info);
    assigns *info;
    ensures listed(info) && info->unit_count == \old(info->unit_count);
    ensures \result == 0 || \result == -12; */
int dmar_add_scope(struct dmar_info *info, const struct dmar_scope *item);

/*
 * Parses a whole DMAR table whose header (length, checksum) has been checked, into an empty *out.
 * -EINVAL with a sentence for anything malformed but a reserved memory region, which is marked;
 * -ENOMEM. Structures of unknown types are skipped, as the specification asks, and so is a unit
 * that is listed before with all it serves.
 */
/*@ requires \valid_read(table + (0 .. length - 1)) && length <= 0xffffffff;
    requires \valid(out) && \valid(why) && \separated(out, why, table + (0 .. length - 1));
    requires out->unit_count == 0;
    assigns *out, *why;
    ensures \result == 0 ==> out->unit_count > 0; */
int dmar_parse(const uint8_t *table, size_t length, struct dmar_info *out, struct refusal *why);

#endif
