/* SPDX-License-Identifier: BSD-2-Clause */
/* mremap, the locking calls, madvise and its relatives, and what /proc shows. */
#include "tests/unit/space_fixture.h"

/* ---- mremap ---- */

static void test_mremap_errors(void **state)
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
static void test_scatter_by_single_pages(void **state)
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
static void test_mremap_failure(void **state)
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

static void test_mremap_doubles_shared_memory(void **state)
{
    struct memobj *object = ramobj_create(MIB);
    int64_t second;

    assert_int_equal(map_object(AT, MIB, RW, SPACE_SHARED | SPACE_FIXED, object, 0), AT);
    second = space_mremap(space, AT + PAGE_SIZE, 0, PAGE_SIZE, 1, 0);
    assert_true(second > 0);
    *reach(AT + PAGE_SIZE, true) = 6;
    assert_int_equal(*reach((uaddr_t)second, false), 6);
    memobj_put(object);
}

/* ---- locking, advice, reports ---- */

static void test_locking(void **state)
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

static void test_advice(void **state)
{
    static const unsigned unknown[] = {5, 6, 7, 12, 13, 24, 100};
    struct memobj *object = ramobj_create(MIB);

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

static void test_msync_and_mincore(void **state)
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

static void test_maps_text(void **state)
{
    struct memobj *object = ramobj_create(MIB);
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

#define BREATHS_RANGE (16 * MIB)

static uint64_t rng;
static unsigned breaths;

static uaddr_t random_page(void)
{
    return AT + host_random_below(&rng, BREATHS_RANGE / PAGE_SIZE) * PAGE_SIZE;
}

/* What is mapped belongs to a mapping that may have it. */
static void check_pages(void)
{
    struct cpu_mapping m;

    for (uaddr_t at = 0; cpu_space_find(space->cpu, at, USER_END, &m); at = m.at + m.length)
        for (uaddr_t page = m.at; page < m.at + m.length; page = mapping_at(space, page)->end)
            assert_non_null(mapping_at(space, page));
}

/* Another thread: faults, in copies of the kernel, which wait for nobody. */
static int fault_meanwhile(const char *point, enum thread_hears hears)
{
    breaths++;
    host_thread_be(1);
    uaddr_t at = random_page();
    bool served = space_fault(space, at, breaths & 1 ? 2 : 0);

    assert_true(!served || host_translate(at).size > 0);
    if (breaths % 16 == 0)
        check_pages();
    host_thread_be(0);
    return hears == HEARS_END && host_random_below(&rng, 200) == 0 ? -EINTR : 0;
}

static void random_change(struct memobj *object)
{
    static const unsigned flags[] = {0, SPACE_NORESERVE, SPACE_STACK, SPACE_POPULATE};
    uaddr_t at = random_page(), to = random_page();
    uint64_t length = (1 + host_random_below(&rng, 1500)) * PAGE_SIZE;
    unsigned kind = flags[host_random_below(&rng, ARRAY_SIZE(flags))];

    switch (host_random_below(&rng, 9)) {
    case 0:
    case 1:
        map(at, length, host_random_below(&rng, 4) ? RW : 0, ANONYMOUS | SPACE_FIXED | kind);
        break;
    case 2:
        map_object(at, length, RW, SPACE_SHARED | SPACE_FIXED | SPACE_POPULATE, object, 0);
        break;
    case 3:
        space_munmap(space, at, length);
        break;
    case 4:
        space_protect(space, at, length, host_random_below(&rng, 2) ? RW : PAGE_READ);
        break;
    case 5:
        space_mremap(space, at, length, (1 + host_random_below(&rng, 1500)) * PAGE_SIZE, 3, to);
        break;
    case 6:
        space_madvise(space, at, length, host_random_below(&rng, 2) ? 4 : 23);
        break;
    case 7:
        ramobj_punch(object, 0, length);
        break;
    default:
        host_random_below(&rng, 2) ? space_mlock(space, at, length, false)
                                   : space_munlock(space, at, length);
    }
}

/*
 * Every change breathes at each of its steps, faults come in between, and now and then it is asked
 * to end: no page is without a mapping, and at the end (teardown) no frame is lost.
 */
static void faults_between_steps(uint64_t seed)
{
    struct memobj *object = ramobj_create(8 * MIB);

    rng = seed;
    breaths = 0;
    host_breath = fault_meanwhile;
    host_breath_work = breath_left = 0;
    while (breaths < 2000) {
        if (space_lock(space))
            fail();
        random_change(object);
        space_unlock(space);
        check_pages();
        assert_true(host_tlb_coherent());
    }
    host_breath = NULL;
    host_breath_work = breath_left = BREATH_WORK;
    space_munmap(space, AT, 2 * BREATHS_RANGE);
    memobj_put(object);
}

static void test_faults_between_steps(void **state)
{
    for (uint64_t seed = 1; seed < 41; seed++)
        faults_between_steps(seed);
}

/* A change that is asked to end leaves no trace. */
static int end_meanwhile(const char *point, enum thread_hears hears)
{
    return -EINTR;
}

static void test_ended_changes(void **state)
{
    struct cpu_mapping m;

    host_breath = end_meanwhile;
    host_breath_work = breath_left = 0;
    assert_int_equal(space_lock(space), 0);
    assert_int_equal(map(AT, 8 * MIB, RW, ANONYMOUS | SPACE_FIXED), -EINTR);
    assert_true(space_is_free(space, 0, USER_END));
    assert_false(cpu_space_find(space->cpu, 0, USER_END, &m));
    /* Taking away is finished, whatever is asked. */
    host_breath = NULL;
    assert_int_equal(map(AT, 8 * MIB, RW, ANONYMOUS | SPACE_FIXED), AT);
    host_breath = end_meanwhile;
    assert_int_equal(map(AT + MIB, 4 * MIB, RW, ANONYMOUS | SPACE_FIXED), -EINTR);
    assert_true(cpu_space_find(space->cpu, AT, AT + PAGE_SIZE, &m));
    assert_int_equal(space_mremap(space, AT, 8 * MIB, 8 * MIB, 3, AT + 64 * MIB), -EINTR);
    assert_true(space_is_mapped(space, AT, AT + 8 * MIB));
    assert_true(space_is_free(space, AT + 8 * MIB, USER_END));
    assert_int_equal(space_munmap(space, AT, 8 * MIB), 0);
    assert_false(cpu_space_find(space->cpu, 0, USER_END, &m));
    space_unlock(space);
    host_breath = NULL;
    host_breath_work = breath_left = BREATH_WORK;
}

/* ---- another thread in between ---- */

/* What the other thread does at a breath, once it is its turn; not while it breathes itself. */
static void (*other_does)(enum thread_hears hears);
static struct memobj *shared_with;

static int other_thread(const char *point, enum thread_hears hears)
{
    void (*does)(enum thread_hears hears) = other_does;

    if (!does)
        return 0;
    other_does = NULL;
    host_thread_be(1);
    does(hears);
    host_thread_be(0);
    return 0;
}

static void begin_between(int (*breath)(const char *, enum thread_hears),
                          void (*does)(enum thread_hears))
{
    other_does = does;
    host_breath = breath;
    host_breath_work = breath_left = 0;
    assert_int_equal(space_lock(space), 0);
}

static void end_between(void)
{
    space_unlock(space);
    host_breath = NULL;
    host_breath_work = breath_left = BREATH_WORK;
}

static void shorten(enum thread_hears hears)
{
    ramobj_resize(shared_with, PAGE_SIZE);
}

/* A file that is shortened while it is mapped: what it has left is there. */
static void test_file_shortened_while_filled(void **state)
{
    static const unsigned kinds[] = {SPACE_PRIVATE, SPACE_SHARED};
    struct cpu_mapping m;
    struct phys_run run;

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        shared_with = ramobj_create(8 * MIB);
        assert_int_equal(memobj_run(shared_with, 0, PAGE_SIZE, &run), 0);
        *(unsigned char *)phys_to_virt(run.base) = 7;
        if (kinds[i] == SPACE_SHARED)
            ramobj_punch(shared_with, 0, PAGE_SIZE);
        begin_between(other_thread, shorten);
        assert_int_equal(
            map_object(AT, 8 * MIB, RW, kinds[i] | SPACE_FIXED | SPACE_POPULATE, shared_with, 0),
            AT);
        end_between();
        assert_null(other_does);
        assert_int_equal(*reach(AT, false), kinds[i] == SPACE_PRIVATE ? 7 : 0);
        assert_false(cpu_space_find(space->cpu, AT + PAGE_SIZE, USER_END, &m));
        space_munmap(space, AT, 8 * MIB);
        memobj_put(shared_with);
    }
}

/* Whoever takes pages away comes to the mapping that they move to after the one they move from. */
static void look_at_order(enum thread_hears hears)
{
    const struct mapping *from = mapping_at(space, AT + 4 * MIB);
    const struct mapping *to = mapping_at(space, AT + GIB);
    struct memobj_watcher *watcher;
    bool from_seen = false;

    if (!to || !cpu_space_find(space->cpu, AT + GIB, AT + GIB + MIB, &(struct cpu_mapping){0})) {
        other_does = look_at_order; /* not yet */
        return;
    }
    list_for_each_entry (watcher, &shared_with->watchers, link) {
        from_seen |= watcher == &from->watcher;
        assert_true(from_seen || watcher != &to->watcher);
    }
}

static void test_file_shortened_while_moved(void **state)
{
    shared_with = ramobj_create(8 * MIB);
    assert_int_equal(
        map_object(AT, 8 * MIB, RW, SPACE_SHARED | SPACE_FIXED | SPACE_POPULATE, shared_with, 0),
        AT);
    begin_between(other_thread, look_at_order);
    assert_int_equal(space_mremap(space, AT + 4 * MIB, 4 * MIB, 4 * MIB, 3, AT + GIB), AT + GIB);
    end_between();
    assert_null(other_does);
    space_munmap(space, AT, 2 * GIB);
    memobj_put(shared_with);
}

/* Between the two halves of a file that is shortened: makes one mapping of both. */
static void join_halves(enum thread_hears hears)
{
    other_does = join_halves;
    if (host_translate(AT).size || !host_translate(AT + 4 * MIB).size)
        return;
    other_does = NULL;
    assert_int_equal(space_lock(space), 0);
    assert_int_equal(space_protect(space, AT, 8 * MIB, RW), 0);
    space_unlock(space);
    assert_int_equal(mapping_at(space, AT)->end, AT + 8 * MIB);
}

static void test_file_shortened_while_joined(void **state)
{
    shared_with = ramobj_create(8 * MIB);
    assert_int_equal(
        map_object(AT, 8 * MIB, RW, SPACE_SHARED | SPACE_FIXED | SPACE_POPULATE, shared_with, 0),
        AT);
    assert_int_equal(space_protect(space, AT + 4 * MIB, 4 * MIB, PAGE_READ), 0);
    other_does = join_halves;
    host_breath = other_thread;
    host_breath_work = breath_left = 0;
    ramobj_resize(shared_with, 0);
    host_breath = NULL;
    host_breath_work = breath_left = BREATH_WORK;
    assert_null(other_does);
    assert_false(space_has_pages(space, AT, AT + 8 * MIB));
    space_munmap(space, AT, 8 * MIB);
    memobj_put(shared_with);
}

/* A move that is asked to end, and the file loses its memory while the old mapping is put right. */
static void zap_all(enum thread_hears hears)
{
    memobj_zap(shared_with, 0, 8 * MIB);
}

static bool others_watched; /* at the last breath, pages in tables that are not the space's */

static void look_and_zap(enum thread_hears hears)
{
    struct memobj_watcher *watcher;

    others_watched = false;
    list_for_each_entry (watcher, &shared_with->watchers, link)
        others_watched |= container_of(watcher, struct mapping, watcher)->cpu != space->cpu;
    zap_all(hears);
    other_does = look_and_zap;
}

static int end_then_zap(const char *point, enum thread_hears hears)
{
    if (hears == HEARS_END) {
        other_does = look_and_zap;
        return -EINTR;
    }
    return other_thread(point, hears);
}

static void test_file_shortened_after_failed_move(void **state)
{
    shared_with = ramobj_create(8 * MIB);
    assert_int_equal(
        map_object(AT, 8 * MIB, RW, SPACE_SHARED | SPACE_FIXED | SPACE_POPULATE, shared_with, 0),
        AT);
    assert_int_equal(map(AT + GIB, 8 * MIB, RW, ANONYMOUS | SPACE_FIXED), AT + GIB);
    *reach(AT + GIB, true) = 9;
    begin_between(end_then_zap, NULL);
    assert_int_equal(space_mremap(space, AT + 4 * MIB, 4 * MIB, 4 * MIB, 3, AT + GIB), -EINTR);
    end_between();
    assert_false(others_watched);
    assert_int_equal(*reach(AT + GIB, false), 9);
    assert_non_null(reach(AT + 4 * MIB, true));
    space_munmap(space, AT, 2 * GIB);
    memobj_put(shared_with);
}

/* What is replaced is not what the file loses: its frames come back (teardown). */
static void test_file_shortened_while_replacing(void **state)
{
    const uaddr_t to = AT + GIB;

    shared_with = ramobj_create(8 * MIB);
    assert_int_equal(map_object(AT, 4 * PAGE_SIZE, RW, SPACE_SHARED | SPACE_FIXED | SPACE_POPULATE,
                                shared_with, 0),
                     AT);
    assert_int_equal(map(to, 2 * PAGE_SIZE, RW, ANONYMOUS | SPACE_FIXED), to);
    assert_int_equal(map(to + 2 * PAGE_SIZE, 2 * PAGE_SIZE, PAGE_READ, ANONYMOUS | SPACE_FIXED),
                     to + 2 * PAGE_SIZE);
    begin_between(other_thread, zap_all);
    assert_int_equal(space_mremap(space, AT, 4 * PAGE_SIZE, 4 * PAGE_SIZE, 3, to), to);
    end_between();
    assert_null(other_does);
    space_munmap(space, AT, 2 * GIB);
    memobj_put(shared_with);
}

/* A stack above, and one whose lower end is replaced, do not grow into what is being replaced. */
static uaddr_t stack_start;
static bool stack_grew;

static void touch_below_stack(enum thread_hears hears)
{
    stack_grew = space_fault(space, stack_start - PAGE_SIZE, 2);
}

static void test_stack_grows_while_replacing(void **state)
{
    static const uaddr_t lower[] = {AT, AT + 8 * MIB};

    space_set_stack_limit(space, GIB);
    for (size_t i = 0; i < ARRAY_SIZE(lower); i++) {
        assert_int_equal(map(AT, PAGE_SIZE, RW, ANONYMOUS | SPACE_FIXED), AT);
        assert_int_equal(map(lower[i], 16 * MIB, RW, ANONYMOUS | SPACE_FIXED | SPACE_GROWSDOWN),
                         lower[i]);
        *reach(AT + 8 * MIB, true) = 5;
        stack_start = lower[i];
        begin_between(other_thread, touch_below_stack);
        assert_int_equal(map(AT, 8 * MIB, RW, ANONYMOUS | SPACE_FIXED), AT);
        end_between();
        assert_null(other_does);
        assert_false(stack_grew);
        assert_int_equal(*reach(AT + 8 * MIB, false), 5);
        assert_null(reach(AT - PAGE_SIZE, true));
        space_munmap(space, AT, GIB);
    }
}

/* A mapping that was told already takes over pages of one that was not. */
static void join_meanwhile(enum thread_hears hears)
{
    assert_int_equal(space_lock(space), 0);
    assert_int_equal(space_protect(space, AT + MIB, MIB, PAGE_READ), 0);
    assert_int_equal(mapping_at(space, AT)->end, AT + 2 * MIB);
    space_unlock(space);
}

static void test_joined_while_revoked(void **state)
{
    struct memobj *revoked = ramobj_create(2 * MIB);

    assert_int_equal(map_object(AT, MIB, PAGE_READ, SPACE_SHARED | SPACE_FIXED, revoked, 0), AT);
    assert_int_equal(map_object(AT + MIB, MIB, RW, SPACE_SHARED | SPACE_FIXED, revoked, MIB),
                     AT + MIB);
    assert_non_null(reach(AT, false));
    assert_non_null(reach(AT + 2 * MIB - 1, false));
    begin_between(other_thread, join_meanwhile);
    space_unlock(space);
    memobj_revoke(revoked);
    assert_int_equal(space_lock(space), 0);
    end_between();
    assert_null(other_does);
    assert_false(host_translate(AT).size);
    assert_false(host_translate(AT + 2 * MIB - 1).size);
    memobj_restore(revoked);
    assert_non_null(reach(AT + 2 * MIB - 1, false));
    space_munmap(space, AT, 2 * MIB);
    memobj_put(revoked);
}

/*
 * What a call has been allowed to lock a device cannot pin as well at one of the call's breaths,
 * and what a device has pinned is not locked.
 */
static unsigned breaths_until_pin;
static bool pinned;

static int pin_meanwhile(const char *point, enum thread_hears hears)
{
    if (breaths_until_pin-- != 0)
        return 0;
    pinned = ioas_account_allows(&account, 4 * MIB);
    if (pinned)
        account.used += 4 * MIB;
    return 0;
}

static int64_t lock_range(void)
{
    return space_mlock(space, AT, 6 * MIB, false);
}

static int64_t lock_all(void)
{
    return space_mlockall(space, 1);
}

static int64_t map_locked(void)
{
    return map(AT, 6 * MIB, RW, ANONYMOUS | SPACE_FIXED | SPACE_LOCK);
}

/* Aside, because something is there already. */
static int64_t move_locked(void)
{
    return space_mremap(space, AT, MIB, 5 * MIB, 3, AT + GIB);
}

/* Returns whether there was such a breath. */
static bool pinned_at(int64_t (*call)(void), unsigned breath)
{
    uint64_t locked;
    int64_t result;

    pinned = false;
    breaths_until_pin = breath;
    assert_int_equal(map(AT, 6 * MIB, RW, ANONYMOUS | SPACE_FIXED | SPACE_NORESERVE), AT);
    assert_int_equal(map(AT + GIB, 6 * MIB, RW, ANONYMOUS | SPACE_FIXED | SPACE_NORESERVE),
                     AT + GIB);
    if (call == move_locked)
        assert_int_equal(space_mlock(space, AT, MIB, true), 0);
    if (call == lock_all)
        space_munmap(space, AT + GIB, GIB);
    locked = account.used;
    begin_between(pin_meanwhile, NULL);
    result = call();
    end_between();
    if (pinned)
        account.used -= 4 * MIB;
    assert_true(pinned ? result == -ENOMEM || result == -EAGAIN : result >= 0);
    assert_int_equal(account.used, pinned ? locked : call == move_locked ? 5 * MIB : 6 * MIB);
    space_munmap(space, AT, 2 * GIB);
    assert_int_equal(account.used, 0);
    return breaths_until_pin > breath;
}

static void test_pinned_while_locked(void **state)
{
    int64_t (*const calls[])(void) = {lock_range, lock_all, map_locked, move_locked};

    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        unsigned breath = 0;

        while (pinned_at(calls[i], breath))
            breath++;
        assert_true(breath > 5);
    }
}

