/* SPDX-License-Identifier: BSD-2-Clause */
/* ARP and ICMP echo, as far as asking a neighbour takes them; addresses in host byte order. */
#ifndef EXAMPLES_PING_H
#define EXAMPLES_PING_H

#include "e1000e/e1000e.h"

/* Two stations on one link. */
struct neighbours {
    uint8_t our_mac[6], their_mac[6];
    uint32_t our_ip, their_ip;
};

/* Asks for the MAC address of the gateway of QEMU's user network. Ends the program without an
 * answer. */
struct neighbours ping_find_gateway(struct e1000e *nic);

/* Sends the ping of a sequence number. Its length and its data depend on the number. */
void ping_send(struct e1000e *nic, const struct neighbours *link, uint16_t sequence);

/*
 * Waits for the answers to `count` pings from `first` on, in whatever order; the number of those
 * that came with every byte as it has to be.
 */
unsigned ping_count_answers(struct e1000e *nic, const struct neighbours *link, uint16_t first,
                            unsigned count);

#endif
