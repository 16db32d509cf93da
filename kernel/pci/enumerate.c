/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding every function. Bus numbers of bridges are taken as the firmware set them. A bridge's
 * secondary bus must be higher than its own, so one pass over the buses in rising order reaches
 * everything, and no arrangement of bus numbers can make it run in circles.
 */
#include "kernel/machine/acpi/acpi.h"
#include "kernel/cpu/thread.h"
#include "kernel/cpu/time.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/paging/paging.h"
#include "kernel/pci/pci.h"
#include "kernel/pci/quirks.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/reset.h"

#define BUSES         256
#define FUNCTION_SIZE 4096

#define READY_BOUND_NS (60 * NS_PER_S)
#define READY_POLL_NS  (10 * NS_PER_MS)

static struct list devices = LIST_INIT(devices);

/* The scan of one ECAM window. */
struct scan {
    const struct acpi_ecam *ecam;
    char *window;                    /* mapping of its first bus */
    struct pci_device *above[BUSES]; /* the bridge that leads to a bus */
    unsigned covered;                /* the highest bus number some bridge lays claim to */
    unsigned bus;
    uint64_t ready_by;        /* the functions of the bus, all together */
    struct pci_device *found; /* by scan_function(), or NULL */
    struct refusal *why;
};

struct list *pci_devices(void)
{
    return &devices;
}

struct pci_device *pci_find(uint16_t segment, pci_rid_t rid)
{
    struct pci_device *d;

    list_for_each_entry (d, &devices, link)
        if (d->segment == segment && d->rid == rid)
            return d;
    return NULL;
}

/* Here, while every function answers: kernel/pci/msix_table.c hides the table where this says. */
static void read_msix(struct pci_device *d)
{
    d->msix_entries = 0;
    if (!d->cap_msix)
        return;
    d->msix_location = pci_read32(d, d->cap_msix + PCI_MSIX_TABLE);
    d->msix_entries = (pci_read16(d, d->cap_msix + PCI_MSIX_CONTROL) & PCI_MSIX_CONTROL_SIZE) + 1;
}

static void find_capabilities(struct pci_device *d)
{
    d->cap_pm = (uint16_t)pci_find_capability(d, PCI_CAP_PM);
    d->cap_msi = (uint16_t)pci_find_capability(d, PCI_CAP_MSI);
    d->cap_msix = (uint16_t)pci_find_capability(d, PCI_CAP_MSIX);
    read_msix(d);
    d->cap_af = (uint16_t)pci_find_capability(d, PCI_CAP_AF);
    d->cap_pcie = (uint16_t)pci_find_capability(d, PCI_CAP_PCIE);
    /* Behind a bridge to conventional PCI, offsets above 255 would wrap around to low ones. */
    d->config_size = d->cap_pcie ? FUNCTION_SIZE : 256;
    if (pci_read32(d, PCI_EXT_CAP_START) == 0xffffffff)
        d->config_size = 256; /* where all there is reads as ones, too */
    d->cap_acs = (uint16_t)pci_find_extended_capability(d, PCI_EXT_CAP_ACS);
    if (d->cap_acs)
        d->acs_control =
            d->cap_acs + (pci_quirk(d, QUIRK_WIDE_ACS) ? PCI_ACS_CONTROL_WIDE : PCI_ACS_CONTROL);
    d->cap_ats = (uint16_t)pci_find_extended_capability(d, PCI_EXT_CAP_ATS);
    if (d->cap_ats)
        d->ats_depth = pci_read16(d, d->cap_ats + PCI_ATS_CAP) & PCI_ATS_CAP_DEPTH;
    d->cap_sriov = (uint16_t)pci_find_extended_capability(d, PCI_EXT_CAP_SRIOV);
}

static void read_subsystem(struct pci_device *d)
{
    unsigned offset = PCI_SUBSYSTEM_VENDOR;

    if (d->header_type == PCI_HEADER_BRIDGE) {
        offset = pci_find_capability(d, PCI_CAP_SSID);
        if (!offset)
            return;
        offset += 4;
    } else if (d->header_type != PCI_HEADER_DEVICE) {
        return;
    }
    d->subsystem_vendor = pci_read16(d, offset);
    d->subsystem_device = pci_read16(d, offset + 2);
}

