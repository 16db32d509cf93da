/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a write to the files of devices and drivers under /sys does, and `config` beside VFIO's
 * region. usage: sysfs 0000:bb:dd.f [CASE]...
 */
#include "conform.h"
#include "vfio_open.h"

#include <stdlib.h>

static const char *device;
static struct vfio_files vfio = {-1, -1, -1};

static void path_of(char path[VFIO_PATH_SIZE], const char *file)
{
    if (file[0] == '/')
        snprintf(path, VFIO_PATH_SIZE, "%s", file);
    else
        snprintf(path, VFIO_PATH_SIZE, "/sys/bus/pci/devices/%s/%s", device, file);
}

static int open_file(const char *file, int flags)
{
    char path[VFIO_PATH_SIZE];

    path_of(path, file);
    return open(path, flags);
}

/* As `echo TEXT > FILE`: 0, or -1 and errno. */
static int put(const char *file, const char *text)
{
    char path[VFIO_PATH_SIZE], line[VFIO_PATH_SIZE];
    int n = snprintf(line, sizeof(line), "%s\n", text), fd, error;
    ssize_t done;

    path_of(path, file);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (fd < 0)
        return -1;
    done = write(fd, line, (size_t)n);
    error = errno;
    close(fd);
    errno = error;
    return done == n ? 0 : -1;
}

