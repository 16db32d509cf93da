/* SPDX-License-Identifier: BSD-2-Clause */
/* The address space, case by case: what test_space_model.c leaves to chance or cannot see. */
#include "tests/unit/pins.h"
#include "tests/unit/space_fixture.h"

/* ---- mmap ---- */

static void mmap_refuses_what_linux_refuses(void **state)
{
    static const struct {
        uaddr_t at;
        uint64_t length;
        unsigned flags;
        int error;
    } cases[] = {
        {0, 0, ANONYMOUS, -EINVAL},
        {0, UINT64_MAX, ANONYMOUS, -ENOMEM},
        {0, USER_END, ANONYMOUS, -ENOMEM},
        {AT + 1, PAGE_SIZE, ANONYMOUS | SPACE_FIXED, -EINVAL},
        {AT + 1, PAGE_SIZE, ANONYMOUS | SPACE_FIXED_NOREPLACE, -EINVAL},
        {USER_END, PAGE_SIZE, ANONYMOUS | SPACE_FIXED, -ENOMEM},
        {USER_END - PAGE_SIZE, 2 * PAGE_SIZE, ANONYMOUS | SPACE_FIXED, -ENOMEM},
        {UINT64_MAX & ~(PAGE_SIZE - 1), PAGE_SIZE, ANONYMOUS | SPACE_FIXED, -ENOMEM},
        {0, PAGE_SIZE, ANONYMOUS | SPACE_FIXED, -EPERM},
        {AT, PAGE_SIZE, ANONYMOUS | SPACE_FIXED_NOREPLACE, -EEXIST},
        {0, PAGE_SIZE, ANONYMOUS | SPACE_HUGETLB | (16u << SPACE_HUGE_SHIFT), -EINVAL},
        {AT + PAGE_SIZE, PAGE_SIZE, ANONYMOUS | SPACE_HUGETLB | SPACE_FIXED, -EINVAL},
        {0, 2 * GIB, ANONYMOUS, -ENOMEM}, /* more than there is */
        {0, 9 * MIB, ANONYMOUS | SPACE_LOCK, -EAGAIN},
    };

    assert_int_equal(map(AT, PAGE_SIZE, RW, ANONYMOUS | SPACE_FIXED), AT);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t before = free_now();

        assert_int_equal(map(cases[i].at, cases[i].length, RW, cases[i].flags), cases[i].error);
        assert_int_equal(free_now(), before);
    }
    assert_int_equal(space->mapped, PAGE_SIZE);
}

static void a_hint_is_taken_where_there_is_room(void **state)
{
    int64_t at = map(AT + 5, PAGE_SIZE, RW, ANONYMOUS);

    assert_int_equal(at, AT); /* rounded down, and free */
    at = map(AT, PAGE_SIZE, RW, ANONYMOUS);
    assert_true(at > (int64_t)(USER_END / 2)); /* taken: the highest place instead */
    at = map(0, PAGE_SIZE, RW, ANONYMOUS | SPACE_32BIT);
    assert_in_range(at, GIB, 2 * GIB - PAGE_SIZE);
    at = map(USER_END, PAGE_SIZE, RW, ANONYMOUS);
    assert_true(at > 0);
}

static void one_gib_is_one_leaf(void **state)
{
    uint64_t before = free_now();
    int64_t at = map(0, GIB, RW, ANONYMOUS);
    struct host_page page = host_translate((uaddr_t)at);
    struct memobj *device;
    struct phys_run runs[2];
    struct ioas_source source = space_source(space);

    assert_int_equal(page.size, GIB);
    assert_true(before - free_now() < GIB / PAGE_SIZE + 8); /* and next to no tables */
    assert_int_equal(source.ops->runs(source.context, (uint64_t)at, GIB, true, runs, 2, &device),
                     1);
    assert_int_equal(runs[0].length, GIB);
    /* A hole in the middle costs two tables, not the rest. */
    assert_int_equal(space_munmap(space, (uaddr_t)at + 5 * PAGE_SIZE, PAGE_SIZE), 0);
    assert_int_equal(host_translate((uaddr_t)at + 512 * MIB).size, SIZE_2M);
    assert_int_equal(host_translate((uaddr_t)at + 5 * PAGE_SIZE).size, 0);
    assert_int_equal(host_translate((uaddr_t)at + 6 * PAGE_SIZE).size, PAGE_SIZE);
}

