/* SPDX-License-Identifier: BSD-2-Clause */
/* The invalidation queue when it wraps, errs or dies; units without a queue. */
#include "tests/unit/iommu_mapped.h"

/* ---- the queue itself ---- */

/* Three times around a ring of 256: the simulated unit refuses a tail that did not wrap. */
static void pitfall_12_the_tail_wraps(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE);

    for (unsigned i = 0; i < 500; i++) {
        vtd_unit_forget_events(unit);
        machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
        machine_expect_dma(unit, DEVICE, IOVA, true, TARGET);
        machine_unmap(domain, IOVA, PAGE_SIZE);
        machine_expect_refused(unit, DEVICE, IOVA, true, 5);
    }
    assert_int_equal(machine_unit()->invalidation.counts[INVALIDATED_PAGES], 500);
    end(domain, DEVICE);
}

/*
 * One page and its wait at each place of the ring, also in two lines of the cache and around the
 * end, on a unit that sees only what was flushed.
 */
static void one_page_at_every_place_of_the_ring(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, ECAP_WITH(0, BIT(VTD_ECAP_C)), NULL);
    struct iommu_domain *domain = attached_domain(DEVICE);

    machine_map(domain, IOVA + PAGE_SIZE, TARGET, PAGE_SIZE, IOMMU_WRITE);
    for (unsigned i = 0; i < 600; i++) {
        vtd_unit_forget_events(unit);
        machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
        machine_expect_dma(unit, DEVICE, IOVA, true, TARGET);
        assert_int_equal(iommu_unmap_now(domain, IOVA, PAGE_SIZE), 0);
        machine_expect_refused(unit, DEVICE, IOVA, true, 5);
        if (i % 5 == 4) { /* an odd number of descriptors */
            invalidate_domain(machine_unit(), domain->id);
            invalidate_context_all(machine_unit());
            assert_int_equal(invalidation_wait(machine_unit()), 0);
        }
    }
    machine_unmap(domain, IOVA + PAGE_SIZE, PAGE_SIZE);
    end(domain, DEVICE);
}

/* More requests in one go than the ring has room for. */
static void a_batch_may_be_longer_than_the_ring(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE);

    vtd_unit_forget_events(unit);
    for (unsigned i = 0; i < 1000; i++)
        invalidate_domain(machine_unit(), domain->id);
    assert_int_equal(invalidation_wait(machine_unit()), 0);
    assert_int_equal(vtd_unit_count(unit, VTD_EVENT_IOTLB), 1000);
    assert_in_range(vtd_unit_count(unit, VTD_EVENT_WAIT), 4, 6);
    end(domain, DEVICE);
}

static void pitfall_10_waits_write_into_the_queue_s_own_page(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE);
    unsigned waits = 0;

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_READ);
    machine_unmap(domain, IOVA, PAGE_SIZE);
    for (size_t i = 0; i < unit->descriptor_count; i++) {
        if (vtd_descriptor_type(&unit->descriptors[i]) != VTD_DESCRIPTOR_WAIT)
            continue;
        waits++;
        assert_int_equal(unit->descriptors[i].high, machine_unit()->invalidation.status_physical);
    }
    assert_true(waits > 0);
    end(domain, DEVICE);
}

static void pitfall_14_the_queue_is_the_only_way_where_it_exists(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE);

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_READ);
    machine_unmap(domain, IOVA, PAGE_SIZE);
    assert_int_equal(unit->ccmd, VTD_RESERVED << 34);
    assert_int_equal(unit->iotlb, VTD_RESERVED);
    end(domain, DEVICE);
}

/* ---- errors ---- */

static void completion_errors_are_counted_and_cleared(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE);

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_READ);
    unit->completion_error = true;
    machine_unmap(domain, IOVA, PAGE_SIZE);
    assert_int_equal(machine_unit()->invalidation.completions, 1);
    assert_int_equal(unit->fsts, 0);
    assert_false(machine_unit()->fenced);
    end(domain, DEVICE);
}

