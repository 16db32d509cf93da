/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line for each function, and below it, indented, one for each thing that is known of it: a word
 * that says what, then the value. docs/devices.md lists them.
 */
#include "kernel/report/report.h"
#include "kernel/iommu/iommu.h"
#include "kernel/irq/irq.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/pci/group.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/reset.h"
#include "kernel/pcie/port.h"

static const char *kind_of(const struct pci_device *d)
{
    static const char *const express[16] = {
        [PCIE_ENDPOINT] = "endpoint",
        [PCIE_LEGACY_ENDPOINT] = "legacy endpoint",
        [PCIE_ROOT_PORT] = "root port",
        [PCIE_UPSTREAM_PORT] = "upstream port",
        [PCIE_DOWNSTREAM_PORT] = "downstream port",
        [PCIE_TO_PCI_BRIDGE] = "bridge to conventional PCI",
        [PCI_TO_PCIE_BRIDGE] = "bridge from conventional PCI",
        [PCIE_ROOT_ENDPOINT] = "integrated endpoint",
        [PCIE_EVENT_COLLECTOR] = "event collector",
    };
    int type = pci_express_type(d);

    if (d->removed)
        return "empty slot";
    if (type >= 0)
        return express[type] ? express[type] : "unknown";
    return pci_is_bridge(d) ? "conventional bridge" : "conventional";
}

static void show_place(struct text *out, const struct pci_device *d)
{
    text_printf(out, "device %s %04x:%04x class %06x %s\n", pci_name(d), d->vendor, d->device,
                d->class_code, kind_of(d));
    if (d->bridge)
        text_printf(out, "  below %s\n", pci_name(d->bridge));
    if (pci_is_bridge(d))
        text_printf(out, "  buses %02x to %02x\n", d->secondary, d->subordinate);
    if (d->physical)
        text_printf(out, "  physical %s\n", pci_name(d->physical));
    if (d->cap_sriov)
        text_printf(out, "  vfs %u of %u\n", d->virtuals,
                    pci_read16(d, d->cap_sriov + PCI_SRIOV_TOTAL));
}

static void show_group(struct text *out, const struct pci_device *d)
{
    static const char *const causes[] = {
        [PCI_JOIN_BUS] = "conventional bus of bridge",
        [PCI_JOIN_FUNCTIONS] = "one device, no access control at",
        [PCI_JOIN_SWITCH] = "one switch, no access control at port",
        [PCI_JOIN_PORT] = "no access control at port",
        [PCI_JOIN_ALIAS] = "one device, or one id, with the alias of",
    };

    text_printf(out, "  group %u%s%s%s\n", d->group->id, d->assigned ? ", assigned" : "",
                d->left ? ", left" : "", d->unserved ? ", unserved" : "");
    if (d->joined)
        text_printf(out, "  joined %s: %s %s\n", pci_name(d->joined), causes[d->join_rule],
                    pci_name(d->culprit));
}

static void show_ids(struct text *out, const struct pci_device *d)
{
    pci_rid_t ids[PCI_IDS_MAX];
    size_t count = pci_requester_ids(d, ids);

    for (size_t i = 1; i < count; i++)
        text_printf(out, "  alias %s\n", pci_rid_name(d->segment, ids[i]));
}

static void show_bar(struct text *out, const char *what, const struct pci_bar *bar)
{
    if (!bar->size)
        return;
    text_printf(out, "  %s %s 0x%lx+0x%lx%s%s%s\n", what, bar->flags & PCI_BAR_IO ? "io" : "memory",
                bar->base, bar->size, bar->flags & PCI_BAR_64 ? ", 64-bit" : "",
                bar->flags & PCI_BAR_PREFETCH ? ", prefetchable" : "",
                bar->base ? "" : ", unassigned");
}

static void show_bars(struct text *out, const struct pci_device *d)
{
    for (unsigned i = 0; i < PCI_BARS; i++) {
        const char what[] = {'b', 'a', 'r', (char)('0' + i), 0};

        show_bar(out, what, &d->bars[i]);
    }
    show_bar(out, "rom", &d->rom);
}

static void show_reset(struct text *out, const struct pci_device *d)
{
    struct pci_reset_spared spared;

    if (pci_is_bridge(d) || d->removed)
        return;
    text_printf(out, "  reset %s\n", pci_reset_name(pci_reset_choose(d, &spared)));
    if (spared.why)
        text_printf(out, "  no-reset %s: %s\n", spared.name, spared.why);
}

/* What it interrupts with, or is interrupted for. */
static void show_events(struct text *out, const struct pci_device *d)
{
    if (d->intx_pin)
        text_printf(out, "  intx %c\n", 'A' + d->intx_pin - 1);
    if (irq_count(d, IRQ_MSI))
        text_printf(out, "  msi %u\n", irq_count(d, IRQ_MSI));
    if (irq_count(d, IRQ_MSIX))
        text_printf(out, "  msix %u\n", irq_count(d, IRQ_MSIX));
    if (pci_express_type(d) == PCIE_ROOT_PORT)
        text_printf(out, "  errors %s\n", port_errors_show(d));
}

static void show_reserved(struct text *out, const struct pci_device *d)
{
    struct phys_run region;
    size_t at = 0;

    while (iommu_reserved_next(d->requesters, 1, &at, &region))
        text_printf(out, "  reserved 0x%lx+0x%lx\n", region.base, region.length);
}

/* One text of a function's lines, so that nothing comes between them. */
static void show(const struct pci_device *d)
{
    static char buffer[4096];
    struct text out;

    text_init(&out, buffer, sizeof(buffer));
    show_place(&out, d);
    show_group(&out, d);
    show_ids(&out, d);
    show_reset(&out, d);
    show_bars(&out, d);
    show_events(&out, d);
    show_reserved(&out, d);
    log_raw(buffer, out.length);
}

void show_devices(void)
{
    const struct pci_device *d;

    list_for_each_entry (d, pci_devices(), link)
        show(d);
}
