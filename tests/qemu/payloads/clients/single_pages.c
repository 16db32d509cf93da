/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client that maps every page by itself, from IO address 0 upwards, as drivers do that keep
 * physical pages: page 0 is the ring of an 82574L, the other 499 hold a frame each, and lie the
 * other way round in memory. The frames leave in rounds that wait in epoll_wait(), by MSI and by
 * MSI-X in turns.
 * usage: single_pages ADDRESS     as 0000:00:10.0
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE       4096u
#define PAGES      500u
#define ENTRIES    256u /* of the ring: one page */
#define ROUND      125u /* frames: fewer than the ring has entries */
#define FRAME      64u
#define PATIENCE   60000 /* ms */
#define BROADCAST  0xff
#define OUR_TYPE   0x88b5 /* of frames for local experiments */
#define MAC        "\x52\x54\x00\x12\x34\x56"
#define FRAME_TYPE 12
#define FRAME_TEXT 14

/* Registers of the 82574L, and their bits. */
enum {
    CONTROL = 0x0000,
    STATUS = 0x0008,
    CAUSES = 0x00c0,
    CAUSES_ENABLE = 0x00d0,
    CAUSES_DISABLE = 0x00d8,
    VECTORS = 0x00e4,
    SEND_CONTROL = 0x0400,
    SEND_BASE_LOW = 0x3800,
    SEND_BASE_HIGH = 0x3804,
    SEND_BYTES = 0x3808,
    SEND_HEAD = 0x3810,
    SEND_TAIL = 0x3818,
    CONTROL_LINK_UP = 1 << 6,
    CONTROL_RESET = 1 << 26,
    STATUS_LINK_UP = 1 << 1,
    SEND_ENABLE = 1 << 1 | 1 << 3,
    CAUSE_WRITTEN_BACK = 1 << 0,
    CAUSE_QUEUE = 1 << 22,
};
#define VECTORS_SEND_0 (8u << 8 | 1u << 31) /* of each frame sent, the first message */

struct descriptor {
    uint64_t address;
    uint16_t length;
    uint8_t checksum_at, command, status, checksum_from;
    uint16_t vlan;
};
enum {
    COMMAND_END = 1,
    COMMAND_CHECKSUM = 2,
    COMMAND_REPORT = 8,
    STATUS_DONE = 1,
};

static int device, events, epoll;
static volatile uint8_t *registers;
static uint8_t *memory;
static unsigned tail;

static void must(bool success, const char *what)
{
    if (success)
        return;
    perror(what);
    exit(1);
}

static void put(unsigned at, uint32_t value)
{
    *(volatile uint32_t *)(registers + at) = value;
}

static uint32_t get(unsigned at)
{
    return *(volatile uint32_t *)(registers + at);
}

/* Page n of the device's addresses is page PAGES - 1 - n of the program's. */
static uint8_t *page(unsigned number)
{
    return memory + (size_t)(PAGES - 1 - number) * PAGE;
}

static int open_device(const char *name)
{
    char path[320], link[256];
    int container = open("/dev/vfio/vfio", O_RDWR);

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", name);
    ssize_t length = readlink(path, link, sizeof(link) - 1);
    must(container >= 0 && length > 0, path);
    link[length] = '\0';
    snprintf(path, sizeof(path), "/dev/vfio%s", strrchr(link, '/'));
    int group = open(path, O_RDWR);
    must(group >= 0 && !ioctl(group, VFIO_GROUP_SET_CONTAINER, &container), path);
    must(!ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), "SET_IOMMU");
    device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name);
    must(device >= 0, "GET_DEVICE_FD");
    return container;
}

static void map_pages(int container)
{
    memory = mmap(NULL, (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    must(memory != MAP_FAILED, "memory");
    for (unsigned i = 0; i < PAGES; i++) {
        struct vfio_iommu_type1_dma_map map = {.argsz = sizeof(map),
                                               .flags =
                                                   VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
                                               .vaddr = (uintptr_t)page(i),
                                               .iova = (uint64_t)i * PAGE,
                                               .size = PAGE};
        must(!ioctl(container, VFIO_IOMMU_MAP_DMA, &map), "MAP_DMA");
    }
}

static void open_registers(void)
{
    struct vfio_region_info bar = {.argsz = sizeof(bar), .index = VFIO_PCI_BAR0_REGION_INDEX};
    struct vfio_region_info config = {.argsz = sizeof(config),
                                      .index = VFIO_PCI_CONFIG_REGION_INDEX};
    uint16_t command = 6;

    must(!ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &bar) &&
             !ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config),
         "regions");
    must(pwrite(device, &command, 2, (off_t)config.offset + 4) == 2, "command");
    void *at = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, device, (off_t)bar.offset);
    must(at != MAP_FAILED, "BAR 0");
    registers = at;
}

