/* SPDX-License-Identifier: BSD-2-Clause */
/* Random operations, each done to the kernel and to the reference. */
#include "kernel/lib/error.h"
#include "tests/unit/host_memory.h"
#include "tests/unit/ioas_operations.h"
#include "tests/unit/ioas_reference.h"

#define WINDOW 4096 /* pages of IOVA space that requests fall into, at each of the places below */

struct model_input *model_input;

/* ---- decisions ---- */

uint64_t below(uint64_t bound)
{
    uint64_t value = 0;

    if (!model_input->data)
        return host_random_below(&model_input->rng, bound);
    for (uint64_t left = bound - 1; left && model_input->size; left >>= 8, model_input->size--)
        value = value << 8 | *model_input->data++;
    return value % bound;
}

bool chance(unsigned percent)
{
    return below(100) < percent;
}

/* Addresses around the places where something ends. */
static uint64_t some_iova(void)
{
    static const uint64_t places[] = {0,
                                      0x100000000,
                                      INTR - 64 * PAGE_SIZE,
                                      (UINT64_C(1) << 39) - WINDOW / 2 * PAGE_SIZE,
                                      (UINT64_C(1) << 48) - WINDOW / 2 * PAGE_SIZE,
                                      -(uint64_t)WINDOW * PAGE_SIZE};
    uint64_t iova = places[below(100) < 96 ? 1 : below(ARRAY_SIZE(places))];

    iova += below(WINDOW) * PAGE_SIZE;
    return chance(30) ? ALIGN_DOWN(iova, SIZE_2M) : iova;
}

static uint64_t some_length(void)
{
    if (chance(70))
        return (1 + below(12)) * PAGE_SIZE;
    return chance(50) ? SIZE_2M : (1 + below(700)) * PAGE_SIZE;
}

/* A place in the source, sometimes over its edges; mostly page aligned. */
static uint64_t some_offset(void)
{
    static const unsigned starts[] = {SOURCE_BLOCK,     SOURCE_SCATTERED,   SOURCE_ASKEW,
                                      SOURCE_READ_ONLY, SOURCE_DEVICE_PAGE, SOURCE_END};
    uint64_t page = starts[below(ARRAY_SIZE(starts))];

    if (chance(60))
        page += below(80);
    return source_address((unsigned)page);
}

/* ---- operations ---- */

static struct plan plan; /* too large for the stack */

static int op_map(void)
{
    int space = (int)below(SPACES), slot = m_free_pages(), got;
    uint64_t offset = some_offset(), length = some_length();
    unsigned flags =
        (unsigned)(1 + below(3)) | (chance(70) ? IOAS_FIXED : 0) | (chance(20) ? IOAS_RAM_ONLY : 0);
    uint64_t iova = some_iova();
    struct ioas_source source = source_get();

    if (slot < 0 || m_free_area() < 0)
        return SKIPPED;
    if (chance(1)) {
        offset += below(PAGE_SIZE);
        length += below(PAGE_SIZE);
        iova += below(PAGE_SIZE);
    }
    if (chance(2))
        (chance(50) ? &length : &offset)[0] = below(3) - 1;
    got = ioas_map(m.spaces[space].ioas, &source, offset, length, flags, &iova);
    m.pages[slot] = (struct m_pages){
        .first = (unsigned)((offset - SOURCE_BASE) / PAGE_SIZE),
        .count = (unsigned)((offset % PAGE_SIZE + length + PAGE_SIZE - 1) / PAGE_SIZE),
        .writable = flags & IOAS_WRITE,
        .ram_only = flags & IOAS_RAM_ONLY};
    plan.count = 1;
    plan.length = length;
    plan.parts[0] = (struct m_area){.used = true,
                                    .space = space,
                                    .pages = slot,
                                    .last = length - 1,
                                    .offset = offset % PAGE_SIZE,
                                    .permissions = flags & 3};
    if (length > GIB) /* only ever refused, or never looked at */
        m.pages[slot].count = SOURCE_PAGES;
    return m_judge_new(space, &plan, flags & IOAS_FIXED, iova,
                       m_check_request(space, offset, length, flags), got);
}

