/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lives again and again. Each life finds a machine as if it were the first one, uses edu through
 * the next of the families of device files, and dies in the next of the ways there are, with a
 * transfer on its way and threads asleep. usage: lives all|clean|late|exit ADDRESS
 */
#define _GNU_SOURCE
#include "edu.h"
#include <errno.h>
#include <linux/fpga-dfl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#define MAGIC  (0xfffffull * PAGE) /* offset of new buffers in /dev/uioN */
#define IOVA   0x40000000ull
#define NOBODY 0x7777000000ull
#define SIZE   (16 * PAGE)
#define LATE   61 /* seconds: longer than what counts as a failed start */

static const char *const families[] = {"type1", "iommufd", "uio", "port"};
static const char *const ends[] = {"exit", "crash", "hang", "storm", "close"};
static volatile uint8_t *memory; /* that the device may reach, at `iova` */
static uint64_t iova;
static int trigger;

static unsigned restarts(void)
{
    FILE *file = fopen("/sys/kernel/payload_restarts", "r");
    unsigned number = 0;

    must(file && fscanf(file, "%u", &number) == 1, "payload_restarts");
    fclose(file);
    return number;
}

/* ---- a device that works ---- */

static void trigger_interrupt(void)
{
    must(!vfio_listen(device, VFIO_PCI_MSI_IRQ_INDEX, trigger), "SET_IRQS");
}

static void *anonymous(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    must(at != MAP_FAILED, "memory");
    return at;
}

static void open_vfio(const char *family, const char *name)
{
    uint32_t space;

    edu_open(family, name);
    space = space_create();
    must(!dma_attach(space), "attach");
    memory = anonymous(SIZE);
    iova = IOVA;
    must(!dma_map(space, iova, (void *)memory, SIZE, READ | WRITE), "map");
    trigger_interrupt();
}

static void open_file(const char *path)
{
    device = open(path, O_RDWR);
    registers = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);
    must(device >= 0 && registers != MAP_FAILED, path);
}

static void open_uio(void)
{
    open_file("/dev/uio0");
    memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, device, MAGIC);
    must(memory != MAP_FAILED, "buffer");
    iova = *(volatile uint64_t *)memory;
}

static void open_port(void)
{
    struct dfl_fpga_port_dma_map map = {.argsz = sizeof(map), .length = SIZE};

    open_file("/dev/dfl-port.0");
    memory = anonymous(SIZE);
    map.user_addr = (uintptr_t)memory;
    must(!ioctl(device, DFL_FPGA_PORT_DMA_MAP, &map), "map");
    iova = map.iova;
}

static void open_edu(unsigned life, const char *name)
{
    const char *family = families[life % 4];

    if (strcmp(family, "uio") == 0)
        open_uio();
    else if (strcmp(family, "port") == 0)
        open_port();
    else
        open_vfio(family, name);
}

/* There and back through the device. */
static void work(unsigned life)
{
    for (unsigned i = 0; i < 256; i++)
        memory[i] = (uint8_t)(i * 7 + life);
    edu_read(iova, 256);
    edu_write(iova + PAGE, 256);
    must(memcmp((void *)memory, (void *)(memory + PAGE), 256) == 0, "the transfer");
}

/* ---- the end ---- */

static void arm(uint64_t target)
{
    *(volatile uint64_t *)(registers + EDU_SOURCE) = EDU_BUFFER;
    *(volatile uint64_t *)(registers + EDU_TARGET) = target;
    *(volatile uint64_t *)(registers + EDU_COUNT) = 64;
    *(volatile uint64_t *)(registers + EDU_COMMAND) = EDU_RUN | EDU_TO_MEMORY;
}

static void *reader(void *argument)
{
    uint64_t count;

    for (;;)
        must(read(trigger, &count, sizeof(count)) == sizeof(count), "eventfd");
    return NULL;
}

static void *poller(void *argument)
{
    struct pollfd files[] = {{device, POLLIN, 0}, {trigger, POLLPRI, 0}};

    for (;;)
        poll(files, 2, -1);
    return NULL;
}

static void sleep_in_threads(void)
{
    void *(*const starts[])(void *) = {reader, poller};
    const struct timespec moment = {0, 1000000};
    pthread_t thread;

    for (unsigned i = 0; i < 2; i++)
        must(!pthread_create(&thread, NULL, starts[i], NULL), "thread");
    nanosleep(&moment, NULL);
}

/* Keeps a transfer on its way until somebody ends this. */
static void go_on(uint64_t target)
{
    const struct timespec moment = {0, 10000000};

    for (;;) {
        if (!(*(volatile uint64_t *)(registers + EDU_COMMAND) & EDU_RUN))
            arm(target);
        nanosleep(&moment, NULL);
    }
}

static void die(const char *how)
{
    arm(iova);
    if (strcmp(how, "crash") == 0)
        *(volatile int *)8 = 0;
    if (strcmp(how, "hang") == 0)
        go_on(iova);
    if (strcmp(how, "storm") == 0)
        go_on(NOBODY);
    if (strcmp(how, "close") == 0)
        for (int file = 3; file < 64; file++)
            close(file);
    _exit(3);
}

/* ---- what the life before must not have left ---- */

static void find_clean_memory(void)
{
    const size_t size = 48ull << 20;
    uint64_t *words = anonymous(size);
    int left;

    for (size_t i = 0; i < size / 8; i++)
        must(words[i] == 0, "memory holds something");
    memset(words, 0xa5, size);
    must(access("/tmp/left", F_OK) == -1 && errno == ENOENT, "a file was left");
    left = open("/tmp/left", O_CREAT | O_WRONLY, 0600);
    must(write(left, words, 4 << 20) == 4 << 20, "a file");
    must(access("/payload.elf", R_OK) == 0, "the archive's file");
}

int main(int argc, char **argv)
{
    unsigned life = restarts();
    const char *mode = argc == 3 ? argv[1] : "";

    if (strcmp(mode, "clean") == 0)
        find_clean_memory();
    if (strcmp(mode, "late") == 0 && life < 3)
        sleep(LATE);
    if (strcmp(mode, "all") == 0) {
        trigger = eventfd(0, 0);
        open_edu(life, argv[2]);
        work(life);
        sleep_in_threads();
        printf("lives: %u works through %s and dies by %s\n", life, families[life % 4],
               ends[life / 4 % 5]);
        die(ends[life / 4 % 5]);
    }
    printf("lives: %u exits\n", life);
    return 7;
}