static void huge_pages_are_whole_or_refused(void **state)
{
    const unsigned huge_2m = ANONYMOUS | SPACE_HUGETLB;
    const unsigned huge_1g = huge_2m | (30u << SPACE_HUGE_SHIFT);
    int64_t at = map(0, 1, RW, huge_2m);
    int64_t giant;

    assert_true(IS_ALIGNED(at, SIZE_2M));
    assert_int_equal(host_translate((uaddr_t)at + SIZE_2M - 1).size, SIZE_2M);
    giant = map(0, PAGE_SIZE, RW, huge_1g);
    assert_int_equal(host_translate((uaddr_t)giant).size, GIB);
    assert_int_equal(map(0, PAGE_SIZE, RW, huge_1g), -ENOMEM); /* there was one */
    /* A reservation of huge pages keeps its promise, or says no, when it becomes accessible. */
    at = map(0, GIB, 0, huge_1g);
    assert_true(at > 0);
    assert_int_equal(space_protect(space, (uaddr_t)at, GIB, RW), -ENOMEM);
    assert_int_equal(space_munmap(space, (uaddr_t)giant, GIB), 0);
    assert_int_equal(space_protect(space, (uaddr_t)at, GIB, RW), 0);
    assert_int_equal(host_translate((uaddr_t)at).size, GIB);
}

static uint64_t huge_in_use(void)
{
    return hugepages(HUGEPAGES_TOTAL) - hugepages(HUGEPAGES_FREE);
}

/* Huge pages are counted as long as they are promised, and nothing ends or begins inside one. */
static void huge_pages_are_counted_and_not_cut(void **state)
{
    const unsigned huge = ANONYMOUS | SPACE_HUGETLB;
    uaddr_t at = (uaddr_t)map(0, 4 * SIZE_2M, RW, huge);
    uaddr_t other = (uaddr_t)map(0, 8 * SIZE_2M, 0, ANONYMOUS);

    assert_int_equal(huge_in_use(), 4);
    assert_int_equal(space_munmap(space, at, PAGE_SIZE), -EINVAL);
    assert_int_equal(space_protect(space, at + PAGE_SIZE, PAGE_SIZE, PAGE_READ), -EINVAL);
    assert_int_equal(map(at + SIZE_2M - PAGE_SIZE, PAGE_SIZE, RW, ANONYMOUS | SPACE_FIXED),
                     -EINVAL);
    assert_int_equal(space_mremap(space, at, 4 * SIZE_2M, 8 * SIZE_2M, 1, 0), -EINVAL);
    assert_int_equal(space_mremap(space, at, SIZE_2M, SIZE_2M, 3, other + PAGE_SIZE), -EINVAL);
    other = ALIGN_UP(other, SIZE_2M);
    assert_int_equal(space_mremap(space, at, SIZE_2M, SIZE_2M, 3, other), other);
    assert_int_equal(huge_in_use(), 4);
    assert_int_equal(host_translate(other).size, SIZE_2M);
    assert_int_equal(space_munmap(space, at + 2 * SIZE_2M, SIZE_2M), 0);
    assert_int_equal(huge_in_use(), 3);
    assert_int_equal(map(0, (hugepages(HUGEPAGES_FREE) + 1) * SIZE_2M, 0, huge), -ENOMEM);
    assert_int_equal(space_munmap(space, at, 4 * SIZE_2M), 0);
    assert_int_equal(space_munmap(space, other, SIZE_2M), 0);
    assert_int_equal(huge_in_use(), 0);
}

