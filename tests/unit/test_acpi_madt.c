/* SPDX-License-Identifier: BSD-2-Clause */
/* The MADT: interrupt controllers. */
#include "tests/unit/acpi_fixture.h"

static void a_bad_madt_is_refused(void **state)
{
    begin(&t, "APIC");
    put_zeros(&t, 7);
    place_finished(MADT);
    refused(-EINVAL, "MADT is too short");
    begin_madt();
    put(&t, 0, 1);
    place_finished(MADT);
    refused(-EINVAL, "offset 44 has an impossible length");
    begin_madt();
    put(&t, 0x0100, 2);
    place_finished(MADT);
    refused(-EINVAL, "offset 44 has an impossible length");
    begin_madt();
    put(&t, 0x0900, 2);
    put_zeros(&t, 6);
    place_finished(MADT);
    refused(-EINVAL, "offset 44 has an impossible length");
    begin_madt();
    put(&t, 0x0401, 2);
    put_zeros(&t, 2);
    place_finished(MADT);
    refused(-EINVAL, "entry of type 1 is too short");
    begin_madt();
    put(&t, 0x0c01, 2);
    put_zeros(&t, 10);
    place_finished(MADT);
    refused(-EINVAL, "puts I/O APIC 0 at 0x0");
    begin_madt();
    set(&t, 36, 0xfee00010, 4);
    place_finished(MADT);
    refused(-EINVAL, "puts the local APIC at 0xfee00010");
}

static void there_may_be_hundreds_of_io_apics(void **state)
{
    begin_madt();
    for (unsigned i = 0; i < 200; i++) {
        put(&t, 0x0c01, 2);
        put(&t, i, 2);
        put(&t, 0xfec00000 + i * 0x1000, 4);
        put(&t, i * 24, 4);
    }
    place_finished(MADT);
    assert_int_equal(find(RSDP), 0);
    assert_int_equal(info.io_apic_count, 200);
    for (unsigned i = 0; i < 200; i++)
        assert_int_equal(info.io_apics[i].base, 0xfec00000 + i * 0x1000);
}

static void a_64_bit_local_apic_wins(void **state)
{
    begin_madt();
    put(&t, 0x0c05, 2);
    put_zeros(&t, 2);
    put(&t, UINT64_C(0x1fee00000), 8);
    place_finished(MADT);
    assert_int_equal(find(RSDP), 0);
    assert_int_equal(info.local_apic, UINT64_C(0x1fee00000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_bad_madt_is_refused),
        TEST(there_may_be_hundreds_of_io_apics),
        TEST(a_64_bit_local_apic_wins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