static unsigned breaths_until_growth;

static int grow_meanwhile(const char *point, enum thread_hears hears)
{
    if (breaths_until_growth-- == 0)
        touch_below_stack(hears);
    return 0;
}

/* A stack that grows while all memory is being locked is not locked beyond the limit. */
static void test_stack_grows_while_locked(void **state)
{
    unsigned breath = 0;

    space_set_stack_limit(space, GIB);
    do {
        breaths_until_growth = breath;
        stack_grew = false;
        assert_int_equal(map(AT, 4 * MIB, RW, ANONYMOUS | SPACE_FIXED | SPACE_NORESERVE), AT);
        assert_int_equal(map(AT + GIB, MIB, RW, ANONYMOUS | SPACE_FIXED | SPACE_GROWSDOWN),
                         AT + GIB);
        stack_start = AT + GIB - 6 * MIB;
        begin_between(grow_meanwhile, NULL);
        assert_int_equal(space_mlockall(space, 1), stack_grew ? -ENOMEM : 0);
        end_between();
        assert_true(account.used <= account.limit);
        space_munmap(space, AT, 2 * GIB);
        assert_int_equal(account.used, 0);
    } while (breaths_until_growth > breath++);
    assert_true(breath > 5);
}

/* Below a stack is room only as far as it may not grow: beside it, and beyond its guard. */
static void test_room_below_stacks(void **state)
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
        TEST(test_mremap_errors),
        TEST(test_scatter_by_single_pages),
        TEST(test_mremap_failure),
        TEST(test_mremap_doubles_shared_memory),
        TEST(test_locking),
        TEST(test_advice),
        TEST(test_msync_and_mincore),
        TEST(test_maps_text),
        TEST(test_faults_between_steps),
        TEST(test_ended_changes),
        TEST(test_file_shortened_while_filled),
        TEST(test_file_shortened_while_moved),
        TEST(test_file_shortened_while_joined),
        TEST(test_file_shortened_after_failed_move),
        TEST(test_file_shortened_while_replacing),
        TEST(test_stack_grows_while_replacing),
        TEST(test_joined_while_revoked),
        TEST(test_pinned_while_locked),
        TEST(test_stack_grows_while_locked),
        TEST(test_room_below_stacks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
