/* SPDX-License-Identifier: BSD-2-Clause */
/* The files that tell of the one count of huge pages. */
#include "kernel/file/tree.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/hugepages.h"
#include "kernel/linux/proc/nodes.h"

#define POOL "/sys/kernel/mm/hugepages/hugepages-2048kB/"
#define NODE "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/"

static const struct {
    const char *path;
    enum hugepages_figure figure;
} rows[] = {
    {POOL "nr_hugepages", HUGEPAGES_TOTAL},
    {POOL "nr_hugepages_mempolicy", HUGEPAGES_TOTAL},
    {POOL "free_hugepages", HUGEPAGES_FREE},
    {POOL "resv_hugepages", HUGEPAGES_RESERVED},
    {POOL "surplus_hugepages", HUGEPAGES_SURPLUS},
    {POOL "nr_overcommit_hugepages", HUGEPAGES_RESERVED},
    {NODE "nr_hugepages", HUGEPAGES_TOTAL},
    {NODE "free_hugepages", HUGEPAGES_FREE},
    {NODE "surplus_hugepages", HUGEPAGES_SURPLUS},
    {"/proc/sys/vm/nr_hugepages", HUGEPAGES_TOTAL},
};

static void show(void *context, struct text *out)
{
    text_printf(out, "%lu\n", hugepages((enum hugepages_figure)(uintptr_t)context));
}

int nodes_add_huge(void)
{
    struct frames_stats frames;
    int error = 0;
    frames_stats(&frames);
    hugepages_set_limit((frames.total >> ORDER_2M) / 2);
    for (size_t i = 0; !error && i < ARRAY_SIZE(rows); i++)
        error = tree_add_text(rows[i].path, show, (void *)(uintptr_t)rows[i].figure);
    return error;
}
