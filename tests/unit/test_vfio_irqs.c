/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts of a device: what is told of them, and how they reach eventfds. */
#include "tests/qemu/payloads/vfio_device/irq_rows.h"
#include "tests/unit/vfio_fixture.h"

static void each_interrupt_index_tells_its_count(void **state)
{
    static const struct {
        uint32_t index, flags, count;
    } expected[] = {{0, 7, 1}, {1, 9, 4}, {2, 1, 8}, {3, 9, 1}, {4, 9, 1}};
    int fd = open_device(RICH), plain_fd = open_device(PLAIN);
    struct vfio_irq_info info = {.argsz = sizeof(info)};

    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        info.index = expected[i].index;
        assert_int_equal(call(fd, VFIO_DEVICE_GET_IRQ_INFO, &info), 0);
        assert_int_equal(info.flags, expected[i].flags);
        assert_int_equal(info.count, expected[i].count);
    }
    for (info.index = INTX; info.index <= MSIX; info.index += MSIX) { /* no line, no MSI-X */
        assert_int_equal(call(plain_fd, VFIO_DEVICE_GET_IRQ_INFO, &info), 0);
        assert_int_equal(info.count, 0);
    }
    info.index = VFIO_PCI_ERR_IRQ_INDEX;
    assert_int_equal(call(plain_fd, VFIO_DEVICE_GET_IRQ_INFO, &info), -EINVAL);
    info.index = 5;
    assert_int_equal(call(fd, VFIO_DEVICE_GET_IRQ_INFO, &info), -EINVAL);
    info = (struct vfio_irq_info){.argsz = 15};
    assert_int_equal(call(fd, VFIO_DEVICE_GET_IRQ_INFO, &info), -EINVAL);
    assert_int_equal(call(fd, VFIO_DEVICE_GET_IRQ_INFO, NULL), -EFAULT);
}

static void pitfall_32_bad_interrupt_calls_are_refused(void **state)
{
    int fd = open_device(RICH);

    memset(irq.fds, 0xff, sizeof(irq.fds));
    assert_int_equal(call(fd, VFIO_DEVICE_SET_IRQS, NULL), -EFAULT);
    irq.argsz = 19;
    irq.flags = NONE | TRIGGER;
    assert_int_equal(call(fd, VFIO_DEVICE_SET_IRQS, &irq), -EINVAL);
    irq.argsz = 27; /* one byte short of two descriptors */
    irq.flags = EVENT | TRIGGER;
    irq.index = MSI;
    irq.count = 2;
    assert_int_equal(call(fd, VFIO_DEVICE_SET_IRQS, &irq), -EINVAL);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, 5, 0, 1), -EINVAL);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER | 64, MSI, 0, 1), -EINVAL);
    /* Sums that wrap must not slip through (CVE-2016-9083, CVE-2016-9084). */
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSI, 4, 0), -EINVAL);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSI, 3, 2), -EINVAL);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSI, 1, 0xffffffff), -EINVAL);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSI, 0xffffffff, 1), -EINVAL);
    assert_int_equal(set_irqs(fd, BOOL | TRIGGER, MSI, 2, 0xfffffffe), -EINVAL);
    /* One data type, else EINVAL; one action, else ENOTTY. */
    assert_int_equal(set_irqs(fd, TRIGGER, MSI, 0, 1), -EINVAL);
    assert_int_equal(set_irqs(fd, EVENT | BOOL | TRIGGER, MSI, 0, 1), -EINVAL);
    assert_int_equal(set_irqs(fd, EVENT, MSI, 0, 1), -ENOTTY);
    assert_int_equal(set_irqs(fd, EVENT | MASK | TRIGGER, MSI, 0, 1), -ENOTTY);
    assert_int_equal(set_irqs(fd, NONE | MASK, MSI, 0, 1), -ENOTTY);
    assert_int_equal(set_irqs(fd, NONE | UNMASK, MSIX, 0, 1), -ENOTTY);
    assert_int_equal(set_irqs(fd, NONE | MASK, REQ, 0, 1), -ENOTTY);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, INTX, 0, 0), -EINVAL);
    assert_int_equal(set_irqs(fd, NONE | MASK, INTX, 1, 0xffffffff), -EINVAL);
    assert_int_equal(set_irqs(fd, NONE | MASK, INTX, 0, 2), -EINVAL);
    /* Nothing is enabled. */
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, MSI, 0, 0), -EINVAL);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, MSI, 0, 1), -EINVAL);
    assert_int_equal(set_irqs(fd, BOOL | TRIGGER, MSI, 0, 1), -EINVAL);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSI, 0, 0), -ERANGE);
    host_bad_user = (struct phys_run){user_address(irq.fds), 4};
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSI, 0, 1), -EFAULT);
}

