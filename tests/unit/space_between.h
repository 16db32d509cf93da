/* SPDX-License-Identifier: BSD-2-Clause */
/* A change of the address space at whose breaths another thread does something. */
#ifndef TESTS_UNIT_SPACE_BETWEEN_H
#define TESTS_UNIT_SPACE_BETWEEN_H

#include "tests/unit/space_fixture.h"

/* What the other thread does at a breath, once it is its turn; not while it breathes itself. */
static void (*other_does)(enum thread_hears hears);
static struct memobj *shared_with;

static inline int other_thread(const char *point, enum thread_hears hears)
{
    void (*does)(enum thread_hears hears) = other_does;

    if (!does)
        return 0;
    other_does = NULL;
    host_thread_be(1);
    does(hears);
    host_thread_be(0);
    return 0;
}

static inline void begin_between(int (*breath)(const char *, enum thread_hears),
                                 void (*does)(enum thread_hears))
{
    other_does = does;
    host_breath = breath;
    host_breath_work = breath_left = 0;
    assert_int_equal(space_lock(space), 0);
}

static inline void end_between(void)
{
    space_unlock(space);
    host_breath = NULL;
    host_breath_work = breath_left = BREATH_WORK;
}

#endif
