/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/pci/msix_table.h"

#define ENTRY_SIZE 16

/*
 * The table as offset and length in the BAR; length 0: it is not there. From the record of the
 * enumeration: a function in reset would say that it is nowhere.
 */
static struct phys_run table_in(const struct pci_device *device, unsigned bar)
{
    if ((device->msix_location & 7) != bar)
        return (struct phys_run){0, 0};
    return (struct phys_run){device->msix_location & ~7u, device->msix_entries * ENTRY_SIZE};
}

bool msix_table_touches(const struct pci_device *device, unsigned bar, uint64_t offset,
                        uint64_t length)
{
    struct phys_run table = table_in(device, bar);

    return ranges_overlap(table.base, table.length, offset, length);
}

struct phys_run msix_table_pages(const struct pci_device *device, unsigned bar)
{
    struct phys_run table = table_in(device, bar);
    uint64_t first = ALIGN_DOWN(table.base, PAGE_SIZE);
    uint64_t end = ALIGN_UP(table.base + table.length, PAGE_SIZE);

    if (table.length == 0 || first >= device->bars[bar].size)
        return (struct phys_run){0, 0};
    return (struct phys_run){first, MIN(end, device->bars[bar].size) - first};
}
