/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the payload may see and change of a device's configuration space, as constant tables. What
 * no table names is read from the hardware and cannot be written, unless the device's option
 * raw-config opens it; a capability that has no row is left out of its list, and stays shut.
 */
#ifndef KERNEL_DEVICE_VFIO_CONFIG_RULES_H
#define KERNEL_DEVICE_VFIO_CONFIG_RULES_H

#include "kernel/pci/pci.h"

/* What a byte is, or what follows when the payload has written it. */
enum config_action {
    CONFIG_UNNAMED, /* of no capability that is known: raw-config opens it */
    CONFIG_RAW,     /* opened: what is written goes to the hardware as it comes */
    CONFIG_SHUT,    /* of a capability of unknown length: nothing opens it or what follows it */
    CONFIG_NOTHING,
    CONFIG_COMMAND, /* decoding and bus mastering must follow the copy */
    CONFIG_POWER,   /* the power state in the copy changed */
    CONFIG_RESET,   /* a function-level reset was asked for; the bit never reads as set */
    CONFIG_VPD,     /* a cycle of vital product data was asked for */
};

struct config_field {
    uint16_t offset; /* from the start of the header or capability */
    uint8_t width;   /* bytes: 1, 2 or 4 */
    uint8_t action;  /* enum config_action */
    uint32_t copy;   /* bits kept in a copy of ours; the others are the hardware's */
    uint32_t write;  /* bits the payload may change, there or here */
};

/* A capability the payload may see. */
struct config_capability {
    uint16_t id;
    uint8_t size; /* bytes it occupies; 0: `measure` tells, or all up to the next one */
    unsigned (*measure)(const struct pci_device *device, unsigned offset); /* or NULL */
    const struct config_field *fields;
    size_t count;
};

extern const struct config_field config_header[];
extern const size_t config_header_count;
/* A capability, or an extended one. NULL: hidden. */
const struct config_capability *config_capability_find(bool is_extended, uint16_t id);

#endif
