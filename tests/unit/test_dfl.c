/* SPDX-License-Identifier: BSD-2-Clause */
/* The device feature list walker against a card in memory: good cards, and every refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "drivers/afu/dfl.h"
#include "kernel/lib/error.h"

#define BAR_BYTES 0x100000

enum {
    AFU = 1,
    PRIVATE = 3,
    FIU = 4,
};

static uint64_t bars[2][BAR_BYTES / 8];
static struct dfl_card card;
static struct dfl found;
static const struct dfl_start at_zero = {0, 0};

static uint64_t card_read(void *context, unsigned bar, uint64_t offset)
{
    (void)context;
    assert_true(bar < 2 && offset % 8 == 0 && offset < card.bar_size[bar]);
    return bars[bar][offset / 8];
}

static void put(unsigned bar, uint64_t offset, uint64_t value)
{
    bars[bar][offset / 8] = value;
}

static uint64_t header(uint64_t type, uint64_t id, uint64_t next, bool last, uint64_t version)
{
    return type << 60 | version << 52 | (uint64_t)last << 40 | next << 16 | id;
}

/* FME with an error feature in BAR 0, a port with AFU, error and user interrupts in BAR 1. */
static int good_card(void **state)
{
    (void)state;
    memset(bars, 0, sizeof(bars));
    card = (struct dfl_card){.read = card_read, .bar_size = {BAR_BYTES, BAR_BYTES}, .vectors = 8};
    put(0, 0x0, header(FIU, 0, 0x1000, false, 0));
    put(0, 0x30, (uint64_t)1 << 17);
    put(0, 0x38, (uint64_t)1 << 60 | (uint64_t)1 << 32 | 0x2000);
    put(0, 0x1000, header(PRIVATE, DFL_FME_ERROR, 0, true, 0));
    put(0, 0x1070, 6 << 1 | 1);
    put(1, 0x2000, header(FIU, 1, 0x1000, false, 0));
    put(1, 0x2018, 0x40000);
    put(1, 0x2030, 256 << 8 | 2);
    put(1, 0x3000, header(PRIVATE, DFL_PORT_ERROR, 0x1000, false, 0));
    put(1, 0x3038, 5 << 1 | 1);
    put(1, 0x4000, header(PRIVATE, DFL_PORT_USER_INTERRUPT, 0x1000, true, 0));
    put(1, 0x4008, 1 << 12 | 4);
    return 0;
}

static void expect_refusal(int error, const char *words)
{
    assert_int_equal(dfl_walk(&card, &at_zero, 1, &found), error);
    if (!strstr(found.message, words))
        fail_msg("message '%s' lacks '%s'", found.message, words);
}

static void walks_a_good_card(void **state)
{
    (void)state;
    assert_int_equal(dfl_walk(&card, &at_zero, 1, &found), 0);
    assert_true(found.has_fme);
    assert_int_equal(dfl_find(&found.fme, DFL_FME_ERROR)->irq_first, 6);
    assert_int_equal(found.port_count, 1);
    const struct dfl_unit *port = &found.ports[0];
    assert_int_equal(port->number, 2);
    const struct dfl_feature *afu = dfl_find(port, DFL_ID_AFU);
    assert_int_equal(afu->bar, 1);
    assert_int_equal(afu->offset, 0x42000);
    assert_int_equal(afu->size, 256 * KIB);
    assert_int_equal(dfl_find(port, DFL_PORT_ERROR)->irq_first, 5);
    assert_int_equal(dfl_find(port, DFL_PORT_ERROR)->irq_count, 1);
    assert_int_equal(dfl_find(port, DFL_PORT_USER_INTERRUPT)->irq_first, 1);
    assert_int_equal(dfl_find(port, DFL_PORT_USER_INTERRUPT)->irq_count, 4);
    assert_null(dfl_find(port, DFL_PORT_SIGNALTAP));
}

static void skips_ports_that_are_absent_or_have_no_bar(void **state)
{
    (void)state;
    put(0, 0x30, (uint64_t)3 << 17);
    put(0, 0x40, (uint64_t)1 << 60 | (uint64_t)7 << 32);
    put(0, 0x48, 0x2000);
    assert_int_equal(dfl_walk(&card, &at_zero, 1, &found), 0);
    assert_int_equal(found.port_count, 1);
}

