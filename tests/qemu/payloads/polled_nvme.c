/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An NVMe driver in the manner of storage stacks in user space: buffers are files of huge pages,
 * found through /proc/mounts; the device uses the program's own addresses; each IO queue has a
 * thread that polls it, and no interrupt. Every thread writes blocks of its own and reads them
 * back.
 *
 * usage: polled_nvme [group|iommufd] DEVICE
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/vfs.h>

#include "vfio_open.h"

#define THREADS    4u
#define ENTRIES    32u /* of a queue */
#define DEPTH      8u  /* commands under way */
#define BLOCKS     8u  /* of 512 bytes, in one command */
#define COMMANDS   400u
#define BLOCK      512u
#define PAGE       4096u
#define HUGE       (2u << 20)
#define HUGE_MAGIC 0x958458f6
#define PATIENCE   200000000u /* polls in a row that bring nothing */

enum {
    REG_CAPABILITIES = 0,
    REG_CONFIGURATION = 0x14,
    REG_STATUS = 0x1c,
    REG_ADMIN_SIZES = 0x24,
    REG_ADMIN_COMMANDS = 0x28,
    REG_ADMIN_COMPLETIONS = 0x30,
    REG_DOORBELLS = 0x1000,
};

enum {
    CREATE_COMMANDS = 1,
    CREATE_COMPLETIONS = 5,
    SET_FEATURES = 9,
    QUEUE_COUNT = 7, /* the feature */
    WRITE = 1,
    READ = 2,
};

struct command {
    uint32_t word0, namespace_id, unused[4];
    uint64_t data[2];
    uint32_t words[6];
};

struct completion {
    uint32_t result, unused;
    uint16_t head, queue, id, status;
};

/* One file of huge pages: the commands, the completions, and a buffer for each slot. */
struct queue {
    unsigned id, tail, head, phase;
    uint8_t *memory;
    struct command *commands;
    volatile struct completion *completions;
    unsigned ended, damaged;
};

static volatile uint8_t *registers;
static unsigned stride;
static struct vfio_files files = {-1, -1, -1};
static int iommufd = -1;
static uint32_t ioas;

static uint32_t get(unsigned at)
{
    return *(volatile uint32_t *)(registers + at);
}

static void put(unsigned at, uint32_t value)
{
    *(volatile uint32_t *)(registers + at) = value;
}

static void put_address(unsigned at, const volatile void *address)
{
    put(at, (uint32_t)(uintptr_t)address);
    put(at + 4, (uint32_t)((uintptr_t)address >> 32));
}

/* ---- memory ---- */

/* Where hugetlbfs is mounted. */
static const char *huge_folder(void)
{
    static char path[200];
    char line[400], type[40];
    FILE *mounts = fopen("/proc/mounts", "r");
    struct statfs told;

    while (mounts && fgets(line, sizeof(line), mounts)) {
        if (sscanf(line, "%*s %199s %39s", path, type) == 2 && strcmp(type, "hugetlbfs") == 0) {
            fclose(mounts);
            if (statfs(path, &told) || (long)told.f_type != HUGE_MAGIC || told.f_bsize != HUGE)
                errx(1, "%s is no folder of huge pages of 2 MiB", path);
            return path;
        }
    }
    errx(1, "hugetlbfs is not mounted");
}

/* The device uses the address that the program does. */
static void map_for_device(void *at)
{
    struct vfio_iommu_type1_dma_map type1 = {
        .argsz = sizeof(type1),
        .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
        .vaddr = (uintptr_t)at,
        .iova = (uintptr_t)at,
        .size = HUGE,
    };
    struct iommu_ioas_map map = {
        .size = sizeof(map),
        .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
        .ioas_id = ioas,
        .user_va = (uintptr_t)at,
        .length = HUGE,
        .iova = (uintptr_t)at,
    };

    if (iommufd >= 0 ? ioctl(iommufd, IOMMU_IOAS_MAP, &map)
                     : ioctl(files.container, VFIO_IOMMU_MAP_DMA, &type1))
        err(1, "cannot map %p for the device", at);
}

