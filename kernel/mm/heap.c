/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects of one size share pages. A page starts with a header that holds its free objects as a
 * list; the objects themselves have none. Memory that starts on a page boundary can only be a
 * large allocation: its length in frames is the note of its first frame.
 */
#include "kernel/mm/heap.h"
#include "kernel/lib/list.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/frames/frames.h"

#define HEAP_ALIGN 16u

struct object {
    struct object *next;
};

struct heap_page {
    struct list link;    /* in partial of its bin when it has free objects and is not current */
    struct object *free; /* last freed first */
    uint16_t used;       /* objects handed out */
    uint16_t bin;
};
#define HEADER_SIZE ALIGN_UP(sizeof(struct heap_page), HEAP_ALIGN)

/* Each size fills a page but for less than one object. The largest is half of what is left. */
#define SMALL_MAX 2032u
static const uint16_t bin_size[] = {16,  32,  48,  64,  80,  96,  112,  128,  160,      192,
                                    224, 256, 336, 448, 576, 800, 1008, 1344, SMALL_MAX};
_Static_assert(2 * SMALL_MAX + HEADER_SIZE <= PAGE_SIZE, "two of the largest objects fit");

/* All objects of one size. */
struct bin {
    struct heap_page *current; /* allocations come from here; the one page that may be empty */
    struct list partial;
    size_t used;  /* objects handed out */
    size_t pages; /* the current one, those in partial and the full ones */
};

static struct bin bins[ARRAY_SIZE(bin_size)];
/* The bin of a size, by the number of HEAP_ALIGN units. */
static uint8_t bin_of_units[SMALL_MAX / HEAP_ALIGN + 1];
static bool prepared;
static size_t large_used; /* bytes */

static void prepare(void)
{
    uint8_t bin = 0;

    for (size_t units = 0; units < ARRAY_SIZE(bin_of_units); units++) {
        if (units * HEAP_ALIGN > bin_size[bin])
            bin++;
        bin_of_units[units] = bin;
    }
    for (size_t i = 0; i < ARRAY_SIZE(bins); i++)
        list_init(&bins[i].partial);
    prepared = true;
}

static struct heap_page *page_create(uint16_t bin)
{
    size_t size = bin_size[bin];
    paddr_t frame = frames_alloc(ORDER_4K, 0);
    struct heap_page *page;

    if (frame == PADDR_NONE)
        return NULL;
    page = phys_to_virt(frame);
    list_init(&page->link);
    page->free = NULL;
    page->used = 0;
    page->bin = bin;
    bins[bin].pages++;
    for (size_t i = (PAGE_SIZE - HEADER_SIZE) / size; i-- > 0;) {
        struct object *object = (struct object *)((char *)page + HEADER_SIZE + i * size);

        object->next = page->free;
        page->free = object;
    }
    return page;
}

static void page_destroy(struct heap_page *page)
{
    list_remove(&page->link);
    bins[page->bin].pages--;
    frames_release(virt_to_phys(page), PAGE_SIZE);
}

/* The current page has nothing left: finds another. */
static bool bin_refill(struct bin *bin)
{
    if (!list_empty(&bin->partial)) {
        bin->current = list_first(&bin->partial, struct heap_page, link);
        list_remove(&bin->current->link);
        return true;
    }
    bin->current = page_create((uint16_t)(bin - bins));
    return bin->current != NULL;
}

static void *large_alloc(size_t size)
{
    uint64_t count = (size + PAGE_SIZE - 1) >> PAGE_SHIFT;
    unsigned order = 0;
    uint32_t *note;
    paddr_t base;

    if (size > SIZE_1G)
        return NULL;
    while (BIT(order) < count)
        order++;
    base = frames_alloc(order, 0);
    if (base == PADDR_NONE)
        return NULL;
    if (BIT(order) > count)
        frames_release(base + (count << PAGE_SHIFT), (BIT(order) - count) << PAGE_SHIFT);
    note = frames_note(base);
    *note = (uint32_t)count;
    large_used += count << PAGE_SHIFT;
    return phys_to_virt(base);
}

static RARE void large_free(void *memory)
{
    paddr_t base = virt_to_phys(memory);
    const uint32_t *note = frames_note(base);
    uint64_t bytes = (uint64_t)*note << PAGE_SHIFT;

    large_used -= bytes;
    frames_release(base, bytes);
}

/* What the fast path of kmalloc() cannot serve. */
static RARE void *alloc_slow(size_t size)
{
    struct bin *bin;

    if (size == 0)
        return NULL;
    if (size > SMALL_MAX)
        return large_alloc(size);
    if (!prepared)
        prepare();
    bin = &bins[bin_of_units[(size + HEAP_ALIGN - 1) / HEAP_ALIGN]];
    return bin_refill(bin) ? kmalloc(size) : NULL;
}

void *kmalloc(size_t size)
{
    struct heap_page *page;
    struct object *object;
    struct bin *bin;

    if (size - 1 >= SMALL_MAX)
        return alloc_slow(size);
    bin = &bins[bin_of_units[(size + HEAP_ALIGN - 1) / HEAP_ALIGN]];
    page = bin->current;
    if (!page || !page->free)
        return alloc_slow(size);
    object = page->free;
    page->free = object->next;
    page->used++;
    bin->used++;
    return object;
}

void *kzalloc(size_t size)
{
    void *memory = kmalloc(size);

    return memory ? memset(memory, 0, size) : NULL;
}

void *kcalloc(size_t count, size_t size)
{
    size_t bytes;

    return __builtin_mul_overflow(count, size, &bytes) ? NULL : kzalloc(bytes);
}

void *kmalloc_most(size_t *size, size_t least)
{
    void *memory = kmalloc(*size);

    while (!memory && *size > least) {
        *size = MAX(*size / 2, least);
        memory = kmalloc(*size);
    }
    return memory;
}

/* A page that was full has an object again, or one has none left handed out. */
static RARE void page_changed(struct heap_page *page, bool was_full)
{
    struct bin *bin = &bins[page->bin];

    if (page == bin->current)
        return;
    if (page->used == 0)
        page_destroy(page);
    else if (was_full)
        list_push_front(&bin->partial, &page->link);
}

void kfree(void *memory)
{
    struct heap_page *page = (struct heap_page *)ALIGN_DOWN((uintptr_t)memory, PAGE_SIZE);
    struct object *object = memory;

    if (object == (struct object *)page) {
        if (memory)
            large_free(memory);
        return;
    }
    ASSERT(page->used != 0);
    bins[page->bin].used--;
    object->next = page->free;
    page->free = object;
    if (--page->used == 0 || !object->next)
        page_changed(page, !object->next);
}

bool heap_size(size_t i, struct heap_size *out)
{
    if (i >= ARRAY_SIZE(bins))
        return false;
    *out = (struct heap_size){
        .bytes = bin_size[i],
        .per_page = (PAGE_SIZE - HEADER_SIZE) / bin_size[i],
        .used = bins[i].used,
        .pages = bins[i].pages,
    };
    return true;
}

size_t heap_used(void)
{
    size_t bytes = large_used;

    for (size_t i = 0; i < ARRAY_SIZE(bins); i++)
        bytes += bins[i].used * bin_size[i];
    return bytes;
}

void heap_trim(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(bins); i++) {
        if (bins[i].current && bins[i].current->used == 0) {
            page_destroy(bins[i].current);
            bins[i].current = NULL;
        }
    }
}
