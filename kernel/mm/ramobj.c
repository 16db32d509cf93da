/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mm/ramobj.h"
#include "kernel/lib/avl.h"
#include "kernel/lib/error.h"
#include "kernel/mm/frames.h"
#include "kernel/mm/heap.h"

/* Frames behind [offset, offset + length), physically consecutive. */
struct extent {
    struct avl_node node;
    uint64_t offset;
    uint64_t length;
    paddr_t base;
};

struct ramobj {
    struct memobj object;
    struct avl_tree extents; /* by offset, disjoint */
    uint64_t resident;
};

static int ram_run(struct memobj *object, uint64_t offset, uint64_t max, struct phys_run *out);
static void ram_destroy(struct memobj *object);

static const struct memobj_ops ram_ops = {ram_run, ram_destroy};

static struct ramobj *ram_of(const struct memobj *object)
{
    return container_of(object, struct ramobj, object);
}

static struct extent *extent_of(struct avl_node *node)
{
    return avl_entry(node, struct extent, node);
}

/* The last extent that starts at or before the offset. */
static struct extent *extent_before(const struct ramobj *ram, uint64_t offset)
{
    struct avl_node *at = ram->extents.root;
    struct extent *best = NULL;

    while (at) {
        struct extent *extent = extent_of(at);

        if (extent->offset <= offset)
            best = extent;
        at = at->child[extent->offset <= offset ? AVL_RIGHT : AVL_LEFT];
    }
    return best;
}

static struct extent *extent_after(const struct ramobj *ram, const struct extent *extent)
{
    return extent_of(extent ? avl_next(&extent->node) : avl_first(&ram->extents));
}

static void extent_insert(struct ramobj *ram, struct extent *extent)
{
    struct avl_node *parent = NULL, *at = ram->extents.root;
    enum avl_side side = AVL_LEFT;

    while (at) {
        parent = at;
        side = extent->offset > extent_of(at)->offset ? AVL_RIGHT : AVL_LEFT;
        at = at->child[side];
    }
    avl_insert(&ram->extents, &extent->node, parent, side);
}

struct memobj *ramobj_create(uint64_t size)
{
    struct ramobj *ram = kzalloc(sizeof(*ram));

    if (!ram)
        return NULL;
    memobj_init(&ram->object, &ram_ops, size, 0);
    return &ram->object;
}

/* The largest block for the start of a hole of `length` bytes; natural alignment in the object. */
static paddr_t block_for(uint64_t offset, uint64_t length, uint64_t *size)
{
    for (unsigned order = ORDER_1G + 1; order-- > 0;) {
        paddr_t base;

        *size = PAGE_SIZE << order;
        if (*size > length || !IS_ALIGNED(offset, *size))
            continue;
        base = frames_alloc(order, FRAMES_ZERO | FRAMES_PAYLOAD);
        if (base != PADDR_NONE)
            return base;
    }
    return PADDR_NONE;
}

/* Puts a block into the hole behind `before`, joining it where it continues. */
static int fill(struct ramobj *ram, struct extent *before, uint64_t offset, uint64_t length,
                struct phys_run *out)
{
    struct extent *extent;
    uint64_t size;
    paddr_t base = block_for(offset, length, &size);

    if (base == PADDR_NONE)
        return -ENOMEM;
    if (before && before->offset + before->length == offset &&
        before->base + before->length == base) {
        before->length += size;
    } else {
        extent = kmalloc(sizeof(*extent));
        if (!extent) {
            frames_release(base, size);
            return -ENOMEM;
        }
        extent->offset = offset;
        extent->length = size;
        extent->base = base;
        extent_insert(ram, extent);
    }
    ram->resident += size;
    *out = (struct phys_run){base, size};
    return 0;
}

struct phys_run ramobj_peek(const struct memobj *object, uint64_t offset, uint64_t max)
{
    const struct ramobj *ram = ram_of(object);
    struct extent *extent = extent_before(ram, offset);
    struct extent *next;
    uint64_t end = MIN(object->size, offset + max);

    if (extent && offset - extent->offset < extent->length) {
        uint64_t skip = offset - extent->offset;

        return (struct phys_run){extent->base + skip, MIN(extent->length - skip, end - offset)};
    }
    next = extent_after(ram, extent);
    if (next)
        end = MIN(end, next->offset);
    return (struct phys_run){PADDR_NONE, end - offset};
}

static int ram_run(struct memobj *object, uint64_t offset, uint64_t max, struct phys_run *out)
{
    struct ramobj *ram = ram_of(object);

    *out = ramobj_peek(object, offset, max);
    if (out->base != PADDR_NONE)
        return 0;
    return fill(ram, extent_before(ram, offset), offset, out->length, out);
}

static void release(struct ramobj *ram, paddr_t base, uint64_t length)
{
    frames_release(base, length);
    ram->resident -= length;
}

/* Frees what [offset, end) has, but for an extent that sticks out at the end. */
static void release_range(struct ramobj *ram, uint64_t offset, uint64_t end)
{
    struct extent *extent = extent_before(ram, offset);

    if (extent && offset - extent->offset < extent->length && extent->offset < offset) {
        uint64_t keep = offset - extent->offset;

        release(ram, extent->base + keep, extent->length - keep);
        extent->length = keep;
    }
    if (!extent || extent->offset < offset)
        extent = extent_after(ram, extent);
    while (extent && extent->offset < end) {
        struct extent *next = extent_after(ram, extent);

        avl_remove(&ram->extents, &extent->node);
        release(ram, extent->base, extent->length);
        kfree(extent);
        extent = next;
    }
}

void ramobj_resize(struct memobj *object, uint64_t size)
{
    struct ramobj *ram = ram_of(object);

    if (size >= object->size) {
        object->size = size;
        return;
    }
    object->size = size;
    memobj_zap(object, size);
    release_range(ram, size, UINT64_MAX);
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
    rest->offset = offset;
    rest->length = extent->length - keep;
    rest->base = extent->base + keep;
    extent->length = keep;
    extent_insert(ram, rest);
    return 0;
}

int ramobj_punch(struct memobj *object, uint64_t offset, uint64_t length)
{
    struct ramobj *ram = ram_of(object);
    uint64_t end;

    if (offset >= object->size)
        return 0;
    end = offset + MIN(length, object->size - offset);
    if (cut(ram, end))
        return -ENOMEM;
    memobj_zap(object, offset);
    release_range(ram, offset, end);
    return 0;
}

uint64_t ramobj_resident(const struct memobj *object)
{
    return ram_of(object)->resident;
}

bool memobj_is_ram(const struct memobj *object)
{
    return object->ops == &ram_ops;
}

static void ram_destroy(struct memobj *object)
{
    struct ramobj *ram = ram_of(object);

    release_range(ram, 0, UINT64_MAX);
    kfree(ram);
}
