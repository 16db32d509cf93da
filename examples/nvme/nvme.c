/* SPDX-License-Identifier: BSD-2-Clause */
#include "nvme/nvme.h"

#include <err.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define REGISTERS_SIZE    0x2000u /* the registers and the first doorbells */
#define ENTRIES           16u     /* of every queue; a full one has one less under way */
#define PATIENCE          10000   /* milliseconds for a command */
#define TRANSFER_EXPONENT 5u      /* NVME_SLOT_SIZE is PAGE << this */

_Static_assert(NVME_SLOT_SIZE == PAGE << TRANSFER_EXPONENT, "the sizes of a transfer");

/* Registers (section 3.1). */
enum {
    CAPABILITIES = 0x00, /* 8 bytes */
    CONFIGURATION = 0x14,
    STATUS = 0x1c,
    ADMIN_QUEUE_SIZES = 0x24,
    ADMIN_COMMANDS = 0x28,    /* 8 bytes */
    ADMIN_COMPLETIONS = 0x30, /* 8 bytes */
    DOORBELLS = 0x1000,
};
enum {
    CONFIGURATION_ENABLE = 1,
    CONFIGURATION_SHUTDOWN = 1u << 14,
    CONFIGURATION_ENTRY_SIZES = 6u << 16 | 4u << 20, /* 64 and 16 bytes, as powers of two */
    STATUS_READY = 1,
    STATUS_FATAL = 2,
    STATUS_SHUTDOWN = 3u << 2,
    STATUS_SHUTDOWN_DONE = 2u << 2,
};

/* Admin commands (section 5). */
enum {
    CREATE_COMMAND_QUEUE = 1,
    CREATE_COMPLETION_QUEUE = 5,
    IDENTIFY_NAMESPACE = 0,
    IDENTIFY_CONTROLLER = 1,
    QUEUE_IS_ONE_PIECE = 1,
    QUEUE_INTERRUPTS = 2,
};

/* What Identify tells (figures 247 and 245). */
enum {
    CONTROLLER_SERIAL = 4,
    CONTROLLER_SERIAL_SIZE = 20,
    CONTROLLER_MODEL = 24,
    CONTROLLER_MODEL_SIZE = 40,
    CONTROLLER_TRANSFER_MAX = 77, /* a power of two of pages; 0: no limit */
    NAMESPACE_BLOCKS = 0,         /* 8 bytes */
    NAMESPACE_FORMAT = 26,        /* which of the formats is in use: bits 3:0 */
    NAMESPACE_FORMATS = 128,      /* 4 bytes each; byte 2: the block's size, a power of two */
};

struct command {
    uint8_t operation, flags;
    uint16_t id;
    uint32_t namespace_id;
    uint64_t unused, metadata;
    uint64_t data[2]; /* physical region pages: where the data is, see set_data() */
    uint32_t words[6];
};
_Static_assert(sizeof(struct command) == 64, "figure 104");

struct completion {
    uint32_t result, unused;
    uint16_t head, queue;
    uint16_t id, status; /* bit 0: the phase */
};
_Static_assert(sizeof(struct completion) == 16, "figure 120");

static uint32_t read_register(struct nvme *nvme, unsigned at)
{
    return *(volatile uint32_t *)(nvme->registers + at);
}

static void write_register(struct nvme *nvme, unsigned at, uint32_t value)
{
    *(volatile uint32_t *)(nvme->registers + at) = value;
}

/* Two accesses: not every controller takes one of 8 bytes. */
static uint64_t read_register_64(struct nvme *nvme, unsigned at)
{
    return read_register(nvme, at) | (uint64_t)read_register(nvme, at + 4) << 32;
}

static void write_register_64(struct nvme *nvme, unsigned at, uint64_t value)
{
    write_register(nvme, at, (uint32_t)value);
    write_register(nvme, at + 4, (uint32_t)(value >> 32));
}

