/* SPDX-License-Identifier: BSD-2-Clause */
/* What is told of the IOMMU: live as text, and in the report when everything is gone already. */
#include "tests/unit/iommu_report_fixture.h"

static void show(void (*file)(void *, struct text *))
{
    struct text text;

    text_init(&text, told, sizeof(told));
    file(NULL, &text);
    assert_false(text.truncated);
}

/* The number that ends a list, which was not cut where the file would have been. */
static unsigned left_out(const char *format)
{
    unsigned count = 0;
    const char *line = strstr(told, "\nand ");

    assert_true(strlen(told) < MIB);
    assert_non_null(line);
    assert_int_equal(sscanf(line + 1, format, &count), 1);
    assert_string_equal(strchr(line + 1, '\n'), "\n");
    return count;
}

/* Something of everything: all leaf sizes, two permissions, a refused write. */
static struct iommu_domain *some_of_everything(struct vtd_unit *unit)
{
    static const struct phys_run runs[] = {
        {TARGET, SIZE_1G}, {TARGET + 4 * SIZE_1G, SIZE_2M}, {TARGET + 5 * SIZE_1G, 2 * PAGE_SIZE}};
    struct iommu_domain *domain = machine_domain();

    assert_int_equal(iommu_map(domain, IOVA, runs, 3, IOMMU_READ, 0), 0);
    machine_map(domain, 0x5000, TARGET, PAGE_SIZE, IOMMU_READ | IOMMU_WRITE);
    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    machine_expect_refused(unit, DEVICE, 0x9000, true, 5);
    return domain;
}

/* ---- text ---- */

static void texts_tell_what_is_there_now(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = some_of_everything(unit);

    show(iommu_mappings_show);
    assert_string_equal(told, "iommu0 domain 0\n"
                              "  0x5000-0x5fff rw leaves 1 4K 0 2M 0 1G, runs 1 of 2^12\n"
                              "  0x100000000-0x140201fff r- leaves 2 4K 1 2M 1 1G, runs 1 of 2^13 "
                              "1 of 2^21 1 of 2^30\n");
    show(iommu_domains_show);
    assert_string_equal(told, "iommu0 domain 0: leaves 3 4K, 1 2M, 1 1G; 6 tables; 0000:00:02.0\n"
                              "  maps 2, unmaps 0, leaves made 3 4K, 1 2M, 1 1G\n"
                              "  peak 1075851264 bytes: leaves 3 4K, 1 2M, 1 1G\n"
                              "  ever attached: 0000:00:02.0\n");
    show(iommu_units_show);
    assert_non_null(strstr(told, "iommu0 at 0xfed90000 segment 0000 cap 0xd2008c222f0606"));
    show(iommu_invalidations_show);
    assert_non_null(strstr(told, "iommu0: context 1 iotlb-global 1"));
    assert_non_null(strstr(told, "  iotlb-global ns: least "));
    end(domain);
    show(iommu_domains_show);
    assert_memory_equal(told, "iommu0 domain 0: destroyed at ", 30);
    machine_stop();
}

static void long_lists_of_areas_end_with_a_count(void **state)
{
    struct iommu_domain *domain;

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    domain = machine_domain();
    for (unsigned i = 0; i < 10000; i++)
        machine_map(domain, i * 2 * PAGE_SIZE, TARGET, PAGE_SIZE, IOMMU_READ);
    show(iommu_mappings_show);
    assert_int_equal(times_told("leaves 1 4K") + left_out("and %u more\n"), 10000);
    iommu_domain_destroy(domain);
    machine_stop();
}

static void long_lists_of_domains_end_with_a_count(void **state)
{
    static struct iommu_domain *domains[4000];
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);

    for (unsigned i = 0; i < ARRAY_SIZE(domains); i++)
        domains[i] = machine_domain();
    show(iommu_domains_show);
    assert_int_equal(times_told("  maps 0,") + left_out("and %u more domains\n"), 4000);
    show(iommu_mappings_show);
    assert_int_equal(times_told("iommu0 domain "), 4000);
    for (unsigned i = 0; i < ARRAY_SIZE(domains); i++) {
        iommu_domain_destroy(domains[i]);
        vtd_unit_forget_events(unit);
    }
    show(iommu_domains_show);
    assert_int_equal(times_told("destroyed at"), HISTORY_PAST);
    assert_int_equal(left_out("and %u domains destroyed before\n"), 4000 - HISTORY_PAST);
    machine_stop();
}

