/* SPDX-License-Identifier: BSD-2-Clause */
/* The MCFG: the windows to configuration space. */
#include "tests/unit/acpi_fixture.h"

static void a_bad_mcfg_is_refused(void **state)
{
    begin(&t, "MCFG");
    put_zeros(&t, 8);
    place_finished(MCFG);
    refused(-EINVAL, "MCFG has an impossible length");
    begin_mcfg(0xb0000000, 0, 0, 255);
    put_zeros(&t, 15);
    place_finished(MCFG);
    refused(-EINVAL, "MCFG has an impossible length");
    begin_mcfg(0xb0000000, 1, 9, 8);
    place_finished(MCFG);
    refused(-EINVAL, "buses 9 to 8 of segment 1");
    begin_mcfg(0, 0, 0, 255);
    place_finished(MCFG);
    refused(-EINVAL, "segment 0 at 0x0");
    begin_mcfg(0xb0001000, 0, 0, 255);
    place_finished(MCFG);
    refused(-EINVAL, "segment 0 at 0xb0001000");
    begin_mcfg(UINT64_C(0xfffffffff0000000), 0, 0, 0);
    place_finished(MCFG);
    refused(-EINVAL, "segment 0 at 0xfffffffff0000000");
}

static void two_windows_may_not_share_a_bus_or_an_address(void **state)
{
    begin_mcfg(0xb0000000, 0, 0, 127);
    put(&t, 0xb0000000, 8);
    put(&t, 1, 2);
    put(&t, 0xff80, 2);
    put_zeros(&t, 4);
    place_finished(MCFG);
    assert_int_equal(find(RSDP), 0);
    assert_int_equal(info.ecam_count, 2);
    assert_int_equal(info.ecams[1].first_bus, 128);
    set(&t, 68, 0, 2); /* the same segment: buses apart, still fine */
    place_finished(MCFG);
    assert_int_equal(find(RSDP), 0);
    set(&t, 70, 0xff7f, 2); /* bus 127 twice */
    place_finished(MCFG);
    refused(-EINVAL, "describes segment 0 bus 127 twice");
    set(&t, 68, 1, 2); /* other segment, same addresses */
    place_finished(MCFG);
    refused(-EINVAL, "describes segment 1 bus 127 twice");
}

static void there_may_be_a_hundred_segments(void **state)
{
    begin_mcfg(0x80000000, 0, 0, 0);
    for (unsigned i = 1; i < 100; i++) {
        put(&t, 0x80000000 + i * MIB, 8);
        put(&t, i, 2);
        put_zeros(&t, 6);
    }
    place_finished(MCFG);
    assert_int_equal(find(RSDP), 0);
    assert_int_equal(info.ecam_count, 100);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(info.ecams[i].segment, i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_bad_mcfg_is_refused),
        TEST(two_windows_may_not_share_a_bus_or_an_address),
        TEST(there_may_be_a_hundred_segments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
