/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the firmware's ACPI tables say about the machine (ACPI specification 6.5, chapter 5).
 * Nothing in a table is trusted: every length, count and address is checked before it is used, and
 * a table is copied once and parsed from the copy.
 */
#ifndef KERNEL_MACHINE_ACPI_ACPI_H
#define KERNEL_MACHINE_ACPI_ACPI_H

#include "kernel/machine/acpi/dmar.h"
#include "kernel/lib/refusal.h"
#include "kernel/lib/types.h"

/* How the parser reaches physical memory; host tests bring a simulated one. */
struct acpi_memory {
    /* Copies `length` bytes from physical address `at`. 0, or negative if they are unreachable. */
    int (*read)(void *context, paddr_t at, void *to, size_t length);
    void *context;
};

struct acpi_io_apic {
    uint8_t id;
    paddr_t base;
    uint32_t gsi_base; /* global system interrupt of its first pin */
};

/* Memory-mapped configuration space of the buses first_bus to last_bus of a segment. */
struct acpi_ecam {
    paddr_t base; /* of bus 0, whether or not the range starts there */
    uint16_t segment;
    uint8_t first_bus;
    uint8_t last_bus;
};

/* Where a register lies, from a generic address structure. */
enum acpi_space {
    ACPI_SPACE_NONE, /* there is no such register */
    ACPI_SPACE_MEMORY,
    ACPI_SPACE_IO,
    ACPI_SPACE_PCI, /* configuration space of bus 0: device 47:32, function 31:16, offset 15:0 */
};

struct acpi_register {
    enum acpi_space space;
    uint64_t address;
};

/* Status registers of events, and as many bytes behind them that enable interrupts. */
struct acpi_events {
    struct acpi_register at;
    uint8_t bytes; /* of both; even */
    bool fixed;    /* a PM1 block (ACPI 4.8.3.1), else general-purpose events */
};

/* In the PM1 control registers: ACPI mode, in which events are the system's. */
#define ACPI_PM1_SCI_ENABLE BIT(0)

struct acpi_info {
    /* MADT */
    paddr_t local_apic;
    struct acpi_io_apic *io_apics; /* on the heap, as are all lists */
    size_t io_apic_count;
    /* MCFG */
    struct acpi_ecam *ecams;
    size_t ecam_count;
    /* SPCR: a 16550 console, if the firmware describes one */
    struct acpi_register console;
    /* FADT */
    struct acpi_register pm_timer; /* 3.579545 MHz */
    bool pm_timer_32bit;           /* else 24 bits wide */
    struct acpi_register reset;    /* write reset_value there to restart the machine */
    uint8_t reset_value;
    struct acpi_register pm_control[2]; /* PM1a and PM1b: sleep type 12:10, sleep enable 13 */
    struct acpi_events events[4];
    uint16_t smi_command;    /* port; 0: there is none */
    uint8_t smi_enable_acpi; /* written there to get the PM1 registers */
    paddr_t dsdt;
    /* HPET */
    paddr_t hpet; /* registers of the first block of timers; 0: none is described */
    /* DSDT */
    bool soft_off;          /* the machine can be switched off with these: */
    uint8_t sleep_types[2]; /* for PM1a and PM1b */
    /* DMAR */
    struct dmar_info dmar;
    /* HEST */
    bool errors_kept; /* the firmware handles errors of PCI Express itself, some at least */
};

/*
 * Finds and parses every table the kernel needs. `rsdp` is the address of the root pointer; 0
 * searches the BIOS areas. Of two tables of a kind the first one counts. The result is large: keep
 * it off the stack.
 *
 * 0; -ENOENT (no root pointer; no MADT, MCFG or DMAR), -EINVAL (a malformed table), -ENOSPC (more
 * of something than there is room for), -ENOMEM, with a sentence in *why. Tables are parsed in
 * the order SPCR, FADT (and DSDT, which cannot fail), HPET, MADT, MCFG, DMAR, HEST, and what was
 * parsed before the error is valid.
 */
int acpi_find(const struct acpi_memory *memory, paddr_t rsdp, struct acpi_info *out,
              struct refusal *why);

/* The machine's own memory, for acpi_find(). Works once frames_init() and the heap do. */
extern const struct acpi_memory acpi_physical_memory;

/*
 * The parsers of single tables, as pure functions over the bytes of a whole table whose header
 * (length, checksum) has been checked. Each fills its part of *out. Errors as acpi_find().
 */
int acpi_parse_madt(const uint8_t *table, size_t length, struct acpi_info *out,
                    struct refusal *why);
int acpi_parse_mcfg(const uint8_t *table, size_t length, struct acpi_info *out,
                    struct refusal *why);
int acpi_parse_spcr(const uint8_t *table, size_t length, struct acpi_info *out,
                    struct refusal *why);
int acpi_parse_fadt(const uint8_t *table, size_t length, struct acpi_info *out,
                    struct refusal *why);
int acpi_parse_hpet(const uint8_t *table, size_t length, struct acpi_info *out,
                    struct refusal *why);
/* Cannot fail: what makes no sense is the firmware's, which is told in the log. */
int acpi_parse_hest(const uint8_t *table, size_t length, struct acpi_info *out,
                    struct refusal *why);

/* Finds the constant package \_S5 in AML; false if there is none with two small numbers. */
bool acpi_parse_soft_off(const uint8_t *aml, size_t length, uint8_t types[2]);

#endif
