/* SPDX-License-Identifier: BSD-2-Clause */
#include "card.h"

#include <string.h>

/* Where things are in the BAR. */
#define FME        0x00000
#define FME_ERROR  0x01000
#define PORT       0x10000
#define PORT_ERROR 0x11000
#define PORT_USER  0x12000
#define AFU        0x50000
#define AFU_BYTES  0x40000

#define DFH(type, version, last, next, id)                                                         \
    ((uint64_t)(type) << 60 | (uint64_t)(version) << 52 | (uint64_t)(last) << 40 |                 \
     (uint64_t)(next) << 16 | (id))

enum dfh_type {
    TYPE_AFU = 1,
    TYPE_PRIVATE = 3,
    TYPE_FIU = 4,
};

/* Port control: soft reset and its acknowledge. */
#define PORT_CTRL  (PORT + 0x38)
#define SFTRST     0x01u
#define SFTRST_ACK 0x10u

/* Registers of the loopback, offsets from the AFU. Addresses in SRC and DST count cache lines. */
#define NLB_DSM    (AFU + 0x110)
#define NLB_SRC    (AFU + 0x120)
#define NLB_DST    (AFU + 0x128)
#define NLB_LINES  (AFU + 0x130)
#define NLB_CTL    (AFU + 0x138)
#define NLB_STATUS (AFU + 0x168)
/* Ours: a mode, taken when it reads 0; bits of INJECT raise interrupts. */
#define TEST_MODE   (AFU + 0x1000)
#define TEST_INJECT (AFU + 0x1008)
#define TEST_FAULT  (AFU + 0x1010) /* the IOVA of the refused request that STATUS tells of */

#define NLB_CTL_RUN   1u
#define NLB_CTL_START 3u
#define LINE          64u
#define LINES_MAX     0x10000u
#define DSM_DONE      0x40u
#define STATUS_WRITE  0x10000u /* above the reason, enum walk_fault */
#define INJECT_PORT   1u
#define INJECT_FME    2u
#define INJECT_USER_0 4u
#define INJECT_USER_1 8u

static const char *const mode_names[CARD_MODES] = {
    [CARD_GOOD] = "good",
    [CARD_NO_ACK] = "no-ack",
    [CARD_ACK_STUCK] = "ack-stuck",
    [CARD_ENDLESS_LIST] = "endless-list",
    [CARD_WRONG_GUID] = "wrong-guid",
    [CARD_GARBAGE] = "garbage",
    [CARD_CHANGING] = "changing",
    [CARD_HANG] = "hang",
};

const char *card_mode_name(unsigned mode)
{
    return mode < CARD_MODES ? mode_names[mode] : NULL;
}

static volatile uint64_t *reg(struct card *card, uint32_t at)
{
    return (volatile uint64_t *)(card->bar + at);
}

static uint64_t get(struct card *card, uint32_t at)
{
    return __atomic_load_n(reg(card, at), __ATOMIC_ACQUIRE);
}

static void put(struct card *card, uint32_t at, uint64_t value)
{
    __atomic_store_n(reg(card, at), value, __ATOMIC_RELEASE);
}

static uint64_t noise(struct card *card)
{
    card->noise ^= card->noise << 13;
    card->noise ^= card->noise >> 7;
    card->noise ^= card->noise << 17;
    return card->noise;
}

/* A header that is another one at each look and never a right one: of a version that none has. */
static uint64_t changing_header(struct card *card)
{
    uint64_t any = noise(card) & ~((uint64_t)0xfff << 52);

    return any | (uint64_t)TYPE_PRIVATE << 60 | (uint64_t)0x80 << 52;
}