static void vectors_reach_eventfds(void **state)
{
    struct file *a, *b;
    int fd = open_device(RICH), a_fd = new_eventfd(&a), b_fd = new_eventfd(&b);

    irq.fds[0] = a_fd;
    irq.fds[1] = -1;
    irq.fds[2] = b_fd;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 1, 3), 0); /* vectors 0 to 3 */
    assert_int_equal(host_irqs->count, 4);
    assert_int_equal(host_irqs->kind, IRQ_MSIX);
    assert_true(host_irqs->masked[0]);
    assert_false(host_irqs->masked[1]);
    assert_true(host_irqs->masked[2]);
    assert_false(host_irqs->masked[3]);
    host_irqs->handler(host_irqs->context, 1);
    host_irqs->handler(host_irqs->context, 2);
    host_irqs->handler(host_irqs->context, 3);
    host_irqs->handler(host_irqs->context, 3);
    assert_int_equal(eventfd_take(a), 1);
    assert_int_equal(eventfd_take(b), 2);
    /* By hand: all, or those that are marked. */
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, MSIX, 0, 4), 0);
    assert_int_equal(eventfd_take(a), 1);
    assert_int_equal(eventfd_take(b), 1);
    memcpy(irq.fds, "\0\1\1\0", 4);
    assert_int_equal(set_irqs(fd, BOOL | TRIGGER, MSIX, 0, 4), 0);
    assert_int_equal(eventfd_take(a), 1);
    assert_int_equal(eventfd_take(b), 0);
    /* Another eventfd for a vector, and none. */
    irq.fds[0] = b_fd;
    irq.fds[1] = a_fd;
    irq.fds[2] = -1;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 1, 3), 0);
    host_irqs->handler(host_irqs->context, 1);
    host_irqs->handler(host_irqs->context, 3);
    assert_int_equal(eventfd_take(b), 1);
    assert_int_equal(eventfd_take(a), 0);
    assert_false(host_irqs->masked[2]);
    assert_true(host_irqs->masked[3]);
    /* The other kind has to wait, and the eventfds outlive their close. */
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSI, 0, 1), -EINVAL);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, MSI, 0, 0), -EINVAL);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, MSIX, 3, 2), 0);
    fd_close(a_fd);
    host_irqs->handler(host_irqs->context, 2);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, MSIX, 0, 0), 0);
    assert_null(host_irqs);
    irq.fds[0] = b_fd;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSI, 0, 1), 0);
    assert_int_equal(host_irqs->kind, IRQ_MSI);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSI, 1, 1), -EINVAL); /* does not grow */
}

/* Vectors of MSI-X come by and by; the others are left in peace. */
static void more_vectors_of_msix_come_while_it_is_on(void **state)
{
    struct file *a, *b;
    int fd = open_device(RICH), a_fd = new_eventfd(&a), b_fd = new_eventfd(&b);
    unsigned before;

    irq.fds[0] = a_fd;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 0, 1), 0);
    before = host_irq_enables;
    irq.fds[0] = -1; /* nobody listens: no vector is spent */
    irq.fds[1] = b_fd;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 6, 2), 0);
    assert_int_equal(host_irq_enables, before);
    assert_false(host_irqs->up[6]);
    assert_true(host_irqs->up[7]);
    assert_false(host_irqs->masked[0]);
    assert_false(host_irqs->masked[7]);
    host_irqs->handler(host_irqs->context, 7);
    host_irqs->handler(host_irqs->context, 0);
    assert_int_equal(eventfd_take(a), 1);
    assert_int_equal(eventfd_take(b), 1);
    host_add_error = -ENOSPC;
    irq.fds[0] = irq.fds[1] = b_fd;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 0, 2), -ENOSPC);
    host_irqs->handler(host_irqs->context, 0); /* still the old one */
    assert_int_equal(eventfd_take(a), 1);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 6, 1), -ENOSPC);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 7, 1), 0);
    host_add_error = 0;
    irq.fds[2] = 77; /* closed */
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 0, 8), -EBADF);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 7, 2), -EINVAL);
}

/* ---- every combination ---- */

