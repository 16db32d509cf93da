/* SPDX-License-Identifier: BSD-2-Clause */
/* A program of the Data Plane Development Kit: two ports send to each other, and every byte that
 * arrives is looked at. Linked with Debian's static libraries and its driver for e1000e; arguments
 * are those of DPDK's environment (EAL). */
#include <stdbool.h>
#include <stdio.h>

#include <rte_eal.h>
#include <rte_ethdev.h>

enum {
    PORTS = 2,
    FRAMES = 1000, /* that each port sends */
    RING = 256,
    BURST = 32,
    BUFFERS = 4095,
    ETHER_TYPE = 0x88b5, /* for experiments */
    LENGTH_MIN = 60,
    LENGTH_STEPS = 1455, /* up to 1514 bytes, as much as a frame has without its checksum */
    PATIENCE = 10000000, /* polls in a row that bring nothing */
};

struct station {
    struct rte_ether_addr mac;
    unsigned sent, received, damaged;
    unsigned long bytes;
};

static struct station stations[PORTS];

static unsigned length_of(unsigned number)
{
    return LENGTH_MIN + number * 769 % LENGTH_STEPS;
}

static uint8_t byte_of(unsigned port, unsigned number, unsigned at)
{
    return (number * 31 + at * 7 + port * 101 + (at >> 8)) & 0xff;
}

static struct rte_ether_hdr header_of(unsigned port)
{
    struct rte_ether_hdr header = {.dst_addr = stations[!port].mac,
                                   .src_addr = stations[port].mac,
                                   .ether_type = rte_cpu_to_be_16(ETHER_TYPE)};
    return header;
}

/* The number-th frame that a port sends. */
static struct rte_mbuf *make_frame(struct rte_mempool *pool, unsigned port, unsigned number)
{
    struct rte_mbuf *made = rte_pktmbuf_alloc(pool);
    unsigned length = length_of(number);

    if (!made)
        return NULL;
    uint8_t *bytes = (uint8_t *)rte_pktmbuf_append(made, length);
    *(struct rte_ether_hdr *)bytes = header_of(port);
    for (unsigned i = sizeof(struct rte_ether_hdr); i < length; i++)
        bytes[i] = byte_of(port, number, i);
    return made;
}

static bool is_frame(const struct rte_mbuf *found, unsigned port, unsigned number)
{
    const uint8_t *bytes = rte_pktmbuf_mtod(found, const uint8_t *);
    struct rte_ether_hdr header = header_of(port);

    if (found->nb_segs != 1 || found->pkt_len != length_of(number) ||
        memcmp(bytes, &header, sizeof(header)) != 0)
        return false;
    for (unsigned i = sizeof(header); i < found->pkt_len; i++)
        if (bytes[i] != byte_of(port, number, i))
            return false;
    return true;
}

/* Sends a port's next frame, if there is one and its ring has room. */
static bool send_next(struct rte_mempool *pool, unsigned port)
{
    struct station *own = &stations[port];
    struct rte_mbuf *frame = own->sent < FRAMES ? make_frame(pool, port, own->sent) : NULL;

    if (!frame)
        return false;
    if (rte_eth_tx_burst(port, 0, &frame, 1) == 1) {
        own->sent++;
        return true;
    }
    rte_pktmbuf_free(frame);
    return false;
}

/* Takes what has arrived at a port; frames come in the order they were sent. */
static unsigned receive(unsigned port)
{
    struct station *own = &stations[port];
    struct rte_mbuf *frames[BURST];
    unsigned count = rte_eth_rx_burst(port, 0, frames, BURST);

    for (unsigned i = 0; i < count; i++) {
        own->damaged += !is_frame(frames[i], !port, own->received++);
        own->bytes += frames[i]->pkt_len;
        rte_pktmbuf_free(frames[i]);
    }
    return count;
}

static bool all_arrived(void)
{
    return stations[0].received >= FRAMES && stations[1].received >= FRAMES;
}

static void exchange(struct rte_mempool *pool)
{
    for (unsigned idle = 0; !all_arrived() && idle < PATIENCE; idle++)
        for (unsigned port = 0; port < PORTS; port++)
            if (send_next(pool, port) + receive(port))
                idle = 0;
}

static int start_port(unsigned port, struct rte_mempool *pool)
{
    struct rte_eth_conf conf = {0};
    int error = rte_eth_dev_configure(port, 1, 1, &conf);

    if (!error)
        error = rte_eth_rx_queue_setup(port, 0, RING, rte_eth_dev_socket_id(port), NULL, pool);
    if (!error)
        error = rte_eth_tx_queue_setup(port, 0, RING, rte_eth_dev_socket_id(port), NULL);
    if (!error)
        error = rte_eth_dev_start(port);
    return error ? error : rte_eth_macaddr_get(port, &stations[port].mac);
}

/* Waits for the link, as long as the driver sees fit (nine seconds). */
static bool has_link(unsigned port)
{
    struct rte_eth_link link = {0};

    return !rte_eth_link_get(port, &link) && link.link_status == RTE_ETH_LINK_UP;
}

static int fail(const char *what)
{
    printf("dpdk: %s\n", what);
    return 1;
}

static void tell(unsigned port)
{
    const struct station *own = &stations[port];

    printf(
        "dpdk: port %u (" RTE_ETHER_ADDR_PRT_FMT "): sent %u, received %u, %lu bytes, %u damaged\n",
        port, RTE_ETHER_ADDR_BYTES(&own->mac), own->sent, own->received, own->bytes, own->damaged);
}

int main(int argc, char **argv)
{
    if (rte_eal_init(argc, argv) < 0)
        return fail("no environment");
    if (rte_eth_dev_count_avail() != PORTS)
        return fail("there are not two ports");
    struct rte_mempool *pool =
        rte_pktmbuf_pool_create("frames", BUFFERS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    if (!pool || start_port(0, pool) || start_port(1, pool))
        return fail("a port does not start");
    if (!has_link(0) || !has_link(1))
        return fail("no link");
    exchange(pool);
    for (unsigned port = 0; port < PORTS; port++) {
        tell(port);
        rte_eth_dev_stop(port);
        rte_eth_dev_close(port);
    }
    rte_eal_cleanup();
    return !all_arrived() || stations[0].damaged || stations[1].damaged;
}