static void reservations_take_no_frames(void **state)
{
    uint64_t before = free_now();
    int64_t none = map(0, 64 * GIB, 0, ANONYMOUS);
    int64_t lazy = map(0, 64 * GIB, RW, ANONYMOUS | SPACE_NORESERVE);

    assert_true(none > 0 && lazy > 0);
    assert_int_equal(free_now(), before);
    *reach((uaddr_t)lazy + GIB, true) = 1;
    assert_true(before - free_now() < 32);
    assert_null(reach((uaddr_t)none, false));
    assert_int_equal(space_explain(space, (uaddr_t)none, READ_FAULT), SPACE_FORBIDDEN);
    assert_int_equal(space_protect(space, (uaddr_t)none + MIB, MIB, RW), 0);
    assert_int_equal(host_translate((uaddr_t)none + MIB).size, PAGE_SIZE);
    assert_int_equal(host_translate((uaddr_t)none + 2 * MIB).size, 0);
}

/* Replacing populated memory either succeeds or leaves every byte as it was. */
static void a_replacement_is_whole_or_nothing(void **state)
{
    const uint64_t length = 2 * SIZE_2M;

    assert_int_equal(map(AT, length, RW, ANONYMOUS | SPACE_FIXED), AT);
    *reach(AT, true) = 11;
    *reach(AT + SIZE_2M + PAGE_SIZE, true) = 22;
    for (uint64_t n = 1;; n++) {
        int64_t at;

        host_fail_nth(n);
        at = map(AT + PAGE_SIZE, length - PAGE_SIZE, PAGE_READ, ANONYMOUS | SPACE_FIXED);
        host_fail_nth(0);
        assert_int_equal(*reach(AT, false), 11);
        if (at >= 0)
            break;
        assert_int_equal(*reach(AT + SIZE_2M + PAGE_SIZE, true), 22);
    }
    assert_int_equal(*reach(AT + SIZE_2M + PAGE_SIZE, false), 0);
    assert_true(host_tlb_coherent());
}

/* ---- mprotect ---- */

static void mprotect_refuses_what_linux_refuses(void **state)
{
    struct memobj *object = ramobj_create(MIB, PAGE_SIZE);
    struct space_request request = {.at = AT + MIB,
                                    .length = MIB,
                                    .access = PAGE_READ,
                                    .access_max = PAGE_READ,
                                    .flags = SPACE_SHARED | SPACE_FIXED,
                                    .object = object};

    assert_int_equal(map(AT, MIB, RW, ANONYMOUS | SPACE_FIXED), AT);
    assert_int_equal(space_mmap(space, &request), AT + MIB);
    assert_int_equal(space_protect(space, AT + 1, PAGE_SIZE, RW), -EINVAL);
    assert_int_equal(space_protect(space, AT, PAGE_SIZE, 8), -EINVAL);
    assert_int_equal(space_protect(space, AT, 0, RW), 0);
    assert_int_equal(space_protect(space, AT, UINT64_MAX, RW), -ENOMEM);
    assert_int_equal(space_protect(space, AT, 3 * MIB, PAGE_READ), -ENOMEM);
    assert_int_equal(space_protect(space, AT, 2 * MIB, RW), -EACCES);
    assert_true(host_translate(AT).write); /* nothing changed in front of the refusal */
    memobj_put(object);
}

/* Two reservations: the second one's table is missing. The first one's frames must go back. */
static void a_failed_mprotect_takes_back_what_it_filled(void **state)
{
    uint64_t before;

    assert_int_equal(map(AT, PAGE_SIZE, 0, ANONYMOUS | SPACE_FIXED), AT);
    assert_int_equal(map(AT + PAGE_SIZE, SIZE_2M, 0, ANONYMOUS | SPACE_FIXED | SPACE_NORESERVE),
                     AT + PAGE_SIZE);
    before = free_now();
    for (uint64_t n = 1;; n++) {
        struct cpu_mapping m;
        int error;

        host_fail_nth(n);
        error = space_protect(space, AT, PAGE_SIZE + SIZE_2M, RW);
        host_fail_nth(0);
        if (!error)
            break;
        assert_int_equal(error, -ENOMEM);
        assert_int_equal(free_now(), before);
        assert_false(cpu_space_find(space->cpu, 0, USER_END, &m));
    }
    assert_true(before - free_now() >= 513);
}

