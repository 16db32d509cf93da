/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of device files: what each rule copies in, refuses and copies back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/cpu/user.h"
#include "kernel/device/ioctl.h"
#include "kernel/lib/error.h"
#include "kernel/mm/paging/paging.h"
#include "tests/unit/host_user.h"

#define COMMAND 0x3b71
#define FIRM    16u /* bytes of struct growing that every caller has */
#define ANSWER  INT64_C(0x123456789)

struct growing {
    uint32_t size;
    uint32_t flags;
    uint64_t address;
    uint64_t later[2];
};

/* The payload's structure, with room behind it for one that is newer than what is known. */
static union {
    struct growing known;
    uint8_t bytes[2 * USER_STRUCT_MAX];
} theirs;

/* What the handler saw. */
static struct {
    unsigned times;
    struct ioctl_call call;
    struct growing data;
} seen;

static int64_t look(struct ioctl_call *call)
{
    seen.times++;
    seen.call = *call;
    memcpy(&seen.data, call->data, call->row->size);
    return ANSWER;
}

/* Answers with every byte of the structure 0xaa. */
static int64_t reply(struct ioctl_call *call)
{
    memset(call->data, 0xaa, call->row->size);
    return ioctl_reply(call);
}

static int64_t refuse(struct ioctl_call *call)
{
    return -EBUSY;
}

static int setup(void **state)
{
    memset(&seen, 0, sizeof(seen));
    memset(theirs.bytes, 0x55, sizeof(theirs.bytes));
    host_bad_user = host_const_user = (struct phys_run){0};
    return 0;
}

static struct ioctl_row row_of(enum ioctl_rule rule, int64_t (*run)(struct ioctl_call *call))
{
    return (struct ioctl_row){COMMAND, IOCTL_STRUCT(rule, struct growing, address), run};
}

/* A call with a structure of `size` bytes; what lies behind them cannot be reached. */
static int64_t call(const struct ioctl_row *row, uint32_t size)
{
    theirs.known.size = size;
    host_bad_user = (struct phys_run){user_address(&theirs) + size, sizeof(theirs)};
    return ioctl_run(row, &theirs, user_address(&theirs));
}

/* ---- rows ---- */

static void a_call_without_a_row_is_ENOTTY(void **state)
{
    const struct ioctl_row rows[] = {{1, IOCTL_PLAIN, 0, 0, look}, {3, IOCTL_PLAIN, 0, 0, refuse}};

    assert_ptr_equal(ioctl_find(rows, 2, 1), &rows[0]);
    assert_ptr_equal(ioctl_find(rows, 2, 3), &rows[1]);
    assert_null(ioctl_find(rows, 2, 2));
    assert_null(ioctl_find(rows, 1, 3));
    assert_null(ioctl_find(rows, 0, 1));
    assert_int_equal(ioctl_run(NULL, NULL, 0), -ENOTTY);
}

static void the_handler_has_the_last_word(void **state)
{
    const struct ioctl_row row = row_of(IOCTL_ARGSZ, look), busy = row_of(IOCTL_ARGSZ, refuse);

    assert_int_equal(call(&row, FIRM), ANSWER);
    assert_ptr_equal(seen.call.context, &theirs);
    assert_int_equal(seen.call.argument, user_address(&theirs));
    assert_int_equal(call(&busy, FIRM), -EBUSY);
}

/* ---- without a size ---- */

static void a_value_may_be_anything(void **state)
{
    const struct ioctl_row row = {COMMAND, IOCTL_PLAIN, 0, 0, look};

    assert_int_equal(ioctl_run(&row, NULL, UINT64_MAX), ANSWER);
    assert_int_equal(seen.call.argument, UINT64_MAX);
    assert_int_equal(ioctl_run(&row, NULL, 0), ANSWER);
}

static void a_plain_structure_is_read_whole(void **state)
{
    const struct ioctl_row row = {COMMAND, IOCTL_PLAIN, FIRM, FIRM, look};

    assert_int_equal(call(&row, FIRM), ANSWER);
    assert_int_equal(seen.call.size, FIRM);
    assert_memory_equal(&seen.data, &theirs, FIRM);
    assert_int_equal(call(&row, FIRM - 1), -EFAULT);
    assert_int_equal(seen.times, 1);
}

static void a_plain_result_is_not_read(void **state)
{
    const struct ioctl_row row = {COMMAND, IOCTL_PLAIN, FIRM, 0, look};
    const struct ioctl_row answer = {COMMAND, IOCTL_PLAIN, FIRM, 0, reply};

    assert_int_equal(ioctl_run(&row, NULL, 0), ANSWER);
    assert_memory_equal(&seen.data, &(struct growing){0}, FIRM);
    assert_int_equal(ioctl_run(&answer, NULL, 0), -EFAULT);
    assert_int_equal(ioctl_run(&answer, NULL, user_address(&theirs)), 0);
    assert_int_equal(theirs.bytes[FIRM - 1], 0xaa);
    assert_int_equal(theirs.bytes[FIRM], 0x55);
}

/* ---- argsz ---- */

static void argsz_below_the_least_is_EINVAL(void **state)
{
    const struct ioctl_row row = row_of(IOCTL_ARGSZ, look);

    for (uint32_t size = 0; size < FIRM; size++) {
        theirs.known.size = size;
        assert_int_equal(ioctl_run(&row, NULL, user_address(&theirs)), -EINVAL);
    }
    /* But first all that every caller has must be there. */
    assert_int_equal(call(&row, FIRM - 1), -EFAULT);
    assert_int_equal(seen.times, 0);
}

