/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is left of the interfaces after the IOMMU's invalidation queue died. The test breaks it from
 * outside while we wait; then we take memory from the device and try to get that memory back.
 *
 * usage: fenced INTERFACE BDF
 */
#define _GNU_SOURCE
#include "edu.h"

#include <errno.h>
#include <sched.h>

#define CONTROL 0x10000000ull /* first word: how far we are, second: how far the test is */
#define BUFFER  0x20000000ull
#define MORE    0x30000000ull
#define BYTES   (16 * PAGE)
#define MARK    0xa5
#define HOARDED 0x5a

static uint32_t space;

static void *memory_of(uint64_t size)
{
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1,
                0);
}

static uint8_t *mapped(uint64_t iova, uint64_t size)
{
    uint8_t *memory = memory_of(size);

    must(memory != MAP_FAILED && !dma_map(space, iova, memory, size, READ | WRITE), "map");
    return memory;
}

static void step(volatile uint64_t *control, uint64_t number)
{
    control[0] = number;
    while (control[1] < number)
        sched_yield();
}

static void tell(const char *what, int result)
{
    printf("fenced: %s: %s\n", what, result ? strerror(errno) : "ok");
}

/* A stopped device stays stopped, whatever its command register is asked for. */
static void ask_for_bus_mastering(void)
{
    struct vfio_region_info config = {.argsz = sizeof(config),
                                      .index = VFIO_PCI_CONFIG_REGION_INDEX};
    uint16_t command = 6;

    must(!ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config) &&
             pwrite(device, &command, sizeof(command), (off_t)config.offset + 4) == 2,
         "command");
}

/* Everything that can be had, so that a page given up would be among it. */
static void hoard(void)
{
    uint8_t *block;

    while ((block = memory_of(BLOCK)) != MAP_FAILED)
        memset(block, HOARDED, BLOCK);
    while ((block = memory_of(PAGE)) != MAP_FAILED)
        memset(block, HOARDED, PAGE);
}

int main(int argc, char **argv)
{
    must(argc == 3, "usage");
    edu_open(argv[1], argv[2]);
    space = space_create();
    must(!dma_attach(space), "attach");
    volatile uint8_t *buffer = mapped(BUFFER, BYTES);
    memset((void *)buffer, MARK, BYTES);
    edu_write(BUFFER, 4);
    printf("fenced: before: %s\n", buffer[0] == MARK ? "untouched" : "written");
    memset((void *)buffer, MARK, 4);
    volatile uint64_t *control = (void *)mapped(CONTROL, PAGE);

    step(control, 1);
    tell("unmap", dma_unmap(space, BUFFER, BYTES));
    ask_for_bus_mastering();
    edu_write(BUFFER, 4); /* the unit has this translation in its cache */
    printf("fenced: after: %s\n", buffer[0] == MARK ? "untouched" : "written");
    void *page = memory_of(PAGE);
    tell("map", dma_map(space, MORE, page, PAGE, READ | WRITE));
    tell("munmap", munmap((void *)buffer, BYTES));
    hoard();
    step(control, 2);
    return 0;
}
