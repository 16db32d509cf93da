/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mm/ramobj.h"
#include "kernel/cpu/thread.h"
#include "kernel/lib/rbtree.h"
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/hugepages.h"
#include "kernel/mm/zero.h"

#define CLEAR_PIECE MIB
/* What releasing a frame costs at most, alone among pinned ones, and an extent. */
#define FRAME_WORK  40
#define EXTENT_WORK 2000

/* Frames behind [offset, offset + length), physically consecutive. */
struct extent {
    struct rb_node node;
    uint64_t offset;
    uint64_t length;
    paddr_t base;
};

struct ramobj {
    struct memobj object;
    struct rb_tree extents; /* by offset, disjoint */
    uint64_t granule;       /* of its size and its blocks */
};

static int ram_run(struct memobj *object, uint64_t offset, uint64_t max, struct phys_run *out);
static void ram_destroy(struct memobj *object);

static const struct memobj_ops ram_ops = {ram_run, ram_destroy};

static struct ramobj *ram_of(const struct memobj *object)
{
    return container_of(object, struct ramobj, object);
}

static struct extent *extent_of(struct rb_node *node)
{
    return rb_entry(node, struct extent, node);
}

/* The last extent that starts at or before the offset. */
static struct extent *extent_before(const struct ramobj *ram, uint64_t offset)
{
    struct rb_node *at = ram->extents.root;
    struct extent *best = NULL;

    while (at) {
        struct extent *extent = extent_of(at);

        if (extent->offset <= offset)
            best = extent;
        at = at->child[extent->offset <= offset ? RB_RIGHT : RB_LEFT];
    }
    return best;
}

static void extent_insert(struct ramobj *ram, struct extent *extent)
{
    struct rb_node *parent = NULL, *at = ram->extents.root;
    enum rb_side side = RB_LEFT;

    while (at) {
        parent = at;
        side = extent->offset > extent_of(at)->offset ? RB_RIGHT : RB_LEFT;
        at = at->child[side];
    }
    rb_insert(&ram->extents, &extent->node, parent, side);
}

struct memobj *ramobj_create(uint64_t size, uint64_t granule)
{
    struct ramobj *ram = kzalloc(sizeof(*ram));

    if (!ram)
        return NULL;
    ram->granule = granule;
    memobj_init(&ram->object, &ram_ops, size, 0);
    return &ram->object;
}

/* The frames of an object come from here, and go below: huge pages are counted. */
static paddr_t take_block(const struct ramobj *ram, uint64_t size, unsigned order)
{
    bool huge = ram->granule == SIZE_2M;
    paddr_t base;

    if (huge && hugepages(HUGEPAGES_FREE) < size / SIZE_2M)
        return PADDR_NONE;
    base = frames_alloc(order, FRAMES_PAYLOAD);
    if (huge && base != PADDR_NONE)
        hugepages_charge((int64_t)size);
    return base;
}

static void give_back(const struct ramobj *ram, paddr_t base, uint64_t size)
{
    if (ram->granule == SIZE_2M)
        hugepages_charge(-(int64_t)size);
    frames_release(base, size);
}

/*
 * The largest block, of an order up to `order` and `least` bytes, for the start of a hole of
 * `length` bytes; natural alignment in the object.
 */
static paddr_t block_for(const struct ramobj *ram, uint64_t offset, uint64_t length, unsigned order,
                         uint64_t least, uint64_t *size)
{
    for (*size = PAGE_SIZE << order; *size >= least; *size /= 2, order--) {
        paddr_t base;

        if (*size > length || !IS_ALIGNED(offset, *size))
            continue;
        base = take_block(ram, *size, order);
        if (base != PADDR_NONE)
            return base;
    }
    return PADDR_NONE;
}

/* Puts a block at the start of a hole, joining it with what is before where it continues. */
static int put_block(struct ramobj *ram, uint64_t offset, paddr_t base, uint64_t size)
{
    struct extent *before = extent_before(ram, offset);
    struct extent *extent;

    if (before && before->offset + before->length == offset &&
        before->base + before->length == base) {
        before->length += size;
    } else {
        extent = kmalloc(sizeof(*extent));
        if (!extent) {
            give_back(ram, base, size);
            return -ENOMEM;
        }
        *extent = (struct extent){.offset = offset, .length = size, .base = base};
        extent_insert(ram, extent);
    }
    return 0;
}

