/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/pci/bar_object.h"

#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/pci/msix_table.h"

struct bar_object {
    struct memobj object;
    paddr_t base;
    struct phys_run hidden; /* pages, as offset and length; length 0: none */
};

static int bar_run(struct memobj *object, uint64_t offset, uint64_t max, struct phys_run *out)
{
    const struct bar_object *bar = container_of(object, struct bar_object, object);
    const struct phys_run *hidden = &bar->hidden;

    if (hidden->length && offset < hidden->base)
        max = MIN(max, hidden->base - offset);
    else if (offset < hidden->base + hidden->length)
        return -EFAULT;
    *out = (struct phys_run){bar->base + offset, MIN(max, object->size - offset)};
    return 0;
}

static void bar_destroy(struct memobj *object)
{
    kfree(container_of(object, struct bar_object, object));
}

static const struct memobj_ops bar_ops = {
    .run = bar_run,
    .destroy = bar_destroy,
};

int pci_bar_object(const struct pci_device *device, unsigned bar, bool hide_table,
                   struct memobj **out)
{
    const struct pci_bar *b = bar < PCI_BARS ? &device->bars[bar] : NULL;

    if (!b || !b->size || !b->base || (b->flags & PCI_BAR_IO))
        return -EINVAL;
    if (!IS_ALIGNED(b->base, PAGE_SIZE) ||
        (!IS_ALIGNED(b->size, PAGE_SIZE) && !(b->flags & PCI_BAR_OWN_PAGE)))
        return -EINVAL;
    struct bar_object *object = kzalloc(sizeof(*object));
    if (!object)
        return -ENOMEM;
    object->base = b->base;
    if (hide_table)
        object->hidden = msix_table_pages(device, bar);
    memobj_init(&object->object, &bar_ops, ALIGN_UP(b->size, PAGE_SIZE), MEMOBJ_DEVICE);
    *out = &object->object;
    return 0;
}
