/* SPDX-License-Identifier: BSD-2-Clause */
/* A 16550-compatible UART behind I/O ports: it never waits. */
#ifndef KERNEL_MACHINE_CONSOLE_UART_H
#define KERNEL_MACHINE_CONSOLE_UART_H

#include "kernel/lib/types.h"

struct uart {
    uint16_t base;
    unsigned room; /* bytes the transmit FIFO surely still takes */
    bool overrun;  /* bytes arrived that there was no room for */
};

/*
 * Makes *uart the one at this port: 115200 baud, 8 data bits, no parity, no interrupts, both FIFOs
 * empty. False if none answers there; nothing has changed then.
 */
bool uart_init(struct uart *uart, uint16_t port);
/* How many bytes uart_put() may be given now; 0 while the transmitter is busy. */
unsigned uart_room(struct uart *uart);
void uart_put(struct uart *uart, char c);
/* Has the last bit left? */
bool uart_idle(struct uart *uart);
/* The next byte that has arrived; -1: none. */
int uart_get(struct uart *uart);

#endif