static void try_row(int fd, const struct irq_row *row, size_t i)
{
    struct file *first, *second;
    int enabler = new_eventfd(&first), other_fd = new_eventfd(&second);
    const int fds[] = {
        [AN_EVENTFD] = other_fd, [NO_FD] = -1, [A_CLOSED_ONE] = 1000, [NO_EVENTFD] = fd};
    int64_t result;

    irq.fds[0] = enabler;
    if (row->enabled != IDLE)
        assert_int_equal(set_irqs(fd, EVENT | TRIGGER, row->enabled, 0, 1), 0);
    memset(irq.fds, 0xff, sizeof(irq.fds));
    irq.fds[0] = fds[row->fd];
    result = set_irqs(fd, row->data | row->action, row->index, row->start, row->count);
    if (result != -row->error)
        fail_msg("row %zu: %ld instead of %d", i, (long)result, -row->error);
    for (uint32_t index = 0; index < 3; index++)
        set_irqs(fd, NONE | TRIGGER, index, 0, 0);
    assert_null(host_irqs);
    /* Nothing has kept an eventfd. */
    assert_int_equal(first->references, 1);
    assert_int_equal(second->references, 1);
    assert_int_equal(fd_close(enabler), 0);
    assert_int_equal(fd_close(other_fd), 0);
}

static void every_combination_has_the_answer_of_linux(void **state)
{
    int fd = open_device(RICH);

    for (size_t i = 0; i < ARRAY_SIZE(irq_rows); i++)
        try_row(fd, &irq_rows[i], i);
}

/* ---- the line ---- */

static struct file *line_event;

/* With its line enabled. */
static int open_with_line(void)
{
    int fd = open_device(RICH);

    irq.fds[0] = new_eventfd(&line_event);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, INTX, 0, 1), 0);
    assert_int_equal(host_irqs->kind, IRQ_INTX);
    assert_false(host_irqs->masked[0]);
    return fd;
}

/* As kernel/irq/intx.c does. */
static void line_fires(void)
{
    assert_false(host_irqs->masked[0]);
    host_irqs->masked[0] = true;
    host_irqs->handler(host_irqs->context, 0);
    assert_int_equal(eventfd_take(line_event), 1);
}

static void the_line_is_masked_until_it_is_unmasked(void **state)
{
    int fd = open_with_line();

    line_fires();
    assert_true(host_irqs->masked[0]);
    assert_int_equal(set_irqs(fd, NONE | UNMASK, INTX, 0, 1), 0);
    line_fires();
    assert_int_equal(set_irqs(fd, NONE | MASK, INTX, 0, 1), 0);
    irq.fds[0] = 0;
    assert_int_equal(set_irqs(fd, BOOL | UNMASK, INTX, 0, 1), 0);
    assert_true(host_irqs->masked[0]);
    irq.fds[0] = 1;
    assert_int_equal(set_irqs(fd, BOOL | UNMASK, INTX, 0, 1), 0);
    assert_false(host_irqs->masked[0]);
    irq.fds[0] = -1; /* nobody listens */
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, INTX, 0, 1), 0);
    assert_true(host_irqs->masked[0]);
    assert_int_equal(set_irqs(fd, NONE | UNMASK, INTX, 0, 1), 0);
    assert_true(host_irqs->masked[0]);
    irq.fds[0] = install(file_get(line_event));
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, INTX, 0, 1), 0);
    line_fires();
    /* Switched off and on it begins unmasked. */
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, INTX, 0, 0), 0);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, INTX, 0, 1), 0);
    line_fires();
}

