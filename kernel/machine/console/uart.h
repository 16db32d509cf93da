/* SPDX-License-Identifier: BSD-2-Clause */
/* A 16550-compatible UART behind I/O ports: it never waits. */
#ifndef KERNEL_MACHINE_CONSOLE_UART_H
#define KERNEL_MACHINE_CONSOLE_UART_H

#include "kernel/lib/types.h"

/*
 * Uses the UART at this port from now on: 115200 baud, 8 data bits, no parity, no interrupts. False
 * if none answers there; nothing has changed then.
 */
bool uart_init(uint16_t port);
/* How many bytes uart_put() may be given now; 0 while the transmitter is busy. */
unsigned uart_room(void);
void uart_put(char c);
/* Has the last bit left? */
bool uart_idle(void);

#endif
