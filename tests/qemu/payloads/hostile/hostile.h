/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attacks on a machine by the program that was given some of its devices. An attack is a row of a
 * table: its name, what the kernel has to say of it, and a function that tries it and CHECKs that
 * it came to nothing. Each starts from nothing open; behind each everything is closed, and a device
 * has to do its work.
 */
#ifndef TESTS_HOSTILE_H
#define TESTS_HOSTILE_H

#define _GNU_SOURCE
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>

#include "conform.h"
#include "edu_registers.h"
#include "irq_names.h"
#include "vfio_open.h"

#define PAGE   4096ull
#define CONFIG ((off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40)
#define ROM    ((off_t)VFIO_PCI_ROM_REGION_INDEX << 40)
#define BAR(n) ((off_t)(n) << 40)
#define READ   1u /* permissions of a mapping, for the device */
#define WRITE  2u

enum {
    COMMAND = 4,
    IO = 1, /* of the command register */
    MEMORY = 2,
    MASTER = 4,
    NO_INTX = 0x400,
    PM = 0x01, /* capabilities */
    MSI_CAP = 0x05,
    EXPRESS = 0x10,
    MSIX_CAP = 0x11,
};

/* ---- the table ---- */

/* What the kernel says. QUIET: the call's error says it, or there is nothing to say. */
enum says {
    QUIET,
    FAULT, /* what was refused to which device, at which address */
    STRAY, /* a vector that nobody owns */
};

struct attack {
    const char *name;
    enum says says;
    void (*run)(void);
};

/* clang-format off */
#define ATTACK(name, says) {#name, says, name}
#define LAST_ATTACK {NULL, QUIET, NULL}
/* clang-format on */

extern const struct attack dma_attacks[], map_attacks[], config_attacks[], irq_attacks[],
    table_attacks[], window_attacks[], file_attacks[];

/* Between the two, one attack; the second prints what became of it. */
void begin_attack(const char *name);
bool end_attack(const char *name);
/* Those that come in pairs. */
bool race_every_pair(void);

/* ---- devices ---- */

/*
 * EDU, whose DMA can be aimed at anything, with a reset; OTHER, an edu without; CARD, an e1000e
 * whose second function, in the same group, was given to nobody; DISK, an nvme.
 */
enum which { EDU, OTHER, CARD, DISK, DEVICES };

struct unit {
    const char *name;
    int group, device;
    volatile uint8_t *bar; /* BAR 0, mapped; NULL: not */
    uint64_t size;
};

extern struct unit units[DEVICES];
extern const char *stranger; /* alone in its group, and nobody's */
extern const char *sibling;  /* of the card */
extern int container;

/* Opens some of them, in one container with an IOMMU, decoding and bus masters. False: it failed.
 */
bool open_some(unsigned mask);
void close_unit(struct unit *unit);
void close_all(void);
#define START(mask)                                                                                \
    do {                                                                                           \
        if (!open_some(mask))                                                                      \
            return;                                                                                \
    } while (0)
#define ONLY(which) (1u << (which))

uint32_t get_config(enum which which, unsigned offset, unsigned width);
void set_config(enum which which, unsigned offset, unsigned width, uint32_t value);
unsigned find_capability(enum which which, uint8_t id);
/* True if reading there is a SIGBUS. */
bool faults(const volatile void *at);

/* ---- memory ---- */

#define IOVA  0x40000000ull
#define PAGES 16

/* The file of a device of its own, not bound yet; -1: there is none. */
int own_file(enum which which);
/* New memory, filled with one byte; freed by close_all(). */
uint8_t *new_memory(uint64_t size, uint8_t fill);
void free_later(void *memory, uint64_t size); /* also registers: they keep a device open */
bool is_filled(const uint8_t *memory, uint64_t size, uint8_t fill);
int dma_map(uint64_t iova, const void *memory, uint64_t size, unsigned permissions);
int dma_unmap(uint64_t iova, uint64_t size);

/* ---- an edu ---- */

#define BYTES 64 /* of a transfer */

/* Starts a transfer, which takes 100 ms. */
void edu_start(enum which which, uint64_t source, uint64_t target, uint64_t bytes, bool to_memory);
void edu_wait(enum which which);
/* The mark of this attack goes into the buffer: no memory holds it unless the device put it there.
 */
void edu_load_mark(enum which which);
/* Has the device put the mark there? */
bool is_marked(const uint8_t *memory);
/* Writes the mark to an address; `bytes` up to 64. */
void edu_write(enum which which, uint64_t address, uint64_t bytes);
/* Writes zeros there. */
void edu_clear(enum which which, uint64_t address);
/* What the device reads at an address, by way of memory at IOVA. */
void edu_read(enum which which, uint64_t address, uint8_t *out);

/* DMA faults so far. */
uint64_t fault_count(void);
/* Was one counted since? The kernel hears of it a moment later. */
bool faulted_since(uint64_t before);

/* ---- interrupts ---- */

extern int events[4];

void open_events(void);
uint64_t take(int event);
int set_irqs(enum which which, uint32_t flags, uint32_t index, uint32_t start, uint32_t count,
             const int32_t *data);
int bind_event(enum which which, uint32_t index, uint32_t vector, int event);
void let_arrive(void);

/* ---- the other side ---- */

/* What the test outside is asked: it sees the whole machine, as no program can. */
enum question {
    NOTHING,
    KERNEL_TEXT, /* physical addresses */
    KERNEL_DATA,
    ROOT_TABLE,
    CONTEXT_TABLE, /* of edu's bus */
    PAGE_TABLE,    /* of edu's domain, the topmost */
    LEAF_TABLE,    /* the same, the lowest */
    QUEUE,
    REMAPPING_TABLE,
    BAIT,       /* a page that nobody has */
    OWN_MEMORY, /* what is mapped at IOVA for edu */
    EDU_BAR,
    OTHER_BAR,
    CARD_BAR,
    CARD_TABLE, /* its MSI-X vectors */
    DISK_BAR,
    STRANGER_BAR,
    CARD_ENTRY, /* 1: the entry that vector 0 names is for the card alone, else 0 */
    HARDWARE,   /* 1: it is programmed as at the start, else 0 */
};

uint64_t ask(enum question question);
void ask_prepare(void);

#endif
