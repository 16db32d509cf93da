/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/ioas_reference.h"
#include "kernel/lib/error.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/frames/internal.h"
#include "tests/unit/ioas_iommu.h"

struct model m;

/* ---- what the reference says ---- */

bool m_populated(int space)
{
    for (size_t i = 0; i < TABLES; i++)
        if (m.tables[i].space == space)
            return true;
    return false;
}

uint64_t m_alignment(int space)
{
    return m_populated(space) || m.spaces[space].small ? PAGE_SIZE : 1;
}

/* Every reserved range of a space, one after the other; false at the end. */
bool m_reserved_range(int space, size_t i, struct m_range *range)
{
    if (i < RANGES) {
        *range = m.spaces[space].reserved[i];
        return true;
    }
    i -= RANGES;
    if (i >= 2 * TABLES)
        return false;
    *range = (struct m_range){1, 0};
    if (m.tables[i / 2].space != space)
        return true;
    if (i % 2)
        *range = (struct m_range){INTR, INTR_LAST};
    else
        *range = (struct m_range){UINT64_C(1) << m.tables[i / 2].bits, UINT64_MAX};
    return true;
}

bool m_usable(int space, uint64_t first, uint64_t last)
{
    struct m_range range;

    for (size_t i = 0; m_reserved_range(space, i, &range); i++)
        if (range.first <= range.last && range.last && meets(first, last, range.first, range.last))
            return false;
    return true;
}

bool m_occupied(int space, uint64_t first, uint64_t last)
{
    for (size_t i = 0; i < AREAS; i++)
        if (m.areas[i].used && m.areas[i].space == space &&
            meets(first, last, m.areas[i].first, m.areas[i].last))
            return true;
    return false;
}

/* Could this range be reserved? */
bool m_reservable(int space, uint64_t first, uint64_t last)
{
    for (size_t i = 0; i < m.spaces[space].allowed_count; i++)
        if (meets(first, last, m.spaces[space].allowed[i].first, m.spaces[space].allowed[i].last))
            return false;
    return !m_occupied(space, first, last);
}

/* The frame behind a source page now, or an error. */
static int source_look(uint64_t page, bool writable, bool ram_only, paddr_t *frame)
{
    if (page >= SOURCE_PAGES || source_frame[page] == SOURCE_HOLE)
        return -EFAULT;
    if (writable && !source_writable[page])
        return -EFAULT;
    *frame = source_frame[page];
    return source_is_device(*frame) && (ram_only || source_device.revoked) ? -EFAULT : 0;
}

/* Adds a user: takes the picture of the source if it is the first, page by page. */
int m_pin(struct m_pages *p)
{
    if (p->users++)
        return 0;
    p->charged = 0;
    if (p->ram_only && m.charge + p->count * PAGE_SIZE > m.account.limit) {
        p->users = 0;
        return -ENOMEM;
    }
    for (unsigned i = 0; i < p->count; i++) {
        int error = source_look((uint64_t)p->first + i, p->writable, p->ram_only, &p->frame[i]);

        if (!error && !source_is_device(p->frame[i])) {
            if (m.charge + PAGE_SIZE > m.account.limit)
                error = -ENOMEM;
            else
                p->charged += PAGE_SIZE;
            m.charge += error ? 0 : PAGE_SIZE;
        }
        if (error) {
            m.charge -= p->charged;
            p->users = 0;
            return error;
        }
    }
    return 0;
}

void m_unpin(struct m_pages *p)
{
    if (--p->users)
        return;
    m.charge -= p->charged;
    p->revoked = false;
}

static int free_slot(const void *slots, size_t size, size_t offset)
{
    for (int i = 0; i < AREAS; i++) {
        const char *slot = (const char *)slots + (size_t)i * size;

        if (offset == 0 ? ((const struct m_pages *)slot)->areas == 0
                        : !((const struct m_area *)slot)->used)
            return i;
    }
    return -1;
}

int m_free_pages(void)
{
    return free_slot(m.pages, sizeof(m.pages[0]), 0);
}

int m_free_area(void)
{
    return free_slot(m.areas, sizeof(m.areas[0]), 1);
}

size_t m_area_count(int space)
{
    size_t count = 0;

    for (size_t i = 0; i < AREAS; i++)
        count += m.areas[i].used && m.areas[i].space == space;
    return count;
}

/* The area of a space with the lowest start at or after `from`, or NULL. */
struct m_area *m_area_from(int space, uint64_t from)
{
    struct m_area *found = NULL;

    for (size_t i = 0; i < AREAS; i++)
        if (m.areas[i].used && m.areas[i].space == space && m.areas[i].first >= from &&
            (!found || m.areas[i].first < found->first))
            found = &m.areas[i];
    return found;
}

