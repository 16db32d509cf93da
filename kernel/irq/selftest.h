/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt lines at work, without a driver and without a payload. */
#ifndef KERNEL_IRQ_SELFTEST_H
#define KERNEL_IRQ_SELFTEST_H

#include "kernel/lib/refusal.h"

/*
 * Lets QEMU's edu device assert its interrupt pin and looks for it on the I/O APIC pins that PCI
 * devices use, where it must arrive once for each unmasking, again while it stays asserted, and no
 * more when it does not. Says what it found. -ENODEV without an edu device, -EIO with a sentence
 * when something was not as it must be. May sleep; leaves device and pins as they were.
 */
int irq_selftest(struct refusal *why);

#endif
