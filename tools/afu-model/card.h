/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A software FPGA card: a device feature list with an FME and a port, whose AFU is a memory
 * loopback with the register set of the NLB sample. It lives in shared memory that the guest sees
 * as a BAR; writes of the guest do not trap, so the card looks at its registers in turns.
 *
 * The AFU's requests go through the IOMMU's tables in guest memory (dma.h). The card sends them
 * whether or not it is a bus master: only the tables hold it.
 */
#ifndef TOOLS_AFU_MODEL_CARD_H
#define TOOLS_AFU_MODEL_CARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dma.h"

#define CARD_BAR_SIZE 0x100000u
#define CARD_VECTORS  8u
#define CARD_CHUNK    0x10000u /* bytes that the loopback copies in one turn */

enum card_vector {
    CARD_VECTOR_USER = 0, /* and 1 */
    CARD_VECTOR_PORT_ERROR = 2,
    CARD_VECTOR_FME_ERROR = 3,
};

/* How the card misbehaves. */
enum card_mode {
    CARD_GOOD,
    CARD_NO_ACK,       /* the port's reset is never acknowledged */
    CARD_ACK_STUCK,    /* the acknowledge never clears */
    CARD_ENDLESS_LIST, /* the feature list goes on to the end of the BAR */
    CARD_WRONG_GUID,   /* FME and AFU carry ids nobody knows */
    CARD_GARBAGE,      /* random bytes instead of a list */
    CARD_CHANGING,     /* headers change while they are read */
    CARD_HANG,         /* a transfer that was started stands still */
    CARD_MODES,
};

/* The mode's name on the command line, NULL beyond the last. */
const char *card_mode_name(unsigned mode);

struct card {
    volatile uint8_t *bar;
    enum card_mode mode;
    void (*interrupt)(void *context, unsigned vector);
    void *context;
    struct dma *dma;
    uint64_t noise;
    bool copying;
    uint64_t offset; /* bytes of the running transfer that have been copied */
    uint8_t chunk[CARD_CHUNK];
};

/* Fills the BAR as after power-on: the port is in reset. */
void card_power_on(struct card *card, volatile uint8_t *bar, enum card_mode mode);
/* Looks at the registers once and does what they ask. */
void card_turn(struct card *card);

#endif
