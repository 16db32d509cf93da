/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SET_IRQS in every combination that means something, and what Linux (6.12) answers. The unit test
 * of kernel/device/vfio and the conformance program read the same rows.
 */
#ifndef TESTS_IRQ_ROWS_H
#define TESTS_IRQ_ROWS_H

#include <errno.h>
#include <linux/vfio.h>
#include <stdint.h>

/* What the first descriptor of the data is. */
enum irq_row_fd { AN_EVENTFD, NO_FD, A_CLOSED_ONE, NO_EVENTFD };

/* Nothing is enabled before the call; else the index that is, with one eventfd. */
#define IDLE 5

struct irq_row {
    uint8_t enabled; /* an index or IDLE */
    uint8_t data;    /* VFIO_IRQ_SET_DATA_* */
    uint8_t action;  /* VFIO_IRQ_SET_ACTION_* */
    uint8_t index;   /* of the call */
    uint8_t start;
    uint8_t count;
    uint8_t fd;    /* enum irq_row_fd */
    uint8_t error; /* 0: none */
};

/* clang-format off */
#define ROW_N VFIO_IRQ_SET_DATA_NONE
#define ROW_B VFIO_IRQ_SET_DATA_BOOL
#define ROW_E VFIO_IRQ_SET_DATA_EVENTFD
#define ROW_M VFIO_IRQ_SET_ACTION_MASK
#define ROW_U VFIO_IRQ_SET_ACTION_UNMASK
#define ROW_T VFIO_IRQ_SET_ACTION_TRIGGER

