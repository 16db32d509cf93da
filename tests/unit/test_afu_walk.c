/* SPDX-License-Identifier: BSD-2-Clause */
/* The software FPGA's walk through VT-d tables, over a guest of 3 GiB, of which 1 GiB is high. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "tools/afu-model/memory.h"
#include "tools/afu-model/walk.h"

#define MIB  (UINT64_C(1) << 20)
#define GIB  (UINT64_C(1) << 30)
#define SIZE (3 * GIB)
#define LOW  (2 * GIB)
#define HIGH (4 * GIB)
#define TOP  (HIGH + SIZE - LOW)

#define READ   1u
#define WRITE  2u
#define BOTH   3u
#define LARGE  0x80u
#define LEVELS 5u

/* Where the fixture's tables are; the one of level 2 lies above the hole. */
#define ROOT     (1 * MIB)
#define CONTEXT  (2 * MIB)
#define TABLE(n) ((n) == 2 ? HIGH + 5 * MIB : (3 + (n)) * MIB)
#define PAGE_AT  (HIGH + 12 * MIB)
#define IOVA     UINT64_C(0x0000002345678000)
#define RID      0x1234u

static struct memory memory;
static struct walk_request request;
static uint8_t *found;

static uint64_t *word(uint64_t physical)
{
    uint64_t *at = memory_at(&memory, physical, 8);

    assert_non_null(at);
    return at;
}

static uint64_t *context(void)
{
    return word(CONTEXT + (RID & 0xff) * 16);
}

/* The entry of a level for the fixture's IOVA. */
static uint64_t *entry(unsigned level)
{
    return word(TABLE(level) + (IOVA >> (12 + 9 * (level - 1)) & 511) * 8);
}

static void use_levels(unsigned levels)
{
    context()[0] = TABLE(levels) | 1;
    context()[1] = levels - 2;
}