static void note_bridge(struct scan *s, struct pci_device *d)
{
    /* At low power it shows itself alone, and on the way out of it may forget where it leads. */
    pci_save(d);
    if (pci_set_power(d, 0))
        pci_config_restore(d);
    d->secondary = pci_read8(d, PCI_SECONDARY_BUS);
    d->subordinate = pci_read8(d, PCI_SUBORDINATE_BUS);
    if (d->secondary <= s->bus || d->subordinate < d->secondary ||
        d->subordinate > s->ecam->last_bus || s->above[d->secondary] ||
        (d->bridge && d->subordinate > d->bridge->subordinate)) {
        log_warn("pci: bridge %s leads to buses %u to %u, which makes no sense; ignored",
                 pci_name(d), d->secondary, d->subordinate);
        d->secondary = d->subordinate = 0;
        return;
    }
    s->above[d->secondary] = d;
    s->covered = MAX(s->covered, d->subordinate);
}

/* At its place in the list, also when MCFG has the segments in another order. */
static void insert(struct pci_device *d)
{
    struct list *at = devices.prev;

    while (at != &devices && pci_order(list_entry(at, struct pci_device, link)) > pci_order(d))
        at = at->prev;
    list_add_after(at, &d->link);
}

/*
 * The vendor, or ones. A function that is there but not ready shows retry status, where its port
 * does not ask again by itself: it has a minute, as behind a reset, with all others of its bus.
 */
static uint16_t wait_for_vendor(const struct pci_device *d, uint64_t deadline)
{
    uint16_t vendor;

    while ((vendor = pci_read16(d, PCI_VENDOR)) == PCI_VENDOR_RETRY) {
        if (time_expired(deadline)) {
            log_error("pci: %s was not ready within a minute; left out", pci_name(d));
            return UINT16_MAX;
        }
        thread_nap("pci scan", READY_POLL_NS);
    }
    return vendor;
}

/* What it sends with, where nothing in configuration space tells. */
static void learn_ids(struct pci_device *d)
{
    const struct pci_quirk *function = pci_quirk(d, QUIRK_AS_FUNCTION);
    const struct pci_quirk *slot = pci_quirk(d, QUIRK_AS_SLOT);
    const struct pci_device *above = d->bridge;

    d->aliases[0] = 0;
    if (function && function->value != PCI_FUNCTION(d->rid))
        pci_set_alias(d, 0, (uint8_t)((d->rid & ~7u) | function->value), function->why);
    if (slot)
        pci_set_alias(d, 0, (uint8_t)slot->value, slot->why);
    /* Some can also be turned around, with PCI above them. */
    d->hides_express = pci_is_bridge(d) && !d->cap_pcie && above && above->cap_pcie &&
                       pci_express_type(above) != PCIE_TO_PCI_BRIDGE &&
                       pci_quirk(d, QUIRK_HIDDEN_EXPRESS);
}

void pci_learn(struct pci_device *d)
{
    d->class_code = pci_read32(d, PCI_REVISION) >> 8;
    d->revision = pci_read8(d, PCI_REVISION);
    d->header_type = pci_read8(d, PCI_HEADER_TYPE) & (uint8_t)~PCI_HEADER_MULTIFUNCTION;
    if (d->physical)
        d->header_type = PCI_HEADER_DEVICE; /* what it says there means nothing */
    d->intx_pin = pci_read8(d, PCI_INTERRUPT_PIN);
    if (d->intx_pin > 4 || d->physical)
        d->intx_pin = 0;
    find_capabilities(d);
    if (d->physical)
        d->ats_depth = d->physical->ats_depth; /* they share its queue */
    read_subsystem(d);
    learn_ids(d);
}

bool pci_learn_new(struct pci_device *d)
{
    struct pci_device probe = *d;

    probe.removed = false;
    probe.vendor = wait_for_vendor(&probe, time_ns() + READY_BOUND_NS);
    if (probe.vendor == UINT16_MAX || probe.vendor == 0)
        return false;
    d->removed = d->in_reset = d->lost = false;
    d->vendor = probe.vendor;
    d->device = pci_read16(d, PCI_DEVICE_ID);
    pci_learn(d);
    /* As the enumeration leaves all others. */
    pci_change16(d, PCI_COMMAND, PCI_COMMAND_MASTER, PCI_COMMAND_INTX_DISABLE);
    pci_size_bars_of(d);
    return true;
}

/* What is not there yet, but to be, on a bus of the same window. */
static struct pci_device *add(const struct pci_device *near, pci_rid_t rid)
{
    struct pci_device *d = kzalloc(sizeof(*d));

    if (!d)
        return NULL;
    d->segment = near->segment;
    d->rid = rid;
    d->config_size = FUNCTION_SIZE;
    d->config = (char *)near->config + (rid - near->rid) * FUNCTION_SIZE;
    d->in_reset = d->lost = true; /* until it is enabled, and has come back soon */
    insert(d);
    return d;
}

struct pci_device *pci_add_virtual(struct pci_device *physical, pci_rid_t rid)
{
    struct pci_device *d = add(physical, rid);

