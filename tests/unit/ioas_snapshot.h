/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Failure of every single step, and an end at every breath: an operation is run again and again,
 * each time with the next of its allocations, pins and table steps failing, until one run meets no
 * failure. After each failure everything that the operation may have touched is compared with a
 * picture taken before it.
 */
#ifndef TESTS_UNIT_IOAS_SNAPSHOT_H
#define TESTS_UNIT_IOAS_SNAPSHOT_H

#include "kernel/ioas/ioas.h"

/*
 * Translations of every page table, who goes through which, table pages, pins of every frame, heap,
 * references to the source, and of each space: areas with their pages, page tables, charge, usable
 * and allowed ranges, options. A text with one line for each; free() it.
 */
char *snapshot_take(struct ioas *const *spaces, size_t count);
/* Aborts and shows the first line that differs. Frees both. */
void snapshot_compare(const char *name, uint64_t step, char *before, char *after);

/*
 * Runs the operation as described above: it must answer -ENOMEM for every failure and 0 (or more)
 * in the end. Returns how many steps there were to fail.
 */
uint64_t every_step_fails(const char *name, int64_t (*run)(void), char *(*snapshot)(void));
/*
 * The same with an end of the thread that is heard at the first, the second... breath, and at all
 * that follow it: -EINTR. Returns how many breaths can hear it.
 */
uint64_t every_breath_ends(const char *name, int64_t (*run)(void), char *(*snapshot)(void));

#endif
