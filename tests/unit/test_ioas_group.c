/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups and IO address spaces: whose requests go where, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "tests/unit/ioas_snapshot.h"
#include "tests/unit/ioas_world.h"

#define IOVA (4 * GIB)

static struct ioas_tables tables, others;
static char said[1024];

static void listen(const char *text, size_t length)
{
    strncat(said, text, MIN(length, sizeof(said) - 1 - strlen(said)));
}

static struct log_sink sink = {.write = listen};

static int setup(void **state)
{
    world_create();
    ioas_tables_init(&tables, world_space[0]);
    ioas_tables_init(&others, world_space[1]);
    said[0] = '\0';
    return 0;
}

static int teardown(void **state)
{
    struct ioas_tables *const all[] = {&tables, &others};

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        if (world_attached(all[i], &world_pair))
            ioas_detach_group(all[i], &world_pair);
        if (world_attached(all[i], &world_split))
            ioas_detach_group(all[i], &world_split);
        assert_true(list_empty(&all[i]->domains));
    }
    world_destroy();
    return 0;
}

static struct iommu_domain *domain_of(const struct pci_group *group, size_t member)
{
    return ioas_iommu_domain_of(group->members[member]->rid);
}

static void all_ids_go_through_one_space(void **state)
{
    struct iommu_translation t;

    assert_int_equal(world_map(0, SOURCE_SCATTERED, 4, IOVA), 0);
    assert_int_equal(ioas_attach_group(&tables, &world_pair), 0);
    assert_true(world_attached(&tables, &world_pair));
    assert_false(world_attached(&others, &world_pair));
    assert_non_null(domain_of(&world_pair, 0));
    assert_ptr_equal(domain_of(&world_pair, 0), domain_of(&world_pair, 1));
    assert_int_equal(domain_of(&world_pair, 0)->attached, 2);
    assert_true(iommu_translate(domain_of(&world_pair, 0), IOVA, &t));
    ioas_detach_group(&tables, &world_pair);
    assert_null(domain_of(&world_pair, 0));
    assert_null(domain_of(&world_pair, 1));
    assert_int_equal(ioas_area_count(world_space[0]), 1);
    assert_string_equal(said, ""); /* all was confirmed */
}

static void each_unit_has_a_page_table(void **state)
{
    struct iommu_translation one, two;

    assert_int_equal(ioas_attach_group(&tables, &world_split), 0);
    assert_ptr_not_equal(domain_of(&world_split, 0), domain_of(&world_split, 1));
    assert_int_equal(world_map(0, SOURCE_SCATTERED, 4, IOVA), 0);
    assert_true(iommu_translate(domain_of(&world_split, 0), IOVA, &one));
    assert_true(iommu_translate(domain_of(&world_split, 1), IOVA, &two));
    assert_int_equal(one.physical, two.physical);
    assert_int_equal(ioas_unmap_all(world_space[0], &(uint64_t){0}), 0);
    assert_string_equal(said, "");
}

static void page_tables_are_shared_and_go_with_the_last_group(void **state)
{
    struct iommu_geometry geometry;

    geometry = ioas_geometry(world_space[0]);
    assert_int_equal(geometry.page_sizes, ~(PAGE_SIZE - 1));
    assert_int_equal(ioas_attach_group(&tables, &world_pair), 0);
    geometry = ioas_geometry(world_space[0]);
    assert_int_equal(geometry.address_bits, 48);
    assert_int_equal(ioas_attach_group(&tables, &world_split), 0);
    geometry = ioas_geometry(world_space[0]);
    assert_int_equal(geometry.address_bits, 39); /* of unit 1 */
    ioas_detach_group(&tables, &world_split);
    geometry = ioas_geometry(world_space[0]);
    assert_int_equal(geometry.address_bits, 48);
    ioas_detach_group(&tables, &world_pair);
    assert_true(list_empty(&tables.domains));
}

static void the_least_of_all_units_counts(void **state)
{
    struct iommu_geometry geometry;

    ioas_iommu_set_geometry(1, 39, true);
    assert_int_equal(ioas_attach_group(&tables, &world_split), 0);
    geometry = ioas_geometry(world_space[0]);
    assert_false(geometry.snoop_control); /* unit 2 cannot */
    ioas_detach_group(&tables, &world_split);
    ioas_iommu_set_geometry(2, 48, true);
    assert_int_equal(ioas_attach_group(&tables, &world_split), 0);
    geometry = ioas_geometry(world_space[0]);
    assert_true(geometry.snoop_control);
}

/* Attaches, must fail, and everything is as before. */
static void refused(struct pci_group *group, int error)
{
    char *before = world_snapshot();

    assert_int_equal(ioas_attach_group(&tables, group), error);
    snapshot_compare("attach", 0, before, world_snapshot());
    assert_false(world_attached(&tables, group));
}

static void no_unit_translates(void **state)
{
    refused(&world_lost, -ENODEV);
}

static void a_requester_has_a_domain_already(void **state)
{
    assert_int_equal(ioas_attach_group(&others, &world_pair), 0);
    refused(&world_pair, -EBUSY);
    assert_true(world_attached(&others, &world_pair));
}

static void the_narrow_unit_is_too_narrow(void **state)
{
    assert_int_equal(world_map(0, SOURCE_SCATTERED, 4, UINT64_C(1) << 39), 0);
    refused(&world_split, -EADDRINUSE);
    assert_int_equal(ioas_attach_group(&tables, &world_pair), 0);
}

static void memory_is_not_there(void **state)
{
    assert_int_equal(world_map(0, SOURCE_END, 4, IOVA), 0);
    refused(&world_pair, -EFAULT);
}

