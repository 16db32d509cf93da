/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts: which call is accepted, and firing by hand. */
#define _GNU_SOURCE
#include "irq_rows.h"
#include "vfio_device.h"

static void irq_errors(void)
{
    uint32_t max;

    START();
    max = irq_counts[MSI];
    open_events();
    memset(irq.data, 0xff, sizeof(irq.data));
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_SET_IRQS, NULL), EFAULT);
    CHECK_ERROR(set_irqs(EVENT | TRIGGER, 5, 0, 1), EINVAL);
    CHECK_ERROR(set_irqs(EVENT | TRIGGER | 64, MSI, 0, 1), EINVAL);
    CHECK_ERROR(set_irqs(EVENT | TRIGGER, MSI, max, 0), EINVAL);
    CHECK_ERROR(set_irqs(EVENT | TRIGGER, MSI, 0, max + 1), EINVAL);
    CHECK_ERROR(set_irqs(EVENT | TRIGGER, MSI, 1, 0xffffffff), EINVAL);
    CHECK_ERROR(set_irqs(EVENT | TRIGGER, MSI, 0xffffffff, 1), EINVAL);
    if (max == 0)
        return;
    CHECK_ERROR(set_irqs(TRIGGER, MSI, 0, 1), EINVAL);
    CHECK_ERROR(set_irqs(EVENT | BOOL | TRIGGER, MSI, 0, 1), EINVAL);
    CHECK_ERROR(set_irqs(EVENT, MSI, 0, 1), ENOTTY);
    CHECK_ERROR(set_irqs(EVENT | MASK | TRIGGER, MSI, 0, 1), ENOTTY);
    CHECK_ERROR(set_irqs(NONE | MASK, MSI, 0, 1), ENOTTY);
    CHECK_ERROR(set_irqs(EVENT | TRIGGER, MSI, 0, 0), ERANGE);
    CHECK_ERROR(set_irqs(NONE | TRIGGER, MSI, 0, 1), EINVAL);
    irq.data[0] = 1000;
    CHECK_ERROR(set_irqs(EVENT | TRIGGER, MSI, 0, 1), EBADF);
    irq.data[0] = device;
    CHECK_ERROR(set_irqs(EVENT | TRIGGER, MSI, 0, 1), EINVAL);
}

/* ---- every combination ---- */

static bool row_applies(const struct irq_row *row)
{
    return (row->enabled == IDLE || irq_counts[row->enabled]) && irq_counts[row->index];
}

static void try_row(const struct irq_row *row, unsigned line)
{
    const int fds[] = {
        [AN_EVENTFD] = events[1], [NO_FD] = -1, [A_CLOSED_ONE] = 1000, [NO_EVENTFD] = device};
    int result, error;

    if (row->enabled != IDLE && bind_event(row->enabled, 0, events[0]))
        CONFORM_FAIL("row %u: enabling index %u: %s", line, row->enabled, strerror(errno));
    memset(irq.data, 0xff, sizeof(irq.data));
    irq.data[0] = fds[row->fd];
    errno = 0;
    result = set_irqs(row->data | row->action, row->index, row->start, row->count);
    error = errno;
    if (result != (row->error ? -1 : 0) || error != row->error)
        CONFORM_FAIL("row %u: %s instead of %s", line, strerror(error), strerror(row->error));
    for (uint32_t index = 0; index < 3; index++)
        irqs_off(index);
}

static void irq_every_combination(void)
{
    START();
    open_events();
    for (unsigned i = 0; i < sizeof(irq_rows) / sizeof(irq_rows[0]); i++)
        if (row_applies(&irq_rows[i]))
            try_row(&irq_rows[i], i);
}

/* ---- the line, without a device that pulls it ---- */

static void irq_line_by_hand(void)
{
    START();
    CHECK_EQUAL(irq_counts[INTX], get_config(0x3d, 1) != 0);
    if (irq_counts[INTX] == 0)
        return;
    open_events();
    CHECK_OK(bind_event(INTX, 0, events[0]));
    CHECK_OK(set_irqs(NONE | TRIGGER, INTX, 0, 1));
    CHECK_EQUAL(take(events[0]), 1);
    set_config(COMMAND, 2, NO_INTX);
    CHECK_EQUAL(get_config(COMMAND, 2), NO_INTX);
    CHECK_OK(set_irqs(NONE | TRIGGER, INTX, 0, 1));
    CHECK_EQUAL(take(events[0]), 0);
    set_config(COMMAND, 2, 0);
    CHECK_OK(bind_event(INTX, 0, events[1]));
    CHECK_OK(set_irqs(NONE | TRIGGER, INTX, 0, 1));
    CHECK_EQUAL(take(events[0]), 0);
    CHECK_EQUAL(take(events[1]), 1);
    /* One eventfd that unmasks at a time; it outlives its descriptor, and goes with the line. */
    irq.data[0] = events[2];
    CHECK_OK(set_irqs(EVENT | UNMASK, INTX, 0, 1));
    CHECK_ERROR(set_irqs(EVENT | UNMASK, INTX, 0, 1), EBUSY);
    irq.data[0] = -1;
    CHECK_OK(set_irqs(EVENT | UNMASK, INTX, 0, 1));
    irq.data[0] = events[2];
    CHECK_OK(set_irqs(EVENT | UNMASK, INTX, 0, 1));
    close(events[2]);
    events[2] = -1;
    CHECK_OK(irqs_off(INTX));
    CHECK_OK(bind_event(INTX, 0, events[0]));
    irq.data[0] = events[3];
    CHECK_OK(set_irqs(EVENT | UNMASK, INTX, 0, 1));
}