    if (!d)
        return NULL;
    d->vendor = physical->vendor;
    d->device = pci_read16(physical, physical->cap_sriov + PCI_SRIOV_DEVICE_ID);
    d->bridge = physical->bridge;
    d->physical = physical;
    physical->virtuals++;
    return d;
}

void pci_add_empty(uint16_t segment, pci_rid_t rid)
{
    struct pci_device *port, *d;

    list_for_each_entry (port, &devices, link) {
        if (port->segment != segment || !pci_has_slot(port) ||
            rid != PCI_RID(port->secondary, 0, 0))
            continue;
        d = add(port, rid);
        if (d) {
            d->bridge = port;
            d->removed = true;
        }
        return;
    }
}

void pci_forget_virtuals(struct pci_device *physical)
{
    struct pci_device *d, *next;

    list_for_each_entry_safe (d, next, &devices, link)
        if (d->physical == physical) {
            list_remove(&d->link);
            kfree(d);
        }
    physical->virtuals = 0;
}

/* Adds one function if it is there. */
static int scan_function(struct scan *s, unsigned slot, unsigned function)
{
    struct pci_device probe = {
        .segment = s->ecam->segment,
        .rid = PCI_RID(s->bus, slot, function),
        .config_size = 256,
        .config = s->window + (uint64_t)(s->bus - s->ecam->first_bus) * MIB +
                  (slot * 8 + function) * FUNCTION_SIZE,
        .bridge = s->above[s->bus],
    };
    struct pci_device *d;

    s->found = NULL;
    probe.vendor = wait_for_vendor(&probe, s->ready_by);
    if (probe.vendor == 0xffff || probe.vendor == 0)
        return 0;
    d = kzalloc(sizeof(*d));
    if (!d)
        return refuse(s->why, -ENOMEM, "out of memory while looking for PCI functions");
    *d = probe;
    d->device = pci_read16(d, PCI_DEVICE_ID);
    pci_learn(d);
    if (pci_is_bridge(d))
        note_bridge(s, d);
    insert(d);
    s->found = d;
    return 0;
}

/* The functions of a slot: all, or those behind the first only if that says there are more. */
static int scan_slot(struct scan *s, unsigned slot, bool all)
{
    int error = scan_function(s, slot, 0);

    all |= s->found && (pci_read8(s->found, PCI_HEADER_TYPE) & PCI_HEADER_MULTIFUNCTION);
    for (unsigned function = 1; !error && all && function < 8; function++)
        error = scan_function(s, slot, function);
    return error;
}

/* With alternative routing ids (ARI) one device has up to 256 functions, and gaps between them. */
static int scan_bus(struct scan *s)
{
    const struct pci_device *above = s->above[s->bus];
    bool link = above && pci_is_link_head(above);
    bool ari =
        link && (pci_read16(above, above->cap_pcie + PCIE_DEVICE_CTL2) & PCIE_DEVICE_CTL2_ARI);
    /* Some devices answer to every device number on their link. */
    unsigned slots = link && !ari ? 1 : 32;
    int error = 0;

    s->ready_by = time_ns() + READY_BOUND_NS;
    for (unsigned slot = 0; !error && slot < slots; slot++)
        error = scan_slot(s, slot, ari);
    return error;
}

/*
 * A bus no bridge claims may be another root bus: ACPI names those only in byte code, so they are
 * found by looking. Buses inside a bridge's range that lead nowhere are not touched.
 */
static int scan_window(struct scan *s)
{
    int error = 0;

    for (s->bus = s->ecam->first_bus; !error && s->bus <= s->ecam->last_bus; s->bus++)
        if (s->above[s->bus] || !s->covered || s->bus > s->covered)
            error = scan_bus(s);
    return error;
}

static int scan_ecam(const struct acpi_ecam *ecam, struct refusal *why)
{
    uint64_t length = (ecam->last_bus - ecam->first_bus + 1u) * MIB;
    struct scan *s = kzalloc(sizeof(*s));
    int error;

    if (!s)
        return refuse(why, -ENOMEM, "out of memory while looking for PCI functions");
    s->ecam = ecam;
    s->why = why;
    s->window = mmio_map(ecam->base + ecam->first_bus * MIB, length);
    error = s->window ? scan_window(s)
                      : refuse(why, -ENOMEM, "PCI configuration space at 0x%lx cannot be mapped",
                               ecam->base);
    kfree(s);
    return error;
}

int pci_enumerate(const struct acpi_ecam *ecams, size_t count, struct refusal *why)
{
    int error = 0;

    for (size_t i = 0; !error && i < count; i++)
        error = scan_ecam(&ecams[i], why);
    if (!error && list_empty(&devices))
        return refuse(why, -ENODEV, "no PCI function was found in configuration space");
    return error;
}
