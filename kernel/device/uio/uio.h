/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UIO: /dev/uioN and /sys/class/uio/uioN for a device that the configuration marks with `uio`.
 * The payload maps BARs, reads interrupt counts and, where the device opted in, gets buffers for
 * DMA by mmap of the device file (docs/uio.md).
 */
#ifndef KERNEL_DEVICE_UIO_UIO_H
#define KERNEL_DEVICE_UIO_UIO_H

#include "kernel/ioas/ioas.h"
#include "kernel/lib/refusal.h"
#include "kernel/pci/pci.h"

/* Numbers of maps: 0 to 5 are the BARs, buffers of their own choice start at 1000. */
#define UIO_MAP_NUMBERS   0x10000
#define UIO_FIRST_DYNAMIC 1000
#define UIO_ANY           UIO_MAP_NUMBERS
/* Buffers one device may have. */
#define UIO_DYNAMIC_MAX 1024

struct uio_device;

/*
 * Makes /dev/uioN for the next free N. Dynamic buffers are charged to `account`, which must stay
 * alive; without `dma_memory` there are none. -EOPNOTSUPP with a sentence: the device has neither
 * MSI nor MSI-X; -ENOMEM. Nothing stays changed on failure.
 */
int uio_add(struct pci_device *pci, bool dma_memory, struct ioas_account *account,
            struct refusal *why);
/*
 * The command register was written through `config`: if the device is open, the bit for INTx holds
 * its interrupts back or lets them through, as programs for uio_pci_generic do it.
 */
void uio_command(const struct pci_device *pci, uint16_t command);
/* What that bit reads as: is the interrupt held back, by a program or because it came? */
bool uio_holds(const struct pci_device *pci);
/* Removes every device and frees its buffers. All files must be closed. */
void uio_remove_all(void);

/*
 * Creates a buffer of at least `length` bytes (rounded up to pages), zeroed, mapped for the device
 * with reading and writing, under map number `number` (UIO_ANY: the lowest free one from
 * UIO_FIRST_DYNAMIC on). Stores the number. It lives until the device is removed.
 * -EPERM: the device did not opt in; -EINVAL: length 0 or a number out of range; -EEXIST: the
 * number is taken; -ENOSPC: quota, or no IOVA left; -ENOMEM: no memory, or the limit is reached.
 */
int uio_dma_create(struct uio_device *device, uint64_t length, uint32_t *number);

#endif