/* Waits until some bits of the status are as wanted; as long as the controller may take for it. */
static void wait_for_status(struct nvme *nvme, uint32_t bits, uint32_t wanted, const char *what)
{
    unsigned half_seconds = read_register_64(nvme, CAPABILITIES) >> 24 & 0xff;

    for (unsigned i = 0; i <= half_seconds * 500; i++) {
        uint32_t status = read_register(nvme, STATUS);
        if (wanted && status & STATUS_FATAL)
            errx(1, "%s: fatal error of the controller", nvme->device.name);
        if ((status & bits) == wanted)
            return;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    errx(1, "%s: the controller is not %s in time", nvme->device.name, what);
}

/* A doorbell tells the controller how far we are in a queue. */
static void ring(struct nvme *nvme, struct nvme_queue *queue, bool completions, unsigned value)
{
    unsigned stride = 4u << (read_register_64(nvme, CAPABILITIES) >> 32 & 0xf);
    unsigned at = DOORBELLS + (2 * queue->id + completions) * stride;

    if (at > REGISTERS_SIZE - 4)
        errx(1, "%s: doorbells %u bytes apart are too far out", nvme->device.name, stride);
    write_register(nvme, at, value);
}

static void submit(struct nvme *nvme, struct nvme_queue *queue, const struct command *command)
{
    memcpy(queue->commands.at + queue->tail * sizeof(*command), command, sizeof(*command));
    queue->tail = (queue->tail + 1) % ENTRIES;
    atomic_thread_fence(memory_order_seq_cst); /* the command is there before its bell rings */
    ring(nvme, queue, false, queue->tail);
}

/* Takes the next completion; false if there is none yet. */
static bool take(struct nvme *nvme, struct nvme_queue *queue, struct completion *taken)
{
    volatile struct completion *next =
        (volatile struct completion *)queue->completions.at + queue->head;

    if ((next->status & 1u) != queue->phase)
        return false;
    atomic_thread_fence(memory_order_seq_cst); /* nothing of it is read before its phase */
    *taken = *next;
    queue->head = (queue->head + 1) % ENTRIES;
    if (queue->head == 0)
        queue->phase ^= 1;
    ring(nvme, queue, true, queue->head);
    return true;
}

/* Sleeps until a queue's next command has ended, well; returns the command's id. */
static unsigned complete(struct nvme *nvme, struct nvme_queue *queue)
{
    struct completion completion;

    while (!take(nvme, queue, &completion)) {
        if (!events_wait(nvme->events, nvme->interrupts, nvme->vectors, PATIENCE))
            errx(1, "%s: no completion in %u s", nvme->device.name, PATIENCE / 1000);
    }
    unsigned type = completion.status >> 9 & 7, code = completion.status >> 1 & 0xff;
    if (type || code)
        errx(1, "%s: command %u of queue %u failed: status type %u, code 0x%02x", nvme->device.name,
             completion.id, queue->id, type, code);
    return completion.id;
}

static void run_admin(struct nvme *nvme, struct command command)
{
    submit(nvme, &nvme->admin, &command);
    complete(nvme, &nvme->admin);
}

void nvme_admin(struct nvme *nvme, unsigned operation, uint32_t namespace_id, uint32_t word10,
                uint32_t word11)
{
    run_admin(nvme, (struct command){.operation = (uint8_t)operation,
                                     .namespace_id = namespace_id,
                                     .data = {nvme->identity.iova},
                                     .words = {word10, word11}});
}

/* Text is padded by blanks. */
static void copy_text(char *to, const uint8_t *from, size_t size)
{
    while (size && from[size - 1] == ' ')
        size--;
    memcpy(to, from, size);
    to[size] = '\0';
}

static void identify_all(struct nvme *nvme)
{
    const uint8_t *told = nvme->identity.at;

    nvme_admin(nvme, NVME_IDENTIFY, 0, IDENTIFY_CONTROLLER, 0);
    copy_text(nvme->serial, told + CONTROLLER_SERIAL, CONTROLLER_SERIAL_SIZE);
    copy_text(nvme->model, told + CONTROLLER_MODEL, CONTROLLER_MODEL_SIZE);
    unsigned exponent = told[CONTROLLER_TRANSFER_MAX];
    nvme->transfer_max = NVME_SLOT_SIZE;
    if (exponent && exponent < TRANSFER_EXPONENT)
        nvme->transfer_max = PAGE << exponent;

    nvme_admin(nvme, NVME_IDENTIFY, NVME_NAMESPACE, IDENTIFY_NAMESPACE, 0);
    memcpy(&nvme->blocks, told + NAMESPACE_BLOCKS, sizeof(nvme->blocks));
    unsigned size = told[NAMESPACE_FORMATS + 4 * (told[NAMESPACE_FORMAT] & 0xf) + 2];
    if (size < 9 || size > 12)
        errx(1, "%s: blocks of 2^%u bytes are not for this driver", nvme->device.name, size);
    nvme->block_size = 1u << size;
}

static void clear(struct nvme_queue *queue)
{
    memset(queue->commands.at, 0, queue->commands.size);
    memset(queue->completions.at, 0, queue->completions.size);
    queue->tail = queue->head = 0;
    queue->phase = 1;
}

/* The pair of IO queues; its completions raise the last interrupt. */
static void create_io_queues(struct nvme *nvme)
{
    uint32_t sizes = (ENTRIES - 1) << 16 | nvme->io.id;

    run_admin(nvme, (struct command){.operation = CREATE_COMPLETION_QUEUE,
                                     .data = {nvme->io.completions.iova},
                                     .words = {sizes, (nvme->vectors - 1) << 16 | QUEUE_INTERRUPTS |
                                                          QUEUE_IS_ONE_PIECE}});
    run_admin(nvme, (struct command){.operation = CREATE_COMMAND_QUEUE,
                                     .data = {nvme->io.commands.iova},
                                     .words = {sizes, nvme->io.id << 16 | QUEUE_IS_ONE_PIECE}});
}

void nvme_start(struct nvme *nvme)
{
    write_register(nvme, CONFIGURATION, 0);
    wait_for_status(nvme, STATUS_READY, 0, "off");
    events_forget(nvme->events, nvme->vectors);
    clear(&nvme->admin);
    clear(&nvme->io);
    write_register(nvme, ADMIN_QUEUE_SIZES, (ENTRIES - 1) << 16 | (ENTRIES - 1));
    write_register_64(nvme, ADMIN_COMMANDS, nvme->admin.commands.iova);
    write_register_64(nvme, ADMIN_COMPLETIONS, nvme->admin.completions.iova);
    write_register(nvme, CONFIGURATION, CONFIGURATION_ENTRY_SIZES | CONFIGURATION_ENABLE);
    wait_for_status(nvme, STATUS_READY, STATUS_READY, "ready");
    identify_all(nvme);
    create_io_queues(nvme);
}

void nvme_stop(struct nvme *nvme)
{
    write_register(nvme, CONFIGURATION,
                   CONFIGURATION_ENTRY_SIZES | CONFIGURATION_ENABLE | CONFIGURATION_SHUTDOWN);
    wait_for_status(nvme, STATUS_SHUTDOWN, STATUS_SHUTDOWN_DONE, "shut down");
    write_register(nvme, CONFIGURATION, 0);
    wait_for_status(nvme, STATUS_READY, 0, "off");
}

void nvme_open(struct nvme *nvme, struct dma_space *space, const char *name)
{
    *nvme = (struct nvme){.io.id = 1};
    device_open(&nvme->device, space, name);
    nvme->registers = device_map_bar(&nvme->device, 0, REGISTERS_SIZE);
    nvme->admin.commands = dma_make(space, ENTRIES * sizeof(struct command));
    nvme->admin.completions = dma_make(space, ENTRIES * sizeof(struct completion));
    nvme->io.commands = dma_make(space, ENTRIES * sizeof(struct command));
    nvme->io.completions = dma_make(space, ENTRIES * sizeof(struct completion));
    nvme->identity = dma_make(space, PAGE);
    nvme->data = dma_make(space, NVME_SLOTS * NVME_SLOT_SIZE);
    nvme->lists = dma_make(space, NVME_SLOTS * PAGE);
    nvme->vectors = device_count_interrupts(&nvme->device, DEVICE_MSIX) > 1 ? 2 : 1;
    device_enable_interrupts(&nvme->device, DEVICE_MSIX, nvme->events, nvme->vectors);
    nvme_start(nvme);
}

uint8_t *nvme_slot(struct nvme *nvme, unsigned slot)
{
    return nvme->data.at + slot * NVME_SLOT_SIZE;
}

/*
 * Where the data of a command is (section 4.3): the first page, then the second one, or, if there
 * are more, a list of all the others.
 */
static void set_data(struct nvme *nvme, struct command *command, unsigned slot, unsigned bytes)
{
    uint64_t iova = nvme->data.iova + (uint64_t)slot * NVME_SLOT_SIZE;
    uint64_t *list = (uint64_t *)(nvme->lists.at + slot * PAGE);
    unsigned pages = (bytes + PAGE - 1) / PAGE;

    command->data[0] = iova;
    if (pages == 2)
        command->data[1] = iova + PAGE;
    if (pages <= 2)
        return;
    for (unsigned i = 1; i < pages; i++)
        list[i - 1] = iova + (uint64_t)i * PAGE;
    command->data[1] = nvme->lists.iova + slot * PAGE;
}

void nvme_begin(struct nvme *nvme, unsigned slot, enum nvme_operation operation, uint64_t block,
                unsigned count)
{
    struct command command = {
        .operation = operation,
        .id = (uint16_t)slot,
        .namespace_id = NVME_NAMESPACE,
        .words = {(uint32_t)block, (uint32_t)(block >> 32), count - 1},
    };

    set_data(nvme, &command, slot, count * nvme->block_size);
    submit(nvme, &nvme->io, &command);
}

unsigned nvme_end(struct nvme *nvme)
{
    return complete(nvme, &nvme->io);
}
