/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a driver program asks of VFIO or UIO before it can begin: find its device, open it, map its
 * registers and memory for DMA, wait for its interrupts. About ten calls over the interfaces of
 * Linux, which a program may also make itself; nothing else of it has to change then.
 *
 * The SDK has it built in. Any other C compiler for Linux takes the two files as they are:
 *     cc -isystem include/uapi -I sdk/device mine.c sdk/device/device.c
 *
 * Nothing here returns an error: what fails ends the program with status 1 and a sentence on
 * stderr that names the file or the call, and why.
 */
#ifndef BULKHEAD_DEVICE_H
#define BULKHEAD_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DEVICE_NAME_SIZE 32
#define DEVICE_BARS      6
#define GROUPS_MAX       8 /* in one space */
#define EVENTS_MAX       8u

/* The interfaces through which a device may be opened. */
enum device_family {
    DEVICE_VFIO_GROUP, /* /dev/vfio/N in a container, as every Linux with VFIO has it */
    DEVICE_IOMMUFD,    /* /dev/vfio/devices/vfioN with /dev/iommu: Linux 6.6 and newer */
    DEVICE_UIO,        /* /dev/uioN; memory for DMA as Bulkhead's UIO gives it */
};

/* Kinds of interrupts. With UIO the kernel has chosen one; which is asked for does not matter. */
enum device_interrupt {
    DEVICE_INTX, /* comes once, then waits for device_unmask_intx() */
    DEVICE_MSI,
    DEVICE_MSIX,
};

/*
 * An address space for DMA. Devices in one space see the same memory at the same addresses. With
 * UIO each device has its own: such a space takes one device, and memory only after it.
 */
struct dma_space {
    enum device_family family;
    int file;      /* the container, the iommufd, or the device of UIO; -1: none yet */
    uint32_t ioas; /* of the iommufd */
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
    enum device_family family;
    int file;
    bool can_reset; /* there is a method: device_reset() may be called */
    struct {
        volatile void *at; /* NULL: not mapped */
        size_t size;
    } bars[DEVICE_BARS];
};

/* What to look for among the assigned devices. A number that is 0 fits all. */
struct device_match {
    long vendor, device, class_code; /* as in sysfs: 0x8086, 0x10d3, 0x020000 */
};

/*
 * The name of the device to use: `wanted` if it is not NULL, else the lowest one that matches.
 * `what` names the kind of device in the sentence that tells there is none.
 */
void device_find(char name[DEVICE_NAME_SIZE], const char *wanted, const struct device_match *match,
                 const char *what);

/* The first virtual function of a device. */
void device_find_virtual(char name[DEVICE_NAME_SIZE], const char *physical);

/* An empty space, for devices of one family. */
void dma_space_open(struct dma_space *space, enum device_family family);

/* Devices of a space are closed before it. What is mapped in it ends. */
void dma_space_close(struct dma_space *space);

/* Opens a device in a space, and lets it answer to memory accesses and do DMA. */
void device_open(struct device *device, struct dma_space *space, const char *name);

/* Takes away the BARs and closes the device: it does no DMA and raises no interrupt any more. */
void device_close(struct device *device);

/*
 * `size` bytes of zeros, rounded up to pages; every device of the space may read and write them.
 * With UIO the first 16 bytes hold the buffer's address and number.
 */
struct dma_memory dma_make(struct dma_space *space, size_t size);

/* Lets the devices of a space reach memory of the program: whole pages. Not with UIO. */
struct dma_memory dma_space_map(struct dma_space *space, void *at, size_t size);

/* No device of the space reaches the memory any more. It stays the program's. Not with UIO. */
void dma_space_unmap(struct dma_space *space, const struct dma_memory *memory);

/*
 * The first `size` bytes of a BAR (0 to 5), for access in the sizes that the device asks for. The
 * first call for a BAR says how much of it later ones can have.
 */
volatile void *device_map_bar(struct device *device, unsigned bar, size_t size);

/* How many interrupts of a kind the device has. */
unsigned device_count_interrupts(struct device *device, enum device_interrupt kind);

/*
 * From now on interrupt i of a kind adds one to events[i]: `count` new eventfds, EVENTS_MAX at
 * most, which the program may poll with others and closes itself. UIO has one interrupt.
 */
void device_enable_interrupts(struct device *device, enum device_interrupt kind, int *events,
                              unsigned count);

/* INTx holds itself back once it has come. This lets the next one through. */
void device_unmask_intx(struct device *device);

/*
 * Sleeps until one of the events has come, `milliseconds` at most (-1: without end). Adds what came
 * to counts[]; UIO does not tell how often, and counts as one. False: nothing in time.
 */
bool events_wait(const int *events, uint64_t *counts, unsigned count, int milliseconds);

/* Forgets what has come, such as the interrupts of a device before its reset. */
void events_forget(const int *events, unsigned count);

/*
 * The device as after power-on, but for what the kernel keeps: its configuration space as we wrote
 * it, and its interrupts. It does no DMA of before any more. UIO has no call for it.
 */
void device_reset(struct device *device);

#ifdef __cplusplus
}
#endif

#endif