/* ---- the report ---- */

static void reports_what_is_there(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = some_of_everything(unit);

    report();
    assert_non_null(strstr(told, "\"registers\": \"0xfed90000\""));
    assert_non_null(strstr(told, "\"taken\": \"report\""));
    assert_non_null(strstr(told, "\"2^30\": 1"));
    assert_non_null(strstr(told, "no write permission"));
    /* 5000, and from 4 GiB on one row for each size. */
    assert_int_equal(times_told("\"leaf\": \"4K\""), 2);
    assert_int_equal(times_told("\"leaf\": \"2M\""), 1);
    assert_int_equal(times_told("\"leaf\": \"1G\""), 1);
    assert_non_null(strstr(told, "\"first\": \"0x140000000\""));
    end(domain);
    machine_stop();
}

static void the_snapshot_outlives_the_domains(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = some_of_everything(unit);
    const struct snapshot *snapshot;

    iommu_snapshot();
    machine_unmap(domain, IOVA, SIZE_1G);
    end(domain);
    snapshot = snapshot_get();
    assert_true(snapshot->at_payload_end);
    assert_int_equal(snapshot->domain_count, 1);
    assert_int_equal(snapshot->mapping_count, 4);
    assert_int_equal(snapshot->area_count, 2);
    assert_int_equal(snapshot->domains[0].attached.count, 1);
    assert_int_equal(snapshot->domains[0].attached.ids[0], DEVICE);
    assert_int_equal(snapshot->domains[0].leaves[3], 1);
    assert_int_equal(snapshot->domains[0].figures.destroyed_ns, 0);
    report();
    assert_non_null(strstr(told, "\"taken\": \"payload-end\""));
    assert_int_equal(times_told("\"leaf\": \"1G\""), 1);
    assert_int_equal(times_told("\"destroyed_ns\""), 1);
    machine_stop();
}

static void a_new_start_knows_nothing_of_the_last(void **state)
{
    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    iommu_domain_destroy(machine_domain());
    iommu_snapshot();
    machine_stop();
    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    report();
    assert_non_null(strstr(told, "\"taken\": \"report\""));
    assert_int_equal(times_told("\"destroyed_ns\""), 0);
    machine_stop();
}

static unsigned breaths;

static int count_breath(void)
{
    breaths++;
    return 0;
}

/* Page tables as large as the payload wants: others are let in, but not by a report after a panic.
 */
static void a_large_snapshot_lets_others_in(void **state)
{
    struct text text;
    static char room[KIB];
    struct iommu_domain *domain;

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    domain = machine_domain();
    for (unsigned i = 0; i < 8000; i++)
        machine_map(domain, IOVA + i * PAGE_SIZE, TARGET + i * SIZE_1G, PAGE_SIZE, IOMMU_READ);
    machine_breath = count_breath;
    breaths = 0;
    report();
    assert_int_equal(breaths, 0);
    iommu_snapshot();
    assert_in_range(breaths, 5, 12);
    breaths = 0;
    text_init(&text, room, sizeof(room));
    iommu_mappings_show(NULL, &text);
    assert_int_equal(text.error, 0);
    assert_in_range(breaths, 5, 12);
    machine_breath = NULL;
    iommu_domain_destroy(domain);
    machine_stop();
}

/* ---- rows ---- */

