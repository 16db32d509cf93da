/* SPDX-License-Identifier: BSD-2-Clause */
/* mremap, the locking calls, madvise and its relatives, and what /proc shows. */
#include "tests/unit/space_fixture.h"

/* ---- mremap ---- */

static void mremap_refuses_what_linux_refuses(void **state)
{
    static const struct {
        uaddr_t at;
        uint64_t old_length, length;
        unsigned flags;
        uaddr_t to;
        int error;
    } cases[] = {
        {AT + 1, PAGE_SIZE, PAGE_SIZE, 1, 0, -EINVAL},
        {AT, PAGE_SIZE, 0, 1, 0, -EINVAL},
        {AT, PAGE_SIZE, PAGE_SIZE, 4, 0, -EINVAL},
        {AT, PAGE_SIZE, PAGE_SIZE, 2, AT + GIB, -EINVAL}, /* FIXED without MAYMOVE */
        {AT, PAGE_SIZE, PAGE_SIZE, 3, AT + GIB + 1, -EINVAL},
        {AT, PAGE_SIZE, PAGE_SIZE, 3, USER_END, -EINVAL},
        {AT, 2 * PAGE_SIZE, PAGE_SIZE, 3, AT + PAGE_SIZE, -EINVAL}, /* overlap */
        {AT + PAGE_SIZE, PAGE_SIZE, 2 * PAGE_SIZE, 3, AT, -EINVAL},
        {AT, PAGE_SIZE, PAGE_SIZE, 3, 0, -EPERM},
        {AT + GIB, PAGE_SIZE, PAGE_SIZE, 1, 0, -EFAULT},
        {AT, 3 * PAGE_SIZE, 4 * PAGE_SIZE, 1, 0, -EFAULT}, /* longer than the mapping */
        {AT, PAGE_SIZE, 3 * PAGE_SIZE, 0, 0, -ENOMEM},     /* no room, may not move */
        {AT, 0, PAGE_SIZE, 1, 0, -EINVAL},                 /* private memory cannot be doubled */
    };

    assert_int_equal(map(AT, 2 * PAGE_SIZE, RW, ANONYMOUS | SPACE_FIXED), AT);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(space_mremap(space, cases[i].at, cases[i].old_length, cases[i].length,
                                      cases[i].flags, cases[i].to),
                         cases[i].error);
    assert_int_equal(space->mapped, 2 * PAGE_SIZE);
}

/* How scattered memory is made for benchmarks: single pages in random order. */
static void pages_can_be_scattered_one_by_one(void **state)
{
    const uint64_t pages = 1024;
    const uaddr_t from = AT, to = AT + GIB;
    static uint64_t order[1024];
    uint64_t rng = 9;

    assert_int_equal(map(from, pages * PAGE_SIZE, RW, ANONYMOUS | SPACE_FIXED), from);
    assert_int_equal(map(to, pages * PAGE_SIZE, RW, ANONYMOUS | SPACE_FIXED), to);
    for (uint64_t i = 0; i < pages; i++) {
        uint64_t j = host_random_below(&rng, i + 1);

        *(uint64_t *)(void *)reach(from + i * PAGE_SIZE, true) = i;
        order[i] = order[j];
        order[j] = i;
    }
    for (uint64_t i = 0; i < pages; i++)
        assert_int_equal(space_mremap(space, from + order[i] * PAGE_SIZE, PAGE_SIZE, PAGE_SIZE, 3,
                                      to + i * PAGE_SIZE),
                         to + i * PAGE_SIZE);
    for (uint64_t i = 0; i < pages; i++)
        assert_int_equal(*(uint64_t *)(void *)reach(to + i * PAGE_SIZE, false), order[i]);
    assert_int_equal(space->mapped, pages * PAGE_SIZE);
    assert_ptr_equal(mapping_next(mapping_from(space, 0)), &space->top); /* one mapping */
    assert_true(host_tlb_coherent());
}

/* A move that cannot grow leaves nothing at the new place and everything at the old one. */
static void a_failed_mremap_leaves_all_where_it_was(void **state)
{
    const uaddr_t to = AT + GIB + SIZE_2M - PAGE_SIZE;
    struct cpu_mapping m;
    int64_t at;

    assert_int_equal(map(AT, PAGE_SIZE, RW, ANONYMOUS | SPACE_FIXED), AT);
    *reach(AT, true) = 8;
    for (uint64_t n = 1;; n++) {
        host_fail_nth(n);
        at = space_mremap(space, AT, PAGE_SIZE, 2 * PAGE_SIZE, 3, to);
        host_fail_nth(0);
        if (at > 0)
            break;
        assert_int_equal(at, -ENOMEM);
        assert_false(cpu_space_find(space->cpu, to, USER_END, &m));
        assert_int_equal(*reach(AT, true), 8);
    }
    assert_int_equal(*reach(to, true), 8);
    assert_int_equal(*reach(to + PAGE_SIZE, true), 0);
    assert_null(reach(AT, false));
}

