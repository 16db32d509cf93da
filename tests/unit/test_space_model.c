/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The address space against a flat array of pages: random calls, each also with every allocation
 * failing in turn. The array covers the top of the address space, where addresses are chosen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/file/file.h"
#include "kernel/lib/error.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/ramobj.h"
#include "kernel/linux/memory/internal.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_memory.h"
#include "tests/unit/host_paging.h"
#include "tests/unit/pins.h"

#define RAM_BASE     (64 * MIB)
#define RAM_SIZE     (256 * MIB)
#define PAGES        4096u
#define BASE         (USER_END - PAGES * PAGE_SIZE)
#define OBJECT_PAGES 1024u
#define MEMLOCK      (3 * MIB)
#define RW           (PAGE_READ | PAGE_WRITE)
#define PINS         32

enum kind {
    NOTHING,
    OWN,    /* anonymous private */
    OBJECT, /* shared, of the one file there is */
};

enum when { /* do frames come? */
            AT_ONCE,
            WHEN_TOUCHED,    /* MAP_STACK */
            WHEN_ACCESSIBLE, /* MAP_NORESERVE: when touched, or by mprotect */
};

struct page {
    enum kind kind;
    enum when when;
    unsigned access;
    unsigned object_page;
    unsigned char content; /* of OWN */
    bool absent;           /* OWN and accessible, but need not have a frame */
    bool locked;
};

static const struct phys_run ram[] = {{RAM_BASE, RAM_SIZE}};
static struct page model[PAGES];
static unsigned char object_content[OBJECT_PAGES];
static struct space *space;
static struct ioas_account account;
static struct memobj *object;
static struct file file = {.name = "test", .references = 1}; /* the one of its descriptor */
static struct phys_run pins[PINS];
static uint64_t rng;

static uint64_t rnd(uint64_t bound)
{
    return host_random_below(&rng, bound);
}

static uaddr_t address(uint64_t page)
{
    return BASE + page * PAGE_SIZE;
}

static uint64_t free_now(void)
{
    struct frames_stats s;

    frames_stats(&s);
    return s.free;
}

/* ---- what the page tables and the tree must say ---- */

static void check_page(uint64_t n)
{
    struct host_page now = host_translate(address(n));
    const struct page *page = &model[n];

    if (!now.size) {
        assert_true(page->kind == NOTHING || page->kind == OBJECT || !page->access || page->absent);
        return;
    }
    assert_true(page->kind != NOTHING && page->access && now.user);
    assert_int_equal(now.write, !!(page->access & PAGE_WRITE));
    assert_int_equal(now.execute, !!(page->access & PAGE_EXEC));
    if (page->kind == OWN)
        assert_int_equal(*(unsigned char *)phys_to_virt(now.base), page->content);
    else
        assert_int_equal(*(unsigned char *)phys_to_virt(now.base),
                         object_content[page->object_page]);
}

static bool one_mapping(const struct page *a, const struct page *b)
{
    if (a->kind != b->kind || a->access != b->access || a->locked != b->locked ||
        a->when != b->when)
        return false;
    return a->kind != OBJECT || a->object_page + 1 == b->object_page;
}

/* The mappings are exactly the longest stretches of like pages. */
static void check_tree(void)
{
    struct mapping *mapping = mapping_from(space, 0);
    uint64_t n = 0, bytes = 0, locked = 0;

    while (n < PAGES) {
        uint64_t first = n;

        if (model[n].kind == NOTHING) {
            n++;
            continue;
        }
        for (n++; n < PAGES && one_mapping(&model[n - 1], &model[n]); n++)
            ;
        assert_int_equal(mapping->start, address(first));
        assert_int_equal(mapping->end, address(n));
        assert_int_equal(mapping->access, model[first].access);
        assert_int_equal(!!(mapping->flags & MAPPING_LOCKED), model[first].locked);
        assert_int_equal(!!mapping->object, model[first].kind == OBJECT);
        bytes += mapping->end - mapping->start;
        locked += model[first].locked ? mapping->end - mapping->start : 0;
        mapping = mapping_next(mapping);
    }
    assert_ptr_equal(mapping, &space->top);
    assert_int_equal(space->mapped, bytes);
    assert_int_equal(space->locked, locked);
    assert_int_equal(account.used, locked);
}

/* No frame is behind two pages, unless both are the object's. */
static void check_frames_unique(void)
{
    static uint8_t seen[RAM_SIZE / PAGE_SIZE];
    struct cpu_mapping m;

    memset(seen, 0, sizeof(seen));
    for (uaddr_t at = 0; cpu_space_find(space->cpu, at, USER_END, &m); at = m.at + m.length) {
        assert_false(m.flags & PAGE_FRESH); /* a mark within one call */
        for (paddr_t p = m.base; (m.flags & PAGE_OWNED) && p < m.base + m.length; p += PAGE_SIZE)
            assert_int_equal(seen[(p - RAM_BASE) / PAGE_SIZE]++, 0);
    }
}

