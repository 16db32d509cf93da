/* SPDX-License-Identifier: BSD-2-Clause */
/* The program loader's parser: what a good file becomes, and every refusal with its sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "kernel/mm/paging/paging.h"
#include "kernel/linux/program/elf.h"
#include "tests/unit/elf_sample.h"

/* Checks an exact copy, so that ASan sees a read beyond the end. */
static const char *check(const struct elf_sample *s, uint64_t size, struct elf_image *image)
{
    unsigned char *copy = malloc(size ? size : 1);
    memcpy(copy, s->bytes, size);
    const char *wrong = elf_check(copy, size, &program_rules, image);
    free(copy);
    return wrong;
}

static void a_good_program_is_described(void **state)
{
    struct elf_sample s;
    struct elf_image image;
    elf_sample_make(&s);
    assert_null(check(&s, SAMPLE_SIZE, &image));
    assert_false(image.relocatable);
    assert_int_equal(image.entry, SAMPLE_TEXT + 0x10);
    assert_int_equal(image.low, 0x400000);
    assert_int_equal(image.high, SAMPLE_DATA + 0x6000);
    assert_int_equal(image.headers_address, 0x400000 + sizeof(Elf64_Ehdr));
    assert_int_equal(image.headers_count, 5);
    assert_int_equal(image.segment_count, 3);
    assert_true(image.segments[1].execute && !image.segments[1].write);
    assert_true(image.segments[2].write && !image.segments[2].execute);
    assert_int_equal(image.segments[2].memory_size, 0x5000);
}

static void a_static_pie_can_be_moved(void **state)
{
    struct elf_sample s;
    struct elf_image image;
    elf_sample_make(&s);
    s.header.e_type = ET_DYN;
    s.header.e_entry -= 0x400000;
    for (unsigned i = 0; i < 4; i++)
        s.programs[i].p_vaddr -= 0x400000;
    assert_null(check(&s, SAMPLE_SIZE, &image));
    assert_true(image.relocatable);
    assert_int_equal(image.low, 0);
}

static void headers_outside_segments(void **state)
{
    struct elf_sample s;
    struct elf_image image;
    elf_sample_make(&s);
    s.programs[0].p_filesz = sizeof(Elf64_Ehdr); /* the headers begin behind it */
    assert_null(check(&s, SAMPLE_SIZE, &image));
    assert_int_equal(image.headers_address, 0);
}

/* Each spoils the good file in one way. */
static void not_elf(struct elf_sample *s)
{
    s->bytes[0] = 'X';
}
static void class_32(struct elf_sample *s)
{
    s->header.e_ident[EI_CLASS] = ELFCLASS32;
}
static void big_endian(struct elf_sample *s)
{
    s->header.e_ident[EI_DATA] = ELFDATA2MSB;
}
static void version(struct elf_sample *s)
{
    s->header.e_version = 2;
}
static void machine(struct elf_sample *s)
{
    s->header.e_machine = EM_AARCH64;
}
static void object_file(struct elf_sample *s)
{
    s->header.e_type = ET_REL;
}
static void header_size(struct elf_sample *s)
{
    s->header.e_phentsize = 32;
}
static void no_headers(struct elf_sample *s)
{
    s->header.e_phnum = 0;
}
static void many_headers(struct elf_sample *s)
{
    s->header.e_phnum = 65;
}
static void headers_beyond(struct elf_sample *s)
{
    s->header.e_phoff = SAMPLE_SIZE - 100;
}
static void headers_wrap(struct elf_sample *s)
{
    s->header.e_phoff = UINT64_MAX - 8;
}
static void interpreter(struct elf_sample *s)
{
    s->programs[3].p_type = PT_INTERP;
}
static void file_larger(struct elf_sample *s)
{
    s->programs[2].p_filesz = 0x5001;
}
static void beyond_file(struct elf_sample *s)
{
    s->programs[2].p_offset = (SAMPLE_SIZE - PAGE_SIZE + 0x20) + PAGE_SIZE;
}
static void offset_wraps(struct elf_sample *s)
{
    s->programs[1].p_offset = UINT64_MAX - 0xfff;
}
static void kernel_address(struct elf_sample *s)
{
    s->programs[2].p_vaddr = UINT64_C(0xffffffff80000020);
}
static void crosses_end(struct elf_sample *s)
{
    s->programs[2].p_vaddr = USER_END - PAGE_SIZE + 0x20;
}
static void huge(struct elf_sample *s)
{
    s->programs[2].p_memsz = UINT64_MAX - 0x1000;
}
static void wide(struct elf_sample *s)
{
    s->programs[2].p_memsz = program_rules.span_max;
}
static void null_page(struct elf_sample *s)
{
    s->programs[0].p_vaddr = 0x1000;
}
static void misaligned(struct elf_sample *s)
{
    s->programs[1].p_vaddr += 8;
}
static void write_execute(struct elf_sample *s)
{
    s->programs[1].p_flags |= PF_W;
}
static void overlap(struct elf_sample *s)
{
    s->programs[1].p_memsz = 0x2001; /* its last byte is in the page of the data */
}
static void descending(struct elf_sample *s)
{
    Elf64_Phdr first = s->programs[0];
    s->programs[0] = s->programs[1];
    s->programs[1] = first;
}
static void nothing(struct elf_sample *s)
{
    for (unsigned i = 0; i < 3; i++)
        s->programs[i].p_type = PT_NULL;
}
static void entry_data(struct elf_sample *s)
{
    s->header.e_entry = SAMPLE_DATA + 0x20;
}
static void entry_behind(struct elf_sample *s)
{
    s->header.e_entry = SAMPLE_TEXT + 0x100;
}

