/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two threads reset one bus, each through another of its two devices, while a third resets, opens
 * and closes the devices themselves. Nobody waits for ever, and both devices work afterwards.
 *
 * usage: hot_race BDF BDF RESETS
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "vfio_open.h"

#define CONFIG ((off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40)

static struct vfio_files files;
static char **names;
static int devices[2], resets;
static volatile bool done;

static void must(bool success, const char *what)
{
    if (success)
        return;
    printf("hot_race: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void *reset_bus(void *argument)
{
    struct {
        uint32_t argsz, flags, count;
        int32_t group;
    } hot = {sizeof(hot), 0, 1, files.group};

    for (int i = 0; i < resets; i++)
        must(!ioctl(*(int *)argument, VFIO_DEVICE_PCI_HOT_RESET, &hot), "hot reset");
    return NULL;
}

static void *use_devices(void *argument)
{
    uint16_t command;

    for (int i = 0; !done; i = !i) {
        int second = ioctl(files.group, VFIO_GROUP_GET_DEVICE_FD, names[i]);

        must(second >= 0, "open");
        must(!ioctl(second, VFIO_DEVICE_RESET), "reset");
        must(pread(second, &command, 2, CONFIG + 4) == 2 && command == 2, "command");
        close(second);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[3];
    uint32_t status;

    must(argc == 4, "usage");
    names = argv + 1;
    resets = atoi(argv[3]);
    must(!vfio_open(names[0], &files), names[0]);
    devices[0] = files.device;
    devices[1] = ioctl(files.group, VFIO_GROUP_GET_DEVICE_FD, names[1]);
    must(devices[1] >= 0, names[1]);
    for (int i = 0; i < 2; i++)
        must(!vfio_command(devices[i], 2), "command");
    for (int i = 0; i < 2; i++)
        must(!pthread_create(&threads[i], NULL, reset_bus, &devices[i]), "thread");
    must(!pthread_create(&threads[2], NULL, use_devices, NULL), "thread");
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    done = true;
    pthread_join(threads[2], NULL);
    for (int i = 0; i < 2; i++) /* the second register of an e1000e */
        must(pread(devices[i], &status, 4, 8) == 4 && status != 0xffffffff, "register");
    printf("hot_race: ok\n");
    return 0;
}
