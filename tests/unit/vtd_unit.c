/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/vtd_unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/vtd_memory.h"

#define ADDRESS UINT64_C(0x000ffffffffff000)

static struct vtd_unit *units[VTD_UNITS_MAX];
static size_t unit_count;

struct vtd_unit *vtd_unit_add(paddr_t base, uint64_t cap, uint64_t ecap)
{
    struct vtd_unit *unit = calloc(1, sizeof(*unit));

    if (unit_count == VTD_UNITS_MAX)
        abort();
    unit->base = base;
    unit->cap = cap;
    unit->ecap = ecap;
    unit->fectl = unit->iectl = 1u << 31 | VTD_RESERVED;
    unit->pmen = VTD_RESERVED;
    unit->ccmd = VTD_RESERVED << 34;
    unit->iotlb = VTD_RESERVED;
    units[unit_count++] = unit;
    return unit;
}

void vtd_units_reset(void)
{
    while (unit_count)
        free(units[--unit_count]);
}

static bool coherent(const struct vtd_unit *unit)
{
    return unit->ecap & 1;
}

static bool buffered(const struct vtd_unit *unit)
{
    return unit->cap & BIT(4);
}

static bool caching_mode(const struct vtd_unit *unit)
{
    return unit->cap & BIT(7);
}

/* With write buffers the unit sees memory as it was at the last flush or invalidation. */
static uint64_t fetch64(const struct vtd_unit *unit, paddr_t at)
{
    uint64_t value;

    memcpy(&value, vtd_memory_seen(at, !coherent(unit) || buffered(unit)), sizeof(value));
    return value;
}

/* An invalidation flushes write buffers first. Flushed lines are visible at once without them. */
static void drain(const struct vtd_unit *unit)
{
    if (buffered(unit))
        vtd_memory_drain();
}

static void note(struct vtd_unit *unit, enum vtd_event event)
{
    if (unit->event_count == VTD_LOG_MAX)
        abort();
    unit->events[unit->event_count++] = (uint8_t)event;
}

unsigned vtd_unit_count(const struct vtd_unit *unit, enum vtd_event event)
{
    unsigned count = 0;

    for (size_t i = 0; i < unit->event_count; i++)
        count += unit->events[i] == event;
    return count;
}

size_t vtd_unit_first(const struct vtd_unit *unit, enum vtd_event event)
{
    size_t i = 0;

    while (i < unit->event_count && unit->events[i] != event)
        i++;
    return i;
}

void vtd_unit_forget_events(struct vtd_unit *unit)
{
    unit->event_count = 0;
    unit->descriptor_count = 0;
}

/* ---- faults ---- */

static unsigned records(const struct vtd_unit *unit)
{
    return (unsigned)bits_get(unit->cap, 47, 40) + 1;
}

static uint64_t record_offset(const struct vtd_unit *unit)
{
    return bits_get(unit->cap, 33, 24) * 16;
}

static uint32_t fault_status(const struct vtd_unit *unit)
{
    uint32_t status = unit->fsts | unit->endless_faults;

    for (unsigned i = 0; i < records(unit); i++) {
        unsigned index = (unit->next_record + i) % records(unit);

        if (unit->records[index][1] & BIT(63))
            return status | 2 | index << 8; /* PPF, FRI: the oldest */
    }
    return status;
}

void vtd_unit_fault(struct vtd_unit *unit, uint16_t rid, uint8_t reason, uint64_t info, bool read)
{
    uint64_t *record = unit->records[unit->next_record];
    bool pending = fault_status(unit) & 3;

    if ((unit->fsts & 1) || (record[1] & BIT(63))) {
        unit->fsts |= 1; /* PFO: nothing is recorded until it is cleared */
        return;
    }
    record[0] = info;
    /* The PASID field holds garbage, as QEMU's does. */
    record[1] =
        BIT(63) | (uint64_t)read << 62 | UINT64_C(0xffff) << 40 | (uint64_t)reason << 32 | rid;
    unit->next_record = (unit->next_record + 1) % records(unit);
    if (!pending && !(unit->fectl & (1u << 31)))
        unit->fault_interrupts++;
}

/* ---- invalidation ---- */

