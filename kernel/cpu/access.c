/* SPDX-License-Identifier: BSD-2-Clause */
/* Device registers and I/O ports: one instruction each, so the width is exactly what was asked. */
#include "kernel/cpu/mmio.h"
#include "kernel/cpu/port.h"

/* `mov` with the suffix of the width. */
#define MMIO_ACCESS(bits, mov)                                                                     \
    uint##bits##_t mmio_read##bits(const volatile void *at)                                        \
    {                                                                                              \
        uint##bits##_t value;                                                                      \
        __asm__ volatile(mov " %1, %0"                                                             \
                         : "=r"(value)                                                             \
                         : "m"(*(const volatile uint##bits##_t *)at)                               \
                         : "memory");                                                              \
        return value;                                                                              \
    }                                                                                              \
    void mmio_write##bits(volatile void *at, uint##bits##_t value)                                 \
    {                                                                                              \
        __asm__ volatile(mov " %1, %0"                                                             \
                         : "=m"(*(volatile uint##bits##_t *)at)                                    \
                         : "r"(value)                                                              \
                         : "memory");                                                              \
    }
MMIO_ACCESS(8, "movb")
MMIO_ACCESS(16, "movw")
MMIO_ACCESS(32, "movl")
MMIO_ACCESS(64, "movq")

#define PORT_ACCESS(bits, in, out)                                                                 \
    uint##bits##_t port_read##bits(uint16_t port)                                                  \
    {                                                                                              \
        uint##bits##_t value;                                                                      \
        __asm__ volatile(in " %w1, %0" : "=a"(value) : "Nd"(port) : "memory");                     \
        return value;                                                                              \
    }                                                                                              \
    void port_write##bits(uint16_t port, uint##bits##_t value)                                     \
    {                                                                                              \
        __asm__ volatile(out " %0, %w1" : : "a"(value), "Nd"(port) : "memory");                    \
    }
PORT_ACCESS(8, "inb", "outb")
PORT_ACCESS(16, "inw", "outw")
PORT_ACCESS(32, "inl", "outl")

void port_write_bytes(uint16_t port, const void *bytes, size_t length)
{
    __asm__ volatile("rep outsb" : "+S"(bytes), "+c"(length) : "d"(port) : "memory");
}
