/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/pci/check.h"

#include "kernel/lib/error.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/window.h"

/* Writes to this window are interrupt messages, whoever sends them (VT-d 3.13). */
#define INTERRUPT_WINDOW      UINT64_C(0xfee00000)
#define INTERRUPT_WINDOW_SIZE MIB
/* From the I/O APICs on: HPET, TPM, memory controller and PCH, VT-d, flash. No window leads there.
 */
#define CHIPSET  UINT64_C(0xfec00000)
#define IO_PORTS 0x10000
/* Below are the ports that PCs always had: configuration space, reset, timers, keyboard. */
#define IO_OF_PCS 0x1000
/* In one block, of which the tables name parts, chipsets also have what raises and masks SMIs. */
#define PM_BLOCK 128

/* Addresses something occupies, and its name as it reads in a sentence. */
struct space {
    char name[64];
    bool io; /* ports, not memory */
    paddr_t base;
    uint64_t length;
    paddr_t after; /* end of the first thing it overlaps */
    /* Whose it is, and which of its ranges. */
    const struct pci_device *device;
    unsigned index;
};

static int overlap(struct space *s, const char *other, paddr_t base, uint64_t length,
                   struct refusal *why)
{
    if (!ranges_overlap(s->base, s->length, base, length))
        return 0;
    s->after = base + length;
    return refuse(why, -EINVAL, "%s (0x%lx, %lu KiB) overlaps %s at 0x%lx", s->name, s->base,
                  (s->length + 1023) / 1024, other, base);
}

/* By which the machine is switched off, reset, timed and heard. */
static int check_registers(struct space *s, const struct acpi_info *acpi, struct refusal *why)
{
    const struct {
        const struct acpi_register *at;
        uint64_t block;
    } registers[] = {
        {&acpi->pm_control[0], PM_BLOCK},
        {&acpi->pm_control[1], PM_BLOCK},
        {&acpi->pm_timer, PM_BLOCK},
        {&acpi->events[0].at, PM_BLOCK},
        {&acpi->events[1].at, PM_BLOCK},
        {&acpi->events[2].at, PM_BLOCK},
        {&acpi->events[3].at, PM_BLOCK},
        {&acpi->reset, 8},
        {&acpi->console, 8},
    };
    enum acpi_space space = s->io ? ACPI_SPACE_IO : ACPI_SPACE_MEMORY;
    int error = 0;

    for (size_t i = 0; !error && i < ARRAY_SIZE(registers); i++)
        if (registers[i].at->space == space && registers[i].at->address)
            error = overlap(s, s->io ? "ports of the firmware" : "registers of the firmware",
                            ALIGN_DOWN(registers[i].at->address, registers[i].block),
                            registers[i].block, why);
    return error;
}

static int check_platform(struct space *s, const struct pci_machine *m, struct refusal *why)
{
    const struct acpi_info *acpi = m->acpi;
    int error = overlap(s, "the interrupt window", INTERRUPT_WINDOW, INTERRUPT_WINDOW_SIZE, why);

    if (!error)
        error = overlap(s, "the local APIC", acpi->local_apic, PAGE_SIZE, why);
    for (size_t i = 0; !error && i < acpi->io_apic_count; i++)
        error = overlap(s, "an I/O APIC", acpi->io_apics[i].base, PAGE_SIZE, why);
    for (size_t i = 0; !error && i < acpi->dmar.unit_count; i++)
        error = overlap(s, "a VT-d unit", acpi->dmar.units[i].registers,
                        acpi->dmar.units[i].register_size, why);
    if (!error && acpi->hpet)
        error = overlap(s, "the HPET", acpi->hpet, PAGE_SIZE, why);
    if (!error)
        error = overlap(s, "registers of the chipset", CHIPSET, 4 * GIB - CHIPSET, why);
    if (!error)
        error = check_registers(s, acpi, why);
    for (size_t i = 0; !error && i < m->ram_count; i++)
        error = overlap(s, "RAM", m->ram[i].base, m->ram[i].length, why);
    for (size_t i = 0; !error && i < m->keep_out_count; i++)
        error = overlap(s, "a keep-out range", m->keep_out[i].base, m->keep_out[i].length, why);
    return error;
}

