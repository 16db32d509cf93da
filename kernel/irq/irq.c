/* SPDX-License-Identifier: BSD-2-Clause */
/* The interrupts of a device: from CPU vector over remapping entry to message, and back. */
#include "kernel/irq/irq.h"

#include "kernel/cpu/trap.h"
#include "kernel/iommu/remap.h"
#include "kernel/irq/internal.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/machine/console/trace.h"

static const struct irq_ops *const kinds[] = {
    [IRQ_INTX] = &irq_intx_ops,
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

static void on_traced_vector(void *context)
{
    const struct irq_vector *vector = context;
    const struct pci_device *device = vector->set->device;

    TRACE(TRACE_IRQS, TRACE_INTERRUPT, device->segment << 16 | device->rid, vector->index,
          vector->set->kind);
    on_vector(context);
}

/* Where the device has no mask bits, or ignores them, the local APIC has to do. */
static void hold_vector(void *context, bool on)
{
    struct irq_vector *vector = context;

    vector->held = on;
    if (!vector->set->device->in_reset) /* which ends with irq_restore() */
        vector->set->ops->mask(vector->set, vector->index);
}

static int alloc_vector(struct irq_vector *vector)
{
    int allocated = vector_alloc(vector->set->fire, hold_vector, vector);

    if (allocated < 0)
        return -ENOSPC;
    vector->cpu_vector = allocated;
    return 0;
}

static void free_vector(struct irq_vector *vector)
{
    if (vector->cpu_vector)
        vector_free((unsigned)vector->cpu_vector);
    vector->cpu_vector = 0;
}

static void free_vectors(struct irq_set *set)
{
    for (unsigned i = 0; i < set->offered; i++)
        free_vector(&set->vectors[i]);
}

static int alloc_vectors(struct irq_set *set)
{
    int error = 0;

    for (unsigned i = 0; !error && i < set->count; i++)
        error = alloc_vector(&set->vectors[i]);
    if (error)
        free_vectors(set);
    return error;
}

/*
 * Entries for `count` vectors from one on. Those beyond (MSI rounds up) stay absent: such messages
 * are refused.
 */
static int alloc_entries(struct irq_set *set, struct irq_vector *vectors, unsigned count,
                         unsigned entries)
{
    struct remap_source source = remap_source_of(set->device);
    unsigned first;
    int error;

    error = remap_alloc(set->unit, entries, true, &first);
    if (error)
        return error;
    for (unsigned i = 0; i < count; i++) {
        vectors[i].entry = first + i;
        remap_write(set->unit, first + i, (uint8_t)vectors[i].cpu_vector, cpu_apic_id(), false,
                    source);
    }
    error = remap_commit(set->unit, first, entries);
    if (error)
        remap_free(set->unit, first, entries);
    return error;
}

/* The first ones in one piece, as they came; those that were added one by one. */
static void free_entries(struct irq_set *set)
{
    remap_free(set->unit, set->vectors[0].entry, set->entries);
    for (unsigned i = set->count; i < set->offered; i++)
        if (set->vectors[i].cpu_vector)
            remap_free(set->unit, set->vectors[i].entry, 1);
}

static struct irq_set *set_create(struct pci_device *device, enum irq_kind kind, unsigned offered,
                                  unsigned count)
{
    struct irq_set *set = kzalloc(sizeof(*set) + offered * sizeof(set->vectors[0]));

    if (!set)
        return NULL;
    for (unsigned i = 0; i < offered; i++)
        set->vectors[i] = (struct irq_vector){.set = set, .index = i, .masked = true};
    set->device = device;
    set->kind = kind;
    set->ops = kinds[kind];
    set->unit = iommu_unit_of(device->requesters[0]);
    set->remapped = kinds[kind]->messages && irq_remapped(device);
    set->offered = offered;
    set->count = count;
    set->entries = count;
    /* A device with n MSI vectors enabled may send any of the 2^k >= n. */
    while (kind == IRQ_MSI && (set->entries & (set->entries - 1)))
        set->entries++;
    set->fire = trace_classes & TRACE_IRQS ? on_traced_vector : on_vector;
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
    set = set_create(device, kind, offered, count);
    if (!set)
        return -ENOMEM;
    set->handler = handler;
    set->context = context;
    /* Without remapping, several MSI vectors would need consecutive CPU vectors. */
    error = !set->unit ? -ENODEV : !set->remapped && kind == IRQ_MSI && count > 1 ? -ENOSPC : 0;
    if (error)
        goto free_set;
    /*
     * From here until the device can be masked nothing sleeps, nor lets interrupts in otherwise:
     * one that comes would have its handler run, and be masked, without the registers for that.
     */
    error = set->ops->messages ? alloc_vectors(set) : 0;
    if (error)
        goto free_set;
    if (set->remapped) {
        error = alloc_entries(set, set->vectors, set->count, set->entries);
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
        free_entries(set);
free_vectors:
    free_vectors(set);
free_set:
    kfree(set);
    return error;
}

int irq_add(struct irq_set *set, unsigned index)
{
    struct irq_vector *vector = &set->vectors[index];
    int error;

    if (index >= set->offered)
        return -EINVAL;
    if (vector->cpu_vector)
        return 0;
    error = alloc_vector(vector);
    if (error || !set->remapped)
        return error;
    error = alloc_entries(set, vector, 1, 1);
    if (error)
        free_vector(vector);
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
        free_entries(set);
    free_vectors(set);
    kfree(set);
}

bool irq_masked(const struct irq_set *set, unsigned index)
{
    return set->vectors[index].masked;
}

bool irq_mask(struct irq_set *set, unsigned index, bool masked)
{
    if (index >= set->offered || (set->ops->messages && !set->vectors[index].cpu_vector))
        return false;
    set->vectors[index].masked = masked;
    return set->ops->mask(set, index);
}
