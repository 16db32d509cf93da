/* SPDX-License-Identifier: BSD-2-Clause */
/* Huge pages: their file system, and the files that tell of the one count of them. */
#include "kernel/file/path.h"
#include "kernel/file/tree.h"
#include "kernel/mm/hugepages.h"
#include "kernel/linux/proc/nodes.h"

static void show_total(void *context, struct text *out)
{
    struct hugepages_stats stats;
    hugepages_stats(&stats);
    text_printf(out, "%lu\n", stats.total);
}

static void show_free(void *context, struct text *out)
{
    struct hugepages_stats stats;
    hugepages_stats(&stats);
    text_printf(out, "%lu\n", stats.free);
}

static void show_surplus(void *context, struct text *out)
{
    struct hugepages_stats stats;
    hugepages_stats(&stats);
    text_printf(out, "%lu\n", stats.surplus);
}

/* What is promised has its memory already, and none comes without a place below the limit. */
static void show_none(void *context, struct text *out)
{
    text_printf(out, "0\n");
}

int nodes_add_huge(void)
{
#define OF_SIZE "/hugepages/hugepages-2048kB"
    static const struct tree_text all[] = {
        {"nr_hugepages", show_total},        {"nr_hugepages_mempolicy", show_total},
        {"free_hugepages", show_free},       {"resv_hugepages", show_none},
        {"surplus_hugepages", show_surplus}, {"nr_overcommit_hugepages", show_none},
    };
    static const struct tree_text of_node[] = {
        {"nr_hugepages", show_total},
        {"free_hugepages", show_free},
        {"surplus_hugepages", show_surplus},
    };
    static const struct tree_text sysctl[] = {
        {"nr_hugepages", show_total},
        {"nr_hugepages_mempolicy", show_total},
        {"nr_overcommit_hugepages", show_none},
    };
    static const struct {
        const char *folder;
        const struct tree_text *texts;
        size_t count;
    } rows[] = {
        {"/sys/kernel/mm" OF_SIZE, all, ARRAY_SIZE(all)},
        {"/sys/devices/system/node/node0" OF_SIZE, of_node, ARRAY_SIZE(of_node)},
        {"/proc/sys/vm", sysctl, ARRAY_SIZE(sysctl)},
    };
    hugepages_default_limit();
    int error = 0;
    for (size_t i = 0; !error && i < ARRAY_SIZE(rows); i++)
        error = tree_add_texts(rows[i].folder, rows[i].texts, rows[i].count, NULL);
    return error;
}
