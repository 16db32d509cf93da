/* SPDX-License-Identifier: BSD-2-Clause */
/* What a map or a copy must do, and where its areas may come to lie. */
#include "kernel/lib/error.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/ioas_iommu.h"
#include "tests/unit/ioas_reference.h"

uint64_t model_large;

static void move_plan(struct plan *plan, uint64_t iova)
{
    for (size_t i = 0; i < plan->count; i++) {
        uint64_t length = plan->parts[i].last - plan->parts[i].first;

        plan->parts[i].first = iova;
        plan->parts[i].last = iova + length;
        iova += length + 1;
    }
}

int m_check_request(int space, uint64_t offset, uint64_t length, unsigned flags)
{
    if (!(flags & (IOAS_READ | IOAS_WRITE)) || !length)
        return -EINVAL;
    if (offset + (length - 1) < offset)
        return -EOVERFLOW;
    return (offset | length) & (m_alignment(space) - 1) ? -EINVAL : 0;
}

static int check_fixed(int space, uint64_t iova, uint64_t length)
{
    if (iova & (m_alignment(space) - 1))
        return -EINVAL;
    if (iova + (length - 1) < iova)
        return -EOVERFLOW;
    if (!m_usable(space, iova, iova + (length - 1)))
        return -EINVAL;
    return m_occupied(space, iova, iova + (length - 1)) ? -EEXIST : 0;
}

/* Pins everything of a plan, or nothing. */
static int pin_plan(int space, struct plan *plan)
{
    if (!m_populated(space))
        return 0;
    for (size_t i = 0; i < plan->count; i++) {
        int error = m_pin(&m.pages[plan->parts[i].pages]);

        if (error) {
            while (i-- > 0)
                m_unpin(&m.pages[plan->parts[i].pages]);
            return error;
        }
    }
    return 0;
}

static void unpin_plan(int space, struct plan *plan)
{
    for (size_t i = 0; i < plan->count && m_populated(space); i++)
        m_unpin(&m.pages[plan->parts[i].pages]);
}

static void commit_plan(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        m.areas[m_free_area()] = plan->parts[i];
        m.pages[plan->parts[i].pages].areas++;
    }
}

/* An IOVA of the ioas' own choice must be free, wanted, and as aligned as promised. */
static void check_choice(int space, const struct plan *plan, uint64_t iova)
{
    uint64_t last = iova + (plan->length - 1);
    uint64_t natural = plan->length & -plan->length;
    bool inside = m.spaces[space].allowed_count == 0;

    CHECK(iova != 0 && last > iova - 1);
    CHECK(m_usable(space, iova, last) && !m_occupied(space, iova, last));
    for (size_t i = 0; i < m.spaces[space].allowed_count; i++)
        inside = inside || (m.spaces[space].allowed[i].first <= iova &&
                            last <= m.spaces[space].allowed[i].last);
    CHECK(inside);
    CHECK(IS_ALIGNED(iova, natural));
}

/*
 * The first large block of the memory is one leaf, wherever that is to be had: when it goes with
 * the natural alignment, and space is not made scarce.
 */
static void check_large(int space, const struct plan *plan, uint64_t iova)
{
    const struct m_pages *p = &m.pages[plan->parts[0].pages];
    unsigned start = (unsigned)(plan->parts[0].offset / PAGE_SIZE), i = start, n = 0;
    unsigned end = start + (unsigned)(plan->length / PAGE_SIZE);
    uint64_t natural = plan->length & -plan->length;
    struct iommu_translation t;

    /* Only memory that is one run from end to end: otherwise another block may come first. */
    for (; i < p->count; i++)
        if (p->frame[i] != p->frame[0] + i * PAGE_SIZE)
            return;
    for (i = start; i < end && !IS_ALIGNED(p->frame[i], SIZE_2M); i++)
        ;
    n = end - i;
    if (i == end || n < 512 || m.spaces[space].allowed_count || p->revoked ||
        !IS_ALIGNED(p->frame[start], natural))
        return;
    for (size_t k = 0; k < TABLES; k++) {
        if (m.tables[k].space != space)
            continue;
        CHECK(iommu_translate(m.tables[k].domain, iova + (i - start) * PAGE_SIZE, &t));
        CHECK(t.leaf_size == SIZE_2M);
        model_large++;
    }
}

/*
 * Is there a place with the natural alignment at all? Asked only when the answer was that there is
 * none, so slowness does not matter: every candidate lies just behind something.
 */
static bool has_room(int space, uint64_t length)
{
    uint64_t natural = length & -length;
    struct m_range range;
    uint64_t ends[2 * RANGES + 2 * TABLES + AREAS + 1] = {PAGE_SIZE - 1};
    size_t count = 1;

    for (size_t i = 0; m_reserved_range(space, i, &range); i++)
        ends[count++] = range.last;
    for (size_t i = 0; i < m.spaces[space].allowed_count; i++)
        ends[count++] = m.spaces[space].allowed[i].first - 1;
    for (size_t i = 0; i < AREAS; i++)
        if (m.areas[i].used && m.areas[i].space == space)
            ends[count++] = m.areas[i].last;
    for (size_t i = 0; i < count; i++) {
        uint64_t iova = ALIGN_UP(ends[i] + 1, natural);
        uint64_t last = iova + (length - 1);
        bool inside = m.spaces[space].allowed_count == 0;

        for (size_t k = 0; k < m.spaces[space].allowed_count; k++)
            inside = inside || (m.spaces[space].allowed[k].first <= iova &&
                                last <= m.spaces[space].allowed[k].last);
        if (iova >= PAGE_SIZE && last >= iova && inside && m_usable(space, iova, last) &&
            !m_occupied(space, iova, last))
            return true;
    }
    return false;
}

/*
 * Was the answer right? An injected failure may replace success by -ENOMEM, an injected end by
 * -EINTR, and nothing else.
 */
bool m_agree(int got, int expected)
{
    if (got == expected)
        return true;
    return (host_failed() && got == -ENOMEM) || (m.ended && got == -EINTR);
}

/*
 * The last part of every operation that adds areas: `got` is what the kernel answered for a plan,
 * whose own errors (`expected`) come before those of the place and of the memory.
 */
int m_judge_new(int space, struct plan *plan, bool fixed, uint64_t iova, int expected, int got)
{
    if (!expected && fixed)
        expected = check_fixed(space, iova, plan->length);
    if (!expected)
        expected = pin_plan(space, plan);
    if (expected || got) {
        if (!expected)
            unpin_plan(space, plan);
        if (got == -ENOSPC)
            CHECK(!fixed && !has_room(space, plan->length));
        else
            CHECK(m_agree(got, expected));
        return got;
    }
    if (!fixed)
        check_choice(space, plan, iova);
    if (!fixed && plan->count == 1 && m_populated(space) && !m.spaces[space].small)
        check_large(space, plan, iova);
    move_plan(plan, iova);
    commit_plan(plan);
    return 0;
}
