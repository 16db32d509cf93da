/* SPDX-License-Identifier: BSD-2-Clause */
/* Device registers and I/O ports: one instruction each, so the width is exactly what was asked. */
#include "kernel/cpu/mmio.h"
#include "kernel/cpu/port.h"

uint8_t mmio_read8(const volatile void *at)
{
    uint8_t value;

    __asm__ volatile("movb %1, %0" : "=q"(value) : "m"(*(const volatile uint8_t *)at) : "memory");
    return value;
}

uint16_t mmio_read16(const volatile void *at)
{
    uint16_t value;

    __asm__ volatile("movw %1, %0" : "=r"(value) : "m"(*(const volatile uint16_t *)at) : "memory");
    return value;
}

uint32_t mmio_read32(const volatile void *at)
{
    uint32_t value;

    __asm__ volatile("movl %1, %0" : "=r"(value) : "m"(*(const volatile uint32_t *)at) : "memory");
    return value;
}

uint64_t mmio_read64(const volatile void *at)
{
    uint64_t value;

    __asm__ volatile("movq %1, %0" : "=r"(value) : "m"(*(const volatile uint64_t *)at) : "memory");
    return value;
}

void mmio_write8(volatile void *at, uint8_t value)
{
    __asm__ volatile("movb %1, %0" : "=m"(*(volatile uint8_t *)at) : "qi"(value) : "memory");
}

void mmio_write16(volatile void *at, uint16_t value)
{
    __asm__ volatile("movw %1, %0" : "=m"(*(volatile uint16_t *)at) : "ri"(value) : "memory");
}

void mmio_write32(volatile void *at, uint32_t value)
{
    __asm__ volatile("movl %1, %0" : "=m"(*(volatile uint32_t *)at) : "ri"(value) : "memory");
}

void mmio_write64(volatile void *at, uint64_t value)
{
    __asm__ volatile("movq %1, %0" : "=m"(*(volatile uint64_t *)at) : "r"(value) : "memory");
}

uint8_t port_read8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %w1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

uint16_t port_read16(uint16_t port)
{
    uint16_t value;

    __asm__ volatile("inw %w1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

uint32_t port_read32(uint16_t port)
{
    uint32_t value;

    __asm__ volatile("inl %w1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

void port_write8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %w1" : : "a"(value), "Nd"(port) : "memory");
}

void port_write16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %w1" : : "a"(value), "Nd"(port) : "memory");
}

void port_write32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %w1" : : "a"(value), "Nd"(port) : "memory");
}
