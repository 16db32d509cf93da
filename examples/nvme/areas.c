/* SPDX-License-Identifier: BSD-2-Clause */
#include "nvme/areas.h"

#include <err.h>
#include <string.h>

#define WORD sizeof(uint64_t)

struct area area_at(struct nvme *nvme, unsigned number)
{
    unsigned blocks = AREA_SIZE / nvme->block_size;

    if ((number + 1) * (uint64_t)blocks > nvme->blocks)
        errx(1, "%s: %u MiB are wanted, the disk has %llu blocks of %u bytes", nvme->device.name,
             (number + 1) * (AREA_SIZE >> 20), (unsigned long long)nvme->blocks, nvme->block_size);
    return (struct area){.first = (uint64_t)number * blocks,
                         .blocks = blocks,
                         .piece = nvme->transfer_max / nvme->block_size};
}

/* The block where the from-th piece begins. */
static uint64_t piece_at(const struct area *area, unsigned from)
{
    return area->first + (uint64_t)from * area->piece;
}

void area_begin(struct nvme *nvme, const struct area *area, enum nvme_operation operation,
                unsigned from)
{
    for (unsigned i = 0; i < NVME_SLOTS; i++)
        nvme_begin(nvme, i, operation, piece_at(area, from + i), area->piece);
}

void area_end(struct nvme *nvme)
{
    for (unsigned i = 0; i < NVME_SLOTS; i++)
        nvme_end(nvme);
}

static uint32_t add_to_checksum(uint32_t sum, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        sum ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? 0xedb88320 : 0);
    }
    return sum;
}

uint32_t area_checksum(struct nvme *nvme, const struct area *area)
{
    uint32_t sum = 0xffffffff;

    for (unsigned from = 0; from * area->piece < area->blocks; from += NVME_SLOTS) {
        area_begin(nvme, area, NVME_READ, from);
        area_end(nvme);
        for (unsigned i = 0; i < NVME_SLOTS; i++)
            sum = add_to_checksum(sum, nvme_slot(nvme, i), nvme->transfer_max);
    }
    return ~sum;
}

/* The i-th of all the blocks that are in the slots. */
static uint8_t *block_in_slots(struct nvme *nvme, const struct area *area, unsigned i)
{
    return nvme_slot(nvme, i / area->piece) + (size_t)(i % area->piece) * nvme->block_size;
}

static uint64_t word_of(uint64_t block, unsigned number)
{
    return (block << 16 | number) * AREA_FACTOR;
}

static bool is_as_written(struct nvme *nvme, const uint8_t *memory, uint64_t block)
{
    const uint64_t *words = (const uint64_t *)memory;

    for (unsigned i = 0; i < nvme->block_size / WORD; i++) {
        if (words[i] != word_of(block, i))
            return false;
    }
    return true;
}

static bool is_blank(struct nvme *nvme, const uint8_t *memory)
{
    return memory[0] == 0 && memcmp(memory, memory + 1, nvme->block_size - 1) == 0;
}

/* Are the blocks in all slots as written, or, if that will do, blank? */
static bool came_well(struct nvme *nvme, const struct area *area, unsigned from, bool blank_will_do)
{
    for (unsigned i = 0; i < NVME_SLOTS * area->piece; i++) {
        const uint8_t *memory = block_in_slots(nvme, area, i);
        if (!is_as_written(nvme, memory, piece_at(area, from) + i) &&
            !(blank_will_do && is_blank(nvme, memory)))
            return false;
    }
    return true;
}

bool area_came_as_written(struct nvme *nvme, const struct area *area, unsigned from)
{
    return came_well(nvme, area, from, false);
}

/* Reads an area and looks at its blocks. */
static bool is_well(struct nvme *nvme, const struct area *area, bool blank_will_do)
{
    for (unsigned from = 0; from * area->piece < area->blocks; from += NVME_SLOTS) {
        memset(nvme->data.at, 0xff, nvme->data.size); /* what is not read is not good */
        area_begin(nvme, area, NVME_READ, from);
        area_end(nvme);
        if (!came_well(nvme, area, from, blank_will_do))
            return false;
    }
    return true;
}

bool area_is_as_written(struct nvme *nvme, const struct area *area)
{
    return is_well(nvme, area, false);
}

static void fill(struct nvme *nvme, const struct area *area, unsigned from)
{
    for (unsigned i = 0; i < NVME_SLOTS * area->piece; i++) {
        uint64_t *words =
            (uint64_t *)(nvme_slot(nvme, i / area->piece) + i % area->piece * nvme->block_size);
        for (unsigned word = 0; word < nvme->block_size / WORD; word++)
            words[word] = word_of(piece_at(area, from) + i, word);
    }
}

void area_write(struct nvme *nvme, const struct area *area)
{
    if (!is_well(nvme, area, true))
        errx(1, "%s: blocks %llu to %llu hold something, and are not overwritten",
             nvme->device.name, (unsigned long long)area->first,
             (unsigned long long)area->first + area->blocks - 1);
    for (unsigned from = 0; from * area->piece < area->blocks; from += NVME_SLOTS) {
        fill(nvme, area, from);
        area_begin(nvme, area, NVME_WRITE, from);
        area_end(nvme);
    }
}
