/* SPDX-License-Identifier: BSD-2-Clause */
/* What the sources of the program dfl share: the open port of the software FPGA, and its AFU. */
#ifndef TESTS_DFL_H
#define TESTS_DFL_H

#include <stdbool.h>
#include <stdint.h>

#include "conform.h"

#define PAGE   4096ull
#define REGION "/sys/class/fpga_region/region0"
#define MEMORY (64 * PAGE)

/* The loopback's registers, and those with which the software card is told to misbehave. */
enum {
    NLB_DSM = 0x110,
    NLB_SOURCE = 0x120,
    NLB_TARGET = 0x128,
    NLB_LINES = 0x130,
    NLB_CONTROL = 0x138,
    NLB_START = 3,
    NLB_STATUS = 0x168,
    TEST_MODE = 0x1000,
    TEST_INJECT = 0x1008,
    TEST_FAULT = 0x1010,
    MODE_NO_ACK = 1,
    MODE_ACK_STUCK = 2,
    MODE_HANG = 7,
    MODE_GOOD = 0x80000000,
    INJECT_PORT = 1,
    INJECT_FME = 2,
    INJECT_USER_0 = 4,
    INJECT_USER_1 = 8,
};

extern int port, other, event;
extern volatile uint8_t *afu;
extern uint64_t afu_size;
extern unsigned char *memory; /* MEMORY bytes of ours */

/* Opens the port and maps its AFU. */
bool begin(void);
uint64_t read64(unsigned at);
void write64(unsigned at, uint64_t value);
void pause_ms(unsigned ms);
/* Gives the card a mode, and returns when it has it. */
void misbehave(uint64_t mode);
int map_size(const void *address, uint64_t length, uint64_t *iova);
int unmap(uint64_t iova);
int set_irqs(int file, unsigned long call, uint32_t start, uint32_t count, int fd0, int fd1);
bool signalled(int fd);

extern const struct conform_case dma_cases[];

#endif