static bool disjoint(uint64_t a, uint64_t a_last, uint64_t b, uint64_t b_last)
{
    return a_last < b || b_last < a;
}

static uint64_t span_last(const struct vtd_cached_entry *entry)
{
    return entry->iova + (BIT(12 + 9 * (entry->level - 1)) - 1);
}

static void invalidate_contexts(struct vtd_unit *unit, unsigned granularity, uint16_t domain,
                                uint16_t rid)
{
    note(unit, VTD_EVENT_CONTEXT);
    drain(unit);
    if (unit->deaf_to & VTD_DEAF_CONTEXT)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(unit->contexts); i++) {
        struct vtd_cached_context *cached = &unit->contexts[i];

        if (granularity >= 2 && cached->domain != domain)
            continue;
        if (granularity == 3 && cached->rid != rid)
            continue;
        cached->valid = false;
    }
}

static void invalidate_tables(struct vtd_unit *unit, unsigned granularity, uint16_t domain,
                              uint64_t first, uint64_t last)
{
    for (size_t i = 0; i < VTD_CACHED_MAX; i++) {
        struct vtd_cached_entry *table = &unit->tables[i];

        if (granularity == 1 ||
            (table->domain == domain &&
             (granularity == 2 || !disjoint(table->iova, span_last(table), first, last))))
            table->valid = false;
    }
}

/* Only leaves that are wholly inside the range go. */
static void invalidate_leaves(struct vtd_unit *unit, unsigned granularity, uint16_t domain,
                              uint64_t first, uint64_t last)
{
    for (size_t i = 0; i < VTD_CACHED_MAX; i++) {
        struct vtd_cached_entry *leaf = &unit->leaves[i];

        if (granularity == 1 ||
            (leaf->domain == domain &&
             (granularity == 2 || (leaf->iova >= first && span_last(leaf) <= last))))
            leaf->valid = false;
    }
}

static void invalidate_iotlb(struct vtd_unit *unit, unsigned granularity, uint16_t domain,
                             uint64_t address)
{
    unsigned leaves = granularity == 3 ? VTD_DEAF_PAGES : granularity == 2 ? VTD_DEAF_DOMAIN : 0;
    unsigned tables = leaves << 1;
    uint64_t first = address & ~UINT64_C(0xfff);
    uint64_t last = first + (BIT(12 + (address & 63)) - 1);
    bool leaf_only = address & BIT(6);

    note(unit, VTD_EVENT_IOTLB);
    drain(unit);
    if (!(unit->deaf_to & leaves))
        invalidate_leaves(unit, granularity, domain, first, last);
    if (!(unit->deaf_to & tables) && !(granularity == 3 && leaf_only))
        invalidate_tables(unit, granularity, domain, first, last);
}

static bool page_request_valid(const struct vtd_unit *unit, uint64_t address)
{
    unsigned mask = address & 63;

    return (unit->cap & BIT(39)) && mask <= bits_get(unit->cap, 53, 48) &&
           IS_ALIGNED(address & ~UINT64_C(0xfff), BIT(12 + mask));
}

static void invalidate_interrupts(struct vtd_unit *unit, const struct vtd_descriptor *request)
{
    uint64_t index = bits_get(request->low, 47, 32), mask = bits_get(request->low, 31, 27);

    note(unit, VTD_EVENT_ENTRIES);
    drain(unit);
    if (!(request->low & BIT(4)))
        memset(unit->interrupts, 0, sizeof(unit->interrupts));
    else
        memset(&unit->interrupts[index], 0, sizeof(unit->interrupts[0]) << mask);
}

/* Throttling units know the physical function, or the function itself; others reserve it. */
static bool device_request_valid(const struct vtd_unit *unit, const struct vtd_descriptor *request)
{
    uint64_t rid = bits_get(request->low, 47, 32);
    uint64_t function = bits_get(request->low, 63, 52) << 4 | bits_get(request->low, 15, 12);

    if (unit->physical_function)
        rid = unit->physical_function;
    return !(request->high & 0xffe) && !(request->low & UINT64_C(0x000f0000ffe00ff0)) &&
           function == (unit->ecap & BIT(41) ? rid : 0);
}