/* A block around the start of a hole, no larger than what is cleared at once. */
static int fill(struct ramobj *ram, uint64_t offset, uint64_t length)
{
    uint64_t start = ALIGN_DOWN(offset, ram->granule);
    uint64_t end = ALIGN_UP(offset + length, ram->granule);
    uint64_t size;
    paddr_t base = block_for(ram, start, end - start, ORDER_2M, ram->granule, &size);

    if (base == PADDR_NONE)
        return -ENOMEM;
    memory_zero(base, size);
    breath_left -= (int64_t)(size / sizeof(uint64_t)); /* for whoever breathes next */
    return put_block(ram, start, base, size);
}

static int clear_block(paddr_t base, uint64_t size)
{
    int error = 0;

    for (uint64_t done = 0; done < size && !error; done += CLEAR_PIECE) {
        memory_zero(base + done, CLEAR_PIECE);
        error = breathe_after(CLEAR_PIECE / sizeof(uint64_t), "shared memory");
    }
    return error;
}

int ramobj_populate(struct memobj *object, uint64_t offset, uint64_t length)
{
    struct ramobj *ram = ram_of(object);
    struct phys_run hole;
    uint64_t size;
    paddr_t base;
    int error;

    if (offset >= object->size)
        return 0;
    hole = ramobj_peek(object, offset, length);
    if (hole.base != PADDR_NONE || hole.length <= SIZE_2M)
        return 0;
    base = block_for(ram, offset, hole.length, ORDER_1G, MAX(ram->granule, CLEAR_PIECE), &size);
    if (base == PADDR_NONE)
        return 0;
    error = clear_block(base, size);
    if (!error && offset < object->size)
        hole = ramobj_peek(object, offset, size);
    if (!error && offset < object->size && hole.base == PADDR_NONE && hole.length == size)
        error = put_block(ram, offset, base, size);
    else
        give_back(ram, base, size); /* somebody else was faster */
    return error ? error : 1;
}

struct phys_run ramobj_peek(const struct memobj *object, uint64_t offset, uint64_t max)
{
    const struct ramobj *ram = ram_of(object);
    struct extent *extent = extent_before(ram, offset);
    struct rb_node *next = extent ? rb_next(&extent->node) : rb_first(&ram->extents);
    uint64_t end = MIN(object->size, offset + max);

    ASSERT(offset < object->size);
    if (extent && offset - extent->offset < extent->length) {
        uint64_t skip = offset - extent->offset;

        return (struct phys_run){extent->base + skip, MIN(extent->length - skip, end - offset)};
    }
    if (next)
        end = MIN(end, extent_of(next)->offset);
    return (struct phys_run){PADDR_NONE, end - offset};
}

static int ram_run(struct memobj *object, uint64_t offset, uint64_t max, struct phys_run *out)
{
    int error;

    *out = ramobj_peek(object, offset, max);
    if (out->base != PADDR_NONE)
        return 0;
    error = fill(ram_of(object), offset, out->length);
    if (!error)
        *out = ramobj_peek(object, offset, max);
    return error;
}

int ramobj_allocate(struct memobj *object, uint64_t offset, uint64_t length)
{
    const uint64_t end = MIN(offset + length, object->size);
    uint64_t missing = 0;
    int error = 0;

    for (uint64_t at = offset; !error && at < end;) {
        struct phys_run run = ramobj_peek(object, at, end - at);

        missing += run.base == PADDR_NONE ? run.length / SIZE_2M : 0;
        at += run.length;
        error = breathe_after(EXTENT_WORK, "huge pages");
    }
    if (!error && missing > hugepages(HUGEPAGES_FREE))
        error = -ENOMEM;
    while (!error && offset < end) {
        struct phys_run run;

        error = memobj_run(object, offset, end - offset, &run);
        if (error)
            break;
        offset += run.length;
        error = breathe_after(EXTENT_WORK, "huge pages");
    }
    return error;
}

