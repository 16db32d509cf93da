/* SPDX-License-Identifier: BSD-2-Clause */
/* The serial console: a 16550-compatible UART behind I/O ports, written by polling. */
#ifndef KERNEL_CONSOLE_SERIAL_H
#define KERNEL_CONSOLE_SERIAL_H

#include "kernel/lib/types.h"

#define SERIAL_PORT_DEFAULT 0x3f8
#define SERIAL_PORT_MAX     0xfff8 /* it has eight registers */

/*
 * Sends the log to the UART at this port, SERIAL_PORT_MAX at most: 115200 baud, 8 data bits, no
 * parity. A later call moves it to another port. False if no UART answers there; nothing has
 * changed then.
 */
bool serial_init(uint16_t port);

#endif
