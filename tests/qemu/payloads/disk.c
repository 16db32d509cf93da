/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads an NVMe disk, again and again: in each life, to die while commands are under way, or in N
 * rounds of open, map, transfer, unmap and close, after which the machine must be what it was.
 * usage: disk lives|rounds [N]. Area 1 of the disk (examples/nvme/areas.h) is as written.
 */
#include "measure.h"
#undef PAGE
#include "nvme/areas.h"

#define WARM_UP 4

static const struct device_match any_nvme = {.class_code = 0x010802};

static void begin(struct nvme *nvme, struct dma_space *space)
{
    char name[DEVICE_NAME_SIZE];

    device_find(name, NULL, &any_nvme, "NVMe controller");
    dma_space_open(space, DEVICE_VFIO_GROUP);
    nvme_open(nvme, space, name);
}

/* ---- rounds ---- */

static void give_back_device(struct nvme *nvme)
{
    device_close(&nvme->device);
    for (unsigned i = 0; i < nvme->vectors; i++)
        close(nvme->events[i]);
}

static void give_back_memory(struct nvme *nvme, struct dma_space *space)
{
    struct dma_memory *const all[] = {&nvme->admin.commands, &nvme->admin.completions,
                                      &nvme->io.commands,    &nvme->io.completions,
                                      &nvme->identity,       &nvme->data,
                                      &nvme->lists};

    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        dma_space_unmap(space, all[i]);
        munmap(all[i]->at, all[i]->size);
    }
}

/* A device at rest may go last; one with commands under way goes first, and nothing is refused. */
static void make_round(unsigned number)
{
    bool at_rest = number % 2 == 0;
    struct dma_space space;
    struct nvme nvme;

    begin(&nvme, &space);
    struct area area = area_at(&nvme, 1);
    area_begin(&nvme, &area, NVME_READ, 0);
    if (at_rest) {
        area_end(&nvme);
        must(area_came_as_written(&nvme, &area, 0), "the blocks are others");
    } else {
        give_back_device(&nvme);
    }
    give_back_memory(&nvme, &space);
    if (at_rest)
        give_back_device(&nvme);
    dma_space_close(&space);
}

static void run(unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++)
        make_round(i);
}

static int count_rounds(unsigned rounds)
{
    struct machine_state before, after;

    run(WARM_UP);
    measure();
    run(WARM_UP);
    before = measure();
    run(rounds);
    after = measure();
    printf("disk: %u rounds; before and after: %lu and %lu frames, %lu and %lu bytes of objects, "
           "%lu and %lu table pages\n",
           rounds, before.frames, after.frames, before.objects, after.objects, before.tables,
           after.tables);
    return memcmp(&before, &after, sizeof(before)) == 0 ? 0 : 1;
}

/* ---- lives ---- */

static void live(void)
{
    unsigned life = (unsigned)strtoul(text_of("/sys/kernel/payload_restarts"), NULL, 10);
    struct dma_space space;
    struct nvme nvme;

    begin(&nvme, &space);
    struct area area = area_at(&nvme, 1);
    must(area_is_as_written(&nvme, &area), "the blocks are others");
    printf("disk: life %u\n", life);
    fflush(stdout);
    area_begin(&nvme, &area, NVME_READ, 0);
    if (life % 3 == 1)
        *(volatile int *)8 = 0;
    if (life % 3 == 2)
        for (unsigned slot = 0; slot < NVME_SLOTS / 2; slot++)
            nvme_end(&nvme);
    _exit(3);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "rounds") == 0)
        return count_rounds((unsigned)atol(argv[2]));
    live();
    return 0;
}
