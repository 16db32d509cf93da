/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The serial console: a queue in front of a UART.
 *
 * Until log_set_patient(false), and again after serial_finish() and in a panic, a log line waits
 * for the port for a bounded time. In between, while the payload runs, nobody waits: what the port
 * does not take at once stays in the queue and is sent from a timer. The payload's output is
 * written when there is room for it, so it is never dropped; a log line for which there is none is
 * dropped and counted, and a note in its place says so.
 */
#ifndef KERNEL_MACHINE_CONSOLE_SERIAL_H
#define KERNEL_MACHINE_CONSOLE_SERIAL_H

#include "kernel/cpu/thread.h"
#include "kernel/lib/types.h"

struct uart;

#define SERIAL_PORT_DEFAULT 0x3f8
#define SERIAL_PORT_MAX     0xfff8 /* it has eight registers */

/*
 * Sends the log to the UART at this port, SERIAL_PORT_MAX at most. A later call moves it to another
 * port. False if no UART answers there; nothing has changed then.
 */
bool serial_init(uint16_t port);
/* The UART in use, for who reads of it; NULL: none. */
struct uart *serial_uart(void);

/* log_raw() of what is not to get a carriage return before each line feed here. */
void serial_write_as_is(const char *text, size_t length);
/* May the payload write this many bytes now? Half of the queue is kept for the log. */
bool serial_has_room(size_t length);
/* Woken whenever the port has taken something, and by who has news for the same waiters. */
struct waitq *serial_changed(void);
/* Sleeps until the port has sent everything, or *give_up, which whoever sets it tells that queue.
 */
void serial_drain(const bool *give_up);
/* The last word: sends what is left, as long as the port goes on taking it. */
void serial_finish(void);

struct serial_stats {
    uint64_t stalls;     /* times that the port took nothing for seconds */
    uint64_t lost_bytes; /* of the log, and of what could not be sent at the end */
};
struct serial_stats serial_stats(void);

#endif