/* A request called malformed is replaced by one for everything, and the caches are clean. */
static void a_refused_request_is_widened(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE);

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
    machine_expect_dma(unit, DEVICE, IOVA, true, TARGET);
    unit->reject_in = 1;
    machine_unmap(domain, IOVA, PAGE_SIZE);
    machine_expect_refused(unit, DEVICE, IOVA, true, 5);
    assert_int_equal(machine_unit()->invalidation.queue_errors, 1);
    assert_int_equal(unit->fsts & VTD_FSTS_IQE, 0);
    assert_non_null(strstr(host_log(), "malformed invalidation request"));

    /* The same for the context request of a detach. */
    unit->reject_in = 1;
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    machine_expect_refused(unit, DEVICE, IOVA, true, 2);
    assert_int_equal(machine_unit()->invalidation.queue_errors, 2);
    assert_false(machine_unit()->fenced);
    iommu_domain_destroy(domain);
    machine_stop();
}

static void expect_fenced(struct iommu_domain *domain, const char *reason)
{
    struct iommu_domain *extra;

    assert_true(machine_unit()->fenced);
    assert_non_null(strstr(host_log(), reason));
    assert_false(host_pci_master(pci_find(0, DEVICE)));
    assert_true(host_pci_master(pci_find(0, OTHER))); /* it was not attached */
    /* Nothing pretends to work any more. */
    assert_int_equal(iommu_map(domain, IOVA + SIZE_1G, &page, 1, IOMMU_READ, 0), -EIO);
    assert_int_equal(iommu_domain_create(machine_unit(), &extra), -EIO);
    assert_int_equal(iommu_attach(domain, machine_requester(OTHER)), -EIO);
    assert_int_equal(iommu_replace(domain, machine_requester(OTHER)), -EIO);
}

static void a_unit_that_refuses_everything_is_fenced(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE);

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
    unit->reject_in = 1;
    unit->rejections = 2; /* the replacement as well */
    assert_int_equal(unmap(domain, IOVA, PAGE_SIZE), -EIO);
    expect_fenced(domain, "fenced: its invalidation queue refused a request");
    end(domain, DEVICE);
}

/* A malformed wait has nothing larger to put in its place. */
static void a_refused_wait_fences(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE);

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
    unit->reject_in = 2;
    assert_int_equal(unmap(domain, IOVA, PAGE_SIZE), -EIO);
    expect_fenced(domain, "refused a request");
    end(domain, DEVICE);
}

/* Two gathers taken in turn: each takes the table of the other's last page out, and covers it. */
static void gathers_taken_in_turn_cover_each_other_s_tables(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE), *other = machine_domain();
    const struct phys_run two_tables = {TARGET, 2 * SIZE_2M};
    struct iommu_gather first, second;

    for (uint64_t i = 0; i < 4; i++) {
        machine_map(domain, IOVA + i * SIZE_1G, TARGET, PAGE_SIZE, IOMMU_WRITE);
        machine_expect_dma(unit, DEVICE, IOVA + i * SIZE_1G, true, TARGET);
    }
    iommu_gather_init(&first, domain);
    iommu_gather_init(&second, domain);
    iommu_unmap(domain, IOVA, PAGE_SIZE, &second);
    iommu_unmap(domain, IOVA + SIZE_1G, PAGE_SIZE, &first);
    iommu_unmap(domain, IOVA + 3 * SIZE_1G, PAGE_SIZE, &second);
    iommu_unmap(domain, IOVA + 2 * SIZE_1G, PAGE_SIZE, &first);
    assert_int_equal(iommu_sync(&first), 0);
    /* The tables of the third page are free: nothing cached may lead to their next owner. */
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(
            iommu_map(other, i * SIZE_1G, &two_tables, 1, IOMMU_WRITE, IOMMU_SMALL_LEAVES), 0);
    machine_expect_refused(unit, DEVICE, IOVA + 3 * SIZE_1G + PAGE_SIZE, true, 5);
    assert_int_equal(iommu_sync(&second), 0);
    machine_expect_refused(unit, DEVICE, IOVA + 3 * SIZE_1G, true, 5);
    iommu_domain_destroy(other);
    end(domain, DEVICE);
}

/* The place of single pages keeps its table; tables that empty elsewhere go, and are invalidated.
 */
