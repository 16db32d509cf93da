/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waits for errors of a device: binds an eventfd to ERR, says that it waits, and counts how often
 * it is told. usage: errors ADDRESS TIMES
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "vfio_open.h"

#define WAIT_MS 20000

static int fail(const char *what)
{
    printf("errors: %s: %s\n", what, strerror(errno));
    return 1;
}

int main(int argc, char **argv)
{
    int times = argc > 2 ? atoi(argv[2]) : 1;
    struct pollfd wait = {.events = POLLIN};
    struct vfio_files files;
    uint64_t told;

    if (argc < 2 || vfio_open(argv[1], &files))
        return fail("open");
    wait.fd = eventfd(0, 0);
    if (vfio_listen(files.device, VFIO_PCI_ERR_IRQ_INDEX, wait.fd))
        return fail("ERR");
    for (int i = 0; i < times; i++) {
        printf("errors: %d, waiting\n", i);
        if (poll(&wait, 1, WAIT_MS) != 1 || read(wait.fd, &told, sizeof(told)) != sizeof(told))
            return fail("nothing was told");
        if (ioctl(files.device, VFIO_DEVICE_RESET))
            return fail("reset");
    }
    printf("errors: %d, all told\n", times);
    return 0;
}
