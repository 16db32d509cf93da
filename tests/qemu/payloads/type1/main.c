/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every rule of the VFIO container (type1 v1 and v2) and group interfaces, one case each.
 * usage: type1 0000:bb:dd.f [CASE]...
 */
#define _GNU_SOURCE
#include "type1.h"

static const struct conform_case *const tables[] = {
    container_cases, group_cases, info_cases, map_cases, unmap_cases, dirty_cases, bar_cases,
};

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: type1 0000:bb:dd.f [CASE]...\n");
        return 2;
    }
    device_name = argv[1];
    memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
                  -1, 0);
    if (memory == MAP_FAILED || vfio_group_path(device_name, group_path)) {
        fprintf(stderr, "type1: no memory, or %s has no group\n", device_name);
        return 2;
    }
    return conform_run_tables(tables, sizeof(tables) / sizeof(tables[0]), close_all, argc, argv);
}
