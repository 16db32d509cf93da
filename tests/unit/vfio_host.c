/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/vfio_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/cpu/port.h"
#include "kernel/file/tree.h"
#include "kernel/device/iommufd/iommufd.h"
#include "kernel/ioas/group.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/reset.h"
#include "kernel/pci/sriov.h"
#include "kernel/device/vfio/vfio.h"
#include "tests/unit/host_heap.h"

struct sim_function *plain, *rich, *pair, *other, *left_below, *right_below, *joint, *silent;
struct sim_function *physical, *virtuals[2];

static struct row {
    char path[80];
    tree_open open;
    void *context;
} rows[128];
static size_t row_count;

/* ---- what happened ---- */

const char *host_tape[HOST_TAPE_MAX];
size_t host_tape_length;

void host_note(const char *event)
{
    if (host_tape_length < HOST_TAPE_MAX)
        host_tape[host_tape_length++] = event;
}

/* The tape tells of one device, the rich one. */
static void note_change(const struct sim_function *f, const char *event)
{
    if (f == rich)
        host_note(event);
}

/* ---- the machine ---- */

static void build_rich(void)
{
    unsigned msi, msix;

    rich = sim_add(0, RICH, 0x00101b36, 0x010802);
    sim_express(rich, PCIE_ENDPOINT, true);
    sim_power(rich, true);
    msi = sim_capability(rich, PCI_CAP_MSI, 24);
    sim_set(rich, msi + 2, 2, 0x0184, 0x71);
    msix = sim_capability(rich, PCI_CAP_MSIX, 12);
    sim_set(rich, msix + 2, 2, 7, 0xc000);
    sim_set(rich, msix + 4, 4, 0x2000, 0);
    sim_set(rich, msix + 8, 4, 0x3000, 0);
    sim_bar(rich, 0, 0xfe000000, 16 * KIB, PCI_BAR_TYPE_64);
    sim_bar(rich, 2, 0xc000, 32, PCI_BAR_SPACE_IO);
    sim_bar(rich, 4, 0xfe010000, 256, 0);
    sim_bar(rich, 5, 0xfe011000, 256, 0);
}

static struct sim_function *build_port(pci_rid_t rid, unsigned bus)
{
    struct sim_function *port = sim_add(0, rid, 0x000c1b36, 0x060400);

    sim_bridge(port, bus, bus);
    sim_express(port, PCIE_ROOT_PORT, false);
    sim_power(port, false);
    sim_access_control(port, 0x1d);
    return port;
}

/* Without a reset of its own. */
static struct sim_function *build_below(pci_rid_t rid, paddr_t bar)
{
    struct sim_function *f = sim_add(0, rid, 0x10d38086, 0x020000);

    sim_multifunction(f);
    sim_express(f, PCIE_ENDPOINT, false);
    sim_bar(f, 0, bar, 16 * KIB, 0);
    return f;
}

static void build_below_ports(void)
{
    unsigned msi;

    build_port(PCI_RID(0, 7, 0), 1);
    build_port(PCI_RID(0, 8, 0), 2);
    left_below = build_below(LEFT, 0xfc000000);
    right_below = build_below(RIGHT, 0xfc100000);
    sim_access_control(left_below, 0x1d);
    sim_access_control(right_below, 0x1d);
    msi = sim_capability(left_below, PCI_CAP_MSI, 14);
    sim_set(left_below, msi + 2, 2, 0x80, 0x71);
    joint = build_below(JOINT, 0xfc200000);
    silent = build_below(JOINT + 1, 0xfc300000);
}

static void build_physical(void)
{
    struct sim_function *port = build_port(PCI_RID(0, 9, 0), 3);

    sim_set(port, PCI_MEMORY_BASE, 4, 0xfc40fc40, 0xfff0fff0);
    physical = sim_add(0, PHYSICAL, 0x00101b36, 0x010802);
    sim_express(physical, PCIE_ENDPOINT, true);
    sim_access_control(physical, 0x0c);
    sim_bar(physical, 0, 0xfc400000, 16 * KIB, 0);
    sim_sriov(physical, ARRAY_SIZE(virtuals), 1, 1);
    sim_virtual_bar(physical, 0, 0xfc410000, 16 * KIB, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(virtuals); i++) {
        unsigned msix;

        virtuals[i] = sim_virtual(physical, VIRTUAL(i));
        sim_access_control(virtuals[i], 0);
        msix = sim_capability(virtuals[i], PCI_CAP_MSIX, 12);
        sim_set(virtuals[i], msix + 2, 2, 3, 0xc000);
        sim_set(virtuals[i], msix + 4, 4, 0x2000, 0);
    }
}

