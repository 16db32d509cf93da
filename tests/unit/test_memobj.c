/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory objects: references, the checks around run(), and what watchers are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "kernel/cpu/mutex.h"
#include "kernel/lib/error.h"
#include "kernel/mm/memobj.h"
#include "tests/unit/host_thread.h"

static int destroyed;
static struct memobj object;

struct counting_watcher {
    struct memobj_watcher watcher;
    int revoked;
    int restored;
    int zapped;
    uint64_t from;
};

static int fake_run(struct memobj *o, uint64_t offset, uint64_t max, struct phys_run *out)
{
    *out = (struct phys_run){0x100000 + offset, max};
    return 0;
}

static void fake_destroy(struct memobj *o)
{
    destroyed++;
}

static const struct memobj_ops fake_ops = {fake_run, fake_destroy};

static void count_revoke(struct memobj_watcher *watcher)
{
    /* New translations must be refused already. */
    assert_true(object.revoked);
    container_of(watcher, struct counting_watcher, watcher)->revoked++;
}

static void count_restore(struct memobj_watcher *watcher)
{
    assert_false(object.revoked);
    container_of(watcher, struct counting_watcher, watcher)->restored++;
}

static void note_zap(struct memobj_watcher *watcher, uint64_t from, uint64_t to)
{
    container_of(watcher, struct counting_watcher, watcher)->from = from;
    container_of(watcher, struct counting_watcher, watcher)->zapped++;
}

static void the_last_reference_destroys(void **state)
{
    destroyed = 0;
    memobj_init(&object, &fake_ops, 4 * PAGE_SIZE, 0);
    assert_ptr_equal(memobj_get(&object), &object);
    memobj_put(&object);
    assert_int_equal(destroyed, 0);
    memobj_put(&object);
    assert_int_equal(destroyed, 1);
}

static void a_run_ends_with_its_object(void **state)
{
    struct phys_run run;

    memobj_init(&object, &fake_ops, 4 * PAGE_SIZE, 0);
    assert_int_equal(memobj_run(&object, PAGE_SIZE, GIB, &run), 0);
    assert_int_equal(run.base, 0x100000 + PAGE_SIZE);
    assert_int_equal(run.length, 3 * PAGE_SIZE);
    assert_int_equal(memobj_run(&object, 4 * PAGE_SIZE, PAGE_SIZE, &run), -EFAULT);
    assert_int_equal(memobj_run(&object, 1, PAGE_SIZE, &run), -EINVAL);
    assert_int_equal(memobj_run(&object, 0, 100, &run), -EINVAL);
    assert_int_equal(memobj_run(&object, 0, 0, &run), -EINVAL);
    memobj_revoke(&object);
    assert_int_equal(memobj_run(&object, 0, PAGE_SIZE, &run), -EIO);
    memobj_restore(&object);
    assert_int_equal(memobj_run(&object, 0, PAGE_SIZE, &run), 0);
}

static void each_watcher_is_told_once(void **state)
{
    struct counting_watcher a = {
        .watcher = {.revoke = count_revoke, .restore = count_restore, .zap = note_zap}};
    struct counting_watcher b = {.watcher = {.revoke = count_revoke, .restore = count_restore}};

    memobj_init(&object, &fake_ops, 4 * PAGE_SIZE, MEMOBJ_DEVICE);
    memobj_watch(&object, &a.watcher);
    memobj_watch(&object, &b.watcher);
    memobj_revoke(&object);
    memobj_revoke(&object);
    assert_int_equal(a.revoked, 1);
    assert_int_equal(b.revoked, 1);
    memobj_unwatch(&b.watcher);
    memobj_restore(&object);
    memobj_restore(&object);
    assert_int_equal(a.restored, 1);
    assert_int_equal(b.restored, 0);
    memobj_watch(&object, &b.watcher);
    memobj_zap(&object, PAGE_SIZE, 2 * PAGE_SIZE);
    assert_int_equal(a.from, PAGE_SIZE);
}

static unsigned breaths;
static struct counting_watcher comes_and_goes = {.watcher = {.zap = note_zap}};

/* Another thread maps and unmaps a page of the file, again and again. */
static int come_and_go(const char *point, enum thread_hears hears)
{
    assert_true(++breaths < 100);
    memobj_unwatch(&comes_and_goes.watcher);
    memobj_watch(&object, &comes_and_goes.watcher);
    return 0;
}

