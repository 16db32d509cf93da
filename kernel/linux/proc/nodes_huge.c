/* SPDX-License-Identifier: BSD-2-Clause */
/* The files that tell of the one count of huge pages, and set its limit. */
#include "kernel/file/tree.h"
#include "kernel/lib/digit.h"
#include "kernel/lib/error.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/hugepages.h"
#include "kernel/linux/proc/nodes.h"

#define POOL "sys/kernel/mm/hugepages/hugepages-2048kB/"
#define NODE "sys/devices/system/node/node0/hugepages/hugepages-2048kB/"

static void show(void *context, struct text *out)
{
    text_printf(out, "%lu\n", hugepages((enum hugepages_figure)(uintptr_t)context));
}

/* As on Linux, more than there is room for is no error: reading tells what it became. */
static int store(void *context, tree_show unused, const char *text)
{
    const uint64_t most = UINT32_MAX; /* more than any machine has */
    const char *at = text;
    uint64_t pages = 0;
    for (; digit_value(*at) < 10 && pages <= most; at++)
        pages = 10 * pages + digit_value(*at);
    if (*at || at == text)
        return -EINVAL;
    hugepages_set_limit(pages);
    return 0;
}

/* clang-format off */
#define ROW(is, figure, takes)                                                                     \
    {.names = (is), .show = show, .store = (takes), .data = (void *)(uintptr_t)(figure)}
/* clang-format on */

static const struct tree_text rows[] = {
    ROW(POOL "nr_hugepages " POOL "nr_hugepages_mempolicy " NODE "nr_hugepages "
             "proc/sys/vm/nr_hugepages",
        HUGEPAGES_TOTAL, store),
    ROW(POOL "free_hugepages " NODE "free_hugepages", HUGEPAGES_FREE, NULL),
    ROW(POOL "surplus_hugepages " NODE "surplus_hugepages", HUGEPAGES_SURPLUS, NULL),
    ROW(POOL "resv_hugepages", HUGEPAGES_RESERVED, NULL),
    ROW(POOL "nr_overcommit_hugepages", HUGEPAGES_RESERVED, tree_store_same),
};

int nodes_add_huge(void)
{
    struct frames_stats frames;
    frames_stats(&frames);
    hugepages_set_limit((frames.total >> ORDER_2M) / 2);
    return tree_add_texts("", rows, ARRAY_SIZE(rows), NULL);
}
