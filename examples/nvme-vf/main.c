/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nvme-vf: a virtual function of a disk, driven beside the disk itself. The disk gives it queues
 * and an interrupt, brings it online and attaches the namespace (Virtualization Enhancements, NVM
 * Express 1.4, 8.5); then it works by itself, with DMA of its own:
 *
 *  - both read area 0, and get the same;
 *  - the virtual function writes area 1, and both read it back;
 *  - a reset of the disk takes the virtual function along: brought online again, it writes area 2;
 *  - a reset of the virtual function leaves the disk working, and it reads area 0 once more.
 *
 * Areas that hold something are not overwritten: areas.h tells what is written.
 *
 * usage: nvme-vf [DEVICE]     DEVICE as 0000:01:00.0; without it, the first NVMe controller there
 * is
 */
#include "nvme/areas.h"

#include <err.h>
#include <stdio.h>
#include <string.h>

static const struct device_match any_nvme = {.class_code = 0x010802};

/* Admin commands. */
enum {
    NAMESPACE_ATTACHMENT = 0x15,
    NAMESPACE_ATTACH = 0,
    VIRTUALIZATION = 0x1c,
    VIRTUALIZATION_PRIMARY = 1, /* what the physical function has, of what can be given away */
    VIRTUALIZATION_OFFLINE = 7,
    VIRTUALIZATION_ASSIGN = 8,
    VIRTUALIZATION_ONLINE = 9,
    QUEUES = 0,
    INTERRUPTS = 1,
    IDENTIFY_CONTROLLER = 1,
    IDENTIFY_ATTACHED = 0x12, /* to a namespace: how many controllers, and which */
    IDENTIFY_SECONDARIES = 0x15,
};

/* What Identify tells (figures 247 and 253). */
enum {
    CONTROLLER_ID = 78,     /* 2 bytes */
    SECONDARY_FIRST = 32,   /* the entry of the first one: its id in 2 bytes, */
    SECONDARY_FUNCTION = 8, /* and which virtual function it is, from 1 */
};

#define QUEUE_PAIRS 2u /* one for admin commands, one for IO */

static unsigned number_at(const struct nvme *nvme, unsigned offset)
{
    return nvme->identity.at[offset] | nvme->identity.at[offset + 1] << 8;
}

static void manage(struct nvme *disk, unsigned controller, unsigned action, unsigned resource,
                   unsigned count)
{
    nvme_admin(disk, VIRTUALIZATION, 0, controller << 16 | resource << 8 | action, count);
}

/* What can be given away is the disk's own, until its next reset. */
static void release_all(struct nvme *disk)
{
    nvme_admin(disk, NVME_IDENTIFY, 0, IDENTIFY_CONTROLLER, 0);
    unsigned own = number_at(disk, CONTROLLER_ID);

    manage(disk, own, VIRTUALIZATION_PRIMARY, QUEUES, 0);
    manage(disk, own, VIRTUALIZATION_PRIMARY, INTERRUPTS, 0);
    device_reset(&disk->device);
    nvme_start(disk);
}

/* The id of the controller in the first virtual function. */
static unsigned first_secondary(struct nvme *disk)
{
    nvme_admin(disk, NVME_IDENTIFY, 0, IDENTIFY_SECONDARIES, 0);
    if (!disk->identity.at[0] || number_at(disk, SECONDARY_FIRST + SECONDARY_FUNCTION) != 1)
        errx(1, "%s: no secondary controller in its first virtual function", disk->device.name);
    return number_at(disk, SECONDARY_FIRST);
}

/* Some controllers have it from the beginning. */
static bool has_namespace(struct nvme *disk, unsigned controller)
{
    nvme_admin(disk, NVME_IDENTIFY, NVME_NAMESPACE, controller << 16 | IDENTIFY_ATTACHED, 0);
    return number_at(disk, 0) && number_at(disk, 2) == controller;
}

static void attach_namespace(struct nvme *disk, unsigned controller)
{
    uint16_t list[] = {1, (uint16_t)controller};

    memset(disk->identity.at, 0, disk->identity.size);
    memcpy(disk->identity.at, list, sizeof(list));
    nvme_admin(disk, NAMESPACE_ATTACHMENT, NVME_NAMESPACE, NAMESPACE_ATTACH, 0);
}

/* From wherever it is. */
static void bring_online(struct nvme *disk, unsigned controller)
{
    manage(disk, controller, VIRTUALIZATION_OFFLINE, 0, 0);
    manage(disk, controller, VIRTUALIZATION_ASSIGN, QUEUES, QUEUE_PAIRS);
    manage(disk, controller, VIRTUALIZATION_ASSIGN, INTERRUPTS, 1);
    manage(disk, controller, VIRTUALIZATION_ONLINE, 0, 0);
    if (!has_namespace(disk, controller))
        attach_namespace(disk, controller);
}

static bool tell(const char *what, bool good)
{
    printf("nvme-vf: %s: %s\n", what, good ? "ok" : "FAILED");
    return good;
}

static uint32_t checksum(struct nvme *nvme)
{
    struct area area = area_at(nvme, 0);

    return area_checksum(nvme, &area);
}

/* Written by one, and read back by both. */
static bool write_and_read_back(struct nvme *writer, struct nvme *other, unsigned number)
{
    struct area area = area_at(writer, number);

    area_write(writer, &area);
    return area_is_as_written(writer, &area) && area_is_as_written(other, &area);
}

int main(int argc, char **argv)
{
    char name[DEVICE_NAME_SIZE], virtual_name[DEVICE_NAME_SIZE];
    struct nvme disk, virtual;
    struct dma_space space;

    device_find(name, argc > 1 ? argv[1] : NULL, &any_nvme, "NVMe controller");
    device_find_virtual(virtual_name, name);
    dma_space_open(&space, DEVICE_VFIO_GROUP);
    nvme_open(&disk, &space, name);
    release_all(&disk);
    unsigned controller = first_secondary(&disk);
    bring_online(&disk, controller);
    nvme_open(&virtual, &space, virtual_name);
    printf("nvme-vf: %s, serial number %s, and its virtual function %s, controller %u\n", name,
           disk.serial, virtual_name, controller);

    uint32_t sum = checksum(&disk);
    printf("nvme-vf: area 0 read by the disk: CRC-32 %08x\n", (unsigned)sum);
    bool good = tell("area 0 read by the virtual function", checksum(&virtual) == sum);
    good &= tell("area 1 written by the virtual function, read by both",
                 write_and_read_back(&virtual, &disk, 1));

    device_reset(&disk.device);
    nvme_start(&disk);
    bring_online(&disk, controller);
    nvme_start(&virtual);
    good &=
        tell("area 2 written after a reset of the disk", write_and_read_back(&virtual, &disk, 2));

    device_reset(&virtual.device);
    good &= tell("area 0 read by the disk, the virtual function in reset", checksum(&disk) == sum);
    nvme_start(&virtual);
    good &= tell("area 0 read after a reset of the virtual function", checksum(&virtual) == sum);
    nvme_stop(&virtual);
    nvme_stop(&disk);
    printf("nvme-vf: %s, %llu interrupts of the virtual function\n", good ? "ok" : "FAILED",
           (unsigned long long)virtual.interrupts[0]);
    return good ? 0 : 1;
}