/* What a copy of [first, last] would consist of, or an error. */
static int plan_copy(int to, int from, uint64_t first, uint64_t last, unsigned flags)
{
    int error = 0;

    plan.count = 0;
    for (uint64_t at = first;;) {
        struct m_area *area = m_area_at(from, at);

        if (!area)
            return -ENOENT;
        plan.parts[plan.count] = *area;
        plan.parts[plan.count].space = to;
        plan.parts[plan.count].permissions = flags & 3;
        plan.parts[plan.count].offset += at - area->first;
        plan.parts[plan.count].first = 0;
        plan.parts[plan.count].last = MIN(last, area->last) - at;
        plan.count++;
        if (area->last >= last)
            break;
        at = area->last + 1;
    }
    for (size_t i = 0; i < plan.count && !error; i++) {
        const struct m_pages *p = &m.pages[plan.parts[i].pages];

        error = m_check_request(to, source_address(0) + p->first * PAGE_SIZE + plan.parts[i].offset,
                                plan.parts[i].last + 1, flags);
        if (!error && (flags & IOAS_WRITE) && !p->writable)
            error = -EPERM;
    }
    return error;
}

static int op_copy(void)
{
    int to = (int)below(SPACES), from = (int)below(SPACES), expected, got;
    unsigned flags = (unsigned)(1 + below(3)) | (chance(60) ? IOAS_FIXED : 0);
    struct m_area *area = m_area_from(from, chance(60) ? some_iova() : 0);
    uint64_t iova = some_iova(), first, length = some_length();

    if (!area || m_area_count(0) + m_area_count(1) > AREAS / 2)
        return SKIPPED;
    first = area->first;
    if (chance(60))
        length = area->last - area->first + 1;
    if (chance(30) && length > PAGE_SIZE) {
        first += PAGE_SIZE;
        length -= PAGE_SIZE;
    }
    if (chance(3))
        length += below(PAGE_SIZE);
    if (chance(1))
        length = below(3) - 1;
    plan.length = length;
    if (!length)
        expected = -EINVAL;
    else if (first + (length - 1) < first)
        expected = -EOVERFLOW;
    else
        expected = plan_copy(to, from, first, first + (length - 1), flags);
    got = ioas_copy(m.spaces[to].ioas, m.spaces[from].ioas, first, length, flags, &iova);
    return m_judge_new(to, &plan, flags & IOAS_FIXED, iova, expected, got);
}

static void forget_area(struct m_area *area)
{
    struct m_pages *p = &m.pages[area->pages];

    if (m_populated(area->space))
        m_unpin(p);
    p->areas--;
    area->used = false;
}

/* Removes what the reference has in the range; the bytes. */
static uint64_t forget_range(int space, uint64_t first, uint64_t last)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < AREAS; i++) {
        if (!m.areas[i].used || m.areas[i].space != space ||
            !meets(first, last, m.areas[i].first, m.areas[i].last))
            continue;
        bytes += m.areas[i].last - m.areas[i].first + 1;
        forget_area(&m.areas[i]);
    }
    return bytes;
}

static bool cut_by(int space, uint64_t first, uint64_t last)
{
    const struct m_area *low = m_area_at(space, first), *high = m_area_at(space, last);

    return (low && low->first != first) || (high && high->last != last);
}

static int op_unmap(void)
{
    int space = (int)below(SPACES), expected = 0, got;
    struct m_area *area = m_area_from(space, some_iova());
    uint64_t first = area ? area->first : some_iova(), unmapped;
    uint64_t last = area ? area->last : first;

    if (chance(30)) {
        uint64_t down = below(16) * PAGE_SIZE, up = below(600) * PAGE_SIZE;

        first -= MIN(first, down);
        last += MIN(UINT64_MAX - last, up);
    }
    if (chance(5) && last - first > PAGE_SIZE)
        first += PAGE_SIZE;
    if (!m_occupied(space, first, last))
        expected = -ENOENT;
    else if (cut_by(space, first, last))
        expected = -EINVAL;
    got = ioas_unmap(m.spaces[space].ioas, first, last, &unmapped);
    CHECK(got == expected);
    CHECK(unmapped == (got ? 0 : forget_range(space, first, last)));
    return got;
}

