/* SPDX-License-Identifier: BSD-2-Clause */
/* The UEFI loader's view of the kernel file: a good one, and every way to be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "boot/efi/elf.h"

#define BASE UINT64_C(0xffffffff80200000)

struct program_header {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_size, memory_size, alignment;
};

/* A file with code at BASE and data behind it. */
static _Alignas(4096) struct file {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, segments, sections;
    uint32_t flags;
    uint16_t header_size, segment_size, segment_count, section_size, section_count, names;
    struct program_header segment[3];
    _Alignas(4096) char code[64];
    _Alignas(4096) char data[32];
} file;

static struct elf_image image;

static int good_file(void **state)
{
    file = (struct file){
        .ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
        .type = 2,
        .machine = 62,
        .version = 1,
        .entry = BASE + 8,
        .segments = offsetof(struct file, segment),
        .segment_size = sizeof(struct program_header),
        .segment_count = 3,
        .segment =
            {
                {1, 5, offsetof(struct file, code), BASE, 0, sizeof(file.code), 64, 4096},
                {4, 4, 1 << 30, 1, 0, 1 << 30, 1 << 30, 4}, /* a note: none of our business */
                {1, 6, offsetof(struct file, data), BASE + 4096, 0, sizeof(file.data), 10000, 4096},
            },
    };
    memset(file.code, 'c', sizeof(file.code));
    memset(file.data, 'd', sizeof(file.data));
    return 0;
}

static void refused(const char *reason)
{
    const char *wrong = elf_check(&file, sizeof(file), &kernel_rules, &image);

    assert_non_null(wrong);
    assert_string_equal(wrong, reason);
    good_file(NULL);
}

static void a_good_file_is_loaded(void **state)
{
    char *at;

    assert_null(elf_check(&file, sizeof(file), &kernel_rules, &image));
    assert_int_equal(image.low, BASE);
    assert_int_equal(image.high, BASE + 4 * 4096);
    assert_int_equal(image.entry, BASE + 8);
    at = malloc(4 * 4096);
    memset(at, 'x', 4 * 4096);
    elf_load(&file, &image, at);
    for (size_t i = 0; i < 4 * 4096; i++) {
        char expected = i < 64 ? 'c' : i >= 4096 && i < 4096 + 32 ? 'd' : 0;

        assert_int_equal(at[i], expected);
    }
    free(at);
}

static void a_truncated_file_is_refused(void **state)
{
    for (size_t size = 0; size < offsetof(struct file, data) + sizeof(file.data); size++)
        assert_non_null(elf_check(&file, size, &kernel_rules, &image));
}

/* What is asked of a kernel and not of a payload; the rest is test_elf.c's. */
static void only_fixed_addresses_of_the_kernel_are_accepted(void **state)
{
    file.type = 3;
    refused("it is not an executable at fixed addresses");
    file.segment[0].address = 0x200000;
    refused("a segment lies outside the kernel's half of the address space");
    file.segment[2].address = 0 - (uint64_t)4096;
    refused("a segment lies outside the kernel's half of the address space");
    file.segment[2].memory_size = UINT64_MAX;
    refused("a segment lies outside the kernel's half of the address space");
    file.segment[2].memory_size = 64 * MIB;
    refused("it is larger than 64 MiB in memory");
    file.segment[2].address = BASE + 64 * MIB;
    refused("it is larger than 64 MiB in memory");
    file.segment[0].address = BASE + 0x1000;
    refused("it does not begin at a multiple of 2 MiB");
}

static void writable_code_is_refused(void **state)
{
    file.segment[0].flags = 7;
    refused("a segment is both writable and executable");
}

static void entry_points_outside_the_code_are_refused(void **state)
{
    static const uint64_t bad[] = {0, BASE - 1, BASE + 64, BASE + 4096, UINT64_MAX};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        file.entry = bad[i];
        refused("its entry point lies in no executable segment");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_good_file_is_loaded, good_file),
        cmocka_unit_test_setup(a_truncated_file_is_refused, good_file),
        cmocka_unit_test_setup(only_fixed_addresses_of_the_kernel_are_accepted, good_file),
        cmocka_unit_test_setup(writable_code_is_refused, good_file),
        cmocka_unit_test_setup(entry_points_outside_the_code_are_refused, good_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
