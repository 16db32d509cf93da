/* SPDX-License-Identifier: BSD-2-Clause */
/* Open files, descriptors, eventfd, pipes, timerfd and poll. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/cpu/time.h"
#include "kernel/file/eventfd.h"
#include "kernel/file/fdtable.h"
#include "kernel/file/pipe.h"
#include "kernel/file/poll.h"
#include "kernel/file/timerfd.h"
#include "kernel/mm/heap.h"
#include "tests/unit/eventfd_take.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_thread.h"
#include "tests/unit/host_user.h"

static unsigned released;

static void count_release(struct file *file)
{
    released++;
}

static const struct file_ops plain_ops = {.release = count_release};

static struct file *plain(void)
{
    struct file *file = file_create(&plain_ops, NULL, FILE_RDWR | FILE_CLOEXEC, "plain");
    assert_non_null(file);
    return file;
}

static int setup(void **state)
{
    host_fail_nth(0);
    host_sleep = NULL;
    host_bad_user = (struct phys_run){0};
    released = 0;
    fd_table_init();
    return 0;
}

static int teardown(void **state)
{
    host_fail_nth(0);
    fd_close_all();
    assert_int_equal(heap_used(), 0);
    return 0;
}

static int64_t read_into(struct file *file, void *to, size_t length)
{
    uint64_t position = 0;
    return file->ops->read(file, user_address(to), length, &position);
}

static int64_t write_from(struct file *file, const void *from, size_t length)
{
    uint64_t position = 0;
    return file->ops->write(file, user_address(from), length, &position);
}

/* ---- references ---- */

static void gone(struct file_watch *watch)
{
    list_remove(&watch->link);
    released += 100;
}

static void last_reference_releases(void **state)
{
    struct file *file = plain();
    struct file_watch watch = {.gone = gone};
    assert_false(file->flags & FILE_CLOEXEC); /* belongs to the descriptor */
    list_push_back(&file->watches, &watch.link);
    file_get(file);
    file_put(file);
    assert_int_equal(released, 0);
    file_put(file);
    assert_int_equal(released, 101);
    file_put(NULL);
}

