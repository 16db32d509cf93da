/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first program of a Linux that runs one of our programs on a device, as Bulkhead would: loads
 * the modules in /modules (in the order of their names), gives the device the driver, runs
 * /payload.elf with the rest of the arguments, and powers the machine off.
 *
 * usage (behind -- on Linux's command line): DRIVER ADDRESS VFS ARGUMENT...
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);

    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        printf("linux: cannot write %s to %s: %m\n", text, path);
    close(fd);
}

/* A parameter that a module does not know is nothing to it. */
static void load_modules(void)
{
    struct dirent **names;
    int count = scandir("/modules", &names, NULL, alphasort);

    for (int i = 0; i < count; i++) {
        char path[300];
        int fd;

        snprintf(path, sizeof(path), "/modules/%s", names[i]->d_name);
        fd = names[i]->d_name[0] == '.' ? -1 : open(path, O_RDONLY);
        if (fd >= 0 && syscall(SYS_finit_module, fd, "enable_sriov=1", 0))
            printf("linux: %s: %m\n", path);
        close(fd);
    }
}

static void bind_device(const char *driver, const char *address, const char *virtuals)
{
    char path[200];

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver/unbind", address);
    if (access(path, F_OK) == 0)
        put(path, address);
    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", address);
    put(path, driver);
    put("/sys/bus/pci/drivers_probe", address);
    /* A function that has some already is refused by vfio-pci. */
    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/sriov_numvfs", address);
    if (strcmp(virtuals, "0") != 0)
        put(path, virtuals);
}

int main(int argc, char **argv)
{
    pid_t child;
    int status;

    mkdir("/proc", 0755);
    mkdir("/sys", 0755);
    mkdir("/dev", 0755);
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
    /* Before this there was no console to write to. */
    for (int fd = 0; fd < 3; fd++)
        dup2(open("/dev/console", O_RDWR), fd);
    load_modules();
    if (argc < 4)
        printf("linux: DRIVER ADDRESS VFS ARGUMENT... is missing\n");
    else
        bind_device(argv[1], argv[2], argv[3]);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        execv("/payload.elf", argv + 3);
        _exit(127);
    }
    waitpid(child, &status, 0);
    printf("linux: status %d\n", WEXITSTATUS(status));
    fflush(stdout);
    sync();
    reboot(RB_POWER_OFF);
}
