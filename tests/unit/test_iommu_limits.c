/* SPDX-License-Identifier: BSD-2-Clause */
/* The first and the last of everything counted: options, registers, regions, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/iommu/remap.h"
#include "kernel/iommu/snapshot.h"
#include "kernel/lib/error.h"
#include "tests/unit/iommu_machine.h"

/* ---- options ---- */

static int check(unsigned queue_entries, unsigned remap_entries, struct iommu_options *out)
{
    struct refusal why;

    *out = (struct iommu_options){.queue_entries = queue_entries, .remap_entries = remap_entries};
    return iommu_check_options(out, &why);
}

static void options_are_taken_up_to_their_bounds(void **state)
{
    static const unsigned bad_queues[] = {1, 128, 255, 257, 300, 32767, 32769, 65536};
    static const unsigned bad_remaps[] = {1, 128, 255, 257, 65535, 65537, 131072};
    struct iommu_options options;

    for (unsigned entries = 256; entries <= 32768; entries *= 2) {
        assert_int_equal(check(entries, 0, &options), 0);
        assert_int_equal(options.queue_entries, entries);
        assert_int_equal(options.remap_entries, 4096);
    }
    for (unsigned entries = 256; entries <= 65536; entries *= 2) {
        assert_int_equal(check(0, entries, &options), 0);
        assert_int_equal(options.queue_entries, 256);
        assert_int_equal(options.remap_entries, entries);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad_queues); i++)
        assert_int_equal(check(bad_queues[i], 0, &options), -EINVAL);
    for (size_t i = 0; i < ARRAY_SIZE(bad_remaps); i++)
        assert_int_equal(check(0, bad_remaps[i], &options), -EINVAL);
}

/* ---- registers ---- */

/* The IOTLB registers at 16 * `iotlb`, and `faults` records from 16 * `fault` on. */
static uint64_t mapped_for(uint64_t iotlb, uint64_t fault, uint64_t faults, uint64_t described)
{
    uint64_t cap =
        CAP_WITH(fault << 24 | (faults - 1) << 40, UINT64_C(0x3ff) << 24 | UINT64_C(0xff) << 40);
    uint64_t size;

    machine_build(cap, ECAP_WITH(iotlb << 8, 0x3ff00));
    host_dmar.units[0].register_size = described;
    assert_int_equal(machine_init(NULL), 0);
    size = machine_unit()->register_size;
    assert_int_equal(host_mapped(), 1);
    machine_stop();
    return size;
}

/* One page that all units have, and more only where the unit or the firmware says so. */
static void registers_are_mapped_to_the_last_and_no_further(void **state)
{
    assert_int_equal(mapped_for(0xff, 0x22, 1, 0), PAGE_SIZE);
    assert_int_equal(mapped_for(0x100, 0x22, 1, 0), 2 * PAGE_SIZE);
    assert_int_equal(mapped_for(0x1ff, 0x22, 1, 0), 2 * PAGE_SIZE);
    assert_int_equal(mapped_for(0x0f, 0xff, 1, 0), PAGE_SIZE);
    assert_int_equal(mapped_for(0x0f, 0xff, 2, 0), 2 * PAGE_SIZE);
    assert_int_equal(mapped_for(0x0f, 0xfe, 2, 0), PAGE_SIZE);
    assert_int_equal(mapped_for(0x0f, 0x22, 1, 3 * PAGE_SIZE), 3 * PAGE_SIZE);
}

/* ---- reserved memory ---- */

static struct phys_run region_of(uint16_t rid)
{
    struct requester *requester = machine_requester(rid);
    struct phys_run found = {0}, another;
    size_t at = 0;

    iommu_reserved_next(&requester, 1, &at, &found);
    assert_false(iommu_reserved_next(&requester, 1, &at, &another));
    return found;
}