static uint8_t *huge_file(unsigned number)
{
    char path[256];
    uint8_t *at;
    int fd;

    snprintf(path, sizeof(path), "%s/polled.%u", huge_folder(), number);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || ftruncate(fd, HUGE))
        err(1, "%s", path);
    at = mmap(NULL, HUGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (at == MAP_FAILED)
        err(1, "%s", path);
    close(fd);
    unlink(path);
    map_for_device(at);
    return at;
}

/* ---- the device ---- */

static void open_iommufd(const char *name)
{
    char path[100];
    const struct dirent *entry;
    DIR *folder;

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", name);
    folder = opendir(path);
    while (folder && (entry = readdir(folder)) && entry->d_name[0] == '.')
        ;
    if (!folder || !entry)
        errx(1, "%s has no file of its own", name);
    snprintf(path, sizeof(path), "/dev/vfio/devices/%.40s", entry->d_name);
    closedir(folder);
    files.device = open(path, O_RDWR);
    iommufd = open("/dev/iommu", O_RDWR);
    struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = iommufd};
    struct iommu_ioas_alloc alloc = {.size = sizeof(alloc)};
    if (ioctl(files.device, VFIO_DEVICE_BIND_IOMMUFD, &bind) ||
        ioctl(iommufd, IOMMU_IOAS_ALLOC, &alloc))
        err(1, "%s", path);
    ioas = alloc.out_ioas_id;
    struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof(attach), .pt_id = ioas};
    if (ioctl(files.device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach))
        err(1, "%s: attach", path);
}

static void wait_ready(uint32_t wanted)
{
    for (unsigned i = 0; (get(REG_STATUS) & 1) != wanted; i++) {
        if (i > PATIENCE)
            errx(1, "the controller does not become %s", wanted ? "ready" : "still");
        sched_yield();
    }
}

static void make_queue(struct queue *queue, unsigned id)
{
    *queue = (struct queue){.id = id, .phase = 1, .memory = huge_file(id)};
    queue->commands = (struct command *)queue->memory;
    queue->completions = (struct completion *)(queue->memory + PAGE);
}

static uint8_t *buffer_of(const struct queue *queue, unsigned slot)
{
    return queue->memory + 2 * PAGE + slot * PAGE;
}

static void submit(struct queue *queue, const struct command *command)
{
    queue->commands[queue->tail] = *command;
    queue->tail = (queue->tail + 1) % ENTRIES;
    atomic_thread_fence(memory_order_seq_cst);
    put(REG_DOORBELLS + 2 * queue->id * stride, queue->tail);
}

/* Polls until the next command has ended; returns its number. */
static unsigned poll_next(struct queue *queue)
{
    volatile struct completion *next = &queue->completions[queue->head];

    for (unsigned i = 0; (next->status & 1u) != queue->phase; i++) {
        if (i > PATIENCE)
            errx(1, "queue %u: no completion", queue->id);
        sched_yield(); /* there may be one CPU for all */
    }
    atomic_thread_fence(memory_order_seq_cst);
    if (next->status >> 1)
        errx(1, "queue %u: status %#x", queue->id, next->status >> 1);
    unsigned id = next->id;
    queue->head = (queue->head + 1) % ENTRIES;
    queue->phase ^= queue->head == 0;
    put(REG_DOORBELLS + (2 * queue->id + 1) * stride, queue->head);
    return id;
}

static void admin(struct queue *queue, uint32_t operation, const volatile void *data,
                  uint32_t word10, uint32_t word11)
{
    struct command command = {
        .word0 = operation, .data = {(uintptr_t)data}, .words = {word10, word11}};

    submit(queue, &command);
    poll_next(queue);
}

static void start(struct queue *admin_queue)
{
    put(REG_CONFIGURATION, 0);
    wait_ready(0);
    stride = 4u << (get(REG_CAPABILITIES + 4) & 0xf);
    put(REG_ADMIN_SIZES, (ENTRIES - 1) << 16 | (ENTRIES - 1));
    put_address(REG_ADMIN_COMMANDS, admin_queue->commands);
    put_address(REG_ADMIN_COMPLETIONS, admin_queue->completions);
    put(REG_CONFIGURATION, 6u << 16 | 4u << 20 | 1);
    wait_ready(1);
    admin(admin_queue, SET_FEATURES, NULL, QUEUE_COUNT, (THREADS - 1) << 16 | (THREADS - 1));
}

