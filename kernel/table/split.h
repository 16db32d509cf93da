/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Splitting of large leaves, for formats whose walkers take a table of the same translations in
 * place of a leaf in use. Those of devices are no such tables: a translation of each size may be
 * cached at a time there, and an unmap could fail. So they are of another type, and splitting one
 * does not compile.
 */
#ifndef KERNEL_TABLE_SPLIT_H
#define KERNEL_TABLE_SPLIT_H

#include "kernel/table/page_table.h"

struct splittable {
    struct page_table pages;
};

/*
 * Splits the leaf that `at` lies inside of, so that none crosses `at`. The caller invalidates that
 * address. -ENOMEM: the same is mapped, in leaves as large or smaller.
 */
int page_table_cut(struct splittable *table, uint64_t at);

#endif