/* False: malformed. */
static bool execute(struct vtd_unit *unit, const struct vtd_descriptor *request)
{
    unsigned granularity = (unsigned)bits_get(request->low, 5, 4);
    uint16_t domain = (uint16_t)bits_get(request->low, 31, 16);
    uint64_t mask = bits_get(request->low, 31, 27);

    switch (request->low & 15) {
    case 1:
        if (granularity == 0 || request->high || (request->low & UINT64_C(0xfffc00000000ffc0)))
            return false;
        invalidate_contexts(unit, granularity, domain, (uint16_t)bits_get(request->low, 47, 32));
        return true;
    case 2:
        if (granularity == 0 || (request->low & UINT64_C(0xffffffff0000ff00)))
            return false;
        if (granularity == 3 && !page_request_valid(unit, request->high))
            return false;
        invalidate_iotlb(unit, granularity, domain, request->high);
        return true;
    case 3:
        note(unit, VTD_EVENT_DEVICE_TLB);
        return device_request_valid(unit, request);
    case 4:
        if (mask > bits_get(unit->ecap, 23, 20) || (request->low & UINT64_C(0xffff000007ffffe0)))
            return false;
        if (request->low & BIT(4) && !IS_ALIGNED(bits_get(request->low, 47, 32), BIT(mask)))
            return false;
        invalidate_interrupts(unit, request);
        return true;
    case 5:
        note(unit, VTD_EVENT_WAIT);
        /* QEMU is stricter than the specification: a wait must write or interrupt. */
        if (request->high & 3 || !(request->low & (BIT(4) | BIT(5))))
            return false;
        if (request->low & BIT(5))
            vtd_memory_write32(request->high, (uint32_t)(request->low >> 32));
        return true;
    default:
        return false;
    }
}

static bool rejects(struct vtd_unit *unit)
{
    if (unit->reject_in == 0 || --unit->reject_in)
        return false;
    if (unit->rejections && --unit->rejections)
        unit->reject_in = 1;
    return true;
}

static void run_queue(struct vtd_unit *unit)
{
    uint64_t bytes = PAGE_SIZE << (unit->iqa & 7);

    while (unit->gsts & (1u << 26) && !unit->dead && !(unit->fsts & 0x50) &&
           unit->iqh != unit->iqt) {
        paddr_t at = (unit->iqa & ADDRESS) + unit->iqh;
        struct vtd_descriptor request = {fetch64(unit, at), fetch64(unit, at + 8)};

        /* Write buffers hold table updates; the queue's own memory is read as it is. */
        if (buffered(unit))
            memcpy(&request, vtd_memory_seen(at, !coherent(unit)), sizeof(request));
        if ((request.low & 15) == 3 && unit->device_tlb_looks)
            return;
        if (unit->descriptor_count < VTD_LOG_MAX)
            unit->descriptors[unit->descriptor_count++] = request;
        if (unit->device_tlb_dead && (request.low & 15) == 3) {
            unit->fsts |= 0x40; /* ITE: the waits behind it are dropped */
            unit->iqh = unit->iqt;
            return;
        }
        if (unit->completion_error && (request.low & 15) == 5) {
            unit->completion_error = false;
            unit->fsts |= 0x20;
            /* and the status comes late: hold the queue until it is noticed */
            return;
        }
        if (rejects(unit) || !execute(unit, &request)) {
            unit->fsts |= 0x10;
            unit->iqercd = 1;
            return;
        }
        unit->iqh = (unit->iqh + 16) % bytes;
    }
}

/* ---- registers ---- */

static void require(bool condition, const char *what, uint64_t offset)
{
    if (condition)
        return;
    fprintf(stderr, "VT-d register 0x%llx: %s\n", (unsigned long long)offset, what);
    abort();
}

/* These are to be written as they are read (RsvdP). */
static void preserves(uint64_t before, uint64_t value, uint64_t reserved, uint64_t offset)
{
    require(!((before ^ value) & reserved), "reserved bits changed", offset);
}

