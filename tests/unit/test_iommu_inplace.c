/* SPDX-License-Identifier: BSD-2-Clause */
/* The short way of mapping and unmapping one leaf: what it asks of the unit, and when it is taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "kernel/iommu/inplace.h"
#include "kernel/lib/error.h"
#include "tests/unit/host_memory.h"
#include "tests/unit/iommu_machine.h"

/*
 * A leaf of 2^bits bytes that comes and goes at one place: one line flushed each time, no table
 * made or given up, and one request, for no more than the leaf and for leaves only.
 */
static void expect_short_way(uint64_t cap, uint64_t ecap, unsigned bits, bool page_selective)
{
    struct vtd_unit *unit = machine_start(cap, ecap, NULL);
    struct iommu_domain *domain = machine_domain();
    const uint64_t length = BIT(bits), iova = IOVA + 7 * SIZE_1G;
    const unsigned level = (bits - PAGE_SHIFT) / 9 + 1;
    uint64_t flushes, used;

    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    machine_map(domain, iova, TARGET, length, IOMMU_WRITE);
    assert_int_equal(iommu_unmap_now(domain, iova, length), 0);
    used = machine_unit()->tables.used;
    for (unsigned i = 0; i < 3; i++) {
        vtd_unit_forget_events(unit);
        flushes = vtd_memory_flushes;
        machine_map(domain, iova, TARGET + i * SIZE_1G, length, IOMMU_WRITE);
        assert_int_equal(vtd_memory_flushes - flushes, 1);
        assert_int_equal(domain->table.leaves[level], 1);
        assert_int_equal(unit->descriptor_count, 0);
        machine_expect_dma(unit, DEVICE, iova + length - 1, true,
                           TARGET + i * SIZE_1G + length - 1);
        assert_int_equal(iommu_unmap_now(domain, iova, length), 0);
        assert_int_equal(domain->table.leaves[level], 0);
        machine_expect_refused(unit, DEVICE, iova + length - 1, true, 5);
        machine_expect_refused(unit, DEVICE, iova, true, 5);
        assert_int_equal(machine_unit()->tables.used, used);
        assert_ptr_not_equal(domain->table.idle, domain->table.root);
        assert_int_equal(unit->descriptor_count, 2); /* and the wait */
        assert_int_equal(vtd_descriptor_granularity(&unit->descriptors[0]),
                         page_selective ? VTD_PAGES : VTD_DOMAIN);
        if (page_selective)
            assert_int_equal(unit->descriptors[0].high, iova | 1 << 6 | (bits - PAGE_SHIFT));
    }
    assert_int_equal(domain->unmaps, 4);
    assert_int_equal(domain->history.peak_bytes, bits == PAGE_SHIFT ? 0 : length);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    iommu_domain_destroy(domain);
    assert_int_equal(machine_unit()->tables.used, 0);
    machine_stop();
}

static void single_leaves_of_every_size_take_the_short_way(void **state)
{
    static const unsigned bits[] = {12, 21, 30};
    const uint64_t three_levels = CAP_WITH(UINT64_C(38) << 16 | 0x200, 0x3f1f00);

    for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
        expect_short_way(VTD_TEST_CAP, VTD_TEST_ECAP, bits[i], true);
        expect_short_way(three_levels, VTD_TEST_ECAP, bits[i], true);
        expect_short_way(CAP_WITH(0, BIT(39)), VTD_TEST_ECAP, bits[i], false);
        expect_short_way(CAP_WITH(UINT64_C(9) << 48, UINT64_C(63) << 48), VTD_TEST_ECAP, bits[i],
                         bits[i] <= 21);
    }
}

