/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UIO on a device that has an interrupt line and nothing else: QEMU's e1000.
 * usage: uio_line FILE CONFIG    the device's file, and its configuration space below /sys
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define BAR_SIZE 0x20000

enum { CAUSES = 0xc0, RAISE = 0xc8, ENABLE = 0xd0, CAUSE = 4 /* link status */ };

static volatile uint32_t *registers;
static int device;

static void must(bool success, const char *what)
{
    if (success)
        return;
    printf("uio_line: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void control(int32_t enable)
{
    must(write(device, &enable, sizeof(enable)) == sizeof(enable), "write");
}

/* Interrupts since the last call, once all that was due has come. */
static uint32_t came(void)
{
    const struct timespec pause = {0, 2000000};
    static uint32_t before;
    uint32_t now = before, since;

    nanosleep(&pause, NULL);
    if (read(device, &now, sizeof(now)) < 0)
        must(errno == EAGAIN, "read");
    since = now - before;
    before = now;
    return since;
}

static void serve(void)
{
    (void)registers[CAUSES / 4]; /* reading clears */
}

/* As programs for uio_pci_generic do it: by the upper half of the command register. */
static void config_lets_through(const char *name)
{
    int config = open(name, O_RDWR);
    uint8_t command;

    must(config >= 0, name);
    must(pread(config, &command, 1, 5) == 1, "read of the command register");
    registers[RAISE / 4] = CAUSE;
    must(came() == 0, "it holds itself still");
    must(command & 4, "which reads back");
    must(pwrite(config, &command, 1, 5) == 1 && came() == 0, "written as it was read");
    command &= (uint8_t)~4;
    must(pwrite(config, &command, 1, 5) == 1, "write of the command register");
    must(came() == 1, "let through by the command register");
    must(pread(config, &command, 1, 5) == 1 && command & 4, "it came, and holds itself again");
    serve();
    control(1);
    must(pread(config, &command, 1, 5) == 1 && !(command & 4), "let through by the file");
}

int main(int argc, char **argv)
{
    device = open(argv[1], O_RDWR | O_NONBLOCK);
    must(device >= 0, argv[1]);
    registers = mmap(NULL, BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);
    must(registers != MAP_FAILED, "map 0");
    registers[ENABLE / 4] = CAUSE;
    registers[RAISE / 4] = CAUSE;
    must(came() == 1, "the first");
    must(came() == 0, "it holds itself");
    control(1);
    must(came() == 1, "once more: nobody has served it");
    serve();
    control(1);
    must(came() == 0, "at rest");
    control(0);
    registers[RAISE / 4] = CAUSE;
    must(came() == 0, "held back");
    control(1);
    must(came() == 1, "let through");
    serve();
    config_lets_through(argv[2]);
    printf("uio_line: ok\n");
    return 0;
}
