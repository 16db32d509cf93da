/* SPDX-License-Identifier: BSD-2-Clause */
#include "e1000e/ping.h"

#include <endian.h>
#include <err.h>
#include <string.h>

#define OUR_IP     0x0a00020fu /* 10.0.2.15: the guest, for QEMU */
#define GATEWAY_IP 0x0a000202u
#define PATIENCE   5000 /* milliseconds for an answer */
#define STRANGERS  1000 /* other frames that may come in between */
#define DATA_MIN   32u
#define DATA_STEP  97u
#define DATA_SPAN  1400u
#define IDENTIFIER 0x6268
#define PINGS_MAX  64u
#define HEADERS    42u /* of an echo: Ethernet, IP, ICMP */
#define FRAME_MIN  60u /* shorter ones are padded on their way */

struct ethernet {
    uint8_t to[6], from[6];
    uint16_t type;
} __attribute__((packed));

struct arp {
    struct ethernet ethernet;
    uint16_t hardware, protocol;
    uint8_t hardware_size, protocol_size;
    uint16_t operation;
    uint8_t sender_mac[6];
    uint32_t sender_ip;
    uint8_t target_mac[6];
    uint32_t target_ip;
} __attribute__((packed));

struct echo {
    struct ethernet ethernet;
    /* IP */
    uint8_t version, service;
    uint16_t length, id, fragment;
    uint8_t time_to_live, protocol;
    uint16_t ip_checksum;
    uint32_t from, to;
    /* ICMP */
    uint8_t type, code;
    uint16_t checksum, identifier, sequence;
    uint8_t data[FRAME_SIZE - HEADERS];
} __attribute__((packed));

_Static_assert(sizeof(struct echo) == FRAME_SIZE, "any frame has its place");
_Static_assert(DATA_MIN + DATA_SPAN <= FRAME_SIZE - HEADERS, "a ping is one frame");

#define IP_AT   sizeof(struct ethernet)
#define ICMP_AT offsetof(struct echo, type)

enum {
    TYPE_IP = 0x0800,
    TYPE_ARP = 0x0806,
    ARP_REQUEST = 1,
    ARP_REPLY = 2,
    PROTOCOL_ICMP = 1,
    ECHO_REPLY = 0,
    ECHO_REQUEST = 8,
};

static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static struct arp make_arp(const struct neighbours *link)
{
    struct arp arp = {
        .ethernet.type = htobe16(TYPE_ARP),
        .hardware = htobe16(1), /* Ethernet */
        .protocol = htobe16(TYPE_IP),
        .hardware_size = 6,
        .protocol_size = 4,
        .operation = htobe16(ARP_REQUEST),
        .sender_ip = htobe32(link->our_ip),
        .target_ip = htobe32(link->their_ip),
    };

    memcpy(arp.ethernet.to, everybody, 6);
    memcpy(arp.ethernet.from, link->our_mac, 6);
    memcpy(arp.sender_mac, link->our_mac, 6);
    return arp;
}

/* The answer to a question, if it comes from this MAC address. */
static struct arp answer_to(const struct arp *question, const uint8_t mac[6])
{
    struct arp answer = *question;

    memcpy(answer.ethernet.to, question->ethernet.from, 6);
    memcpy(answer.ethernet.from, mac, 6);
    memcpy(answer.target_mac, question->sender_mac, 6);
    memcpy(answer.sender_mac, mac, 6);
    answer.sender_ip = question->target_ip;
    answer.target_ip = question->sender_ip;
    answer.operation = htobe16(ARP_REPLY);
    return answer;
}

/* Asks for the neighbour's MAC address, and fills it in. False: no right answer. */
static bool ask_for_mac(struct e1000e *nic, struct neighbours *link)
{
    struct arp question = make_arp(link), answer;
    uint8_t frame[FRAME_SIZE];

    e1000e_send(nic, (const uint8_t *)&question, sizeof(question));
    for (unsigned i = 0; i < STRANGERS; i++) {
        size_t length = e1000e_receive(nic, frame, PATIENCE);
        if (length == 0)
            return false;
        if (length < sizeof(answer))
            continue;
        memcpy(&answer, frame, sizeof(answer));
        struct arp right = answer_to(&question, answer.sender_mac);
        if (memcmp(&answer, &right, sizeof(right)) == 0) {
            memcpy(link->their_mac, answer.sender_mac, 6);
            return true;
        }
    }
    return false;
}

struct neighbours ping_find_gateway(struct e1000e *nic)
{
    struct neighbours link = {.our_ip = OUR_IP, .their_ip = GATEWAY_IP};

