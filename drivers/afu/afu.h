/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FPGA accelerators: /dev/dfl-fme.N and /dev/dfl-port.N with the calls of <linux/fpga-dfl.h>, for
 * devices that the configuration marks with `afu` (docs/afu.md).
 */
#ifndef DRIVERS_AFU_AFU_H
#define DRIVERS_AFU_AFU_H

#include "kernel/ioas/ioas.h"
#include "kernel/lib/refusal.h"
#include "kernel/pci/pci.h"

/* Who serves the port interface. */
enum afu_provider {
    AFU_DFL, /* a card with a device feature list */
    AFU_EDU, /* QEMU's edu device: its BAR is the AFU, its reset is to stand still */
};

/* Where a card's list starts when nothing else says so: a BAR number, or this. */
#define AFU_BAR_KNOWN (-1)

/*
 * Reads the card, resets its ports and makes the device files. `user` must stay alive. Errors with
 * a sentence: -ENODEV, -EINVAL, -E2BIG (the feature list), -ETIMEDOUT (a port does not acknowledge
 * its reset), -ENOMEM. Nothing stays changed on failure.
 */
int afu_add(struct pci_device *pci, enum afu_provider provider, int bar,
            const struct ioas_user *user, struct refusal *why);
/* Removes the device files of every card. All files must be closed. */
void afu_remove_all(void);

#endif