static struct space ecam_space(const struct acpi_ecam *e)
{
    struct space s = {
        .base = e->base + e->first_bus * MIB,
        .length = (e->last_bus - e->first_bus + 1u) * MIB,
    };

    format(s.name, sizeof(s.name), "PCI configuration space of segment %u", e->segment);
    return s;
}

int pci_check_ecam(const struct pci_machine *machine, struct refusal *why)
{
    for (size_t i = 0; i < machine->acpi->ecam_count; i++) {
        struct space s = ecam_space(&machine->acpi->ecams[i]);
        int error = check_platform(&s, machine, why);

        if (error)
            return error;
    }
    return 0;
}

static int check_io(struct space *s, const struct pci_machine *m, struct refusal *why)
{
    uint16_t command = m->acpi->smi_command;
    int error;

    s->after = PADDR_NONE;
    if (s->base + s->length > IO_PORTS)
        return refuse(why, -EINVAL, "%s lies beyond the I/O ports, at 0x%lx", s->name, s->base);
    error = overlap(s, "ports of the chipset", 0, IO_OF_PCS, why);
    if (!error && command)
        error = overlap(s, "the firmware's command port", command, 1, why);
    return error ? error : check_registers(s, m->acpi, why);
}

static int check_memory(struct space *s, const struct pci_machine *m, struct refusal *why)
{
    unsigned width = m->acpi->dmar.address_width;
    int error;

    s->after = PADDR_NONE;
    if (s->base > PADDR_NONE - s->length ||
        (width < 64 && s->base + s->length > (uint64_t)1 << width))
        return refuse(why, -EINVAL, "%s (0x%lx) lies beyond the %u address bits of this machine",
                      s->name, s->base, width);
    error = check_platform(s, m, why);
    for (size_t i = 0; !error && i < m->acpi->ecam_count; i++) {
        struct space ecam = ecam_space(&m->acpi->ecams[i]);

        error = overlap(s, ecam.name, ecam.base, ecam.length, why);
    }
    return error;
}

static int check_machine(struct space *s, const struct pci_machine *m, struct refusal *why)
{
    return s->io ? check_io(s, m, why) : check_memory(s, m, why);
}

/* The first ranges of each function, so many of them, but for windows that lead to the device. */
static int check_functions(struct space *s, unsigned ranges, struct refusal *why)
{
    char other[64];
    const struct pci_device *d;
    struct pci_window w;

    list_for_each_entry (d, pci_devices(), link) {
        for (unsigned n = 0; n < ranges; n++) {
            if ((d == s->device && n == s->index) || !pci_range(d, n, s->io, &w) ||
                !ranges_overlap(s->base, s->length, w.base, w.last - w.base + 1) ||
                (n >= PCI_WINDOW_IO && pci_is_below(s->device, d)))
                continue;
            format(other, sizeof(other), "BAR %u of device %s", n, pci_name(d));
            return overlap(s, other, w.base, w.last - w.base + 1, why);
        }
    }
    return 0;
}

/* Where bridges above do not lead, something else answers. */
static int check_path(const struct space *s, struct refusal *why)
{
    for (const struct pci_device *b = s->device->bridge; b; b = b->bridge)
        if (!pci_passes(b, s->io, s->base, s->base + (s->length - 1)))
            return refuse(why, -EINVAL, "%s (0x%lx) lies in no window of bridge %s", s->name,
                          s->base, pci_name(b));
    return 0;
}

