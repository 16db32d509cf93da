/* SPDX-License-Identifier: BSD-2-Clause */
/* Who serves a port: a DFL card, or QEMU's edu device standing in for an AFU. */
#include "drivers/afu/internal.h"
#include "drivers/afu/port_reset.h"
#include "kernel/cpu/mmio.h"
#include "kernel/cpu/thread.h"
#include "kernel/cpu/time.h"
#include "kernel/lib/error.h"

/* DFL: the reset of the port header. Whatever used a region has been silenced by it. */

static int dfl_reset(struct afu_port *port)
{
    return port_reset(port->header, port->device->reset_bound_ns);
}

static bool dfl_held(const struct afu_port *port)
{
    return port_reset_held(port->header);
}

const struct afu_port_ops afu_dfl_ops = {
    .reset = dfl_reset,
    .held = dfl_held,
};

/*
 * edu: it has no reset, and a transfer that is under way goes on as soon as bus mastering comes
 * back. So: bus mastering off, and wait until the transfer has run into the void.
 */

#define EDU_COMMAND     0x98
#define EDU_COMMAND_RUN BIT(0)
#define EDU_IDLE_NS     (UINT64_C(1000) * NS_PER_MS)
#define EDU_POLL_NS     (UINT64_C(100) * NS_PER_US)

static bool edu_running(const struct afu_port *port)
{
    return mmio_read64((const volatile char *)port->header + EDU_COMMAND) & EDU_COMMAND_RUN;
}

static int edu_reset(struct afu_port *port)
{
    uint64_t deadline = time_ns() + EDU_IDLE_NS;

    pci_set_bus_master(port->device->pci, false);
    while (edu_running(port)) {
        if (time_expired(deadline))
            return -ETIMEDOUT;
        thread_nap("port reset", EDU_POLL_NS);
    }
    if (port->device->users)
        pci_set_bus_master(port->device->pci, true);
    return 0;
}

static bool edu_held(const struct afu_port *port)
{
    return false;
}

const struct afu_port_ops afu_edu_ops = {
    .reset = edu_reset,
    .held = edu_held,
};