static void mappings_merge_what_has_one_size_and_permission(void **state)
{
    struct iommu_domain *domain;
    const struct snapshot *snapshot;

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    domain = machine_domain();
    /* Scattered behind, but without a hole in front: one row. */
    for (unsigned i = 0; i < 5; i++)
        machine_map(domain, IOVA + i * PAGE_SIZE, TARGET + i * SIZE_1G, PAGE_SIZE, IOMMU_READ);
    machine_map(domain, IOVA + 5 * PAGE_SIZE, TARGET, PAGE_SIZE, IOMMU_WRITE);
    machine_map(domain, IOVA + 7 * PAGE_SIZE, TARGET, PAGE_SIZE, IOMMU_WRITE);
    iommu_snapshot();
    snapshot = snapshot_get();
    assert_int_equal(snapshot->mapping_count, 3);
    assert_int_equal(snapshot->mappings[0].first, IOVA);
    assert_int_equal(snapshot->mappings[0].last, IOVA + 5 * PAGE_SIZE - 1);
    assert_int_equal(snapshot->mappings[1].permissions, IOMMU_WRITE);
    assert_int_equal(snapshot->mappings[2].first, IOVA + 7 * PAGE_SIZE);
    assert_int_equal(snapshot->areas[0].runs[0], 5);
    assert_int_equal(snapshot->areas[0].leaves[1], 5);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* Areas of two pages each, at even places only; between 8 and 16 pages there is none. */
static bool find_pair(const void *owner, uint64_t iova, uint64_t *first, uint64_t *last)
{
    uint64_t page = (iova - IOVA) / PAGE_SIZE;

    if (owner != find_pair || iova >= IOVA + 20 * PAGE_SIZE)
        return false;
    page = page >= 8 && page < 16 ? 16 : ALIGN_DOWN(page, 2);
    *first = IOVA + page * PAGE_SIZE;
    *last = *first + 2 * PAGE_SIZE - 1;
    return true;
}

static void areas_are_the_owner_s(void **state)
{
    struct iommu_domain *domain;
    const struct snapshot *snapshot;

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    domain = machine_domain();
    machine_map(domain, IOVA, TARGET, 24 * PAGE_SIZE, IOMMU_READ);
    iommu_domain_set_areas(domain, find_pair, find_pair);
    iommu_snapshot();
    snapshot = snapshot_get();
    assert_int_equal(snapshot->mapping_count, 1);
    /* Four pairs, what no area holds, two pairs, the rest. */
    assert_int_equal(snapshot->area_count, 8);
    assert_int_equal(snapshot->areas[3].runs[1], 1);
    assert_int_equal(snapshot->areas[4].first, IOVA + 8 * PAGE_SIZE);
    assert_int_equal(snapshot->areas[4].last, IOVA + 16 * PAGE_SIZE - 1);
    assert_int_equal(snapshot->areas[4].runs[3], 1);
    assert_int_equal(snapshot->areas[7].last, IOVA + 24 * PAGE_SIZE - 1);
    iommu_domain_set_areas(domain, NULL, NULL);
    iommu_snapshot();
    assert_int_equal(snapshot->area_count, 1);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* ---- limits ---- */

static void what_finds_no_room_is_counted(void **state)
{
    struct iommu_domain *domain, *second;
    const struct snapshot *snapshot;

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    domain = machine_domain();
    second = machine_domain();
    for (unsigned i = 0; i < SNAPSHOT_MAPPINGS + 5; i++)
        machine_map(domain, i * 2 * PAGE_SIZE, TARGET, PAGE_SIZE, IOMMU_READ);
    machine_map(second, IOVA, TARGET, PAGE_SIZE, IOMMU_READ);
    iommu_snapshot();
    snapshot = snapshot_get();
    assert_int_equal(snapshot->domains[0].mappings.count + snapshot->domains[1].mappings.count,
                     SNAPSHOT_MAPPINGS);
    assert_int_equal(
        snapshot->domains[0].mappings.left_out + snapshot->domains[1].mappings.left_out, 6);
    assert_int_equal(snapshot->domains[0].areas.left_out + snapshot->domains[1].areas.left_out,
                     SNAPSHOT_MAPPINGS + 6 - SNAPSHOT_AREAS);
    report();
    assert_int_equal(times_told("\"leaf\": "), SNAPSHOT_MAPPINGS);
    assert_int_equal(times_told("\"runs\": "), SNAPSHOT_AREAS);
    assert_int_equal(times_told("\"mappings\": 5,"), 1);
    assert_int_equal(times_told("\"mappings\": 1,"), 1);
    iommu_domain_destroy(second);
    iommu_domain_destroy(domain);
    machine_stop();
}

static void the_largest_report_has_a_bound(void **state)
{
    struct iommu_domain *domains[SNAPSHOT_DOMAINS + 3];

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    for (unsigned i = 0; i < HISTORY_PAST + 3; i++)
        iommu_domain_destroy(machine_domain());
    for (unsigned i = 0; i < ARRAY_SIZE(domains); i++) {
        domains[i] = machine_domain();
        for (unsigned k = 0; k < 40; k++)
            machine_map(domains[i], ((k + 1ul) << 38) + i * PAGE_SIZE, TARGET, PAGE_SIZE,
                        IOMMU_READ | IOMMU_WRITE);
    }
    report();
    assert_int_equal(times_told("\"tables\": "), SNAPSHOT_DOMAINS);
    assert_int_equal(times_told("\"destroyed_ns\": "), HISTORY_PAST);
    assert_int_equal(times_told("\"domains_truncated\": 3"), 1);
    assert_int_equal(times_told("\"past_domains_truncated\": 3"), 1);
    assert_in_range(told_length, 300 * KIB, MIB);
    for (unsigned i = 0; i < ARRAY_SIZE(domains); i++)
        iommu_domain_destroy(domains[i]);
    machine_stop();
}

static void more_requesters_than_fit_are_counted(void **state)
{
    struct requester_ids ids = {0};

    for (unsigned i = 0; i < 2 * DOMAIN_IDS_KEPT; i++)
        requester_ids_add(&ids, (uint16_t)(100 + i % (DOMAIN_IDS_KEPT + 2)));
    assert_int_equal(ids.count, DOMAIN_IDS_KEPT);
    assert_int_equal(ids.ids[DOMAIN_IDS_KEPT - 1], 100 + DOMAIN_IDS_KEPT - 1);
    assert_int_equal(ids.left_out, 2);
}

static void faults_without_room_are_counted(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);

    for (unsigned rid = 0; rid < FAULT_DEVICES + 5; rid++) {
        machine_expect_refused(unit, (uint16_t)(0x100 + rid), IOVA, true, 1);
        iommu_fault_count();
    }
    report();
    assert_non_null(
        strstr(told, "\"devices_truncated\": 5,\n   \"overflows\": 0,\n   \"strangers\": 0,"));
    assert_int_equal(times_told("\"threshold_reached\""), FAULT_DEVICES);
    /* It has one record. */
    machine_expect_refused(unit, DEVICE, IOVA, true, 1);
    machine_expect_refused(unit, DEVICE, IOVA, true, 1);
    report();
    assert_non_null(
        strstr(told, "\"devices_truncated\": 6,\n   \"overflows\": 1,\n   \"strangers\": 0,"));
    assert_non_null(strstr(told, "\"faults_ignored\": false"));
    unit->endless_faults = true;
    report();
    unit->endless_faults = false;
    show(iommu_units_show);
    assert_non_null(strstr(told, "beyond 32 requesters 6, ignored 1\n"));
    report();
    assert_non_null(strstr(told, "\"faults_ignored\": true"));
    machine_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_tell_what_is_there_now),
        cmocka_unit_test(long_lists_of_areas_end_with_a_count),
        cmocka_unit_test(long_lists_of_domains_end_with_a_count),
        cmocka_unit_test(reports_what_is_there),
        cmocka_unit_test(the_snapshot_outlives_the_domains),
        cmocka_unit_test(a_large_snapshot_lets_others_in),
        cmocka_unit_test(a_new_start_knows_nothing_of_the_last),
        cmocka_unit_test(mappings_merge_what_has_one_size_and_permission),
        cmocka_unit_test(areas_are_the_owner_s),
        cmocka_unit_test(what_finds_no_room_is_counted),
        cmocka_unit_test(the_largest_report_has_a_bound),
        cmocka_unit_test(more_requesters_than_fit_are_counted),
        cmocka_unit_test(faults_without_room_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
