/* SPDX-License-Identifier: BSD-2-Clause */
/* /sys/bus/pci/devices and /sys/kernel/iommu_groups. */
#include "kernel/device/sysfs/sysfs.h"

#include "kernel/device/vfio/device.h"
#include "kernel/file/tree.h"
#include "kernel/iommu/iommu.h"
#include "kernel/iommu/requester.h"
#include "kernel/iommu/unit.h"
#include "kernel/lib/string.h"
#include "kernel/pci/group.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/reset.h"

/* Flags of a resource as Linux numbers them. */
#define RESOURCE_IO        0x00000100
#define RESOURCE_MEMORY    0x00000200
#define RESOURCE_PREFETCH  0x00002000
#define RESOURCE_MEM64     0x00100000
#define RESOURCE_SIZEALIGN 0x00040000
#define RESOURCE_ROM       0x00006000 /* read-only and prefetchable */

#define SYSFS_DEVICE(device) format_short("/sys/bus/pci/devices/%s", pci_name(device))

/* A register of 16 bits. */
#define WORD(capability, offset) pci_read16(it, it->capability + (offset))
/* Speed and width lie alike in what the link can and what it does. */
#define SPEED(offset) speeds[WORD(cap_pcie, offset) & PCIE_LINK_SPEED]
#define WIDTH(offset) ((WORD(cap_pcie, offset) & PCIE_LINK_WIDTH) >> 4)

static const char *const speeds[] = {
    "Unknown",        "2.5 GT/s PCIe",  "5.0 GT/s PCIe",  "8.0 GT/s PCIe",
    "16.0 GT/s PCIe", "32.0 GT/s PCIe", "64.0 GT/s PCIe", [7 ... PCIE_LINK_SPEED] = "Unknown"};

/* By method, as Linux calls them. */
static const char *const resets[] = {"", "flr", "af_flr", "pm", "bus"};

/* Name, whether there is one (in an empty slot may be all), what a write does, what it shows. */
/* clang-format off */
#define DEVICE_FILES(ROW)                                                                          \
    ROW(vendor, true, NULL, "0x%04x", it->vendor)                                                  \
    ROW(device, true, NULL, "0x%04x", it->device)                                                  \
    ROW(subsystem_vendor, true, NULL, "0x%04x", it->subsystem_vendor)                              \
    ROW(subsystem_device, true, NULL, "0x%04x", it->subsystem_device)                              \
    ROW(class, true, NULL, "0x%06x", it->class_code)                                               \
    ROW(revision, true, NULL, "0x%02x", it->revision)                                              \
    ROW(irq, true, NULL, "%u", it->intx_gsi)                                                       \
    ROW(enable, true, store_enable, "%u", it->claimed_by != NULL)                                  \
    ROW(driver_override, true, tree_store_same, "%s", it->driver)                                  \
    ROW(numa_node, true, tree_store_same, "%d", -1)                                                \
    ROW(local_cpus, true, NULL, "%d", 1)                                                           \
    ROW(local_cpulist, true, NULL, "%d", 0)                                                        \
    ROW(msi_bus, true, tree_store_same, "%d", 1)                                                   \
    ROW(modalias, true, NULL, "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X", it->vendor,           \
        it->device, it->subsystem_vendor, it->subsystem_device, it->class_code >> 16,              \
        it->class_code >> 8 & 0xff, it->class_code & 0xff)                                         \
    ROW(reset_method, has_reset(it), tree_store_same, "%s", resets[pci_reset_method(it)])          \
    ROW(current_link_speed, it->cap_pcie, NULL, "%s", SPEED(PCIE_LINK_STATUS))                     \
    ROW(current_link_width, it->cap_pcie, NULL, "%u", WIDTH(PCIE_LINK_STATUS))                     \
    ROW(max_link_speed, it->cap_pcie, NULL, "%s", SPEED(PCIE_LINK_CAP))                            \
    ROW(max_link_width, it->cap_pcie, NULL, "%u", WIDTH(PCIE_LINK_CAP))                            \
    ROW(sriov_totalvfs, it->cap_sriov, NULL, "%u", WORD(cap_sriov, PCI_SRIOV_TOTAL))               \
    ROW(sriov_numvfs, it->cap_sriov, store_virtuals, "%u", it->virtuals)                           \
    ROW(sriov_offset, it->cap_sriov, NULL, "%u", WORD(cap_sriov, PCI_SRIOV_FIRST))                 \
    ROW(sriov_stride, it->cap_sriov, NULL, "%u", WORD(cap_sriov, PCI_SRIOV_STRIDE))                \
    ROW(sriov_vf_device, it->cap_sriov, NULL, "%x", WORD(cap_sriov, PCI_SRIOV_DEVICE_ID))          \
    ROW(sriov_drivers_autoprobe, it->cap_sriov, tree_store_same, "%d", 1)