static int op_unmap_all(void)
{
    int space = (int)below(SPACES);
    uint64_t unmapped;

    if (!chance(10))
        return SKIPPED;
    CHECK(ioas_unmap_all(m.spaces[space].ioas, &unmapped) == 0);
    CHECK(unmapped == forget_range(space, 0, UINT64_MAX));
    return 0;
}

/* The reference of one cut; the pages already have the user that the new area is. */
static void m_cut(int space, uint64_t iova)
{
    struct m_area *area = m_area_at(space, iova);
    struct m_area upper;

    if (!area || area->first == iova)
        return;
    upper = *area;
    upper.first = iova;
    upper.offset += iova - area->first;
    area->last = iova - 1;
    m.pages[area->pages].areas++;
    m.pages[area->pages].users += m_populated(space);
    m.areas[m_free_area()] = upper;
}

static int op_cut(void)
{
    int space = (int)below(SPACES), expected = 0, got;
    struct m_area *area = m_area_from(space, some_iova());
    uint64_t first, last;

    if (!area || m_area_count(0) + m_area_count(1) + 2 > AREAS)
        return SKIPPED;
    first = area->first + below(4) * PAGE_SIZE;
    last = first + below(8) * PAGE_SIZE + PAGE_SIZE - 1;
    if (chance(10))
        last += below(PAGE_SIZE);
    if (last < first)
        return SKIPPED;
    if (cut_by(space, first, last) &&
        (!m.spaces[space].small || ((first | (last + 1)) & (PAGE_SIZE - 1)))) {
        area = m_area_at(space, first);
        expected = -EINVAL;
        /* Only a cut that is needed can be wrong. */
        if (m.spaces[space].small && !(first % PAGE_SIZE) &&
            !(m_area_at(space, last) && m_area_at(space, last)->last != last))
            expected = 0;
    }
    got = ioas_cut(m.spaces[space].ioas, first, last);
    CHECK(m_agree(got, expected));
    if (got)
        return got;
    if (last != UINT64_MAX)
        m_cut(space, last + 1);
    m_cut(space, first);
    return 0;
}

static int expected_attach(int space, const struct m_table *table)
{
    int error = 0;
    bool first = !m_populated(space);
    struct m_area *area;

    for (area = m_area_from(space, 0); area; area = m_area_from(space, area->first + 1))
        if (((area->first | (area->last + 1) | area->offset) & (PAGE_SIZE - 1)))
            return -EADDRINUSE;
    if (!m_reservable(space, INTR, INTR_LAST) ||
        !m_reservable(space, UINT64_C(1) << table->bits, UINT64_MAX))
        return -EADDRINUSE;
    if (!first)
        return 0;
    for (area = m_area_from(space, 0); area && !error;
         area = error ? area : m_area_from(space, area->first + 1))
        error = m_pin(&m.pages[area->pages]);
    if (!error)
        return 0;
    /* `area` is the one that failed: those before it lose what they got. */
    for (struct m_area *undo = m_area_from(space, 0); undo != area;
         undo = m_area_from(space, undo->first + 1))
        m_unpin(&m.pages[undo->pages]);
    return error;
}

static void unpin_space(int space)
{
    for (size_t i = 0; i < AREAS; i++)
        if (m.areas[i].used && m.areas[i].space == space)
            m_unpin(&m.pages[m.areas[i].pages]);
}

static int op_attach(void)
{
    int space = (int)below(SPACES), expected, got;
    struct m_table *table = &m.tables[below(TABLES)];

    if (table->space >= 0) {
        if (!chance(25))
            return SKIPPED;
        ioas_detach(m.spaces[table->space].ioas, table->domain);
        space = table->space;
        table->space = -1;
        if (!m_populated(space))
            unpin_space(space);
        return 0;
    }
    expected = expected_attach(space, table);
    got = ioas_attach(m.spaces[space].ioas, table->domain);
    CHECK(m_agree(got, expected));
    if (got && !expected && !m_populated(space))
        unpin_space(space);
    if (!got)
        table->space = space;
    return got;
}