/* ---- stack, break ---- */

static void a_stack_grows_to_its_limit(void **state)
{
    uaddr_t top;
    int64_t near;

    assert_int_equal(space_map_stack(space, 8 * MIB, &top), 0);
    assert_true(host_translate(top - 1).write);
    assert_false(host_translate(top - 1).execute);
    assert_non_null(reach(top - MIB, true));
    assert_non_null(reach(top - 8 * MIB, true));
    assert_null(reach(top - 8 * MIB - 1, true));
    assert_int_equal(space_explain(space, top - 8 * MIB - 1, WRITE_FAULT), SPACE_UNMAPPED);
    /* Addresses are chosen clear of what the stack may become. */
    near = map(0, PAGE_SIZE, RW, ANONYMOUS);
    assert_true((uaddr_t)near + PAGE_SIZE + MIB <= top - 8 * MIB);
    space_set_stack_limit(space, 64 * MIB);
    assert_null(reach((uaddr_t)near + PAGE_SIZE + MIB / 2, true)); /* the guard */
    assert_non_null(reach((uaddr_t)near + PAGE_SIZE + MIB, true));
}

static void the_break_moves_where_there_is_room(void **state)
{
    space_set_break(space, AT);
    assert_int_equal(space_brk(space, 0), AT);
    assert_int_equal(space_brk(space, AT + 100), AT + 100);
    *reach(AT + 99, true) = 5;
    assert_int_equal(space_brk(space, AT + 3 * PAGE_SIZE), AT + 3 * PAGE_SIZE);
    assert_int_equal(*reach(AT + 99, false), 5);
    assert_int_equal(space_brk(space, AT + PAGE_SIZE), AT + PAGE_SIZE);
    assert_null(reach(AT + PAGE_SIZE, false));
    assert_int_equal(map(AT + 2 * PAGE_SIZE, PAGE_SIZE, RW, ANONYMOUS | SPACE_FIXED),
                     AT + 2 * PAGE_SIZE);
    assert_int_equal(space_brk(space, AT + 3 * PAGE_SIZE), AT + PAGE_SIZE); /* in the way */
    assert_int_equal(space_brk(space, AT - 1), AT + PAGE_SIZE);
    host_fail_nth(1);
    assert_int_equal(space_brk(space, AT + 2 * PAGE_SIZE), AT + PAGE_SIZE);
}

/* ---- objects ---- */

static int bar_run(struct memobj *object, uint64_t offset, uint64_t max, struct phys_run *out)
{
    *out = (struct phys_run){BAR_BASE + offset, max};
    return 0;
}

static void bar_destroy(struct memobj *object)
{
}

static const struct memobj_ops bar_ops = {bar_run, bar_destroy};