static void mremap_doubles_shared_memory(void **state)
{
    struct memobj *object = ramobj_create(MIB, PAGE_SIZE);
    int64_t second;

    assert_int_equal(map_object(AT, MIB, RW, SPACE_SHARED | SPACE_FIXED, object, 0), AT);
    second = space_mremap(space, AT + PAGE_SIZE, 0, PAGE_SIZE, 1, 0);
    assert_true(second > 0);
    *reach(AT + PAGE_SIZE, true) = 6;
    assert_int_equal(*reach((uaddr_t)second, false), 6);
    memobj_put(object);
}

/* ---- locking, advice, reports ---- */

static void locked_memory_is_counted_and_limited(void **state)
{
    assert_int_equal(map(AT, 6 * MIB, RW, ANONYMOUS | SPACE_FIXED | SPACE_NORESERVE), AT);
    assert_int_equal(space_mlock(space, AT + 100, MIB, false), 0);
    assert_int_equal(account.used, MIB + PAGE_SIZE); /* the pages it touches */
    assert_true(host_translate(AT + MIB).size);
    assert_int_equal(space_madvise(space, AT, PAGE_SIZE, 4), -EINVAL);
    account.used += 4 * MIB; /* what devices pinned */
    assert_int_equal(space_mlock(space, AT, 6 * MIB, true), -ENOMEM);
    account.used -= 4 * MIB;
    assert_int_equal(space_mlock(space, AT, 6 * MIB, true), 0);
    assert_int_equal(space_mlockall(space, 2), 0);
    assert_int_equal(map(0, 4 * MIB, RW, ANONYMOUS), -EAGAIN);
    assert_true(map(0, 2 * MIB, RW, ANONYMOUS) > 0);
    assert_int_equal(account.used, 8 * MIB);
    space_munlockall(space);
    assert_int_equal(account.used, 0);
    assert_int_equal(space_mlockall(space, 0), -EINVAL);
    assert_int_equal(space_mlockall(space, 4), -EINVAL);
    assert_int_equal(space_mlockall(space, 1), 0);
    assert_int_equal(account.used, 8 * MIB);
    assert_int_equal(space_munlock(space, AT, 6 * MIB), 0);
    assert_int_equal(space_munlock(space, AT, 7 * MIB), -ENOMEM);
    space_set_memlock(space, 0);
    assert_int_equal(space_mlock(space, AT, 1, false), -EPERM);
    assert_int_equal(space_mlockall(space, 1), -EPERM);
}

static void advice_is_taken_or_refused_as_by_linux(void **state)
{
    static const unsigned unknown[] = {5, 6, 7, 12, 13, 24, 100};
    struct memobj *object = ramobj_create(MIB, PAGE_SIZE);

    assert_int_equal(map(AT, MIB, RW, ANONYMOUS | SPACE_FIXED | SPACE_NORESERVE), AT);
    for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
        assert_int_equal(space_madvise(space, AT, PAGE_SIZE, unknown[i]), -EINVAL);
    assert_int_equal(space_madvise(space, AT + 1, PAGE_SIZE, 0), -EINVAL);
    assert_int_equal(space_madvise(space, AT, 0, 0), 0);
    assert_int_equal(space_madvise(space, AT, UINT64_MAX, 0), -EINVAL);
    assert_int_equal(space_madvise(space, AT, 2 * MIB, 3), -ENOMEM);
    assert_int_equal(space_madvise(space, AT, MIB, 23), 0);
    assert_int_equal(host_translate(AT + MIB - 1).size, PAGE_SIZE);
    assert_int_equal(space_protect(space, AT, PAGE_SIZE, PAGE_READ), 0);
    assert_int_equal(space_madvise(space, AT, MIB, 23), -EINVAL);
    assert_int_equal(space_madvise(space, AT, PAGE_SIZE, 9), -EINVAL);
    assert_int_equal(map_object(AT + MIB, MIB, RW, SPACE_SHARED | SPACE_FIXED, object, 0),
                     AT + MIB);
    *reach(AT + MIB, true) = 1;
    assert_int_equal(space_madvise(space, AT + MIB, PAGE_SIZE, 9), 0);
    assert_int_equal(*reach(AT + MIB, false), 0);
    memobj_put(object);
}

