/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What uname(2) and /proc/version answer. The system is "Linux" because that is the interface it
 * speaks, and C libraries refuse to start below a release they know; the rest says who we are.
 */
#ifndef KERNEL_LINUX_CALLS_IDENTITY_H
#define KERNEL_LINUX_CALLS_IDENTITY_H

#define IDENTITY_SYSTEM  "Linux"
#define IDENTITY_NODE    "bulkhead"
#define IDENTITY_RELEASE "6.18.0-bulkhead"
#define IDENTITY_VERSION "Bulkhead"
#define IDENTITY_MACHINE "x86_64"

#endif