static void walks_a_lone_port(void **state)
{
    (void)state;
    const struct dfl_start start = {1, 0x2000};

    assert_int_equal(dfl_walk(&card, &start, 1, &found), 0);
    assert_false(found.has_fme);
    assert_int_equal(found.port_count, 1);
}

static void reads_version_1_relative_and_absolute(void **state)
{
    (void)state;
    put(0, 0x1000, header(PRIVATE, 0x20, 0x100, false, 1));
    put(0, 0x1018, 0x5000);
    put(0, 0x1020, (uint64_t)0x200 << 32 | (uint64_t)1 << 31);
    put(0, 0x1028, (uint64_t)2 << 35 | 7);
    put(0, 0x1038, (uint64_t)2 << 35 | (uint64_t)1 << 32 | 1);
    put(0, 0x1040, (uint64_t)3 << 32 | 2);
    put(0, 0x1100, header(PRIVATE, 0x21, 0, true, 1));
    put(0, 0x1118, 0x7000 | 1);
    put(0, 0x1120, (uint64_t)0x80 << 32);
    assert_int_equal(dfl_walk(&card, &at_zero, 1, &found), 0);
    const struct dfl_feature *relative = dfl_find(&found.fme, 0x20);
    assert_int_equal(relative->offset, 0x6000);
    assert_int_equal(relative->size, 0x200);
    assert_int_equal(relative->irq_first, 2);
    assert_int_equal(relative->irq_count, 3);
    assert_int_equal(dfl_find(&found.fme, 0x21)->offset, 0x7000);
}

static void refuses_a_bar_that_is_not_there(void **state)
{
    (void)state;
    card.bar_size[0] = 0;
    expect_refusal(-ENODEV, "no such memory BAR");
}

static void refuses_garbage_at_the_start(void **state)
{
    (void)state;
    put(0, 0, ~(uint64_t)0);
    expect_refusal(-ENODEV, "does not begin with");
    put(0, 0, 0);
    expect_refusal(-ENODEV, "does not begin with");
}

static void refuses_a_private_feature_first(void **state)
{
    (void)state;
    put(0, 0, header(PRIVATE, 1, 0, true, 0));
    expect_refusal(-ENODEV, "does not begin with");
}

static void refuses_an_unknown_type_and_fiu_and_version(void **state)
{
    (void)state;
    put(0, 0x1000, header(9, 1, 0, true, 0));
    expect_refusal(-EINVAL, "unknown type");
    put(0, 0x1000, header(PRIVATE, 1, 0, true, 2));
    expect_refusal(-EINVAL, "unknown version");
    put(0, 0x1000, header(FIU, 2, 0, true, 0));
    expect_refusal(-EINVAL, "neither FME nor port");
}

static void refuses_a_list_that_leaves_its_bar(void **state)
{
    (void)state;
    put(0, 0x1000, header(PRIVATE, 1, BAR_BYTES - 0x1000, false, 0));
    expect_refusal(-EINVAL, "the list leaves its BAR");
    put(0, 0x1000, header(PRIVATE, 1, 0xffffff, false, 0));
    expect_refusal(-EINVAL, "a feature leaves its BAR");
    put(0, 0x1000, header(PRIVATE, 1, 0x1004, false, 0));
    expect_refusal(-EINVAL, "the list leaves its BAR");
}

static void refuses_too_many_features(void **state)
{
    (void)state;
    for (unsigned i = 0; i < DFL_FEATURES_MAX + 1; i++)
        put(0, 0x1000 + 8 * i, header(PRIVATE, 1, 8, false, 0));
    expect_refusal(-E2BIG, "more features");
}

static void refuses_a_list_without_end(void **state)
{
    (void)state;
    for (unsigned i = 0x1000; i < BAR_BYTES; i += 8)
        put(0, i, header(AFU, 1, 8, false, 0));
    expect_refusal(-E2BIG, "does not end");
}

static void refuses_a_second_fme_or_the_same_port_twice(void **state)
{
    (void)state;
    put(0, 0x1000, header(FIU, 0, 0, true, 0));
    expect_refusal(-EINVAL, "second FME");
    put(0, 0x1000, header(PRIVATE, DFL_FME_ERROR, 0, true, 0));
    put(0, 0x30, (uint64_t)2 << 17);
    put(0, 0x40, bars[0][0x38 / 8]);
    expect_refusal(-EINVAL, "two lists");
}

