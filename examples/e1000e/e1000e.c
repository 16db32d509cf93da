/* SPDX-License-Identifier: BSD-2-Clause */
#include "e1000e/e1000e.h"

#include <err.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#define REGISTERS_SIZE 0x20000u
#define ENTRIES        16u   /* of each ring; a full one has one less under way */
#define BUFFER         2048u /* bytes for each frame */
#define LINK_PATIENCE  10000 /* milliseconds */
#define SEND_PATIENCE  10000 /* milliseconds */

/* Registers (section 10.1). */
enum {
    CONTROL = 0x0000,
    STATUS = 0x0008,
    CONTROL_MORE = 0x0018,
    CAUSES = 0x00c0,
    CAUSES_ENABLE = 0x00d0,
    CAUSES_DISABLE = 0x00d8,
    CAUSES_CLEARED_BY_MESSAGE = 0x00dc,
    VECTORS = 0x00e4,
    RECEIVE_CONTROL = 0x0100,
    SEND_CONTROL = 0x0400,
    RECEIVE_RING = 0x2800, /* then as below */
    SEND_RING = 0x3800,
    RING_BASE_HIGH = 0x04,
    RING_BYTES = 0x08,
    RING_HEAD = 0x10,
    RING_TAIL = 0x18,
    RING_CONTROL = 0x28,
    ADDRESS_LOW = 0x5400,
    ADDRESS_HIGH = 0x5404,
};
enum {
    CONTROL_LINK_UP = 1u << 6,
    CONTROL_RESET = 1u << 26,
    STATUS_LINK_UP = 1u << 1,
    RECEIVE_ENABLE = 1u << 1,
    RECEIVE_BROADCAST = 1u << 15,
    RECEIVE_WITHOUT_CHECKSUM = 1u << 26,
    SEND_ENABLE = 1u << 1,
    SEND_PADDED = 1u << 3,
    SEND_COLLISIONS = 0x0fu << 4 | 0x3fu << 12, /* as section 10.2.6.1 wants them */
    SEND_RING_RESERVED = 1u << 22,              /* has to be one (section 10.2.6.11) */
};

/* Causes of interrupts (section 10.2.4), and which message of MSI-X tells of them (10.2.4.9). */
enum {
    CAUSE_SENT = 1u << 0,
    CAUSE_RECEIVED = 1u << 7,
    CAUSE_RECEIVE_QUEUE = 1u << 20, /* the same two, where there are several messages */
    CAUSE_SEND_QUEUE = 1u << 22,
    VECTORS_RECEIVE_0 = 8u,
    VECTORS_SEND_1 = (8u | 1u) << 8,
    VECTORS_EACH_FRAME_SENT = 1u << 31,
};

/* Descriptors in their oldest form (sections 3.2.4, 3.3.3). */
struct received {
    uint64_t address;
    uint16_t length, checksum;
    uint8_t status, errors;
    uint16_t vlan;
};
struct sent {
    uint64_t address;
    uint16_t length;
    uint8_t checksum_at, command, status, checksum_from;
    uint16_t vlan;
};
_Static_assert(sizeof(struct received) == 16 && sizeof(struct sent) == 16, "a descriptor");
enum {
    DONE = 1,
    WHOLE_FRAME = 2,
    COMMAND_END = 1,
    COMMAND_ADD_CHECKSUM = 2,
    COMMAND_REPORT = 8,
};

static const struct {
    const char *word;
    enum device_interrupt kind;
    unsigned count;
    uint32_t causes;
} modes[] = {
    [E1000E_INTX] = {"intx", DEVICE_INTX, 1, CAUSE_RECEIVED | CAUSE_SENT},
    [E1000E_MSI] = {"msi", DEVICE_MSI, 1, CAUSE_RECEIVED | CAUSE_SENT},
    [E1000E_MSIX] = {"msix", DEVICE_MSIX, 2, CAUSE_RECEIVE_QUEUE | CAUSE_SEND_QUEUE},
};

static uint32_t read_register(struct e1000e *nic, unsigned at)
{
    return *(volatile uint32_t *)(nic->registers + at);
}

static void write_register(struct e1000e *nic, unsigned at, uint32_t value)
{
    *(volatile uint32_t *)(nic->registers + at) = value;
}

static void sleep_ms(unsigned milliseconds)
{
    nanosleep(&(struct timespec){.tv_nsec = milliseconds * 1000000L}, NULL);
}

bool e1000e_mode(const char *word, enum e1000e_interrupts *mode)
{
    for (unsigned i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        if (strcmp(word, modes[i].word) == 0) {
            *mode = i;
            return true;
        }
    }
    return false;
}