static void msync_and_mincore_see_what_is_mapped(void **state)
{
    struct space_pages pages;

    assert_int_equal(map(AT, 2 * PAGE_SIZE, RW, ANONYMOUS | SPACE_FIXED), AT);
    assert_int_equal(map(AT + 2 * PAGE_SIZE, PAGE_SIZE, 0, ANONYMOUS | SPACE_FIXED),
                     AT + 2 * PAGE_SIZE);
    assert_int_equal(space_msync(space, AT, 2 * PAGE_SIZE, 4), 0);
    assert_int_equal(space_msync(space, AT, PAGE_SIZE, 8), -EINVAL);
    assert_int_equal(space_msync(space, AT, PAGE_SIZE, 5), -EINVAL);
    assert_int_equal(space_msync(space, AT + 1, PAGE_SIZE, 4), -EINVAL);
    assert_int_equal(space_msync(space, AT, 4 * PAGE_SIZE, 4), -ENOMEM);
    assert_int_equal(space_mlock(space, AT, PAGE_SIZE, false), 0);
    assert_int_equal(space_msync(space, AT, PAGE_SIZE, 2), -EBUSY);
    assert_int_equal(space_mincore(space, AT, AT + GIB, &pages), 0);
    assert_true(pages.present && !pages.file && pages.end > AT && pages.end <= AT + 2 * PAGE_SIZE);
    assert_int_equal(space_mincore(space, AT + PAGE_SIZE, AT + 2 * PAGE_SIZE, &pages), 0);
    assert_true(pages.present && pages.end == AT + 2 * PAGE_SIZE);
    assert_int_equal(space_mincore(space, pages.end, AT + GIB, &pages), 0);
    assert_true(!pages.present && pages.end == AT + 3 * PAGE_SIZE);
    assert_int_equal(space_mincore(space, AT + 3 * PAGE_SIZE, AT + GIB, &pages), -ENOMEM);
}

static void the_maps_tell_every_mapping(void **state)
{
    struct memobj *object = ramobj_create(MIB, PAGE_SIZE);
    char buffer[600], expected[600];
    struct space_stats stats;
    struct text text;
    struct space_pages pages;

    assert_int_equal(space_map(space, AT, MIB, PAGE_READ | PAGE_EXEC, "[heap]"), 0);
    assert_int_equal(map(AT + MIB, MIB, RW, ANONYMOUS | SPACE_FIXED), AT + MIB);
    assert_int_equal(map_object(AT + 2 * MIB, PAGE_SIZE, PAGE_READ,
                                SPACE_SHARED | SPACE_FIXED | SPACE_POPULATE, object, PAGE_SIZE),
                     AT + 2 * MIB);
    text_init(&text, buffer, sizeof(buffer));
    space_show_maps(space, &text);
    snprintf(expected, sizeof(expected),
             "10000000000-10000100000 r-xp 00000000 00:00 0%*s[heap]\n"
             "10000100000-10000200000 rw-p 00000000 00:00 0 \n"
             "10000200000-10000201000 r--s 00001000 00:00 0%*s/test (deleted)\n",
             28, "", 28, "");
    assert_string_equal(buffer, expected);
    space_stats(space, &stats);
    assert_int_equal(stats.mapped, 2 * MIB + PAGE_SIZE);
    assert_int_equal(stats.resident, 2 * MIB + PAGE_SIZE);
    assert_int_equal(stats.text, MIB);
    assert_int_equal(stats.data, MIB);
    space_pages(space, AT + 2 * MIB, AT + GIB, &pages);
    assert_true(pages.present && pages.file && pages.end == AT + 2 * MIB + PAGE_SIZE);
    space_pages(space, AT, AT + PAGE_SIZE, &pages);
    assert_true(pages.present && !pages.file && pages.end == AT + PAGE_SIZE);
    space_pages(space, AT + 3 * MIB, AT + GIB, &pages);
    assert_true(!pages.present && pages.end == AT + GIB);
    memobj_put(object);
}

/* ---- stacks ---- */

/* Below a stack is room only as far as it may not grow: beside it, and beyond its guard. */
static void below_a_stack_is_room_beyond_its_guard(void **state)
{
    const uint64_t flags = ANONYMOUS | SPACE_FIXED | SPACE_NORESERVE | SPACE_GROWSDOWN;
    const uaddr_t low = GIB, high = 2 * GIB; /* of SPACE_32BIT */

    for (uaddr_t at = low; at < high; at += 2 * MIB)
        assert_int_equal(map(at + MIB + 64 * KIB, MIB - 64 * KIB, RW, flags), at + MIB + 64 * KIB);
    assert_int_equal(map(0, 68 * KIB, RW, ANONYMOUS | SPACE_32BIT), -ENOMEM);
    assert_int_equal(map(0, 64 * KIB, RW, ANONYMOUS | SPACE_32BIT), high - 2 * MIB);
    assert_int_equal(space_munmap(space, low + 2 * MIB, 2 * MIB), 0);
    assert_int_equal(map(0, 68 * KIB, RW, ANONYMOUS | SPACE_32BIT), low + 4 * MIB - 4 * KIB);
    space_munmap(space, low, GIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(mremap_refuses_what_linux_refuses),       TEST(pages_can_be_scattered_one_by_one),
        TEST(a_failed_mremap_leaves_all_where_it_was), TEST(mremap_doubles_shared_memory),
        TEST(locked_memory_is_counted_and_limited),    TEST(advice_is_taken_or_refused_as_by_linux),
        TEST(msync_and_mincore_see_what_is_mapped),    TEST(the_maps_tell_every_mapping),
        TEST(below_a_stack_is_room_beyond_its_guard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
