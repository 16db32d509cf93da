/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/ioas_source.h"
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/frames/internal.h"
#include "tests/unit/host_memory.h"

#define RAM_BASE (32 * MIB)
#define RAM_SIZE (64 * MIB)

paddr_t source_frame[SOURCE_PAGES];
bool source_writable[SOURCE_PAGES];
unsigned source_references;
size_t source_room;
struct memobj source_device;
static uint64_t free_at_start;

static int device_run(struct memobj *object, uint64_t offset, uint64_t max, struct phys_run *out)
{
    *out = (struct phys_run){SOURCE_DEVICE + offset, max};
    return 0;
}

static void device_destroy(struct memobj *object)
{
}

static const struct memobj_ops device_ops = {.run = device_run, .destroy = device_destroy};

/* One page, or an error. */
static int look(uint64_t address, bool write, paddr_t *frame)
{
    uint64_t page = (address - SOURCE_BASE) / PAGE_SIZE;

    if (address < SOURCE_BASE || page >= SOURCE_PAGES || source_frame[page] == SOURCE_HOLE)
        return -EFAULT;
    if (write && !source_writable[page])
        return -EFAULT;
    *frame = source_frame[page];
    return source_is_device(*frame) && source_device.revoked ? -EIO : 0;
}

static int source_runs(void *context, uint64_t offset, uint64_t length, bool write,
                       struct phys_run *out, size_t room, struct memobj **device)
{
    size_t count = 0;
    paddr_t frame;
    int error = look(offset, write, &frame);

    ASSERT(IS_ALIGNED(offset | length, PAGE_SIZE) && length && room);
    room = MIN(room, source_room);
    if (error)
        return error;
    *device = source_is_device(frame) ? &source_device : NULL;
    for (; length; offset += PAGE_SIZE, length -= PAGE_SIZE) {
        if (look(offset, write, &frame) || source_is_device(frame) != (*device != NULL))
            break;
        if (count && out[count - 1].base + out[count - 1].length == frame)
            out[count - 1].length += PAGE_SIZE;
        else if (count == room)
            break;
        else
            out[count++] = (struct phys_run){frame, PAGE_SIZE};
    }
    return (int)count;
}

static void get(void *context)
{
    source_references++;
}

static void put(void *context)
{
    source_references--;
}

static const struct ioas_source_ops ops = {.runs = source_runs, .get = get, .put = put};

struct ioas_source source_get(void)
{
    return (struct ioas_source){&ops, &source_frame};
}

static paddr_t one_frame(void)
{
    paddr_t frame = frames_alloc(ORDER_4K, 0);

    ASSERT(frame != PADDR_NONE);
    return frame;
}

static void place_block(unsigned page)
{
    paddr_t block = frames_alloc(ORDER_2M, 0);

    ASSERT(block != PADDR_NONE);
    for (unsigned i = 0; i < 512; i++)
        source_frame[page + i] = block + i * PAGE_SIZE;
}

void source_create(uint64_t *rng)
{
    static const struct phys_run ram = {RAM_BASE, RAM_SIZE};
    struct frames_stats stats;

    frames_reset();
    host_memory_create(RAM_BASE, RAM_SIZE);
    ASSERT(frames_init(&ram, 1, NULL, 0) == 0);
    frames_stats(&stats);
    free_at_start = stats.free;
    memobj_init(&source_device, &device_ops, 64 * PAGE_SIZE, MEMOBJ_DEVICE);
    source_references = 0;
    source_room = SIZE_MAX;
    for (unsigned i = 0; i < SOURCE_PAGES; i++) {
        source_frame[i] = SOURCE_HOLE;
        source_writable[i] = i < SOURCE_READ_ONLY || i >= SOURCE_DEVICE_PAGE;
    }
    place_block(SOURCE_BLOCK);
    place_block(SOURCE_ASKEW);
    for (unsigned i = SOURCE_SCATTERED; i < SOURCE_SCATTERED + 512; i++)
        source_frame[i] = one_frame();
    for (unsigned i = SOURCE_SCATTERED; i < SOURCE_SCATTERED + 512; i++) {
        unsigned other = SOURCE_SCATTERED + (unsigned)host_random_below(rng, 512);
        paddr_t frame = source_frame[i];

        source_frame[i] = source_frame[other];
        source_frame[other] = frame;
    }
    for (unsigned i = SOURCE_READ_ONLY; i < SOURCE_READ_ONLY + 60; i++)
        source_frame[i] = one_frame();
    for (unsigned i = 0; i < 64; i++)
        source_frame[SOURCE_DEVICE_PAGE + i] = SOURCE_DEVICE + i * PAGE_SIZE;
}

void source_replace(unsigned page, bool hole)
{
    if (source_frame[page] != SOURCE_HOLE && !source_is_device(source_frame[page]))
        frames_release(source_frame[page], PAGE_SIZE);
    source_frame[page] = hole ? SOURCE_HOLE : one_frame();
}

void source_destroy(void)
{
    struct frames_stats stats;

    for (unsigned i = 0; i < SOURCE_PAGES; i++)
        if (source_frame[i] != SOURCE_HOLE && !source_is_device(source_frame[i]))
            frames_release(source_frame[i], PAGE_SIZE);
    ASSERT(source_references == 0);
    ASSERT(list_empty(&source_device.watchers) && source_device.references == 1);
    frames_stats(&stats);
    ASSERT(stats.pins == 0 && stats.orphans == 0);
    ASSERT(stats.free <= free_at_start && stats.free + 1024 > free_at_start);
    host_memory_destroy();
}
