/* SPDX-License-Identifier: BSD-2-Clause */
/* From a PCI function to an FME and ports with device files. */
#include "drivers/afu/internal.h"
#include "drivers/afu/port_reset.h"
#include "kernel/cpu/mmio.h"
#include "kernel/file/tree.h"
#include "kernel/lib/error.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/paging/paging.h"
#include "kernel/pci/registers.h"

#define DFL_MAJOR     247
#define FME_MINOR     0
#define PORT_MINOR    64
#define VECTORS_MAX   64
#define FME_HEADER    0x70
#define WINDOW_PAGE   (64 * KIB) /* how much of a BAR the walker has mapped at a time */
#define EDU_REGISTERS 0x100

static struct list devices = LIST_INIT(devices);

/* What the walker has mapped of the card at the moment. */
struct card_window {
    const struct pci_device *pci;
    unsigned bar;
    uint64_t offset;
    uint64_t size;
    void *mapped;
};

static void window_close(struct card_window *w)
{
    if (w->mapped)
        mmio_unmap(w->mapped, w->size);
    w->mapped = NULL;
}

static uint64_t window_read(void *context, unsigned bar, uint64_t offset)
{
    struct card_window *w = context;
    uint64_t page = ALIGN_DOWN(offset, WINDOW_PAGE);

    if (!w->mapped || w->bar != bar || w->offset != page) {
        window_close(w);
        w->bar = bar;
        w->offset = page;
        w->size = MIN(WINDOW_PAGE, w->pci->bars[bar].size - page);
        w->mapped = mmio_map(w->pci->bars[bar].base + page, w->size);
    }
    /* Without memory for the mapping the card reads as absent hardware does. */
    return w->mapped ? mmio_read64((char *)w->mapped + (offset - page)) : ~UINT64_C(0);
}

static bool bar_usable(const struct pci_bar *bar)
{
    return bar->size && bar->base && !(bar->flags & PCI_BAR_IO);
}

static int walk_card(struct afu_device *device, unsigned bar, struct refusal *why)
{
    struct dfl_start starts[DFL_STARTS_MAX];
    struct card_window window = {.pci = device->pci};
    struct dfl_card card = {.read = window_read, .context = &window, .vectors = device->vectors};
    int count = afu_card_starts(device->pci, bar, starts);

    if (count < 0)
        return refuse(why, count, "%s: its DFL capability is malformed", pci_name(device->pci));
    for (unsigned i = 0; i < PCI_BARS; i++)
        if (bar_usable(&device->pci->bars[i]))
            card.bar_size[i] = device->pci->bars[i].size;
    int error = dfl_walk(&card, starts, (size_t)count, &device->dfl);
    window_close(&window);
    if (error)
        return refuse(why, error, "%s: %s", pci_name(device->pci), device->dfl.message);
    return 0;
}

static volatile void *map_registers(const struct afu_device *device, unsigned bar, uint64_t offset,
                                    uint64_t size)
{
    return mmio_map(device->pci->bars[bar].base + offset, size);
}

static struct afu_vectors vectors_of(const struct dfl_unit *unit, uint16_t id)
{
    const struct dfl_feature *f = dfl_find(unit, id);

    return f ? (struct afu_vectors){f->irq_first, f->irq_count} : (struct afu_vectors){0, 0};
}

static void set_window(struct afu_port *port, enum afu_window_index index, uint16_t id)
{
    const struct dfl_feature *f = dfl_find(port->unit, id);

    if (f)
        port->windows[index] = (struct afu_window){f->bar, f->offset, f->size};
}

