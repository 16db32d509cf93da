/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt lines through I/O APICs. */
#include "kernel/irq/line.h"

#include "kernel/cpu/mmio.h"
#include "kernel/cpu/trap.h"
#include "kernel/iommu/remap.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/paging/paging.h"

enum {
    IO_APIC_SELECT = 0x00, /* which register the window shows */
    IO_APIC_WINDOW = 0x10,
    IO_APIC_SIZE = 0x20,
    IO_APIC_VERSION = 0x01,     /* highest pin in 23:16 */
    IO_APIC_REDIRECTION = 0x10, /* two registers for each pin */
};

/* Low half of a redirection entry. The high half holds destination or entry index. */
enum redirection {
    REDIRECTION_SMI = 2 << 8, /* delivery mode in 10:8; 0 in remappable format */
    REDIRECTION_DELIVERY = 7 << 8,
    REDIRECTION_INDEX_15 = 1 << 11, /* remappable format: bit 15 of the index */
    REDIRECTION_ACTIVE_LOW = 1 << 13,
    REDIRECTION_LEVEL = 1 << 15,
    REDIRECTION_MASKED = 1 << 16,
};

/* High half in remappable format: bits 14:0 of the index, and the format bit. */
#define REDIRECTION_INDEX_SHIFT 17
#define REDIRECTION_REMAPPABLE  (1u << 16)
/* High half in compatibility format. */
#define REDIRECTION_CPU_SHIFT 24

struct io_apic {
    volatile uint8_t *registers;
    uint8_t id;
    unsigned first; /* global system interrupt of pin 0 */
    unsigned pins;
};

struct irq_line {
    struct io_apic *io_apic;
    unsigned pin;
    bool masked, held; /* by who enabled it; by kernel/cpu/storm.c */
    uint32_t low;      /* what is in the low half, but for the mask */
    int vector;
    struct iommu_unit *unit; /* NULL: not remapped */
    unsigned entry;
    irq_handler handler;
    void *context;
};

static struct io_apic *io_apics;
static size_t io_apic_count;

static uint32_t read_register(const struct io_apic *io_apic, unsigned index)
{
    mmio_write32(io_apic->registers + IO_APIC_SELECT, index);
    return mmio_read32(io_apic->registers + IO_APIC_WINDOW);
}

static void write_register(const struct io_apic *io_apic, unsigned index, uint32_t value)
{
    mmio_write32(io_apic->registers + IO_APIC_SELECT, index);
    mmio_write32(io_apic->registers + IO_APIC_WINDOW, value);
}

static void write_low(const struct io_apic *io_apic, unsigned pin, uint32_t value)
{
    write_register(io_apic, IO_APIC_REDIRECTION + 2 * pin, value);
}

static void write_high(const struct io_apic *io_apic, unsigned pin, uint32_t value)
{
    write_register(io_apic, IO_APIC_REDIRECTION + 2 * pin + 1, value);
}

/* ---- start ---- */

static struct io_apic *find(unsigned gsi)
{
    for (size_t i = 0; i < io_apic_count; i++) {
        if (gsi >= io_apics[i].first && gsi - io_apics[i].first < io_apics[i].pins)
            return &io_apics[i];
    }
    return NULL;
}

/* By which the firmware enters SMM: neither to be masked nor to be had. */
static bool is_firmwares(const struct io_apic *io_apic, unsigned pin)
{
    uint32_t low = read_register(io_apic, IO_APIC_REDIRECTION + 2 * pin);

    return (low & REDIRECTION_DELIVERY) == REDIRECTION_SMI;
}

static int add_io_apic(const struct acpi_io_apic *described, struct refusal *why)
{
    struct io_apic *io_apic = &io_apics[io_apic_count];

    *io_apic = (struct io_apic){.id = described->id, .first = described->gsi_base};
    io_apic->registers = mmio_map(described->base, IO_APIC_SIZE);
    if (!io_apic->registers)
        return refuse(why, -ENOMEM, "the registers of I/O APIC %u could not be mapped",
                      described->id);
    io_apic->pins = (unsigned)bits_get(read_register(io_apic, IO_APIC_VERSION), 23, 16) + 1;
    for (unsigned pin = 0; pin < io_apic->pins; pin++) {
        if (find(io_apic->first + pin)) {
            mmio_unmap((void *)io_apic->registers, IO_APIC_SIZE);
            return refuse(why, -EINVAL, "two I/O APICs claim interrupt %u", io_apic->first + pin);
        }
        if (!is_firmwares(io_apic, pin))
            write_low(io_apic, pin, REDIRECTION_MASKED);
    }
    io_apic_count++;
    return 0;
}