static void an_eventfd_unmasks_the_line(void **state)
{
    struct file *event, *again;
    int fd = open_with_line(), event_fd = new_eventfd(&event);

    irq.fds[0] = event_fd;
    assert_int_equal(set_irqs(fd, EVENT | UNMASK, INTX, 0, 1), 0);
    for (unsigned i = 0; i < 3; i++) {
        line_fires();
        eventfd_signal(event, 1);
        assert_false(host_irqs->masked[0]);
        assert_int_equal(eventfd_take(event), 0);
    }
    irq.fds[0] = new_eventfd(&again);
    assert_int_equal(set_irqs(fd, EVENT | UNMASK, INTX, 0, 1), -EBUSY);
    irq.fds[0] = -1;
    assert_int_equal(set_irqs(fd, EVENT | UNMASK, INTX, 0, 1), 0);
    line_fires();
    eventfd_signal(event, 1);
    assert_true(host_irqs->masked[0]);
    assert_int_equal(eventfd_take(event), 1);
    /* A counter that stands already unmasks at once. */
    eventfd_signal(event, 1);
    irq.fds[0] = event_fd;
    assert_int_equal(set_irqs(fd, EVENT | UNMASK, INTX, 0, 1), 0);
    assert_false(host_irqs->masked[0]);
    /* It reaches nothing when the line is off, nor when the device is closed. */
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, INTX, 0, 0), 0);
    eventfd_signal(event, 1);
    assert_int_equal(eventfd_take(event), 1);
    irq.fds[0] = install(file_get(line_event));
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, INTX, 0, 1), 0);
    irq.fds[0] = event_fd;
    assert_int_equal(set_irqs(fd, EVENT | UNMASK, INTX, 0, 1), 0);
    assert_int_equal(fd_close(fd), 0);
    assert_null(host_irqs);
    eventfd_signal(event, 1);
    assert_int_equal(eventfd_take(event), 1);
}

/* CVE-2024-26810 and its neighbours: either mask alone holds, in whatever order they came. */
static void pitfall_35_both_masks_hold(void **state)
{
    struct file *event;
    int fd = open_with_line();

    write_command(fd, PCI_COMMAND_INTX_DISABLE);
    assert_true(host_irqs->masked[0]);
    assert_int_equal(set_irqs(fd, NONE | UNMASK, INTX, 0, 1), 0);
    irq.fds[0] = new_eventfd(&event);
    assert_int_equal(set_irqs(fd, EVENT | UNMASK, INTX, 0, 1), 0);
    eventfd_signal(event, 1);
    assert_true(host_irqs->masked[0]);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, INTX, 0, 1), 0);
    assert_int_equal(eventfd_take(line_event), 0); /* not by hand, either */
    write_command(fd, 0);
    assert_false(host_irqs->masked[0]);
    assert_int_equal(set_irqs(fd, NONE | MASK, INTX, 0, 1), 0);
    write_command(fd, PCI_COMMAND_MASTER); /* the bit does not change */
    assert_true(host_irqs->masked[0]);
    /* The clearing of the bit lifts both, as on Linux. */
    write_command(fd, PCI_COMMAND_INTX_DISABLE);
    write_command(fd, 0);
    line_fires();
    /* Enabled under the bit it stays masked, and does not stay dead. */
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, INTX, 0, 0), 0);
    write_command(fd, PCI_COMMAND_INTX_DISABLE);
    irq.fds[0] = install(file_get(line_event));
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, INTX, 0, 1), 0);
    assert_true(host_irqs->masked[0]);
    write_command(fd, 0);
    line_fires();
}

static void pitfall_35_masks_outlast_a_reset(void **state)
{
    int fd = open_with_line();

    assert_int_equal(set_irqs(fd, NONE | MASK, INTX, 0, 1), 0);
    assert_int_equal(call(fd, VFIO_DEVICE_RESET, NULL), 0);
    assert_int_equal(host_irqs->restored, 1);
    assert_true(host_irqs->masked[0]);
    assert_int_equal(set_irqs(fd, NONE | UNMASK, INTX, 0, 1), 0);
    write_command(fd, PCI_COMMAND_INTX_DISABLE);
    assert_int_equal(call(fd, VFIO_DEVICE_RESET, NULL), 0);
    assert_true(host_irqs->masked[0]);
    assert_int_equal(read_command(fd), PCI_COMMAND_INTX_DISABLE);
    write_command(fd, 0);
    line_fires();
    /* A device that does not come back has no line any more, and its eventfds reach nothing. */
    rich->reset_time = SIM_NEVER;
    assert_int_equal(call(fd, VFIO_DEVICE_RESET, NULL), -EIO);
    rich->reset_time = 0;
    assert_null(host_irqs);
}

/* The pin is shown where the line is offered. */
static void the_pin_is_shown_with_the_line(void **state)
{
    int fd = open_device(RICH), plain_fd = open_device(PLAIN);
    uint8_t pin = 0xff;

    assert_int_equal(read_at(fd, CONFIG + PCI_INTERRUPT_PIN, &pin, 1), 1);
    assert_int_equal(pin, 1);
    assert_int_equal(read_at(plain_fd, CONFIG + PCI_INTERRUPT_PIN, &pin, 1), 1);
    assert_int_equal(pin, 0);
}

