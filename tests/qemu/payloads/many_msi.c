/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several vectors of MSI: a USB controller (xHCI 1.2, chapter 5.5) raises the vector of any of its
 * interrupters when its driver says that it has read the event ring up to a place where events
 * still are. No USB device has a part in it. usage: many_msi ADDRESS
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>

#include "vfio_open.h"

#define PAGE    4096u
#define IOVA    0x10000000u
#define VECTORS 16u

enum {
    COMMAND = 0,            /* operational */
    COMMAND_INTERRUPTS = 4, /* enable */
    INTERRUPTER = 0x20,     /* runtime: the first one, each 0x20 long */
    MANAGEMENT = 0,         /* pending, enable */
    TABLE_SIZE = 8,         /* event ring segment table */
    TABLE = 16,             /* its address */
    DEQUEUE = 24,           /* address, and bit 3: I am no longer busy */
    NOT_BUSY = 8,
};

static volatile uint8_t *bar;
static int device, events[VECTORS];

static void must(bool success, const char *what)
{
    if (success)
        return;
    printf("many_msi: %s: %s\n", what, strerror(errno));
    exit(1);
}

static volatile uint32_t *operational(unsigned offset)
{
    return (volatile uint32_t *)(bar + bar[0] + offset);
}

static void set_interrupter(unsigned i, unsigned offset, uint32_t value)
{
    uint32_t runtime = *(volatile uint32_t *)(bar + 0x18) & ~31u;

    *(volatile uint32_t *)(bar + runtime + INTERRUPTER + 0x20 * i + offset) = value;
}

static void open_device(const char *name, uint64_t *memory)
{
    struct vfio_iommu_type1_dma_map map = {.argsz = sizeof(map),
                                           .flags =
                                               VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
                                           .vaddr = (uintptr_t)memory,
                                           .iova = IOVA,
                                           .size = PAGE};
    struct vfio_files files;
    uint64_t size;

    must(!vfio_open(name, &files), name);
    device = files.device;
    must(!ioctl(files.container, VFIO_IOMMU_MAP_DMA, &map), "map");
    must(!vfio_command(device, 6), "command");
    bar = vfio_map_bar(device, &size);
    must(bar != NULL, "BAR 0");
}

static void bind_vectors(void)
{
    struct {
        uint32_t argsz, flags, index, start, count;
        int32_t events[VECTORS];
    } call = {sizeof(call),
              VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
              VFIO_PCI_MSI_IRQ_INDEX,
              0,
              VECTORS,
              {0}};
    struct vfio_irq_info info = {.argsz = sizeof(info), .index = VFIO_PCI_MSI_IRQ_INDEX};

    must(!ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &info) && info.count == VECTORS, "16 vectors");
    for (unsigned i = 0; i < VECTORS; i++)
        call.events[i] = events[i] = eventfd(0, EFD_NONBLOCK);
    must(!ioctl(device, VFIO_DEVICE_SET_IRQS, &call), "vectors");
}

/* One segment of 16 events for all interrupters; the table is in the first half of the page. */
static void set_up_rings(uint64_t *memory)
{
    memory[0] = IOVA + PAGE / 2;
    memory[1] = 16;
    *operational(COMMAND) |= COMMAND_INTERRUPTS;
    for (unsigned i = 0; i < VECTORS; i++) {
        set_interrupter(i, TABLE_SIZE, 1);
        set_interrupter(i, TABLE, IOVA);
        set_interrupter(i, TABLE + 4, 0);
        set_interrupter(i, MANAGEMENT, 2);
    }
}

static void raise_vector(unsigned i)
{
    const struct timespec pause = {0, 2000000};

    set_interrupter(i, DEQUEUE, (IOVA + PAGE / 2 + 16) | NOT_BUSY);
    set_interrupter(i, DEQUEUE + 4, 0);
    nanosleep(&pause, NULL);
}

int main(int argc, char **argv)
{
    uint64_t *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t count;

    must(memory != MAP_FAILED, "memory");
    open_device(argv[1], memory);
    bind_vectors();
    set_up_rings(memory);
    for (unsigned i = 0; i < VECTORS; i++) {
        raise_vector(i);
        for (unsigned k = 0; k < VECTORS; k++) {
            bool came = read(events[k], &count, sizeof(count)) == sizeof(count);

            if (came == (k == i))
                continue;
            printf("many_msi: %u was raised, and %u %s\n", i, k, came ? "came" : "did not come");
            return 1;
        }
    }
    printf("many_msi: each of %u came alone\n", VECTORS);
    return 0;
}
