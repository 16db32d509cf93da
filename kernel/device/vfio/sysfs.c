/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/device/vfio/vfio.h"

#include "kernel/file/tree.h"
#include "kernel/iommu/iommu.h"
#include "kernel/lib/format.h"
#include "kernel/pci/group.h"
#include "kernel/pci/registers.h"

/* Flags of a resource as Linux numbers them. */
#define RESOURCE_IO        0x00000100
#define RESOURCE_MEMORY    0x00000200
#define RESOURCE_PREFETCH  0x00002000
#define RESOURCE_MEM64     0x00100000
#define RESOURCE_SIZEALIGN 0x00040000

TREE_SHOW(show_vendor, struct pci_device, "0x%04x", vendor)
TREE_SHOW(show_device, struct pci_device, "0x%04x", device)
TREE_SHOW(show_subsystem_vendor, struct pci_device, "0x%04x", subsystem_vendor)
TREE_SHOW(show_subsystem_device, struct pci_device, "0x%04x", subsystem_device)
TREE_SHOW(show_class, struct pci_device, "0x%06x", class_code)
TREE_SHOW(show_revision, struct pci_device, "0x%02x", revision)

static unsigned resource_flags(const struct pci_bar *bar)
{
    unsigned flags = RESOURCE_SIZEALIGN;

    flags |= bar->flags & PCI_BAR_IO ? RESOURCE_IO | 1 : RESOURCE_MEMORY;
    if (bar->flags & PCI_BAR_PREFETCH)
        flags |= RESOURCE_PREFETCH | 8;
    if (bar->flags & PCI_BAR_64)
        flags |= RESOURCE_MEM64 | 4;
    return flags;
}

static void show_bar(const struct pci_bar *bar, struct text *out)
{
    bool there = bar->size && bar->base;

    text_printf(out, "0x%016lx 0x%016lx 0x%016x\n", there ? bar->base : 0,
                there ? bar->base + bar->size - 1 : 0, there ? resource_flags(bar) : 0);
}

/* First and last address, and flags: a line for each BAR and one for the expansion ROM. */
static void show_resource(void *context, struct text *out)
{
    static const struct pci_bar none;
    const struct pci_device *device = context;

    for (unsigned i = 0; i < PCI_BARS; i++)
        show_bar(&device->bars[i], out);
    show_bar(&none, out);
}

static const struct tree_text device_files[] = {
    {"vendor", show_vendor},
    {"device", show_device},
    {"subsystem_vendor", show_subsystem_vendor},
    {"subsystem_device", show_subsystem_device},
    {"class", show_class},
    {"revision", show_revision},
    {"resource", show_resource},
};

static int add_device(struct pci_device *device)
{
    const char *name = pci_name(device);
    const char *folder = format_short("/sys/bus/pci/devices/%s", name);
    unsigned group = device->group->id;
    int error = tree_add_texts(folder, device_files, ARRAY_SIZE(device_files), device);

    if (!error)
        error = tree_add_link(format_short("%s/iommu_group", folder),
                              format_short("../../../../kernel/iommu_groups/%u", group));
    if (!error)
        error = tree_add_link(format_short("/sys/kernel/iommu_groups/%u/devices/%s", group, name),
                              format_short("../../../../bus/pci/devices/%s", name));
    if (!error && device->assigned)
        error = tree_add_link(format_short("%s/driver", folder),
                              "../../../../bus/pci/drivers/vfio-pci");
    if (!error && device->physical)
        error = tree_add_link(format_short("%s/physfn", folder),
                              format_short("../%s", pci_name(device->physical)));
    return error;
}

/* What no mapping may cover: reserved memory of the members, and the interrupt window. */
static void show_reserved(void *context, struct text *out)
{
    const struct pci_group *group = context;
    struct phys_run region;
    size_t at = 0;

    while (iommu_reserved_next(group->requesters, group->requester_count, &at, &region))
        text_printf(out, "0x%016lx 0x%016lx direct\n", region.base,
                    region.base + region.length - 1);
    text_printf(out, "0x%016lx 0x%016lx msi\n", 0xfee00000ul, 0xfeeffffful);
}

static void show_type(void *context, struct text *out)
{
    text_printf(out, "DMA\n");
}

static const struct tree_text group_files[] = {
    {"reserved_regions", show_reserved},
    {"type", show_type},
};

static int add_group(struct pci_group *group)
{
    return tree_add_texts(format_short("/sys/kernel/iommu_groups/%u", group->id), group_files,
                          ARRAY_SIZE(group_files), group);
}

int vfio_sysfs_add(void)
{
    struct pci_device *device;
    struct pci_group *group;
    int error = tree_add_directory("/sys/bus/pci/drivers/vfio-pci"); /* where `driver` leads */

    list_for_each_entry (device, pci_devices(), link)
        if (!error)
            error = add_device(device);
    list_for_each_entry (group, pci_groups(), link)
        if (!error)
            error = add_group(group);
    return error;
}
