/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine that the card sits in, by QEMU's control socket (QMP): what its IOMMU's registers
 * say, who the card is on its bus, and a pause during which the guest changes nothing.
 */
#ifndef TOOLS_AFU_MODEL_MACHINE_H
#define TOOLS_AFU_MODEL_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MACHINE_ANSWER 0x10000 /* the longest line, with room to spare for `info pci` */

struct machine {
    int socket; /* -1: not connected */
    bool held;  /* our `stop` may have reached it: it stands still until a `cont` did */
    size_t used;
    char line[MACHINE_ANSWER];
};

enum machine_pause {
    MACHINE_PAUSED,
    MACHINE_AT_REST, /* somebody else has paused it */
    MACHINE_GONE,
};

/* Connects. False: nobody listens there, or it is not QEMU. */
bool machine_connect(struct machine *machine, const char *path);
/*
 * Stops the guest's processors until machine_go_on(): a device's requests are over before an
 * invalidation is, and between a walk of ours and its copy no invalidation may come to an end.
 */
enum machine_pause machine_pause(struct machine *machine);
/*
 * Ends the pause, also one whose `stop` was not answered in time, over a new connection if need be.
 * False: the machine may still stand. Without a pause: true.
 */
bool machine_go_on(struct machine *machine, const char *path);
/* The root table address register of the IOMMU. `on`: does it translate? False: no answer. */
bool machine_unit(struct machine *machine, bool *on, uint64_t *root);
/* Bus, device and function of the device that QEMU knows as `id`. False: there is none. */
bool machine_requester(struct machine *machine, const char *id, uint16_t *requester);

#endif