static void set_status(struct vtd_unit *unit, uint32_t bit, bool on, enum vtd_event on_event,
                       enum vtd_event off_event)
{
    if (((unit->gsts & bit) != 0) == on || (unit->ignored & bit))
        return;
    unit->gsts ^= bit;
    if (on ? on_event : off_event)
        note(unit, on ? on_event : off_event);
}

static void global_command(struct vtd_unit *unit, uint32_t value)
{
    unit->gcmd_writes++;
    if (unit->dead)
        return;
    if (value & (1u << 30) && !(unit->ignored & (1u << 30))) {
        unit->root = unit->rtaddr & ADDRESS;
        unit->gsts |= 1u << 30;
        note(unit, VTD_EVENT_ROOT);
    }
    if (value & (1u << 24) && !(unit->ignored & (1u << 24))) {
        unit->table = unit->irta;
        unit->gsts |= 1u << 24;
        note(unit, VTD_EVENT_TABLE);
    }
    if (value & (1u << 27)) {
        if (!buffered(unit))
            abort(); /* a flush nobody asked for */
        if (unit->ignored & (1u << 27))
            unit->gsts |= 1u << 27;
        vtd_memory_drain();
        note(unit, VTD_EVENT_BUFFER_FLUSH);
    }
    if (value & (1u << 26) && !(unit->gsts & (1u << 26)))
        unit->iqh = 0;
    require(!unit->strict_off || value & (1u << 26) || unit->iqh == unit->iqt,
            "the queue was switched off with requests in it", 0x18);
    set_status(unit, 1u << 26, value & (1u << 26), VTD_EVENT_QUEUE_ON, VTD_EVENT_QUEUE_OFF);
    set_status(unit, 1u << 25, value & (1u << 25), VTD_EVENT_REMAP_ON, VTD_EVENT_REMAP_OFF);
    set_status(unit, 1u << 23, value & (1u << 23), 0, VTD_EVENT_COMPATIBILITY_OFF);
    set_status(unit, 1u << 31, value & (1u << 31), VTD_EVENT_TRANSLATE_ON, VTD_EVENT_TRANSLATE_OFF);
}

static void context_command(struct vtd_unit *unit, uint64_t value)
{
    unsigned granularity = (unsigned)bits_get(value, 62, 61);

    preserves(unit->ccmd, value, UINT64_C(0x07fffffc00000000), 0x28);
    unit->ccmd = value & ~(UINT64_C(3) << 59);
    if (!(value & BIT(63)) || unit->dead || unit->gsts & (1u << 26))
        return; /* with the queue on it never completes */
    invalidate_contexts(unit, granularity, (uint16_t)value, (uint16_t)bits_get(value, 31, 16));
    unit->ccmd &= ~BIT(63);
    unit->ccmd |= unit->registers_refuse ? 0 : (uint64_t)granularity << 59;
}

static void iotlb_command(struct vtd_unit *unit, uint64_t value)
{
    unsigned granularity = (unsigned)bits_get(value, 61, 60);

    preserves(unit->iotlb, value, UINT64_C(0x49fc0000ffffffff), 0);
    unit->iotlb = value & ~(UINT64_C(3) << 57);
    if (!(value & BIT(63)) || unit->dead || unit->gsts & (1u << 26))
        return;
    unit->iotlb &= ~BIT(63);
    if (unit->registers_refuse || (granularity == 3 && !page_request_valid(unit, unit->iva)))
        return;
    invalidate_iotlb(unit, granularity, (uint16_t)bits_get(value, 47, 32), unit->iva);
    unit->iotlb |= (uint64_t)granularity << 57;
}

static void protected_memory(struct vtd_unit *unit, uint32_t value)
{
    preserves(unit->pmen, value, 0x7ffffffe, 0x64);
    unit->pmen = value & ~1u;
    if (value >> 31 || unit->protect_stuck)
        unit->pmen |= 1;
    else
        note(unit, VTD_EVENT_PROTECT_OFF);
}

static bool in_records(const struct vtd_unit *unit, uint64_t offset)
{
    return offset >= record_offset(unit) && offset < record_offset(unit) + 16 * records(unit);
}

