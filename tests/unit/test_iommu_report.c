/* SPDX-License-Identifier: BSD-2-Clause */
/* What is told of the IOMMU: live as text, and in the report when everything is gone already. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/iommu/snapshot.h"
#include "kernel/lib/error.h"
#include "kernel/lib/json.h"
#include "tests/unit/iommu_machine.h"

static char told[8 * MIB];
static size_t told_length;

static void json_write(void *context, const char *text, size_t length)
{
    assert_true(told_length + length < sizeof(told));
    memcpy(told + told_length, text, length);
    told_length += length;
    told[told_length] = 0;
}

/* The report, as the kernel writes it. */
static void report(void)
{
    struct json json;

    told_length = 0;
    json_init(&json, json_write, NULL);
    json_object(&json, NULL);
    iommu_report(&json);
    json_end_object(&json);
    assert_int_equal(json.depth, 0);
}

static void show(void (*file)(void *, struct text *))
{
    struct text text;

    text_init(&text, told, sizeof(told));
    file(NULL, &text);
    assert_false(text.truncated);
}

static unsigned times_told(const char *what)
{
    unsigned times = 0;

    for (const char *at = strstr(told, what); at; at = strstr(at + 1, what))
        times++;
    return times;
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

static void end(struct iommu_domain *domain)
{
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    iommu_domain_destroy(domain);
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
    assert_non_null(strstr(told, "\"devices_truncated\": 5,\n   \"overflows\": 0,"));
    assert_int_equal(times_told("\"threshold_reached\""), FAULT_DEVICES);
    /* It has one record. */
    machine_expect_refused(unit, DEVICE, IOVA, true, 1);
    machine_expect_refused(unit, DEVICE, IOVA, true, 1);
    report();
    assert_non_null(strstr(told, "\"devices_truncated\": 6,\n   \"overflows\": 1,"));
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

/* ---- history ---- */

static void the_peak_stays_known(void **state)
{
    struct iommu_domain *domain;
    struct domain_figures figures;

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    domain = machine_domain();
    machine_map(domain, IOVA, TARGET, SIZE_1G, IOMMU_READ);
    machine_map(domain, 2 * IOVA, TARGET, SIZE_2M + PAGE_SIZE, IOMMU_READ);
    machine_unmap(domain, IOVA, SIZE_1G);
    machine_map(domain, IOVA, TARGET, SIZE_2M, IOMMU_READ);
    figures = domain_figures(domain);
    assert_int_equal(figures.history.peak_bytes, SIZE_1G + SIZE_2M + PAGE_SIZE);
    assert_int_equal(figures.history.peak_leaves[1], 1);
    assert_int_equal(figures.history.peak_leaves[2], 1);
    assert_int_equal(figures.history.peak_leaves[3], 1);
    assert_int_equal(figures.leaves_made[2], 2);
    assert_int_equal(figures.maps, 3);
    assert_int_equal(figures.unmaps, 1);
    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    assert_int_equal(iommu_attach(domain, machine_requester(OTHER)), 0);
    assert_int_equal(iommu_detach(domain, machine_requester(OTHER)), 0);
    figures = domain_figures(domain);
    assert_int_equal(figures.history.attached.count, 2);
    iommu_domain_destroy(domain);
    report();
    assert_non_null(strstr(told, "\"bytes\": 1075843072"));
    assert_int_equal(times_told("\"0000:00:03.0\""), 1);
    machine_stop();
}

/* What single pages in one table hide from the peak is less than that table maps. */
static void the_peak_misses_less_than_a_table(void **state)
{
    struct iommu_domain *domain;
    uint64_t most = 0, mapped = 0, seed = 4711;
    bool there[4096] = {0};

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    domain = machine_domain();
    for (unsigned i = 0; i < 200000; i++) {
        /* Grows and shrinks in turn, in one table for a while and then in another. */
        unsigned page = (unsigned)(i / 3000 * 512 + (seed >> 33) % 700) % 4096;
        uint64_t iova = IOVA + page * PAGE_SIZE;
        bool growing = i / 700 % 2 == 0;

        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        if (there[page] == growing)
            continue;
        if (growing)
            machine_map(domain, iova, TARGET, PAGE_SIZE, IOMMU_READ);
        else
            assert_int_equal(iommu_unmap_now(domain, iova, PAGE_SIZE), 0);
        there[page] = growing;
        mapped += growing ? PAGE_SIZE : -PAGE_SIZE;
        most = MAX(most, mapped);
        assert_in_range(domain_figures(domain).history.peak_bytes, mapped, most);
        assert_true(most - domain->history.peak_bytes < SIZE_2M);
    }
    assert_true(most > SIZE_2M);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* ---- latencies ---- */

static void latencies_go_to_their_bucket(void **state)
{
    struct latency latency = {0};

    latency_add(&latency, 0);
    assert_int_equal(latency.buckets[0], 1);
    latency_add(&latency, 1);
    latency_add(&latency, 1023);
    latency_add(&latency, 1024);
    latency_add(&latency, UINT64_MAX / 2);
    assert_int_equal(latency.buckets[0], 2);
    assert_int_equal(latency.buckets[9], 1);
    assert_int_equal(latency.buckets[10], 1);
    assert_int_equal(latency.buckets[LATENCY_BUCKETS - 1], 1);
    assert_int_equal(latency.count, 5);
    assert_int_equal(latency.min_ns, 0);
    assert_int_equal(latency.max_ns, UINT64_MAX / 2);
}

static void the_first_waits_are_timed_and_then_some(void **state)
{
    const struct latency *pages, *context;
    struct invalidation *queue;
    struct iommu_domain *domain;
    uint64_t before;

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    queue = &machine_unit()->invalidation;
    pages = &queue->latency[INVALIDATED_PAGES];
    context = &queue->latency[INVALIDATED_CONTEXT];
    domain = machine_domain();
    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    before = queue->waits;
    assert_int_equal(pages->count, 0);
    for (unsigned i = 0; i < 1000; i++) {
        machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_READ);
        machine_unmap(domain, IOVA, PAGE_SIZE);
        if (i < 20)
            assert_int_equal(pages->count, i + 1);
    }
    assert_int_equal(queue->waits, before + 1000);
    assert_int_equal(pages->count, WAITS_TIMED_FIRST - before +
                                       (queue->waits - WAITS_TIMED_FIRST) / WAITS_TIMED_EVERY);
    /* A wait for several kinds counts for each: the detach is timed now. */
    before = context->count;
    queue->notice_at = queue->waits;
    end(domain);
    assert_int_equal(context->count, before + 1);
    assert_int_equal(queue->latency[INVALIDATED_DEVICE_TLB].count, 0);
    report();
    assert_non_null(strstr(told, "\"latency_ns\": {"));
    assert_null(strstr(told, "\"device-tlb\": {"));
    assert_non_null(strstr(told, "\"iotlb-pages\": {"));
    machine_stop();
}

static void units_without_a_queue_time_every_request(void **state)
{
    struct invalidation *invalidation;
    struct iommu_domain *domain;

    machine_start(VTD_TEST_CAP, ECAP_WITH(0, BIT(VTD_ECAP_QI) | BIT(VTD_ECAP_IR)),
                  &(struct iommu_options){.unsafe_interrupts = true});
    invalidation = &machine_unit()->invalidation;
    domain = machine_domain();
    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    for (unsigned i = 0; i < 100; i++) {
        machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_READ);
        machine_unmap(domain, IOVA, PAGE_SIZE);
    }
    assert_int_equal(invalidation->latency[INVALIDATED_PAGES].count, 100);
    for (unsigned kind = 0; kind < INVALIDATED_KINDS; kind++)
        assert_int_equal(invalidation->latency[kind].count, invalidation->counts[kind]);
    end(domain);
    machine_stop();
}

/* The usual wait looks neither at the clock nor at the fence: both share one comparison. */
static void a_fenced_unit_lets_no_wait_through(void **state)
{
    struct invalidation *queue;

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    queue = &machine_unit()->invalidation;
    for (unsigned i = 0; i < WAITS_TIMED_FIRST + 5; i++)
        assert_int_equal(invalidation_wait(machine_unit()), 0);
    assert_true(queue->waits < queue->notice_at);
    unit_fence(machine_unit(), "a test");
    for (unsigned i = 0; i < 2 * WAITS_TIMED_EVERY; i++)
        assert_int_equal(invalidation_wait(machine_unit()), -EIO);
    report();
    assert_non_null(strstr(told, "\"fence_reason\": \"a test\""));
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
        cmocka_unit_test(the_peak_stays_known),
        cmocka_unit_test(the_peak_misses_less_than_a_table),
        cmocka_unit_test(latencies_go_to_their_bucket),
        cmocka_unit_test(the_first_waits_are_timed_and_then_some),
        cmocka_unit_test(units_without_a_queue_time_every_request),
        cmocka_unit_test(a_fenced_unit_lets_no_wait_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