static void enable_virtual(void)
{
    static struct acpi_info acpi = {.dmar.address_width = 39};
    const struct pci_machine machine = {.acpi = &acpi};
    struct refusal why;

    if (pci_virtual_enable(pci_find(0, PHYSICAL), ARRAY_SIZE(virtuals), &machine, &why))
        abort();
    pci_find(0, PHYSICAL)->assigned = true;
    for (unsigned i = 0; i < ARRAY_SIZE(virtuals); i++)
        pci_find(0, VIRTUAL(i))->assigned = true;
}

void host_machine_build(void)
{
    struct pci_device *device;
    struct refusal why;
    unsigned msi;

    sim_reset();
    plain = sim_add(0, PLAIN, 0x11e81234, 0x00ff00);
    msi = sim_capability(plain, PCI_CAP_MSI, 14);
    sim_set(plain, msi + 2, 2, 0x80, 0x71);
    sim_bar(plain, 0, 0xfd000000, MIB, 0);
    sim_rom(plain, 0xfd200000, 64 * KIB);
    sim_vital_data(plain);
    build_rich();
    pair = sim_add(0, PAIR, 0x10d38086, 0x020000);
    sim_multifunction(pair);
    sim_add(0, PAIR + 1, 0x10d38086, 0x020000);
    other = sim_add(0, OTHER, 0x10d38086, 0x020000);
    build_below_ports();
    build_physical();
    sim_on_change = note_change;
    if (pci_enumerate(sim_ecams, 1, &why))
        abort();
    pci_size_bars();
    pci_find(0, RICH)->bars[5].flags |= PCI_BAR_OWN_PAGE; /* as pci_check_resources() finds */
    sim_remember();
    enable_virtual();
    list_for_each_entry (device, pci_devices(), link)
        device->requesters[0] = (struct requester *)device;
    pci_groups_build();
    pci_save_all();
    pci_find(0, RICH)->intx_gsi = 20;
    pci_find(0, PLAIN)->assigned = true;
    pci_find(0, RICH)->assigned = true;
    pci_find(0, PAIR)->assigned = true;
    pci_find(0, LEFT)->assigned = true;
    pci_find(0, RIGHT)->assigned = true;
    pci_find(0, JOINT)->assigned = true;
    if (vfio_add_groups(&why))
        abort();
}

int tree_add_device(const char *path, unsigned major, unsigned minor, tree_open open, void *context)
{
    if (host_must_fail())
        return -ENOMEM;
    if (row_count == ARRAY_SIZE(rows))
        abort();
    snprintf(rows[row_count].path, sizeof(rows[0].path), "%s", path);
    rows[row_count].open = open;
    rows[row_count++].context = context;
    return 0;
}

int tree_add_text(const char *path, tree_show show, void *context)
{
    return tree_add_device(path, 0, 0, NULL, context);
}

int tree_add_file(const char *path, uint32_t mode, uint64_t size, tree_open open, void *context)
{
    return tree_add_device(path, 0, 0, open, context);
}

int tree_add_link(const char *path, const char *target)
{
    return host_must_fail() ? -ENOMEM : 0;
}

int host_open_path(const char *path, struct file **out)
{
    for (size_t i = 0; i < row_count; i++)
        if (strcmp(rows[i].path, path) == 0)
            return rows[i].open(rows[i].context, FILE_RDWR, out);
    return -ENOENT;
}

int host_open_group(pci_rid_t rid, struct file **out)
{
    char path[80];

    snprintf(path, sizeof(path), "/dev/vfio/%u", pci_find(0, rid)->group->id);
    return host_open_path(path, out);
}

int host_open_device(pci_rid_t rid, struct file **out)
{
    char path[80];
    unsigned number;

    for (size_t i = 0; i < row_count; i++) {
        snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev/vfio%%u/dev",
                 pci_name(pci_find(0, rid)));
        if (sscanf(rows[i].path, path, &number) != 1)
            continue;
        snprintf(path, sizeof(path), "/dev/vfio/devices/vfio%u", number);
        return host_open_path(path, out);
    }
    return -ENOENT;
}

