/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Register access of an exact width. Host builds of drivers bring their own definitions, which is
 * how tests put a simulated device behind the real code.
 */
#ifndef KERNEL_CPU_MMIO_H
#define KERNEL_CPU_MMIO_H

#include "kernel/lib/types.h"

uint8_t mmio_read8(const volatile void *at);
uint16_t mmio_read16(const volatile void *at);
uint32_t mmio_read32(const volatile void *at);
uint64_t mmio_read64(const volatile void *at);
void mmio_write8(volatile void *at, uint8_t value);
void mmio_write16(volatile void *at, uint16_t value);
void mmio_write32(volatile void *at, uint32_t value);
void mmio_write64(volatile void *at, uint64_t value);

#endif