static void device_memory_is_mapped_uncached_and_revoked(void **state)
{
    struct ioas_source source = space_source(space);
    struct memobj bar, *device;
    struct phys_run runs[4];

    memobj_init(&bar, &bar_ops, 4 * MIB, MEMOBJ_DEVICE);
    assert_int_equal(map_object(AT, 4 * MIB, RW, SPACE_SHARED | SPACE_FIXED, &bar, 0), AT);
    assert_int_equal(file.references, 2); /* closing the descriptor would not close the device */
    assert_true(host_translate(AT).uncached);
    assert_int_equal(host_translate(AT).base, BAR_BASE);
    assert_int_equal(host_translate(AT).size, SIZE_2M);
    assert_int_equal(space_madvise(space, AT, PAGE_SIZE, 4), -EINVAL);
    assert_int_equal(space_mremap(space, AT, 4 * MIB, 8 * MIB, 1, 0), -EFAULT);
    assert_int_equal(space_mremap(space, AT, 0, PAGE_SIZE, 0, 0), -EFAULT);
    assert_int_equal(space_mremap(space, AT, 0, PAGE_SIZE, 1, 0), -EFAULT);
    assert_int_equal(space_mremap(space, AT, 0, PAGE_SIZE, 3, AT + GIB), -EFAULT);
    assert_int_equal(source.ops->runs(source.context, AT + MIB, 8 * MIB, true, runs, 4, &device),
                     1);
    assert_ptr_equal(device, &bar);
    assert_int_equal(runs[0].base, BAR_BASE + MIB);
    assert_int_equal(runs[0].length, 3 * MIB);

    memobj_revoke(&bar);
    assert_true(host_tlb_coherent());
    assert_int_equal(host_translate(AT).size, 0);
    assert_false(space_fault(space, AT, WRITE_FAULT));
    assert_int_equal(space_explain(space, AT, WRITE_FAULT), SPACE_GONE);
    assert_int_equal(source.ops->runs(source.context, AT, MIB, true, runs, 4, &device), -EIO);
    memobj_restore(&bar);
    assert_true(space_fault(space, AT + 5, WRITE_FAULT));
    assert_int_equal(host_translate(AT).base, BAR_BASE);
    assert_int_equal(space_munmap(space, AT, 4 * MIB), 0);
    assert_int_equal(bar.references, 1);
}

/* Memory that the file of a device handed out: what it allowed is what there is. */
static void guarded_memory_cannot_be_doubled_or_grown(void **state)
{
    struct memobj *buffer = ramobj_create(MIB, PAGE_SIZE);

    buffer->flags |= MEMOBJ_GUARDED;
    assert_int_equal(map_object(AT, MIB, RW, SPACE_SHARED | SPACE_FIXED, buffer, 0), AT);
    assert_int_equal(space_mremap(space, AT, 0, MIB, 1, 0), -EFAULT);
    assert_int_equal(space_mremap(space, AT, MIB, 2 * MIB, 1, 0), -EFAULT);
    assert_int_equal(space_madvise(space, AT, MIB, 9), -EINVAL);
    assert_int_equal(space_mremap(space, AT, MIB, PAGE_SIZE, 0, 0), AT);
    assert_int_equal(space_mremap(space, AT, PAGE_SIZE, PAGE_SIZE, 3, AT + GIB), AT + GIB);
    assert_int_equal(space_munmap(space, AT + GIB, PAGE_SIZE), 0);
    memobj_put(buffer);
}

static void a_shared_file_is_seen_by_all_its_mappings(void **state)
{
    struct memobj *object = ramobj_create(2 * MIB, PAGE_SIZE);
    uint64_t before = free_now();

    assert_int_equal(map_object(AT, 4 * MIB, RW, SPACE_SHARED | SPACE_FIXED, object, 0), AT);
    assert_int_equal(map_object(AT + GIB, MIB, PAGE_READ, SPACE_SHARED | SPACE_FIXED, object, MIB),
                     AT + GIB);
    assert_int_equal(free_now(), before); /* files stay sparse */
    *reach(AT + MIB + 7, true) = 9;
    assert_int_equal(*reach(AT + GIB + 7, false), 9);
    assert_null(reach(AT + GIB + 7, true));
    assert_null(reach(AT + 2 * MIB, false)); /* beyond the end */
    assert_int_equal(space_explain(space, AT + 2 * MIB, READ_FAULT), SPACE_GONE);
    ramobj_resize(object, MIB);
    assert_true(host_tlb_coherent());
    assert_null(reach(AT + MIB + 7, false));
    ramobj_resize(object, 2 * MIB);
    assert_int_equal(*reach(AT + MIB + 7, false), 0);
    memobj_put(object);
}

