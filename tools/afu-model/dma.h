/* SPDX-License-Identifier: BSD-2-Clause */
/* The card's requests to guest memory, through the tables of the machine's IOMMU. */
#ifndef TOOLS_AFU_MODEL_DMA_H
#define TOOLS_AFU_MODEL_DMA_H

#include "machine.h"
#include "memory.h"
#include "walk.h"

/* What the requests of one card need. */
struct dma {
    const char *monitor; /* path of QEMU's control socket */
    const char *id; /* what QEMU calls the device whose requester id the card's requests carry */
    struct memory memory;
    struct machine machine;
};

enum dma_outcome {
    DMA_DONE,
    DMA_LATER, /* the machine is at rest: nothing has happened, ask again */
    DMA_REFUSED,
};

struct dma_refusal {
    uint64_t iova; /* of the refused request */
    enum walk_fault fault;
};

/*
 * Moves `length` bytes between memory at an IOVA and `data`, in requests of a page at most. What
 * came before a refused request has been moved, nothing of it or after it. `why` is set with
 * DMA_REFUSED only.
 */
enum dma_outcome dma_move(struct dma *dma, bool write, uint64_t iova, void *data, uint64_t length,
                          struct dma_refusal *why);

#endif