    memcpy(link.our_mac, nic->mac, 6);
    if (!ask_for_mac(nic, &link))
        errx(1, "%s: the gateway 10.0.2.2 does not answer", nic->device.name);
    return link;
}

/* The checksum of the internet (RFC 1071), as it is stored. */
static uint16_t checksum(const uint8_t *bytes, size_t length)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < length; i++)
        sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htobe16((uint16_t)~sum);
}

static size_t data_length(uint16_t sequence)
{
    return DATA_MIN + sequence * DATA_STEP % DATA_SPAN;
}

static void set_checksums(struct echo *echo, size_t length)
{
    const uint8_t *bytes = (const uint8_t *)echo;

    echo->ip_checksum = echo->checksum = 0;
    echo->ip_checksum = checksum(bytes + IP_AT, ICMP_AT - IP_AT);
    echo->checksum = checksum(bytes + ICMP_AT, length - ICMP_AT);
}

/* A ping from us to them; returns its length. */
static size_t make_ping(struct echo *echo, const struct neighbours *link, uint16_t sequence)
{
    size_t length = HEADERS + data_length(sequence);

    *echo = (struct echo){
        .ethernet.type = htobe16(TYPE_IP),
        .version = 0x45, /* 4, and a header of 5 words */
        .length = htobe16((uint16_t)(length - IP_AT)),
        .id = htobe16(sequence),
        .time_to_live = 64,
        .protocol = PROTOCOL_ICMP,
        .from = htobe32(link->our_ip),
        .to = htobe32(link->their_ip),
        .type = ECHO_REQUEST,
        .identifier = htobe16(IDENTIFIER),
        .sequence = htobe16(sequence),
    };
    memcpy(echo->ethernet.to, link->their_mac, 6);
    memcpy(echo->ethernet.from, link->our_mac, 6);
    for (size_t i = 0; i < length - HEADERS; i++)
        echo->data[i] = (uint8_t)(i * 7 + i / 256 + sequence);
    set_checksums(echo, length);
    return length;
}

/* What has to come back for a ping. How its packet travelled is the other side's affair. */
static size_t make_answer(struct echo *echo, const struct neighbours *link, uint16_t sequence,
                          const struct echo *came)
{
    size_t length = make_ping(echo, link, sequence);

    memcpy(echo->ethernet.to, link->our_mac, 6);
    memcpy(echo->ethernet.from, link->their_mac, 6);
    echo->from = htobe32(link->their_ip);
    echo->to = htobe32(link->our_ip);
    echo->type = ECHO_REPLY;
    echo->service = came->service;
    echo->id = came->id;
    echo->fragment = came->fragment & htobe16(0x4000); /* "do not", and no piece of one */
    echo->time_to_live = came->time_to_live;
    set_checksums(echo, length);
    return length;
}

void ping_send(struct e1000e *nic, const struct neighbours *link, uint16_t sequence)
{
    struct echo ping;
    size_t length = make_ping(&ping, link, sequence);

    e1000e_send(nic, (const uint8_t *)&ping, length);
}

/* Is a frame an answer to a ping of ours? Anything else on the wire is none of our business. */
static bool is_echo(const struct echo *echo, size_t length)
{
    return length >= HEADERS && echo->ethernet.type == htobe16(TYPE_IP) &&
           echo->protocol == PROTOCOL_ICMP && echo->type == ECHO_REPLY &&
           echo->identifier == htobe16(IDENTIFIER);
}

static bool is_right(const struct neighbours *link, const struct echo *came, size_t length)
{
    struct echo right;
    size_t right_length = make_answer(&right, link, be16toh(came->sequence), came);

    return (length == right_length || (length == FRAME_MIN && right_length < FRAME_MIN)) &&
           memcmp(came, &right, right_length) == 0;
}

unsigned ping_count_answers(struct e1000e *nic, const struct neighbours *link, uint16_t first,
                            unsigned count)
{
    bool came[PINGS_MAX] = {false};
    unsigned good = 0;

    for (unsigned i = 0; i < STRANGERS && good < count; i++) {
        struct echo echo;
        size_t length = e1000e_receive(nic, (uint8_t *)&echo, PATIENCE);
        if (length == 0)
            break;
        if (!is_echo(&echo, length))
            continue;
        unsigned number = (uint16_t)(be16toh(echo.sequence) - first);
        if (number >= count || number >= PINGS_MAX)
            continue; /* of before a reset */
        good += !came[number] && is_right(link, &echo, length);
        came[number] = true;
    }
    return good;
}