bool pci_is_free(const struct pci_device *device, bool io, paddr_t base, uint64_t length,
                 const struct pci_machine *machine, paddr_t *after)
{
    struct space s = {
        .io = io, .base = base, .length = length, .device = device, .index = PCI_RANGES};
    struct refusal unused;
    int error = check_machine(&s, machine, &unused);

    for (size_t i = 0; !error && !io && i < machine->reserved_count; i++)
        error = overlap(&s, "reserved memory", machine->reserved[i].base,
                        machine->reserved[i].length, &unused);
    if (!error)
        error = check_functions(&s, PCI_RANGES, &unused);
    *after = s.after;
    return !error;
}

/* A BAR, or the expansion ROM; ROMs of others are off, so BARs may lie over them. */
static int check_range(struct space *s, unsigned ranges, const struct pci_machine *m,
                       struct refusal *why)
{
    int error;

    if (!s->base)
        return refuse(why, -EINVAL, "%s has no address", s->name);
    error = check_machine(s, m, why);
    if (!error)
        error = check_functions(s, ranges, why);
    return error ? error : check_path(s, why);
}

static struct space space_of(const struct pci_device *d, const struct pci_bar *bar, unsigned index)
{
    struct space s = {
        .io = bar->flags & PCI_BAR_IO,
        .base = bar->base,
        .length = bar->size,
        .device = d,
        .index = index,
    };

    format(s.name, sizeof(s.name), "BAR %u of device %s", index, pci_name(d));
    return s;
}

static int check_bar(struct pci_device *device, unsigned index, const struct pci_machine *m,
                     struct refusal *why)
{
    struct pci_bar *bar = &device->bars[index];
    struct space s = space_of(device, bar, index);
    int error = bar->size ? check_range(&s, PCI_BARS, m, why) : 0;
    struct refusal unused;

    if (error || s.io || bar->size >= PAGE_SIZE || !IS_ALIGNED(bar->base, PAGE_SIZE))
        return error;
    s.length = PAGE_SIZE;
    if (!check_range(&s, PCI_RANGES, m, &unused))
        bar->flags |= PCI_BAR_OWN_PAGE;
    return 0;
}

/* Drivers do without ports. All of them: while one is decoded, so are the others. */
static void leave_ports_out(struct pci_device *device, const struct refusal *why)
{
    log_info("%s: goes without its I/O ports: %s", pci_name(device), why->sentence);
    for (unsigned i = 0; i < PCI_BARS; i++)
        if (device->bars[i].flags & PCI_BAR_IO)
            device->bars[i].size = 0;
}

/* Vectors are written where its BAR says. */
static void check_port(struct pci_device *port, const struct pci_machine *m)
{
    unsigned bar = port->msix_location & 7;
    struct refusal unused;

    if (bar >= PCI_BARS || check_bar(port, bar, m, &unused))
        port->msix_entries = 0;
}

int pci_check_reach(const struct pci_device *device, const struct phys_run *reach,
                    const struct pci_machine *machine, struct refusal *why)
{
    struct pci_machine open = *machine;
    struct space s = {.base = reach->base, .length = reach->length};

    open.keep_out_count = 0;
    format(s.name, sizeof(s.name), "the keep-out range of device %s", pci_name(device));
    return check_memory(&s, &open, why);
}

int pci_check_resources(struct pci_device *device, const struct pci_machine *machine,
                        struct refusal *why)
{
    struct space rom = space_of(device, &device->rom, PCI_RANGE_ROM);
    struct refusal unused;

    if (device->header_type != PCI_HEADER_DEVICE)
        return refuse(why, -EINVAL, "device %s is a bridge and cannot be assigned",
                      pci_name(device));
    for (unsigned i = 0; i < PCI_BARS; i++) {
        int error = check_bar(device, i, machine, why);

        if (error && !(device->bars[i].flags & PCI_BAR_IO))
            return error;
        if (error)
            leave_ports_out(device, why);
    }
    if (check_range(&rom, PCI_RANGES, machine, &unused))
        device->rom.base = 0;
    for (struct pci_device *port = device->bridge; port; port = port->bridge)
        check_port(port, machine);
    return 0;
}
