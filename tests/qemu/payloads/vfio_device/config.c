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

/* Which of them a program may see, by id: those that Linux shows. */
#define EXTENDED_SHOWN                                                                             \
    (1ull << 0x00 | 1ull << 0x01 | 1ull << 0x02 | 1ull << 0x03 | 1ull << 0x04 | 1ull << 0x08 |     \
     1ull << 0x09 | 1ull << 0x0b | 1ull << 0x0d | 1ull << 0x0e | 1ull << 0x0f | 1ull << 0x10 |     \
     1ull << 0x12 | 1ull << 0x13 | 1ull << 0x15 | 1ull << 0x16 | 1ull << 0x17 | 1ull << 0x18 |     \
     1ull << 0x23)

static void config_extended_capabilities(void)
{
    unsigned at = 0x100;

    START();
    if (config.size != 4096)
        return;
    printf("extended capabilities:");
    for (int i = 0; i < 960 && at; i++) {
        uint32_t header = get_config(at, 4);

        printf(" %04x", (unsigned)(header & 0xffff));
        CHECK((header & 0xffff) < 64 && EXTENDED_SHOWN >> (header & 63) & 1);
        set_config(at, 4, ~header);
        CHECK_EQUAL(get_config(at, 4), header);
        at = header >> 20;
    }
    printf("\n");
    CHECK_EQUAL(at, 0);
}

/* The last four bytes belong to no capability, and QEMU keeps what is written there. */
static void config_bytes_without_a_name(void)
{
    uint32_t was;

    START();
    was = get_config(0xfc, 4);
    set_config(0xfc, 4, ~was);
    printf("unnamed bytes %s\n", get_config(0xfc, 4) == ~was ? "can be written" : "stay");
    set_config(0xfc, 4, was);
}

static void config_rom_sizing(void)
{
    uint32_t was, mask;

    START();
    was = get_config(0x30, 4);
    set_config(0x30, 4, 0xffffffff);
    mask = get_config(0x30, 4);
    CHECK_EQUAL(mask & 0x7fe, 0);
    CHECK_EQUAL(mask & 1, mask != 0);
    if (rom.size)
        CHECK_EQUAL(-(mask & ~1u), rom.size);
    set_config(0x30, 4, was);
    CHECK_EQUAL(get_config(0x30, 4), was);
}

/* D3hot hides memory and nothing else; back in D0 all is as it was. */
static void config_power_state(void)
{
    unsigned pm, value;
    uint32_t bars[6];
    off_t at;

    START();
    pm = find_capability(PM);
    if (!pm || memory_bar < 0)
        return;
    at = (off_t)(regions[memory_bar].offset + map_offset);
    set_config(COMMAND, 2, MEMORY | MASTER);
    for (unsigned i = 0; i < 6; i++)
        bars[i] = get_config(0x10 + 4 * i, 4);
    set_config(pm + 4, 2, 3);
    CHECK_EQUAL(get_config(pm + 4, 2) & 3, 3);
    CHECK_ERROR(pread(device, &value, 4, at), EIO);
    CHECK_ERROR(pwrite(device, &value, 4, at), EIO);
    CHECK(get_config(0, 4) != 0xffffffff);
    set_config(pm + 4, 2, 0);
    CHECK_EQUAL(pread(device, &value, 4, at), 4);
    CHECK_EQUAL(get_config(COMMAND, 2) & (MEMORY | MASTER), MEMORY | MASTER);
    for (unsigned i = 0; i < 6; i++)
        CHECK_EQUAL(get_config(0x10 + 4 * i, 4), bars[i]);
}

const struct conform_case config_cases[] = {
    CASE(config_bounds),
    CASE(config_command),
    CASE(config_identity_stays),
    CASE(config_bar_sizing),
    CASE(config_capabilities),
    CASE(config_extended_capabilities),
    CASE(config_bytes_without_a_name),
    CASE(config_rom_sizing),
    CASE(config_power_state),
    LAST_CASE,
};
