/* SPDX-License-Identifier: BSD-2-Clause */
/* For cpu_init(): what it does once the features are known. */
#ifndef KERNEL_CPU_CONTROL_H
#define KERNEL_CPU_CONTROL_H

/* trap.S */
extern const char syscall_entry[];

/* Sets every bit of the control, debug and model-specific registers that matter. */
void control_init(void);

#endif