static int open_size(struct memory *m, uint64_t size)
{
    char path[40];
    int file = memfd_create("guest", MFD_CLOEXEC);

    assert_true(file >= 0);
    assert_int_equal(ftruncate(file, (off_t)size), 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    assert_true(memory_open(m, path));
    assert_int_equal(m->size, size);
    return file;
}

static void close_size(struct memory *m, int file)
{
    assert_int_equal(munmap(m->bytes, m->size), 0);
    close(m->file);
    close(file);
}

static int shared;

static int begin(void **state)
{
    (void)state;
    shared = open_size(&memory, SIZE);
    *word(ROOT + (RID >> 8) * 16) = CONTEXT | 1;
    use_levels(4);
    for (unsigned level = 2; level <= LEVELS; level++)
        *entry(level) = TABLE(level - 1) | BOTH;
    *entry(1) = PAGE_AT | BOTH;
    request = (struct walk_request){.root = ROOT, .requester = RID, .iova = IOVA, .length = 4096};
    return 0;
}

static int end(void **state)
{
    (void)state;
    close_size(&memory, shared);
    return 0;
}

static enum walk_fault walk_as(bool write)
{
    found = NULL;
    request.write = write;
    enum walk_fault fault = walk(&memory, &request, &found);
    assert_true((fault == WALK_GOOD) == (found != NULL));
    return fault;
}

static void assert_leads_to(uint64_t physical)
{
    assert_int_equal(walk_as(false), WALK_GOOD);
    assert_ptr_equal(found, memory_at(&memory, physical, request.length));
    assert_int_equal(walk_as(true), WALK_GOOD);
    assert_ptr_equal(found, memory_at(&memory, physical, request.length));
}

static void assert_refused(enum walk_fault for_read, enum walk_fault for_write)
{
    assert_int_equal(walk_as(false), for_read);
    assert_int_equal(walk_as(true), for_write);
}

/* Memory. */

static void memory_has_a_hole_in_the_machine_but_not_in_the_file(void **state)
{
    (void)state;
    assert_ptr_equal(memory_at(&memory, LOW - 8, 8), memory.bytes + LOW - 8);
    assert_ptr_equal(memory_at(&memory, HIGH, 8), memory.bytes + LOW);
    assert_ptr_equal(memory_at(&memory, TOP - 8, 8), memory.bytes + SIZE - 8);
    assert_null(memory_at(&memory, LOW, 1));
    assert_null(memory_at(&memory, LOW - 4, 8));
    assert_null(memory_at(&memory, HIGH - 4, 8));
    assert_null(memory_at(&memory, HIGH - 1, 1));
    assert_null(memory_at(&memory, TOP, 1));
    assert_null(memory_at(&memory, TOP - 4, 8));
    assert_null(memory_at(&memory, UINT64_MAX, 8));
    assert_null(memory_at(&memory, HIGH, UINT64_MAX));
}

static void screen_and_roms_are_not_ram(void **state)
{
    (void)state;
    assert_ptr_equal(memory_at(&memory, 0, 0xa0000), memory.bytes);
    assert_null(memory_at(&memory, 0x9fffc, 8));
    assert_null(memory_at(&memory, 0xa0000, 8));
    assert_null(memory_at(&memory, 0xffff8, 8));
    assert_null(memory_at(&memory, 0xffffc, 8));
    assert_ptr_equal(memory_at(&memory, 0x100000, 8), memory.bytes + 0x100000);
}

/* q35 splits the memory only of machines that have 0xb0000000 bytes or more, and then at 2 GiB. */
static void small_memory_is_in_one_piece(void **state)
{
    const struct {
        uint64_t size, low_end, high_end;
    } cases[] = {
        {16 * MIB, 16 * MIB, HIGH},
        {0xb0000000 - 4096, 0xb0000000 - 4096, HIGH},
        {0xb0000000, LOW, HIGH + 0x30000000},
        {6 * GIB, LOW, HIGH + 4 * GIB},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct memory m;
        int file = open_size(&m, cases[i].size);

        assert_non_null(memory_at(&m, cases[i].low_end - 1, 1));
        assert_null(memory_at(&m, cases[i].low_end, 1));
        assert_null(memory_at(&m, cases[i].high_end, 1));
        if (cases[i].high_end > HIGH)
            assert_ptr_equal(memory_at(&m, cases[i].high_end - 1, 1), m.bytes + m.size - 1);
        close_size(&m, file);
    }
}

static void a_file_that_is_none_is_told(void **state)
{
    struct memory m;

    (void)state;
    assert_false(memory_open(&m, "/proc/self/fd/none"));
    assert_false(memory_open(&m, "/"));
}

/* Where requests lead. */

static void a_page_is_found_at_each_depth_of_tables(void **state)
{
    (void)state;
    for (unsigned levels = 3; levels <= LEVELS; levels++) {
        use_levels(levels);
        request.iova = IOVA;
        request.length = 4096;
        assert_leads_to(PAGE_AT);
        request.iova = IOVA + 0x123;
        request.length = 4096 - 0x123;
        assert_leads_to(PAGE_AT + 0x123);
    }
}

static void large_leaves_are_followed(void **state)
{
    (void)state;
    *entry(2) = (6 * MIB) | LARGE | BOTH;
    assert_leads_to(6 * MIB + IOVA % (2 * MIB));
    *entry(3) = GIB | LARGE | BOTH;
    assert_leads_to(GIB + IOVA % GIB);
}

static void large_leaves_that_the_format_lacks_are_reserved(void **state)
{
    (void)state;
    *entry(2) = (6 * MIB + 4096) | LARGE | BOTH;
    assert_refused(WALK_ENTRY_RESERVED, WALK_ENTRY_RESERVED);
    *entry(3) = (GIB + 2 * MIB) | LARGE | BOTH;
    assert_refused(WALK_ENTRY_RESERVED, WALK_ENTRY_RESERVED);
    *entry(4) = LARGE | BOTH;
    assert_refused(WALK_ENTRY_RESERVED, WALK_ENTRY_RESERVED);
    use_levels(5);
    *entry(5) = LARGE | BOTH;
    assert_refused(WALK_ENTRY_RESERVED, WALK_ENTRY_RESERVED);
}

/* Who asks. */

static void other_requesters_reach_nothing(void **state)
{
    (void)state;
    request.requester = RID ^ 0x0001;
    assert_refused(WALK_CONTEXT_ABSENT, WALK_CONTEXT_ABSENT);
    request.requester = RID ^ 0x0100;
    assert_refused(WALK_ROOT_ABSENT, WALK_ROOT_ABSENT);
    request.requester = RID;
    *context() &= ~UINT64_C(1);
    assert_refused(WALK_CONTEXT_ABSENT, WALK_CONTEXT_ABSENT);
    *word(ROOT + (RID >> 8) * 16) &= ~UINT64_C(1);
    assert_refused(WALK_ROOT_ABSENT, WALK_ROOT_ABSENT);
}

static void only_plain_translation_is_accepted(void **state)
{
    (void)state;
    for (unsigned type = 1; type < 4; type++) {
        *context() = TABLE(4) | type << 2 | 1;
        assert_refused(WALK_CONTEXT_INVALID, WALK_CONTEXT_INVALID);
    }
}

static void only_widths_of_3_to_5_levels_are_accepted(void **state)
{
    const unsigned bad[] = {0, 4, 5, 6, 7};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        context()[1] = bad[i];
        assert_refused(WALK_CONTEXT_INVALID, WALK_CONTEXT_INVALID);
    }
}

