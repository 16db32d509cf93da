/* SPDX-License-Identifier: BSD-2-Clause */
/* The attributes under /sys/class/fpga_region that user programs read. */
#include "drivers/afu/internal.h"
#include "kernel/cpu/mmio.h"
#include "kernel/file/tree.h"
#include "kernel/lib/error.h"
#include "kernel/lib/format.h"
#include "kernel/mm/paging/paging.h"
#include "kernel/pci/registers.h"

#define PATH_SIZE      96
#define AFU_GUID_LOW   0x08
#define AFU_GUID_BYTES 0x18
#define ERRORS_OFFSET  0x10

/*
 * Opening an attribute takes no lock, and the card may be used by another family, starting,
 * stopping or in reset: its registers are read only while it decodes them for us or nobody. Else
 * -EBUSY.
 */
static bool readable(const struct afu_device *device, struct text *out)
{
    const struct pci_device *pci = device->pci;
    uint16_t command = pci_read16(pci, PCI_COMMAND);

    if ((pci->claimed_by && !device->users) || pci->in_reset || command == 0xffff ||
        !(command & PCI_COMMAND_MEMORY))
        out->error = -EBUSY;
    return !out->error;
}

/* 0 with out->error set if it cannot be read. */
static uint64_t port_register(const struct afu_port *port, unsigned offset, struct text *out)
{
    if (!readable(port->device, out))
        return 0;
    return mmio_read64((const volatile char *)port->header + offset);
}

/* The AFU may only be touched while its port is not in reset. */
static void show_afu_id(void *context, struct text *out)
{
    const struct afu_port *port = context;
    const struct afu_window *afu = &port->windows[AFU_WINDOW_AFU];
    const struct pci_bar *bar = &port->device->pci->bars[afu->bar];

    if (!readable(port->device, out))
        return;
    if (port->ops->held(port)) {
        out->error = -EBUSY;
        return;
    }
    volatile char *at = mmio_map(bar->base + afu->offset, AFU_GUID_BYTES);
    if (!at) {
        out->error = -ENOMEM;
        return;
    }
    text_printf(out, "%016lx%016lx\n", mmio_read64(at + AFU_GUID_LOW + 8),
                mmio_read64(at + AFU_GUID_LOW));
    mmio_unmap((void *)at, AFU_GUID_BYTES);
}

static void show_port_id(void *context, struct text *out)
{
    const struct afu_port *port = context;

    text_printf(out, "%u\n", port->unit->number);
}

static void show_ltr(void *context, struct text *out)
{
    text_printf(out, "%u\n",
                !!(port_register(context, DFL_PORT_CTRL, out) & DFL_PORT_CTRL_LATENCY));
}

static void show_power_state(void *context, struct text *out)
{
    text_printf(out, "0x%lx\n", bits_get(port_register(context, DFL_PORT_STS, out), 11, 8));
}

static void show_ap1(void *context, struct text *out)
{
    text_printf(out, "%u\n", !!(port_register(context, DFL_PORT_STS, out) & DFL_PORT_STS_AP1));
}

static void show_ap2(void *context, struct text *out)
{
    text_printf(out, "%u\n", !!(port_register(context, DFL_PORT_STS, out) & DFL_PORT_STS_AP2));
}

/* The error register of a port's error feature. */
static void show_port_errors(void *context, struct text *out)
{
    const struct afu_port *port = context;
    const struct dfl_feature *f = dfl_find(port->unit, DFL_PORT_ERROR);
    volatile char *at;

    if (!f || f->size < ERRORS_OFFSET + 8) {
        out->error = -ENODEV;
        return;
    }
    if (!readable(port->device, out))
        return;
    at = mmio_map(port->device->pci->bars[f->bar].base + f->offset, ERRORS_OFFSET + 8);
    if (!at) {
        out->error = -ENOMEM;
        return;
    }
    text_printf(out, "0x%lx\n", mmio_read64(at + ERRORS_OFFSET));
    mmio_unmap((void *)at, ERRORS_OFFSET + 8);
}

static uint64_t fme_register(const struct afu_device *device, unsigned offset, struct text *out)
{
    if (!readable(device, out))
        return 0;
    return mmio_read64((const volatile char *)device->fme.header + offset);
}

static void show_bitstream_id(void *context, struct text *out)
{
    text_printf(out, "0x%lx\n", fme_register(context, DFL_FME_BITSTREAM_ID, out));
}

static void show_bitstream_metadata(void *context, struct text *out)
{
    text_printf(out, "0x%lx\n", fme_register(context, DFL_FME_BITSTREAM_MD, out));
}

static void show_ports_num(void *context, struct text *out)
{
    text_printf(out, "%lu\n", bits_get(fme_register(context, DFL_FME_CAP, out), 19, 17));
}

static const struct tree_text fme_attributes[] = {
    {"bitstream_id", show_bitstream_id},
    {"bitstream_metadata", show_bitstream_metadata},
    {"ports_num", show_ports_num},
};

static const struct tree_text port_attributes[] = {
    {"id", show_port_id},    {"ltr", show_ltr},       {"power_state", show_power_state},
    {"ap1_event", show_ap1}, {"ap2_event", show_ap2}, {"errors/errors", show_port_errors},
};

/* Any provider's port has an AFU; the rest only a DFL port. */
static const struct tree_text any_port_attributes[] = {
    {"afu_id", show_afu_id},
};

static void region_folder(const struct afu_device *device, char path[PATH_SIZE])
{
    format(path, PATH_SIZE, "/sys/class/fpga_region/region%u", device->region);
}

static int add_port(struct afu_port *port)
{
    char folder[PATH_SIZE];
    int error = 0;

    format(folder, sizeof(folder), "/sys/class/fpga_region/region%u/dfl-port.%u",
           port->device->region, port->id);
    if (port->windows[AFU_WINDOW_AFU].size >= AFU_GUID_BYTES && port->unit)
        error = tree_add_texts(folder, any_port_attributes, ARRAY_SIZE(any_port_attributes), port);
    if (!error && port->unit)
        error = tree_add_texts(folder, port_attributes, ARRAY_SIZE(port_attributes), port);
    return error ? error : tree_add_directory(folder);
}

int afu_sysfs_add(struct afu_device *device)
{
    char folder[PATH_SIZE], target[PATH_SIZE], link[PATH_SIZE + 8];
    int error = 0;

    region_folder(device, folder);
    format(link, sizeof(link), "%s/device", folder);
    format(target, sizeof(target), "../../../bus/pci/devices/%s", pci_name(device->pci));
    error = tree_add_link(link, target);
    if (!error && device->has_fme) {
        char fme[PATH_SIZE];

        format(fme, sizeof(fme), "/sys/class/fpga_region/region%u/dfl-fme.%u", device->region,
               device->fme.id);
        error = tree_add_texts(fme, fme_attributes, ARRAY_SIZE(fme_attributes), device);
    }
    for (unsigned i = 0; !error && i < device->port_count; i++)
        error = add_port(&device->ports[i]);
    if (error)
        afu_sysfs_remove(device);
    return error;
}

void afu_sysfs_remove(const struct afu_device *device)
{
    char folder[PATH_SIZE];

    region_folder(device, folder);
    tree_remove(folder);
}
