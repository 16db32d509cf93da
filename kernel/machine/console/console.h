/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the kernel's console goes: a serial port, and the framebuffer if there is one. */
#ifndef KERNEL_MACHINE_CONSOLE_CONSOLE_H
#define KERNEL_MACHINE_CONSOLE_CONSOLE_H

#include <bulkhead/boot_info.h>
#include "kernel/machine/acpi/acpi.h"

/*
 * The first thing the kernel does with a console: the usual serial port, and the framebuffer at its
 * physical address, where the door's page tables map it.
 */
void console_start(const struct boot_framebuffer *framebuffer);
/* The door's page tables are about to go: text for the framebuffer is only remembered. */
void console_suspend(void);
/* Maps the framebuffer for good, and shows what was remembered. */
void console_resume(void);
/*
 * Moves the serial console to the configured I/O port, or, if that is 0, to the one of the SPCR
 * table. Where no serial port answers, or in memory space, which is not supported, the log says so
 * and the port stays.
 */
void console_select(uint16_t configured, const struct acpi_register *spcr);

#endif
