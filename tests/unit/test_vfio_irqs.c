/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts of a device: what is told of them, and how they reach eventfds. */
#include "tests/unit/vfio_fixture.h"

static void each_interrupt_index_tells_its_count(void **state)
{
    static const struct {
        uint32_t index, flags, count;
    } expected[] = {{0, 7, 0}, {1, 9, 4}, {2, 9, 8}, {3, 9, 1}, {4, 9, 1}};
    int fd = open_device(RICH), plain_fd = open_device(PLAIN);
    struct vfio_irq_info info = {.argsz = sizeof(info)};

    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        info.index = expected[i].index;
        assert_int_equal(call(fd, VFIO_DEVICE_GET_IRQ_INFO, &info), 0);
        assert_int_equal(info.flags, expected[i].flags);
        assert_int_equal(info.count, expected[i].count);
    }
    info.index = VFIO_PCI_MSIX_IRQ_INDEX;
    assert_int_equal(call(plain_fd, VFIO_DEVICE_GET_IRQ_INFO, &info), 0);
    assert_int_equal(info.count, 0);
    info.index = VFIO_PCI_ERR_IRQ_INDEX;
    assert_int_equal(call(plain_fd, VFIO_DEVICE_GET_IRQ_INFO, &info), -EINVAL);
    info.index = 5;
    assert_int_equal(call(fd, VFIO_DEVICE_GET_IRQ_INFO, &info), -EINVAL);
    info = (struct vfio_irq_info){.argsz = 15};
    assert_int_equal(call(fd, VFIO_DEVICE_GET_IRQ_INFO, &info), -EINVAL);
    assert_int_equal(call(fd, VFIO_DEVICE_GET_IRQ_INFO, NULL), -EFAULT);
}

static void bad_interrupt_calls_are_refused(void **state)
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
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, VFIO_PCI_INTX_IRQ_INDEX, 0, 0), -EINVAL);
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
    /* The set does not grow, the other kind has to wait, and the eventfds outlive their close. */
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSIX, 3, 2), -EINVAL);
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSI, 0, 1), -EINVAL);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, MSI, 0, 0), -EINVAL);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, MSIX, 3, 2), -EINVAL);
    fd_close(a_fd);
    host_irqs->handler(host_irqs->context, 2);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, MSIX, 0, 0), 0);
    assert_null(host_irqs);
    irq.fds[0] = b_fd;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, MSI, 0, 1), 0);
    assert_int_equal(host_irqs->kind, IRQ_MSI);
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
    irq.fds[0] = -2;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, REQ, 0, 1), -EINVAL);
    irq.fds[0] = 77;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, REQ, 0, 1), -EBADF);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, REQ, 0, 0), 0);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, REQ, 0, 1), -EINVAL);
    irq.fds[0] = -1;
    assert_int_equal(set_irqs(fd, EVENT | TRIGGER, ERR, 0, 1), 0);
    assert_int_equal(set_irqs(fd, NONE | TRIGGER, ERR, 0, 0), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_interrupt_index_tells_its_count),
        TEST(bad_interrupt_calls_are_refused),
        TEST(vectors_reach_eventfds),
        TEST(triggers_are_set_whole_or_not_at_all),
        TEST(every_allocation_of_set_irqs_fails),
        TEST(error_and_request_have_one_trigger_each),
    };

    return cmocka_run_group_tests(tests, build, NULL);
}
