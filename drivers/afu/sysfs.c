/* SPDX-License-Identifier: BSD-2-Clause */
/* The attributes under /sys/class/fpga_region that user programs read. */
#include "drivers/afu/internal.h"
#include "kernel/cpu/mmio.h"
#include "kernel/file/tree.h"
#include "kernel/lib/error.h"
#include "kernel/lib/format.h"
#include "kernel/mm/paging/paging.h"
#include "kernel/pci/registers.h"

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

/* An attribute that is bits of a register behind the header of a port, or of the FME. */
#define SHOW_BITS(function, type, format, offset, high, low)                                       \
    static void function(void *context, struct text *out)                                          \
    {                                                                                              \
        const struct type *of = context;                                                           \
                                                                                                   \
        if (readable(of->device, out))                                                             \
            text_printf(                                                                           \
                out, format "\n",                                                                  \
                bits_get(mmio_read64((const volatile char *)of->header + (offset)), high, low));   \
    }
SHOW_BITS(show_ltr, afu_port, "%lu", DFL_PORT_CTRL, 2, 2)
SHOW_BITS(show_power_state, afu_port, "0x%lx", DFL_PORT_STS, 11, 8)
SHOW_BITS(show_ap1, afu_port, "%lu", DFL_PORT_STS, 12, 12)
SHOW_BITS(show_ap2, afu_port, "%lu", DFL_PORT_STS, 13, 13)
SHOW_BITS(show_ports_num, afu_fme, "%lu", DFL_FME_CAP, 19, 17)
SHOW_BITS(show_bitstream_id, afu_fme, "0x%lx", DFL_FME_BITSTREAM_ID, 63, 0)
SHOW_BITS(show_bitstream_metadata, afu_fme, "0x%lx", DFL_FME_BITSTREAM_MD, 63, 0)

/* Registers behind no header, mapped for the moment; NULL with out->error set if that cannot be. */
static volatile char *map(const struct afu_device *device, unsigned bar, uint64_t offset,
                          uint64_t bytes, struct text *out)
{
    volatile char *at = NULL;

    if (readable(device, out))
        at = mmio_map(device->pci->bars[bar].base + offset, bytes);
    if (!at && !out->error)
        out->error = -ENOMEM;
    return at;
}

/* The AFU may only be touched while its port is not in reset. */
static void show_afu_id(void *context, struct text *out)
{
    const struct afu_port *port = context;
    const struct afu_window *afu = &port->windows[AFU_WINDOW_AFU];
    volatile char *at = NULL;

    if (readable(port->device, out) && port->ops->held(port))
        out->error = -EBUSY;
    if (!out->error)
        at = map(port->device, afu->bar, afu->offset, AFU_GUID_BYTES, out);
    if (!at)
        return;
    text_printf(out, "%016lx%016lx\n", mmio_read64(at + AFU_GUID_LOW + 8),
                mmio_read64(at + AFU_GUID_LOW));
    mmio_unmap((void *)at, AFU_GUID_BYTES);
}

TREE_SHOW(show_port_id, struct afu_port, "%u", it->unit->number)

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
    at = map(port->device, f->bar, f->offset, ERRORS_OFFSET + 8, out);
    if (!at)
        return;
    text_printf(out, "0x%lx\n", mmio_read64(at + ERRORS_OFFSET));
    mmio_unmap((void *)at, ERRORS_OFFSET + 8);
}

static const struct tree_text fme_attributes[] = {
    TREE_READ("bitstream_id", show_bitstream_id),
    TREE_READ("bitstream_metadata", show_bitstream_metadata),
    TREE_READ("ports_num", show_ports_num)};

/* Of a DFL port; the last one needs an AFU that is large enough to have an id. */
static const struct tree_text port_attributes[] = {TREE_READ("id", show_port_id),
                                                   TREE_READ("ltr", show_ltr),
                                                   TREE_READ("power_state", show_power_state),
                                                   TREE_READ("ap1_event", show_ap1),
                                                   TREE_READ("ap2_event", show_ap2),
                                                   TREE_READ("errors/errors", show_port_errors),
                                                   TREE_READ("afu_id", show_afu_id)};

#define FOLDER(device) format_short("/sys/class/fpga_region/region%u", (device)->region)

static int add_port(struct afu_port *port)
{
    const char *folder = format_short("%s/dfl-port.%u", FOLDER(port->device), port->id);
    bool nameless = port->windows[AFU_WINDOW_AFU].size < AFU_GUID_BYTES;

    if (!port->unit)
        return tree_add_directory(folder);
    return tree_add_texts(folder, port_attributes, ARRAY_SIZE(port_attributes) - nameless, port);
}

int afu_sysfs_add(struct afu_device *device)
{
    const char *folder = FOLDER(device);
    int error = tree_add_link(format_short("%s/device", folder),
                              format_short("../../../bus/pci/devices/%s", pci_name(device->pci)));

    if (!error && device->has_fme)
        error = tree_add_texts(format_short("%s/dfl-fme.%u", folder, device->fme.id),
                               fme_attributes, ARRAY_SIZE(fme_attributes), &device->fme);
    for (unsigned i = 0; !error && i < device->port_count; i++)
        error = add_port(&device->ports[i]);
    if (error)
        afu_sysfs_remove(device);
    return error;
}

void afu_sysfs_remove(const struct afu_device *device)
{
    tree_remove(FOLDER(device));
}
