/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of quirks: that it is in order, and what its columns mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/pci/quirks.c"

static struct list devices = LIST_INIT(devices);
static uint16_t register_of_all;

struct list *pci_devices(void)
{
    return &devices;
}

uint16_t pci_read16(const struct pci_device *device, unsigned offset)
{
    return offset == 0x52 ? register_of_all : 0;
}

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

/* Of the first bus, and where a register says otherwise not. */
static void some_are_of_the_machine(void **state)
{
    struct pci_device low = {.vendor = 0x8086, .device = 0x0062, .rid = 0},
                      high = {.vendor = 0x8086, .device = 0x1616, .rid = 0x100};

    list_push_back(&devices, &low.link);
    list_push_back(&devices, &high.link);
    assert_non_null(pci_machine_quirk(QUIRK_NO_GRAPHICS_UNIT));
    assert_null(pci_machine_quirk(QUIRK_FLUSH_WRITES));
    register_of_all = 0x0800;
    assert_null(pci_machine_quirk(QUIRK_NO_GRAPHICS_UNIT));
    high.rid = 0x10;
    assert_int_equal(pci_machine_quirk(QUIRK_NO_GRAPHICS_UNIT)->first, 0x1616);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sorted_and_say_why),
        cmocka_unit_test(some_are_of_the_machine),
        cmocka_unit_test(a_row_is_found_for_what_it_names_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
