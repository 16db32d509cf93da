/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A conformance program is a table of named cases. Each prints `ok NAME` or `FAIL NAME: why`, the
 * program ends with `N passed, N failed` and exits 0 only if something passed and nothing failed.
 * Command line: the device's address, then the names of the cases to run (none: all); a name that
 * no case has is a failure. The same sources build for Linux.
 */
#ifndef TESTS_CONFORM_H
#define TESTS_CONFORM_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct conform_case {
    const char *name;
    void (*run)(void);
};

/* One for all sources of a program. */
__attribute__((weak)) char conform_why[200];

/* Notes the first thing that was wrong in the running case. */
#define CONFORM_FAIL(...)                                                                          \
    do {                                                                                           \
        if (conform_why[0] == '\0')                                                                \
            snprintf(conform_why, sizeof(conform_why), __VA_ARGS__);                               \
    } while (0)

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            CONFORM_FAIL("line %d: not true: %s", __LINE__, #condition);                           \
            return;                                                                                \
        }                                                                                          \
    } while (0)

#define CHECK_EQUAL(actual, expected)                                                              \
    do {                                                                                           \
        long long a_ = (long long)(actual), e_ = (long long)(expected);                            \
        if (a_ != e_) {                                                                            \
            CONFORM_FAIL("line %d: %s is %lld, not %lld", __LINE__, #actual, a_, e_);              \
            return;                                                                                \
        }                                                                                          \
    } while (0)

/* The call succeeds. */
#define CHECK_OK(call)                                                                             \
    do {                                                                                           \
        if ((call) < 0) {                                                                          \
            CONFORM_FAIL("line %d: %s: %s", __LINE__, #call, strerror(errno));                     \
            return;                                                                                \
        }                                                                                          \
    } while (0)

/* The call fails with one error (or, for Linux versions that differ, another). */
#define CHECK_ERROR2(call, error, other)                                                           \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long long r_ = (long long)(call);                                                          \
        if (r_ != -1 || (errno != (error) && errno != (other))) {                                  \
            CONFORM_FAIL("line %d: %s gives %lld, %s; wanted %s", __LINE__, #call, r_,             \
                         strerror(errno), #error);                                                 \
            return;                                                                                \
        }                                                                                          \
    } while (0)
#define CHECK_ERROR(call, error) CHECK_ERROR2(call, error, error)

/* What Linux, or a version of it, answers otherwise than the product. Tests of this want none. */
#define NOTE_LINUX(...)                                                                            \
    do {                                                                                           \
        printf("as Linux: ");                                                                      \
        printf(__VA_ARGS__);                                                                       \
        printf("\n");                                                                              \
    } while (0)

struct conform_result {
    unsigned passed, failed;
    unsigned long long found; /* bit i: argv[i] is the name of a case */
};

static bool conform_selected(const char *name, int argc, char **argv, struct conform_result *result)
{
    bool selected = argc <= 2;

    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], name) == 0) {
            result->found |= 1ull << i % 64;
            selected = true;
        }
    }
    return selected;
}

static void conform_run_case(const struct conform_case *one, void (*after)(void),
                             struct conform_result *result)
{
    conform_why[0] = '\0';
    one->run();
    if (after)
        after();
    if (conform_why[0] == '\0') {
        printf("ok %s\n", one->name);
        result->passed++;
    } else {
        printf("FAIL %s: %s\n", one->name, conform_why);
        result->failed++;
    }
}

static int conform_end(struct conform_result *result, int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        if (!(result->found >> i % 64 & 1)) {
            printf("FAIL %s: no such case\n", argv[i]);
            result->failed++;
        }
    }
    printf("%u passed, %u failed\n", result->passed, result->failed);
    return result->failed != 0 || result->passed == 0;
}

/* Runs the cases; `after`, if given, cleans up behind each one. Returns the exit status. */
static inline int conform_run(const struct conform_case *cases, size_t count, void (*after)(void),
                              int argc, char **argv)
{
    struct conform_result result = {0, 0, 0};

    for (size_t i = 0; i < count; i++)
        if (conform_selected(cases[i].name, argc, argv, &result))
            conform_run_case(&cases[i], after, &result);
    return conform_end(&result, argc, argv);
}

/* Versions of clang-format differ in these. */
/* clang-format off */
/* One entry of a table of cases. */
#define CASE(name) {#name, name}
/* Ends a table that another source runs with conform_run_tables(). */
#define LAST_CASE {NULL, NULL}
/* clang-format on */

/* As conform_run(), for the tables of several sources. */
static inline int conform_run_tables(const struct conform_case *const *tables, size_t count,
                                     void (*after)(void), int argc, char **argv)
{
    struct conform_result result = {0, 0, 0};

    for (size_t i = 0; i < count; i++)
        for (const struct conform_case *one = tables[i]; one->name; one++)
            if (conform_selected(one->name, argc, argv, &result))
                conform_run_case(one, after, &result);
    return conform_end(&result, argc, argv);
}

#endif
