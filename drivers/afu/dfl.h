/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device feature lists: what an FPGA card says about itself in its BARs. A list is a chain of
 * 64-bit device feature headers (DFH); an FIU header (FPGA management engine or port) owns the
 * private features that follow it, and a port points to its accelerator function unit (AFU).
 *
 * The walker trusts nothing: every register is read once and judged on the copy, a chain may only
 * go forward inside its BAR, and counts are bounded. The card may change its registers while it is
 * being read; the worst outcome is a refused card.
 */
#ifndef DRIVERS_AFU_DFL_H
#define DRIVERS_AFU_DFL_H

#include "kernel/lib/types.h"

#define DFL_BARS         6
#define DFL_PORTS_MAX    4
#define DFL_FEATURES_MAX 64 /* of one FME or port */

/* Ids for the parts of an FIU that have no feature id of their own. */
#define DFL_ID_HEADER 0xfe
#define DFL_ID_AFU    0xff

enum dfl_fme_feature {
    DFL_FME_ERROR = 4,
};

enum dfl_port_feature {
    DFL_PORT_ERROR = 0x10,
    DFL_PORT_USER_INTERRUPT = 0x12,
    DFL_PORT_SIGNALTAP = 0x13,
};

/* Registers of a port, offsets from its header. */
#define DFL_PORT_CAP             0x30
#define DFL_PORT_CTRL            0x38
#define DFL_PORT_STS             0x40
#define DFL_PORT_CTRL_SFTRST     BIT(0)
#define DFL_PORT_CTRL_SFTRST_ACK BIT(4)
/* Registers of the FME, offsets from its header. */
#define DFL_FME_CAP          0x30
#define DFL_FME_PORT_OFST    0x38
#define DFL_FME_BITSTREAM_ID 0x60
#define DFL_FME_BITSTREAM_MD 0x68

/* How the walker reads a card. `read` gets 8-byte aligned offsets inside a BAR only. */
struct dfl_card {
    uint64_t (*read)(void *context, unsigned bar, uint64_t offset);
    void *context;
    uint64_t bar_size[DFL_BARS]; /* bytes; 0: no memory BAR there */
    unsigned vectors;            /* MSI-X vectors the card has */
};

/* Where a list starts. */
struct dfl_start {
    unsigned bar;
    uint64_t offset;
};

struct dfl_feature {
    uint16_t id;
    unsigned bar;
    uint64_t offset;               /* of the feature's registers in the BAR */
    uint64_t size;                 /* bytes */
    unsigned irq_first, irq_count; /* MSI-X vectors; count 0: none */
};

enum dfl_unit_kind {
    DFL_UNIT_FME = 0,
    DFL_UNIT_PORT = 1,
};

/* An FME or a port with its features; features[0] is its header. */
struct dfl_unit {
    enum dfl_unit_kind kind;
    unsigned number; /* of a port, from its capability register */
    unsigned count;
    struct dfl_feature features[DFL_FEATURES_MAX];
};

struct dfl {
    bool has_fme;
    struct dfl_unit fme;
    unsigned port_count;
    struct dfl_unit ports[DFL_PORTS_MAX];
    char message[160]; /* why the walk failed, one sentence */
};

/*
 * Walks the lists that start at the given places, and those of the ports the FME names.
 * 0; -ENODEV (no such BAR, or a list does not begin with an FME or port), -EINVAL (malformed),
 * -E2BIG (more features or ports than fit), each with out->message filled. Header versions 0 and
 * 1 of the Device Feature List specification.
 */
int dfl_walk(const struct dfl_card *card, const struct dfl_start *starts, size_t count,
             struct dfl *out);

/* The unit's feature with that id, or NULL. */
const struct dfl_feature *dfl_find(const struct dfl_unit *unit, uint16_t id);

#endif