static void the_idle_table_moves_with_its_user(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE);
    uint64_t used = machine_unit()->tables.used;

    for (unsigned i = 0; i < 20; i++) {
        uint64_t iova = IOVA + (i / 4) * SIZE_1G;

        vtd_unit_forget_events(unit);
        machine_map(domain, iova, TARGET, PAGE_SIZE, IOMMU_WRITE);
        machine_expect_dma(unit, DEVICE, iova, true, TARGET);
        machine_unmap(domain, iova, PAGE_SIZE);
        machine_expect_refused(unit, DEVICE, iova, true, 5);
        assert_in_range(machine_unit()->tables.used, used + 3, used + 3);
        /* One block for the page; one more when the old place gave its tables up. */
        assert_int_equal(vtd_unit_count(unit, VTD_EVENT_IOTLB), i % 4 == 0 && i > 0 ? 2 : 1);
    }
    /* A large leaf wants the place: the table goes first, and nobody sees a mixture. */
    machine_map(domain, IOVA + 4 * SIZE_1G, TARGET + SIZE_1G, SIZE_1G, IOMMU_WRITE);
    machine_expect_dma(unit, DEVICE, IOVA + 4 * SIZE_1G, true, TARGET + SIZE_1G);
    machine_expect_dma(unit, DEVICE, IOVA + 5 * SIZE_1G - 1, true, TARGET + 2 * SIZE_1G - 1);
    assert_int_equal(machine_unit()->tables.used, used + 1);
    end(domain, DEVICE);
}

/* A dead queue: bounded, loud, and neither memory nor ids are reused, whatever comes later. */
static void pitfall_11_a_dead_queue_fences_the_unit(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE), *next;
    const struct phys_run table_full = {TARGET, SIZE_2M};
    uint64_t used = vtd_memory_used(), tables;
    uint32_t sequence;

    assert_int_equal(iommu_map(domain, IOVA, &table_full, 1, IOMMU_WRITE, IOMMU_SMALL_LEAVES), 0);
    tables = machine_unit()->tables.used;
    unit->dead = true;
    assert_int_equal(unmap(domain, IOVA, SIZE_2M), -EIO);
    expect_fenced(domain, "fenced: its invalidation queue did not answer");
    assert_int_equal(machine_unit()->tables.used, tables);
    /* The two above the emptied table are still in the domain. */
    assert_int_equal(machine_unit()->tables_stranded, 1);

    /* The answer comes after all: a number nobody waits for. */
    sequence = machine_unit()->invalidation.sequence;
    vtd_memory_write32(machine_unit()->invalidation.status_physical, sequence);
    assert_int_equal(invalidation_wait(machine_unit()), -EIO);
    unit->dead = false;
    assert_int_equal(iommu_domain_create(machine_unit(), &next), -EIO);

    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), -EIO);
    iommu_domain_destroy(domain);
    /* They and the root are lost with the rest. */
    assert_int_equal(machine_unit()->tables_stranded, 4);
    assert_true(vtd_memory_used() >= used);
    assert_int_equal(machine_unit()->domain_ids[0] & 1, 1);
    machine_stop();
}

static void a_map_on_a_dying_unit_is_undone(void **state)
{
    struct vtd_unit *unit = machine_start(CAP_WITH(BIT(7), 0), VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE);
    struct iommu_translation found;

    unit->dead = true;
    assert_int_equal(iommu_map(domain, IOVA, &page, 1, IOMMU_READ, 0), -EIO);
    assert_false(iommu_translate(domain, IOVA, &found));
    end(domain, DEVICE);
}

/* A leaf over what was unmapped and may still be cached waits for an invalidation: none, no leaf.
 */
static void a_map_over_a_cached_page_needs_an_answer(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE);
    struct iommu_translation found;
    struct iommu_gather gather;

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_READ);
    iommu_gather_init(&gather, domain);
    iommu_unmap(domain, IOVA, PAGE_SIZE, &gather);
    unit->dead = true;
    assert_int_equal(iommu_map(domain, IOVA, &page, 1, IOMMU_READ, 0), -EIO);
    assert_false(iommu_translate(domain, IOVA, &found));
    assert_int_equal(iommu_sync(&gather), -EIO);
    end(domain, DEVICE);
}