static void an_iova_beyond_the_width_is_refused(void **state)
{
    (void)state;
    for (unsigned levels = 3; levels <= LEVELS; levels++) {
        use_levels(levels);
        request.iova = IOVA | UINT64_C(1) << (12 + 9 * levels);
        assert_refused(WALK_BEYOND_WIDTH, WALK_BEYOND_WIDTH);
        request.iova = IOVA | UINT64_C(1) << 63;
        assert_refused(WALK_BEYOND_WIDTH, WALK_BEYOND_WIDTH);
        request.iova = (UINT64_C(1) << (12 + 9 * levels)) - 4096;
        assert_refused(WALK_NO_READ, WALK_NO_WRITE);
    }
}

static void reserved_bits_of_root_and_context_are_refused(void **state)
{
    uint64_t *root = word(ROOT + (RID >> 8) * 16), *entries = context();

    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t value = UINT64_C(1) << bit;

        if ((bit > 0 && bit < 12) || bit >= 52) {
            root[0] |= value;
            assert_refused(WALK_ROOT_RESERVED, WALK_ROOT_RESERVED);
            root[0] &= ~value;
        }
        root[1] = value;
        assert_refused(WALK_ROOT_RESERVED, WALK_ROOT_RESERVED);
        root[1] = 0;
        if ((bit >= 4 && bit < 12) || bit >= 52) {
            entries[0] |= value;
            assert_refused(WALK_CONTEXT_RESERVED, WALK_CONTEXT_RESERVED);
            entries[0] &= ~value;
        }
        if (bit == 7 || bit >= 24) {
            entries[1] |= value;
            assert_refused(WALK_CONTEXT_RESERVED, WALK_CONTEXT_RESERVED);
            entries[1] &= ~value;
        }
    }
    entries[0] |= 2;        /* faults are not to be recorded */
    entries[1] |= 0xffff78; /* free for software, and the domain's number */
    assert_leads_to(PAGE_AT);
}

static void other_modes_than_legacy_are_refused(void **state)
{
    (void)state;
    for (unsigned mode = 1; mode < 4; mode++) {
        request.root = ROOT | mode << 10;
        assert_refused(WALK_ROOT_NOT_RAM, WALK_ROOT_NOT_RAM);
    }
}

/* What they may. */

static void permissions_count_at_every_level(void **state)
{
    (void)state;
    use_levels(LEVELS);
    for (unsigned level = 1; level <= LEVELS; level++) {
        uint64_t whole = *entry(level);

        *entry(level) = whole & ~(uint64_t)WRITE;
        assert_refused(WALK_GOOD, WALK_NO_WRITE);
        *entry(level) = whole & ~(uint64_t)READ;
        assert_refused(WALK_NO_READ, WALK_GOOD);
        *entry(level) = whole & ~(uint64_t)BOTH;
        assert_refused(WALK_NO_READ, WALK_NO_WRITE);
        *entry(level) = 0;
        assert_refused(WALK_NO_READ, WALK_NO_WRITE);
        *entry(level) = whole;
    }
    assert_leads_to(PAGE_AT);
    *entry(2) = (6 * MIB) | LARGE | READ;
    assert_refused(WALK_GOOD, WALK_NO_WRITE);
    *entry(3) = GIB | LARGE | WRITE;
    assert_refused(WALK_NO_READ, WALK_GOOD);
}

