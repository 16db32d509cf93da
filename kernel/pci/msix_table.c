/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/pci/msix_table.h"

enum {
    MSIX_CONTROL = 2,
    MSIX_CONTROL_SIZE = 0x7ff, /* entries - 1 */
    MSIX_TABLE = 4,            /* offset 31:3, BAR 2:0 */
    MSIX_ENTRY_SIZE = 16,
};

/* The table as offset and length in the BAR; length 0: it is not there. */
static struct phys_run table_in(const struct pci_device *device, unsigned bar)
{
    uint32_t location;
    uint64_t entries;

    if (!device->cap_msix)
        return (struct phys_run){0, 0};
    location = pci_read32(device, device->cap_msix + MSIX_TABLE);
    if ((location & 7) != bar)
        return (struct phys_run){0, 0};
    entries = (pci_read16(device, device->cap_msix + MSIX_CONTROL) & MSIX_CONTROL_SIZE) + 1u;
    return (struct phys_run){location & ~7u, entries * MSIX_ENTRY_SIZE};
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