static void argsz_copies_in_what_every_caller_has(void **state)
{
    const struct ioctl_row row = row_of(IOCTL_ARGSZ, look);

    theirs.known.size = sizeof(struct growing) + 1;
    host_bad_user = (struct phys_run){user_address(&theirs) + FIRM, sizeof(theirs)};
    assert_int_equal(ioctl_run(&row, NULL, user_address(&theirs)), ANSWER);
    assert_int_equal(seen.call.size, sizeof(struct growing) + 1);
    assert_memory_equal(&seen.data, &theirs, FIRM);
    assert_int_equal(seen.data.later[0] | seen.data.later[1], 0);
}

static void argsz_ignores_what_is_unknown(void **state)
{
    const struct ioctl_row row = row_of(IOCTL_ARGSZ, look);

    theirs.known.size = UINT32_MAX;
    assert_int_equal(ioctl_run(&row, NULL, user_address(&theirs)), ANSWER);
    assert_int_equal(seen.data.size, UINT32_MAX);
}

/* ---- size ---- */

static void size_is_read_before_all_else(void **state)
{
    const struct ioctl_row row = row_of(IOCTL_SIZE, look);

    assert_int_equal(ioctl_run(&row, NULL, 0), -EFAULT);
    for (uint32_t size = sizeof(uint32_t); size < FIRM; size++)
        assert_int_equal(call(&row, size), -EINVAL);
    theirs.known.size = FIRM;
    host_bad_user = (struct phys_run){user_address(&theirs) + FIRM - 1, 1};
    assert_int_equal(ioctl_run(&row, NULL, user_address(&theirs)), -EFAULT);
    assert_int_equal(seen.times, 0);
}

static void size_counts_what_is_missing_as_zero(void **state)
{
    const struct ioctl_row row = row_of(IOCTL_SIZE, look);

    for (uint32_t size = FIRM; size <= sizeof(struct growing); size++) {
        struct growing expected = {0};

        assert_int_equal(call(&row, size), ANSWER);
        assert_int_equal(seen.call.size, size);
        memcpy(&expected, &theirs, size);
        assert_memory_equal(&seen.data, &expected, sizeof(expected));
    }
}

static void size_lets_only_zeros_be_unknown(void **state)
{
    const struct ioctl_row row = row_of(IOCTL_SIZE, look);
    const size_t known = sizeof(struct growing);

    memset(theirs.bytes + known, 0, sizeof(theirs.bytes) - known);
    assert_int_equal(call(&row, known + 200), ANSWER);
    assert_int_equal(call(&row, USER_STRUCT_MAX), ANSWER);
    assert_int_equal(call(&row, USER_STRUCT_MAX + 1), -E2BIG);
    assert_int_equal(call(&row, UINT32_MAX), -E2BIG);
    for (size_t at = known; at < known + 200; at++) {
        theirs.bytes[at] = 1;
        assert_int_equal(call(&row, at + 1), -E2BIG);
        assert_int_equal(call(&row, at), ANSWER);
        theirs.bytes[at] = 0;
    }
    theirs.known.size = known + 100;
    host_bad_user = (struct phys_run){user_address(&theirs) + known + 99, 1};
    assert_int_equal(ioctl_run(&row, NULL, user_address(&theirs)), -EFAULT);
}

/* ---- copied back ---- */

static void check_reply(enum ioctl_rule rule, uint32_t size, size_t written)
{
    const struct ioctl_row row = row_of(rule, reply);

    memset(theirs.bytes, 0x55, sizeof(theirs.bytes));
    memset(theirs.known.later + 2, 0, 64);
    theirs.known.size = size;
    assert_int_equal(ioctl_run(&row, NULL, user_address(&theirs)), 0);
    for (size_t i = 0; i < sizeof(struct growing) + 64; i++)
        assert_int_equal(theirs.bytes[i] == 0xaa, i < written);
}

static void a_reply_stays_in_the_callers_room(void **state)
{
    static const enum ioctl_rule rules[] = {IOCTL_ARGSZ, IOCTL_SIZE};

    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        for (uint32_t size = FIRM; size <= sizeof(struct growing); size++)
            check_reply(rules[i], size, size);
        check_reply(rules[i], sizeof(struct growing) + 32, sizeof(struct growing));
    }
}

static void a_reply_that_cannot_be_stored_is_EFAULT(void **state)
{
    const struct ioctl_row row = row_of(IOCTL_ARGSZ, reply);

    theirs.known.size = FIRM;
    host_const_user = (struct phys_run){user_address(&theirs), sizeof(theirs)};
    assert_int_equal(ioctl_run(&row, NULL, user_address(&theirs)), -EFAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_call_without_a_row_is_ENOTTY, setup),
        cmocka_unit_test_setup(the_handler_has_the_last_word, setup),
        cmocka_unit_test_setup(a_value_may_be_anything, setup),
        cmocka_unit_test_setup(a_plain_structure_is_read_whole, setup),
        cmocka_unit_test_setup(a_plain_result_is_not_read, setup),
        cmocka_unit_test_setup(argsz_below_the_least_is_EINVAL, setup),
        cmocka_unit_test_setup(argsz_copies_in_what_every_caller_has, setup),
        cmocka_unit_test_setup(argsz_ignores_what_is_unknown, setup),
        cmocka_unit_test_setup(size_is_read_before_all_else, setup),
        cmocka_unit_test_setup(size_counts_what_is_missing_as_zero, setup),
        cmocka_unit_test_setup(size_lets_only_zeros_be_unknown, setup),
        cmocka_unit_test_setup(a_reply_stays_in_the_callers_room, setup),
        cmocka_unit_test_setup(a_reply_that_cannot_be_stored_is_EFAULT, setup),
    };

    return cmocka_run_group_tests_name("ioctl", tests, NULL, NULL);
}