static void triggers_are_set_whole_or_not_at_all(void **state)
{
    struct file *a, *b;
    int fd = open_device(RICH), a_fd = new_eventfd(&a), b_fd = new_eventfd(&b);

    irq.fds[0] = a_fd;
    irq.fds[1] = 77; /* closed */
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 0, 2), -EBADF);
    assert_null(host_irqs);
    irq.fds[1] = fd; /* no eventfd */
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 0, 2), -EINVAL);
    assert_null(host_irqs);
    host_irq_error = -ENOSPC;
    irq.fds[1] = a_fd;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 0, 2), -ENOSPC);
    host_irq_error = 0;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 0, 2), 0);
    irq.fds[0] = b_fd;
    irq.fds[1] = 77;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 0, 2), -EBADF);
    host_irqs->handler(host_irqs->context, 0); /* still the old one */
    assert_int_equal(eventfd_take(a), 1);
    assert_int_equal(eventfd_take(b), 0);
}

static void every_allocation_of_set_irqs_fails(void **state)
{
    struct file *a;
    int fd = open_device(RICH);
    int64_t result = -ENOMEM;
    size_t before;
    uint64_t n;

    irq.fds[0] = irq.fds[1] = new_eventfd(&a);
    before = heap_used();
    for (n = 1; result; n++) {
        host_fail_nth(n);
        result = set_irqs(fd, EVENT | TRIGGER, MSIX, 0, 2);
        if (host_failed()) {
            assert_int_equal(result, -ENOMEM);
            assert_null(host_irqs);
            assert_int_equal(heap_used(), before);
        }
    }
    host_fail_nth(0);
    assert_int_equal(n, 6); /* the data, the triggers, the vectors, the descriptors */
}

static void error_and_request_have_one_trigger_each(void **state)
{
    struct file *a;
    int fd = open_device(RICH), plain_fd = open_device(PLAIN), a_fd = new_eventfd(&a);

    irq.fds[0] = a_fd;
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, REQ, 0, 1), -EINVAL);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, REQ, 0, 1), 0);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, ERR, 0, 1), 0);
    assert_int_equal(set_irqs(plain_fd, EVENT | TRIGGER, ERR, 0, 1), -EINVAL);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, REQ, 0, 0), -EINVAL);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, REQ, 0, 1), 0);
    assert_int_equal(eventfd_take(a), 1);
    irq.fds[0] = 0;
    assert_int_equal(set_irqs(fd, BOOL | TRIGGER, REQ, 0, 1), 0);
    assert_int_equal(eventfd_take(a), 0);
    assert_int_equal(set_irqs(fd, BOOL | TRIGGER, REQ, 0, 0), -EINVAL);
    irq.fds[0] = 1;
    assert_int_equal(set_irqs(fd, BOOL | TRIGGER, ERR, 0, 1), 0);
    assert_int_equal(eventfd_take(a), 1);
    vfio_error(pci_find(0, RICH));
    assert_int_equal(eventfd_take(a), 1);
    vfio_error(pci_find(0, PLAIN));
    vfio_error(pci_find(0, OTHER)); /* not assigned */
    assert_int_equal(eventfd_take(a), 0);
    irq.fds[0] = -2;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, REQ, 0, 1), -EINVAL);
    irq.fds[0] = 77;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, REQ, 0, 1), -EBADF);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, REQ, 0, 0), 0);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, REQ, 0, 1), -EINVAL);
    irq.fds[0] = -1;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, ERR, 0, 1), 0);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, ERR, 0, 0), -EINVAL);
    vfio_error(pci_find(0, RICH)); /* nobody listens any more */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_interrupt_index_tells_its_count),
        TEST(pitfall_32_bad_interrupt_calls_are_refused),
        TEST(vectors_reach_eventfds),
        TEST(more_vectors_of_msix_come_while_it_is_on),
        TEST(every_combination_has_the_answer_of_linux),
        TEST(the_line_is_masked_until_it_is_unmasked),
        TEST(an_eventfd_unmasks_the_line),
        TEST(pitfall_35_both_masks_hold),
        TEST(the_pin_is_shown_with_the_line),
        TEST(triggers_are_set_whole_or_not_at_all),
        TEST(every_allocation_of_set_irqs_fails),
        TEST(error_and_request_have_one_trigger_each),
        TEST(pitfall_35_masks_outlast_a_reset),
    };

    return cmocka_run_group_tests(tests, build, NULL);
}
