/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What surrounds UIO and AFU in the test of leases, beside the machine of vfio_host.h, whose rich
 * device they have, too: it is /dev/uio0 and /dev/dfl-port.0.
 */
#ifndef TESTS_UNIT_LEASE_HOST_H
#define TESTS_UNIT_LEASE_HOST_H

/* Builds the machine of vfio_host.h and registers the device with UIO and as an AFU. Once. */
void lease_host_build(void);

#endif
