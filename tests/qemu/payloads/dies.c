/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dies in the middle of things: with DMA regions mapped and a transfer of edu on its way into one
 * of them. usage: dies uio|port segv|exit|timeout
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fpga-dfl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE  4096ull
#define MAGIC (0xfffffull * PAGE)

static uint64_t buffer_of_uio(int device)
{
    uint64_t *words = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device, MAGIC);

    return words == MAP_FAILED ? 0 : words[0];
}

static uint64_t buffer_of_port(int device)
{
    struct dfl_fpga_port_dma_map m = {.argsz = sizeof(m),
                                      .user_addr = (uintptr_t)aligned_alloc(PAGE, 16 * PAGE),
                                      .length = 16 * PAGE};

    return ioctl(device, DFL_FPGA_PORT_DMA_MAP, &m) ? 0 : m.iova;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    int uio = strcmp(argv[1], "uio") == 0;
    int device = open(uio ? "/dev/uio0" : "/dev/dfl-port.0", O_RDWR);
    volatile uint64_t *registers = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);
    uint64_t iova = uio ? buffer_of_uio(device) : buffer_of_port(device);

    if (device < 0 || registers == MAP_FAILED || !iova)
        return 3;
    registers[0x80 / 8] = 0x40000;
    registers[0x88 / 8] = iova;
    registers[0x90 / 8] = 2048;
    registers[0x98 / 8] = 3;
    printf("dies: now\n");
    if (strcmp(argv[2], "segv") == 0)
        *(volatile int *)1 = 0;
    while (strcmp(argv[2], "timeout") == 0)
        ;
    return 7;
}
