/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps and unmaps N times over, through the FPGA port and through VFIO; free memory must be what it
 * was, to the frame. usage: rounds port|vfio N [0000:bb:dd.f]
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fpga-dfl.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE    4096ull
#define WARM_UP 20
#define MEMORY  (64 * PAGE)

static int file;
static char *memory;

static long free_kib(void)
{
    static char text[4096];
    int fd = open("/proc/meminfo", O_RDONLY);
    ssize_t n = read(fd, text, sizeof(text) - 1);

    close(fd);
    text[n > 0 ? n : 0] = '\0';
    const char *line = strstr(text, "MemFree:");
    return line ? atol(line + 8) : -1;
}

static int port_round(unsigned i)
{
    struct dfl_fpga_port_dma_map m = {.argsz = sizeof(m),
                                      .user_addr = (uintptr_t)memory + i % 8 * PAGE,
                                      .length = (1 + i % 32) * PAGE};
    struct dfl_fpga_port_dma_unmap u = {.argsz = sizeof(u)};

    if (ioctl(file, DFL_FPGA_PORT_DMA_MAP, &m))
        return -1;
    u.iova = m.iova;
    return ioctl(file, DFL_FPGA_PORT_DMA_UNMAP, &u);
}

static int vfio_round(unsigned i)
{
    uint64_t iova = (uint64_t)(i * 7919u % 65536) << 21, size = (1 + i % 32) * PAGE;
    struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m),
                                         .flags = VFIO_DMA_MAP_FLAG_READ,
                                         .vaddr = (uintptr_t)memory + i % 8 * PAGE,
                                         .iova = iova + 8 * 1024 * 1024 * 1024ull,
                                         .size = size};
    struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u), .iova = m.iova, .size = size};

    if (ioctl(file, VFIO_IOMMU_MAP_DMA, &m))
        return -1;
    return ioctl(file, VFIO_IOMMU_UNMAP_DMA, &u);
}

static int open_vfio(const char *device)
{
    char link[128], target[256], path[300];
    int container = open("/dev/vfio/vfio", O_RDWR);

    snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s/iommu_group", device);
    ssize_t n = readlink(link, target, sizeof(target) - 1);
    if (n < 0)
        return -1;
    target[n] = '\0';
    snprintf(path, sizeof(path), "/dev/vfio%s", strrchr(target, '/'));
    int group = open(path, O_RDWR);
    if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) ||
        ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
        return -1;
    return container;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    int port = strcmp(argv[1], "port") == 0;
    unsigned rounds = (unsigned)atol(argv[2]);
    long before = 0;

    file = port ? open("/dev/dfl-port.0", O_RDWR) : open_vfio(argc > 3 ? argv[3] : "");
    memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (file < 0 || memory == MAP_FAILED)
        return 3;
    for (unsigned i = 0; i < rounds + WARM_UP; i++) {
        if (i == WARM_UP)
            before = free_kib();
        if ((port ? port_round : vfio_round)(i)) {
            perror("rounds");
            return 4;
        }
    }
    long after = free_kib();
    printf("rounds: %u rounds, %ld KiB free before, %ld after\n", rounds, before, after);
    return before == after && before > 0 ? 0 : 1;
}
