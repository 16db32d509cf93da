/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/kernel/internal.h"

#include "kernel/cpu/mmio.h"
#include "kernel/cpu/thread.h"
#include "kernel/cpu/time.h"
#include "kernel/irq/line.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/mm/paging/paging.h"
#include "kernel/pci/registers.h"
#include "tests/kernel/edu.h"

/* Behind the ISA interrupts; which of them is edu's is told in bytecode that nobody here reads. */
#define FIRST_GSI 16u
#define GSIS      8u
#define NAP       (20 * NS_PER_MS)

struct rig {
    struct pci_device *device;
    uint16_t command;
    volatile uint8_t *registers;
    struct irq_line *lines[GSIS];
    unsigned arrived[GSIS];
};

static void on_line(void *context, unsigned index)
{
    unsigned *arrived = context;

    (*arrived)++;
}

/* Lets what is on its way arrive; how often any line has fired since the start. */
static unsigned arrivals(const struct rig *rig)
{
    unsigned sum = 0;

    thread_sleep("test lines", time_ns() + NAP);
    for (unsigned i = 0; i < GSIS; i++)
        sum += rig->arrived[i];
    return sum;
}

static int expect(const struct rig *rig, unsigned wanted, const char *when, struct refusal *why)
{
    unsigned found = arrivals(rig);

    if (found == wanted)
        return 0;
    return refuse(why, -EIO, "test lines: %u interrupts instead of %u %s", found, wanted, when);
}

static int play(struct rig *rig, unsigned *which, struct refusal *why)
{
    int error;

    mmio_write32(rig->registers + EDU_INTERRUPT_RAISE, 1);
    error = expect(rig, 1, "after the first", why);
    for (*which = 0; !error && !rig->arrived[*which];)
        ++*which;
    if (error)
        return error;
    irq_line_mask(rig->lines[*which], false);
    error = expect(rig, 2, "with the line still asserted", why);
    if (error)
        return error;
    mmio_write32(rig->registers + EDU_INTERRUPT_ACK, 1);
    irq_line_mask(rig->lines[*which], false);
    error = expect(rig, 2, "with the line at rest", why);
    if (error)
        return error;
    mmio_write32(rig->registers + EDU_INTERRUPT_RAISE, 1);
    error = expect(rig, 3, "after the second", why);
    if (!error && rig->arrived[*which] != 3)
        error = refuse(why, -EIO, "test lines: it came on two lines");
    return error;
}

static int set_up(struct rig *rig)
{
    int error = 0;

    rig->registers = mmio_map(rig->device->bars[0].base, EDU_BAR_SIZE);
    if (!rig->registers)
        return -ENOMEM;
    pci_enable_path(rig->device);
    pci_write16(rig->device, PCI_COMMAND,
                (rig->command | PCI_COMMAND_MEMORY) & (uint16_t)~PCI_COMMAND_INTX_DISABLE);
    for (unsigned i = 0; !error && i < GSIS; i++) {
        error = irq_line_enable(FIRST_GSI + i, on_line, &rig->arrived[i], &rig->lines[i]);
        if (!error)
            irq_line_mask(rig->lines[i], false);
    }
    return error;
}

static void take_down(struct rig *rig)
{
    if (rig->registers) {
        mmio_write32(rig->registers + EDU_INTERRUPT_ACK, ~0u);
        mmio_unmap((void *)rig->registers, EDU_BAR_SIZE);
    }
    for (unsigned i = 0; i < GSIS; i++) {
        if (rig->lines[i])
            irq_line_disable(rig->lines[i]);
    }
    pci_write16(rig->device, PCI_COMMAND, rig->command);
}

int test_lines(struct refusal *why)
{
    static struct rig rig;
    unsigned which = 0;
    int error;

    rig = (struct rig){.device = edu_find()};
    if (!rig.device)
        return refuse(why, -ENODEV, "test lines: there is no edu device (1234:11e8)");
    rig.command = pci_read16(rig.device, PCI_COMMAND) & (uint16_t)~PCI_COMMAND_MASTER;
    error = set_up(&rig);
    if (error)
        refuse(why, error, "test lines: setting up failed (%s)", error_name(error));
    else
        error = play(&rig, &which, why);
    take_down(&rig);
    if (!error)
        log_info("test lines: passed, 3 interrupts on line %u", FIRST_GSI + which);
    return error;
}
