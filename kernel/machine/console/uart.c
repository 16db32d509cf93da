/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/machine/console/uart.h"
#include "kernel/cpu/port.h"

/* Register offsets of a 16550. */
enum {
    UART_DATA = 0,
    UART_INTERRUPT_ENABLE = 1,
    UART_DIVISOR_LOW = 0, /* with DLAB set */
    UART_DIVISOR_HIGH = 1,
    UART_FIFO_CONTROL = 2,
    UART_LINE_CONTROL = 3,
    UART_MODEM_CONTROL = 4,
    UART_LINE_STATUS = 5,
    UART_SCRATCH = 7,
};

#define LINE_8N1          0x03
#define LINE_DLAB         0x80
#define FIFO_ENABLE_CLEAR 0x07
#define MODEM_DTR_RTS     0x03
#define STATUS_THR_EMPTY  0x20
#define STATUS_ALL_SENT   0x40
#define FIFO_DEPTH        16

static uint16_t base;
static unsigned room; /* bytes the transmit FIFO surely still takes */

static bool uart_present(uint16_t port)
{
    port_write8(port + UART_SCRATCH, 0x5a);
    if (port_read8(port + UART_SCRATCH) != 0x5a)
        return false;
    port_write8(port + UART_SCRATCH, 0xa5);
    return port_read8(port + UART_SCRATCH) == 0xa5;
}

bool uart_init(uint16_t port)
{
    if (!uart_present(port))
        return false;
    port_write8(port + UART_INTERRUPT_ENABLE, 0);
    port_write8(port + UART_LINE_CONTROL, LINE_DLAB);
    port_write8(port + UART_DIVISOR_LOW, 1);
    port_write8(port + UART_DIVISOR_HIGH, 0);
    port_write8(port + UART_LINE_CONTROL, LINE_8N1);
    port_write8(port + UART_FIFO_CONTROL, FIFO_ENABLE_CLEAR);
    port_write8(port + UART_MODEM_CONTROL, MODEM_DTR_RTS);
    base = port;
    room = 0;
    return true;
}

unsigned uart_room(void)
{
    if (!room && (port_read8(base + UART_LINE_STATUS) & STATUS_THR_EMPTY))
        room = FIFO_DEPTH;
    return room;
}

void uart_put(char c)
{
    port_write8(base + UART_DATA, (uint8_t)c);
    room--;
}

bool uart_idle(void)
{
    return port_read8(base + UART_LINE_STATUS) & STATUS_ALL_SENT;
}
