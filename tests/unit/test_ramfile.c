/* SPDX-License-Identifier: BSD-2-Clause */
/* Files in RAM against an array of bytes; seals; what fails changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/file/ramfile.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/memobj.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_memory.h"
#include "tests/unit/host_thread.h"
#include "tests/unit/host_user.h"

#define RAM_BASE (16 * MIB)
#define RAM_SIZE (64 * MIB)
#define MODEL    (5 * MIB)
#define STEPS    3000

static const struct phys_run ram[] = {{RAM_BASE, RAM_SIZE}};
static uint8_t model[MODEL], buffer[MODEL];
static uint64_t free_at_start;

static uint64_t free_frames(void)
{
    struct frames_stats stats;
    frames_stats(&stats);
    return stats.free;
}

static int setup(void **state)
{
    host_memory_create(RAM_BASE, RAM_SIZE);
    assert_int_equal(frames_init(ram, 1, NULL, 0), 0);
    free_at_start = free_frames();
    host_bad_user = (struct phys_run){0};
    memset(model, 0, sizeof(model));
    return 0;
}

static int teardown(void **state)
{
    host_fail_nth(0);
    assert_int_equal(heap_used(), 0);
    assert_int_equal(free_frames(), free_at_start);
    host_memory_destroy();
    return 0;
}

static struct file *open_new(unsigned seals, unsigned flags)
{
    struct ramfile *file = ramfile_create(seals, false);
    struct file *open = ramfile_open(file, flags, "test");
    ramfile_put(file);
    assert_non_null(open);
    return open;
}

static int64_t read_at(struct file *file, uint64_t position, void *to, size_t length)
{
    return file->ops->read(file, user_address(to), length, &position);
}

static int64_t write_at(struct file *file, uint64_t position, const void *from, size_t length)
{
    return file->ops->write(file, user_address(from), length, &position);
}

static uint64_t size_of(struct file *file)
{
    struct file_stat stat = {0};
    assert_int_equal(file->ops->stat(file, &stat), 0);
    return stat.size;
}

/* The bytes as a mapping would show them: up to the end of the last page, all zero there. */
static void check_mapping(struct file *file, uint64_t size)
{
    struct memobj *object;
    uint64_t offset;
    assert_int_equal(file->ops->mmap(file, 0, PAGE_SIZE, 3, true, &object, &offset), 0);
    assert_int_equal(object->size, ALIGN_UP(size, PAGE_SIZE));
    if (size % PAGE_SIZE) {
        struct phys_run run;
        uint64_t page = ALIGN_DOWN(size, PAGE_SIZE);
        assert_int_equal(memobj_run(object, page, PAGE_SIZE, &run), 0);
        const uint8_t *bytes = phys_to_virt(run.base);
        assert_memory_equal(bytes, model + page, size % PAGE_SIZE);
        for (uint64_t i = size % PAGE_SIZE; i < PAGE_SIZE; i++)
            assert_int_equal(bytes[i], 0);
    }
    memobj_put(object);
}

static void step(struct file *file, uint64_t *size, uint64_t *rng)
{
    uint64_t at = host_random_below(rng, MODEL);
    uint64_t length = host_random_below(rng, MIN(MODEL - at, 3 * PAGE_SIZE)) + 1;
    switch (host_random_below(rng, 4)) {
    case 0: /* may leave a hole */
        for (uint64_t i = 0; i < length; i++)
            buffer[i] = (uint8_t)host_random(rng);
        assert_int_equal(write_at(file, at, buffer, length), length);
        memcpy(model + at, buffer, length);
        *size = MAX(*size, at + length);
        break;
    case 1:
        assert_int_equal(file->ops->truncate(file, at), 0);
        if (at < *size)
            memset(model + at, 0, *size - at);
        *size = at;
        break;
    default: {
        int64_t expected = at >= *size ? 0 : (int64_t)MIN(length, *size - at);
        assert_int_equal(read_at(file, at, buffer, length), expected);
        assert_memory_equal(buffer, model + at, expected);
    }
    }
    assert_int_equal(size_of(file), *size);
}

static void against_an_array(void **state)
{
    struct file *file = open_new(0, FILE_RDWR);
    uint64_t size = 0, rng = 1;
    for (unsigned i = 0; i < STEPS; i++) {
        step(file, &size, &rng);
        check_mapping(file, size);
    }
    file_put(file);
}

static void appended_bytes_go_to_the_end(void **state)
{
    struct file *file = open_new(0, FILE_RDWR | FILE_APPEND);
    char text[16] = {0};
    assert_int_equal(write_at(file, 100, "abc", 3), 3);
    assert_int_equal(write_at(file, 0, "def", 3), 3);
    assert_int_equal(read_at(file, 0, text, sizeof(text)), 6);
    assert_string_equal(text, "abcdef");
    assert_int_equal(file->ops->seek(file, -1, 2), 5);
    file_put(file);
}

static void a_file_of_the_archive_reads_as_it_was_built(void **state)
{
    struct ramfile *file = ramfile_create(SEAL_ALL, false);
    for (size_t i = 0; i < sizeof(model); i++)
        model[i] = (uint8_t)(i * 7);
    assert_int_equal(ramfile_append(file, model, 1000), 0);
    assert_int_equal(ramfile_append(file, model + 1000, MIB), 0);
    struct file *open = ramfile_open(file, FILE_RDONLY, "test");
    ramfile_put(file);
    assert_int_equal(read_at(open, 0, buffer, sizeof(buffer)), 1000 + MIB);
    assert_memory_equal(buffer, model, 1000 + MIB);
    file_put(open);
}