static const struct {
    void (*spoil)(struct elf_sample *s);
    const char *part; /* of the sentence */
} refusals[] = {
    {not_elf, "not an ELF file"},
    {class_32, "64-bit little-endian"},
    {big_endian, "64-bit little-endian"},
    {version, "version is unknown"},
    {machine, "another machine"},
    {object_file, "not a program"},
    {header_size, "unknown size"},
    {no_headers, "no program headers"},
    {many_headers, "more than 64"},
    {headers_beyond, "headers lie beyond its end"},
    {headers_wrap, "headers lie beyond its end"},
    {interpreter, "dynamic linker"},
    {file_larger, "more bytes in the file than in memory"},
    {beyond_file, "a segment lies beyond its end"},
    {offset_wraps, "a segment lies beyond its end"},
    {kernel_address, "outside the payload's half"},
    {crosses_end, "outside the payload's half"},
    {huge, "outside the payload's half"},
    {wide, "larger than 1 TiB"},
    {null_page, "first 64 KiB"},
    {misaligned, "disagree within their pages"},
    {write_execute, "both writable and executable"},
    {overlap, "overlap or are not in ascending order"},
    {descending, "overlap or are not in ascending order"},
    {nothing, "nothing to load"},
    {entry_data, "no executable segment"},
    {entry_behind, "no executable segment"},
};

static void every_refusal_names_its_reason(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
        struct elf_sample s;
        struct elf_image image;
        const char *wrong;
        elf_sample_make(&s);
        refusals[i].spoil(&s);
        wrong = check(&s, SAMPLE_SIZE, &image);
        if (!wrong || !strstr(wrong, refusals[i].part))
            fail_msg("case %zu: expected '%s', got '%s'", i, refusals[i].part, wrong);
    }
}

static void too_many_segments(void **state)
{
    union {
        unsigned char bytes[SAMPLE_SIZE];
        struct {
            Elf64_Ehdr header;
            Elf64_Phdr programs[ELF_SEGMENTS_MAX + 1];
        };
    } s;
    struct elf_sample sample;
    struct elf_image image;
    const char *wrong;
    elf_sample_make(&sample);
    memcpy(&s, &sample, sizeof(sample));
    s.header.e_phnum = ELF_SEGMENTS_MAX + 1;
    for (unsigned i = 0; i <= ELF_SEGMENTS_MAX; i++)
        s.programs[i] = (Elf64_Phdr){.p_type = PT_LOAD,
                                     .p_flags = PF_R | PF_X,
                                     .p_vaddr = 0x400000 + i * 0x1000,
                                     .p_memsz = 0x1000};
    wrong = elf_check(&s, sizeof(s), &program_rules, &image);
    assert_non_null(wrong);
    assert_non_null(strstr(wrong, "more than 16"));
    s.header.e_phnum = ELF_SEGMENTS_MAX;
    assert_null(elf_check(&s, sizeof(s), &program_rules, &image));
}

/* A file cut anywhere is refused, unless only what no segment needs is missing. */
static void a_file_cut_within_what_it_needs_is_refused(void **state)
{
    struct elf_sample s;
    struct elf_image image;
    const uint64_t needed = 0x2020 + 0x80;
    elf_sample_make(&s);
    for (uint64_t size = 0; size < SAMPLE_SIZE; size++)
        assert_int_equal(check(&s, size, &image) != NULL, size < needed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_program_is_described),
        cmocka_unit_test(a_static_pie_can_be_moved),
        cmocka_unit_test(headers_outside_segments),
        cmocka_unit_test(every_refusal_names_its_reason),
        cmocka_unit_test(too_many_segments),
        cmocka_unit_test(a_file_cut_within_what_it_needs_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
