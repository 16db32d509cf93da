/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * e1000e: a network controller, driven by a program. It asks for the MAC address of the gateway and
 * pings it, resets the device while pings are under way, and does it all again.
 *
 * usage: e1000e [intx | msi | msix] [DEVICE]     DEVICE as 0000:00:10.0; without it, the first
 *                                                82574L there is; without a mode, msix
 */
#include "e1000e/ping.h"

#include <stdio.h>

#define PINGS     48u /* more than the rings have places */
#define UNDER_WAY 8u

static const struct device_match any_82574 = {.vendor = 0x8086, .device = 0x10d3};

static bool ping(struct e1000e *nic, uint16_t first, const char *when)
{
    struct neighbours link = ping_find_gateway(nic);
    const uint8_t *mac = link.their_mac;
    unsigned good = 0;

    for (unsigned i = 0; i < PINGS; i += UNDER_WAY) {
        for (unsigned j = 0; j < UNDER_WAY; j++)
            ping_send(nic, &link, (uint16_t)(first + i + j));
        good += ping_count_answers(nic, &link, (uint16_t)(first + i), UNDER_WAY);
    }
    printf(
        "e1000e: %s the reset: 10.0.2.2 is at %02x:%02x:%02x:%02x:%02x:%02x, %u of %u pings came "
        "back with every byte right\n",
        when, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], good, PINGS);
    return good == PINGS;
}

/* The device's own reset, in e1000e_start(), has to do where the kernel has no method. */
static void reset_while_pinging(struct e1000e *nic)
{
    struct neighbours link = ping_find_gateway(nic);

    for (unsigned i = 0; i < UNDER_WAY; i++)
        ping_send(nic, &link, (uint16_t)(PINGS + i));
    if (nic->device.can_reset)
        device_reset(&nic->device);
    e1000e_start(nic);
    printf("e1000e: reset by %s while %u pings were under way, started again\n",
           nic->device.can_reset ? "VFIO" : "itself (VFIO has no method)", UNDER_WAY);
}

int main(int argc, char **argv)
{
    enum e1000e_interrupts mode = E1000E_MSIX;
    char name[DEVICE_NAME_SIZE];
    struct dma_space space;
    struct e1000e nic;

    int next = argc > 1 && e1000e_mode(argv[1], &mode) ? 2 : 1;
    device_find(name, next < argc ? argv[next] : NULL, &any_82574, "82574L (8086:10d3)");
    dma_space_open(&space, DEVICE_VFIO_GROUP);
    e1000e_open(&nic, &space, name, mode);
    const uint8_t *mac = nic.mac;
    printf("e1000e: %s, MAC address %02x:%02x:%02x:%02x:%02x:%02x, the link is there\n", name,
           mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);

    bool good = ping(&nic, 0, "before");
    reset_while_pinging(&nic);
    good &= ping(&nic, PINGS + UNDER_WAY, "after");
    e1000e_flush(&nic);
    e1000e_stop(&nic);
    printf("e1000e: %s, %llu + %llu interrupts\n", good ? "ok" : "FAILED",
           (unsigned long long)nic.interrupts[0], (unsigned long long)nic.interrupts[1]);
    return good ? 0 : 1;
}