static void start_queue(struct queue *admin_queue, const struct queue *queue)
{
    uint32_t sizes = (ENTRIES - 1) << 16 | queue->id;

    admin(admin_queue, CREATE_COMPLETIONS, queue->completions, sizes, 1);
    admin(admin_queue, CREATE_COMMANDS, queue->commands, sizes, queue->id << 16 | 1);
}

/* ---- the work ---- */

static uint32_t word_of(const struct queue *queue, unsigned number, unsigned at)
{
    return (queue->id << 28 | number << 12 | at) * 2654435761u;
}

static void fill(const struct queue *queue, unsigned number, uint8_t *buffer, bool look,
                 bool *damaged)
{
    uint32_t *words = (uint32_t *)buffer;

    for (unsigned i = 0; i < BLOCKS * BLOCK / 4; i++) {
        *damaged |= look && words[i] != word_of(queue, number, i);
        words[i] = look ? 0 : word_of(queue, number, i);
    }
}

static void begin(struct queue *queue, uint32_t operation, unsigned slot, unsigned number)
{
    uint64_t block = ((uint64_t)(queue->id - 1) * COMMANDS + number) * BLOCKS;
    struct command command = {
        .word0 = operation | slot << 16,
        .namespace_id = 1,
        .data = {(uintptr_t)buffer_of(queue, slot)},
        .words = {(uint32_t)block, (uint32_t)(block >> 32), BLOCKS - 1},
    };
    bool ignored = false;

    if (operation == WRITE)
        fill(queue, number, buffer_of(queue, slot), false, &ignored);
    submit(queue, &command);
}

/* All commands of one kind, DEPTH at a time; each slot remembers the number of its own. */
static void run(struct queue *queue, uint32_t operation)
{
    unsigned numbers[DEPTH], begun = 0;

    for (; begun < DEPTH; begun++) {
        numbers[begun] = begun;
        begin(queue, operation, begun, begun);
    }
    for (unsigned ended = 0; ended < COMMANDS; ended++) {
        unsigned slot = poll_next(queue);
        bool damaged = false;

        if (operation == READ)
            fill(queue, numbers[slot], buffer_of(queue, slot), true, &damaged);
        queue->damaged += damaged;
        queue->ended++;
        if (begun < COMMANDS) {
            numbers[slot] = begun;
            begin(queue, operation, slot, begun++);
        }
    }
}

static void *thread(void *argument)
{
    run(argument, WRITE);
    run(argument, READ);
    return NULL;
}

int main(int argc, char **argv)
{
    bool group = argc > 1 && strcmp(argv[1], "group") == 0;
    const char *name = argc > 2 ? argv[2] : "0000:00:10.0";
    struct queue admin_queue, queues[THREADS];
    pthread_t threads[THREADS];
    unsigned damaged = 0, ended = 0;
    uint64_t size;

    if (!group)
        open_iommufd(name);
    else if (vfio_open(name, &files))
        err(1, "%s", name);
    registers = vfio_map_bar(files.device, &size);
    if (!registers || vfio_command(files.device, 6))
        err(1, "%s: BAR 0", name);
    make_queue(&admin_queue, 0);
    start(&admin_queue);
    for (unsigned i = 0; i < THREADS; i++) {
        make_queue(&queues[i], i + 1);
        start_queue(&admin_queue, &queues[i]);
    }
    for (unsigned i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, thread, &queues[i]))
            errx(1, "cannot start a thread");
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        damaged += queues[i].damaged;
        ended += queues[i].ended;
    }
    put(REG_CONFIGURATION, 0);
    wait_ready(0);
    printf("polled: %u queues, %u commands, %u damaged\n", THREADS, ended, damaged);
    return damaged || ended != 2 * THREADS * COMMANDS;
}
