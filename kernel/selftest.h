/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests that only the running kernel can make, chosen by the key `selftest`. */
#ifndef KERNEL_SELFTEST_H
#define KERNEL_SELFTEST_H

#include "kernel/machine/config/config.h"
#include "kernel/lib/refusal.h"

/* Runs the test before the payload. -EIO with a sentence when it failed; some do not return. */
int selftest_run(enum config_selftest test, struct refusal *why);

#endif
