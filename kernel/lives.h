/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lives of the payload: it is loaded, runs, is taken apart, and starts again in the same
 * machine as often as the configuration asks. The last two steps of the story of kernel/main.c.
 */
#ifndef KERNEL_LIVES_H
#define KERNEL_LIVES_H

#include "kernel/lib/refusal.h"
#include "kernel/machine/config/config.h"
#include "kernel/pci/pci.h"
#include "kernel/report/report.h"

struct lives {
    const struct config *config;
    struct pci_device *const *devices; /* those of config->devices, in the same order */
    const void *archive;               /* in the direct map; released if it is not needed again */
    uint64_t archive_size;
};

/*
 * Loads the payload, with the files that stand for its devices. `lives` and what it points to must
 * stay. A negative error with *why.
 */
int lives_begin(const struct lives *lives, struct refusal *why);
/* Runs it, once or again and again. Tells how the last life ended. */
void lives_run(struct report_end *out);
/*
 * Called when kernel/iommu has counted too many faults of one device (iommu_options.on_faults):
 * ends the payload if it is one of its devices and the configuration asks for that.
 */
void lives_dma_faults(void *context, uint16_t segment, uint16_t rid);
/* What its requests led to counts no more: the device was reset, or is another one. -EIO, told. */
int lives_forgive(const struct pci_device *device, struct refusal *why);
/* Ends the payload: it was asked for a device (struct port_users), and did not give it back. */
void lives_device_kept(void);

#endif
