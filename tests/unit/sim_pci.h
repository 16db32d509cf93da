/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated PCI machine behind the real code: configuration space of any number of functions
 * behind mmio_*(), with write masks and resets that clear it. The clock (host_now_ns of
 * host_thread.h) moves only in time_delay_ns(). BARs are plain memory whose accesses are recorded.
 */
#ifndef TESTS_UNIT_SIM_PCI_H
#define TESTS_UNIT_SIM_PCI_H

#include "kernel/machine/acpi/acpi.h"
#include "kernel/lib/types.h"

#define SIM_ECAM     UINT64_C(0xb0000000) /* of segment 0; segment n lies n * 256 MiB higher */
#define SIM_SEGMENTS 2
#define SIM_NEVER    UINT64_MAX
#define SIM_BARS     6
#define SIM_ROM      SIM_BARS /* its index among the BARs */

struct sim_function {
    uint16_t segment;
    uint16_t rid;
    uint8_t config[4096];
    uint8_t writable[4096]; /* bits that keep what is written */
    uint8_t cleared[4096];  /* bits that writing ones clears */
    uint8_t after_reset[4096];
    uint64_t answers_from; /* before this time all reads give ones, */
    bool asks_for_retry;   /* or retry status instead of the ids */
    uint64_t reset_time;   /* how long a reset takes it to answer again */
    uint64_t pending_time; /* how long after bus mastering goes off transactions are pending */
    uint64_t pending_until;
    uint64_t link_time; /* a port: how long its link is down after a reset of its bus */
    uint64_t link_from; /* before this time it is down */
    unsigned resets;
    const struct sim_function *above; /* the bridge that led here when sim_remember() was called */
    uint16_t pcie;                    /* offsets of capabilities, 0 without */
    uint16_t pm;
    uint16_t af;
    uint16_t sriov;
    const struct sim_function *physical; /* of a virtual one, which answers while it is enabled */
    const struct sim_function *ari_port; /* it answers while this one forwards alternative ids */
    uint16_t vpd;
    bool pm_keeps_state;
    uint64_t vpd_time; /* how long a cycle of vital product data takes */
    uint64_t vpd_done;
    bool vpd_pending;
    uint8_t vital_data[64];
    paddr_t bar_base[SIM_BARS + 1]; /* where its BAR memory is reachable, as set up */
    uint64_t bar_size[SIM_BARS + 1];
    uint8_t *bar_memory[SIM_BARS + 1]; /* that of the ROM answers while it is switched on */
};

/* An access to BAR memory. */
struct sim_access {
    paddr_t at;
    unsigned width;
    bool write;
    uint64_t value;
};
extern struct sim_access sim_accesses[64];
extern size_t sim_access_count;

/* Forgets all functions (and those the code under test enumerated), sets the clock to 1 s. */
void sim_reset(void);
/* How many configuration writes there were since sim_reset(). */
extern uint64_t sim_config_writes;
/* Mappings by mmio_map() that were not undone. */
extern size_t sim_mappings;
/*
 * Called for "bus mastering on" and "off", and for "reset": "reset while pending" if transactions
 * of the function had not come to their end. NULL: nobody listens.
 */
extern void (*sim_on_change)(const struct sim_function *f, const char *event);
/* Called after a function took a write to its configuration space. NULL: nobody listens. */
extern void (*sim_on_write)(const struct sim_function *f, unsigned offset);
/* The next mmio_map() fails. */
extern bool sim_map_fails;

struct sim_function *sim_add(unsigned segment, uint16_t rid, uint32_t ids, uint32_t class_code);
void sim_multifunction(struct sim_function *f);
/* Adds a capability of `size` bytes; the next one goes behind it. Returns its offset. */
unsigned sim_capability(struct sim_function *f, uint8_t id, unsigned size);
unsigned sim_extended_capability(struct sim_function *f, uint16_t id, unsigned size);
/* A PCI Express capability (60 bytes) of enum pcie_type, with or without function-level reset. */
void sim_express(struct sim_function *f, unsigned type, bool flr);
void sim_power(struct sim_function *f, bool keeps_state);
void sim_advanced_features(struct sim_function *f, uint8_t capability);
/* Vital product data whose cycles end at once. */
void sim_vital_data(struct sim_function *f);
/* Access control that offers `offered`, all off. */
void sim_access_control(struct sim_function *f, uint16_t offered);
void sim_bridge(struct sim_function *f, unsigned secondary, unsigned subordinate);
/* flags as in the register: 0 memory, 1 I/O, 4 64-bit, 8 prefetchable. base 0: unassigned. */
void sim_bar(struct sim_function *f, unsigned index, paddr_t base, uint64_t size, unsigned flags);
void sim_rom(struct sim_function *f, paddr_t base, uint64_t size);
/* Up to `total` virtual functions, off. */
void sim_sriov(struct sim_function *f, unsigned total, unsigned first, unsigned stride);
/* A BAR of its virtual functions, as sim_bar(). */
void sim_virtual_bar(struct sim_function *f, unsigned index, paddr_t base, uint64_t size,
                     unsigned flags);
/* One of them, with function-level reset. A reset of the physical function is its reset, too. */
struct sim_function *sim_virtual(struct sim_function *physical, uint16_t rid);
void sim_set(struct sim_function *f, unsigned offset, unsigned width, uint64_t value,
             uint64_t writable);
uint64_t sim_get(const struct sim_function *f, unsigned offset, unsigned width);
/* A root or downstream port (after sim_express()) that tells of its link, which is up. */
void sim_link(struct sim_function *f);
/*
 * Takes the present contents as what a reset restores, but for enables, BARs, bus numbers and
 * windows: those are gone after it. From here on functions answer only while the bridges above
 * them lead there and are not in D3hot.
 */
void sim_remember(void);

/*
 * The function meets an error that is not corrected, told by its bit in the registers of advanced
 * error reporting: what becomes of it (PCI Express Base 6.2.6)?
 */
enum sim_outcome {
    SIM_SILENT,       /* nobody hears of it */
    SIM_TOLD,         /* the root port's error reporting, which records it */
    SIM_SYSTEM_ERROR, /* the platform, which answers with an SMI, an NMI or a machine check */
};
enum sim_outcome sim_error(const struct sim_function *f, uint32_t error);

/* The ECAM windows, for pci_enumerate(). */
extern const struct acpi_ecam sim_ecams[SIM_SEGMENTS];

#endif