static void check_all(void)
{
    for (uint64_t n = 0; n < PAGES; n++)
        check_page(n);
    check_tree();
    check_frames_unique();
}

/* ---- operations on both ---- */

/* One random call, decided beforehand so that it can be tried more than once. */
struct call {
    int (*run)(const struct call *call); /* applies to the model when it succeeds */
    uint64_t first, count, to, new_count;
    unsigned access, flags;
};

static bool all_mapped(uint64_t first, uint64_t count)
{
    for (uint64_t i = first; i < first + count; i++)
        if (model[i].kind == NOTHING)
            return false;
    return true;
}

static void fill_model(uint64_t first, const struct call *call, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        bool shared = call->flags & SPACE_SHARED;
        struct page *page = &model[first + i];

        *page = (struct page){.kind = shared ? OBJECT : OWN, .access = call->access};
        if (call->flags & SPACE_STACK)
            page->when = WHEN_TOUCHED;
        if (call->flags & SPACE_NORESERVE)
            page->when = WHEN_ACCESSIBLE;
        page->absent = page->when != AT_ONCE;
        if (shared)
            page->object_page = (unsigned)(call->to + i);
    }
}

static int run_mmap(const struct call *call)
{
    bool shared = call->flags & SPACE_SHARED;
    bool fixed = call->flags & (SPACE_FIXED | SPACE_FIXED_NOREPLACE);
    const struct space_request request = {
        .at = fixed ? address(call->first) : 0,
        .length = call->count * PAGE_SIZE,
        .access = call->access,
        .access_max = ACCESS_ALL,
        .flags = call->flags,
        .object = shared ? object : NULL,
        .offset = shared ? call->to * PAGE_SIZE : 0,
        .file = shared ? &file : NULL,
        .file_offset = shared ? call->to * PAGE_SIZE : 0,
    };
    int64_t at = space_mmap(space, &request);
    uint64_t first;

    if (at < 0)
        return (int)at;
    if ((uint64_t)at < BASE) { /* the window is full; elsewhere the model cannot follow */
        host_fail_nth(0);
        assert_int_equal(space_munmap(space, (uaddr_t)at, call->count * PAGE_SIZE), 0);
        return 0;
    }
    first = ((uint64_t)at - BASE) / PAGE_SIZE;
    if (fixed)
        assert_int_equal(first, call->first);
    if (!(call->flags & SPACE_FIXED))
        for (uint64_t i = 0; i < call->count; i++)
            assert_int_equal(model[first + i].kind, NOTHING);
    fill_model(first, call, call->count);
    return 0;
}

static int run_munmap(const struct call *call)
{
    int error = space_munmap(space, address(call->first), call->count * PAGE_SIZE);

    if (!error)
        memset(&model[call->first], 0, call->count * sizeof(model[0]));
    return error;
}

static int run_protect(const struct call *call)
{
    int error = space_protect(space, address(call->first), call->count * PAGE_SIZE, call->access);

    if (!all_mapped(call->first, call->count)) {
        assert_int_equal(error, -ENOMEM);
        return 0;
    }
    for (uint64_t i = call->first; !error && i < call->first + call->count; i++) {
        if (!model[i].access && call->access && model[i].when != WHEN_TOUCHED)
            model[i].absent = false;
        if (call->access && model[i].when == WHEN_ACCESSIBLE)
            model[i].when = AT_ONCE;
        model[i].access = call->access;
    }
    return error;
}

static int run_mremap(const struct call *call)
{
    static struct page moved[PAGES];
    struct mapping *mapping = mapping_at(space, address(call->first));
    bool fixed = call->flags & 2;
    int64_t at = space_mremap(space, address(call->first), call->count * PAGE_SIZE,
                              call->new_count * PAGE_SIZE, call->flags, address(call->to));
    uint64_t keep = MIN(call->count, call->new_count), to;

    if (at < 0)
        return mapping && at == -ENOMEM ? -ENOMEM : 0;
    memcpy(moved, &model[call->first], call->count * sizeof(moved[0]));
    memset(&model[call->first], 0, call->count * sizeof(model[0]));
    if ((uint64_t)at < BASE) {
        host_fail_nth(0);
        assert_int_equal(space_munmap(space, (uaddr_t)at, call->new_count * PAGE_SIZE), 0);
        return 0;
    }
    to = ((uint64_t)at - BASE) / PAGE_SIZE;
    if (fixed)
        assert_int_equal(to, call->to);
    for (uint64_t i = 0; i < call->new_count; i++) {
        if (!fixed)
            assert_int_equal(model[to + i].kind, NOTHING);
        model[to + i] = moved[MIN(i, call->count - 1)];
        if (i < keep)
            continue;
        model[to + i].content = 0;
        model[to + i].absent = model[to + i].when != AT_ONCE;
        model[to + i].object_page = moved[0].object_page + (unsigned)i;
    }
    return 0;
}