/* ---- messages ---- */

/* Fires vectors by hand and sees them arrive; count 0 switches the kind off. */
static void loop_back(uint32_t index, uint32_t count)
{
    if (count > 4)
        count = 4;
    for (uint32_t i = 0; i < count; i++)
        irq.data[i] = events[i];
    CHECK_OK(set_irqs(EVENT | TRIGGER, index, 0, count));
    CHECK_OK(set_irqs(NONE | TRIGGER, index, 0, count));
    for (uint32_t i = 0; i < count; i++)
        CHECK_EQUAL(take(events[i]), 1);
    memset(irq.data, 0, sizeof(irq.data));
    ((uint8_t *)irq.data)[count - 1] = 1;
    CHECK_OK(set_irqs(BOOL | TRIGGER, index, 0, count));
    for (uint32_t i = 0; i < count; i++)
        CHECK_EQUAL(take(events[i]), i == count - 1);
    irq.data[0] = -1;
    CHECK_OK(set_irqs(EVENT | TRIGGER, index, 0, 1));
    CHECK_OK(set_irqs(NONE | TRIGGER, index, 0, 1));
    CHECK_EQUAL(take(events[0]), 0);
    if (count > 1) { /* another kind has to wait */
        uint32_t other = index == MSI ? MSIX : MSI;

        irq.data[0] = events[0];
        if (irq_counts[other])
            CHECK_ERROR(set_irqs(EVENT | TRIGGER, other, 0, 1), EINVAL);
    }
    CHECK_OK(set_irqs(NONE | TRIGGER, index, 0, 0));
    CHECK_ERROR(set_irqs(NONE | TRIGGER, index, 0, 1), EINVAL);
}

static void irq_msi(void)
{
    START();
    open_events();
    if (irq_counts[MSI])
        loop_back(MSI, irq_counts[MSI]);
}

static void irq_msix(void)
{
    START();
    open_events();
    if (irq_counts[MSIX])
        loop_back(MSIX, irq_counts[MSIX]);
}

static void irq_request(void)
{
    START();
    open_events();
    irq.data[0] = events[0];
    CHECK_OK(set_irqs(EVENT | TRIGGER, REQ, 0, 1));
    CHECK_OK(set_irqs(NONE | TRIGGER, REQ, 0, 1));
    CHECK_EQUAL(take(events[0]), 1);
    CHECK_OK(set_irqs(NONE | TRIGGER, REQ, 0, 0));
    CHECK_ERROR(set_irqs(NONE | TRIGGER, REQ, 0, 1), EINVAL);
}

/* A vector survives what happens to its descriptors. */
static void irq_eventfd_closed(void)
{
    START();
    open_events();
    if (!irq_counts[MSI])
        return;
    irq.data[0] = events[0];
    CHECK_OK(set_irqs(EVENT | TRIGGER, MSI, 0, 1));
    close(events[0]);
    events[0] = -1;
    CHECK_OK(set_irqs(NONE | TRIGGER, MSI, 0, 1));
}

/* Vectors that were not enabled at first come while the others work. */
static void irq_msix_grows(void)
{
    struct vfio_irq_info info = {.argsz = sizeof(info), .index = MSIX};

    START();
    open_events();
    if (irq_counts[MSIX] < 2)
        return;
    CHECK_OK(ioctl(device, VFIO_DEVICE_GET_IRQ_INFO, &info));
    if (info.flags & VFIO_IRQ_INFO_NORESIZE)
        return; /* Linux before 6.5 */
    CHECK_OK(bind_event(MSIX, 0, events[0]));
    CHECK_OK(bind_event(MSIX, irq_counts[MSIX] - 1, events[1]));
    CHECK_OK(set_irqs(NONE | TRIGGER, MSIX, 0, irq_counts[MSIX]));
    CHECK_EQUAL(take(events[0]), 1);
    CHECK_EQUAL(take(events[1]), 1);
    CHECK_OK(bind_event(MSIX, irq_counts[MSIX] - 1, -1));
    CHECK_OK(set_irqs(NONE | TRIGGER, MSIX, 0, irq_counts[MSIX]));
    CHECK_EQUAL(take(events[0]), 1);
    CHECK_EQUAL(take(events[1]), 0);
    CHECK_ERROR(bind_event(MSIX, irq_counts[MSIX], events[0]), EINVAL);
}

const struct conform_case irq_cases[] = {
    CASE(irq_errors), CASE(irq_every_combination), CASE(irq_line_by_hand), CASE(irq_msi),
    CASE(irq_msix),   CASE(irq_msix_grows),        CASE(irq_request),      CASE(irq_eventfd_closed),
    LAST_CASE,
};