/* Two purposes that name the same vector would steal each other's interrupts; the first wins. */
static int add_dfl_port(struct afu_device *device, const struct dfl_unit *unit)
{
    struct afu_port *port = &device->ports[device->port_count];
    const struct dfl_feature *header = &unit->features[0];

    port->device = device;
    port->unit = unit;
    port->ops = &afu_dfl_ops;
    port->header_size = header->size;
    port->header = map_registers(device, header->bar, header->offset, header->size);
    if (!port->header)
        return -ENOMEM;
    device->port_count++;
    afu_regions_init(&port->regions, device->ioas, device->user);
    set_window(port, AFU_WINDOW_AFU, DFL_ID_AFU);
    set_window(port, AFU_WINDOW_STP, DFL_PORT_SIGNALTAP);
    port->error_irqs = vectors_of(unit, DFL_PORT_ERROR);
    port->user_irqs = vectors_of(unit, DFL_PORT_USER_INTERRUPT);
    return 0;
}

static int add_fme(struct afu_device *device)
{
    const struct dfl_feature *header = &device->dfl.fme.features[0];

    device->has_fme = true;
    device->fme.device = device;
    device->fme.error_irqs = vectors_of(&device->dfl.fme, DFL_FME_ERROR);
    device->fme.header = map_registers(device, header->bar, header->offset, FME_HEADER);
    return device->fme.header ? 0 : -ENOMEM;
}

static int read_dfl(struct afu_device *device, int bar, struct refusal *why)
{
    const struct afu_card *known = afu_card_find(device->pci->vendor, device->pci->device);
    int error;

    if (bar == AFU_BAR_KNOWN)
        bar = known ? (int)known->bar : 0;
    device->reset_bound_ns = known ? known->reset_bound_ns : PORT_RESET_CARD_NS;
    error = walk_card(device, (unsigned)bar, why);
    if (!error && device->dfl.has_fme)
        error = add_fme(device);
    for (unsigned i = 0; !error && i < device->dfl.port_count; i++)
        error = add_dfl_port(device, &device->dfl.ports[i]);
    return error;
}

static int read_edu(struct afu_device *device, int bar, struct refusal *why)
{
    struct afu_port *port = &device->ports[0];
    unsigned use = bar == AFU_BAR_KNOWN ? 0 : (unsigned)bar;
    const struct pci_bar *bars = device->pci->bars;

    if (use >= PCI_BARS || !bar_usable(&bars[use]) || bars[use].size < EDU_REGISTERS)
        return refuse(why, -ENODEV, "%s: BAR %u cannot serve as an AFU", pci_name(device->pci),
                      use);
    port->header = map_registers(device, use, 0, EDU_REGISTERS);
    if (!port->header)
        return -ENOMEM;
    device->port_count = 1;
    port->device = device;
    port->ops = &afu_edu_ops;
    port->header_size = EDU_REGISTERS;
    port->windows[AFU_WINDOW_AFU] = (struct afu_window){use, 0, bars[use].size};
    port->user_irqs = (struct afu_vectors){0, device->vectors};
    afu_regions_init(&port->regions, device->ioas, device->user);
    return 0;
}

static int map_bars(struct afu_device *device)
{
    struct memobj *object;

    for (unsigned i = 0; i < PCI_BARS; i++)
        if (lease_bar(&device->lease, i, &object) == -ENOMEM)
            return -ENOMEM;
    return 0;
}

static int reset_ports(struct afu_device *device, struct refusal *why)
{
    for (unsigned i = 0; i < device->port_count; i++) {
        int error = device->ports[i].ops->reset(&device->ports[i]);

        if (error)
            return refuse(why, error, "%s: port %u does not acknowledge its reset",
                          pci_name(device->pci), i);
    }
    return 0;
}

#define PORT_NODE(port)  format_short("/dev/dfl-port.%u", (port)->id)
#define FME_NODE(device) format_short("/dev/dfl-fme.%u", (device)->fme.id)

static void unpublish(struct afu_device *device)
{
    for (unsigned i = 0; i < device->port_count; i++)
        tree_remove(PORT_NODE(&device->ports[i]));
    if (device->has_fme)
        tree_remove(FME_NODE(device));
    afu_sysfs_remove(device);
}

