/* SPDX-License-Identifier: BSD-2-Clause */
/* What the CPU reports of errors of the hardware (Intel SDM volume 3, chapters 16 and 17). */
#ifndef KERNEL_CPU_MACHINE_CHECK_H
#define KERNEL_CPU_MACHINE_CHECK_H

/*
 * Has every bank report all it can, by exception, and clears what is left from before: that is
 * told as the firmware's. Needs cpu_init() and the log.
 */
void machine_check_start(void);
/* Tells of every bank that has something to say. For the report of a panic. */
void machine_check_tell(void);

#endif
