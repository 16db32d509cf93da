/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration space. */
#define _GNU_SOURCE
#include "vfio_device.h"

static void config_bounds(void)
{
    uint32_t value;

    START();
    CHECK_ERROR(pread(device, &value, 4, (off_t)(config.offset + config.size)), EFAULT);
    CHECK_ERROR(pread(device, &value, 4, (off_t)(config.offset + config.size - 2)), EFAULT);
    CHECK_EQUAL(pread(device, &value, 0, (off_t)config.offset), 0);
    CHECK_EQUAL(pread(device, &value, 3, (off_t)config.offset + 1), 3);
    CHECK_ERROR(pread(device, NULL, 4, (off_t)config.offset), EFAULT);
    CHECK(get_config(0, 2) != 0xffff);
}

static void config_command(void)
{
    START();
    CHECK_EQUAL(get_config(COMMAND, 2) & MASTER, 0);
    set_config(COMMAND, 2, get_config(COMMAND, 2) | MASTER);
    CHECK_EQUAL(get_config(COMMAND, 2) & MASTER, MASTER);
    close_all();
    START();
    CHECK_EQUAL(get_config(COMMAND, 2) & MASTER, 0); /* silent again */
}

static void config_identity_stays(void)
{
    uint32_t ids;

    START();
    ids = get_config(0, 4);
    set_config(0, 4, 0x12345678);
    CHECK_EQUAL(get_config(0, 4), ids);
    ids = get_config(0x34, 1);
    set_config(0x34, 1, 0xfc);
    CHECK_EQUAL(get_config(0x34, 1), ids);
}

static void config_bar_sizing(void)
{
    START();
    for (unsigned i = 0; i < 6; i++) {
        uint32_t was = get_config(0x10 + 4 * i, 4), mask;
        uint32_t low = was & 1 ? 3 : 15;

        if (regions[i].size == 0)
            continue;
        set_config(0x10 + 4 * i, 4, 0xffffffff);
        mask = get_config(0x10 + 4 * i, 4);
        CHECK_EQUAL(mask & low, was & low);
        CHECK_EQUAL(-(mask & ~low), regions[i].size);
        set_config(0x10 + 4 * i, 4, was);
        CHECK_EQUAL(get_config(0x10 + 4 * i, 4), was);
    }
    if (memory_bar >= 0) { /* the hardware did not move */
        uint32_t value;

        CHECK_EQUAL(pread(device, &value, 4, (off_t)regions[memory_bar].offset), 4);
    }
}

static void config_capabilities(void)
{
    unsigned msi, msix;

    START();
    msi = find_capability(0x05);
    msix = find_capability(0x11);
    CHECK_EQUAL(msi != 0, irq_counts[VFIO_PCI_MSI_IRQ_INDEX] != 0);
    CHECK_EQUAL(msix != 0, irq_counts[VFIO_PCI_MSIX_IRQ_INDEX] != 0);
    if (msix)
        CHECK_EQUAL((get_config(msix + 2, 2) & 0x7ff) + 1, irq_counts[VFIO_PCI_MSIX_IRQ_INDEX]);
    if (msi)
        CHECK_EQUAL(1u << ((get_config(msi + 2, 2) >> 1) & 7), irq_counts[VFIO_PCI_MSI_IRQ_INDEX]);
}

const struct conform_case config_cases[] = {
    CASE(config_bounds),     CASE(config_command),      CASE(config_identity_stays),
    CASE(config_bar_sizing), CASE(config_capabilities), LAST_CASE,
};