static void a_private_file_is_copied_when_written(void **state)
{
    struct memobj *object = ramobj_create(2 * MIB, PAGE_SIZE);
    struct phys_run run;

    assert_int_equal(memobj_run(object, PAGE_SIZE, PAGE_SIZE, &run), 0);
    uint64_t before = free_now();
    memset(phys_to_virt(run.base), 3, PAGE_SIZE);
    assert_int_equal(map_object(AT, 4 * MIB, RW, SPACE_PRIVATE | SPACE_FIXED, object, 0), AT);
    /* The copies and their tables; holes are not filled by reading. */
    assert_true(before - free_now() < 2 * MIB / PAGE_SIZE + 16);
    assert_int_equal(*reach(AT, false), 0);
    assert_int_equal(*reach(AT + PAGE_SIZE, false), 3);
    *reach(AT + PAGE_SIZE, true) = 4;
    assert_int_equal(*(unsigned char *)phys_to_virt(run.base), 3);
    assert_null(reach(AT + 2 * MIB, false));
    assert_int_equal(space_madvise(space, AT + PAGE_SIZE, PAGE_SIZE, 4), 0);
    assert_int_equal(*reach(AT + PAGE_SIZE, false), 3); /* the file again */
    memobj_put(object);
}

/* A populate that runs out of memory half way leaves no page of the object behind. */
static void a_failed_populate_leaves_no_page(void **state)
{
    struct memobj *object = ramobj_create(4 * MIB, PAGE_SIZE);
    struct cpu_mapping m;
    uint64_t failures = 0;

    for (uint64_t n = 1; n <= 12; n++) {
        int64_t at;

        host_fail_nth(n);
        at = map_object(AT + MIB, 3 * MIB, RW, SPACE_SHARED | SPACE_FIXED | SPACE_POPULATE, object,
                        MIB);
        host_fail_nth(0);
        assert_int_equal(cpu_space_find(space->cpu, 0, USER_END, &m), at > 0);
        failures += at < 0;
        assert_int_equal(space_munmap(space, AT, 4 * MIB), 0);
        ramobj_resize(object, 0);
        ramobj_resize(object, 4 * MIB);
    }
    assert_true(failures > 4);
    memobj_put(object);
}

/* ---- pins ---- */

static void pinned_memory_survives_munmap(void **state)
{
    struct ioas_source source = space_source(space);
    struct memobj *device;
    struct frames_stats s;
    struct phys_run run;

    assert_int_equal(map(AT, SIZE_2M, RW, ANONYMOUS | SPACE_FIXED), AT);
    *reach(AT, true) = 77;
    assert_int_equal(source.ops->runs(source.context, AT, SIZE_2M, true, &run, 1, &device), 1);
    assert_int_equal(frames_pin(run.base, run.length), 0);
    source.ops->get(source.context);
    assert_int_equal(space_munmap(space, AT, SIZE_2M), 0);
    frames_stats(&s);
    assert_int_equal(s.orphans, 512);
    assert_int_equal(map(AT, SIZE_2M, RW, ANONYMOUS | SPACE_FIXED), AT);
    assert_true(host_translate(AT).base != run.base);
    assert_int_equal(*(unsigned char *)phys_to_virt(run.base), 77);
    frames_unpin(run.base, run.length);
    while (frames_settle())
        ;
    source.ops->put(source.context);
}

static void a_source_outlives_its_space(void **state)
{
    struct ioas_source source = space_source(space);
    struct memobj *device;
    struct phys_run run;

    assert_int_equal(map(AT, PAGE_SIZE, PAGE_READ, ANONYMOUS | SPACE_FIXED), AT);
    assert_int_equal(source.ops->runs(source.context, AT, PAGE_SIZE, true, &run, 1, &device),
                     -EFAULT);
    assert_int_equal(source.ops->runs(source.context, AT, PAGE_SIZE, false, &run, 1, &device), 1);
    source.ops->get(source.context);
    cpu_space_activate(NULL);
    space_destroy(space);
    assert_int_equal(source.ops->runs(source.context, AT, PAGE_SIZE, false, &run, 1, &device),
                     -EFAULT);
    source.ops->put(source.context);
    assert_int_equal(space_create(&account, &space), 0);
}

