/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small NVMe driver: one namespace, one admin queue, one IO queue, both with an MSI-X interrupt,
 * or with one together if there is only one.
 * Sections and figures are those of the NVM Express base specification 1.4.
 */
#ifndef EXAMPLES_NVME_H
#define EXAMPLES_NVME_H

#include <bulkhead/device.h>

#define PAGE           4096u
#define NVME_SLOTS     8u            /* commands under way at a time */
#define NVME_SLOT_SIZE (128u * 1024) /* bytes that one of them moves at most */

struct nvme_queue {
    struct dma_memory commands, completions;
    unsigned id, tail, head;
    unsigned phase; /* of the completions that are new: 1 and 0 in turns */
};

enum nvme_operation {
    NVME_WRITE = 1,
    NVME_READ = 2,
};

struct nvme {
    struct device device;
    volatile uint8_t *registers;
    struct nvme_queue admin, io;
    unsigned vectors;       /* 2, or 1 for both queues */
    int events[2];          /* of the admin queue, of the IO queue; or the first of both */
    uint64_t interrupts[2]; /* that came so far */
    struct dma_memory identity, data, lists;
    char model[41], serial[21];
    uint64_t blocks;
    unsigned block_size;
    unsigned transfer_max; /* bytes in one command: NVME_SLOT_SIZE, or what the controller takes */
};

#define NVME_NAMESPACE 1u
#define NVME_IDENTIFY  6u /* an admin command; more of them in section 5 */

/*
 * Runs an admin command to its good end; any other ends the program. The page at `identity` is its
 * data, if it has some.
 */
void nvme_admin(struct nvme *nvme, unsigned operation, uint32_t namespace_id, uint32_t word10,
                uint32_t word11);

/* Opens a controller and starts it. */
void nvme_open(struct nvme *nvme, struct dma_space *space, const char *name);

/* Starts the controller, whatever it did before: after nvme_open() only after a device_reset(). */
void nvme_start(struct nvme *nvme);

/* Ends it: it does no DMA any more, and what was written is on the medium. */
void nvme_stop(struct nvme *nvme);

/* The memory of a slot: NVME_SLOT_SIZE bytes. */
uint8_t *nvme_slot(struct nvme *nvme, unsigned slot);

/* Begins to move blocks between the medium and the memory of a slot that is not under way. */
void nvme_begin(struct nvme *nvme, unsigned slot, enum nvme_operation operation, uint64_t block,
                unsigned count);

/* Sleeps until one of the operations has ended well; returns its slot. */
unsigned nvme_end(struct nvme *nvme);

#endif
