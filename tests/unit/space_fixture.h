/* SPDX-License-Identifier: BSD-2-Clause */
/* An address space on the host, and the payload's view of it; each test has a fresh one. */
#ifndef TESTS_UNIT_SPACE_FIXTURE_H
#define TESTS_UNIT_SPACE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/file/file.h"
#include "kernel/lib/error.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/hugepages.h"
#include "kernel/mm/ramobj.h"
#include "kernel/mm/zero.h"
#include "kernel/linux/memory/internal.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_memory.h"
#include "tests/unit/host_paging.h"
#include "tests/unit/host_thread.h"

#define RAM_BASE    (2 * GIB - 64 * MIB)
#define RAM_SIZE    (GIB + 256 * MIB)
#define AT          UINT64_C(0x10000000000)
#define RW          (PAGE_READ | PAGE_WRITE)
#define ANONYMOUS   (SPACE_PRIVATE | SPACE_ANONYMOUS)
#define BAR_BASE    UINT64_C(0x380000000000)
#define READ_FAULT  4
#define WRITE_FAULT 6

static const struct phys_run ram[] = {{RAM_BASE, RAM_SIZE}};
static struct space *space;
static struct ioas_account account;
static struct file file = {.name = "test", .references = 1}; /* the one of its descriptor */
static uint64_t frames_before;

static inline uint64_t free_now(void)
{
    struct frames_stats s;

    frames_stats(&s);
    return s.free;
}

static inline int setup(void **state)
{
    host_memory_create(RAM_BASE, RAM_SIZE);
    assert_int_equal(frames_init(ram, 1, NULL, 0), 0);
    hugepages_set_limit(64);
    host_paging_init();
    frames_before = free_now();
    account = (struct ioas_account){.limit = 8 * MIB};
    assert_int_equal(space_create(&account, &space), 0);
    cpu_space_activate(space_cpu(space));
    return 0;
}

static inline int teardown(void **state)
{
    host_fail_nth(0);
    cpu_space_activate(NULL);
    space_destroy(space);
    assert_int_equal(free_now(), frames_before);
    assert_int_equal(heap_used(), 0);
    assert_int_equal(account.used, 0);
    assert_int_equal(file.references, 1);
    host_memory_destroy();
    return 0;
}

static inline int64_t map(uaddr_t at, uint64_t length, unsigned access, unsigned flags)
{
    const struct space_request request = {
        .at = at, .length = length, .access = access, .access_max = ACCESS_ALL, .flags = flags};

    return space_mmap(space, &request);
}

static inline int64_t map_object(uaddr_t at, uint64_t length, unsigned access, unsigned flags,
                                 struct memobj *object, uint64_t offset)
{
    const struct space_request request = {.at = at,
                                          .length = length,
                                          .access = access,
                                          .access_max = ACCESS_ALL,
                                          .flags = flags,
                                          .object = object,
                                          .offset = offset,
                                          .file = &file,
                                          .file_offset = offset};

    return space_mmap(space, &request);
}

/* The payload's view of one byte; NULL when the access would fault for good. */
static inline unsigned char *reach(uaddr_t at, bool write)
{
    struct host_page page = host_translate(at);

    if (!page.size && space_fault(space, at, write ? WRITE_FAULT : READ_FAULT))
        page = host_translate(at);
    if (!page.size || (write && !page.write))
        return NULL;
    return (unsigned char *)phys_to_virt(page.base) + (at & (PAGE_SIZE - 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
