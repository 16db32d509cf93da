/* SPDX-License-Identifier: BSD-2-Clause */
/* What a door hands over: every way in which it can be wrong gets a sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/machine/boot.h"
#include "kernel/lib/error.h"

static struct refusal why;

static const struct boot_memory good_map[] = {
    {0, 0x9f000, BOOT_MEMORY_USABLE, 0},           {0x100000, 0x3ff00000, BOOT_MEMORY_USABLE, 0},
    {0x3f000000, 0x100000, BOOT_MEMORY_BOOT, 0},   {0x200000, 0x80000, BOOT_MEMORY_KERNEL, 0},
    {0xfed00000, 0x1000, BOOT_MEMORY_RESERVED, 0},
};

static struct boot_info good(void)
{
    return (struct boot_info){
        .magic = BOOT_INFO_MAGIC,
        .version = BOOT_INFO_VERSION,
        .size = sizeof(struct boot_info),
        .door = BOOT_DOOR_PVH,
        .memory_count = ARRAY_SIZE(good_map),
        .memory = (uintptr_t)good_map,
        .kernel_base = 0x200000,
        .kernel_size = 0x80000,
        .archive = 0x3f000000,
        .archive_size = 0x100000,
    };
}

static void assert_refused(const struct boot_info *info, const char *part)
{
    assert_int_equal(boot_check(info, &why), -EINVAL);
    assert_non_null(strstr(why.sentence, part));
}

static void test_good_is_taken(void **state)
{
    struct boot_info info = good();

    assert_int_equal(boot_check(&info, &why), 0);
    assert_int_equal(boot_check_placement(&info, good_map, &why), 0);
}

static void test_a_newer_door_may_say_more(void **state)
{
    struct boot_info info = good();

    info.size += 8;
    assert_int_equal(boot_check(&info, &why), 0);
}

static void test_magic_and_version(void **state)
{
    struct boot_info info = good();

    info.magic++;
    assert_refused(&info, "magic");
    info = good();
    info.version++;
    assert_refused(&info, "version");
    info = good();
    info.size--;
    assert_refused(&info, "version");
}

static void test_memory_map(void **state)
{
    struct boot_info info = good();

    info.memory_count = 0;
    assert_refused(&info, "no memory map");
    info = good();
    info.memory_count = BOOT_REGIONS_MAX + 1;
    assert_refused(&info, "the memory map");
    info = good();
    info.memory = 0;
    assert_refused(&info, "the memory map");
}

static void test_kernel_place(void **state)
{
    struct boot_info info = good();

    info.kernel_base = 0x201000;
    assert_refused(&info, "kernel's place");
    info = good();
    info.kernel_size = 0;
    assert_refused(&info, "kernel's place");
    info = good();
    info.kernel_size = GIB + 1;
    assert_refused(&info, "the kernel image");
}

static void test_texts_and_archive(void **state)
{
    struct boot_info info = good();

    info.command_line_size = 5;
    assert_refused(&info, "the command line");
    info.command_line = 0x1000;
    assert_int_equal(boot_check(&info, &why), 0);
    info.command_line_size = BOOT_COMMAND_MAX + 1;
    assert_refused(&info, "the command line is longer than 4095 bytes");
    info = good();
    info.config = 0x1000;
    info.config_size = UINT64_MAX;
    assert_refused(&info, "the configuration is longer than 65536 bytes");
    info.config = UINT64_MAX;
    info.config_size = 5;
    assert_refused(&info, "the configuration (5 bytes at 0xffffffffffffffff) is malformed");
    info = good();
    info.archive_size = UINT64_MAX;
    assert_refused(&info, "the boot archive");
    info = good();
    info.archive = 0;
    assert_refused(&info, "the boot archive");
}

static void assert_misplaced(const struct boot_info *info, const char *part)
{
    assert_int_equal(boot_check_placement(info, good_map, &why), -EINVAL);
    assert_non_null(strstr(why.sentence, part));
}

static void test_archive_outside_ram(void **state)
{
    struct boot_info info = good();

    info.archive = 0xfed00000;
    info.archive_size = 16;
    assert_misplaced(&info, "not in RAM");
    info.archive = 0x3ffff000; /* runs over the end */
    info.archive_size = 0x2000;
    assert_misplaced(&info, "not in RAM");
    info.archive = 0x9e000; /* into a hole */
    assert_misplaced(&info, "not in RAM");
}

static void test_archive_over_the_kernel(void **state)
{
    struct boot_info info = good();

    info.archive = 0x27f000;
    assert_misplaced(&info, "overlaps the kernel");
}

static void test_keep_out(void **state)
{
    const struct phys_run over_kernel = {0x27ffff, 1};
    const struct phys_run over_archive = {0x3e000000, 0x1000001};
    const struct phys_run beside = {0x280000, 0x1000};
    struct boot_info info = good();

    assert_int_equal(boot_check_keep_out(&info, &over_kernel, 1, &why), -EINVAL);
    assert_non_null(strstr(why.sentence, "covers the kernel image"));
    assert_int_equal(boot_check_keep_out(&info, &over_archive, 1, &why), -EINVAL);
    assert_non_null(strstr(why.sentence, "covers the boot archive"));
    assert_int_equal(boot_check_keep_out(&info, &beside, 1, &why), 0);
    assert_int_equal(boot_check_keep_out(&info, NULL, 0, &why), 0);
}

static void test_kernel_outside_ram(void **state)
{
    struct boot_info info = good();

    info.kernel_base = 0x40000000;
    assert_misplaced(&info, "the kernel image");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_is_taken),
        cmocka_unit_test(test_a_newer_door_may_say_more),
        cmocka_unit_test(test_magic_and_version),
        cmocka_unit_test(test_memory_map),
        cmocka_unit_test(test_kernel_place),
        cmocka_unit_test(test_texts_and_archive),
        cmocka_unit_test(test_archive_outside_ram),
        cmocka_unit_test(test_archive_over_the_kernel),
        cmocka_unit_test(test_keep_out),
        cmocka_unit_test(test_kernel_outside_ram),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
