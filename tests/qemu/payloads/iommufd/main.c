/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules of /dev/iommu and of the device files that are bound to it, one case each.
 * usage: iommufd 0000:bb:dd.f [CASE]...
 */
#define _GNU_SOURCE
#include "iommufd.h"

static const struct conform_case *const tables[] = {
    sizes_cases,   objects_cases, map_cases,     unmap_cases,
    options_cases, compat_cases,  devices_cases, refused_cases,
};

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: iommufd 0000:bb:dd.f [CASE]...\n");
        return 2;
    }
    device_name = argv[1];
    memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
                  -1, 0);
    if (memory == MAP_FAILED) {
        fprintf(stderr, "iommufd: no memory\n");
        return 2;
    }
    return conform_run_tables(tables, sizeof(tables) / sizeof(tables[0]), close_all, argc, argv);
}
