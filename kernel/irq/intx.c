/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The INTx pin of a device and the line that it pulls (PCI local bus specification 3.0, 2.2.6 and
 * 6.2.2). The line is level-triggered and may be shared. A device that can be masked by its command
 * register is masked there each time it fires, and the line goes on for the others; of one that
 * cannot, the line itself is masked, and it shares it with nobody.
 */
#include "kernel/irq/internal.h"
#include "kernel/irq/line.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/mm/heap.h"
#include "kernel/pci/registers.h"

/* Interrupts in a row that no device of a line owns up to, after which the line stays off. */
#define UNCLAIMED_MAX 100

struct intx_line {
    struct list link; /* among all lines in use */
    unsigned gsi;
    struct irq_line *pin;
    struct list sharers; /* struct irq_set */
    unsigned unclaimed;
};

static struct list lines = LIST_INIT(lines);

static unsigned intx_count(const struct pci_device *device)
{
    return device->intx_gsi ? 1 : 0;
}

/* ---- masks ---- */

/* Of a device in reset nothing is asked, nor of one that is gone; irq_restore() programs it. */
static void mask_device(const struct irq_set *set)
{
    struct pci_device *device = set->device;

    device->intx_on = !set->vectors[0].masked;
    if (!device->in_reset)
        pci_change16(device, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE, pci_command_bits(device));
}

static void mask_pin(const struct intx_line *line)
{
    const struct irq_set *first = list_first(&line->sharers, struct irq_set, sharing);
    bool masked = !first->masks_itself && first->vectors[0].masked;

    irq_line_mask(line->pin, masked || line->unclaimed >= UNCLAIMED_MAX);
}

static void intx_program(const struct irq_set *set)
{
    if (set->masks_itself)
        mask_device(set);
    else
        mask_pin(set->line);
}

static bool intx_mask(const struct irq_set *set, unsigned index)
{
    intx_program(set);
    return true;
}

/* ---- interrupts ---- */

/*
 * Is it this device that pulls the line? It is masked on return. One that was masked before pulls
 * only if it has forgotten that, and is told again.
 */
static bool pulls(struct irq_set *set)
{
    struct irq_vector *vector = &set->vectors[0];
    bool fires = !vector->masked;
    /* Command and status. */
    uint32_t both = set->device->in_reset ? UINT32_MAX : pci_read32(set->device, PCI_COMMAND);

    if (set->masks_itself) {
        if (both == UINT32_MAX || !(both >> 16 & PCI_STATUS_INTX))
            return false;
        if (!fires && (both & PCI_COMMAND_INTX_DISABLE))
            return false;
    }
    vector->masked = true;
    intx_program(set);
    if (fires)
        set->fire(vector);
    return true;
}

/* The pin was masked when it fired, and is what it should be at the end. */
static void on_line(void *context, unsigned index)
{
    struct intx_line *line = context;
    struct irq_set *set;
    bool claimed = false;

    list_for_each_entry (set, &line->sharers, sharing)
        claimed |= pulls(set);
    line->unclaimed = claimed ? 0 : line->unclaimed + 1;
    if (line->unclaimed == UNCLAIMED_MAX)
        log_error("interrupt %u: asserted, but none of the devices on this line says that it is "
                  "the one; off until all of them are given back",
                  line->gsi);
    mask_pin(line);
}

/* ---- joining and leaving ---- */

/* As the specification has it from 2.3 on: the disable bit can be written, and nothing else moves.
 */
static bool can_mask(const struct pci_device *device)
{
    uint16_t command = pci_read16(device, PCI_COMMAND);
    uint16_t changed;

    pci_write16(device, PCI_COMMAND, command ^ PCI_COMMAND_INTX_DISABLE);
    changed = pci_read16(device, PCI_COMMAND) ^ command;
    pci_write16(device, PCI_COMMAND, command);
    return changed == PCI_COMMAND_INTX_DISABLE;
}

static struct intx_line *find_line(unsigned gsi)
{
    struct intx_line *line;

    list_for_each_entry (line, &lines, link)
        if (line->gsi == gsi)
            return line;
    return NULL;
}

static int create_line(unsigned gsi, struct intx_line **out)
{
    struct intx_line *line = kzalloc(sizeof(*line));
    int error;

    if (!line)
        return -ENOMEM;
    error = irq_line_enable(gsi, on_line, line, &line->pin);
    if (error) {
        kfree(line);
        return error;
    }
    line->gsi = gsi;
    list_init(&line->sharers);
    list_push_back(&lines, &line->link);
    *out = line;
    return 0;
}

static int intx_open(struct irq_set *set)
{
    struct intx_line *line = find_line(set->device->intx_gsi);
    int error = 0;

    set->masks_itself = can_mask(set->device);
    if (line &&
        !(set->masks_itself && list_first(&line->sharers, struct irq_set, sharing)->masks_itself))
        return -EBUSY;
    if (!line)
        error = create_line(set->device->intx_gsi, &line);
    if (error)
        return error;
    set->line = line;
    list_push_back(&line->sharers, &set->sharing);
    mask_pin(line);
    return 0;
}

static void intx_stop(struct irq_set *set)
{
    struct intx_line *line = set->line;

    set->vectors[0].masked = true;
    intx_program(set);
    list_remove(&set->sharing);
    if (!list_empty(&line->sharers))
        return;
    list_remove(&line->link);
    irq_line_disable(line->pin);
    kfree(line);
}

const struct irq_ops irq_intx_ops = {
    .count = intx_count,
    .open = intx_open,
    .program = intx_program,
    .stop = intx_stop,
    .mask = intx_mask,
};