/* The device's own reset, which also ends what it has of interrupts under way; then its ring. */
static void start_anew(void)
{
    put(CAUSES_DISABLE, 0xffffffff);
    put(CONTROL, get(CONTROL) | CONTROL_RESET);
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    put(CAUSES_DISABLE, 0xffffffff);
    get(CAUSES);
    put(CONTROL, get(CONTROL) | CONTROL_LINK_UP);
    while (!(get(STATUS) & STATUS_LINK_UP))
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    put(SEND_BASE_LOW, 0);
    put(SEND_BASE_HIGH, 0);
    put(SEND_BYTES, ENTRIES * sizeof(struct descriptor));
    put(SEND_HEAD, 0);
    put(SEND_TAIL, 0);
    put(SEND_CONTROL, SEND_ENABLE);
    tail = 0;
}

/* Connects the first interrupt of a kind, or takes all of that kind away. */
static int set_interrupt(unsigned kind, bool on)
{
    struct {
        uint32_t argsz, flags, index, start, count;
        int32_t event;
    } set = {.argsz = 20 + (on ? 4 : 0),
             .flags = VFIO_IRQ_SET_ACTION_TRIGGER |
                      (on ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE),
             .index = kind,
             .count = on,
             .event = events};

    return ioctl(device, VFIO_DEVICE_SET_IRQS, &set);
}

/* Only one kind is on at a time: the other has to go first, if it was on. */
static void switch_to(unsigned kind)
{
    static bool one_is_on;
    bool msix = kind == VFIO_PCI_MSIX_IRQ_INDEX;
    unsigned other = msix ? VFIO_PCI_MSI_IRQ_INDEX : VFIO_PCI_MSIX_IRQ_INDEX;

    start_anew();
    must(!one_is_on || !set_interrupt(other, false), "take the other kind away");
    one_is_on = true;
    must(!set_interrupt(kind, true), "connect");
    must(set_interrupt(other, true) < 0 && errno == EINVAL, "one kind at a time");
    put(VECTORS, msix ? VECTORS_SEND_0 : 0);
}

static void fill(unsigned number)
{
    uint8_t *frame = page(number);

    memset(frame, BROADCAST, 6);
    memcpy(frame + 6, MAC, 6);
    frame[FRAME_TYPE] = OUR_TYPE >> 8;
    frame[FRAME_TYPE + 1] = OUR_TYPE & 0xff;
    snprintf((char *)frame + FRAME_TEXT, FRAME - FRAME_TEXT, "frame of page %u", number);
}

static void send_frame(unsigned number)
{
    struct descriptor *ring = (struct descriptor *)page(0);

    fill(number);
    ring[tail] = (struct descriptor){.address = (uint64_t)number * PAGE,
                                     .length = FRAME,
                                     .command = COMMAND_END | COMMAND_CHECKSUM | COMMAND_REPORT};
    tail = (tail + 1) % ENTRIES;
}

/* Sleeps in epoll_wait() for an interrupt, until the last descriptor was written back. */
static void wait_until_done(bool msix)
{
    const struct descriptor *ring = (const struct descriptor *)page(0);
    unsigned last = (tail + ENTRIES - 1) % ENTRIES;
    struct epoll_event event;
    uint64_t count;

    do {
        must(epoll_wait(epoll, &event, 1, PATIENCE) == 1, "an interrupt");
        must(read(events, &count, sizeof(count)) == sizeof(count), "the event");
        get(CAUSES);
        put(CAUSES_ENABLE, msix ? CAUSE_QUEUE : CAUSE_WRITTEN_BACK);
    } while (!(*(const volatile uint8_t *)&ring[last].status & STATUS_DONE));
}

static void round_of(unsigned first, unsigned count, bool msix)
{
    switch_to(msix ? VFIO_PCI_MSIX_IRQ_INDEX : VFIO_PCI_MSI_IRQ_INDEX);
    put(CAUSES_ENABLE, msix ? CAUSE_QUEUE : CAUSE_WRITTEN_BACK);
    for (unsigned i = 0; i < count; i++)
        send_frame(first + i);
    put(SEND_TAIL, tail);
    wait_until_done(msix);
    printf("single_pages: pages %u to %u sent, woken by %s\n", first, first + count - 1,
           msix ? "MSI-X" : "MSI");
}

int main(int argc, char **argv)
{
    struct epoll_event wanted = {.events = EPOLLIN};

    must(argc == 2, "usage: single_pages ADDRESS");
    int container = open_device(argv[1]);
    map_pages(container);
    printf("single_pages: %u pages mapped one by one\n", PAGES);
    events = eventfd(0, EFD_NONBLOCK);
    epoll = epoll_create1(0);
    must(events >= 0 && epoll >= 0 && !epoll_ctl(epoll, EPOLL_CTL_ADD, events, &wanted), "epoll");
    open_registers();
    for (unsigned first = 1, round = 0; first < PAGES; first += ROUND, round++)
        round_of(first, first + ROUND > PAGES ? PAGES - first : ROUND, round % 2 == 1);
    put(SEND_CONTROL, 0);
    printf("single_pages: ok\n");
    return 0;
}
