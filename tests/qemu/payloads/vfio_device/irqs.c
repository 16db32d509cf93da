/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts: which call is accepted, and firing by hand. */
#define _GNU_SOURCE
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

const struct conform_case irq_cases[] = {
    CASE(irq_errors),         CASE(irq_msi), CASE(irq_msix), CASE(irq_request),
    CASE(irq_eventfd_closed), LAST_CASE,
};