int irq_lines_init(const struct acpi_io_apic *described, size_t count, struct refusal *why)
{
    int error = 0;

    kfree(io_apics);
    io_apic_count = 0;
    io_apics = kcalloc(count, sizeof(*io_apics));
    if (count && !io_apics)
        return refuse(why, -ENOMEM, "no memory for the I/O APICs");
    for (size_t i = 0; !error && i < count; i++)
        error = add_io_apic(&described[i], why);
    return error;
}

/* ---- lines ---- */

static void on_line(void *context)
{
    struct irq_line *line = context;

    /* Until the device is served the line stays asserted and would fire without end. */
    irq_line_mask(line, true);
    line->handler(line->context, 0);
}

static void hold_line(void *context, bool on)
{
    struct irq_line *line = context;

    line->held = on;
    irq_line_mask(line, line->masked);
}

/* The entry and the pin agree in vector and trigger mode, or the pin's remote-IRR bit sticks. */
static int route_remapped(struct irq_line *line)
{
    struct remap_source source = {.check = VTD_SOURCE_EXACT};
    int error;

    line->unit = iommu_unit_for_special(DMAR_SCOPE_IO_APIC, line->io_apic->id, &source.id);
    if (!line->unit || !iommu_remaps_interrupts(line->unit)) {
        line->unit = NULL;
        return 0;
    }
    error = remap_alloc(line->unit, 1, false, &line->entry);
    if (error)
        return error;
    remap_write(line->unit, line->entry, (uint8_t)line->vector, cpu_apic_id(), true, source);
    error = remap_commit(line->unit, line->entry, 1);
    if (error)
        remap_free(line->unit, line->entry, 1);
    return error;
}

static void program(struct irq_line *line)
{
    uint32_t high = cpu_apic_id() << REDIRECTION_CPU_SHIFT;

    line->low = (uint32_t)line->vector | REDIRECTION_LEVEL | REDIRECTION_ACTIVE_LOW;
    if (line->unit) {
        high = line->entry << REDIRECTION_INDEX_SHIFT | REDIRECTION_REMAPPABLE;
        line->low |= line->entry >> 15 ? REDIRECTION_INDEX_15 : 0;
    }
    write_low(line->io_apic, line->pin, line->low | REDIRECTION_MASKED);
    write_high(line->io_apic, line->pin, high);
}

bool irq_line_exists(unsigned gsi)
{
    const struct io_apic *io_apic = find(gsi);

    return io_apic && !is_firmwares(io_apic, gsi - io_apic->first);
}

int irq_line_enable(unsigned gsi, irq_handler handler, void *context, struct irq_line **out)
{
    struct io_apic *io_apic = find(gsi);
    struct irq_line *line;
    int error;

    if (!irq_line_exists(gsi))
        return -ENOENT;
    line = kzalloc(sizeof(*line));
    if (!line)
        return -ENOMEM;
    line->io_apic = io_apic;
    line->pin = gsi - io_apic->first;
    line->handler = handler;
    line->context = context;
    line->vector = vector_alloc(on_line, hold_line, line);
    error = line->vector < 0 ? -ENOSPC : 0;
    if (error)
        goto free_line;
    error = route_remapped(line);
    if (error)
        goto free_vector;
    line->masked = true;
    program(line);
    *out = line;
    return 0;

free_vector:
    vector_free((unsigned)line->vector);
free_line:
    kfree(line);
    return error;
}

void irq_line_mask(struct irq_line *line, bool masked)
{
    line->masked = masked;
    write_low(line->io_apic, line->pin,
              line->low | (masked || line->held ? REDIRECTION_MASKED : 0));
}

void irq_line_disable(struct irq_line *line)
{
    write_low(line->io_apic, line->pin, REDIRECTION_MASKED);
    if (line->unit)
        remap_free(line->unit, line->entry, 1);
    vector_free((unsigned)line->vector);
    kfree(line);
}