static int run_dontneed(const struct call *call)
{
    int error = space_madvise(space, address(call->first), call->count * PAGE_SIZE, 4);
    bool locked = false; /* stops there */

    for (uint64_t i = call->first; i < call->first + call->count; i++) {
        locked |= model[i].locked;
        if (model[i].kind == OWN && !locked && !host_failed()) {
            model[i].content = 0;
            model[i].absent = true;
        }
    }
    if (locked)
        assert_true(error == -EINVAL || host_failed());
    else if (!all_mapped(call->first, call->count))
        assert_int_equal(error, -ENOMEM);
    return error && !locked && host_failed() ? -ENOMEM : 0;
}

/* May the range be locked, memory aside? */
static bool lockable(uint64_t first, uint64_t count)
{
    uint64_t more = 0;

    for (uint64_t i = first; i < first + count; i++) {
        more += !model[i].locked;
        if (!model[i].access ||
            (model[i].kind == OBJECT && model[i].object_page * PAGE_SIZE >= object->size))
            return false;
    }
    return account.used + more * PAGE_SIZE <= MEMLOCK;
}

static int run_lock(const struct call *call)
{
    bool lock = call->flags;
    bool mapped = all_mapped(call->first, call->count);
    bool possible = mapped && (!lock || lockable(call->first, call->count));
    int error = lock ? space_mlock(space, address(call->first), call->count * PAGE_SIZE, false)
                     : space_munlock(space, address(call->first), call->count * PAGE_SIZE);

    if (!possible) {
        assert_true(error == -ENOMEM || (error == -EAGAIN && host_failed()));
        return 0;
    }
    if (error) {
        assert_true(host_failed() && (error == -ENOMEM || error == -EAGAIN));
        return -ENOMEM;
    }
    for (uint64_t i = call->first; i < call->first + call->count; i++)
        model[i].locked = lock;
    return 0;
}

/* The payload touches a page: a fault brings it in if the model says so. */
static void touch(uint64_t n)
{
    struct page *page = &model[n];
    bool write = rnd(2);
    bool allowed = page->kind != NOTHING && (page->access & (write ? PAGE_WRITE : ACCESS_ALL));
    struct host_page now = host_translate(address(n));
    unsigned char *at;

    if (page->kind == OBJECT && page->object_page * PAGE_SIZE >= object->size)
        allowed = false;
    if (!now.size || (write && !now.write)) {
        uint64_t error = 4 | (write ? 2 : 0) | (now.size ? 1 : 0);

        assert_int_equal(space_fault(space, address(n) + 123, error), allowed);
        if (!allowed) {
            enum space_reason reason = space_explain(space, address(n), error);

            assert_int_equal(reason == SPACE_UNMAPPED, page->kind == NOTHING);
            return;
        }
        now = host_translate(address(n));
    }
    assert_true(now.size && allowed);
    at = phys_to_virt(now.base);
    assert_int_equal(*at, page->kind == OWN ? page->content : object_content[page->object_page]);
    if (!write)
        return;
    *at = (unsigned char)rnd(256);
    if (page->kind == OWN) {
        page->content = *at;
        page->absent = false;
    } else {
        object_content[page->object_page] = *at;
    }
}

/* A device asks for memory, pins it and lets it go some time later. */
static void pin(uint64_t n)
{
    struct ioas_source source = space_source(space);
    struct phys_run *slot = &pins[rnd(PINS)], runs[5];
    bool write = rnd(2);
    uint64_t count = 1 + rnd(PAGES - n);
    struct memobj *device;
    int got;

    if (slot->length) {
        frames_unpin(slot->base, slot->length);
        slot->length = 0;
        return;
    }
    got = source.ops->runs(source.context, address(n), count * PAGE_SIZE, write, runs, 5, &device);
    assert_null(device);
    if (model[n].kind == NOTHING || !(model[n].access & (write ? PAGE_WRITE : ACCESS_ALL)) ||
        (model[n].kind == OBJECT && model[n].object_page * PAGE_SIZE >= object->size)) {
        assert_int_equal(got, -EFAULT);
        return;
    }
    assert_in_range(got, 1, 5);
    for (int r = 0; r < got; r++)
        for (uint64_t off = 0; off < runs[r].length; off += PAGE_SIZE, n++)
            assert_int_equal(host_translate(address(n)).base, runs[r].base + off);
    *slot = runs[0];
    assert_int_equal(frames_pin(slot->base, slot->length), 0);
}

