/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hello-dma: the whole of device assignment in one page. QEMU's `edu` device reads a buffer of ours
 * through one IO virtual address (IOVA) and writes it back through another; each completion is an
 * interrupt that we wait for in read(). Then we take the mapping away and ask for the write again:
 * the IOMMU has to stop it. Only VFIO and the C library are used, so this builds for Linux as well.
 *
 * usage: hello-dma [DEVICE]     DEVICE as 0000:00:10.0; without it, the first edu there is
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define LENGTH   4000
#define PAGE     4096ull
#define IOVA_OUT 0x100000000ull /* edu reads here: just above 4 GiB */
#define IOVA_IN  0x123450000ull /* edu writes here */

/* What the kernel says about the IOMMU. */
#define UNITS  "/sys/kernel/iommu/units"
#define FAULTS "/sys/kernel/iommu/faults"

/* edu's registers; those below 0x80 take 4-byte accesses only. */
enum {
    EDU_INTERRUPT_STATUS = 0x24,
    EDU_INTERRUPT_ACK = 0x64,
    EDU_DMA_SOURCE = 0x80,
    EDU_DMA_TARGET = 0x88,
    EDU_DMA_COUNT = 0x90,
    EDU_DMA_COMMAND = 0x98,
    EDU_BUFFER = 0x40000,  /* in the device: 4 KiB, the other end of every transfer */
    EDU_CLAMP = 0xfffffff, /* QEMU's preset of dma_mask */
};
enum {
    EDU_START = 1,
    EDU_TO_MEMORY = 2,
    EDU_INTERRUPT = 4,
};

enum {
    PCI_COMMAND = 4,
    PCI_COMMAND_MEMORY = 2,
    PCI_COMMAND_MASTER = 4,
};

struct edu {
    char name[32]; /* 0000:00:10.0 */
    int container, group, device, completion;
    volatile uint8_t *registers;
};

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "hello-dma: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* What a small file says, as a number; -1 if there is no such file. */
static long read_number(const char *device, const char *file)
{
    char path[128], text[32] = "";

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", device, file);
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return -1;
    ssize_t got = read(fd, text, sizeof(text) - 1);
    close(fd);
    return got > 0 ? strtol(text, NULL, 0) : -1;
}

static bool find_edu(char *name, size_t size)
{
    DIR *directory = opendir("/sys/bus/pci/devices");
    struct dirent *entry;
    bool found = false;

    if (!directory)
        fail("/sys/bus/pci/devices");
    while (!found && (entry = readdir(directory))) {
        found = read_number(entry->d_name, "vendor") == 0x1234 &&
                read_number(entry->d_name, "device") == 0x11e8;
        if (found)
            snprintf(name, size, "%s", entry->d_name);
    }
    closedir(directory);
    return found;
}

