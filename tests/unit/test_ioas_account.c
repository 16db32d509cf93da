/* SPDX-License-Identifier: BSD-2-Clause */
/* What an account of pinned memory allows, and what is told when it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/ioas/ioas.h"
#include "kernel/lib/log.h"

#define MINUTE UINT64_C(60000000000)

static char said[1024];
static uint64_t now;

static void listen(const char *text, size_t length)
{
    strncat(said, text, MIN(length, sizeof(said) - 1 - strlen(said)));
}

static struct log_sink sink = {.write = listen};

static uint64_t clock_ns(void)
{
    return now;
}

/* To the last byte; and nothing more is always allowed, unless too much is in use already. */
static void up_to_its_limit(void **state)
{
    struct ioas_account account = {.used = 3, .limit = 10};

    assert_true(ioas_account_allows(&account, 7));
    assert_false(ioas_account_allows(&account, 8));
    account.used = 10;
    assert_true(ioas_account_allows(&account, 0));
    assert_false(ioas_account_allows(&account, 1));
    account.limit = 9;
    assert_false(ioas_account_allows(&account, 0));
    assert_false(ioas_account_allows(&account, 1));
}

/* Nothing allowed is told of; of refusals the first in a minute is, and how many there were more.
 */
static void a_refusal_is_told_once_a_minute(void **state)
{
    struct ioas_account account = {.used = 4096, .limit = 8192};

    now = 7 * MINUTE;
    said[0] = '\0';
    assert_true(ioas_account_allows(&account, 4096));
    assert_string_equal(said, "");
    assert_false(ioas_account_allows(&account, 4097));
    assert_non_null(strstr(said, "4097 more bytes cannot be pinned or locked: 4096 are, and the "
                                 "limit is 8192"));
    assert_null(strstr(said, "more times"));
    said[0] = '\0';
    now += MINUTE - 1;
    assert_false(ioas_account_allows(&account, 4097));
    assert_false(ioas_account_allows(&account, 4098));
    assert_string_equal(said, "");
    now++;
    assert_false(ioas_account_allows(&account, 4099));
    assert_non_null(strstr(said, "4099 more bytes"));
    assert_non_null(strstr(said, "refused 2 more times"));
    said[0] = '\0';
    now += MINUTE;
    assert_false(ioas_account_allows(&account, 4100));
    assert_non_null(strstr(said, "4100 more bytes"));
    assert_null(strstr(said, "more times"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_is_told_once_a_minute),
        cmocka_unit_test(up_to_its_limit),
    };

    log_add_sink(&sink);
    log_set_clock(clock_ns);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
