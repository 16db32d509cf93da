/* SPDX-License-Identifier: BSD-2-Clause */
/* The serial console: a 16550-compatible UART behind I/O ports, written by polling. */
#ifndef KERNEL_CONSOLE_SERIAL_H
#define KERNEL_CONSOLE_SERIAL_H

#include "kernel/lib/types.h"

#define SERIAL_PORT_DEFAULT 0x3f8

/*
 * Sets 115200 baud, 8 data bits, no parity. The first call adds the log sink; a later one moves it
 * to another port. A port with no UART behind it costs nothing: the sink then drops its text.
 */
void serial_init(uint16_t port);

#endif
