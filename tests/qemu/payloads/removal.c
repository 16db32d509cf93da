/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A user whose e1000e leaves while it has it, by what it is asked or without a word. It tells what
 * it sees, and takes what is in that place then. usage: removal 0000:bb:dd.f
 * gives|keeps|pulled|waits|files (waits: the slot is empty; files: of an edu, UIO and an FPGA port)
 */
#define _GNU_SOURCE
#include "edu_registers.h"
#include "vfio_open.h"
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define STATUS 0x8 /* a register of the card */
#define IOVA   0x100000

static struct vfio_files files;
static volatile uint8_t *bar;
static uint64_t bar_size;
static int request, error;
static sigjmp_buf out;

static void must(int good, const char *what)
{
    if (good)
        return;
    printf("removal: %s failed: %s\n", what, strerror(errno));
    exit(1);
}

static int single(unsigned index)
{
    int event = eventfd(0, 0);

    must(!vfio_listen(files.device, index, event), "SET_IRQS");
    return event;
}

static void use(const char *name)
{
    must(!vfio_open(name, &files), "opening the device");
    must(!vfio_command(files.device, 6), "the command register");
    bar = vfio_map_bar(files.device, &bar_size);
    must(bar != NULL, "mapping BAR 0");
    request = single(VFIO_PCI_REQ_IRQ_INDEX);
    error = single(VFIO_PCI_ERR_IRQ_INDEX);
}

/* Container and group stay open: the group is in use, its device not. */
static void let_go(void)
{
    munmap((void *)bar, bar_size);
    close(files.device);
}

static void on_bus_error(int signal)
{
    siglongjmp(out, 1);
}

static const char *touch(void)
{
    if (sigsetjmp(out, 1))
        return "SIGBUS";
    return *(volatile uint32_t *)(bar + STATUS) == 0xffffffff ? "ones" : "an answer";
}

/* Until the eventfd is raised; how often it was. */
static unsigned wait_for(int fd)
{
    uint64_t count = 0;

    must(read(fd, &count, sizeof(count)) == sizeof(count), "waiting");
    return (unsigned)count;
}

static const char *name_of(int64_t result)
{
    return result >= 0 ? "success" : strerrorname_np(errno);
}

static void pulled(void)
{
    struct vfio_device_info info = {.argsz = sizeof(info)};
    uint32_t value;

    printf("removal: REQ %u, ", wait_for(request));
    printf("ERR %u\n", wait_for(error));
    printf("removal: its BAR gives %s\n", touch());
    printf("removal: GET_INFO gives %s, ",
           name_of(ioctl(files.device, VFIO_DEVICE_GET_INFO, &info)));
    printf("a read %s\n", name_of(pread(files.device, &value, 4, (off_t)7 << 40)));
}

/* Eight bytes to an edu device's memory and back, to another address. */
static int edu_transfers(void)
{
    static uint64_t page[512] __attribute__((aligned(4096)));
    struct vfio_iommu_type1_dma_map map = {.argsz = sizeof(map), .flags = 3};
    volatile uint64_t *registers = (volatile uint64_t *)(bar + EDU_SOURCE);

    map.vaddr = (uintptr_t)page;
    map.iova = IOVA;
    map.size = sizeof(page);
    must(!ioctl(files.container, VFIO_IOMMU_MAP_DMA, &map), "MAP_DMA");
    page[0] = 0x706c7567;
    for (uint64_t back = 0; back < 2; back++) {
        registers[0] = back ? EDU_BUFFER : IOVA;
        registers[1] = back ? IOVA + 8 : EDU_BUFFER;
        registers[2] = 8;
        registers[3] = back ? EDU_RUN | EDU_TO_MEMORY : EDU_RUN;
        while (registers[3] & EDU_RUN)
            usleep(1000);
    }
    return page[1] == page[0];
}

/* The group stayed in the container. */
static void use_again(const char *name)
{
    const char *dma = "";
    uint32_t ids;

    while ((files.device = ioctl(files.group, VFIO_GROUP_GET_DEVICE_FD, name)) < 0) {
        must(errno == ENODEV, "opening the new one");
        usleep(50000);
    }
    must(!vfio_command(files.device, 6), "the command register");
    bar = vfio_map_bar(files.device, &bar_size);
    must(bar != NULL, "mapping its BAR 0");
    must(pread(files.device, &ids, 4, (off_t)7 << 40) == 4, "reading the ids");
    if (ids == 0x11e81234)
        dma = edu_transfers() ? ", it reaches memory" : ", it does not reach memory";
    printf("removal: there is a %04x:%04x, its BAR gives %s%s\n", ids & 0xffff, ids >> 16, touch(),
           dma);
}

static unsigned restarts(void)
{
    FILE *file = fopen("/sys/kernel/payload_restarts", "r");
    unsigned number = 0;

    must(file && fscanf(file, "%u", &number) == 1, "payload_restarts");
    fclose(file);
    return number;
}

/* Of a payload that is started again once, without the device. */
static int waits(const char *name)
{
    must(!vfio_join(name, &files) && !ioctl(files.container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU),
         "its group");
    printf("removal: opening what is not there gives %s\n",
           name_of(ioctl(files.group, VFIO_GROUP_GET_DEVICE_FD, name)));
    if (restarts() == 0)
        return 3;
    use_again(name);
    return 0;
}

/* Likewise: the first life has it until it is pulled. */
static int waits_with_files(void)
{
    int uio = open("/dev/uio0", O_RDWR);
    uint32_t value;

    if (restarts() == 0) {
        must(uio >= 0, "/dev/uio0");
        printf("removal: in use by UIO\n");
        printf("removal: a read gives %s\n", name_of(read(uio, &value, sizeof(value))));
        return 3;
    }
    printf("removal: opening UIO gives %s, ", name_of(uio));
    printf("the FPGA port %s\n", name_of(open("/dev/dfl-port.0", O_RDWR)));
    return 0;
}

int main(int argc, char **argv)
{
    const char *how = argv[2];

    signal(SIGBUS, on_bus_error);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (strcmp(how, "waits") == 0)
        return waits(argv[1]);
    if (strcmp(how, "files") == 0)
        return waits_with_files();
    use(argv[1]);
    printf("removal: in use, its BAR gives %s\n", touch());
    if (strcmp(how, "pulled") == 0)
        pulled();
    for (unsigned asked = 0; strcmp(how, "pulled") != 0;) {
        asked += wait_for(request);
        printf("removal: asked for %u, its BAR gives %s\n", asked, touch());
        if (strcmp(how, "gives") == 0)
            break;
    }
    let_go();
    printf("removal: let go, and opening it again gives %s\n",
           name_of(ioctl(files.group, VFIO_GROUP_GET_DEVICE_FD, argv[1])));
    use_again(argv[1]);
    return 0;
}
