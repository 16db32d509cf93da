/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The test kernel: the kernel, and tests that only a running kernel can make, one of which it makes
 * before it loads the payload. The payload's first argument is the name of the test.
 *
 * Each returns 0 and says in the log that it has passed, or an error with a sentence that says what
 * was not as it must be; -ENODEV where the device is missing that it needs. They may sleep.
 */
#ifndef TESTS_KERNEL_INTERNAL_H
#define TESTS_KERNEL_INTERNAL_H

#include "kernel/lib/refusal.h"

/*
 * Uses kernel/iommu/iommu.h as a hypervisor core would: lets QEMU's edu device copy memory through
 * a domain and interrupt through remapping, then takes the mapping away and sees the next write
 * refused. Leaves the device stopped and detached.
 */
int test_iommu(struct refusal *why);
/*
 * Lets QEMU's edu device assert its interrupt pin and looks for it on the I/O APIC pins that PCI
 * devices use, where it must arrive once for each unmasking, again while it stays asserted, and no
 * more when it does not. Leaves device and pins as they were.
 */
int test_lines(struct refusal *why);
int test_threads(struct refusal *why);
/* These do not return: a panic, a read where nothing is mapped, a stack that overflows. */
int test_panic(struct refusal *why);
int test_fault(struct refusal *why);
int test_overflow(struct refusal *why);

#endif