static const struct irq_row irq_rows[] = {
    /* INTx that is not enabled */
    {IDLE, ROW_N, ROW_M, 0, 0, 1, 0, EINVAL}, {IDLE, ROW_B, ROW_M, 0, 0, 1, 0, EINVAL},
    {IDLE, ROW_E, ROW_M, 0, 0, 1, 0, EINVAL}, {IDLE, ROW_N, ROW_U, 0, 0, 1, 0, EINVAL},
    {IDLE, ROW_B, ROW_U, 0, 0, 1, 0, EINVAL}, {IDLE, ROW_E, ROW_U, 0, 0, 1, 0, EINVAL},
    {IDLE, ROW_N, ROW_T, 0, 0, 1, 0, EINVAL}, {IDLE, ROW_B, ROW_T, 0, 0, 1, 0, EINVAL},
    {IDLE, ROW_N, ROW_T, 0, 0, 0, 0, EINVAL}, {IDLE, ROW_B, ROW_T, 0, 0, 0, 0, EINVAL},
    {IDLE, ROW_E, ROW_T, 0, 0, 0, 0, EINVAL}, {IDLE, ROW_E, ROW_T, 0, 0, 2, 0, EINVAL},
    {IDLE, ROW_E, ROW_T, 0, 1, 1, 0, EINVAL}, {IDLE, ROW_E, ROW_T, 0, 1, 0, 0, EINVAL},
    {IDLE, ROW_E, ROW_T, 0, 0, 1, AN_EVENTFD, 0}, {IDLE, ROW_E, ROW_T, 0, 0, 1, NO_FD, 0},
    {IDLE, ROW_E, ROW_T, 0, 0, 1, A_CLOSED_ONE, EBADF},
    {IDLE, ROW_E, ROW_T, 0, 0, 1, NO_EVENTFD, EINVAL},
    {IDLE, ROW_N, 0, 0, 0, 1, 0, ENOTTY}, {IDLE, ROW_N, ROW_M | ROW_U, 0, 0, 1, 0, ENOTTY},
    {IDLE, ROW_E, ROW_M | ROW_T, 0, 0, 1, 0, ENOTTY}, {IDLE, 0, ROW_T, 0, 0, 1, 0, EINVAL},
    {IDLE, ROW_N | ROW_B, ROW_M, 0, 0, 1, 0, EINVAL},
    /* INTx that is */
    {0, ROW_N, ROW_M, 0, 0, 1, 0, 0}, {0, ROW_B, ROW_M, 0, 0, 1, 0, 0},
    {0, ROW_E, ROW_M, 0, 0, 1, 0, ENOTTY}, {0, ROW_N, ROW_M, 0, 0, 0, 0, EINVAL},
    {0, ROW_B, ROW_M, 0, 0, 0, 0, EINVAL}, {0, ROW_E, ROW_M, 0, 0, 0, 0, EINVAL},
    {0, ROW_N, ROW_U, 0, 0, 1, 0, 0}, {0, ROW_B, ROW_U, 0, 0, 1, 0, 0},
    {0, ROW_N, ROW_U, 0, 0, 0, 0, EINVAL}, {0, ROW_B, ROW_U, 0, 0, 0, 0, EINVAL},
    {0, ROW_E, ROW_U, 0, 0, 0, 0, EINVAL}, {0, ROW_N, ROW_U, 0, 1, 0, 0, EINVAL},
    {0, ROW_E, ROW_U, 0, 0, 1, AN_EVENTFD, 0}, {0, ROW_E, ROW_U, 0, 0, 1, NO_FD, 0},
    {0, ROW_E, ROW_U, 0, 0, 1, A_CLOSED_ONE, EBADF},
    {0, ROW_E, ROW_U, 0, 0, 1, NO_EVENTFD, EINVAL},
    {0, ROW_N, ROW_T, 0, 0, 1, 0, 0}, {0, ROW_B, ROW_T, 0, 0, 1, 0, 0},
    {0, ROW_B, ROW_T, 0, 0, 0, 0, EINVAL}, {0, ROW_E, ROW_T, 0, 0, 0, 0, EINVAL},
    {0, ROW_N, ROW_T, 0, 0, 0, 0, 0}, {0, ROW_E, ROW_T, 0, 0, 1, AN_EVENTFD, 0},
    {0, ROW_E, ROW_T, 0, 0, 1, NO_FD, 0}, {0, ROW_E, ROW_T, 0, 0, 1, A_CLOSED_ONE, EBADF},
    {0, ROW_E, ROW_T, 0, 0, 1, NO_EVENTFD, EINVAL},
    {0, ROW_N, 0, 0, 0, 1, 0, ENOTTY}, {0, ROW_N, ROW_M | ROW_U, 0, 0, 1, 0, ENOTTY},
    /* One kind at a time */
    {0, ROW_E, ROW_T, 1, 0, 1, 0, EINVAL}, {0, ROW_E, ROW_T, 2, 0, 1, 0, EINVAL},
    {0, ROW_N, ROW_T, 1, 0, 0, 0, EINVAL}, {0, ROW_N, ROW_T, 2, 0, 0, 0, EINVAL},
    {1, ROW_E, ROW_T, 0, 0, 1, 0, EINVAL}, {1, ROW_E, ROW_T, 2, 0, 1, 0, EINVAL},
    {1, ROW_N, ROW_M, 0, 0, 1, 0, EINVAL}, {1, ROW_N, ROW_T, 0, 0, 0, 0, EINVAL},
    {2, ROW_E, ROW_T, 0, 0, 1, 0, EINVAL}, {2, ROW_E, ROW_T, 1, 0, 1, 0, EINVAL},
    {2, ROW_N, ROW_U, 0, 0, 1, 0, EINVAL}, {2, ROW_N, ROW_T, 0, 0, 0, 0, EINVAL},
    /* Messages cannot be masked this way */
    {1, ROW_N, ROW_M, 1, 0, 1, 0, ENOTTY}, {1, ROW_B, ROW_M, 1, 0, 1, 0, ENOTTY},
    {1, ROW_E, ROW_M, 1, 0, 1, 0, ENOTTY}, {1, ROW_N, ROW_U, 1, 0, 1, 0, ENOTTY},
    {1, ROW_B, ROW_U, 1, 0, 1, 0, ENOTTY}, {1, ROW_E, ROW_U, 1, 0, 1, 0, ENOTTY},
    {2, ROW_N, ROW_M, 2, 0, 1, 0, ENOTTY}, {2, ROW_B, ROW_M, 2, 0, 1, 0, ENOTTY},
    {2, ROW_E, ROW_M, 2, 0, 1, 0, ENOTTY}, {2, ROW_N, ROW_U, 2, 0, 1, 0, ENOTTY},
    {2, ROW_B, ROW_U, 2, 0, 1, 0, ENOTTY}, {2, ROW_E, ROW_U, 2, 0, 1, 0, ENOTTY},
    {IDLE, ROW_N, ROW_M, 4, 0, 1, 0, ENOTTY}, {IDLE, ROW_E, ROW_U, 4, 0, 1, 0, ENOTTY},
    {2, ROW_N, 0, 2, 0, 1, 0, ENOTTY}, {2, ROW_N, ROW_U | ROW_T, 2, 0, 1, 0, ENOTTY},
    /* Messages */
    {IDLE, ROW_E, ROW_T, 1, 0, 0, 0, ERANGE}, {IDLE, ROW_E, ROW_T, 2, 0, 0, 0, ERANGE},
    {IDLE, ROW_N, ROW_T, 1, 0, 1, 0, EINVAL}, {IDLE, ROW_B, ROW_T, 2, 0, 1, 0, EINVAL},
    {IDLE, ROW_E, ROW_T, 1, 0, 1, A_CLOSED_ONE, EBADF},
    {IDLE, ROW_E, ROW_T, 2, 0, 1, NO_EVENTFD, EINVAL},
    {IDLE, ROW_E, ROW_T, 1, 0, 1, NO_FD, 0}, {IDLE, ROW_E, ROW_T, 2, 0, 1, NO_FD, 0},
    {1, ROW_N, ROW_T, 1, 0, 1, 0, 0}, {1, ROW_N, ROW_T, 1, 0, 0, 0, 0},
    {1, ROW_E, ROW_T, 1, 0, 0, 0, 0}, {1, ROW_B, ROW_T, 1, 0, 0, 0, 0},
    {2, ROW_N, ROW_T, 2, 0, 1, 0, 0}, {2, ROW_N, ROW_T, 2, 0, 0, 0, 0},
    {2, ROW_E, ROW_T, 2, 0, 1, A_CLOSED_ONE, EBADF},
    {2, ROW_E, ROW_T, 2, 0, 1, NO_EVENTFD, EINVAL},
};
/* clang-format on */

#endif