static void bad_user_memory_leaves_the_file_as_it_was(void **state)
{
    struct file *file = open_new(0, FILE_RDWR);
    const size_t length = 4 * PAGE_SIZE;
    assert_int_equal(write_at(file, 0, "abc", 3), 3);
    host_bad_user = (struct phys_run){user_address(buffer), sizeof(buffer)};
    assert_int_equal(write_at(file, 3, buffer, length), -EFAULT);
    assert_int_equal(size_of(file), 3); /* a failed write does not make the file longer */
    assert_int_equal(read_at(file, 0, buffer, 3), -EFAULT);
    host_bad_user = (struct phys_run){0};
    file_put(file);
}

static void every_failed_allocation_leaves_the_file_as_it_was(void **state)
{
    for (uint64_t n = 1; n <= 2; n++) {
        host_fail_nth(n);
        assert_null(ramfile_create(0, false));
    }
    host_fail_nth(0);
    struct file *file = open_new(0, FILE_RDWR);
    struct ramfile *ramfile = file_ramfile(file);
    host_fail_nth(1);
    assert_null(ramfile_open(ramfile, FILE_RDWR, "test"));
    uint64_t done = 0;
    for (uint64_t n = 1;; n++) { /* frames and tree nodes behind the bytes */
        host_fail_nth(n);
        int64_t result = write_at(file, done * SIZE_2M, model, 100);
        if (!host_failed()) {
            assert_int_equal(result, 100);
            break;
        }
        if (result == 100) /* a smaller block did instead */
            done++;
        else
            assert_int_equal(result, -ENOSPC);
        assert_int_equal(size_of(file), done ? (done - 1) * SIZE_2M + 100 : 0);
    }
    host_fail_nth(0);
    assert_int_equal(ramfile_resize(ramfile, UINT64_MAX), -EFBIG);
    assert_int_equal(write_at(file, INT64_MAX, model, 10), -EFBIG);
    assert_int_equal(write_at(file, UINT64_MAX - 5, model, 10), -EFBIG);
    file_put(file);
}

static void note_revoke(struct memobj_watcher *watcher)
{
}

static void seals_hold(void **state)
{
    struct file *file = open_new(0, FILE_RDWR);
    struct ramfile *ramfile = file_ramfile(file);
    struct memobj *object;
    uint64_t offset;
    assert_int_equal(write_at(file, 0, model, 5000), 5000);
    assert_int_equal(ramfile_get_seals(ramfile), 0);

    struct memobj_watcher watcher = {.revoke = note_revoke};
    assert_int_equal(file->ops->mmap(file, 0, PAGE_SIZE, 3, true, &object, &offset), 0);
    memobj_watch(object, &watcher);
    assert_int_equal(ramfile_add_seals(ramfile, SEAL_WRITE), -EBUSY);
    memobj_unwatch(&watcher);
    memobj_put(object);

    assert_int_equal(ramfile_add_seals(ramfile, SEAL_GROW), 0);
    assert_int_equal(file->ops->truncate(file, 5001), -EPERM);
    assert_int_equal(write_at(file, 4999, model, 2), -EPERM);
    assert_int_equal(write_at(file, 4998, model, 2), 2);
    assert_int_equal(ramfile_add_seals(ramfile, SEAL_SHRINK), 0);
    assert_int_equal(file->ops->truncate(file, 4999), -EPERM);
    assert_int_equal(ramfile_add_seals(ramfile, SEAL_WRITE | SEAL_SEAL), 0);
    assert_int_equal(write_at(file, 0, model, 1), -EPERM);
    assert_int_equal(file->ops->mmap(file, 0, PAGE_SIZE, 3, true, &object, &offset), -EPERM);
    assert_int_equal(file->ops->mmap(file, 0, PAGE_SIZE, 3, false, &object, &offset), 0);
    memobj_put(object);
    assert_int_equal(ramfile_add_seals(ramfile, SEAL_GROW), -EPERM);
    file->flags = FILE_RDONLY;
    assert_int_equal(file->ops->mmap(file, 0, PAGE_SIZE, 3, true, &object, &offset), -EACCES);
    file->flags = FILE_WRONLY;
    assert_int_equal(file->ops->mmap(file, 0, PAGE_SIZE, 1, true, &object, &offset), -EACCES);
    file_put(file);
}

/* What may have become longer while the caller waited for it is not made shorter. */
static void growing_never_shortens(void **state)
{
    struct ramfile *grown = ramfile_create(0, false);
    struct file *grown_file = ramfile_open(grown, FILE_RDWR, "test");
    assert_int_equal(ramfile_allocate(grown, 0, 5000), 0);
    assert_int_equal(size_of(grown_file), 5000);
    assert_int_equal(ramfile_allocate(grown, 0, 4999), 0);
    assert_int_equal(size_of(grown_file), 5000);
    assert_int_equal(ramfile_add_seals(grown, SEAL_GROW | SEAL_SHRINK), 0);
    assert_int_equal(ramfile_allocate(grown, 0, 5000), 0);
    assert_int_equal(ramfile_allocate(grown, 0, 5001), -EPERM);
    file_put(grown_file);
    ramfile_put(grown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(against_an_array, setup, teardown),
        cmocka_unit_test_setup_teardown(appended_bytes_go_to_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_of_the_archive_reads_as_it_was_built, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(bad_user_memory_leaves_the_file_as_it_was, setup, teardown),
        cmocka_unit_test_setup_teardown(every_failed_allocation_leaves_the_file_as_it_was, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(seals_hold, setup, teardown),
        cmocka_unit_test_setup_teardown(growing_never_shortens, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
