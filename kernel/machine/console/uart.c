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
#define FIFO_ENABLE_CLEAR 0xc7 /* and, which QEMU's goes by, up to 14 bytes wait to be read */
#define MODEM_DTR_RTS     0x03
#define STATUS_DATA_READY 0x01
#define STATUS_OVERRUN    0x02
#define STATUS_THR_EMPTY  0x20
#define STATUS_ALL_SENT   0x40
#define FIFO_DEPTH        16

static bool uart_present(uint16_t port)
{
    port_write8(port + UART_SCRATCH, 0x5a);
    if (port_read8(port + UART_SCRATCH) != 0x5a)
        return false;
    port_write8(port + UART_SCRATCH, 0xa5);
    return port_read8(port + UART_SCRATCH) == 0xa5;
}

bool uart_init(struct uart *uart, uint16_t port)
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
    *uart = (struct uart){.base = port};
    return true;
}

static uint8_t line_status(struct uart *uart)
{
    uint8_t status = port_read8(uart->base + UART_LINE_STATUS);

    uart->overrun |= status & STATUS_OVERRUN; /* reading clears it */
    return status;
}

unsigned uart_room(struct uart *uart)
{
    if (!uart->room && (line_status(uart) & STATUS_THR_EMPTY))
        uart->room = FIFO_DEPTH;
    return uart->room;
}

void uart_put(struct uart *uart, char c)
{
    port_write8(uart->base + UART_DATA, (uint8_t)c);
    uart->room--;
}

bool uart_idle(struct uart *uart)
{
    return line_status(uart) & STATUS_ALL_SENT;
}

int uart_get(struct uart *uart)
{
    return line_status(uart) & STATUS_DATA_READY ? port_read8(uart->base + UART_DATA) : -1;
}
