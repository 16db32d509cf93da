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
static struct file {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, segments, sections;
    uint32_t flags;
    uint16_t header_size, segment_size, segment_count, section_size, section_count, names;
    struct program_header segment[3];
    char code[64];
    char data[32];
} file;

static struct elf_plan plan;

static int good_file(void **state)
{
    file = (struct file){
        .ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
        .type = 2,
        .machine = 62,
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
    const char *wrong = elf_check(&file, sizeof(file), &plan);

    assert_non_null(wrong);
    assert_string_equal(wrong, reason);
    good_file(NULL);
}

static void a_good_file_is_loaded(void **state)
{
    char *image;

    assert_null(elf_check(&file, sizeof(file), &plan));
    assert_int_equal(plan.base, BASE);
    assert_int_equal(plan.size, 4 * 4096);
    assert_int_equal(plan.entry, BASE + 8);
    image = malloc(plan.size);
    memset(image, 'x', plan.size);
    elf_load(&file, &plan, image);
    for (size_t i = 0; i < plan.size; i++) {
        char expected = i < 64 ? 'c' : i >= 4096 && i < 4096 + 32 ? 'd' : 0;

        assert_int_equal(image[i], expected);
    }
    free(image);
}

static void a_truncated_file_is_refused(void **state)
{
    for (size_t size = 0; size < sizeof(file); size++)
        assert_non_null(elf_check(&file, size, &plan));
}

static void bad_headers_are_refused(void **state)
{
    for (int i = 0; i < 7; i++) {
        file.ident[i]++;
        refused("is not a 64-bit little-endian ELF file");
    }
    file.machine = 3;
    refused("is not an executable for x86-64");
    file.type = 3;
    refused("is not an executable for x86-64");
    file.segment_count = 0;
    refused("has no program headers");
    file.segment_size = 55;
    refused("has no program headers");
    file.segments = UINT64_MAX;
    refused("has program headers outside the file");
    file.segments = sizeof(file) - 1;
    refused("has program headers outside the file");
    file.segment_count = 0xffff;
    refused("has program headers outside the file");
}

static void bad_segments_are_refused(void **state)
{
    file.segment[0].flags = 7;
    refused("has a segment that is writable and executable");
    file.segment[0].offset = UINT64_MAX;
    refused("has a segment outside the file (is it truncated?)");
    file.segment[0].file_size = sizeof(file);
    refused("has a segment outside the file (is it truncated?)");
    file.segment[2].memory_size = 31;
    refused("has a segment of impossible size");
    file.segment[2].memory_size = ELF_SIZE_MAX + 1;
    refused("has a segment of impossible size");
    file.segment[0].address = 0x200000;
    refused("has a segment outside the kernel's half of the address space");
    file.segment[2].address = 0 - (uint64_t)4096;
    refused("has a segment outside the kernel's half of the address space");
    file.segment[2].address = BASE;
    refused("has segments that overlap or are out of order");
    file.segment[2].address = BASE + 4095;
    refused("has segments that overlap or are out of order");
    file.segment[2].address = BASE + ELF_SIZE_MAX;
    refused("is larger than 64 MiB in memory");
    file.segment[0].address = BASE + 0x1000;
    file.segment[2].address = BASE + 0x2000;
    file.entry = BASE + 0x1000;
    refused("does not begin at a multiple of 2 MiB");
    file.segment[0].type = file.segment[2].type = 2;
    refused("has nothing to load");
}

static void entry_points_outside_the_code_are_refused(void **state)
{
    static const uint64_t bad[] = {0, BASE - 1, BASE + 64, BASE + 4096, UINT64_MAX};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        file.entry = bad[i];
        refused("has an entry point outside its code");
    }
}

static void more_segments_than_fit_are_refused(void **state)
{
    struct {
        struct file file;
        struct program_header segments[ELF_SEGMENTS_MAX + 1];
    } big;

    big.file = file;
    big.file.segments = sizeof(big.file);
    big.file.segment_count = ELF_SEGMENTS_MAX + 1;
    for (size_t i = 0; i <= ELF_SEGMENTS_MAX; i++)
        big.segments[i] = (struct program_header){1, 5, 0, BASE + i * 4096, 0, 16, 16, 4096};
    assert_string_equal(elf_check(&big, sizeof(big), &plan), "has too many segments");
    big.file.segment_count--;
    assert_null(elf_check(&big, sizeof(big), &plan));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_good_file_is_loaded, good_file),
        cmocka_unit_test_setup(a_truncated_file_is_refused, good_file),
        cmocka_unit_test_setup(bad_headers_are_refused, good_file),
        cmocka_unit_test_setup(bad_segments_are_refused, good_file),
        cmocka_unit_test_setup(entry_points_outside_the_code_are_refused, good_file),
        cmocka_unit_test_setup(more_segments_than_fit_are_refused, good_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