static void refuses_too_many_ports(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++)
        put(1, 0x1000 * i, header(FIU, 1, 0x1000, i == 4, 0));
    const struct dfl_start start = {1, 0};
    assert_int_equal(dfl_walk(&card, &start, 1, &found), -E2BIG);
}

static void refuses_an_afu_outside_its_bar(void **state)
{
    (void)state;
    put(1, 0x2018, 0xf00000);
    expect_refusal(-EINVAL, "AFU leaves");
    put(1, 0x2018, 0x40000);
    put(1, 0x2030, (uint64_t)0xffff << 8);
    expect_refusal(-EINVAL, "AFU leaves");
    put(1, 0x2030, 0);
    expect_refusal(-EINVAL, "AFU leaves");
    put(1, 0x2018, 0x40004);
    expect_refusal(-EINVAL, "multiple of 8");
}

static void refuses_interrupts_the_card_lacks(void **state)
{
    (void)state;
    card.vectors = 6;
    expect_refusal(-EINVAL, "interrupts");
    card.vectors = 8;
    put(1, 0x4008, 0xfff << 12 | 0xfff);
    expect_refusal(-EINVAL, "interrupts");
}

static void refuses_a_header_that_does_not_fit(void **state)
{
    (void)state;
    const struct dfl_start start = {0, BAR_BYTES - 8};

    put(0, BAR_BYTES - 8, header(FIU, 0, 0, true, 0));
    assert_int_equal(dfl_walk(&card, &start, 1, &found), -EINVAL);
}

static void refuses_version_1_blocks_that_leave(void **state)
{
    (void)state;
    put(0, 0x1000, header(PRIVATE, 0x20, 0x100, true, 1));
    put(0, 0x1018, ~(uint64_t)0 & ~(uint64_t)1);
    expect_refusal(-EINVAL, "wraps");
    put(0, 0x1018, BAR_BYTES | 1);
    put(0, 0x1020, (uint64_t)8 << 32);
    expect_refusal(-EINVAL, "register block leaves");
    put(0, 0x1000, header(PRIVATE, 0x20, 0x20, true, 1));
    expect_refusal(-EINVAL, "a feature leaves");
}

static void refuses_parameter_chains_that_cycle_or_leave(void **state)
{
    (void)state;
    put(0, 0x1000, header(PRIVATE, 0x20, 0x100, true, 1));
    put(0, 0x1018, 0);
    put(0, 0x1020, (uint64_t)0x100 << 32 | (uint64_t)1 << 31);
    put(0, 0x1028, 7);
    expect_refusal(-EINVAL, "no successor");
    put(0, 0x1028, (uint64_t)0x1fffffff << 35 | 7);
    expect_refusal(-EINVAL, "parameter block leaves");
    put(0, 0x1028, (uint64_t)26 << 35 | 7);
    expect_refusal(-EINVAL, "parameter block leaves");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(walks_a_good_card, good_card),
        cmocka_unit_test_setup(skips_ports_that_are_absent_or_have_no_bar, good_card),
        cmocka_unit_test_setup(walks_a_lone_port, good_card),
        cmocka_unit_test_setup(reads_version_1_relative_and_absolute, good_card),
        cmocka_unit_test_setup(refuses_a_bar_that_is_not_there, good_card),
        cmocka_unit_test_setup(refuses_garbage_at_the_start, good_card),
        cmocka_unit_test_setup(refuses_a_private_feature_first, good_card),
        cmocka_unit_test_setup(refuses_an_unknown_type_and_fiu_and_version, good_card),
        cmocka_unit_test_setup(refuses_a_list_that_leaves_its_bar, good_card),
        cmocka_unit_test_setup(refuses_too_many_features, good_card),
        cmocka_unit_test_setup(refuses_a_list_without_end, good_card),
        cmocka_unit_test_setup(refuses_a_second_fme_or_the_same_port_twice, good_card),
        cmocka_unit_test_setup(refuses_too_many_ports, good_card),
        cmocka_unit_test_setup(refuses_an_afu_outside_its_bar, good_card),
        cmocka_unit_test_setup(refuses_interrupts_the_card_lacks, good_card),
        cmocka_unit_test_setup(refuses_a_header_that_does_not_fit, good_card),
        cmocka_unit_test_setup(refuses_version_1_blocks_that_leave, good_card),
        cmocka_unit_test_setup(refuses_parameter_chains_that_cycle_or_leave, good_card),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
