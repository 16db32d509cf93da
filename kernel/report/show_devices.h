/* SPDX-License-Identifier: BSD-2-Clause */
/* What `show = devices` tells of every PCI function (docs/devices.md). */
#ifndef KERNEL_REPORT_SHOW_DEVICES_H
#define KERNEL_REPORT_SHOW_DEVICES_H

/*
 * Writes some lines for each function to the console, whatever the log level: for people to read,
 * and for `./bulkhead devices`. Call when groups are built and assigned devices are known.
 */
void show_devices(void);

#endif
