/* SPDX-License-Identifier: BSD-2-Clause */
/* QEMU's edu device (docs/specs/edu of QEMU), which two of the tests use. */
#ifndef TESTS_KERNEL_EDU_H
#define TESTS_KERNEL_EDU_H

#include "kernel/pci/pci.h"

enum {
    EDU_VENDOR = 0x1234,
    EDU_DEVICE = 0x11e8,
    EDU_BAR_SIZE = 0x100000,
    EDU_INTERRUPT_RAISE = 0x60,
    EDU_INTERRUPT_ACK = 0x64,
    EDU_DMA_SOURCE = 0x80,
    EDU_DMA_TARGET = 0x88,
    EDU_DMA_COUNT = 0x90,
    EDU_DMA_COMMAND = 0x98,
    EDU_DMA_START = 1,
    EDU_DMA_FROM_DEVICE = 2,
    EDU_DMA_INTERRUPT = 4,
    EDU_BUFFER = 0x40000,
};

/* The first one whose registers have an address; NULL: there is none. */
static inline struct pci_device *edu_find(void)
{
    struct pci_device *device;

    list_for_each_entry (device, pci_devices(), link) {
        if (device->vendor == EDU_VENDOR && device->device == EDU_DEVICE && device->bars[0].base &&
            device->bars[0].size == EDU_BAR_SIZE)
            return device;
    }
    return NULL;
}

#endif