/* Group, container, device: what VFIO asks for before it hands a device out. */
static void open_device(struct edu *edu)
{
    char path[96], group[96];
    struct vfio_group_status status = {.argsz = sizeof(status)};

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", edu->name);
    ssize_t length = readlink(path, group, sizeof(group) - 1);
    if (length < 0)
        fail(path);
    group[length] = '\0';
    snprintf(path, sizeof(path), "/dev/vfio/%s", strrchr(group, '/') + 1);

    edu->container = open("/dev/vfio/vfio", O_RDWR);
    edu->group = open(path, O_RDWR);
    if (edu->container < 0 || edu->group < 0)
        fail("open /dev/vfio");
    if (ioctl(edu->group, VFIO_GROUP_GET_STATUS, &status) < 0 ||
        !(status.flags & VFIO_GROUP_FLAGS_VIABLE))
        fail("the group is not viable");
    if (ioctl(edu->group, VFIO_GROUP_SET_CONTAINER, &edu->container) < 0)
        fail("VFIO_GROUP_SET_CONTAINER");
    if (ioctl(edu->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
        fail("VFIO_SET_IOMMU");
    edu->device = ioctl(edu->group, VFIO_GROUP_GET_DEVICE_FD, edu->name);
    if (edu->device < 0)
        fail("VFIO_GROUP_GET_DEVICE_FD");
}

static struct vfio_region_info region(struct edu *edu, uint32_t index)
{
    struct vfio_region_info info = {.argsz = sizeof(info), .index = index};

    if (ioctl(edu->device, VFIO_DEVICE_GET_REGION_INFO, &info) < 0)
        fail("VFIO_DEVICE_GET_REGION_INFO");
    return info;
}

/* The device answers to memory accesses and may start DMA: both are off when we get it. */
static void enable_device(struct edu *edu)
{
    struct vfio_region_info config = region(edu, VFIO_PCI_CONFIG_REGION_INDEX);
    struct vfio_region_info bar = region(edu, VFIO_PCI_BAR0_REGION_INDEX);
    off_t at = (off_t)config.offset + PCI_COMMAND;
    uint16_t command;

    if (pread(edu->device, &command, sizeof(command), at) != sizeof(command))
        fail("read the command register");
    command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
    if (pwrite(edu->device, &command, sizeof(command), at) != sizeof(command))
        fail("write the command register");
    void *registers =
        mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, edu->device, (off_t)bar.offset);
    if (registers == MAP_FAILED)
        fail("mmap BAR 0");
    edu->registers = registers;
}

/* From now on each MSI of the device adds one to an eventfd. */
static void enable_interrupt(struct edu *edu)
{
    union {
        struct vfio_irq_set set;
        char bytes[sizeof(struct vfio_irq_set) + sizeof(int)];
    } request = {.set = {.argsz = sizeof(request),
                         .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
                         .index = VFIO_PCI_MSI_IRQ_INDEX,
                         .count = 1}};

    edu->completion = eventfd(0, EFD_CLOEXEC);
    if (edu->completion < 0)
        fail("eventfd");
    memcpy(request.set.data, &edu->completion, sizeof(edu->completion));
    if (ioctl(edu->device, VFIO_DEVICE_SET_IRQS, &request) < 0)
        fail("VFIO_DEVICE_SET_IRQS");
}

static void map(struct edu *edu, void *memory, uint64_t iova, uint32_t access)
{
    struct vfio_iommu_type1_dma_map request = {.argsz = sizeof(request),
                                               .flags = access,
                                               .vaddr = (uintptr_t)memory,
                                               .iova = iova,
                                               .size = PAGE};

    if (ioctl(edu->container, VFIO_IOMMU_MAP_DMA, &request) < 0)
        fail("VFIO_IOMMU_MAP_DMA");
}

static void unmap(struct edu *edu, uint64_t iova)
{
    struct vfio_iommu_type1_dma_unmap request = {
        .argsz = sizeof(request), .iova = iova, .size = PAGE};

    if (ioctl(edu->container, VFIO_IOMMU_UNMAP_DMA, &request) < 0 || request.size != PAGE)
        fail("VFIO_IOMMU_UNMAP_DMA");
}

static void write_register(struct edu *edu, unsigned at, uint64_t value)
{
    *(volatile uint64_t *)(edu->registers + at) = value;
}

/* One transfer; sleeps until its interrupt has come. True if exactly one came. */
static bool transfer(struct edu *edu, uint64_t from, uint64_t to, unsigned direction)
{
    uint64_t count;

    write_register(edu, EDU_DMA_SOURCE, from);
    write_register(edu, EDU_DMA_TARGET, to);
    write_register(edu, EDU_DMA_COUNT, LENGTH);
    write_register(edu, EDU_DMA_COMMAND, EDU_START | EDU_INTERRUPT | direction);
    if (read(edu->completion, &count, sizeof(count)) != sizeof(count))
        fail("wait for the interrupt");
    uint32_t status = *(volatile uint32_t *)(edu->registers + EDU_INTERRUPT_STATUS);
    *(volatile uint32_t *)(edu->registers + EDU_INTERRUPT_ACK) = status;
    return count == 1;
}

/* Do interrupts pass the remapping table, whichever unit serves the device? */
static bool interrupts_are_remapped(void)
{
    char line[256];
    int remapping = 0, not_remapping = 0;
    FILE *file = fopen(UNITS, "r");

    if (!file)
        fail(UNITS);
    while (fgets(line, sizeof(line), file)) {
        remapping += strstr(line, "remapping interrupts 1") != NULL;
        not_remapping += strstr(line, "remapping interrupts 0") != NULL;
    }
    fclose(file);
    return remapping > 0 && not_remapping == 0;
}

/* What the kernel says of refused DMA. */
struct faults {
    long count;
    char newest[256]; /* "0000:00:10.0 write to 0x123450000 refused: ...", "" if there was none */
    char aimed[256];  /* the newest that names the address asked for, "" if there is none */
};

/*
 * The faults at an address are looked for by the address alone: the requests of a device behind a
 * PCIe-to-PCI bridge carry the bridge's id.
 */
static struct faults read_faults(uint64_t iova)
{
    struct faults faults = {.count = -1};
    char line[sizeof(faults.newest)], address[32];
    FILE *file = fopen(FAULTS, "r");

    if (!file)
        fail(FAULTS);
    snprintf(address, sizeof(address), " 0x%llx ", (unsigned long long)iova);
    while (fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "count ", 6) == 0) {
            faults.count = strtol(line + 6, NULL, 10);
            continue;
        }
        memcpy(faults.newest, line, sizeof(line));
        if (strstr(line, address))
            memcpy(faults.aimed, line, sizeof(line));
    }
    fclose(file);
    return faults;
}