static void the_window_of_interrupts_is_not_for_data(void **state)
{
    (void)state;
    for (unsigned level = 1; level <= 4; level++) {
        uint64_t *all = word(TABLE(level));

        for (unsigned i = 0; i < 512; i++)
            all[i] = *entry(level);
    }
    request.iova = 0xfedff000;
    assert_leads_to(PAGE_AT);
    request.iova = 0xfee00000;
    assert_refused(WALK_INTERRUPT, WALK_INTERRUPT);
    request.iova = 0xfeeff000;
    assert_refused(WALK_INTERRUPT, WALK_INTERRUPT);
    request.iova = 0xfef00000;
    assert_leads_to(PAGE_AT);
}

/* Entries that lead out of the guest's RAM. */

static const uint64_t nowhere[] = {LOW, HIGH - 4096, TOP, 0xa0000, 0xff000, UINT64_C(1) << 51};
#define NOWHERE (sizeof(nowhere) / sizeof(nowhere[0]))

static void pages_outside_ram_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < NOWHERE; i++) {
        *entry(1) = nowhere[i] | BOTH;
        assert_refused(WALK_NOT_RAM, WALK_NOT_RAM);
    }
    /* The part of a large leaf that is RAM can be reached, the rest cannot. */
    *entry(2) = LARGE | BOTH;
    request.iova = IOVA - IOVA % (2 * MIB) + 0x9f000;
    assert_leads_to(0x9f000);
    request.iova += 4096;
    assert_refused(WALK_NOT_RAM, WALK_NOT_RAM);
}

static void tables_outside_ram_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < NOWHERE; i++) {
        for (unsigned level = 2; level <= 4; level++) {
            uint64_t whole = *entry(level);

            *entry(level) = nowhere[i] | BOTH;
            assert_refused(WALK_TABLE_NOT_RAM, WALK_TABLE_NOT_RAM);
            *entry(level) = whole;
        }
        *context() = nowhere[i] | 1;
        assert_refused(WALK_TABLE_NOT_RAM, WALK_TABLE_NOT_RAM);
        use_levels(4);
        *word(ROOT + (RID >> 8) * 16) = nowhere[i] | 1;
        assert_refused(WALK_CONTEXT_NOT_RAM, WALK_CONTEXT_NOT_RAM);
        *word(ROOT + (RID >> 8) * 16) = CONTEXT | 1;
        request.root = nowhere[i];
        assert_refused(WALK_ROOT_NOT_RAM, WALK_ROOT_NOT_RAM);
        request.root = ROOT;
    }
}

static void walking_writes_nothing(void **state)
{
    (void)state;
    assert_int_equal(mprotect(memory.bytes, memory.size, PROT_READ), 0);
    assert_leads_to(PAGE_AT);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(memory_has_a_hole_in_the_machine_but_not_in_the_file),
        CASE(screen_and_roms_are_not_ram),
        CASE(small_memory_is_in_one_piece),
        CASE(a_file_that_is_none_is_told),
        CASE(a_page_is_found_at_each_depth_of_tables),
        CASE(large_leaves_are_followed),
        CASE(large_leaves_that_the_format_lacks_are_reserved),
        CASE(other_requesters_reach_nothing),
        CASE(only_plain_translation_is_accepted),
        CASE(only_widths_of_3_to_5_levels_are_accepted),
        CASE(an_iova_beyond_the_width_is_refused),
        CASE(reserved_bits_of_root_and_context_are_refused),
        CASE(other_modes_than_legacy_are_refused),
        CASE(permissions_count_at_every_level),
        CASE(the_window_of_interrupts_is_not_for_data),
        CASE(pages_outside_ram_are_refused),
        CASE(tables_outside_ram_are_refused),
        CASE(walking_writes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
