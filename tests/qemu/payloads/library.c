/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * <bulkhead/device.h> from its first call to its last, over QEMU's edu: a round trip by DMA through
 * each family and each kind of interrupt, a wait that nothing ends, a reset, and all closed again.
 * usage: library FAMILY...     group, iommufd or uio; VFIO_DEVICE and UIO_DEVICE name the devices
 *        library fail WHAT      ends with the library's sentence about WHAT
 */
#include <bulkhead/device.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu_registers.h"

#define BYTES      2000u
#define SPACE      0x100000u /* of edu's registers */
#define AT         64u       /* behind what UIO has put into a buffer */
#define PATIENCE   60000     /* ms */
#define SHORT_WAIT 20        /* ms */
#define OWN        (16u << 12)

static const struct device_match any_edu = {.vendor = 0x1234, .device = 0x11e8};
static const char *const families[] = {"group", "iommufd", "uio"};

struct edu {
    struct dma_space space;
    struct device device;
    volatile uint8_t *registers;
    enum device_interrupt kind;
    int event;
    uint64_t came;
};

static void must(bool success, const char *what)
{
    if (success)
        return;
    printf("library: FAILED: %s\n", what);
    exit(2);
}

static void write64(struct edu *edu, unsigned at, uint64_t value)
{
    *(volatile uint64_t *)(edu->registers + at) = value;
}

/* edu's cause is taken back before INTx may come again. */
static void acknowledge(struct edu *edu)
{
    *(volatile uint32_t *)(edu->registers + EDU_ACKNOWLEDGE) = ~0u;
    if (edu->kind == DEVICE_INTX)
        device_unmask_intx(&edu->device);
}

static void transfer(struct edu *edu, uint64_t from, uint64_t to, unsigned direction)
{
    write64(edu, EDU_SOURCE, from);
    write64(edu, EDU_TARGET, to);
    write64(edu, EDU_COUNT, BYTES);
    write64(edu, EDU_COMMAND, EDU_RUN | EDU_INTERRUPT | direction);
    must(events_wait(&edu->event, &edu->came, 1, PATIENCE), "an interrupt");
    acknowledge(edu);
}

static void round_trip(struct edu *edu, const struct dma_memory *out, const struct dma_memory *in)
{
    for (unsigned i = 0; i < BYTES; i++)
        out->at[AT + i] = (uint8_t)(i * 7 + edu->kind);
    memset(in->at + AT, 0, BYTES);
    transfer(edu, out->iova + AT, EDU_BUFFER, 0);
    transfer(edu, EDU_BUFFER, in->iova + AT, EDU_TO_MEMORY);
    must(memcmp(out->at + AT, in->at + AT, BYTES) == 0, "the bytes come back");
}

static void with_interrupt(struct edu *edu, enum device_interrupt kind)
{
    struct dma_memory out = dma_make(&edu->space, BYTES + AT);
    struct dma_memory in = dma_make(&edu->space, BYTES + AT);

    edu->kind = kind;
    edu->came = 0;
    device_enable_interrupts(&edu->device, kind, &edu->event, 1);
    must(!events_wait(&edu->event, &edu->came, 1, SHORT_WAIT), "no interrupt by itself");
    round_trip(edu, &out, &in);
    must(edu->came == 2, "two interrupts");
    *(volatile uint32_t *)(edu->registers + EDU_RAISE) = 1;
    must(events_wait(&edu->event, &edu->came, 1, PATIENCE) && edu->came == 3, "a raised one");
    acknowledge(edu);
    close(edu->event);
}

/* Memory of the program, in the middle of a mapping; and a reset, which takes back no mapping. */
static void with_own_memory(struct edu *edu)
{
    uint8_t *own = mmap(NULL, OWN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    must(own != MAP_FAILED, "memory");
    struct dma_memory out = dma_space_map(&edu->space, own + (4u << 12), 4u << 12);
    struct dma_memory in = dma_space_map(&edu->space, own + (8u << 12), 4u << 12);
    edu->kind = DEVICE_MSI;
    device_enable_interrupts(&edu->device, DEVICE_MSI, &edu->event, 1);
    must(edu->device.can_reset, "a reset");
    device_reset(&edu->device);
    round_trip(edu, &out, &in);
    *(volatile uint32_t *)(edu->registers + EDU_RAISE) = 1;
    acknowledge(edu);
    events_forget(&edu->event, 1);
    must(!events_wait(&edu->event, &edu->came, 1, 0), "forgotten");
    dma_space_unmap(&edu->space, &out);
    dma_space_unmap(&edu->space, &in);
    must(munmap(own, OWN) == 0, "munmap");
    close(edu->event);
}

static void drive(enum device_family family)
{
    char name[DEVICE_NAME_SIZE];
    struct edu edu = {.event = -1};

    device_find(name, getenv(family == DEVICE_UIO ? "UIO_DEVICE" : "VFIO_DEVICE"), &any_edu, "edu");
    dma_space_open(&edu.space, family);
    device_open(&edu.device, &edu.space, name);
    edu.registers = device_map_bar(&edu.device, 0, SPACE);
    must(device_map_bar(&edu.device, 0, 8) == edu.registers, "a BAR is mapped once");
    must(device_count_interrupts(&edu.device, DEVICE_MSI) == 1, "one MSI");
    if (family == DEVICE_UIO)
        with_interrupt(&edu, DEVICE_MSI);
    for (int kind = 0; family != DEVICE_UIO && kind < 2; kind++) {
        with_interrupt(&edu, kind);
        device_close(&edu.device);
        device_open(&edu.device, &edu.space, name);
        edu.registers = device_map_bar(&edu.device, 0, SPACE);
    }
    if (family != DEVICE_UIO)
        with_own_memory(&edu);
    device_close(&edu.device);
    dma_space_close(&edu.space);
    printf("library: %s: %s ok\n", families[family], name);
}

/* Each ends the program with a sentence. */
static void fail(const char *what)
{
    struct dma_space space;
    struct device device;
    char name[DEVICE_NAME_SIZE];
    int events[2];

    if (strcmp(what, "none") == 0)
        device_find(name, NULL, &(struct device_match){.vendor = 0xffff}, "device of nobody");
    device_find(name, NULL, &any_edu, "edu");
    if (strcmp(what, "uio") == 0) {
        dma_space_open(&space, DEVICE_UIO);
        device_open(&device, &space, name);
    }
    dma_space_open(&space, DEVICE_VFIO_GROUP);
    if (strcmp(what, "early") == 0)
        dma_make(&space, 1);
    device_open(&device, &space, name);
    if (strcmp(what, "bar") == 0)
        device_map_bar(&device, 0, 2 * SPACE);
    device_enable_interrupts(&device, DEVICE_MSI, events, 2);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "fail") == 0)
        fail(argv[2]);
    for (int i = 1; i < argc; i++)
        for (unsigned family = 0; family < 3; family++)
            if (strcmp(argv[i], families[family]) == 0)
                drive(family);
    return 0;
}