static void resize_object(void)
{
    uint64_t pages = rnd(4) ? OBJECT_PAGES : rnd(OBJECT_PAGES);

    ramobj_resize(object, pages * PAGE_SIZE);
    for (uint64_t i = pages; i < OBJECT_PAGES; i++)
        object_content[i] = 0;
}

static uint64_t random_count(void)
{
    return 1 + rnd(BIT(rnd(11)));
}

static struct call random_call(void)
{
    static const unsigned accesses[] = {0, PAGE_READ, RW, RW, RW, PAGE_READ | PAGE_EXEC};
    static const unsigned places[] = {0, SPACE_FIXED, SPACE_FIXED, SPACE_FIXED_NOREPLACE};
    static const unsigned kinds[] = {0, 0, 0, SPACE_STACK, SPACE_NORESERVE};
    struct call call = {.count = random_count(), .access = accesses[rnd(ARRAY_SIZE(accesses))]};

    call.first = rnd(PAGES - call.count + 1);
    if (rnd(4) == 0)
        call.first &= ~(uint64_t)511;
    switch (rnd(8)) {
    case 0:
    case 1:
        call.run = run_mmap;
        call.flags = places[rnd(4)];
        if (rnd(3) == 0) {
            call.flags |= SPACE_SHARED | (rnd(2) ? SPACE_POPULATE : 0);
            call.to = rnd(OBJECT_PAGES);
            call.count = 1 + rnd(OBJECT_PAGES - call.to);
            call.first = rnd(PAGES - call.count + 1);
        } else {
            call.flags |= SPACE_PRIVATE | SPACE_ANONYMOUS | kinds[rnd(5)];
        }
        break;
    case 2:
        call.run = run_munmap;
        break;
    case 3:
    case 4:
        call.run = run_protect;
        break;
    case 5:
        call.run = run_mremap;
        call.flags = rnd(3) ? 3 : 1;
        call.new_count = rnd(2) ? call.count : random_count();
        call.to = rnd(PAGES - call.new_count + 1);
        break;
    case 6:
        call.run = run_dontneed;
        break;
    default:
        call.run = run_lock;
        call.flags = rnd(2);
    }
    return call;
}

/* ---- the tests ---- */

static uint64_t frames_before;

static int setup(void **state)
{
    host_memory_create(RAM_BASE, RAM_SIZE);
    assert_int_equal(frames_init(ram, 1, NULL, 0), 0);
    host_paging_init();
    frames_before = free_now();
    account = (struct ioas_account){.limit = MEMLOCK};
    assert_int_equal(space_create(&account, &space), 0);
    cpu_space_activate(space_cpu(space));
    object = ramobj_create(OBJECT_PAGES * PAGE_SIZE, PAGE_SIZE);
    memset(model, 0, sizeof(model));
    memset(object_content, 0, sizeof(object_content));
    memset(pins, 0, sizeof(pins));
    return 0;
}

static int teardown(void **state)
{
    host_fail_nth(0);
    cpu_space_activate(NULL);
    space_destroy(space);
    memobj_put(object);
    for (int i = 0; i < PINS; i++)
        if (pins[i].length)
            frames_unpin(pins[i].base, pins[i].length);
    assert_int_equal(free_now(), frames_before);
    assert_int_equal(heap_used(), 0);
    assert_int_equal(account.used, 0);
    assert_int_equal(file.references, 1);
    host_memory_destroy();
    return 0;
}

static void random_calls_agree_with_the_model(void **state)
{
    uint64_t count = host_steps(20000, 1000000);

    rng = 42;
    for (uint64_t i = 0; i < count; i++) {
        struct call call = random_call();

        call.run(&call);
        touch(rnd(PAGES));
        touch(rnd(PAGES));
        if (rnd(4) == 0)
            pin(rnd(PAGES));
        if (rnd(200) == 0)
            resize_object();
        assert_true(host_tlb_coherent());
        if (i % 32 == 0)
            check_all();
    }
    check_all();
}

/* Each call with its first, second, ... allocation failing: then nothing has changed. */
static void a_failed_allocation_changes_nothing(void **state)
{
    uint64_t failures = 0;

    rng = 77;
    for (int i = 0; i < 1500; i++) {
        struct call call = random_call();

        for (uint64_t n = 1;; n++) {
            int error;

            host_fail_nth(n);
            error = call.run(&call);
            assert_true(host_tlb_coherent());
            if (!error || !host_failed())
                break;
            assert_int_equal(error, -ENOMEM);
            failures++;
            host_fail_nth(0);
            check_all();
        }
        host_fail_nth(0);
        touch(rnd(PAGES));
    }
    check_all();
    assert_true(failures > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_calls_agree_with_the_model, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failed_allocation_changes_nothing, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
