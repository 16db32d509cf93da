/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every driver in examples/ needs of VFIO: an address space for DMA, devices in it, their
 * BARs, interrupts and resets. Only VFIO and the C library are used, so it builds for Linux as
 * well.
 *
 * Nothing here returns an error: what fails ends the program with a sentence.
 */
#ifndef EXAMPLES_COMMON_VFIO_H
#define EXAMPLES_COMMON_VFIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGE             4096u
#define DEVICE_NAME_SIZE 32
#define GROUPS_MAX       8 /* in one space */

/* An address space for DMA: a container. Devices in one space see the same memory. */
struct dma_space {
    int container;
    uint64_t next; /* the lowest IO virtual address that was not given away yet */
    struct {
        long number;
        int file;
    } groups[GROUPS_MAX]; /* of the devices in it */
    unsigned group_count;
};

/* Memory that devices reach, at `iova` for them. */
struct dma_memory {
    uint8_t *at;
    uint64_t iova;
    size_t size;
};

struct device {
    char name[DEVICE_NAME_SIZE]; /* 0000:00:10.0 */
    int file;
    bool can_reset; /* there is a method: device_reset() may be called */
};

/* What to look for among the assigned devices. A number that is 0 fits all. */
struct device_match {
    long vendor, device, class;
};

/*
 * The name of the device to use: `wanted` if it is not NULL, else the first one that matches.
 * `what` names the kind of device in the sentence that tells there is none.
 */
void device_choose(char name[DEVICE_NAME_SIZE], const char *wanted,
                   const struct device_match *match, const char *what);

/* The first virtual function of a device. */
void device_choose_virtual(char name[DEVICE_NAME_SIZE], const char *physical);

void dma_space_open(struct dma_space *space);

/* `size` bytes of zeros, rounded up to pages; every device of the space may read and write them. */
struct dma_memory dma_make(struct dma_space *space, size_t size);

/* Opens a device in a space, and lets it answer to memory accesses and do DMA. */
void device_open(struct device *device, struct dma_space *space, const char *name);

/* The first `size` bytes of a BAR (0 to 5), for access in the sizes that the device asks for. */
volatile void *device_map_bar(struct device *device, unsigned bar, size_t size);

/* How many interrupts of a kind the device has. */
unsigned device_interrupts(struct device *device, unsigned kind);

/*
 * From now on, interrupt i of a kind (VFIO_PCI_INTX_IRQ_INDEX, ..MSI.., ..MSIX..) adds one to the
 * eventfd events[i].
 */
void device_set_interrupts(struct device *device, unsigned kind, const int *events, unsigned count);

/* INTx holds itself back once it has come. This lets the next one through. */
void device_unmask_intx(struct device *device);

/*
 * The device as after power-on, but for what the kernel keeps: its configuration space as we wrote
 * it, and its interrupts. It does no DMA of before any more.
 */
void device_reset(struct device *device);

int event_make(void);

/* Sleeps until one of the events has come. Adds what came to counts[]; false: nothing in time. */
bool events_wait(const int *events, uint64_t *counts, unsigned count, int milliseconds);

/* Forgets what has come, such as the interrupts of a device before its reset. */
void events_forget(const int *events, unsigned count);

#endif