static const char *get(const char *file)
{
    static char text[VFIO_PATH_SIZE];
    int fd = open_file(file, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    close(fd);
    text[n < 0 ? 0 : n] = '\0';
    return text;
}

static void close_device(void)
{
    close(vfio.device);
    close(vfio.group);
    close(vfio.container);
    vfio = (struct vfio_files){-1, -1, -1};
}

/* ---- writes ---- */

#define DRIVER(file) "/sys/bus/pci/drivers/vfio-pci/" file
#define OTHER(file)  "/sys/bus/pci/drivers/uio_pci_generic/" file

static void what_is_so_is_accepted(void)
{
    CHECK_OK(put("driver_override", "vfio-pci"));
    CHECK(strcmp(get("driver_override"), "vfio-pci\n") == 0);
    CHECK_OK(put("/sys/bus/pci/drivers_probe", device));
    CHECK_OK(put("msi_bus", "1"));
    CHECK_OK(put("numa_node", "-1"));
}

static void binding_goes_by_the_driver(void)
{
    CHECK_ERROR(put(DRIVER("bind"), device), EBUSY);
    CHECK_ERROR(put(DRIVER("bind"), "0000:7f:00.0"), ENODEV);
    CHECK_ERROR(put(OTHER("bind"), device), ENODEV);
    CHECK_ERROR(put(OTHER("unbind"), device), ENODEV);
    CHECK_ERROR(put("/sys/bus/pci/drivers_probe", "0000:7f:00.0"), ENODEV);
    CHECK_ERROR(put(DRIVER("remove_id"), "abcd 1234"), ENODEV);
    CHECK_ERROR(put(DRIVER("remove_id"), "abcd"), EINVAL);
    CHECK_ERROR(put(DRIVER("new_id"), "none"), EINVAL);
}

/* Linux does what is asked for here. */
static void nothing_is_unbound(void)
{
    char ids[64];
    unsigned vendor = (unsigned)strtoul(get("vendor"), NULL, 16);
    unsigned id = (unsigned)strtoul(get("device"), NULL, 16);

    snprintf(ids, sizeof(ids), "%04x %04x", vendor, id);
    CHECK_OK(put(DRIVER("new_id"), ids));
    snprintf(ids, sizeof(ids), "0x%04x 0x%04x", vendor, id);
    CHECK_OK(put(DRIVER("new_id"), ids));
    CHECK_OK(put(DRIVER("remove_id"), ids));
    CHECK_ERROR(put(OTHER("new_id"), ids), ENODEV);
    CHECK_ERROR(put(DRIVER("new_id"), "abcd 1234"), ENODEV);
    CHECK_ERROR(put(DRIVER("unbind"), device), EPERM);
    CHECK_ERROR(put("driver_override", "e1000e"), EINVAL);
    CHECK_ERROR(put("driver_override", ""), EINVAL);
    CHECK_ERROR(put("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y"), EINVAL);
    CHECK(strcmp(get("driver_override"), "vfio-pci\n") == 0);
}

static void a_file_that_is_only_read_or_written_is_that(void)
{
    char text[8] = "1";
    int fd = open_file("enable", O_RDWR);

    CHECK_ERROR(open_file("vendor", O_WRONLY), EACCES);
    CHECK_ERROR(open_file("/sys/bus/pci/drivers_probe", O_RDONLY), EACCES);
    CHECK(fd >= 0);
    CHECK_EQUAL(read(fd, text, sizeof(text)), 2);
    CHECK_EQUAL(write(fd, "", 0), 0);
    CHECK_ERROR(write(fd, "1", 1), EBUSY);
    close(fd);
}

static void a_device_is_reset_while_nobody_uses_it(void)
{
    CHECK_ERROR(put("reset", "2"), EINVAL);
    CHECK_ERROR(put("reset", ""), EINVAL);
    CHECK_OK(put("reset", "1"));
    CHECK_EQUAL(vfio_open(device, &vfio), 0);
    CHECK(strcmp(get("enable"), "1\n") == 0);
    if (put("reset", "1") == 0)
        NOTE_LINUX("a device in use is reset");
    else
        CHECK_EQUAL(errno, EBUSY);
    close_device();
    CHECK(strcmp(get("enable"), "0\n") == 0);
}

/* ---- config ---- */

static void check_same(int config, off_t region, size_t size)
{
    for (unsigned width = 1; width <= 4; width *= 2)
        for (unsigned at = 0; at < size; at += width) {
            uint32_t here = 0, there = 0;

            CHECK_EQUAL(pread(config, &here, width, at), width);
            CHECK_EQUAL(pread(vfio.device, &there, width, region + at), width);
            if (here != there)
                CONFORM_FAIL("%u bytes at 0x%x: %x and %x", width, at, here, there);
        }
}

static void config_is_the_region_of_vfio(void)
{
    struct vfio_region_info info = {.argsz = sizeof(info), .index = VFIO_PCI_CONFIG_REGION_INDEX};
    int fd = open_file("config", O_RDWR);
    uint16_t command = 0;
    uint32_t word;

    CHECK(fd >= 0);
    CHECK_EQUAL(vfio_open(device, &vfio), 0);
    CHECK_OK(ioctl(vfio.device, VFIO_DEVICE_GET_REGION_INFO, &info));
    check_same(fd, (off_t)info.offset, info.size);
    command = 6; /* one way in, the other out */
    CHECK_EQUAL(pwrite(fd, &command, 2, 4), 2);
    command = 0;
    CHECK_EQUAL(pread(vfio.device, &command, 2, (off_t)info.offset + 4), 2);
    CHECK_EQUAL(command & 7, 6);
    word = 0xffffffff;
    CHECK_EQUAL(pwrite(fd, &word, 4, 0x10), 4);
    check_same(fd, (off_t)info.offset, 0x40);
    CHECK_EQUAL(pread(fd, &word, 4, (off_t)info.size), 0);
    CHECK_EQUAL(pwrite(fd, &word, 4, (off_t)info.size), 0);
    CHECK_EQUAL(pread(fd, &word, 4, (off_t)info.size - 2), 2);
    close_device();
    close(fd);
}

/* What was written stays till the device is opened, and reaches it only by VFIO's rules. */
static void config_without_a_user_is_a_view_of_its_own(void)
{
    int fd = open_file("config", O_RDWR), again;
    uint16_t command = 0, wanted = 6;
    uint32_t ids = 0, zero = 0;

    CHECK(fd >= 0);
    CHECK_EQUAL(pwrite(fd, &wanted, 2, 4), 2);
    CHECK_EQUAL(pwrite(fd, &zero, 4, 0), 4);
    close(fd);
    again = open_file("config", O_RDONLY);
    CHECK_EQUAL(pread(again, &command, 2, 4), 2);
    CHECK_EQUAL(command & 7, 6);
    CHECK_EQUAL(pread(again, &ids, 4, 0), 4);
    CHECK_EQUAL(ids & 0xffff, strtoul(get("vendor"), NULL, 16));
    CHECK_EQUAL(vfio_open(device, &vfio), 0);
    close_device();
    CHECK_EQUAL(pread(again, &command, 2, 4), 2);
    CHECK_EQUAL(command & 4, 0);
    close(again);
}

static void of_another_device_there_is_the_header(void)
{
    const char *mine = device;
    uint8_t bytes[256];
    int fd;

    device = "0000:00:00.0";
    fd = open_file("config", O_RDONLY);
    CHECK(fd >= 0);
    CHECK_EQUAL(read(fd, bytes, sizeof(bytes)), 64);
    CHECK_EQUAL(bytes[0] | bytes[1] << 8, 0x8086);
    CHECK_ERROR(open_file("config", O_RDWR), EACCES);
    CHECK(strcmp(get("driver_override"), "(null)\n") == 0);
    CHECK_ERROR(put("enable", "1"), EPERM);
    CHECK_ERROR(put(DRIVER("bind"), device), ENODEV);
    device = mine;
    close(fd);
}

static const struct conform_case cases[] = {
    CASE(what_is_so_is_accepted),
    CASE(binding_goes_by_the_driver),
    CASE(nothing_is_unbound),
    CASE(a_file_that_is_only_read_or_written_is_that),
    CASE(a_device_is_reset_while_nobody_uses_it),
    CASE(config_is_the_region_of_vfio),
    CASE(config_without_a_user_is_a_view_of_its_own),
    CASE(of_another_device_there_is_the_header),
};

int main(int argc, char **argv)
{
    device = argc > 1 ? argv[1] : "";
    return conform_run(cases, sizeof(cases) / sizeof(cases[0]), close_device, argc, argv);
}