/* ---- containers ---- */

struct vfio_container {
    struct file *file;
};

int host_add_group_error;
bool host_container_ready = true;
unsigned host_groups_in_container;
void (*host_on_leave)(struct pci_group *group);

static void container_release(struct file *file)
{
    kfree(file->context);
}

static const struct file_ops container_ops = {.release = container_release};

struct file *host_container_create(void)
{
    struct vfio_container *container = kzalloc(sizeof(*container));

    container->file = file_create(&container_ops, container, FILE_RDWR, "container");
    return container->file;
}

struct vfio_container *vfio_container_of(struct file *file)
{
    return file->ops == &container_ops ? file->context : NULL;
}

int vfio_container_add_group(struct vfio_container *container, struct vfio_container_member *member)
{
    if (host_add_group_error)
        return host_add_group_error;
    file_get(container->file);
    host_groups_in_container++;
    return 0;
}

void vfio_container_remove_group(struct vfio_container *container,
                                 struct vfio_container_member *member)
{
    if (host_on_leave)
        host_on_leave(member->group);
    host_note("detached");
    host_groups_in_container--;
    file_put(container->file);
}

bool vfio_container_ready(const struct vfio_container *container)
{
    return host_container_ready;
}

/* ---- page tables of families that attach by themselves ---- */

int host_tables_error;
unsigned host_groups_in_tables;

int ioas_attach_group(struct ioas_tables *tables, struct pci_group *group)
{
    if (host_tables_error)
        return host_tables_error;
    if (host_must_fail())
        return -ENOMEM;
    host_note("attached");
    host_groups_in_tables++;
    return 0;
}

void ioas_detach_group(struct ioas_tables *tables, struct pci_group *group)
{
    if (host_groups_in_tables == 0)
        abort();
    if (host_on_leave)
        host_on_leave(group);
    host_note("detached");
    host_groups_in_tables--;
}

/* ---- iommufds ---- */

int host_bind_error, host_attach_error;
struct iommufd_device *host_bound;
bool host_compat;

static const struct file_ops iommufd_ops;

struct file *host_iommufd_create(void)
{
    return file_create(&iommufd_ops, NULL, FILE_RDWR, "iommufd");
}

bool file_is_iommufd(const struct file *file)
{
    return file->ops == &iommufd_ops;
}

/* Who is bound to which file. */
static struct iommufd_device *bound[8];

static void note_bound(struct iommufd_device *old, struct iommufd_device *new)
{
    for (size_t i = 0; i < ARRAY_SIZE(bound); i++)
        if (bound[i] == old) {
            bound[i] = new;
            return;
        }
    abort();
}

int iommufd_bind(struct file *file, struct pci_device *pci, struct iommufd_device **out)
{
    if (!file_is_iommufd(file))
        return -EBADFD;
    if (host_bind_error)
        return host_bind_error;
    *out = kzalloc(sizeof(**out));
    if (!*out)
        return -ENOMEM;
    host_note("bound");
    (*out)->file = file_get(file);
    (*out)->pci = pci;
    host_bound = *out;
    note_bound(NULL, *out);
    return 0;
}

void iommufd_unbind(struct iommufd_device *device)
{
    if (host_on_leave)
        host_on_leave(device->pci->group);
    host_note("unbound");
    note_bound(device, NULL);
    file_put(device->file);
    kfree(device);
    host_bound = NULL;
}

uint32_t iommufd_id_of(const struct iommufd_device *device, const struct pci_device *pci)
{
    uint32_t id = IOMMUFD_NOT_OWNED;

    for (size_t i = 0; i < ARRAY_SIZE(bound); i++) {
        if (!bound[i] || bound[i]->file != device->file)
            continue;
        if (bound[i]->pci == pci)
            return 42;
        if (bound[i]->pci->group == pci->group)
            id = 0;
    }
    return id;
}

uint32_t iommufd_device_id(const struct iommufd_device *device)
{
    return 42;
}