static int op_reserve(void)
{
    int space = (int)below(SPACES), expected, got;
    size_t i = below(RANGES);
    struct m_range *slot = &m.spaces[space].reserved[i];
    uint64_t first = some_iova(), last = first + (1 + below(64)) * PAGE_SIZE - 1;

    if (slot->last) {
        ioas_unreserve(m.spaces[space].ioas, slot);
        *slot = (struct m_range){1, 0};
        return 0;
    }
    if (last <= first)
        return SKIPPED;
    expected = m_reservable(space, first, last) ? 0 : -EADDRINUSE;
    got = ioas_reserve(m.spaces[space].ioas, slot, first, last);
    CHECK(m_agree(got, expected));
    if (!got)
        *slot = (struct m_range){first, last};
    return got;
}

static int op_allow(void)
{
    int space = (int)below(SPACES), expected = 0, got;
    size_t count = below(RANGES + 1);
    struct ioas_range ranges[RANGES];

    if (!chance(30))
        return SKIPPED;
    for (size_t i = 0; i < count; i++) {
        ranges[i].first = some_iova();
        ranges[i].last = ranges[i].first + below(WINDOW) * PAGE_SIZE - (chance(95) ? 1 : 0);
        if (ranges[i].first >= ranges[i].last)
            expected = -EINVAL;
        for (size_t k = 0; k < i; k++)
            if (meets(ranges[i].first, ranges[i].last, ranges[k].first, ranges[k].last))
                expected = -EINVAL;
    }
    for (size_t i = 0; i < count && !expected; i++)
        if (!m_usable(space, ranges[i].first, ranges[i].last))
            expected = -EADDRINUSE;
    got = ioas_allow(m.spaces[space].ioas, ranges, count);
    CHECK(m_agree(got, expected));
    if (got)
        return got;
    m.spaces[space].allowed_count = count;
    for (size_t i = 0; i < count; i++)
        m.spaces[space].allowed[i] = (struct m_range){ranges[i].first, ranges[i].last};
    return 0;
}

static int op_small(void)
{
    int space = (int)below(SPACES), expected = 0, got;
    bool small = chance(50);

    if (!chance(20))
        return SKIPPED;
    if (small && !m.spaces[space].small) {
        if (m_populated(space) && m_area_count(space))
            expected = -EINVAL;
        for (size_t i = 0; i < AREAS && !expected; i++)
            if (m.areas[i].used && m.areas[i].space == space &&
                ((m.areas[i].first | (m.areas[i].last + 1) | m.areas[i].offset) & (PAGE_SIZE - 1)))
                expected = -EADDRINUSE;
    }
    got = ioas_set_small_leaves(m.spaces[space].ioas, small);
    CHECK(got == expected);
    if (!got)
        m.spaces[space].small = small;
    return got;
}

static int op_limit(void)
{
    if (chance(20))
        m.account.limit = chance(50) ? 64 * MIB : below(2048) * PAGE_SIZE;
    return 0;
}

/* The payload remaps its memory: what is pinned stays what it is. */
static int op_source(void)
{
    unsigned page = SOURCE_SCATTERED + (unsigned)below(40);

    source_replace(page, chance(30));
    if (chance(50))
        source_replace((unsigned)below(40), chance(20));
    return 0;
}

static int op_revoke(void)
{
    if (!chance(20))
        return SKIPPED;
    if (source_device.revoked) {
        memobj_restore(&source_device);
        return 0;
    }
    for (size_t i = 0; i < AREAS; i++) {
        if (!m.pages[i].areas || !m.pages[i].users)
            continue;
        for (unsigned k = 0; k < m.pages[i].count; k++)
            m.pages[i].revoked = m.pages[i].revoked || source_is_device(m.pages[i].frame[k]);
    }
    mutex_unlock(&m.lock);
    memobj_revoke(&source_device);
    CHECK(mutex_lock(&m.lock, "test") == 0);
    return 0;
}

const struct model_operation model_operations[OPERATIONS] = {
    {"map", op_map, 33, true},        {"copy", op_copy, 14, true},
    {"unmap", op_unmap, 26, false},   {"unmap_all", op_unmap_all, 1, false},
    {"cut", op_cut, 5, true},         {"attach", op_attach, 9, true},
    {"reserve", op_reserve, 3, true}, {"allow", op_allow, 2, true},
    {"small", op_small, 2, false},    {"limit", op_limit, 2, false},
    {"source", op_source, 2, false},  {"revoke", op_revoke, 1, false},
};
