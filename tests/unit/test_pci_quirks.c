/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of quirks: that it is in order, and what its columns mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/pci/quirks.c"

static int sign(uint32_t a, uint32_t b)
{
    return a < b ? -1 : a > b;
}

static int order(const struct pci_quirk *a, const struct pci_quirk *b)
{
    if (a->kind != b->kind)
        return sign(a->kind, b->kind);
    return a->vendor != b->vendor ? sign(a->vendor, b->vendor) : sign(a->first, b->first);
}

static bool same_devices(const struct pci_quirk *a, const struct pci_quirk *b)
{
    return a->kind == b->kind && a->vendor == b->vendor &&
           (a->last ? a->last : a->first) >= b->first && a->subsystem == b->subsystem &&
           a->class == b->class && a->oldest <= (b->newest ? b->newest : UINT8_MAX) &&
           b->oldest <= (a->newest ? a->newest : UINT8_MAX);
}

static void rows_are_sorted_and_say_why(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(quirks); i++) {
        assert_non_null(quirks[i].why);
        assert_true(strlen(quirks[i].why) > 10);
        assert_true(!quirks[i].last || quirks[i].last > quirks[i].first);
        assert_true(!quirks[i].newest || quirks[i].newest >= quirks[i].oldest);
        if (i == 0)
            continue;
        assert_true(order(&quirks[i - 1], &quirks[i]) <= 0);
        assert_false(same_devices(&quirks[i - 1], &quirks[i]));
    }
}

static void a_row_is_found_for_what_it_names_and_nothing_else(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(quirks); i++) {
        const struct pci_quirk *q = &quirks[i];
        struct pci_device d = {
            .vendor = q->vendor,
            .device = q->last ? q->last : q->first,
            .revision = q->oldest,
            .class_code = (uint32_t)q->class << 8,
            .subsystem_device = q->subsystem,
        };

        assert_ptr_equal(pci_quirk(&d, q->kind), q);
        d.vendor = 0xfffe;
        assert_null(pci_quirk(&d, q->kind));
        d.vendor = q->vendor;
        d.revision = (uint8_t)(q->newest + 1);
        assert_true(!q->newest || pci_quirk(&d, q->kind) != q);
        d.revision = q->oldest;
        d.class_code ^= 0x100;
        assert_true(!q->class || pci_quirk(&d, q->kind) != q);
        d.class_code ^= 0x100;
        d.subsystem_device ^= 0x8000;
        assert_true(!q->subsystem || pci_quirk(&d, q->kind) != q);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sorted_and_say_why),
        cmocka_unit_test(a_row_is_found_for_what_it_names_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
