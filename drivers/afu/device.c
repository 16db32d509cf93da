/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting a card with the first open of any of its nodes, stopping it with the last close. */
#include "drivers/afu/internal.h"

/* The function's own reset has put every port into the state after power-on: held. */
int afu_device_awake(void *context)
{
    struct afu_device *device = context;
    int error = 0;

    for (unsigned i = 0; !error && i < device->port_count; i++)
        if (device->ports[i].ops->held(&device->ports[i]))
            error = device->ports[i].ops->reset(&device->ports[i]);
    return error;
}

int afu_device_use(struct afu_device *device)
{
    if (device->users == 0) {
        int error = lease_start(&device->lease, NULL);

        if (error)
            return error;
    }
    device->users++;
    return 0;
}

void afu_device_unuse(struct afu_device *device)
{
    if (--device->users == 0)
        lease_stop(&device->lease);
}
