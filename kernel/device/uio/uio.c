/* SPDX-License-Identifier: BSD-2-Clause */
/* Adding a device to UIO, and removing it. */
#include "kernel/device/uio/uio.h"

#include "kernel/file/tree.h"
#include "kernel/lib/error.h"
#include "kernel/lib/format.h"
#include "kernel/mm/heap.h"
#include "kernel/pci/registers.h"
#include "kernel/device/uio/internal.h"

#define NODE(device) format_short("/dev/uio%u", (device)->id)
#define OWNER        "uio"
#define NODES_WORK   3000 /* of the nodes of a map: breathe_deaf_after() */

static struct list devices = LIST_INIT(devices);

/*
 * The memory of a BAR, as far as it may be mapped from the start on. -EINVAL: not at all.
 * -ENOMEM.
 */
static int find_memory(struct uio_map *map, unsigned bar)
{
    struct memobj *object;
    struct phys_run run;
    int error = lease_bar(&map->device->lease, bar, &object);

    if (error)
        return error;
    if (memobj_run(object, 0, object->size, &run))
        return -EINVAL;
    map->object = memobj_get(object);
    map->address = run.base;
    map->size = run.length;
    return 0;
}

/* The six BAR slots; one that cannot be mapped stays empty, with size 0. */
static int add_bars(struct uio_device *device)
{
    for (unsigned bar = 0; bar < PCI_BARS; bar++) {
        struct uio_map *map = uio_map_new(device, bar, false);

        if (!map)
            return -ENOMEM;
        (void)itree_insert(&device->maps, &map->node);
        int error = find_memory(map, bar);
        if (error != -ENOMEM)
            error = uio_sysfs_add_map(map);
        if (error)
            return error;
    }
    return 0;
}

/* The maps and the address space. Nobody else can reach the device any more. */
static void free_memory(struct uio_device *device)
{
    struct itree_node *node;

    (void)mutex_lock_deaf(&device->lock, "uio");
    while ((node = itree_first(&device->maps)) != NULL) {
        itree_remove(&device->maps, node);
        uio_map_free(uio_map_of(node));
    }
    lease_drop_bars(&device->lease);
    ioas_destroy(device->ioas);
    mutex_retire(&device->lock);
}

static unsigned free_id(void)
{
    const struct uio_device *device;
    unsigned id = 0;

    list_for_each_entry (device, &devices, link)
        id = MAX(id, device->id + 1);
    return id;
}

/* NULL: it is not open. */
static struct uio_device *find_open(const struct pci_device *pci)
{
    struct uio_device *device;

    list_for_each_entry (device, &devices, link)
        if (device->pci == pci && device->lease.irqs && !list_empty(&device->opens))
            return device;
    return NULL;
}

void uio_command(const struct pci_device *pci, uint16_t command)
{
    struct uio_device *device = find_open(pci);

    if (device)
        uio_hold(device, command & PCI_COMMAND_INTX_DISABLE);
}

bool uio_holds(const struct pci_device *pci)
{
    const struct uio_device *device = find_open(pci);

    return device && irq_masked(device->lease.irqs, 0);
}

/* Everything the payload can see of it. The folder goes as a whole if a node cannot be added. */
static int publish_device(struct uio_device *device)
{
    int error = uio_sysfs_add(device);

    if (error)
        return error;
    error = add_bars(device);
    if (!error)
        error = tree_add_device(NODE(device), UIO_MAJOR, device->id, uio_file_open, device);
    if (error)
        uio_sysfs_remove(device);
    return error;
}

int uio_add(struct pci_device *pci, bool dma_memory, struct ioas_account *account,
            struct refusal *why)
{
    if (!pci->removed && !irq_count(pci, IRQ_MSIX) && !irq_count(pci, IRQ_MSI) &&
        !irq_count(pci, IRQ_INTX))
        return refuse(
            why, -EOPNOTSUPP,
            "%s has no interrupt for UIO: neither MSI-X nor MSI, nor a known line (intx=)",
            pci_name(pci));
    struct uio_device *device = kzalloc(sizeof(*device));
    int error = device ? 0 : -ENOMEM;
    if (error)
        goto fail;
    device->id = free_id();
    device->pci = pci;
    device->dma_memory = dma_memory;
    list_init(&device->opens);
    mutex_init(&device->lock);
    error = ioas_create(account, &device->lock, &device->ioas);
    if (error)
        goto free_device;
    ioas_tables_init(&device->tables, device->ioas);
    device->lease = (struct lease){
        .pci = pci,
        .terms = {.owner = OWNER,
                  .tables = &device->tables,
                  .vectors = 1,
                  .handler = uio_interrupt,
                  .context = device},
    };
    error = publish_device(device);
    if (error)
        goto free_all;
    list_push_back(&devices, &device->link);
    return 0;

free_all:
    free_memory(device);
free_device:
    kfree(device);
fail:
    return refuse(why, error, "%s: cannot add its UIO device (%s)", pci_name(pci),
                  error_name(error));
}

static void remove_device(struct uio_device *device)
{
    struct itree_node *node;

    tree_remove(NODE(device));
    for (node = itree_first(&device->maps); node; node = itree_next(node)) {
        uio_sysfs_remove_map(uio_map_of(node));
        breathe_deaf_after(NODES_WORK, OWNER);
    }
    uio_sysfs_remove(device);
    list_remove(&device->link);
    free_memory(device);
    kfree(device);
}

void uio_remove_all(void)
{
    while (!list_empty(&devices))
        remove_device(list_first(&devices, struct uio_device, link));
}