/* What is taken out of an object at a time: its frames are released when nobody maps them. */
#define BATCH_RUNS  32u
#define BATCH_BYTES (16 * MIB)

struct batch {
    struct phys_run run[BATCH_RUNS];
    unsigned count;
    uint64_t bytes;
    uint64_t from, to; /* in the object */
};

/* Moves the end of an extent, from `offset` on and at most `room` bytes, into the batch. */
static void take_end(struct ramobj *ram, struct extent *extent, uint64_t offset, uint64_t room,
                     struct batch *batch)
{
    uint64_t skip = MAX(offset, extent->offset) - extent->offset;
    uint64_t length = MIN(extent->length - skip, room);

    extent->length -= length;
    batch->run[batch->count++] = (struct phys_run){extent->base + extent->length, length};
    batch->bytes += length;
    batch->from = extent->offset + extent->length; /* the later the lower */
    batch->to = MAX(batch->to, batch->from + length);
    if (extent->length == 0) {
        rb_remove(&ram->extents, &extent->node);
        kfree(extent);
    }
}

/* Takes the last frames of [offset, end) out. False when there are none. */
static bool take_batch(struct ramobj *ram, uint64_t offset, uint64_t end, struct batch *batch)
{
    *batch = (struct batch){0};
    while (batch->count < BATCH_RUNS && batch->bytes < BATCH_BYTES) {
        struct extent *extent = extent_before(ram, end - 1);

        if (!extent || extent->offset + extent->length <= offset)
            break;
        take_end(ram, extent, offset, BATCH_BYTES - batch->bytes, batch);
    }
    return batch->count > 0;
}

/* Makes no extent cross the offset. */
static int cut(struct ramobj *ram, uint64_t offset)
{
    struct extent *extent = extent_before(ram, offset);
    struct extent *rest;
    uint64_t keep;

    if (!extent || offset - extent->offset >= extent->length || extent->offset == offset)
        return 0;
    rest = kmalloc(sizeof(*rest));
    if (!rest)
        return -ENOMEM;
    keep = offset - extent->offset;
    *rest = (struct extent){
        .offset = offset, .length = extent->length - keep, .base = extent->base + keep};
    extent->length = keep;
    extent_insert(ram, rest);
    return 0;
}

/*
 * Frees what [offset, end) has, from the end on. First the object forgets the frames, so that no
 * fault finds them any more, then whoever maps them loses them. What others put behind meanwhile
 * stays, so that they cannot make this endless. -ENOMEM, only if they can put something across the
 * end of what is left.
 */
static int release_range(struct ramobj *ram, uint64_t offset, uint64_t end)
{
    struct batch batch;
    int error;

    while ((error = cut(ram, end)) == 0 && end > offset && take_batch(ram, offset, end, &batch)) {
        end = batch.from;
        memobj_zap(&ram->object, batch.from, batch.to);
        for (unsigned i = 0; i < batch.count; i++)
            give_back(ram, batch.run[i].base, batch.run[i].length);
        breathe_deaf_after((uint32_t)(batch.bytes / PAGE_SIZE) * FRAME_WORK +
                               EXTENT_WORK * batch.count,
                           "memory of a file");
    }
    return error;
}

/* Nobody puts anything beyond the end, so nothing is to be cut. */
static void release_from(struct ramobj *ram, uint64_t offset)
{
    int error = release_range(ram, offset, UINT64_MAX);

    ASSERT(!error);
}

void ramobj_resize(struct memobj *object, uint64_t size)
{
    uint64_t old = object->size;

    object->size = size;
    if (size < old)
        release_from(ram_of(object), size);
}

int ramobj_punch(struct memobj *object, uint64_t offset, uint64_t length)
{
    struct ramobj *ram = ram_of(object);
    uint64_t start = ALIGN_UP(offset, ram->granule);
    uint64_t end = ALIGN_DOWN(MIN(offset + length, object->size), ram->granule);

    return start < end ? release_range(ram, start, end) : 0;
}

bool memobj_is_ram(const struct memobj *object)
{
    return object->ops == &ram_ops;
}

static void ram_destroy(struct memobj *object)
{
    struct ramobj *ram = ram_of(object);

    release_from(ram, 0);
    kfree(ram);
}