static void enable_causes(struct e1000e *nic)
{
    write_register(nic, CAUSES_ENABLE, modes[nic->mode].causes);
}

/* A descriptor that the device writes: its status is read first, and each time anew. */
static bool is_done(const uint8_t *status)
{
    bool done = *(const volatile uint8_t *)status & DONE;

    atomic_thread_fence(memory_order_seq_cst);
    return done;
}

/* Sees how far the device has come with the frames to send. */
static void look_at_sent(struct e1000e *nic)
{
    const struct sent *ring = (const struct sent *)nic->send_ring.at;

    while (nic->sent != nic->send_next && is_done(&ring[nic->sent].status))
        nic->sent = (nic->sent + 1) % ENTRIES;
}

/*
 * Sleeps until an interrupt comes, lets the next one through, and only then looks at the rings:
 * what happens later raises another one. False: none came in time.
 */
static bool wait_for_interrupt(struct e1000e *nic, int milliseconds)
{
    if (!events_wait(nic->events, nic->interrupts, modes[nic->mode].count, milliseconds))
        return false;
    if (nic->mode != E1000E_MSIX) /* a message of MSI-X has cleared its cause */
        write_register(nic, CAUSES, read_register(nic, CAUSES));
    if (nic->mode == E1000E_INTX)
        device_unmask_intx(&nic->device);
    enable_causes(nic);
    look_at_sent(nic);
    nic->may_have_received = true;
    return true;
}

/* Section 4.6.1: all off, the device's own reset, all off once more. */
static void reset(struct e1000e *nic)
{
    write_register(nic, CAUSES_DISABLE, 0xffffffff);
    write_register(nic, RECEIVE_CONTROL, 0);
    write_register(nic, SEND_CONTROL, SEND_PADDED);
    sleep_ms(10);
    write_register(nic, CONTROL, read_register(nic, CONTROL) | CONTROL_RESET);
    sleep_ms(20); /* it also reads its MAC address from its own memory */
    write_register(nic, CAUSES_DISABLE, 0xffffffff);
    read_register(nic, CAUSES);
}

static void read_mac(struct e1000e *nic)
{
    uint32_t low = read_register(nic, ADDRESS_LOW), high = read_register(nic, ADDRESS_HIGH);

    memcpy(nic->mac, &low, 4);
    memcpy(nic->mac + 4, &high, 2);
}

static void set_ring(struct e1000e *nic, unsigned at, const struct dma_memory *ring)
{
    write_register(nic, at, (uint32_t)ring->iova);
    write_register(nic, at + RING_BASE_HIGH, (uint32_t)(ring->iova >> 32));
    write_register(nic, at + RING_BYTES, ENTRIES * 16);
    write_register(nic, at + RING_HEAD, 0);
    write_register(nic, at + RING_TAIL, 0);
}

static void set_rings(struct e1000e *nic)
{
    struct received *ring = (struct received *)nic->receive_ring.at;

    memset(nic->receive_ring.at, 0, nic->receive_ring.size);
    memset(nic->send_ring.at, 0, nic->send_ring.size);
    for (unsigned i = 0; i < ENTRIES; i++)
        ring[i].address = nic->receive_frames.iova + (uint64_t)i * BUFFER;
    nic->receive_next = nic->send_next = nic->sent = 0;
    nic->may_have_received = false;
    set_ring(nic, RECEIVE_RING, &nic->receive_ring);
    set_ring(nic, SEND_RING, &nic->send_ring);
    write_register(nic, SEND_RING + RING_CONTROL,
                   read_register(nic, SEND_RING + RING_CONTROL) | SEND_RING_RESERVED);
}

static void set_messages(struct e1000e *nic)
{
    if (nic->mode != E1000E_MSIX)
        return;
    write_register(nic, VECTORS, VECTORS_RECEIVE_0 | VECTORS_SEND_1 | VECTORS_EACH_FRAME_SENT);
    write_register(nic, CAUSES_CLEARED_BY_MESSAGE, modes[nic->mode].causes);
}

static void wait_for_link(struct e1000e *nic)
{
    write_register(nic, CONTROL, read_register(nic, CONTROL) | CONTROL_LINK_UP);
    for (unsigned i = 0; i < LINK_PATIENCE / 10; i++) {
        if (read_register(nic, STATUS) & STATUS_LINK_UP)
            return;
        sleep_ms(10);
    }
    errx(1, "%s: no link in %u s", nic->device.name, LINK_PATIENCE / 1000);
}

