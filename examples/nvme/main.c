/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nvme: a disk, driven by a program. Three areas of it are used, 2 MiB each:
 *
 *  0. is read: its checksum is told, and has to be the same after the reset;
 *  1. is written and read back before the reset of the device, which comes while it is reading;
 *  2. is written and read back after the reset.
 *
 * Areas that hold something are not overwritten: areas.h tells what is written.
 *
 * usage: nvme [DEVICE]     DEVICE as 0000:00:10.0; without it, the first NVMe controller there is
 */
#include "nvme/areas.h"

#include <err.h>
#include <stdio.h>
#include <string.h>

static const struct device_match any_nvme = {.class_code = 0x010802};

static uint32_t tell_checksum(struct nvme *nvme, const char *when)
{
    struct area area = area_at(nvme, 0);
    uint32_t sum = area_checksum(nvme, &area);

    printf("nvme: %u blocks from %llu read %s the reset: CRC-32 %08x\n", area.blocks,
           (unsigned long long)area.first, when, (unsigned)sum);
    return sum;
}

static bool write_and_read_back(struct nvme *nvme, unsigned number, const char *when)
{
    struct area area = area_at(nvme, number);

    area_write(nvme, &area);
    bool good = area_is_as_written(nvme, &area);
    printf("nvme: %u blocks from %llu written %s the reset: %s\n", area.blocks,
           (unsigned long long)area.first, when,
           good ? "read back as written" : "FAILED, read back as something else");
    return good;
}

/* After the reset nothing of what was under way may reach memory any more. */
static bool reset_while_reading(struct nvme *nvme)
{
    struct area area = area_at(nvme, 0);

    area_begin(nvme, &area, NVME_READ, 0);
    device_reset(&nvme->device);
    memset(nvme->data.at, 0x5a, nvme->data.size);
    nvme_start(nvme);
    bool quiet = nvme->data.at[0] == 0x5a &&
                 memcmp(nvme->data.at, nvme->data.at + 1, nvme->data.size - 1) == 0;
    printf("nvme: reset while %u commands were under way: %s\n", NVME_SLOTS,
           quiet ? "no DMA afterwards, started again"
                 : "FAILED, the device wrote to memory after its reset");
    return quiet;
}

int main(int argc, char **argv)
{
    char name[DEVICE_NAME_SIZE];
    struct dma_space space;
    struct nvme nvme;

    device_find(name, argc > 1 ? argv[1] : NULL, &any_nvme, "NVMe controller");
    dma_space_open(&space, DEVICE_VFIO_GROUP);
    nvme_open(&nvme, &space, name);
    printf("nvme: %s, %s, serial number %s: %llu blocks of %u bytes\n", name, nvme.model,
           nvme.serial, (unsigned long long)nvme.blocks, nvme.block_size);
    if (!nvme.device.can_reset)
        errx(1, "%s has no reset", name);

    uint32_t before = tell_checksum(&nvme, "before");
    bool good = write_and_read_back(&nvme, 1, "before");
    good &= reset_while_reading(&nvme);
    good &= tell_checksum(&nvme, "after") == before;
    good &= write_and_read_back(&nvme, 2, "after");
    nvme_stop(&nvme);
    printf("nvme: %s, %llu interrupts for commands\n", good ? "ok" : "FAILED",
           (unsigned long long)nvme.interrupts[1]);
    return good ? 0 : 1;
}
