/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything that is told of two units that differ, each with domains, faults and a past of its
 * own: the report and the texts, word for word as in iommu_report_units.txt, but for moments.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/cpu/thread.h"
#include "kernel/iommu/snapshot.h"
#include "kernel/iommu/scope.h"
#include "kernel/lib/error.h"
#include "kernel/lib/json.h"
#include "tests/unit/iommu_machine.h"

#define EXPECTED "tests/unit/iommu_report_units.txt"
#define SECOND   UINT64_C(0xfeda1000)

static char told[64 * KIB], expected[64 * KIB];
static struct iommu_domain *domains[3];
static struct vtd_unit *units[2];

/* A unit of 39 bits without 1 GiB leaves, alone in its segment. */
static void build(void)
{
    units[0] = machine_build(VTD_TEST_CAP, VTD_TEST_ECAP);
    units[1] =
        host_unit_add(SECOND, PAGE_SIZE,
                      CAP_WITH(UINT64_C(2) << 8, BIT(10) | BIT(35) | (UINT64_C(0x3ff) << 24)) |
                          UINT64_C(0x22) << 24,
                      VTD_TEST_ECAP);
    host_dmar_unit(SECOND, true)->segment = 1;
    host_pci_add(1, DEVICE, NULL);
    host_pci_add(1, OTHER, NULL);
    assert_int_equal(machine_init(NULL), 0);
}

static struct iommu_domain *create(uint16_t segment)
{
    struct iommu_domain *domain;

    assert_int_equal(iommu_domain_create(scope_unit_for(segment, DEVICE), &domain), 0);
    return domain;
}

/* One domain that comes and goes, one that stays, in the first unit; two in the second. */
static void work(void)
{
    struct iommu_domain *past = create(0);

    machine_map(past, 0x7000, TARGET, 3 * PAGE_SIZE, IOMMU_READ | IOMMU_WRITE);
    assert_int_equal(iommu_attach(past, machine_requester(DEVICE)), 0);
    assert_int_equal(iommu_detach(past, machine_requester(DEVICE)), 0);
    machine_unmap(past, 0x7000, 3 * PAGE_SIZE);
    iommu_domain_destroy(past);
    domains[0] = create(0);
    domains[1] = create(1);
    domains[2] = create(1);
    machine_map(domains[0], IOVA, TARGET, SIZE_1G + SIZE_2M + PAGE_SIZE, IOMMU_READ);
    machine_map(domains[0], 0x5000, TARGET, PAGE_SIZE, IOMMU_WRITE);
    machine_map(domains[0], 0x6000, 2 * TARGET, PAGE_SIZE, IOMMU_WRITE);
    machine_map(domains[1], IOVA, TARGET, SIZE_2M + 2 * PAGE_SIZE, IOMMU_WRITE);
    machine_map(domains[1], 2 * IOVA, TARGET, SIZE_1G, IOMMU_READ | IOMMU_WRITE);
    machine_map(domains[2], 0x9000, TARGET, PAGE_SIZE, IOMMU_READ);
    machine_unmap(domains[1], IOVA, SIZE_2M);
    assert_int_equal(iommu_attach(domains[0], machine_requester(DEVICE)), 0);
    assert_int_equal(iommu_attach(domains[0], machine_requester(OTHER)), 0);
    assert_int_equal(iommu_attach(domains[1], pci_find(1, DEVICE)->requesters[0]), 0);
}

static void faults(void)
{
    uint32_t destination;
    uint8_t vector;
    bool level;

    machine_expect_refused(units[0], DEVICE, 0x9000, true, 5);
    assert_int_equal(iommu_fault_count(), 1);
    machine_expect_refused(units[1], DEVICE, 0xa000, false, 6);
    assert_int_equal(iommu_fault_count(), 2);
    machine_expect_refused(units[1], OTHER, 0xb000, false, 2);
    assert_int_equal(iommu_fault_count(), 3);
    assert_int_equal(
        vtd_unit_interrupt(units[1], DEVICE, 0xfee00018, 0, &vector, &destination, &level), 0x22);
    assert_int_equal(iommu_fault_count(), 4);
    unit_fence(scope_unit_for(1, DEVICE), "a test");
}

