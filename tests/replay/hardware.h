/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine of a collected file, in front of the kernel's own code: firmware tables in memory,
 * configuration space, simulated VT-d units (tests/unit/vtd_unit.h) with the capabilities of the
 * real ones, I/O APICs. Whatever else is mapped reads as zeros.
 */
#ifndef TESTS_REPLAY_HARDWARE_H
#define TESTS_REPLAY_HARDWARE_H

#include "kernel/machine/acpi/acpi.h"
#include "tests/replay/file.h"

/* Where the root pointer of the tables is. */
#define REPLAY_RSDP UINT64_C(0xf0000)

void replay_hardware(const struct replay_file *file);
/* Memory of the firmware, for acpi_find(). */
extern const struct acpi_memory replay_memory;
/*
 * Puts configuration space, units and I/O APICs where the tables say. A unit that Linux could not
 * use, so that the file has nothing of it, reads as ones.
 */
void replay_place(const struct acpi_info *acpi);

#endif