/* The first region of a full table is one device's, the last the other's, and nobody has others. */
static void a_full_table_of_regions_is_read_to_the_last(void **state)
{
    const uint64_t base = 0x70000000, last = 199;

    machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);
    for (uint64_t i = 0; i <= last; i++)
        host_dmar.regions[i] =
            (struct dmar_region){.base = base + 2 * i * PAGE_SIZE, .length = PAGE_SIZE};
    host_dmar.region_count = last + 1;
    host_dmar_scope(&host_dmar.regions[0].scopes, DMAR_SCOPE_ENDPOINT, 0, 0, 2, 0);
    host_dmar_scope(&host_dmar.regions[last].scopes, DMAR_SCOPE_ENDPOINT, 0, 0, 3, 0);
    assert_int_equal(machine_init(NULL), 0);
    assert_int_equal(region_of(DEVICE).base, base);
    assert_int_equal(region_of(OTHER).base, base + 2 * last * PAGE_SIZE);
    assert_int_equal(region_of(PCI_RID(0, 4, 0)).length, 0);
    machine_stop();
}

/* ---- units ---- */

enum { MANY_UNITS = 300, SERVED = 25 };

/* More than a byte counts, and more than there are vectors. */
static void hundreds_of_units_start_and_tell_of_faults(void **state)
{
    static struct vtd_unit *units[MANY_UNITS];

    units[0] = machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);
    for (unsigned i = 1; i < MANY_UNITS; i++) {
        paddr_t base = UNIT_BASE + i * (paddr_t)0x10000;
        struct dmar_unit *described = host_dmar_unit(base, false);

        units[i] = host_unit_add(base, 4 * PAGE_SIZE, VTD_TEST_CAP, VTD_TEST_ECAP);
        if (i < SERVED) {
            host_pci_add(0, PCI_RID(1, i, 0), NULL);
            host_dmar_scope(&described->scopes, DMAR_SCOPE_ENDPOINT, 0, 1, (uint8_t)i, 0);
        }
    }
    assert_int_equal(machine_init(NULL), 0);
    assert_int_equal(host_vectors(), 1);
    for (unsigned i = 0; i < MANY_UNITS; i++)
        assert_int_equal(vtd_unit_count(units[i], VTD_EVENT_TRANSLATE_ON), 1);
    for (unsigned i = 1; i < SERVED; i++)
        assert_int_equal(pci_find(0, PCI_RID(1, i, 0))->requesters[0]->unit->index, i);
    /* A fault of any of them is heard. */
    machine_expect_refused(units[SERVED - 1], PCI_RID(1, SERVED - 1, 0), 0x5000, true, 1);
    assert_true(host_raise(units[SERVED - 1]->fedata));
    assert_non_null(strstr(host_log(), "0000:01:18.0 write to 0x5000 refused"));
    machine_stop();
}

/* ---- domain ids ---- */

/* What was given back is given again, and nothing else, on either side of a word of the bitmap. */
static void domain_ids_are_given_again(void **state)
{
    static const unsigned back[] = {0, 62, 63, 64, 127, 128, 129};
    struct iommu_domain *domains[130];

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(domains); i++) {
        domains[i] = machine_domain();
        assert_int_equal(domains[i]->id, i);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(back); i++)
        iommu_domain_destroy(domains[back[i]]);
    for (unsigned i = 0; i < ARRAY_SIZE(back); i++) {
        domains[back[i]] = machine_domain();
        assert_int_equal(domains[back[i]]->id, back[i]);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(domains); i++)
        iommu_domain_destroy(domains[i]);
    machine_stop();
}

/* ---- interrupt entries ---- */

static unsigned interrupt(struct vtd_unit *unit, unsigned index)
{
    uint8_t vector;
    uint32_t destination;
    bool level;

    return vtd_unit_interrupt(unit, DEVICE, remap_message_address(index), 0, &vector, &destination,
                              &level);
}

/* Entries given back are gone, to the last, and those of the neighbours on both sides stay. */
static void entries_go_without_their_neighbours(void **state)
{
    const struct remap_source source = {VTD_SOURCE_EXACT, DEVICE};
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    unsigned first;

    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(remap_alloc(machine_unit(), 1, false, &first), 0);
        assert_int_equal(first, i);
        remap_write(machine_unit(), i, (uint8_t)(0x40 + i), 0, false, source);
    }
    assert_int_equal(remap_commit(machine_unit(), 0, 4), 0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(interrupt(unit, i), 0);
    assert_int_equal(remap_free(machine_unit(), 1, 2), 0);
    invalidate_all_entries(machine_unit());
    assert_int_equal(invalidation_wait(machine_unit()), 0);
    assert_int_equal(interrupt(unit, 0), 0);
    assert_int_equal(interrupt(unit, 1), 0x22);
    assert_int_equal(interrupt(unit, 2), 0x22);
    assert_int_equal(interrupt(unit, 3), 0);
    assert_int_equal(machine_unit()->remap.in_use, 2);
    machine_stop();
}