uint64_t vtd_unit_read(struct vtd_unit *unit, uint64_t offset, unsigned bytes)
{
    uint64_t iotlb = bits_get(unit->ecap, 17, 8) * 16;

    if (in_records(unit, offset)) {
        const uint64_t *record = unit->records[(offset - record_offset(unit)) / 16];

        require(bytes == 8 && offset % 8 == 0, "fault records are read in halves", offset);
        return record[(offset % 16) / 8];
    }
    require(bytes == 4 || offset % 8 == 0, "misaligned", offset);
    if (offset == iotlb || offset == iotlb + 8)
        return offset == iotlb ? unit->iva : unit->iotlb;
    switch (offset) {
    case 0x00:
        return 0x10;
    case 0x08:
        return unit->cap;
    case 0x10:
        return unit->ecap;
    case 0x1c:
        return unit->gsts;
    case 0x20:
        return unit->rtaddr;
    case 0x28:
        return unit->ccmd;
    case 0x34:
        if (unit->device_tlb_looks && !--unit->device_tlb_looks)
            run_queue(unit);
        return fault_status(unit);
    case 0x38:
        return unit->fectl;
    case 0xa0:
        return unit->iectl;
    case 0x64:
        return unit->pmen;
    case 0x80:
        return unit->iqh;
    case 0x88:
        return unit->iqt;
    case 0xb0:
        return unit->iqercd;
    default:
        require(false, "unexpected read", offset);
        return 0;
    }
}

static void write_record(struct vtd_unit *unit, uint64_t offset, uint64_t value)
{
    uint64_t *record = unit->records[(offset - record_offset(unit)) / 16];

    require(offset % 16 == 12, "only the topmost dword of a record is written", offset);
    if ((value & (1u << 31)) && !unit->endless_records)
        record[1] &= ~BIT(63);
}

static void write_status(struct vtd_unit *unit, uint32_t value)
{
    require(!(value & 2), "PPF is read-only", 0x34);
    unit->fsts &= ~(value & 0x71);
    run_queue(unit);
}

void vtd_unit_write(struct vtd_unit *unit, uint64_t offset, uint64_t value, unsigned bytes)
{
    uint64_t iotlb = bits_get(unit->ecap, 17, 8) * 16;
    bool wide = offset == 0x20 || offset == 0x28 || (offset >= 0x80 && offset <= 0x90) ||
                offset == 0xb8 || offset == iotlb || offset == iotlb + 8;

    if (in_records(unit, offset)) {
        write_record(unit, offset, value);
        return;
    }
    require(bytes == (wide ? 8 : 4), "wrong width", offset);
    if (offset == iotlb) {
        unit->iva = value;
        return;
    }
    if (offset == iotlb + 8) {
        iotlb_command(unit, value);
        return;
    }
    switch (offset) {
    case 0x18:
        global_command(unit, (uint32_t)value);
        return;
    case 0x20:
        unit->rtaddr = value;
        return;
    case 0x28:
        context_command(unit, value);
        return;
    case 0x34:
        write_status(unit, (uint32_t)value);
        return;
    case 0x38:
        preserves(unit->fectl, value, 0x3fffffff, offset);
        unit->fectl = (uint32_t)value;
        return;
    case 0x3c:
        unit->fedata = (uint32_t)value;
        return;
    case 0x40:
        unit->feaddr = (uint32_t)value;
        return;
    case 0x44:
        unit->feuaddr = (uint32_t)value;
        return;
    case 0x64:
        protected_memory(unit, (uint32_t)value);
        return;
    case 0x88:
        require(value < PAGE_SIZE << (unit->iqa & 7), "the tail must wrap first", offset);
        unit->iqt = value;
        run_queue(unit);
        return;
    case 0x90:
        require(!(unit->gsts & (1u << 26)), "the queue moved while it was on", offset);
        unit->iqa = value;
        return;
    case 0xa0:
        preserves(unit->iectl, value, 0x3fffffff, offset);
        unit->iectl = (uint32_t)value;
        return;
    case 0xb8:
        unit->irta = value;
        return;
    default:
        require(false, "unexpected write", offset);
    }
}

/* ---- requests ---- */

static struct vtd_cached_context *context_of(struct vtd_unit *unit, uint16_t rid)
{
    for (size_t i = 0; i < ARRAY_SIZE(unit->contexts); i++) {
        if (unit->contexts[i].valid && unit->contexts[i].rid == rid)
            return &unit->contexts[i];
    }
    return NULL;
}