/* What lies in memory behind all of a range, as a device sees it that does not snoop. */
static bool zero_in_memory(uaddr_t at, uint64_t length)
{
    struct cpu_mapping m;
    bool zero = true;

    for (uaddr_t end = at + length; zero && at < end; at = m.at + m.length)
        zero = cpu_space_find(space->cpu, at, end, &m) && m.at == at &&
               host_zero_in_memory(m.base, m.length);
    return zero;
}

/*
 * Where frames come from an object and where not, by faults and at once. What is cleared from here
 * on stays in no cache: it comes last.
 */
static void devices_that_do_not_snoop_see_nothing_older(void **state)
{
    struct memobj *object = ramobj_create(4 * MIB, PAGE_SIZE);
    const uaddr_t other = AT + GIB;
    struct phys_run run;

    assert_int_equal(map(AT, 8 * MIB, RW, ANONYMOUS | SPACE_FIXED), AT);
    assert_false(zero_in_memory(AT, PAGE_SIZE)); /* a line in a cache says so */
    memory_zero_past_caches();
    assert_int_equal(map(AT, 8 * MIB, RW, ANONYMOUS | SPACE_FIXED), AT);
    assert_true(zero_in_memory(AT, 8 * MIB));
    host_age_memory();
    assert_int_equal(map(AT, 8 * MIB, RW, ANONYMOUS | SPACE_FIXED | SPACE_NORESERVE), AT);
    assert_non_null(reach(AT + PAGE_SIZE, true));
    assert_true(zero_in_memory(AT + PAGE_SIZE, PAGE_SIZE));
    assert_int_equal(
        map_object(AT, 4 * MIB, RW, SPACE_SHARED | SPACE_FIXED | SPACE_POPULATE, object, 0), AT);
    assert_true(zero_in_memory(AT, 4 * MIB));
    host_age_memory();
    assert_int_equal(memobj_run(object, 0, PAGE_SIZE, &run), 0);
    memset(phys_to_virt(run.base), 3, PAGE_SIZE);
    assert_int_equal(map_object(other, MIB, RW, SPACE_PRIVATE | SPACE_FIXED, object, 0), other);
    *reach(other, true) = 4;
    assert_true(zero_in_memory(other, PAGE_SIZE)); /* what is copied there is no secret */
    memobj_put(object);
    assert_int_equal(space_munmap(space, AT, 2 * GIB), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(mmap_refuses_what_linux_refuses),
        TEST(a_hint_is_taken_where_there_is_room),
        TEST(one_gib_is_one_leaf),
        TEST(huge_pages_are_whole_or_refused),
        TEST(huge_pages_are_counted_and_not_cut),
        TEST(reservations_take_no_frames),
        TEST(a_replacement_is_whole_or_nothing),
        TEST(mprotect_refuses_what_linux_refuses),
        TEST(a_failed_mprotect_takes_back_what_it_filled),
        TEST(a_stack_grows_to_its_limit),
        TEST(the_break_moves_where_there_is_room),
        TEST(device_memory_is_mapped_uncached_and_revoked),
        TEST(guarded_memory_cannot_be_doubled_or_grown),
        TEST(a_shared_file_is_seen_by_all_its_mappings),
        TEST(a_private_file_is_copied_when_written),
        TEST(a_failed_populate_leaves_no_page),
        TEST(pinned_memory_survives_munmap),
        TEST(a_source_outlives_its_space),
        TEST(devices_that_do_not_snoop_see_nothing_older),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