/* Not even where nothing was ever cached, with a write buffer or without. */
static void a_fenced_unit_takes_nothing_new(void **state)
{
    for (unsigned buffered = 0; buffered < 2; buffered++) {
        uint64_t cap = CAP_WITH(buffered ? BIT(4) : 0, 0);
        struct vtd_unit *unit = machine_start(cap, VTD_TEST_ECAP, NULL);
        struct iommu_domain *domain = attached_domain(DEVICE), *idle = machine_domain();

        machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_READ);
        unit->dead = true;
        assert_int_equal(unmap(domain, IOVA, PAGE_SIZE), -EIO);
        assert_int_equal(iommu_map(idle, IOVA, &page, 1, IOMMU_READ, 0), -EIO);
        assert_int_equal(unit_flush_writes(machine_unit()), buffered ? -EIO : 0);
        iommu_domain_destroy(idle);
        end(domain, DEVICE);
    }
}

static void an_attach_on_a_dying_unit_ends_in_nothing(void **state)
{
    struct vtd_unit *unit = machine_start(CAP_WITH(BIT(7), 0), VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = machine_domain();

    unit->dead = true;
    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), -EIO);
    assert_int_equal(domain->attached, 0);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), -EIO);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* ---- units without a queue ---- */

static const struct iommu_options unsafe = {.unsafe_interrupts = true};

static void registers_serve_a_unit_without_a_queue(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, ECAP_WITH(0, BIT(1)), &unsafe);
    struct iommu_domain *domain = attached_domain(DEVICE);

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
    machine_expect_dma(unit, DEVICE, IOVA, true, TARGET);
    machine_unmap(domain, IOVA, PAGE_SIZE);
    machine_expect_refused(unit, DEVICE, IOVA, true, 5);
    assert_int_equal(vtd_unit_count(unit, VTD_EVENT_QUEUE_ON), 0);
    end(domain, DEVICE);
}

static void registers_that_hang_or_refuse_fence(void **state)
{
    for (unsigned i = 0; i < 2; i++) {
        struct vtd_unit *unit = machine_start(VTD_TEST_CAP, ECAP_WITH(0, BIT(1)), &unsafe);
        struct iommu_domain *domain = attached_domain(DEVICE);

        machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
        unit->dead = i == 0;
        unit->registers_refuse = i == 1;
        assert_int_equal(unmap(domain, IOVA, PAGE_SIZE), -EIO);
        expect_fenced(domain, i == 0 ? "did not finish" : "it refused an invalidation");
        end(domain, DEVICE);
    }
}

/* An attach begins with the context cache; what would come next is not asked any more. */
static void a_refused_context_invalidation_fences(void **state)
{
    struct vtd_unit *unit = machine_start(CAP_WITH(BIT(7), 0), ECAP_WITH(0, BIT(1)), &unsafe);
    struct iommu_domain *domain = machine_domain();

    unit->registers_refuse = true;
    unit->iotlb = 0;
    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), -EIO);
    assert_true(machine_unit()->fenced);
    assert_int_equal(unit->iotlb, 0);
    iommu_domain_destroy(domain);
    machine_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pitfall_12_the_tail_wraps),
        cmocka_unit_test(one_page_at_every_place_of_the_ring),
        cmocka_unit_test(a_batch_may_be_longer_than_the_ring),
        cmocka_unit_test(pitfall_10_waits_write_into_the_queue_s_own_page),
        cmocka_unit_test(pitfall_14_the_queue_is_the_only_way_where_it_exists),
        cmocka_unit_test(completion_errors_are_counted_and_cleared),
        cmocka_unit_test(a_refused_request_is_widened),
        cmocka_unit_test(a_unit_that_refuses_everything_is_fenced),
        cmocka_unit_test(a_refused_wait_fences),
        cmocka_unit_test(gathers_taken_in_turn_cover_each_other_s_tables),
        cmocka_unit_test(the_idle_table_moves_with_its_user),
        cmocka_unit_test(pitfall_11_a_dead_queue_fences_the_unit),
        cmocka_unit_test(a_map_on_a_dying_unit_is_undone),
        cmocka_unit_test(a_map_over_a_cached_page_needs_an_answer),
        cmocka_unit_test(a_fenced_unit_takes_nothing_new),
        cmocka_unit_test(an_attach_on_a_dying_unit_ends_in_nothing),
        cmocka_unit_test(registers_serve_a_unit_without_a_queue),
        cmocka_unit_test(registers_that_hang_or_refuse_fence),
        cmocka_unit_test(a_refused_context_invalidation_fences),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
