/* SPDX-License-Identifier: BSD-2-Clause */
/* The interrupts of a device: from CPU vector over remapping entry to message, and back. */
#include "kernel/irq/irq.h"

#include "kernel/cpu/trap.h"
#include "kernel/iommu/remap.h"
#include "kernel/irq/internal.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"

static const struct irq_ops *const kinds[] = {
    [IRQ_MSI] = &irq_msi_ops,
    [IRQ_MSIX] = &irq_msix_ops,
};

unsigned irq_count(const struct pci_device *device, enum irq_kind kind)
{
    return kinds[kind]->count(device);
}

bool irq_remapped(const struct pci_device *device)
{
    const struct iommu_unit *unit = iommu_unit_of(device->requesters[0]);

    return unit && iommu_remaps_interrupts(unit);
}

static uint64_t arrived;

uint64_t irq_arrived(void)
{
    return arrived;
}

static void on_vector(void *context)
{
    struct irq_vector *vector = context;

    arrived++;
    vector->set->handler(vector->set->context, vector->index);
}

static void free_vectors(struct irq_set *set, unsigned count)
{
    while (count--)
        vector_free((unsigned)set->vectors[count].cpu_vector);
}

static int alloc_vectors(struct irq_set *set)
{
    for (unsigned i = 0; i < set->count; i++) {
        struct irq_vector *vector = &set->vectors[i];

        vector->set = set;
        vector->index = i;
        vector->masked = true;
        vector->cpu_vector = vector_alloc(on_vector, vector);
        if (vector->cpu_vector < 0) {
            free_vectors(set, i);
            return -ENOSPC;
        }
    }
    return 0;
}

/* Entries beyond the vectors in use (MSI rounds up) stay absent: such messages are refused. */
static int alloc_entries(struct irq_set *set)
{
    struct remap_source source = remap_source_of(set->device);
    int error;

    error = remap_alloc(set->unit, set->entries, true, &set->first);
    if (error)
        return error;
    for (unsigned i = 0; i < set->count; i++)
        remap_write(set->unit, set->first + i, (uint8_t)set->vectors[i].cpu_vector, cpu_apic_id(),
                    false, source);
    error = remap_commit(set->unit, set->first, set->entries);
    if (error)
        remap_free(set->unit, set->first, set->entries);
    return error;
}

static struct irq_set *set_create(struct pci_device *device, enum irq_kind kind, unsigned count,
                                  irq_handler handler, void *context)
{
    struct irq_set *set = kzalloc(sizeof(*set) + count * sizeof(set->vectors[0]));

    if (!set)
        return NULL;
    set->device = device;
    set->ops = kinds[kind];
    set->unit = iommu_unit_of(device->requesters[0]);
    set->remapped = irq_remapped(device);
    set->offered = kinds[kind]->count(device);
    set->count = count;
    set->entries = count;
    /* A device with n MSI vectors enabled may send any of the 2^k >= n. */
    while (kind == IRQ_MSI && (set->entries & (set->entries - 1)))
        set->entries++;
    set->handler = handler;
    set->context = context;
    return set;
}

int irq_enable(struct pci_device *device, enum irq_kind kind, unsigned count, irq_handler handler,
               void *context, struct irq_set **out)
{
    unsigned offered = irq_count(device, kind);
    struct irq_set *set;
    int error;

    if (offered == 0)
        return -ENODEV;
    if (count == 0 || count > offered)
        return -EINVAL;
    set = set_create(device, kind, count, handler, context);
    if (!set)
        return -ENOMEM;
    /* Without remapping, several MSI vectors would need consecutive CPU vectors. */
    error = !set->unit ? -ENODEV : !set->remapped && kind == IRQ_MSI && count > 1 ? -ENOSPC : 0;
    if (error)
        goto free_set;
    error = alloc_vectors(set);
    if (error)
        goto free_set;
    if (set->remapped) {
        error = alloc_entries(set);
        if (error)
            goto free_vectors;
    }
    error = set->ops->open(set);
    if (error)
        goto free_entries;
    set->ops->program(set);
    *out = set;
    return 0;

free_entries:
    if (set->remapped)
        remap_free(set->unit, set->first, set->entries);
free_vectors:
    free_vectors(set, set->count);
free_set:
    kfree(set);
    return error;
}

void irq_restore(struct irq_set *set)
{
    set->ops->program(set);
}

void irq_disable(struct irq_set *set)
{
    set->ops->stop(set);
    if (set->remapped)
        remap_free(set->unit, set->first, set->entries);
    free_vectors(set, set->count);
    kfree(set);
}

bool irq_mask(struct irq_set *set, unsigned index, bool masked)
{
    if (index >= set->count)
        return false;
    set->vectors[index].masked = masked;
    return set->ops->mask(set, index);
}
