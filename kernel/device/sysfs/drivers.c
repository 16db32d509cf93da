/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /sys/bus/pci/drivers, whose context is the name of the driver, and parameters of modules. Nothing
 * can be bound or unbound: which device is the payload's is the operator's word.
 */
#include "kernel/device/sysfs/sysfs.h"

#include "kernel/device/vfio/type1.h"
#include "kernel/file/tree.h"
#include "kernel/lib/string.h"
#include "kernel/machine/config/config.h"

#define VFIO  "/sys/bus/pci/drivers/vfio-pci"
#define UIO   "/sys/bus/pci/drivers/uio_pci_generic"
#define TYPE1 "/sys/module/vfio_iommu_type1/parameters"

/* The function of that name; one that has the driver, unless that is NULL. */
static const struct pci_device *find(const char *name, const char *driver)
{
    const struct pci_device *d;

    list_for_each_entry (d, pci_devices(), link)
        if (strcmp(pci_name(d), name) == 0 &&
            (!driver || (d->driver && strcmp(d->driver, driver) == 0)))
            return d;
    return NULL;
}

static int store_bind(void *context, tree_show show, const char *text)
{
    return find(text, context) ? -EBUSY : -ENODEV;
}

static int store_unbind(void *context, tree_show show, const char *text)
{
    return find(text, context) ? -EPERM : -ENODEV;
}

static int store_probe(void *context, tree_show show, const char *text)
{
    return find(text, NULL) ? 0 : -ENODEV;
}

/* A device of these ids has the driver already. */
static int store_new_id(void *context, tree_show show, const char *text)
{
    const struct pci_device *d;

    list_for_each_entry (d, pci_devices(), link) {
        const char *ids = format_short("%04x %04x", d->vendor, d->device);
        const char *marked = format_short("0x%04x 0x%04x", d->vendor, d->device);

        if ((strcmp(text, ids) == 0 || strcmp(text, marked) == 0) && find(pci_name(d), context))
            return 0;
    }
    return strchr(text, ' ') ? -ENODEV : -EINVAL;
}

/* None was ever added. */
static int store_remove_id(void *context, tree_show show, const char *text)
{
    return strchr(text, ' ') ? -ENODEV : -EINVAL;
}

/* ---- rows ---- */

TREE_SHOW(show_no, struct config, "%c", 'N')
TREE_SHOW(show_unsafe, struct config, "%c", it->unsafe_interrupts ? 'Y' : 'N')
TREE_SHOW(show_limit, struct config, "%u", TYPE1_MAPPINGS_MAX)

int sysfs_add_drivers(const struct config *config)
{
    const struct {
        const char *folder, *name;
        tree_show show;
        tree_store store;
        const void *context;
    } files[] = {
        {"/sys/bus/pci", "drivers_probe", NULL, store_probe, NULL},
        {VFIO, "bind", NULL, store_bind, "vfio-pci"},
        {VFIO, "unbind", NULL, store_unbind, "vfio-pci"},
        {VFIO, "new_id", NULL, store_new_id, "vfio-pci"},
        {VFIO, "remove_id", NULL, store_remove_id, "vfio-pci"},
        {UIO, "bind", NULL, store_bind, "uio_pci_generic"},
        {UIO, "unbind", NULL, store_unbind, "uio_pci_generic"},
        {UIO, "new_id", NULL, store_new_id, "uio_pci_generic"},
        {UIO, "remove_id", NULL, store_remove_id, "uio_pci_generic"},
        {"/sys/module/vfio/parameters", "enable_unsafe_noiommu_mode", show_no, tree_store_same,
         config},
        {TYPE1, "allow_unsafe_interrupts", show_unsafe, tree_store_same, config},
        {TYPE1, "dma_entry_limit", show_limit, tree_store_same, config},
    };
    int error = 0;

    for (size_t i = 0; !error && i < ARRAY_SIZE(files); i++)
        error = tree_add_stored(files[i].folder, files[i].name, files[i].show, files[i].store,
                                (void *)(uintptr_t)files[i].context);
    return error;
}