static void the_account_is_exhausted(void **state)
{
    assert_int_equal(world_map(0, SOURCE_SCATTERED, 4, IOVA), 0);
    world_account.limit = 3 * PAGE_SIZE;
    refused(&world_pair, -ENOMEM);
}

static void reserved_memory_is_in_the_way(void **state)
{
    struct ioas_range range;

    ioas_iommu_set_reserved(world_pair.members[1]->rid, IOVA, 2 * PAGE_SIZE);
    assert_int_equal(world_map(0, SOURCE_SCATTERED, 1, IOVA + PAGE_SIZE), 0);
    refused(&world_pair, -EADDRINUSE);
    assert_int_equal(ioas_unmap_all(world_space[0], &(uint64_t){0}), 0);
    assert_int_equal(ioas_attach_group(&tables, &world_pair), 0);
    assert_int_equal(world_map(0, SOURCE_SCATTERED, 1, IOVA + PAGE_SIZE), -EINVAL);
    assert_int_equal(world_map(0, SOURCE_SCATTERED, 1, IOVA + 2 * PAGE_SIZE), 0);
    ioas_detach_group(&tables, &world_pair);
    assert_true(ioas_usable(world_space[0], IOVA, &range) && range.first == 0);
}

static void a_dead_unit_takes_nobody(void **state)
{
    ioas_iommu_kill(0);
    assert_int_equal(ioas_attach_group(&tables, &world_pair), -EIO);
    assert_false(world_attached(&tables, &world_pair));
}

static void a_detach_that_is_not_confirmed_is_told(void **state)
{
    assert_int_equal(ioas_attach_group(&tables, &world_pair), 0);
    ioas_iommu_kill(0);
    ioas_detach_group(&tables, &world_pair);
    assert_non_null(strstr(said, "0000:00:02.0: the IOMMU did not confirm the detach"));
    assert_non_null(strstr(said, "0000:00:03.0: the IOMMU did not confirm the detach"));
}

/* ---- requesters on their own ---- */

static void requesters_have_one_unit_or_none(void **state)
{
    assert_ptr_equal(ioas_requesters_unit(&world_pair), ioas_iommu_unit(0));
    assert_null(ioas_requesters_unit(&world_split));
    assert_int_equal(ioas_requesters_attach(&world_split, NULL, world_table[1]), -ENODEV);
    assert_null(domain_of(&world_split, 0)); /* the first had been attached */
    assert_null(ioas_requesters_unit(&world_lost));
}

static void requesters_move_together(void **state)
{
    struct iommu_domain *second;

    assert_int_equal(iommu_domain_create(ioas_iommu_unit(0), &second), 0);
    assert_int_equal(ioas_requesters_attach(&world_pair, NULL, world_table[0]), 0);
    assert_int_equal(ioas_requesters_attach(&world_pair, NULL, second), -EBUSY);
    assert_int_equal(ioas_requesters_attach(&world_pair, world_table[0], world_table[1]), -ENODEV);
    assert_ptr_equal(domain_of(&world_pair, 1), world_table[0]);
    assert_int_equal(ioas_requesters_attach(&world_pair, world_table[0], second), 0);
    assert_ptr_equal(domain_of(&world_pair, 0), second);
    assert_ptr_equal(domain_of(&world_pair, 1), second);
    ioas_requesters_detach(&world_pair, second);
    iommu_domain_destroy(second);
}

/* The unit stops while they move, so neither can move back: both reach nothing, and it is told. */
static void requesters_reach_nothing_when_the_unit_stops(void **state)
{
    struct iommu_domain *second;

    assert_int_equal(iommu_domain_create(ioas_iommu_unit(0), &second), 0);
    assert_int_equal(ioas_requesters_attach(&world_pair, NULL, world_table[0]), 0);

    ioas_iommu_kill_in(2);
    assert_int_equal(ioas_requesters_attach(&world_pair, world_table[0], second), -EIO);
    assert_null(domain_of(&world_pair, 0));
    assert_null(domain_of(&world_pair, 1));
    assert_int_equal(second->attached, 0);
    assert_int_equal(world_table[0]->attached, 0);
    assert_non_null(strstr(said, "0000:00:02.0: the IOMMU did not confirm the detach"));
    iommu_domain_destroy(second);
}

/* The same with the first step of all of them into a domain. */
static void requesters_are_all_out_when_the_unit_stops(void **state)
{
    ioas_iommu_kill_in(2);
    assert_int_equal(ioas_requesters_attach(&world_pair, NULL, world_table[0]), -EIO);
    assert_null(domain_of(&world_pair, 0));
    assert_null(domain_of(&world_pair, 1));
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(all_ids_go_through_one_space),
        TEST(each_unit_has_a_page_table),
        TEST(page_tables_are_shared_and_go_with_the_last_group),
        TEST(the_least_of_all_units_counts),
        TEST(no_unit_translates),
        TEST(a_requester_has_a_domain_already),
        TEST(the_narrow_unit_is_too_narrow),
        TEST(memory_is_not_there),
        TEST(the_account_is_exhausted),
        TEST(reserved_memory_is_in_the_way),
        TEST(a_dead_unit_takes_nobody),
        TEST(a_detach_that_is_not_confirmed_is_told),
        TEST(requesters_have_one_unit_or_none),
        TEST(requesters_move_together),
        TEST(requesters_reach_nothing_when_the_unit_stops),
        TEST(requesters_are_all_out_when_the_unit_stops),
    };

    log_add_sink(&sink);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