static void json_write(void *context, const char *text, size_t length)
{
    assert_true(strlen(told) + length < sizeof(told));
    strncat(told, text, length);
}

static void tell(void)
{
    static void (*const files[])(void *, struct text *) = {iommu_units_show, iommu_domains_show,
                                                           iommu_mappings_show, iommu_faults_show,
                                                           iommu_invalidations_show};
    struct json json;
    struct text text;
    size_t length;

    told[0] = '\0';
    json_init(&json, json_write, NULL);
    json_object(&json, NULL);
    iommu_report(&json);
    json_end_object(&json);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        strcat(told, "\n--\n");
        length = strlen(told);
        text_init(&text, told + length, sizeof(told) - length);
        files[i](NULL, &text);
    }
}

/* Puts a star for each number that comes after a text: how often the clock is read may change. */
static void forget_moments(const char *before)
{
    for (char *at = told; (at = strstr(at, before)) != NULL; at++) {
        size_t digits;

        at += strlen(before);
        digits = strspn(at, "0123456789");
        assert_true(digits > 0);
        *at++ = '*';
        memmove(at, at + digits - 1, strlen(at + digits - 1) + 1);
    }
}

static void read_expected(void)
{
    FILE *file = fopen(EXPECTED, "r");

    assert_non_null(file);
    assert_in_range(fread(expected, 1, sizeof(expected) - 1, file), 1000, sizeof(expected) - 2);
    fclose(file);
}

/* Line by line, so that a failure says which. */
static void compare(void)
{
    char *is = told, *should = expected;

    for (unsigned line = 1; *is || *should; line++) {
        size_t length = strcspn(is, "\n"), wanted = strcspn(should, "\n");

        if (length != wanted || memcmp(is, should, length) != 0)
            fail_msg("line %u of " EXPECTED ": %.*s\nis told as: %.*s", line, (int)wanted, should,
                     (int)length, is);
        is += length + (is[length] == '\n');
        should += wanted + (should[wanted] == '\n');
    }
}

static void each_unit_tells_its_own(void **state)
{
    build();
    work();
    faults();
    tell();
    forget_moments("\"created_ns\": ");
    forget_moments("\"destroyed_ns\": ");
    forget_moments("\"time_ns\": ");
    forget_moments(" destroyed at ");
    read_expected();
    compare();
}

/* ---- who is ended while a text is made ---- */

static unsigned breaths;

static int end_at_first_breath(void)
{
    return breaths++ ? 0 : -EINTR;
}

static void expect_end(void (*file)(void *, struct text *))
{
    struct text text;

    text_init(&text, told, sizeof(told));
    breaths = 0;
    breath_left = BREATH_WORK;
    file(NULL, &text);
    assert_int_equal(breaths, 1);
    assert_int_equal(text.error, -EINTR);
}

/* Between two domains, or inside of one: those behind it, here and in other units, are left out. */
static void an_end_is_what_a_text_tells(void **state)
{
    struct iommu_domain *many[2][70];

    build();
    for (unsigned unit = 0; unit < 2; unit++) {
        for (unsigned i = 0; i < ARRAY_SIZE(many[unit]); i++)
            many[unit][i] = create((uint16_t)unit);
    }
    machine_breath = end_at_first_breath;
    expect_end(iommu_domains_show);
    expect_end(iommu_mappings_show);
    for (unsigned i = 0; i < 2000; i++)
        machine_map(many[0][0], IOVA + i * 2 * PAGE_SIZE, TARGET, PAGE_SIZE, IOMMU_READ);
    expect_end(iommu_mappings_show);
    machine_breath = NULL;
    for (unsigned unit = 0; unit < 2; unit++) {
        for (unsigned i = 0; i < ARRAY_SIZE(many[unit]); i++)
            iommu_domain_destroy(many[unit][i]);
    }
    machine_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_unit_tells_its_own),
                                       cmocka_unit_test(an_end_is_what_a_text_tells)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
