/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/afu/port_reset.h"

#include "drivers/afu/dfl.h"
#include "kernel/cpu/mmio.h"
#include "kernel/cpu/thread.h"
#include "kernel/cpu/time.h"
#include "kernel/lib/error.h"

#define POLL_NS UINT64_C(10000)

static volatile void *control(volatile void *header)
{
    return (volatile char *)header + DFL_PORT_CTRL;
}

/* Polls the bit that the port writes, never the one we write: that one says nothing. */
int port_reset_hold(volatile void *header, bool held, uint64_t bound_ns)
{
    uint64_t deadline = time_ns() + bound_ns;
    uint64_t others = mmio_read64(control(header)) & ~DFL_PORT_CTRL_SFTRST;

    mmio_write64(control(header), others | (held ? DFL_PORT_CTRL_SFTRST : 0));
    for (;;) {
        bool expired = time_expired(deadline);
        bool acknowledged = mmio_read64(control(header)) & DFL_PORT_CTRL_SFTRST_ACK;

        if (acknowledged == held)
            return 0;
        if (expired)
            return -ETIMEDOUT;
        thread_nap("port reset", POLL_NS);
    }
}

int port_reset(volatile void *header, uint64_t bound_ns)
{
    int error = port_reset_hold(header, true, bound_ns);

    return error ? error : port_reset_hold(header, false, bound_ns);
}

bool port_reset_held(const volatile void *header)
{
    return mmio_read64((const volatile char *)header + DFL_PORT_CTRL) & DFL_PORT_CTRL_SFTRST;
}