/* Fetches the context entry. Absence is only cached with caching mode, under domain 0. */
static unsigned fetch_context(struct vtd_unit *unit, uint16_t rid, struct vtd_context_entry *out)
{
    struct vtd_cached_context *cached = context_of(unit, rid);
    uint64_t root = fetch64(unit, unit->root + (rid >> 8) * 16);
    paddr_t at = (root & ADDRESS) + (rid & 0xff) * 16;

    if (!cached) {
        *out = (struct vtd_context_entry){0, 0};
        if (root & 1)
            *out = (struct vtd_context_entry){fetch64(unit, at), fetch64(unit, at + 8)};
        if (!(out->low & 1) && !caching_mode(unit))
            return root & 1 ? 2 : 1;
        cached = &unit->contexts[unit->next_context++ % ARRAY_SIZE(unit->contexts)];
        *cached = (struct vtd_cached_context){true, rid, 0, *out};
        if (out->low & 1)
            cached->domain = (uint16_t)bits_get(out->high, 23, 8);
    }
    *out = cached->entry;
    return out->low & 1 ? 0 : 2;
}

static struct vtd_cached_entry *cached_at(struct vtd_cached_entry *cache, uint16_t domain,
                                          unsigned level, uint64_t iova)
{
    for (size_t i = 0; i < VTD_CACHED_MAX; i++) {
        struct vtd_cached_entry *entry = &cache[i];

        if (entry->valid && entry->domain == domain && (level == 0 || entry->level == level) &&
            iova >= entry->iova && iova <= span_last(entry))
            return entry;
    }
    return NULL;
}

static void remember(struct vtd_cached_entry *cache, size_t *next, uint16_t domain, unsigned level,
                     uint64_t iova, uint64_t entry)
{
    if (cached_at(cache, domain, level, iova))
        return;
    cache[(*next)++ % VTD_CACHED_MAX] = (struct vtd_cached_entry){
        true, domain, level, ALIGN_DOWN(iova, BIT(12 + 9 * (level - 1))), entry};
}

/* The leaf entry for an address: from the IOTLB, else walking from the deepest cached table. */
static uint64_t fetch_leaf(struct vtd_unit *unit, const struct vtd_context_entry *context,
                           uint64_t iova, unsigned *level_out)
{
    uint16_t domain = (uint16_t)bits_get(context->high, 23, 8);
    unsigned level = (unsigned)(context->high & 7) + 2;
    struct vtd_cached_entry *cached = cached_at(unit->leaves, domain, 0, iova);
    paddr_t table = context->low & ADDRESS;

    if (cached) {
        *level_out = cached->level;
        return cached->entry;
    }
    for (unsigned deep = 2; deep < level; deep++) {
        struct vtd_cached_entry *place = cached_at(unit->tables, domain, deep, iova);

        if (place) {
            table = place->entry & ADDRESS;
            level = deep - 1;
            break;
        }
    }
    for (;; level--) {
        uint64_t entry = fetch64(unit, table + ((iova >> (12 + 9 * (level - 1))) & 511) * 8);

        *level_out = level;
        if (!(entry & 3)) {
            /* Absence is cached by the page. */
            if (caching_mode(unit))
                remember(unit->leaves, &unit->next_leaf, domain, 1, iova, 0);
            return 0;
        }
        if (level == 1 || entry & 0x80) {
            remember(unit->leaves, &unit->next_leaf, domain, level, iova, entry);
            return entry;
        }
        remember(unit->tables, &unit->next_table, domain, level, iova, entry);
        table = entry & ADDRESS;
    }
}

