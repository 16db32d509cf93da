/* SPDX-License-Identifier: BSD-2-Clause */
/* Which cards carry a device feature list, and where it starts. */
#ifndef DRIVERS_AFU_CARDS_H
#define DRIVERS_AFU_CARDS_H

#include "drivers/afu/dfl.h"
#include "kernel/pci/pci.h"

#define DFL_STARTS_MAX 8

struct afu_card {
    uint16_t vendor;
    uint16_t device;
    const char *name;
    unsigned bar;            /* where the list starts unless the card has the DFL capability */
    uint64_t reset_bound_ns; /* how long a port may take to acknowledge a reset */
};

/* The row of a known card, or NULL. Any other function may still be named a DFL card by hand. */
const struct afu_card *afu_card_find(uint16_t vendor, uint16_t device);

/*
 * Where the lists of a function start: as its DFL vendor-specific extended capability says, else
 * offset 0 of `bar`. Returns how many, 1 to DFL_STARTS_MAX, or -EINVAL when the capability is
 * malformed (no list, or more than fit).
 */
int afu_card_starts(const struct pci_device *device, unsigned bar,
                    struct dfl_start starts[DFL_STARTS_MAX]);

#endif
