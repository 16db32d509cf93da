/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine without functions, for tests to fill; nothing may be left of it. */
#ifndef TESTS_UNIT_PCI_FIXTURE_H
#define TESTS_UNIT_PCI_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/pci/pci.h"
#include "kernel/pci/registers.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/sim_pci.h"

#define EDU     0x11e81234
#define NIC     0x10d38086
#define CLASS_X 0x00ff00

static struct refusal why;
static struct acpi_info acpi;

static inline int new_machine(void **state)
{
    static struct acpi_io_apic io_apics[1];
    static struct acpi_ecam ecams[1];
    static struct dmar_unit units[1];

    sim_reset();
    memset(&why, 0, sizeof(why));
    memset(&acpi, 0, sizeof(acpi));
    acpi.io_apics = io_apics;
    acpi.ecams = ecams;
    acpi.dmar.units = units;
    acpi.local_apic = 0xfee00000;
    acpi.io_apics[0].base = 0xfec00000;
    acpi.io_apic_count = 1;
    acpi.dmar.address_width = 39;
    acpi.dmar.units[0].registers = 0xfed90000;
    acpi.dmar.units[0].register_size = 0x1000;
    acpi.dmar.unit_count = 1;
    acpi.ecams[0] = sim_ecams[0];
    acpi.ecam_count = 1;
    return 0;
}

static inline int no_leak(void **state)
{
    sim_reset();
    kfree(acpi.dmar.regions);
    kfree(acpi.dmar.scopes);
    return heap_used() == 0 ? 0 : -1;
}

static inline void enumerate(void)
{
    assert_int_equal(pci_enumerate(sim_ecams, 1, &why), 0);
}

static inline void says(const char *sentence)
{
    if (!strstr(why.sentence, sentence))
        fail_msg("'%s' does not say '%s'", why.sentence, sentence);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, new_machine, no_leak)

#endif