/* Device files and rows; numbers follow those given out so far. */
static int publish(struct afu_device *device)
{
    const struct afu_device *other;
    unsigned port_id = 0;
    int error;

    list_for_each_entry (other, &devices, link) {
        device->region = MAX(device->region, other->region + 1);
        port_id += other->port_count;
        device->fme.id += other->has_fme;
    }
    for (unsigned i = 0; i < device->port_count; i++)
        device->ports[i].id = port_id + i;
    error = afu_sysfs_add(device);
    if (!error && device->has_fme)
        error = tree_add_device(FME_NODE(device), DFL_MAJOR, FME_MINOR + device->fme.id,
                                afu_fme_open, device);
    for (unsigned i = 0; !error && i < device->port_count; i++) {
        struct afu_port *port = &device->ports[i];

        error =
            tree_add_device(PORT_NODE(port), DFL_MAJOR, PORT_MINOR + port->id, afu_port_open, port);
    }
    if (error)
        unpublish(device);
    return error;
}

/* Undoes whatever of afu_add() was done. */
static void destroy(struct afu_device *device)
{
    for (unsigned i = 0; i < device->port_count; i++)
        mmio_unmap((void *)device->ports[i].header, device->ports[i].header_size);
    if (device->fme.header)
        mmio_unmap((void *)device->fme.header, FME_HEADER);
    lease_drop_bars(&device->lease);
    (void)mutex_lock_deaf(&device->lock, AFU_OWNER);
    if (device->ioas)
        ioas_destroy(device->ioas);
    mutex_retire(&device->lock);
    kfree(device->eventfds);
    kfree(device);
}

static struct afu_device *create(struct pci_device *pci, const struct ioas_user *user)
{
    struct afu_device *device = kzalloc(sizeof(*device));
    unsigned vectors = irq_count(pci, IRQ_MSIX);

    if (!device)
        return NULL;
    if (!vectors)
        vectors = irq_count(pci, IRQ_MSI);
    device->pci = pci;
    device->user = user;
    mutex_init(&device->lock);
    device->vectors = MIN(vectors, VECTORS_MAX);
    device->lease = (struct lease){
        .pci = pci,
        .terms = {.owner = AFU_OWNER,
                  .awake = afu_device_awake,
                  .tables = &device->tables,
                  .vectors = device->vectors,
                  .handler = afu_interrupt,
                  .context = device},
    };
    device->eventfds = kcalloc(VECTORS_MAX, sizeof(struct file *));
    if (device->eventfds && ioas_create(user->account, &device->lock, &device->ioas) == 0 &&
        map_bars(device) == 0) {
        ioas_tables_init(&device->tables, device->ioas);
        return device;
    }
    destroy(device);
    return NULL;
}

int afu_add(struct pci_device *pci, enum afu_provider provider, int bar,
            const struct ioas_user *user, struct refusal *why)
{
    struct afu_device *device = create(pci, user);
    int error = -ENOMEM;

    refuse(why, error, "%s: no memory for its AFU", pci_name(pci));
    if (!device)
        return error;
    pci_write16(pci, PCI_COMMAND, pci_read16(pci, PCI_COMMAND) | PCI_COMMAND_MEMORY);
    error = provider == AFU_EDU ? read_edu(device, bar, why) : read_dfl(device, bar, why);
    if (!error)
        error = reset_ports(device, why);
    if (!error)
        error = publish(device);
    if (error) {
        destroy(device);
        return error;
    }
    list_push_back(&devices, &device->link);
    log_info("%s: %u AFU port%s%s", pci_name(pci), device->port_count,
             device->port_count == 1 ? "" : "s", device->has_fme ? ", with an FME" : "");
    return 0;
}

void afu_remove_all(void)
{
    while (!list_empty(&devices)) {
        struct afu_device *device = list_first(&devices, struct afu_device, link);

        list_remove(&device->link);
        unpublish(device);
        destroy(device);
    }
}