/* An interrupt of before the reset is forgotten; if it was INTx, it holds back the next one. */
static void forget_interrupts(struct e1000e *nic)
{
    events_forget(nic->events, modes[nic->mode].count);
    if (nic->mode == E1000E_INTX)
        device_unmask_intx(&nic->device);
}

void e1000e_start(struct e1000e *nic)
{
    reset(nic);
    forget_interrupts(nic);
    read_mac(nic);
    set_rings(nic);
    set_messages(nic);
    wait_for_link(nic);
    enable_causes(nic);
    write_register(nic, RECEIVE_CONTROL,
                   RECEIVE_ENABLE | RECEIVE_BROADCAST | RECEIVE_WITHOUT_CHECKSUM);
    write_register(nic, RECEIVE_RING + RING_TAIL, ENTRIES - 1);
    write_register(nic, SEND_CONTROL, SEND_ENABLE | SEND_PADDED | SEND_COLLISIONS);
}

void e1000e_stop(struct e1000e *nic)
{
    reset(nic);
}

void e1000e_open(struct e1000e *nic, struct dma_space *space, const char *name,
                 enum e1000e_interrupts mode)
{
    *nic = (struct e1000e){.mode = mode};
    device_open(&nic->device, space, name);
    nic->registers = device_map_bar(&nic->device, 0, REGISTERS_SIZE);
    nic->receive_ring = dma_make(space, ENTRIES * sizeof(struct received));
    nic->send_ring = dma_make(space, ENTRIES * sizeof(struct sent));
    nic->receive_frames = dma_make(space, ENTRIES * BUFFER);
    nic->send_frames = dma_make(space, ENTRIES * BUFFER);
    device_enable_interrupts(&nic->device, modes[mode].kind, nic->events, modes[mode].count);
    e1000e_start(nic);
}

static void wait_until_sent(struct e1000e *nic)
{
    if (!wait_for_interrupt(nic, SEND_PATIENCE))
        errx(1, "%s: no frame was sent in %u s", nic->device.name, SEND_PATIENCE / 1000);
}

void e1000e_send(struct e1000e *nic, const uint8_t *frame, size_t length)
{
    struct sent *ring = (struct sent *)nic->send_ring.at;
    unsigned now = nic->send_next, next = (now + 1) % ENTRIES;

    if (length > FRAME_SIZE)
        errx(1, "%zu bytes are too long a frame", length);
    while (next == nic->sent)
        wait_until_sent(nic);
    memcpy(nic->send_frames.at + now * BUFFER, frame, length);
    ring[now] = (struct sent){.address = nic->send_frames.iova + (uint64_t)now * BUFFER,
                              .length = (uint16_t)length,
                              .command = COMMAND_END | COMMAND_ADD_CHECKSUM | COMMAND_REPORT};
    nic->send_next = next;
    atomic_thread_fence(memory_order_seq_cst); /* all is there before the device looks */
    write_register(nic, SEND_RING + RING_TAIL, next);
}

void e1000e_flush(struct e1000e *nic)
{
    while (nic->sent != nic->send_next)
        wait_until_sent(nic);
}

/* Takes a frame out of its descriptor, and gives the descriptor back. 0: it was damaged. */
static size_t take(struct e1000e *nic, struct received *descriptor, uint8_t frame[FRAME_SIZE])
{
    unsigned now = nic->receive_next;
    size_t length = descriptor->length;

    if (descriptor->errors || !(descriptor->status & WHOLE_FRAME) || length > FRAME_SIZE)
        length = 0;
    memcpy(frame, nic->receive_frames.at + now * BUFFER, length);
    *descriptor = (struct received){.address = nic->receive_frames.iova + (uint64_t)now * BUFFER};
    nic->receive_next = (now + 1) % ENTRIES;
    atomic_thread_fence(memory_order_seq_cst); /* it is clear before the device may use it */
    write_register(nic, RECEIVE_RING + RING_TAIL, now);
    return length;
}

size_t e1000e_receive(struct e1000e *nic, uint8_t frame[FRAME_SIZE], int milliseconds)
{
    struct received *ring = (struct received *)nic->receive_ring.at;
    size_t length = 0;

    while (length == 0) {
        if (!nic->may_have_received && !wait_for_interrupt(nic, milliseconds))
            return 0;
        struct received *next = &ring[nic->receive_next];
        nic->may_have_received = is_done(&next->status);
        if (nic->may_have_received)
            length = take(nic, next, frame);
    }
    return length;
}
