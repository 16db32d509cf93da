/* SPDX-License-Identifier: BSD-2-Clause */
/* What the host is sent of an address space whose payload was ended. */
#include "kernel/lib/string.h"
#include "kernel/linux/memory/internal.h"
#include "kernel/machine/console/stream.h"
#include "kernel/mm/direct.h"

#define LINE_MAX   1280 /* of a mapping in /proc/self/maps, with the longest path */
#define STACK_PART (64 * KIB)
#define COPY_WORK  1000 /* of a page, and finding it */

struct sending {
    const struct space *space;
    uint64_t left; /* bytes that may still be sent */
    uaddr_t cut;   /* from where on nothing was sent any more for their sake; 0: all was */
};

/* Not device memory, and not code, which is in the program's file. */
static bool is_sent(const struct mapping *mapping)
{
    return !(mapping->flags & MAPPING_DEVICE) &&
           ((mapping->access & PAGE_WRITE) || mapping->access == PAGE_READ);
}

static void send_line(const struct mapping *mapping)
{
    char line[LINE_MAX];
    struct text text;

    text_init(&text, line, sizeof(line));
    mapping_show(mapping, &text);
    stream_send(STREAM_CRASH_MAPPING, line, text.length);
}

/* All of it that is not sent after this is zero, unless it is cut. */
static void send_span(uaddr_t start, uaddr_t end)
{
    const uint64_t span[] = {start, end};

    stream_send(STREAM_CRASH_SPAN, span, sizeof(span));
}

/* A copy, since others may release the page while it is sent. */
static void send_page(struct sending *sending, uaddr_t at)
{
    static uint8_t page[PAGE_SIZE];
    struct cpu_mapping m;

    if (!cpu_space_find(sending->space->cpu, at, at + PAGE_SIZE, &m) || (m.flags & PAGE_UNCACHED))
        return;
    if (sending->left < PAGE_SIZE) {
        sending->cut = at;
        return;
    }
    memcpy(page, phys_to_virt(m.base), PAGE_SIZE);
    breathe_deaf_after(COPY_WORK, "crash");
    sending->left -= stream_send_memory(STREAM_CRASH_MEMORY, at, page, PAGE_SIZE);
}

/* Where nothing is there yet, anonymous memory is zero, and of other memory nothing is told. */
static void send_range(struct sending *sending, const struct mapping *mapping, uaddr_t at,
                       uaddr_t end)
{
    struct cpu_mapping m;

    if (!mapping->object)
        send_span(at, end);
    while (!sending->cut && cpu_space_find(sending->space->cpu, at, end, &m)) {
        uaddr_t behind = m.at + m.length;

        breathe_deaf_after(TABLE_WORK, "crash");
        if (mapping->object)
            send_span(m.at, behind);
        for (at = m.at; at < behind && !sending->cut; at += PAGE_SIZE)
            send_page(sending, at);
    }
}

void space_send(struct space *space, const uaddr_t *stacks, size_t count, uint64_t limit)
{
    struct sending sending = {.space = space, .left = limit};
    const struct mapping *end = &space->top;
    struct mapping *m;

    mutex_lock_deaf(&space->lock, "address space");
    for (m = mapping_from(space, 0); m != end; m = mapping_next(m))
        send_line(m);
    for (size_t i = 0; i < count; i++) {
        uaddr_t start = ALIGN_DOWN(stacks[i], PAGE_SIZE);

        m = mapping_at(space, start);
        if (m && is_sent(m))
            send_range(&sending, m, start, MIN(start + STACK_PART, m->end));
    }
    for (m = mapping_from(space, 0); m != end && !sending.cut; m = mapping_next(m))
        if (is_sent(m))
            send_range(&sending, m, m->start, m->end);
    mutex_unlock(&space->lock);
    stream_send(STREAM_CRASH_END, &sending.cut, sizeof(sending.cut));
}
