/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts that the platform itself raises, outside PCI, and that nobody here wants. */
#ifndef KERNEL_MACHINE_QUIET_H
#define KERNEL_MACHINE_QUIET_H

#include "kernel/machine/acpi/acpi.h"
#include "kernel/mm/frames/frames.h"

/*
 * Stops what firmware may have left running: timers of the HPET, whose messages would be refused
 * at each tick once interrupts are remapped, the events of power management, and the periodic
 * interrupts of the CMOS clock. Its alarm stays, by which machines are switched on. To be called
 * before the units are. `ram` is all RAM: registers that are said to be there are left alone.
 */
void machine_quiet(const struct acpi_info *acpi, const struct phys_run *ram, size_t ram_count);

#endif
