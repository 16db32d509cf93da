/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads of one descriptor, and writes to one file, by two threads at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/file/ramfile.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/linux/calls/syscall_table.h"
#include "kernel/linux/threads/task.h"
#include "tests/unit/host_memory.h"
#include "tests/unit/host_thread.h"
#include "tests/unit/host_user.h"

#define RAM_BASE (16 * MIB)
#define RAM_SIZE (64 * MIB)
#define LENGTH   (3 * MIB)

static const struct phys_run ram[] = {{RAM_BASE, RAM_SIZE}};
static uint8_t bytes[LENGTH], other[PAGE_SIZE];
static struct file *open, *second;
static int64_t other_got;

struct file *fd_get(int fd)
{
    return file_get(open);
}

int signal_send_task(struct task *task, const struct siginfo *info)
{
    return 0;
}

static int end_wait(const char *point, uint64_t deadline_ns)
{
    return -EINTR;
}

/* The other thread reads at a breath; it has to wait, and is asked to end. */
static int read_meanwhile(const char *point, enum thread_hears hears)
{
    host_breath = NULL;
    host_thread_be(1);
    other_got = sys_read(0, user_address(other), sizeof(other));
    host_thread_be(0);
    return 0;
}

static void nobody_gets_the_same_bytes(void **state)
{
    const struct {
        uint64_t base, length;
    } vector = {user_address(bytes), LENGTH};

    host_memory_create(RAM_BASE, RAM_SIZE);
    assert_int_equal(frames_init(ram, 1, NULL, 0), 0);
    struct ramfile *file = ramfile_create(0, false);
    assert_int_equal(ramfile_append(file, bytes, LENGTH), 0);
    open = ramfile_open(file, FILE_RDWR, "test");
    open->references++;
    ramfile_put(file);
    host_sleep = end_wait;
    for (int vectors = 0; vectors <= 1; vectors++) {
        open->position = 0;
        host_breath = read_meanwhile;
        host_breath_work = breath_left = 0;
        other_got = 1;
        assert_int_equal(vectors ? sys_readv(0, user_address(&vector), 1)
                                 : sys_read(0, user_address(bytes), LENGTH),
                         LENGTH);
        assert_null(host_breath);
        assert_int_equal(other_got, -EINTR);
        assert_int_equal(open->position, LENGTH);
    }
    open->references--;
    file_put(open);
    host_memory_destroy();
}

/* The other thread appends with a file of its own: before all that this one writes, or behind. */
static int append_meanwhile(const char *point, enum thread_hears hears)
{
    struct file *mine = open;

    host_breath = NULL;
    host_thread_be(1);
    open = second;
    other_got = sys_write(0, user_address(other), sizeof(other));
    open = mine;
    host_thread_be(0);
    return 0;
}

static void what_one_call_writes_stays_together(void **state)
{
    const struct {
        uint64_t base, length;
    } vectors[] = {{user_address(bytes), 100}, {user_address(bytes), 100}};

    host_memory_create(RAM_BASE, RAM_SIZE);
    assert_int_equal(frames_init(ram, 1, NULL, 0), 0);
    struct ramfile *file = ramfile_create(0, false);
    open = ramfile_open(file, FILE_RDWR | FILE_APPEND, "one");
    second = ramfile_open(file, FILE_RDWR | FILE_APPEND, "two");
    ramfile_put(file);
    host_sleep = end_wait;
    host_breath = append_meanwhile;
    host_breath_work = breath_left = 0;
    other_got = 1;
    assert_int_equal(sys_writev(0, user_address(vectors), 2), 200);
    assert_null(host_breath);
    assert_int_equal(other_got, -EINTR);
    file_put(open);
    file_put(second);
    host_memory_destroy();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_gets_the_same_bytes),
        cmocka_unit_test(what_one_call_writes_stays_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