struct m_area *m_area_at(int space, uint64_t iova)
{
    for (size_t i = 0; i < AREAS; i++)
        if (m.areas[i].used && m.areas[i].space == space && m.areas[i].first <= iova &&
            iova <= m.areas[i].last)
            return &m.areas[i];
    return NULL;
}

/* ---- comparing ---- */

/* The memory of an area goes through every page table of its space as it should. */
static uint64_t check_area_in(const struct m_area *area, const struct iommu_domain *domain)
{
    const struct m_pages *p = &m.pages[area->pages];
    uint64_t length = area->last - area->first + 1;

    for (uint64_t at = 0; at < length; at += PAGE_SIZE) {
        struct iommu_translation t;
        bool there = iommu_translate(domain, area->first + at, &t);

        CHECK(there == !p->revoked);
        if (!there)
            continue;
        CHECK(t.physical == p->frame[(area->offset + at) / PAGE_SIZE]);
        CHECK(t.permissions == area->permissions);
    }
    return p->revoked ? 0 : length;
}

static void check_table(const struct m_table *table)
{
    uint64_t bytes = 0, mapped = 0;

    for (unsigned level = 1; level <= PT_LEAF_MAX; level++)
        mapped += table->domain->table.leaves[level] << (12 + 9 * (level - 1));
    for (size_t i = 0; i < AREAS; i++)
        if (m.areas[i].used && m.areas[i].space == table->space)
            bytes += check_area_in(&m.areas[i], table->domain);
    CHECK(mapped == bytes);
    CHECK(table->domain->stale_count == 0);
}

/* Counts of the blocks that a consecutive piece of frames is pinned in. */
static uint64_t blocks_of(paddr_t base, uint64_t length)
{
    uint64_t blocks = 0;

    while (length) {
        uint64_t size = IS_ALIGNED(base, SIZE_2M) && length >= SIZE_2M ? SIZE_2M : PAGE_SIZE;

        base += size;
        length -= size;
        blocks++;
    }
    return blocks;
}

static uint64_t expected_pins(const struct m_pages *p)
{
    uint64_t pins = 0;

    for (unsigned i = 0, start = 0; i < p->count; i++) {
        if (i + 1 < p->count && p->frame[i + 1] == p->frame[i] + PAGE_SIZE &&
            source_is_device(p->frame[i]) == source_is_device(p->frame[i + 1]))
            continue;
        if (!source_is_device(p->frame[i]))
            pins += blocks_of(p->frame[start], (i + 1 - start) * PAGE_SIZE);
        start = i + 1;
    }
    return pins;
}

static void check_reachable(paddr_t base, uint64_t length)
{
    for (; length; base += PAGE_SIZE, length -= PAGE_SIZE) {
        uint32_t number = (uint32_t)(base >> PAGE_SHIFT);

        if (source_is_device(base))
            CHECK(!source_device.revoked);
        else
            CHECK(frames.frame[number - frames.base].pins || region_of(number)->pins);
    }
}

void m_check_all(void)
{
    struct frames_stats stats;
    uint64_t pins = 0, charged = 0;

    for (size_t i = 0; i < TABLES; i++)
        if (m.tables[i].space >= 0)
            check_table(&m.tables[i]);
    for (size_t i = 0; i < AREAS; i++) {
        if (!m.pages[i].areas || !m.pages[i].users)
            continue;
        pins += expected_pins(&m.pages[i]);
        charged += m.pages[i].charged;
    }
    frames_stats(&stats);
    CHECK(stats.pins == pins);
    CHECK(m.account.used == charged && m.charge == charged);
    ioas_iommu_each_reachable(check_reachable);
    for (int s = 0; s < SPACES; s++) {
        CHECK(ioas_area_count(m.spaces[s].ioas) == m_area_count(s));
        CHECK(ioas_alignment(m.spaces[s].ioas) == m_alignment(s));
    }
}

/* The usable ranges begin and end where the reference says so, and leave none out. */
void m_check_ranges(int space)
{
    struct ioas_range range = {0, 0};
    uint64_t from = 0;

    while (ioas_usable(m.spaces[space].ioas, from, &range)) {
        CHECK(range.first <= range.last && range.first >= from);
        CHECK(from == range.first || !m_usable(space, from, from));
        CHECK(from == range.first || !m_usable(space, range.first - 1, range.first - 1));
        CHECK(m_usable(space, range.first, range.last));
        if (range.last == UINT64_MAX)
            return;
        from = range.last + 1;
        CHECK(!m_usable(space, from, from));
    }
    CHECK(!m_usable(space, UINT64_MAX, UINT64_MAX));
}
