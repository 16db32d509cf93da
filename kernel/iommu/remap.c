/* SPDX-License-Identifier: BSD-2-Clause */
/* The interrupt-remapping table of a unit. */
#include "kernel/iommu/remap.h"

#include "kernel/cpu/cache.h"
#include "kernel/iommu/unit.h"
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/heap.h"
#include "kernel/pci/pci.h"

int remap_init(struct iommu_unit *unit, unsigned entries)
{
    struct remap_table *table = &unit->remap;

    table->used = kcalloc(entries, 1);
    if (!table->used)
        return -ENOMEM;
    table->entries = unit_memory(unit, entries * sizeof(*table->entries), &table->physical);
    if (!table->entries) {
        kfree(table->used);
        table->used = NULL;
        return -ENOMEM;
    }
    table->count = entries;
    return 0;
}

struct remap_source remap_source_of(const struct pci_device *device)
{
    uint8_t bus = PCI_BUS(device->rid);
    pci_rid_t id = device->rid;
    const struct pci_device *taker = pci_taker(device, &id);

    /*
     * A bridge from PCI Express sends messages of its bus with that and 00.0, or passes the
     * function's own id, and a function may use its alias; all on its link are of its group.
     */
    if (taker ? id != taker->rid && taker->secondary == bus
              : device->bridge && pci_is_link_head(device->bridge) &&
                    (device->aliases[0] || device->aliases[1]))
        return (struct remap_source){VTD_SOURCE_BUSES, (uint16_t)(bus << 8 | bus)};
    return (struct remap_source){VTD_SOURCE_EXACT, id};
}

/* ---- entries ---- */

static bool is_vacant(const struct remap_table *table, unsigned first, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (table->used[first + i])
            return false;
    }
    return true;
}

int remap_alloc(struct iommu_unit *unit, unsigned count, bool aligned, unsigned *first)
{
    struct remap_table *table = &unit->remap;
    unsigned step = 1;

    if (!unit->remapping)
        return -EOPNOTSUPP;
    if (unit->fenced)
        return -EIO;
    while (aligned && step < count)
        step *= 2;
    for (unsigned at = 0; at < table->count && count <= table->count - at; at += step) {
        if (!is_vacant(table, at, count))
            continue;
        for (unsigned i = 0; i < count; i++)
            table->used[at + i] = 1;
        table->in_use += count;
        *first = at;
        return 0;
    }
    return -ENOSPC;
}

void remap_write(struct iommu_unit *unit, unsigned index, uint8_t vector, uint32_t apic_id,
                 bool level, struct remap_source source)
{
    struct vtd_irte *entry = &unit->remap.entries[index];
    struct vtd_irte value = vtd_irte(vector, apic_id, unit->x2apic, level, source.check, source.id);

    if (entry->low & VTD_PRESENT) {
        store_128(entry, value.low, value.high);
    } else {
        /* The half with the present bit last. */
        *(volatile uint64_t *)&entry->high = value.high;
        *(volatile uint64_t *)&entry->low = value.low;
    }
    unit_publish(unit, entry, sizeof(*entry));
}

int remap_commit(struct iommu_unit *unit, unsigned first, unsigned count)
{
    for (unsigned done = 0; done < count;) {
        unsigned mask =
            invalidation_mask(first + done, first + count - 1, unit->can.max_handle_mask);

        invalidate_entries(unit, (uint16_t)(first + done), mask);
        done += (unsigned)BIT(mask);
    }
    return invalidation_wait(unit);
}

int remap_free(struct iommu_unit *unit, unsigned first, unsigned count)
{
    struct remap_table *table = &unit->remap;

    for (unsigned i = 0; i < count; i++) {
        struct vtd_irte *entry = &table->entries[first + i];

        *(volatile uint64_t *)&entry->low = 0;
        *(volatile uint64_t *)&entry->high = 0;
        unit_publish(unit, entry, sizeof(*entry));
    }
    if (remap_commit(unit, first, count))
        return -EIO;
    for (unsigned i = 0; i < count; i++) {
        ASSERT(table->used[first + i]);
        table->used[first + i] = 0;
    }
    table->in_use -= count;
    return 0;
}
