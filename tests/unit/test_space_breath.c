/* SPDX-License-Identifier: BSD-2-Clause */
/* What faults, devices and stacks do at the breaths of a change, and changes that are ended. */
#include "tests/unit/space_between.h"

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
    struct memobj *object = ramobj_create(8 * MIB, PAGE_SIZE);

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

static void no_fault_between_two_steps_does_harm(void **state)
{
    for (uint64_t seed = 1; seed < 41; seed++)
        faults_between_steps(seed);
}

/* A change that is asked to end leaves no trace. */
static int end_meanwhile(const char *point, enum thread_hears hears)
{
    return -EINTR;
}

static void a_change_that_is_ended_leaves_no_trace(void **state)
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

/* A stack above, and one whose lower end is replaced, do not grow into what is being replaced. */
static uaddr_t stack_start;
static bool stack_grew;

static void touch_below_stack(enum thread_hears hears)
{
    stack_grew = space_fault(space, stack_start - PAGE_SIZE, 2);
}

static void no_stack_grows_into_what_is_replaced(void **state)
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

static void nothing_is_pinned_and_locked_at_once(void **state)
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
static void a_stack_that_grows_is_not_locked_beyond_the_limit(void **state)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_fault_between_two_steps_does_harm),
        TEST(a_change_that_is_ended_leaves_no_trace),
        TEST(no_stack_grows_into_what_is_replaced),
        TEST(nothing_is_pinned_and_locked_at_once),
        TEST(a_stack_that_grows_is_not_locked_beyond_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