/* ---- the report ---- */

/* As docs/report.md says: whoever reads a report counts on it. */
static void the_report_has_the_room_that_is_promised(void **state)
{
    assert_int_equal(SNAPSHOT_DOMAINS, 64);
    assert_int_equal(HISTORY_PAST, 32);
    assert_int_equal(SNAPSHOT_MAPPINGS, 2048);
    assert_int_equal(SNAPSHOT_AREAS, 512);
    assert_int_equal(FAULTS_KEPT, 64);
    assert_int_equal(FAULT_DEVICES, 32);
    assert_int_equal(WAITS_TIMED_FIRST, 64);
    assert_int_equal(WAITS_TIMED_EVERY, 256);
}

/* ---- errors of the queue ---- */

static struct vtd_unit *failing;
static unsigned errors_left;

/* With each line that is flushed, the next request but one will be called malformed. */
static void reject_one(void)
{
    if (errors_left == 0)
        return;
    errors_left--;
    failing->reject_in = 2;
}

/* The answer to a wait behind ten requests of which so many are malformed at first. */
static int wait_with_errors(unsigned errors)
{
    int error;

    failing = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    for (unsigned i = 0; i < 10; i++)
        invalidate_domain(machine_unit(), 1);
    errors_left = errors;
    vtd_memory_on_flush = reject_one;
    error = invalidation_wait(machine_unit());
    vtd_memory_on_flush = NULL;
    assert_int_equal(errors_left, 0);
    return error;
}

static void a_queue_that_keeps_failing_is_given_up(void **state)
{
    assert_int_equal(wait_with_errors(4), 0);
    assert_int_equal(machine_unit()->invalidation.queue_errors, 4);
    assert_false(machine_unit()->fenced);
    machine_stop();
    assert_int_equal(wait_with_errors(5), -EIO);
    assert_true(machine_unit()->fenced);
    assert_non_null(strstr(host_log(), "fenced: its invalidation queue keeps failing"));
    machine_stop();
}

/* The first reason counts: what fails behind it is only what follows. */
static void a_unit_is_fenced_once(void **state)
{
    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    assert_int_equal(unit_fence(machine_unit(), "the first"), -EIO);
    assert_int_equal(unit_fence(machine_unit(), "the second"), -EIO);
    assert_string_equal(machine_unit()->fence_reason, "the first");
    assert_null(strstr(host_log(), "the second"));
    machine_stop();
}

/* ---- table pages ---- */

/* A page that comes back is handed out again before there is a new one. */
static void the_pool_hands_out_what_came_back(void **state)
{
    uint64_t *pages[8];
    struct table_pool pool;

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    table_pool_init(&pool, false);
    for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
        pages[i] = table_alloc(&pool);
    table_release(&pool, pages[3]);
    assert_int_equal(pool.idle, 1);
    assert_ptr_equal(table_alloc(&pool), pages[3]);
    assert_int_equal(pool.idle, 0);
    assert_int_equal(pool.used, 8);
    machine_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_taken_up_to_their_bounds),
        cmocka_unit_test(registers_are_mapped_to_the_last_and_no_further),
        cmocka_unit_test(a_full_table_of_regions_is_read_to_the_last),
        cmocka_unit_test(hundreds_of_units_start_and_tell_of_faults),
        cmocka_unit_test(domain_ids_are_given_again),
        cmocka_unit_test(entries_go_without_their_neighbours),
        cmocka_unit_test(the_report_has_the_room_that_is_promised),
        cmocka_unit_test(a_queue_that_keeps_failing_is_given_up),
        cmocka_unit_test(a_unit_is_fenced_once),
        cmocka_unit_test(the_pool_hands_out_what_came_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
