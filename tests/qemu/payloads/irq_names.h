/* SPDX-License-Identifier: BSD-2-Clause */
/* Short names for the words of VFIO_DEVICE_SET_IRQS, so that a case fits on a line. */
#ifndef TESTS_QEMU_PAYLOADS_IRQ_NAMES_H
#define TESTS_QEMU_PAYLOADS_IRQ_NAMES_H

#include <linux/vfio.h>

#define INTX    VFIO_PCI_INTX_IRQ_INDEX
#define MSI     VFIO_PCI_MSI_IRQ_INDEX
#define MSIX    VFIO_PCI_MSIX_IRQ_INDEX
#define ERR     VFIO_PCI_ERR_IRQ_INDEX
#define REQ     VFIO_PCI_REQ_IRQ_INDEX
#define NONE    VFIO_IRQ_SET_DATA_NONE
#define BOOL    VFIO_IRQ_SET_DATA_BOOL
#define EVENT   VFIO_IRQ_SET_DATA_EVENTFD
#define MASK    VFIO_IRQ_SET_ACTION_MASK
#define UNMASK  VFIO_IRQ_SET_ACTION_UNMASK
#define TRIGGER VFIO_IRQ_SET_ACTION_TRIGGER

#endif
