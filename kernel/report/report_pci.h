/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups and devices, for the report. */
#ifndef KERNEL_REPORT_REPORT_PCI_H
#define KERNEL_REPORT_REPORT_PCI_H

struct json;

/* The members "groups" (all of them) and "assigned" (names of the assigned devices). */
void report_groups(struct json *json);

#endif
