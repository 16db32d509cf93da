/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel says about its page tables (/sys/kernel/iommu/mappings). */
#ifndef TESTS_LEAF_COUNT_H
#define TESTS_LEAF_COUNT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct leaf_count {
    unsigned long long small, of_2m, of_1g;
};

/* Reads a line's numbers if it is about mappings that begin at `iova`. */
static inline int leaf_count_parse(const char *line, uint64_t iova, struct leaf_count *out)
{
    const char *leaves = strstr(line, " leaves ");
    char *end;

    if (strncmp(line, "  0x", 4) || !leaves || strtoull(line + 2, NULL, 16) != iova)
        return 0;
    out->small = strtoull(leaves + 8, &end, 10);
    out->of_2m = strtoull(end + 4, &end, 10);
    out->of_1g = strtoull(end + 4, &end, 10);
    return 1;
}

/*
 * The leaves of the mappings that follow each other from `iova` on. 1: there are some; 0: nothing
 * begins there; -1: this kernel does not tell (Linux).
 */
static inline int leaf_count_at(uint64_t iova, struct leaf_count *out)
{
    FILE *file = fopen("/sys/kernel/iommu/mappings", "r");
    char line[4096];
    int found = 0;

    if (!file)
        return -1;
    while (!found && fgets(line, sizeof(line), file))
        found = leaf_count_parse(line, iova, out);
    fclose(file);
    return found;
}

#endif