/* What looks like one large leaf and is none, at a place where one was. */
static void the_short_way_is_not_taken_wrongly(void **state)
{
    static const struct {
        struct phys_run run;
        uint64_t offset; /* of the IOVA */
        unsigned permissions, flags;
        int error;
        uint64_t leaves[PT_LEAF_MAX + 1];
    } cases[] = {
        {{TARGET, SIZE_2M}, 0, IOMMU_READ, IOMMU_SMALL_LEAVES, 0, {0, 512, 0, 0}},
        {{TARGET + PAGE_SIZE, SIZE_2M}, 0, IOMMU_READ, 0, 0, {0, 512, 0, 0}},
        {{TARGET, SIZE_2M}, PAGE_SIZE, IOMMU_READ, 0, 0, {0, 512, 0, 0}},
        {{TARGET + SIZE_2M, SIZE_1G}, 0, IOMMU_READ, 0, 0, {0, 0, 512, 0}},
        {{TARGET, SIZE_1G}, SIZE_2M, IOMMU_READ, 0, 0, {0, 0, 512, 0}},
        {{BIT(46), SIZE_2M}, 0, IOMMU_READ, 0, -EINVAL, {0}},
        {{BIT(46), SIZE_1G}, 0, IOMMU_READ, 0, -EINVAL, {0}},
        {{TARGET + 1, SIZE_1G}, 0, IOMMU_READ, 0, -EINVAL, {0}},
        {{TARGET, SIZE_1G}, 0, 0, 0, -EINVAL, {0}},
        {{TARGET, SIZE_2M}, 0, 4, 0, -EINVAL, {0}},
    };
    struct iommu_domain *domain;
    struct vtd_unit *unit;

    for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
        const struct phys_run *run = &cases[i / 2].run;
        const uint64_t place = IOVA + 7 * SIZE_1G, iova = place + cases[i / 2].offset;
        const uint64_t was = i % 2 ? SIZE_1G : SIZE_2M;

        unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
        domain = machine_domain();
        assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
        machine_map(domain, place, TARGET, was, IOMMU_READ);
        machine_expect_dma(unit, DEVICE, place, false, TARGET);
        assert_int_equal(iommu_unmap_now(domain, place, was), 0);
        assert_int_equal(
            iommu_map(domain, iova, run, 1, cases[i / 2].permissions, cases[i / 2].flags),
            cases[i / 2].error);
        assert_memory_equal(domain->table.leaves, cases[i / 2].leaves, sizeof(cases[0].leaves));
        if (!cases[i / 2].error) {
            machine_expect_dma(unit, DEVICE, iova, false, run->base);
            assert_int_equal(iommu_map(domain, iova, run, 1, IOMMU_READ, 0), -EEXIST);
            /* All of what is there, though no leaf is as large as that. */
            assert_int_equal(iommu_unmap_now(domain, iova, run->length), 0);
        }
        machine_expect_refused(unit, DEVICE, iova, false, 6);
        machine_expect_refused(unit, DEVICE, place, false, 6);
        assert_int_equal(domain->table.leaves[1] + domain->table.leaves[2], 0);
        assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
        iommu_domain_destroy(domain);
        assert_int_equal(machine_unit()->tables.used, 0);
        machine_stop();
    }
}

