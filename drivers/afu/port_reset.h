/* SPDX-License-Identifier: BSD-2-Clause */
/* The soft reset of a DFL port: a request bit that we write, an acknowledge bit that it writes. */
#ifndef DRIVERS_AFU_PORT_RESET_H
#define DRIVERS_AFU_PORT_RESET_H

#include "kernel/lib/types.h"

/* How long a card may take to acknowledge; a model that a host program polls needs longer. */
#define PORT_RESET_CARD_NS  UINT64_C(1000000)
#define PORT_RESET_MODEL_NS UINT64_C(1000000000)

/*
 * Puts the port into reset and waits for its acknowledge, or ends the reset and waits until the
 * acknowledge is gone. `header` is the port's mapped header. From the return on the registers of
 * an AFU that is held must not be touched, whatever is returned. -ETIMEDOUT: not within bound_ns.
 */
int port_reset_hold(volatile void *header, bool held, uint64_t bound_ns);

/* Both, in order. A port that did not acknowledge stays held. */
int port_reset(volatile void *header, uint64_t bound_ns);

/* Is the port held in reset? */
bool port_reset_held(const volatile void *header);

#endif
