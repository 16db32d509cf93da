/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory of a q35 guest: a file that QEMU keeps it in and shares with us. */
#ifndef TOOLS_AFU_MODEL_MEMORY_H
#define TOOLS_AFU_MODEL_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

struct memory {
    int file;
    uint8_t *bytes;
    uint64_t size;
};

/* Maps the whole file. False with errno set. */
bool memory_open(struct memory *memory, const char *path);

/*
 * `length` bytes of guest RAM from a physical address on; NULL unless all of them are RAM whatever
 * the guest has set up. The file has no hole where the machine has one for devices.
 */
void *memory_at(const struct memory *memory, uint64_t physical, uint64_t length);

#endif