/* The end of the aperture in the middle of the root, and a range that is no leaf. */
static void the_short_way_keeps_to_the_aperture(void **state)
{
    static const struct phys_run run = {TARGET, SIZE_1G};
    struct iommu_domain *domain;

    machine_start(CAP_WITH(UINT64_C(34) << 16 | 0x200, 0x3f1f00), VTD_TEST_ECAP, NULL);
    domain = machine_domain();
    assert_int_equal(domain->table.address_bits, 35);
    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    machine_map(domain, BIT(35) - SIZE_1G, TARGET, SIZE_1G, IOMMU_READ);
    assert_int_equal(iommu_map(domain, BIT(35), &run, 1, IOMMU_READ, 0), -EINVAL);
    assert_int_equal(iommu_map(domain, BIT(38), &run, 1, IOMMU_READ, 0), -EINVAL);
    assert_int_equal(domain->table.leaves[3], 1);
    assert_false(unmap_in_place(&domain->table, BIT(35) - SIZE_1G + SIZE_2M, SIZE_1G));
    assert_false(unmap_in_place(&domain->table, BIT(35) - SIZE_1G, SIZE_2M));
    assert_int_equal(domain->table.leaves[3], 1);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* ---- both ways ---- */

#define PLACES 12u
#define STEPS  20000u

/* Leaves of all sizes where they get into each other's way, and what is no leaf. */
static struct phys_run random_piece(uint64_t *rng, uint64_t *iova)
{
    static const uint64_t sizes[] = {PAGE_SIZE, PAGE_SIZE,     PAGE_SIZE,  SIZE_2M,
                                     SIZE_1G,   2 * PAGE_SIZE, 2 * SIZE_2M};
    const uint64_t length = sizes[host_random_below(rng, ARRAY_SIZE(sizes))];

    *iova = host_random_below(rng, 2) * SIZE_1G + host_random_below(rng, 2) * SIZE_2M +
            host_random_below(rng, 3) * PAGE_SIZE;
    if (host_random_below(rng, 8))
        *iova = ALIGN_DOWN(*iova, length & -length);
    return (struct phys_run){TARGET + host_random_below(rng, 2) * SIZE_2M, length};
}

static void expect_equal_tables(const struct iommu_domain *a, const struct iommu_domain *b)
{
    assert_int_equal(a->maps, b->maps);
    assert_int_equal(a->unmaps, b->unmaps);
    assert_int_equal(a->table.tables, b->table.tables);
    assert_memory_equal(a->table.leaves, b->table.leaves, sizeof(a->table.leaves));
    assert_memory_equal(a->table.removed, b->table.removed, sizeof(a->table.removed));
    assert_int_equal(!a->table.idle, !b->table.idle);
    if (a->table.idle) {
        assert_int_equal(a->table.idle_level, b->table.idle_level);
        assert_int_equal(a->table.idle_at, b->table.idle_at);
    }
}

static void expect_equal_entries(const struct iommu_domain *a, const struct iommu_domain *b,
                                 uint64_t iova)
{
    const struct table_place x = page_table_seek(&a->table, iova);
    const struct table_place y = page_table_seek(&b->table, iova);

    assert_int_equal(x.level, y.level);
    assert_int_equal(*x.slot, *y.slot);
}

/* Where a gather is open, and nothing attached, the short way is never taken. */
static void both_ways_lead_to_the_same(void **state)
{
    struct iommu_domain *fast, *slow;
    struct phys_run pieces[PLACES];
    uint64_t at[PLACES], rng = 11;
    unsigned count = 0, refused = 0;
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);

    fast = machine_domain();
    slow = machine_domain();
    assert_int_equal(iommu_attach(fast, machine_requester(DEVICE)), 0);
    slow->open++;
    for (unsigned step = 0; step < STEPS; step++) {
        const unsigned permissions = 1 + (unsigned)host_random_below(&rng, 3);
        unsigned i = count;

        vtd_unit_forget_events(unit);
        if (count < PLACES && host_random_below(&rng, 2)) {
            int error;

            pieces[i] = random_piece(&rng, &at[i]);
            error = iommu_map(fast, at[i], &pieces[i], 1, permissions, 0);
            assert_int_equal(iommu_map(slow, at[i], &pieces[i], 1, permissions, 0), error);
            count += !error;
            refused += error != 0;
        } else if (count) {
            i = (unsigned)host_random_below(&rng, count);
            assert_int_equal(iommu_unmap_now(fast, at[i], pieces[i].length), 0);
            assert_int_equal(iommu_unmap_now(slow, at[i], pieces[i].length), 0);
            expect_equal_entries(fast, slow, at[i]);
            pieces[i] = pieces[--count];
            at[i] = at[count];
        }
        expect_equal_tables(fast, slow);
        for (i = 0; i < count; i++)
            expect_equal_entries(fast, slow, at[i] + pieces[i].length - 1);
    }
    assert_in_range(refused, STEPS / 100, STEPS / 2);
    slow->open--;
    assert_int_equal(iommu_detach(fast, machine_requester(DEVICE)), 0);
    iommu_domain_destroy(fast);
    iommu_domain_destroy(slow);
    machine_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_leaves_of_every_size_take_the_short_way),
        cmocka_unit_test(the_short_way_is_not_taken_wrongly),
        cmocka_unit_test(the_short_way_keeps_to_the_aperture),
        cmocka_unit_test(both_ways_lead_to_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
