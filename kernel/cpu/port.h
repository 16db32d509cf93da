/* SPDX-License-Identifier: BSD-2-Clause */
/* I/O port access. Host builds of drivers bring their own definitions, as for mmio.h. */
#ifndef KERNEL_CPU_PORT_H
#define KERNEL_CPU_PORT_H

#include "kernel/lib/types.h"

uint8_t port_read8(uint16_t port);
uint16_t port_read16(uint16_t port);
uint32_t port_read32(uint16_t port);
void port_write8(uint16_t port, uint8_t value);
void port_write16(uint16_t port, uint16_t value);
void port_write32(uint16_t port, uint32_t value);
/* One after the other. */
void port_write_bytes(uint16_t port, const void *bytes, size_t length);

#endif