/* edu without its dma_mask drops the upper bits of every address, and says so to QEMU alone. */
static const char *why_elsewhere(const char *fault, uint64_t iova)
{
    const char *address = strstr(fault, " 0x");

    if (address && strtoull(address, NULL, 16) == (iova & EDU_CLAMP))
        return "; the device clamped the address to 28 bits: use edu,dma_mask=0xffffffffffffffff";
    return "";
}

static bool all_bytes_are(const uint8_t *memory, uint8_t byte)
{
    for (size_t i = 0; i < PAGE; i++) {
        if (memory[i] != byte)
            return false;
    }
    return true;
}

/*
 * The transfer "succeeds" as far as edu knows; the memory and the kernel's count tell the truth.
 * Only a write that landed was not blocked; one that was refused elsewhere, or never sent, is no
 * proof.
 */
static bool stray_write(struct edu *edu, uint8_t *memory)
{
    long before = read_faults(IOVA_IN).count;

    unmap(edu, IOVA_IN);
    memset(memory, 0x5a, PAGE);
    transfer(edu, EDU_BUFFER, IOVA_IN, EDU_TO_MEMORY);
    struct faults after = read_faults(IOVA_IN);
    bool untouched = all_bytes_are(memory, 0x5a);
    bool counted = after.count > before;
    if (!untouched)
        printf("hello-dma: stray write NOT blocked: the memory was overwritten, %ld faults before, "
               "%ld after\n",
               before, after.count);
    else if (!counted)
        printf("hello-dma: stray write FAILED: the memory is untouched, but no fault was counted: "
               "the device wrote nothing\n");
    else if (!after.aimed[0])
        printf("hello-dma: stray write FAILED: the memory is untouched, but the fault was counted "
               "at another address than 0x%llx: %s%s\n",
               IOVA_IN, after.newest, why_elsewhere(after.newest, IOVA_IN));
    else
        printf("hello-dma: stray write blocked: %s\n", after.aimed);
    return untouched && counted && after.aimed[0];
}

/* Out through one address, back through another. */
static bool round_trip(struct edu *edu, uint8_t *out, uint8_t *in)
{
    int interrupts = 0;
    long before = read_faults(IOVA_IN).count;

    for (size_t i = 0; i < LENGTH; i++)
        out[i] = (uint8_t)(i * 7 + i / 256);
    map(edu, out, IOVA_OUT, VFIO_DMA_MAP_FLAG_READ);
    map(edu, in, IOVA_IN, VFIO_DMA_MAP_FLAG_WRITE);
    interrupts += transfer(edu, IOVA_OUT, EDU_BUFFER, 0);
    interrupts += transfer(edu, EDU_BUFFER, IOVA_IN, EDU_TO_MEMORY);

    bool equal = memcmp(out, in, LENGTH) == 0;
    printf("hello-dma: round trip %s: %d bytes, iova 0x%llx", equal ? "ok" : "FAILED", LENGTH,
           IOVA_OUT);
    struct faults after = read_faults(IOVA_IN);
    if (after.count > before)
        printf(", %ld faults counted, the last: %s%s", after.count - before, after.newest,
               why_elsewhere(after.newest, IOVA_IN));
    printf("\n");
    bool remapped = interrupts_are_remapped();
    printf("hello-dma: interrupt %s: %d of 2 %s remapping\n",
           interrupts == 2 && remapped ? "ok" : "FAILED", interrupts,
           remapped ? "through" : "without");
    return equal && interrupts == 2 && remapped;
}

int main(int argc, char **argv)
{
    struct edu edu = {0};

    if (argc > 1)
        snprintf(edu.name, sizeof(edu.name), "%s", argv[1]);
    else if (!find_edu(edu.name, sizeof(edu.name))) {
        fprintf(stderr, "hello-dma: no edu device (1234:11e8) was assigned\n");
        return 1;
    }
    uint8_t *memory =
        mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        fail("mmap");
    open_device(&edu);
    enable_device(&edu);
    enable_interrupt(&edu);
    bool good = round_trip(&edu, memory, memory + PAGE);
    good &= stray_write(&edu, memory + PAGE);
    return good ? 0 : 1;
}