/* Each watcher is told once, and it ends, however many come and go meanwhile. */
static void a_zap_ends(void **state)
{
    struct counting_watcher a = {.watcher = {.zap = note_zap}}, b = a;

    memobj_init(&object, &fake_ops, 4 * PAGE_SIZE, 0);
    memobj_watch(&object, &a.watcher);
    memobj_watch(&object, &comes_and_goes.watcher);
    memobj_watch(&object, &b.watcher);
    host_breath = come_and_go;
    host_breath_work = breath_left = 100; /* two watchers, told or put in */
    memobj_zap(&object, 0, PAGE_SIZE);
    memobj_zap(&object, PAGE_SIZE, 2 * PAGE_SIZE);
    host_breath = NULL;
    host_breath_work = breath_left = BREATH_WORK;
    assert_true(breaths > 0);
    assert_int_equal(a.zapped, 2);
    assert_int_equal(b.zapped, 2);
    assert_int_equal(b.from, PAGE_SIZE);
}

static struct mutex lock;
static struct counting_watcher unlocked, copy;

/* Another thread unmaps one part of a mapping and keeps a copy of the rest, then gives way. */
static int cut_and_give_way(const char *point, uint64_t deadline_ns)
{
    assert_int_equal(unlocked.revoked, 1);
    memobj_unwatch(&unlocked.watcher);
    memobj_watch(&object, &copy.watcher);
    host_thread_be(1);
    mutex_unlock(&lock);
    host_thread_be(0);
    return 0;
}

/* What can change while a lock is waited for has been revoked before. */
static void a_revoke_waits_for_locks_last(void **state)
{
    struct counting_watcher locked = {
        .watcher = {.lock = &lock, .revoke = count_revoke, .restore = count_restore}};

    unlocked = copy =
        (struct counting_watcher){.watcher = {.revoke = count_revoke, .restore = count_restore}};
    mutex_init(&lock);
    memobj_init(&object, &fake_ops, 4 * PAGE_SIZE, MEMOBJ_DEVICE);
    memobj_watch(&object, &locked.watcher);
    memobj_watch(&object, &unlocked.watcher);
    host_thread_be(1);
    assert_int_equal(mutex_lock(&lock, "test"), 0);
    host_thread_be(0);
    host_sleep = cut_and_give_way;
    memobj_revoke(&object);
    host_sleep = NULL;
    assert_int_equal(locked.revoked, 1);
    assert_int_equal(unlocked.revoked, 1);
    memobj_restore(&object);
    assert_int_equal(locked.restored, 1);
    assert_int_equal(unlocked.restored, 0);
    assert_int_equal(copy.restored, 1);
}

/* ---- others come and go between two callbacks ---- */

static struct counting_watcher first, second, third;
static unsigned changes;

/* Somebody watches and goes again, as often as there is a breath. */
static int watch_and_go(const char *point, enum thread_hears hears)
{
    if (changes++ > 100)
        fail();
    memobj_watch(&object, &third.watcher);
    memobj_unwatch(&third.watcher);
    return 0;
}

/* The second takes over what the first has, which goes; the third is new. */
static int take_over(const char *point, enum thread_hears hears)
{
    if (changes++ > 0)
        return 0;
    memobj_unwatch(&second.watcher);
    memobj_watch(&object, &second.watcher);
    memobj_unwatch(&first.watcher);
    memobj_watch(&object, &third.watcher);
    return 0;
}

static void begin_changes(int (*change)(const char *, enum thread_hears))
{
    first = second = third = (struct counting_watcher){.watcher = {.revoke = count_revoke}};
    memobj_init(&object, &fake_ops, 4 * PAGE_SIZE, MEMOBJ_DEVICE);
    memobj_watch(&object, &second.watcher);
    memobj_watch(&object, &first.watcher);
    host_breath = change;
    host_breath_work = breath_left = 0;
    changes = 0;
}

static void end_changes(void)
{
    host_breath = NULL;
    host_breath_work = breath_left = BREATH_WORK;
}

static void watchers_may_come_and_go_during_a_revoke(void **state)
{
    begin_changes(watch_and_go);
    memobj_revoke(&object);
    assert_int_equal(first.revoked, 1);
    assert_int_equal(second.revoked, 1);
    assert_true(changes >= 2); /* there is a breath between any two */
    end_changes();

    begin_changes(take_over);
    memobj_revoke(&object);
    assert_int_equal(first.revoked, 0);
    assert_int_equal(second.revoked, 2);
    assert_int_equal(third.revoked, 1);
    end_changes();
    memobj_unwatch(&second.watcher);
    memobj_unwatch(&third.watcher);
    assert_true(list_empty(&object.watchers));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_reference_destroys),
        cmocka_unit_test(a_run_ends_with_its_object),
        cmocka_unit_test(each_watcher_is_told_once),
        cmocka_unit_test(a_zap_ends),
        cmocka_unit_test(a_revoke_waits_for_locks_last),
        cmocka_unit_test(watchers_may_come_and_go_during_a_revoke),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
