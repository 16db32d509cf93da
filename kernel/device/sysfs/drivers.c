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

#define TYPE1 "sys/module/vfio_iommu_type1/parameters/"

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

/* A device of these ids has the driver already, by nothing that could be taken away. */
static int store_id(void *context, tree_show show, const char *text)
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

/* ---- rows ---- */

TREE_SHOW(show_no, struct config, "%c", 'N')
TREE_SHOW(show_unsafe, struct config, "%c", it->unsafe_interrupts ? 'Y' : 'N')
TREE_SHOW(show_limit, struct config, "%u", TYPE1_MAPPINGS_MAX)

static const struct tree_text driver_files[] = {{"bind", NULL, store_bind, NULL},
                                                {"unbind", NULL, store_unbind, NULL},
                                                {"new_id remove_id", NULL, store_id, NULL}};

static const struct tree_text other_files[] = {
    {"sys/bus/pci/drivers_probe", NULL, store_probe, NULL},
    {"sys/module/vfio/parameters/enable_unsafe_noiommu_mode", show_no, tree_store_same, NULL},
    {TYPE1 "allow_unsafe_interrupts", show_unsafe, tree_store_same, NULL},
    {TYPE1 "dma_entry_limit", show_limit, tree_store_same, NULL}};

static int add_driver(const char *name)
{
    return tree_add_texts(format_short("/sys/bus/pci/drivers/%s", name), driver_files,
                          ARRAY_SIZE(driver_files), (void *)(uintptr_t)name);
}

int sysfs_add_drivers(const struct config *config)
{
    if (add_driver("vfio-pci") || add_driver("uio_pci_generic"))
        return -ENOMEM;
    return tree_add_texts("", other_files, ARRAY_SIZE(other_files), (void *)(uintptr_t)config);
}
