/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * two-devices: a disk and a network controller in one container, so that both see the same memory
 * at the same addresses. They work at the same time; then each is reset while the other one works
 * on.
 *
 * usage: two-devices [DISK NETWORK]     as 0000:00:10.0; without them, the first ones there are
 */
#include "e1000e/ping.h"
#include "nvme/areas.h"

#include <err.h>
#include <stdio.h>
#include <string.h>

#define ROUNDS 4u
#define PINGS  8u /* in each round */

static const struct device_match any_nvme = {.class_code = 0x010802};
static const struct device_match any_82574 = {.vendor = 0x8086, .device = 0x10d3};

struct pair {
    struct nvme disk;
    struct area area; /* of the disk, written */
    struct e1000e nic;
    struct neighbours link;
    uint16_t sequence; /* of the next ping */
};

static void begin_reading(struct pair *pair)
{
    memset(pair->disk.data.at, 0xff, pair->disk.data.size);
    area_begin(&pair->disk, &pair->area, NVME_READ, 0);
}

static bool end_reading(struct pair *pair)
{
    area_end(&pair->disk);
    return area_came_as_written(&pair->disk, &pair->area, 0);
}

static void begin_pinging(struct pair *pair)
{
    for (unsigned i = 0; i < PINGS; i++)
        ping_send(&pair->nic, &pair->link, (uint16_t)(pair->sequence + i));
}

static bool end_pinging(struct pair *pair)
{
    unsigned good = ping_count_answers(&pair->nic, &pair->link, pair->sequence, PINGS);

    pair->sequence += PINGS;
    return good == PINGS;
}

static bool both_work(struct pair *pair)
{
    begin_reading(pair);
    begin_pinging(pair);
    bool pinged = end_pinging(pair);
    return end_reading(pair) && pinged;
}

static bool disk_works_while_network_is_reset(struct pair *pair)
{
    begin_pinging(pair);
    begin_reading(pair);
    if (pair->nic.device.can_reset)
        device_reset(&pair->nic.device);
    bool read = end_reading(pair);
    e1000e_start(&pair->nic);
    pair->sequence += PINGS; /* those under way are lost */
    return both_work(pair) && read;
}

static bool network_works_while_disk_is_reset(struct pair *pair)
{
    begin_reading(pair);
    begin_pinging(pair);
    device_reset(&pair->disk.device);
    bool pinged = end_pinging(pair);
    nvme_start(&pair->disk);
    return both_work(pair) && pinged;
}

static bool do_rounds(struct pair *pair, bool (*round)(struct pair *pair), const char *what)
{
    unsigned good = 0;

    for (unsigned i = 0; i < ROUNDS; i++)
        good += round(pair);
    printf("two-devices: %s: %u of %u rounds ok\n", what, good, ROUNDS);
    return good == ROUNDS;
}

static void open_both(struct pair *pair, struct dma_space *space, int argc, char **argv)
{
    char disk[DEVICE_NAME_SIZE], network[DEVICE_NAME_SIZE];

    device_find(disk, argc > 1 ? argv[1] : NULL, &any_nvme, "NVMe controller");
    device_find(network, argc > 2 ? argv[2] : NULL, &any_82574, "82574L (8086:10d3)");
    dma_space_open(space, DEVICE_VFIO_GROUP);
    nvme_open(&pair->disk, space, disk);
    if (!pair->disk.device.can_reset)
        errx(1, "%s has no reset", disk);
    e1000e_open(&pair->nic, space, network, E1000E_MSIX);
    printf("two-devices: %s and %s in one container\n", disk, network);
}

int main(int argc, char **argv)
{
    struct dma_space space;
    struct pair pair = {0};

    open_both(&pair, &space, argc, argv);
    pair.area = area_at(&pair.disk, 1);
    area_write(&pair.disk, &pair.area);
    pair.link = ping_find_gateway(&pair.nic);

    bool good = do_rounds(&pair, both_work, "reading and pinging at the same time");
    good &=
        do_rounds(&pair, disk_works_while_network_is_reset, "reading while the network is reset");
    good &= do_rounds(&pair, network_works_while_disk_is_reset, "pinging while the disk is reset");
    e1000e_stop(&pair.nic);
    nvme_stop(&pair.disk);
    printf("two-devices: %s\n", good ? "ok" : "FAILED");
    return good ? 0 : 1;
}