#define SHOW(name, there, store, ...) TREE_SHOW(show_##name, struct pci_device, __VA_ARGS__)
#define ADD(name, there, store, ...)                                                               \
    if (!error && ((there) || it->removed))                                                        \
        error = tree_add_texts(folder, &(const struct tree_text){#name, show_##name, store, NULL}, \
                               1, it);
/* clang-format on */

static bool has_reset(const struct pci_device *device)
{
    return pci_reset_method(device) != PCI_RESET_NONE;
}

/*
 * What everybody may read of a function that is not assigned: of the registers behind that some do
 * something when they are read. VFIO adds the file of one that is.
 */
static void show_header(void *context, struct text *out)
{
    for (unsigned i = 0; i < PCI_HEADER_END; i++)
        out->buffer[out->length++] = (char)pci_read8(context, i);
}

/* ---- what there is to write: all other rows take only what they show ---- */

/* One that nobody uses is reset; another would lose what its user set. */
static int store_reset(void *context, tree_show show, const char *text)
{
    struct vfio_device *device = vfio_device_of(context);

    if (strcmp(text, "1") != 0)
        return -EINVAL;
    if (!device || !has_reset(context))
        return device ? -ENOTTY : -EPERM;
    return mutex_run(&device->lock, "vfio device", vfio_device_reset_unused(device));
}

/* Its driver decides, where there is one. */
static int store_enable(void *context, tree_show show, const char *text)
{
    return ((const struct pci_device *)context)->driver ? -EBUSY : -EPERM;
}

static int store_virtuals(void *context, tree_show show, const char *text)
{
    return tree_store_same(context, show, text) ? -EBUSY : 0;
}

DEVICE_FILES(SHOW)

static void show_uevent(void *context, struct text *out)
{
    const struct pci_device *d = context;

    if (d->driver)
        text_printf(out, "DRIVER=%s\n", d->driver);
    text_printf(out, "PCI_CLASS=%04X\nPCI_ID=%04X:%04X\nPCI_SUBSYS_ID=%04X:%04X\n", d->class_code,
                d->vendor, d->device, d->subsystem_vendor, d->subsystem_device);
    text_printf(out, "PCI_SLOT_NAME=%s\nMODALIAS=", pci_name(d));
    show_modalias(context, out);
}

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

static void show_bar(const struct pci_bar *bar, unsigned flags, struct text *out)
{
    bool there = bar->size && bar->base;

    text_printf(out, "0x%016lx 0x%016lx 0x%016x\n", there ? bar->base : 0,
                there ? bar->base + bar->size - 1 : 0, there ? resource_flags(bar) | flags : 0);
}

/* First and last address, and flags: a line for each BAR and one for the expansion ROM. */
static void show_resource(void *context, struct text *out)
{
    const struct pci_device *device = context;

    for (unsigned i = 0; i < PCI_BARS; i++)
        show_bar(&device->bars[i], 0, out);
    show_bar(&device->rom, RESOURCE_ROM, out);
}

/* ---- all of a function ---- */

/* A link to what the function belongs to, below /sys, and one back. */
static bool add_pair(const struct pci_device *device, const char *link, const char *to,
                     const char *back)
{
    const char *name = pci_name(device);

    return !tree_add_link(format_short("%s/%s", SYSFS_DEVICE(device), link),
                          format_short("../../../../%s", to)) &&
           !tree_add_link(format_short("/sys/%s%s/%s", to, back, name),
                          format_short("../../../../bus/pci/devices/%s", name));
}

static bool add_virtual(const struct pci_device *device, const struct pci_device *physical)
{
    const struct pci_device *d;
    unsigned number = 0;

    list_for_each_entry (d, pci_devices(), link)
        number += d->physical == physical && pci_order(d) < pci_order(device);
    return !tree_add_link(format_short("%s/physfn", SYSFS_DEVICE(device)),
                          format_short("../%s", pci_name(physical))) &&
           !tree_add_link(format_short("%s/virtfn%u", SYSFS_DEVICE(physical), number),
                          format_short("../%s", pci_name(device)));
}

static bool add_links(const struct pci_device *d)
{
    const struct requester *id = d->requesters[0];
    unsigned group = d->group->id, unit = id && id->unit ? id->unit->index : 0;

    return add_pair(d, "iommu_group", format_short("kernel/iommu_groups/%u", group), "/devices") &&
           (!d->driver ||
            add_pair(d, "driver", format_short("bus/pci/drivers/%s", d->driver), "")) &&
           (!id || !id->unit ||
            add_pair(d, "iommu", format_short("class/iommu/dmar%u", unit), "/devices")) &&
           (!d->physical || add_virtual(d, d->physical));
}

static int add_device(struct pci_device *it)
{
    static const struct tree_text reset = {"reset", NULL, store_reset, NULL};
    static const struct tree_text texts[] = {{"subsystem", NULL, NULL, "../../../../bus/pci"},
                                             TREE_READ("resource", show_resource),
                                             TREE_READ("uevent", show_uevent),
                                             TREE_READ("config", show_header)};
    const char *folder = SYSFS_DEVICE(it);
    int error = tree_add_texts(folder, texts, ARRAY_SIZE(texts) - it->assigned, it);

    if (!error && (has_reset(it) || it->removed))
        error = tree_add_texts(folder, &reset, 1, it);
    DEVICE_FILES(ADD)
    return error ? error : add_links(it) ? 0 : -ENOMEM;
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

TREE_SHOW(show_type, struct pci_group, "%s", "DMA")

static const struct tree_text group_files[] = {TREE_READ("reserved_regions", show_reserved),
                                               TREE_READ("type", show_type)};

int sysfs_add_devices(void)
{
    struct pci_device *device;
    struct pci_group *group;
    int error = 0;

    list_for_each_entry (device, pci_devices(), link)
        if (!error)
            error = add_device(device);
    list_for_each_entry (group, pci_groups(), link)
        if (!error)
            error = tree_add_texts(format_short("/sys/kernel/iommu_groups/%u", group->id),
                                   group_files, ARRAY_SIZE(group_files), group);
    return error;
}