/* What the registers hold after power-on. */
static const struct {
    uint32_t at;
    uint64_t value;
} power_on_values[] = {
    {FME + 0x00, DFH(TYPE_FIU, 0, 0, 0x1000, 0)},
    {FME + 0x08, 0x82fe38f0f9e17764},
    {FME + 0x10, 0xbfaf2ae94a5246e3},
    {FME + 0x30, (uint64_t)1 << 17 | 1u << 16 | 1u << 12 | 2},
    {FME + 0x38, (uint64_t)1 << 60 | (uint64_t)2 << 32 | PORT},
    {FME + 0x60, 0x0123000200000b01},
    {FME + 0x68, 0x0000000020261121},
    {FME_ERROR + 0x00, DFH(TYPE_PRIVATE, 0, 1, 0, 4)},
    {FME_ERROR + 0x70, (uint64_t)CARD_VECTOR_FME_ERROR << 1 | 1},
    {PORT + 0x00, DFH(TYPE_FIU, 0, 0, 0x1000, 1)},
    {PORT + 0x08, 0x9642b06c6b355b87},
    {PORT + 0x10, 0x3ab49893138d42eb},
    {PORT + 0x18, AFU - PORT},
    {PORT + 0x30, (uint64_t)(AFU_BYTES / 1024) << 8},
    {PORT + 0x38, SFTRST | SFTRST_ACK},
    {PORT_ERROR + 0x00, DFH(TYPE_PRIVATE, 0, 0, 0x1000, 0x10)},
    {PORT_ERROR + 0x38, (uint64_t)CARD_VECTOR_PORT_ERROR << 1 | 1},
    {PORT_USER + 0x00, DFH(TYPE_PRIVATE, 0, 1, 0, 0x12)},
    {PORT_USER + 0x08, (uint64_t)CARD_VECTOR_USER << 12 | 2},
    {AFU + 0x00, DFH(TYPE_AFU, 0, 1, 0, 0)},
    {AFU + 0x08, 0xf89e433683f9040b},
    {AFU + 0x10, 0xd8424dc4a4a3c413},
};

static void write_registers(struct card *card)
{
    for (uint32_t at = 0; at < CARD_BAR_SIZE; at += 8)
        put(card, at, 0);
    for (size_t i = 0; i < sizeof(power_on_values) / sizeof(power_on_values[0]); i++)
        put(card, power_on_values[i].at, power_on_values[i].value);
}

static void misbehave_at_power_on(struct card *card)
{
    switch (card->mode) {
    case CARD_ENDLESS_LIST:
        for (uint32_t at = FME_ERROR; at < CARD_BAR_SIZE; at += 8)
            put(card, at, DFH(TYPE_PRIVATE, 0, 0, 8, 1));
        break;
    case CARD_WRONG_GUID:
        put(card, FME + 0x08, noise(card));
        put(card, AFU + 0x08, noise(card));
        break;
    case CARD_CHANGING: /* from the first look on, which may come before the first turn */
        put(card, FME_ERROR, changing_header(card));
        break;
    case CARD_GARBAGE:
        for (uint32_t at = 0; at < CARD_BAR_SIZE; at += 8)
            put(card, at, noise(card));
        break;
    default:
        break;
    }
}

void card_power_on(struct card *card, volatile uint8_t *bar, enum card_mode mode)
{
    card->bar = bar;
    card->mode = mode;
    card->copying = false;
    card->noise = 0x9e3779b97f4a7c15;
    write_registers(card);
    misbehave_at_power_on(card);
}

/* A refused request ends the transfer, with word of it in the AFU's and the port's registers. */
static void tell_refusal(struct card *card, bool write, const struct dma_refusal *why)
{
    put(card, TEST_FAULT, why->iova);
    put(card, NLB_STATUS, (write ? STATUS_WRITE : 0) | (uint64_t)why->fault);
    put(card, PORT_ERROR + 0x10, 1);
    card->copying = false;
    card->interrupt(card->context, CARD_VECTOR_PORT_ERROR);
}

/* True if all has been moved; else the turn is over. */
static bool move(struct card *card, bool write, uint64_t iova, void *data, uint64_t length)
{
    struct dma_refusal why;
    enum dma_outcome outcome = dma_move(card->dma, write, iova, data, length, &why);

    if (outcome == DMA_REFUSED)
        tell_refusal(card, write, &why);
    return outcome == DMA_DONE;
}

