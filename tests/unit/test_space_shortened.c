/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that is shortened, revoked or joined while the address space changes. */
#include "tests/unit/space_between.h"

static void shorten(enum thread_hears hears)
{
    ramobj_resize(shared_with, PAGE_SIZE);
}

/* A file that is shortened while it is mapped: what it has left is there. */
static void a_file_may_be_shortened_while_it_is_filled_in(void **state)
{
    static const unsigned kinds[] = {SPACE_PRIVATE, SPACE_SHARED};
    struct cpu_mapping m;
    struct phys_run run;

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        shared_with = ramobj_create(8 * MIB, PAGE_SIZE);
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

static void a_file_may_be_shortened_while_it_is_moved(void **state)
{
    shared_with = ramobj_create(8 * MIB, PAGE_SIZE);
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

static void a_file_may_be_shortened_while_its_halves_are_joined(void **state)
{
    shared_with = ramobj_create(8 * MIB, PAGE_SIZE);
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
    assert_false(cpu_space_find(space->cpu, AT, AT + 8 * MIB, &(struct cpu_mapping){0}));
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

static void a_file_may_be_shortened_after_a_failed_move(void **state)
{
    shared_with = ramobj_create(8 * MIB, PAGE_SIZE);
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
static void a_file_may_be_shortened_while_it_replaces(void **state)
{
    const uaddr_t to = AT + GIB;

    shared_with = ramobj_create(8 * MIB, PAGE_SIZE);
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

/* A mapping that was told already takes over pages of one that was not. */
static void join_meanwhile(enum thread_hears hears)
{
    assert_int_equal(space_lock(space), 0);
    assert_int_equal(space_protect(space, AT + MIB, MIB, PAGE_READ), 0);
    assert_int_equal(mapping_at(space, AT)->end, AT + 2 * MIB);
    space_unlock(space);
}

static void mappings_may_be_joined_while_they_are_revoked(void **state)
{
    struct memobj *revoked = ramobj_create(2 * MIB, PAGE_SIZE);

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_may_be_shortened_while_it_is_filled_in),
        TEST(a_file_may_be_shortened_while_it_is_moved),
        TEST(a_file_may_be_shortened_while_its_halves_are_joined),
        TEST(a_file_may_be_shortened_after_a_failed_move),
        TEST(a_file_may_be_shortened_while_it_replaces),
        TEST(mappings_may_be_joined_while_they_are_revoked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