static void access_modes_say_what_may_be_done(void **state)
{
    struct file *file = plain();
    const struct {
        unsigned flags;
        bool readable, writable;
    } rows[] = {
        {FILE_RDONLY, true, false},
        {FILE_WRONLY, false, true},
        {FILE_RDWR, true, true},
        {FILE_ACCMODE, false, false}, /* for ioctl alone */
        {FILE_RDWR | FILE_PATH, false, false},
        {FILE_PATH, false, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        file->flags = rows[i].flags;
        assert_int_equal(file_readable(file), rows[i].readable);
        assert_int_equal(file_writable(file), rows[i].writable);
    }
    file_put(file);
}

static void a_position_is_never_negative_nor_too_large(void **state)
{
    struct file *file = plain();
    assert_int_equal(file_seek(file, 5, 0, 100), 5);
    assert_int_equal(file_seek(file, -2, 1, 100), 3);
    assert_int_equal(file_seek(file, 10, 2, 100), 110);
    assert_int_equal(file_seek(file, -111, 1, 100), -EINVAL);
    assert_int_equal(file->position, 110);
    assert_int_equal(file_seek(file, 0, 3, 100), -EINVAL);
    assert_int_equal(file_seek(file, 0, 2, UINT64_MAX), -EINVAL);
    assert_int_equal(file_seek(file, INT64_MAX, 1, 100), -EOVERFLOW);
    file_put(file);
}

/* ---- descriptors ---- */

static void lowest_descriptor_first(void **state)
{
    for (int fd = 0; fd < 5; fd++)
        assert_int_equal(fd_install(plain(), false), fd);
    assert_int_equal(fd_close(1), 0);
    assert_int_equal(fd_close(3), 0);
    assert_int_equal(fd_close(3), -EBADF);
    assert_int_equal(released, 2);
    assert_int_equal(fd_install_from(2, plain(), true), 3);
    assert_int_equal(fd_install(plain(), false), 1);
    assert_int_equal(fd_install(plain(), false), 5);
    assert_int_equal(fd_close_on_exec(3), 1);
    assert_int_equal(fd_close_on_exec(1), 0);
    assert_int_equal(fd_set_close_on_exec(9, true), -EBADF);
    assert_null(fd_get(6));
    assert_null(fd_get(-1));
    assert_null(fd_get(INT32_MAX));
}

static void descriptors_end_at_the_limit(void **state)
{
    struct file *file = plain();
    fd_set_limit(3);
    for (int fd = 0; fd < 3; fd++)
        assert_int_equal(fd_install(plain(), false), fd);
    assert_int_equal(fd_install(file_get(file), false), -EMFILE);
    assert_int_equal(fd_install_from(3, file_get(file), false), -EINVAL);
    assert_int_equal(fd_install_from(-1, file_get(file), false), -EINVAL);
    assert_int_equal(fd_replace(3, file_get(file), false), -EBADF);
    assert_int_equal(fd_replace(-1, file_get(file), false), -EBADF);
    fd_set_limit(0);
    assert_int_equal(fd_install(file_get(file), false), -EMFILE);
    assert_int_equal(file->references, 1); /* each took its reference over */
    fd_set_limit(UINT32_MAX);
    assert_int_equal(fd_limit(), FD_LIMIT_MAX);
    assert_int_equal(fd_install_from(FD_LIMIT_MAX - 1, file, false), FD_LIMIT_MAX - 1);
    assert_int_equal(released, 0);
}

static void replace_closes_what_was_there(void **state)
{
    struct file *file = plain();
    assert_int_equal(fd_install(plain(), false), 0);
    assert_int_equal(fd_replace(0, file, true), 0);
    assert_int_equal(released, 1);
    assert_int_equal(fd_replace(200, file_get(file), false), 200); /* beyond the first array */
    assert_int_equal(fd_install(plain(), false), 1);
    fd_close_range(1, 150, true);
    assert_int_equal(fd_close_on_exec(1), 1);
    assert_int_equal(fd_close_on_exec(200), 0);
    fd_close_range(0, UINT32_MAX, false);
    assert_int_equal(released, 3);
}

static void no_memory_for_descriptors(void **state)
{
    struct file *file = plain();
    host_fail_nth(1);
    assert_int_equal(fd_install(file_get(file), false), -ENOMEM);
    assert_int_equal(fd_install(NULL, false), -ENOMEM);
    assert_int_equal(fd_install(file, false), 0);
    host_fail_nth(1);
    assert_int_equal(fd_install_from(100, file_get(file), false), -ENOMEM);
    assert_int_equal(released, 0);
    assert_int_equal(fd_close(0), 0);
    assert_int_equal(released, 1);
}

/* ---- eventfd ---- */

static struct file *sleeper; /* what the "other thread" signals */

static int other_signals(const char *point, uint64_t deadline_ns)
{
    eventfd_signal(sleeper, 3);
    return 0;
}

static int other_reads(const char *point, uint64_t deadline_ns)
{
    eventfd_take(sleeper);
    return 0;
}

static int interrupted(const char *point, uint64_t deadline_ns)
{
    return -EINTR;
}

static void an_eventfd_counts(void **state)
{
    uint64_t value = 0;
    struct file *file = eventfd_create(2, FILE_NONBLOCK);
    assert_int_equal(read_into(file, &value, 7), -EINVAL);
    assert_int_equal(read_into(file, &value, 8), 8);
    assert_int_equal(value, 2);
    assert_int_equal(read_into(file, &value, 8), -EAGAIN);
    assert_int_equal(file_poll(file), POLL_OUT);
    value = UINT64_MAX;
    assert_int_equal(write_from(file, &value, 8), -EINVAL);
    value = UINT64_MAX - 1;
    assert_int_equal(write_from(file, &value, 8), 8);
    assert_int_equal(file_poll(file), POLL_IN);
    value = 1;
    assert_int_equal(write_from(file, &value, 8), -EAGAIN);
    value = 0;
    assert_int_equal(write_from(file, &value, 8), 8);
    eventfd_signal(file, 1);
    eventfd_signal(file, UINT64_MAX); /* saturates, never wraps */
    assert_int_equal(file_poll(file), POLL_IN | POLL_ERR);
    assert_int_equal(eventfd_take(file), UINT64_MAX);
    assert_int_equal(eventfd_take(file), 0);
    file_put(file);
}

static void a_semaphore_gives_one_at_a_time(void **state)
{
    uint64_t value = 0;
    struct file *file = eventfd_create(2, FILE_NONBLOCK | 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(read_into(file, &value, 8), 8);
        assert_int_equal(value, 1);
    }
    assert_int_equal(read_into(file, &value, 8), -EAGAIN);
    file_put(file);
}

static void an_eventfd_sleeps_until_it_can_go_on(void **state)
{
    uint64_t value = 0;
    sleeper = eventfd_create(0, 0);
    host_sleep = other_signals;
    assert_int_equal(read_into(sleeper, &value, 8), 8);
    assert_int_equal(value, 3);
    host_sleep = interrupted;
    assert_int_equal(read_into(sleeper, &value, 8), -EINTR);
    assert_true(list_empty(&sleeper->changed.waiters));
    eventfd_signal(sleeper, UINT64_MAX - 2);
    host_sleep = other_reads;
    value = 10;
    assert_int_equal(write_from(sleeper, &value, 8), 8);
    assert_int_equal(eventfd_take(sleeper), 10);
    file_put(sleeper);
}

static void eventfd_bad_memory_loses_nothing(void **state)
{
    uint64_t position = 0;
    struct file *file = eventfd_create(5, 0);
    assert_int_equal(file->ops->read(file, 8, 8, &position), -EFAULT);
    assert_int_equal(file->ops->write(file, 8, 8, &position), -EFAULT);
    assert_int_equal(eventfd_take(file), 5);
    file_put(file);
    for (uint64_t n = 1; n <= 2; n++) {
        host_fail_nth(n);
        assert_null(eventfd_create(0, 0));
    }
}

/* ---- listeners of an eventfd ---- */

struct ear {
    struct eventfd_listener listener;
    unsigned heard;
    bool once;
};

static void ear_heard(struct eventfd_listener *listener)
{
    struct ear *ear = container_of(listener, struct ear, listener);

    ear->heard++;
    if (ear->once)
        eventfd_unlisten(listener);
}

static void listeners_hear_writes_and_signals_and_take_the_counter(void **state)
{
    struct ear first = {.listener.heard = ear_heard}, second = {.listener.heard = ear_heard};
    struct file *file = eventfd_create(3, FILE_NONBLOCK);
    uint64_t value = 5;

    assert_int_equal(eventfd_listen(&first.listener, file), 0);
    assert_int_equal(first.heard, 1); /* what was there already */
    assert_int_equal(eventfd_take(file), 0);
    assert_int_equal(eventfd_listen(&second.listener, file), 0);
    assert_int_equal(second.heard, 0);
    assert_int_equal(write_from(file, &value, 8), 8);
    eventfd_signal(file, UINT64_MAX);
    assert_int_equal(first.heard, 3);
    assert_int_equal(second.heard, 2);
    assert_int_equal(file_poll(file), POLL_OUT);
    value = 0; /* makes nothing readable */
    assert_int_equal(write_from(file, &value, 8), 8);
    assert_int_equal(first.heard, 3);
    eventfd_unlisten(&first.listener);
    eventfd_unlisten(&first.listener);
    eventfd_signal(file, 1);
    assert_int_equal(first.heard, 3);
    assert_int_equal(second.heard, 3);
    eventfd_unlisten(&second.listener);
    eventfd_signal(file, 4);
    assert_int_equal(eventfd_take(file), 4);
    file_put(file);
}

/* The eventfd outlives its descriptor, and a listener may end itself in the middle. */
static void a_listener_holds_its_eventfd_and_can_end_itself(void **state)
{
    struct ear brief = {.listener.heard = ear_heard, .once = true};
    struct ear other = {.listener.heard = ear_heard};
    struct file *file = eventfd_create(0, FILE_NONBLOCK | 1);

    assert_int_equal(eventfd_listen(&brief.listener, file), 0);
    assert_int_equal(eventfd_listen(&other.listener, file), 0);
    eventfd_signal(file, 3);
    assert_int_equal(brief.heard, 1);
    assert_int_equal(other.heard, 1);
    assert_int_equal(eventfd_take(file), 1); /* a semaphore gives one for each call of all */
    assert_null(brief.listener.file);
    file_put(file);
    eventfd_signal(other.listener.file, 1);
    assert_int_equal(brief.heard, 1);
    assert_int_equal(other.heard, 2);
    eventfd_unlisten(&other.listener);
}

/* Who waits for room in the counter goes on when a listener has emptied it. */
static struct ear late;

static int other_listens(const char *point, uint64_t deadline_ns)
{
    assert_int_equal(eventfd_listen(&late.listener, sleeper), 0);
    return 0;
}

static void a_writer_goes_on_when_a_listener_made_room(void **state)
{
    uint64_t value = 10;

    late = (struct ear){.listener.heard = ear_heard};
    sleeper = eventfd_create(UINT64_MAX - 2, 0);
    host_sleep = other_listens;
    assert_int_equal(write_from(sleeper, &value, 8), 8);
    assert_int_equal(late.heard, 2);
    eventfd_unlisten(&late.listener);
    file_put(sleeper);
}

static void the_listeners_of_one_eventfd_have_a_bound(void **state)
{
    struct ear ears[EVENTFD_LISTENERS_MAX + 1];
    struct file *file = eventfd_create(0, FILE_NONBLOCK);

    for (unsigned i = 0; i < ARRAY_SIZE(ears); i++) {
        ears[i] = (struct ear){.listener.heard = ear_heard};
        assert_int_equal(eventfd_listen(&ears[i].listener, file),
                         i < EVENTFD_LISTENERS_MAX ? 0 : -ENOSPC);
    }
    eventfd_unlisten(&ears[3].listener);
    assert_int_equal(eventfd_listen(&ears[EVENTFD_LISTENERS_MAX].listener, file), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(ears); i++)
        eventfd_unlisten(&ears[i].listener);
    file_put(file);
}

static void an_eventfd_is_got_by_its_descriptor_alone(void **state)
{
    struct file *event = eventfd_create(0, 0), *other_kind = plain(), *out;
    int fd = fd_install(event, false), other = fd_install(other_kind, false);

    assert_int_equal(eventfd_get(fd, &out), 0);
    assert_ptr_equal(out, event);
    file_put(out);
    assert_int_equal(eventfd_get(other, &out), -EINVAL);
    assert_null(out);
    assert_int_equal(eventfd_get(-1, &out), -EBADF);
    assert_int_equal(eventfd_get(fd + 100, &out), -EBADF);
    assert_int_equal(fd_close(fd), 0);
    assert_int_equal(fd_close(other), 0);
}

/* ---- pipes ---- */

static struct file *reader, *writer;
static uint8_t drained[PIPE_CAPACITY];
static size_t drained_length;

static int other_drains(const char *point, uint64_t deadline_ns)
{
    int64_t n = read_into(reader, drained, sizeof(drained));
    assert_true(n > 0);
    drained_length += (size_t)n;
    return 0;
}

static int other_closes_reader(const char *point, uint64_t deadline_ns)
{
    file_put(reader);
    return 0;
}

static int other_closes_writer(const char *point, uint64_t deadline_ns)
{
    file_put(writer);
    return 0;
}

static void pipe_passes_bytes(void **state)
{
    char text[16] = {0};
    assert_int_equal(pipe_create(FILE_NONBLOCK, &reader, &writer), 0);
    assert_true(file_is_pipe(reader) && file_is_pipe(writer));
    assert_int_equal(read_into(reader, text, 4), -EAGAIN);
    assert_int_equal(file_poll(reader), 0);
    assert_int_equal(write_from(writer, "hello", 5), 5);
    assert_int_equal(file_poll(reader), POLL_IN);
    assert_int_equal(read_into(reader, text, sizeof(text)), 5);
    assert_string_equal(text, "hello");
    assert_int_equal(read_into(reader, text, 0), 0);
    file_put(writer);
    assert_int_equal(file_poll(reader), POLL_HUP);
    assert_int_equal(read_into(reader, text, 4), 0);
    file_put(reader);
}

static void pipe_wraps_and_fills(void **state)
{
    static uint8_t in[PIPE_CAPACITY], out[PIPE_CAPACITY];
    uint8_t next_in = 0, next_out = 0;
    assert_int_equal(pipe_create(FILE_NONBLOCK, &reader, &writer), 0);
    for (unsigned round = 0; round < 50; round++) {
        size_t length = 1 + round * 1301 % 50000;
        for (size_t i = 0; i < length; i++)
            in[i] = next_in++;
        assert_int_equal(write_from(writer, in, length), length);
        assert_int_equal(read_into(reader, out, sizeof(out)), length);
        for (size_t i = 0; i < length; i++)
            assert_int_equal(out[i], next_out++);
    }
    assert_int_equal(write_from(writer, in, sizeof(in)), sizeof(in));
    assert_int_equal(write_from(writer, in, 1), -EAGAIN);
    assert_int_equal(file_poll(writer), 0);
    assert_int_equal(read_into(reader, out, 100), 100);
    assert_int_equal(write_from(writer, in, 200), -EAGAIN); /* small writes are whole or nothing */
    assert_int_equal(write_from(writer, in, 5000), 100);    /* large ones may be short */
    file_put(reader);
    assert_int_equal(file_poll(writer), POLL_OUT | POLL_ERR);
    assert_int_equal(write_from(writer, in, 1), -EPIPE);
    file_put(writer);
}

static void a_pipe_sleeps_until_it_can_go_on(void **state)
{
    static uint8_t big[3 * PIPE_CAPACITY];
    assert_int_equal(pipe_create(0, &reader, &writer), 0);
    drained_length = 0;
    host_sleep = other_drains;
    assert_int_equal(write_from(writer, big, sizeof(big)), sizeof(big));
    assert_int_equal(drained_length, 2 * PIPE_CAPACITY);
    host_sleep = other_closes_reader;
    assert_int_equal(write_from(writer, big, 100), -EPIPE);
    file_put(writer);

    assert_int_equal(pipe_create(0, &reader, &writer), 0);
    host_sleep = other_closes_writer;
    assert_int_equal(read_into(reader, big, 10), 0);
    file_put(reader);
    for (uint64_t n = 1; n <= 3; n++) {
        host_fail_nth(n);
        assert_int_equal(pipe_create(0, &reader, &writer), -ENOMEM);
    }
}

static void pipe_bad_memory_loses_nothing(void **state)
{
    uint64_t position = 0;
    char text[8] = {0};
    assert_int_equal(pipe_create(FILE_NONBLOCK, &reader, &writer), 0);
    assert_int_equal(write_from(writer, "abc", 3), 3);
    assert_int_equal(writer->ops->write(writer, 8, 3, &position), -EFAULT);
    assert_int_equal(reader->ops->read(reader, 8, 3, &position), -EFAULT);
    assert_int_equal(read_into(reader, text, 8), 3);
    assert_string_equal(text, "abc");
    file_put(reader);
    file_put(writer);
}

/* ---- timerfd ---- */

static void timerfd_counts_expirations(void **state)
{
    uint64_t value = 0;
    struct timerfd_setting setting;
    struct file *file = timerfd_create(1, FILE_NONBLOCK);
    assert_true(file_is_timerfd(file));
    assert_int_equal(read_into(file, &value, 8), -EAGAIN);
    timerfd_set(file, host_now_ns + 100, 10);
    timerfd_get(file, &setting);
    assert_int_equal(setting.value_ns, 100);
    assert_int_equal(setting.interval_ns, 10);
    host_time_to(host_now_ns + 99);
    assert_int_equal(file_poll(file), 0);
    host_time_to(host_now_ns + 1);
    assert_int_equal(file_poll(file), POLL_IN);
    host_time_to(host_now_ns + 25);
    assert_int_equal(read_into(file, &value, 7), -EINVAL);
    assert_int_equal(read_into(file, &value, 8), 8);
    assert_int_equal(value, 3);
    timerfd_get(file, &setting);
    assert_int_equal(setting.value_ns, 5);
    timerfd_set(file, 0, 0);
    host_time_to(host_now_ns + 1000);
    assert_int_equal(read_into(file, &value, 8), -EAGAIN);
    file_put(file);
}

static int time_passes(const char *point, uint64_t deadline_ns)
{
    host_time_to(host_now_ns + 60);
    return 0;
}

static void a_timerfd_sleeps_until_it_fires(void **state)
{
    uint64_t value = 0;
    struct file *file = timerfd_create(0, 0);
    timerfd_set(file, host_now_ns + 100, 0);
    host_sleep = time_passes;
    host_wakes = 0;
    assert_int_equal(read_into(file, &value, 8), 8);
    assert_int_equal(value, 1);
    assert_int_equal(host_wakes, 1);
    assert_int_equal(file_poll(file), 0); /* once only */
    timerfd_set(file, TIME_NEVER, TIME_NEVER);
    file_put(file); /* the timer must not fire into freed memory */
    host_time_to(TIME_NEVER - 1);
    host_now_ns = NS_PER_S;
    for (uint64_t n = 1; n <= 2; n++) {
        host_fail_nth(n);
        assert_null(timerfd_create(0, 0));
    }
}

/* ---- poll ---- */

static void poll_finds_and_waits(void **state)
{
    struct poll_entry entries[3] = {
        {.file = eventfd_create(0, 0), .events = POLL_IN},
        {.file = eventfd_create(0, 0), .events = POLL_IN | POLL_OUT | POLL_WRNORM},
        {.file = NULL, .ready = 0},
    };
    assert_int_equal(poll_entries(entries, 3, 0), 1);
    assert_int_equal(entries[1].ready, POLL_OUT | POLL_WRNORM);
    entries[1].events = POLL_IN;
    assert_int_equal(poll_entries(entries, 3, 0), 0);
    uint64_t before = host_now_ns;
    assert_int_equal(poll_entries(entries, 3, before + 50), 0);
    assert_int_equal(host_now_ns, before + 50);
    sleeper = entries[0].file;
    host_sleep = other_signals;
    assert_int_equal(poll_entries(entries, 3, TIME_NEVER), 1);
    assert_int_equal(entries[0].ready, POLL_IN);
    eventfd_take(sleeper);
    host_sleep = interrupted;
    assert_int_equal(poll_entries(entries, 3, TIME_NEVER), -EINTR);
    assert_true(list_empty(&sleeper->changed.waiters));
    entries[2].ready = POLL_NVAL;
    assert_int_equal(poll_entries(entries, 3, TIME_NEVER), 1);
    file_put(entries[0].file);
    file_put(entries[1].file);
}

/* However often a file is among the entries, there is one thread to wake. */
static void poll_waits_once_for_a_file(void **state)
{
    struct file *a = eventfd_create(0, 0), *b = eventfd_create(0, 0);
    struct poll_entry entries[] = {
        {.file = a, .events = POLL_IN},
        {.file = b, .events = POLL_IN},
        {.file = a, .events = POLL_IN},
        {.file = a, .events = POLL_IN},
    };
    sleeper = a;
    host_sleep = other_signals;
    host_wakes = 0;
    assert_int_equal(poll_entries(entries, 4, TIME_NEVER), 3);
    assert_int_equal(host_wakes, 1);
    assert_true(list_empty(&a->changed.waiters));
    assert_true(list_empty(&b->changed.waiters));
    file_put(a);
    file_put(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(last_reference_releases, setup, teardown),
        cmocka_unit_test_setup_teardown(access_modes_say_what_may_be_done, setup, teardown),
        cmocka_unit_test_setup_teardown(a_position_is_never_negative_nor_too_large, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(lowest_descriptor_first, setup, teardown),
        cmocka_unit_test_setup_teardown(descriptors_end_at_the_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(replace_closes_what_was_there, setup, teardown),
        cmocka_unit_test_setup_teardown(no_memory_for_descriptors, setup, teardown),
        cmocka_unit_test_setup_teardown(an_eventfd_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(a_semaphore_gives_one_at_a_time, setup, teardown),
        cmocka_unit_test_setup_teardown(an_eventfd_sleeps_until_it_can_go_on, setup, teardown),
        cmocka_unit_test_setup_teardown(eventfd_bad_memory_loses_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(listeners_hear_writes_and_signals_and_take_the_counter,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_listener_holds_its_eventfd_and_can_end_itself, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_writer_goes_on_when_a_listener_made_room, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_listeners_of_one_eventfd_have_a_bound, setup, teardown),
        cmocka_unit_test_setup_teardown(an_eventfd_is_got_by_its_descriptor_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(pipe_passes_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(pipe_wraps_and_fills, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pipe_sleeps_until_it_can_go_on, setup, teardown),
        cmocka_unit_test_setup_teardown(pipe_bad_memory_loses_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(timerfd_counts_expirations, setup, teardown),
        cmocka_unit_test_setup_teardown(a_timerfd_sleeps_until_it_fires, setup, teardown),
        cmocka_unit_test_setup_teardown(poll_finds_and_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(poll_waits_once_for_a_file, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
