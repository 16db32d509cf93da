/* SPDX-License-Identifier: BSD-2-Clause */
/* A device with MSI and MSI-X behind a unit that remaps, and the interrupts it raises. */
#ifndef TESTS_UNIT_IRQ_FIXTURE_H
#define TESTS_UNIT_IRQ_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/cpu/trap.h"
#include "kernel/iommu/remap.h"
#include "kernel/irq/irq.h"
#include "kernel/lib/error.h"
#include "kernel/pci/registers.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/iommu_machine.h"

#define MSI        0x50
#define MSIX       0x70
#define BAR        UINT64_C(0xfe000000)
#define BAR_SIZE   (4 * PAGE_SIZE)
#define TABLE      0x1000
#define PENDING    0x2ff8
#define MSIX_COUNT 65

static uint8_t *bar;
static unsigned calls[256];
static int context_word;

static inline void on_irq(void *context, unsigned index)
{
    assert_ptr_equal(context, &context_word);
    calls[index]++;
}

static inline struct pci_device *device(void)
{
    return pci_find(0, DEVICE);
}

/* 32 vectors, 64-bit; per-vector masks if asked. */
static inline void give_msi(struct pci_device *to, uint16_t control)
{
    to->cap_msi = MSI;
    pci_write16(to, MSI + 2, control);
}

static inline void give_msix(struct pci_device *to)
{
    to->cap_msix = MSIX;
    to->msix_entries = MSIX_COUNT;
    to->msix_location = TABLE | 2;
    pci_write16(to, MSIX + 2, MSIX_COUNT - 1);
    pci_write32(to, MSIX + 4, TABLE | 2);
    pci_write32(to, MSIX + 8, PENDING | 2);
    to->bars[2] = (struct pci_bar){.base = BAR, .size = BAR_SIZE, .flags = PCI_BAR_64};
}

static inline struct vtd_unit *start(uint64_t cap, const struct iommu_options *options)
{
    struct vtd_unit *unit = machine_build(cap, VTD_TEST_ECAP);

    bar = host_bar_add(BAR, BAR_SIZE);
    give_msi(device(), 0x18a);
    give_msix(device());
    memset(calls, 0, sizeof(calls));
    assert_int_equal(machine_init(options), 0);
    return unit;
}

/* The device raises MSI vector `index`: the low bits of the data are its own to set. */
static inline unsigned raise_msi(struct vtd_unit *unit, uint16_t rid, unsigned index)
{
    uint64_t address = pci_read32(device(), MSI + 4) | (uint64_t)pci_read32(device(), MSI + 8)
                                                           << 32;
    uint32_t destination, data = pci_read16(device(), MSI + 12) | index;
    uint8_t vector;
    bool level;
    unsigned reason = vtd_unit_interrupt(unit, rid, address, data, &vector, &destination, &level);

    if (!reason)
        assert_true(host_raise(vector));
    return reason;
}

static inline uint32_t entry_word(unsigned index, unsigned word)
{
    uint32_t value;

    memcpy(&value, bar + TABLE + index * 16 + word * 4, 4);
    return value;
}

static inline unsigned raise_msix(struct vtd_unit *unit, uint16_t rid, unsigned index)
{
    uint64_t address = entry_word(index, 0) | (uint64_t)entry_word(index, 1) << 32;
    uint32_t destination;
    uint8_t vector;
    bool level;
    unsigned reason =
        vtd_unit_interrupt(unit, rid, address, entry_word(index, 2), &vector, &destination, &level);

    if (!reason)
        assert_true(host_raise(vector));
    return reason;
}

static inline struct irq_set *enable(enum irq_kind kind, unsigned count)
{
    struct irq_set *set;

    assert_int_equal(irq_enable(device(), kind, count, on_irq, &context_word, &set), 0);
    for (unsigned v = 0; v < count; v++)
        irq_mask(set, v, false);
    return set;
}

#endif
