/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/pci/check.h"

#include "kernel/lib/error.h"
#include "kernel/lib/format.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/window.h"

/* Writes to this window are interrupt messages, whoever sends them (VT-d 3.13). */
#define INTERRUPT_WINDOW      UINT64_C(0xfee00000)
#define INTERRUPT_WINDOW_SIZE MIB
#define IO_PORTS              0x10000
/* Below are the ports that PCs always had: configuration space, reset, timers, keyboard. */
#define IO_OF_PCS 0x1000

/* Addresses something occupies, and its name as it reads in a sentence. */
struct space {
    char name[64];
    paddr_t base;
    uint64_t length;
    paddr_t after; /* end of the first thing it overlaps */
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

static struct space bar_space(const struct pci_device *d, unsigned index)
{
    char name[PCI_NAME_SIZE];
    struct space s = {.base = d->bars[index].base, .length = d->bars[index].size};

    format(s.name, sizeof(s.name), "BAR %u of device %s", index, pci_name(d, name));
    return s;
}

/* Memory BARs share one address space, I/O BARs another. */
static int check_against_bars(struct space *s, const struct pci_bar *bar, struct refusal *why)
{
    struct pci_device *d;

    list_for_each_entry (d, pci_devices(), link) {
        for (unsigned i = 0; i < PCI_BARS; i++) {
            const struct pci_bar *other = &d->bars[i];
            struct space o;
            int error;

            if (other == bar || other->size == 0 || other->base == 0 ||
                (other->flags & PCI_BAR_IO) != (bar->flags & PCI_BAR_IO))
                continue;
            o = bar_space(d, i);
            error = overlap(s, o.name, o.base, o.length, why);
            if (error)
                return error;
        }
    }
    return 0;
}

/* Ports of the machine by which it is switched off, reset, timed and heard. */
static int check_io(struct space *s, const struct pci_machine *m, struct refusal *why)
{
    const struct acpi_info *acpi = m->acpi;
    const struct acpi_register *const registers[] = {&acpi->pm_control[0], &acpi->pm_control[1],
                                                     &acpi->pm_timer, &acpi->reset, &acpi->console};
    int error;

    s->after = PADDR_NONE;
    if (s->base + s->length > IO_PORTS)
        return refuse(why, -EINVAL, "%s lies beyond the I/O ports, at 0x%lx", s->name, s->base);
    error = overlap(s, "ports of the chipset", 0, IO_OF_PCS, why);
    if (!error && acpi->smi_command)
        error = overlap(s, "the firmware's command port", acpi->smi_command, 1, why);
    for (size_t i = 0; !error && i < ARRAY_SIZE(registers); i++)
        if (registers[i]->space == ACPI_SPACE_IO && registers[i]->address)
            error = overlap(s, "ports of the firmware", registers[i]->address, 8, why);
    return error;
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

/* Where bridges above do not lead, something else answers. */
static int check_path(const struct space *s, const struct pci_device *d, bool io,
                      struct refusal *why)
{
    const struct pci_device *bridge = pci_barred_by(d, io, s->base, s->base + (s->length - 1));
    char name[PCI_NAME_SIZE];

    if (!bridge)
        return 0;
    return refuse(why, -EINVAL, "%s (0x%lx) lies in no window of bridge %s", s->name, s->base,
                  pci_name(bridge, name));
}

bool pci_is_free(bool io, paddr_t base, uint64_t length, const struct pci_machine *machine,
                 paddr_t *after)
{
    struct space s = {.base = base, .length = length};
    struct refusal unused;
    int error = io ? check_io(&s, machine, &unused) : check_memory(&s, machine, &unused);

    *after = s.after;
    return !error;
}

/* Is the BAR less than a page, and nothing else on that page? */
static bool owns_page(struct space s, const struct pci_bar *bar, const struct pci_machine *m)
{
    struct refusal unused;

    s.length = PAGE_SIZE;
    return bar->size < PAGE_SIZE && !(bar->flags & PCI_BAR_IO) &&
           IS_ALIGNED(bar->base, PAGE_SIZE) && !check_memory(&s, m, &unused) &&
           !check_against_bars(&s, bar, &unused);
}

/* Drivers do without an expansion ROM: one that cannot be reached is only not there. */
static void check_rom(struct pci_device *device, const struct pci_machine *m)
{
    struct pci_bar *rom = &device->rom;
    struct space s = {.name = "expansion ROM", .base = rom->base, .length = rom->size};
    struct refusal unused;

    if (rom->size && (check_memory(&s, m, &unused) || check_against_bars(&s, rom, &unused)))
        rom->base = 0;
}

int pci_check_reach(const struct pci_device *device, const struct phys_run *reach,
                    const struct pci_machine *machine, struct refusal *why)
{
    struct pci_machine open = *machine;
    struct space s = {.base = reach->base, .length = reach->length};
    char name[PCI_NAME_SIZE];

    open.keep_out_count = 0;
    format(s.name, sizeof(s.name), "the keep-out range of device %s", pci_name(device, name));
    return check_memory(&s, &open, why);
}

int pci_check_resources(struct pci_device *device, const struct pci_machine *machine,
                        struct refusal *why)
{
    char name[PCI_NAME_SIZE];

    if (device->header_type != PCI_HEADER_DEVICE)
        return refuse(why, -EINVAL, "device %s is a bridge and cannot be assigned",
                      pci_name(device, name));
    for (unsigned i = 0; i < PCI_BARS; i++) {
        struct pci_bar *bar = &device->bars[i];
        struct space s = bar_space(device, i);
        bool io = bar->flags & PCI_BAR_IO;
        int error;

        if (bar->size == 0)
            continue;
        if (bar->base == 0 && io) {
            bar->size = 0;
            continue;
        }
        error = io ? check_io(&s, machine, why) : check_memory(&s, machine, why);
        if (!error)
            error = check_against_bars(&s, bar, why);
        if (!error)
            error = check_path(&s, device, io, why);
        if (error)
            return error;
        if (owns_page(s, bar, machine))
            bar->flags |= PCI_BAR_OWN_PAGE;
    }
    check_rom(device, machine);
    return 0;
}
