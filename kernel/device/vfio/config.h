/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration space as the payload sees it: the hardware behind the rules of config_rules.h. */
#ifndef KERNEL_DEVICE_VFIO_CONFIG_H
#define KERNEL_DEVICE_VFIO_CONFIG_H

#include "kernel/pci/pci.h"
#include "kernel/device/vfio/config_rules.h"

#define VFIO_CONFIG_MAX 4096

struct vfio_config {
    const struct pci_device *device;
    /*
     * For each byte: our copy, which bits are read from it, which can be written, what follows.
     * What can be written but is not read from the copy is the hardware's; the copy remembers it.
     */
    uint8_t copy[VFIO_CONFIG_MAX];
    uint8_t copied[VFIO_CONFIG_MAX];
    uint8_t writable[VFIO_CONFIG_MAX];
    uint8_t action[VFIO_CONFIG_MAX];
    /* Offsets of capabilities, if they are shown; else 0. */
    uint16_t power;
    uint16_t vital_data;
};

/*
 * Builds the view from the tables and the hardware as it is now. Bus mastering reads as off.
 * Capability lists that loop are cut.
 */
void vfio_config_init(struct vfio_config *config, const struct pci_device *device);
/*
 * After a reset: what the payload can set in the hardware itself is as it left it. Our copies were
 * not touched, but for the power state: the function is at full power.
 */
void vfio_config_restore(struct vfio_config *config);
/* Bytes the payload can address: 256 or 4096. */
unsigned vfio_config_size(const struct vfio_config *config);

/* width 1, 2 or 4, naturally aligned, inside the space. */
uint32_t vfio_config_read(const struct vfio_config *config, unsigned offset, unsigned width);
/* Returns what must follow: BIT(CONFIG_COMMAND), BIT(CONFIG_POWER), BIT(CONFIG_RESET),
 * BIT(CONFIG_VPD). */
unsigned vfio_config_write(struct vfio_config *config, unsigned offset, unsigned width,
                           uint32_t value);

/* The command register as the payload last wrote it. */
uint16_t vfio_config_command(const struct vfio_config *config);
/*
 * Carries out the cycle of vital product data that the payload asked for and turns its flag when
 * the device did; sleeps, an eighth of a second at most. A cycle that does not end, and one that
 * writes without raw-config, leave the flag: drivers take that for a timeout.
 */
void vfio_config_vital_data(struct vfio_config *config);
/* Is the function at full power, as far as the payload knows? */
bool vfio_config_powered(const struct vfio_config *config);

#endif