int iommufd_attach(struct iommufd_device *device, uint32_t *id)
{
    uint32_t compat = 7;

    if (!id && !host_compat)
        return -ENODEV;
    if (!id)
        id = &compat;
    if (host_attach_error)
        return host_attach_error;
    device->attached = *id;
    *id += 100; /* of the page table */
    return 0;
}

void iommufd_detach(struct iommufd_device *device)
{
    device->attached = 0;
}

int iommufd_compat_create(struct file *file)
{
    if (host_must_fail())
        return -ENOMEM;
    host_compat = true;
    return 0;
}

/* ---- interrupts ---- */

struct irq_set *host_irqs;
int host_irq_error, host_add_error;
bool host_remapped;
unsigned host_irq_enables;

bool irq_remapped(const struct pci_device *device)
{
    return host_remapped;
}

unsigned irq_count(const struct pci_device *device, enum irq_kind kind)
{
    if (kind == IRQ_INTX)
        return device->intx_gsi ? 1 : 0;
    if (kind == IRQ_MSIX)
        return device->msix_entries;
    return device->cap_msi ? 1u << (pci_read16(device, device->cap_msi + 2) >> 1 & 7) : 0;
}

int irq_enable(struct pci_device *device, enum irq_kind kind, unsigned count, irq_handler handler,
               void *context, struct irq_set **out)
{
    struct irq_set *set;

    if (host_irq_error)
        return host_irq_error;
    if (host_irqs || count > irq_count(device, kind))
        abort();
    set = kzalloc(sizeof(*set));
    if (!set)
        return -ENOMEM;
    *set = (struct irq_set){device, kind, count, handler, context, .masked = {0}};
    memset(set->masked, true, sizeof(set->masked));
    memset(set->up, true, count);
    host_note("vectors");
    host_irqs = *out = set;
    host_irq_enables++;
    return 0;
}

void irq_disable(struct irq_set *set)
{
    if (set != host_irqs)
        abort();
    host_note("no vectors");
    kfree(set);
    host_irqs = NULL;
}

bool irq_masked(const struct irq_set *set, unsigned index)
{
    return set->masked[index];
}

bool irq_mask(struct irq_set *set, unsigned index, bool masked)
{
    if (index >= ARRAY_SIZE(set->up))
        abort();
    if (set->up[index])
        set->masked[index] = masked;
    return set->up[index];
}

int irq_add(struct irq_set *set, unsigned index)
{
    if (set->kind != IRQ_MSIX || index >= irq_count(set->device, IRQ_MSIX))
        abort();
    if (!set->up[index] && host_add_error)
        return host_add_error;
    set->up[index] = true;
    return 0;
}

void irq_restore(struct irq_set *set)
{
    if (set != host_irqs)
        abort();
    host_note("vectors again");
    set->restored++;
}

/* ---- reserved memory, ports ---- */

pci_rid_t host_reserved = 0xffff;
struct host_port host_port;

/* A device is its own handle here. */
const char *iommu_withholds(const struct requester *requester)
{
    return ((const struct pci_device *)requester)->rid == host_reserved
               ? "the firmware reserved memory for its device"
               : NULL;
}

bool host_relaxable;

int iommu_end_reservation(struct requester *requester)
{
    const struct pci_device *device = (const struct pci_device *)requester;

    if (pci_read16(device, PCI_COMMAND) & PCI_COMMAND_MASTER)
        abort(); /* it could still do what the firmware told it to */
    if (device->rid == host_reserved && host_relaxable)
        host_reserved = 0xffff;
    return 0;
}

bool host_cut;

int iommu_cut(struct requester *requester, bool cut)
{
    if (((const struct pci_device *)requester)->rid != RICH || host_cut == cut)
        return 0;
    host_cut = cut;
    host_note(cut ? "cut" : "let in");
    return 0;
}

#define PORT_ACCESSORS(bits)                                                                       \
    uint##bits##_t port_read##bits(uint16_t port)                                                  \
    {                                                                                              \
        host_port = (struct host_port){port, bits / 8, false, host_port.value};                    \
        return (uint##bits##_t)host_port.value;                                                    \
    }                                                                                              \
    void port_write##bits(uint16_t port, uint##bits##_t value)                                     \
    {                                                                                              \
        host_port = (struct host_port){port, bits / 8, true, value};                               \
    }

PORT_ACCESSORS(8)
PORT_ACCESSORS(16)
PORT_ACCESSORS(32)