static void copy_chunk(struct card *card, uint64_t left)
{
    uint64_t length = left < CARD_CHUNK ? left : CARD_CHUNK;
    uint64_t from = get(card, NLB_SRC) * LINE + card->offset;
    uint64_t to = get(card, NLB_DST) * LINE + card->offset;

    if (move(card, false, from, card->chunk, length) && move(card, true, to, card->chunk, length))
        card->offset += length;
}

static void finish(struct card *card)
{
    uint64_t done = 1;

    if (!move(card, true, get(card, NLB_DSM) + DSM_DONE, &done, sizeof(done)))
        return;
    card->copying = false;
    card->interrupt(card->context, CARD_VECTOR_USER);
}

/* The start bit goes when it has been seen: turns are too slow to see all that is written. */
static bool take_start(struct card *card)
{
    uint64_t start = NLB_CTL_START;

    if (get(card, NLB_CTL) != start)
        return false;
    put(card, NLB_STATUS, 0);
    put(card, TEST_FAULT, 0);
    return __atomic_compare_exchange_n(reg(card, NLB_CTL), &start, NLB_CTL_RUN, false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static void loopback_turn(struct card *card)
{
    uint64_t lines = get(card, NLB_LINES);
    uint64_t bytes = (lines < LINES_MAX ? lines : LINES_MAX) * LINE;

    if (!(get(card, NLB_CTL) & NLB_CTL_RUN))
        card->copying = false;
    if (!card->copying && take_start(card)) {
        card->copying = true;
        card->offset = 0;
    }
    if (!card->copying || card->mode == CARD_HANG)
        return;
    if (card->offset < bytes)
        copy_chunk(card, bytes - card->offset);
    else
        finish(card);
}

/* While the port is in reset the AFU is silent and its registers are clear. */
static bool reset_turn(struct card *card)
{
    uint64_t control = get(card, PORT_CTRL);
    bool asked = control & SFTRST;

    if (asked) {
        card->copying = false;
        put(card, TEST_FAULT, 0);
        for (uint32_t at = NLB_DSM; at <= NLB_STATUS; at += 8)
            put(card, at, 0);
    }
    if (asked && card->mode != CARD_NO_ACK && !(control & SFTRST_ACK))
        __atomic_fetch_or(reg(card, PORT_CTRL), SFTRST_ACK, __ATOMIC_ACQ_REL);
    if (!asked && card->mode != CARD_ACK_STUCK && (control & SFTRST_ACK))
        __atomic_fetch_and(reg(card, PORT_CTRL), ~(uint64_t)SFTRST_ACK, __ATOMIC_ACQ_REL);
    return asked;
}

static void test_turn(struct card *card)
{
    uint64_t mode = get(card, TEST_MODE);
    uint64_t inject = get(card, TEST_INJECT);

    if (mode) {
        card->mode = mode < CARD_MODES ? (enum card_mode)mode : CARD_GOOD;
        put(card, TEST_MODE, 0);
    }
    if (!inject)
        return;
    put(card, TEST_INJECT, 0);
    if (inject & INJECT_PORT)
        card->interrupt(card->context, CARD_VECTOR_PORT_ERROR);
    if (inject & INJECT_FME)
        card->interrupt(card->context, CARD_VECTOR_FME_ERROR);
    if (inject & INJECT_USER_0)
        card->interrupt(card->context, CARD_VECTOR_USER);
    if (inject & INJECT_USER_1)
        card->interrupt(card->context, CARD_VECTOR_USER + 1);
}

void card_turn(struct card *card)
{
    if (card->mode == CARD_GARBAGE)
        return;
    if (card->mode == CARD_CHANGING)
        put(card, FME_ERROR, changing_header(card));
    test_turn(card);
    if (!reset_turn(card))
        loopback_turn(card);
}