static unsigned translate(struct vtd_unit *unit, uint16_t rid, uint64_t iova, bool write,
                          paddr_t *physical, bool *quiet)
{
    struct vtd_context_entry context;
    unsigned level, reason = fetch_context(unit, rid, &context);
    uint64_t entry, offset;

    *quiet = context.low & 2;
    if (reason)
        return reason;
    if (!((bits_get(unit->cap, 12, 8)) & (1u << (context.high & 7))) || (context.low & 12) > 4)
        return 3;
    if (iova >> (12 + 9 * ((context.high & 7) + 2)) || iova >> (bits_get(unit->cap, 21, 16) + 1))
        return 4;
    entry = fetch_leaf(unit, &context, iova, &level);
    if (!(entry & (write ? 2 : 1)))
        return write ? 5 : 6;
    offset = iova & (BIT(12 + 9 * (level - 1)) - 1);
    if ((level > 1 && !(bits_get(unit->cap, 37, 34) & (1u << (level - 2)))) ||
        (entry & ADDRESS & (BIT(12 + 9 * (level - 1)) - 1)))
        return 0xc;
    *physical = (entry & ADDRESS) + offset;
    return 0;
}

unsigned vtd_unit_dma(struct vtd_unit *unit, uint16_t rid, uint64_t iova, bool write,
                      paddr_t *physical)
{
    bool quiet = false;
    unsigned reason;

    if (!(unit->gsts & (1u << 31))) {
        *physical = iova;
        return 0;
    }
    reason = translate(unit, rid, iova, write, physical, &quiet);
    if (reason && !quiet)
        vtd_unit_fault(unit, rid, (uint8_t)reason, iova & ~UINT64_C(0xfff), !write);
    return reason;
}

unsigned vtd_unit_translated(struct vtd_unit *unit, uint16_t rid)
{
    struct vtd_context_entry context;
    unsigned reason = fetch_context(unit, rid, &context);

    if (!reason && !(context.low & 4))
        reason = 0xd;
    return reason;
}

static bool source_ok(const struct vtd_irte *entry, uint16_t rid)
{
    unsigned bus = rid >> 8;

    switch (bits_get(entry->high, 19, 18)) {
    case 0:
        return true;
    case 1:
        return (uint16_t)entry->high == rid;
    case 2:
        return bus >= bits_get(entry->high, 15, 8) && bus <= bits_get(entry->high, 7, 0);
    default:
        return false;
    }
}

static unsigned remap(struct vtd_unit *unit, uint16_t rid, uint64_t address, uint32_t data,
                      struct vtd_irte *out, uint64_t *index)
{
    bool x2apic = unit->table & BIT(11);

    *index = 0;
    if (!(address & BIT(4)))
        return x2apic || !(unit->gsts & (1u << 23)) ? 0x25 : 0;
    *index = bits_get(address, 19, 5) | bits_get(address, 2, 2) << 15;
    if (address & BIT(3))
        *index += data & 0xffff;
    if ((address & BIT(3)) && data >> 16)
        return 0x20;
    if (*index >= UINT64_C(2) << (unit->table & 15))
        return 0x21;
    if (!unit->interrupts[*index].valid) {
        paddr_t at = (unit->table & ADDRESS) + *index * 16;
        struct vtd_irte fresh = {fetch64(unit, at), fetch64(unit, at + 8)};

        if (!(fresh.low & 1) && !caching_mode(unit))
            return 0x22;
        unit->interrupts[*index] = (struct vtd_cached_interrupt){true, fresh};
    }
    *out = unit->interrupts[*index].entry;
    if (!(out->low & 1))
        return 0x22;
    if (out->low & UINT64_C(0xff007000) || out->high >> 20 ||
        (!x2apic && (out->low >> 32) & 0xffff00ff))
        return 0x24;
    return source_ok(out, rid) ? 0 : 0x26;
}

unsigned vtd_unit_interrupt(struct vtd_unit *unit, uint16_t rid, uint64_t address, uint32_t data,
                            uint8_t *vector, uint32_t *destination, bool *level)
{
    struct vtd_irte entry = {0, 0};
    uint64_t index;
    unsigned reason = remap(unit, rid, address, data, &entry, &index);

    if (reason) {
        vtd_unit_fault(unit, rid, (uint8_t)reason, index << 48, true);
        return reason;
    }
    *vector = (uint8_t)bits_get(entry.low, 23, 16);
    *destination = (uint32_t)(entry.low >> 32);
    if (!(unit->table & BIT(11)))
        *destination >>= 8;
    *level = entry.low & BIT(4);
    return 0;
}
