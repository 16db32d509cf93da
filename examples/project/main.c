/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * starter: finds its device, maps registers and a buffer, and waits for an interrupt. The calls are
 * those of <bulkhead/device.h>, which is a thin layer over Linux's VFIO: the program runs on
 * Bulkhead and on Linux.
 *
 * usage: starter [DEVICE]     DEVICE as 0000:00:10.0; without it, the first that matches
 */
#include <bulkhead/device.h>
#include <stdio.h>

/* The device that is looked for: vendor and device as lspci -n shows them. 0 fits all. */
static const struct device_match match = {.vendor = 0x1234, .device = 0x11e8};

#define REGISTERS 0    /* the BAR with them */
#define PATIENCE  2000 /* milliseconds */

/* edu's registers; those below 0x80 take accesses of 4 bytes only. */
enum {
    EDU_INTERRUPT_ACK = 0x64,
    EDU_DMA_SOURCE = 0x80,
    EDU_DMA_TARGET = 0x88,
    EDU_DMA_COUNT = 0x90,
    EDU_DMA_COMMAND = 0x98,
    EDU_BUFFER = 0x40000, /* in the device: the other end of every transfer */
};
enum { EDU_START = 1, EDU_TO_MEMORY = 2, EDU_INTERRUPT = 4 };
#define DMA_BYTES 8

static void write64(volatile uint8_t *registers, unsigned at, uint64_t value)
{
    *(volatile uint64_t *)(registers + at) = value;
}

/* Has the device copy the beginning of the buffer into itself, and raise an interrupt at the end.
 */
static void start_device(volatile uint8_t *registers, const struct dma_memory *buffer)
{
    write64(registers, EDU_DMA_SOURCE, buffer->iova);
    write64(registers, EDU_DMA_TARGET, EDU_BUFFER);
    write64(registers, EDU_DMA_COUNT, DMA_BYTES);
    write64(registers, EDU_DMA_COMMAND, EDU_START | EDU_INTERRUPT);
}

/* What the device wants to see once its interrupt has come. */
static void acknowledge(volatile uint8_t *registers)
{
    *(volatile uint32_t *)(registers + EDU_INTERRUPT_ACK) = 0x100; /* of a transfer */
}

/* The best kind of interrupts that the device has. */
static enum device_interrupt choose_interrupt(struct device *device)
{
    if (device_count_interrupts(device, DEVICE_MSIX))
        return DEVICE_MSIX;
    return device_count_interrupts(device, DEVICE_MSI) ? DEVICE_MSI : DEVICE_INTX;
}

int main(int argc, char **argv)
{
    char name[DEVICE_NAME_SIZE];
    struct dma_space space;
    struct device device;
    uint64_t came = 0;
    int event;

    device_find(name, argc > 1 ? argv[1] : NULL, &match, "device of starter's");
    dma_space_open(&space, DEVICE_VFIO_GROUP);
    device_open(&device, &space, name);
    volatile uint8_t *registers = device_map_bar(&device, REGISTERS, 4096);
    struct dma_memory buffer = dma_make(&space, 4096);
    printf("starter: %s finds its buffer at 0x%llx\n", name, (unsigned long long)buffer.iova);

    device_enable_interrupts(&device, choose_interrupt(&device), &event, 1);
    start_device(registers, &buffer);
    bool interrupted = events_wait(&event, &came, 1, PATIENCE);
    if (interrupted)
        acknowledge(registers);
    printf("starter: %s\n", interrupted ? "the interrupt came" : "no interrupt came");

    device_close(&device);
    dma_space_close(&space);
    return interrupted ? 0 : 1;
}
