/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client that knows nothing but /sys/class/uio: it walks the devices there, tells their maps,
 * follows the link `device` to find the one it drives, and drives it by /dev/uioN. `event` in sysfs
 * and the count that read() gives have to agree.
 * usage: uio_walk VENDOR DEVICE     as in 0x1234 0x11e8
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu_registers.h"

#define UIO        "/sys/class/uio"
#define PAGE       4096u
#define NEW_BUFFER 0xfffff000ll /* offset of mmap at which the kernel makes a buffer for DMA */
#define DATA       64u          /* behind what the kernel wrote into the buffer */
#define BYTES      1500u
#define PATIENCE   60000 /* ms */

static void must(bool success, const char *what)
{
    if (success)
        return;
    perror(what);
    exit(1);
}

/* A line of a file of sysfs, without its end. False: there is no such file. */
static bool read_line(const char *uio, const char *file, char *out, size_t size)
{
    char path[320];

    snprintf(path, sizeof(path), UIO "/%s/%s", uio, file);
    FILE *stream = fopen(path, "r");
    if (!stream)
        return false;
    bool got = fgets(out, (int)size, stream) != NULL;
    fclose(stream);
    if (got)
        out[strcspn(out, "\n")] = '\0';
    return got;
}

static unsigned long long read_number(const char *uio, const char *file)
{
    char text[64];
    return read_line(uio, file, text, sizeof(text)) ? strtoull(text, NULL, 0) : 0;
}

static unsigned long long map_number(const char *uio, unsigned map, const char *what)
{
    char file[64];

    snprintf(file, sizeof(file), "maps/map%u/%s", map, what);
    return read_number(uio, file);
}

/* The first map that has a size, and how many have one. */
static unsigned walk_maps(const char *uio, unsigned *first)
{
    unsigned count = 0;

    for (unsigned map = 0; map < 6; map++) {
        unsigned long long size = map_number(uio, map, "size");
        if (size == 0)
            continue;
        printf("uio_walk: %s map%u: %llu bytes at %s, offset %llu\n", uio, map, size,
               map_number(uio, map, "addr") ? "an address" : "NOWHERE",
               map_number(uio, map, "offset"));
        if (count++ == 0)
            *first = map;
    }
    return count;
}

static bool find(char uio[32], unsigned long vendor, unsigned long device)
{
    DIR *directory = opendir(UIO);
    struct dirent *entry;
    char name[64];

    must(directory != NULL, UIO);
    uio[0] = '\0';
    while ((entry = readdir(directory))) {
        if (entry->d_name[0] == '.')
            continue;
        must(read_line(entry->d_name, "name", name, sizeof(name)), "name");
        bool ours = read_number(entry->d_name, "device/vendor") == vendor &&
                    read_number(entry->d_name, "device/device") == device;
        printf("uio_walk: %s is called %s, %s\n", entry->d_name, name, ours ? "ours" : "another");
        if (ours)
            snprintf(uio, 32, "%.31s", entry->d_name);
    }
    closedir(directory);
    return uio[0] != '\0';
}

struct drive {
    int file;
    volatile uint8_t *registers;
    int32_t count; /* of interrupts, as read() gave it */
};

static void transfer(struct drive *drive, uint64_t from, uint64_t to, unsigned direction)
{
    struct pollfd wait = {.fd = drive->file, .events = POLLIN};
    int32_t on = 1;

    *(volatile uint64_t *)(drive->registers + EDU_SOURCE) = from;
    *(volatile uint64_t *)(drive->registers + EDU_TARGET) = to;
    *(volatile uint64_t *)(drive->registers + EDU_COUNT) = BYTES;
    *(volatile uint64_t *)(drive->registers + EDU_COMMAND) = EDU_RUN | EDU_INTERRUPT | direction;
    must(poll(&wait, 1, PATIENCE) == 1, "the interrupt");
    must(read(drive->file, &drive->count, sizeof(drive->count)) == sizeof(drive->count), "read");
    *(volatile uint32_t *)(drive->registers + EDU_ACKNOWLEDGE) = ~0u;
    must(write(drive->file, &on, sizeof(on)) == sizeof(on), "let the next one through");
}

static bool copy(struct drive *drive)
{
    uint8_t *buffer =
        mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, drive->file, NEW_BUFFER);

    must(buffer != MAP_FAILED, "a buffer");
    uint64_t address = *(const uint64_t *)buffer;
    for (unsigned i = 0; i < BYTES; i++)
        buffer[DATA + i] = (uint8_t)(i * 13 + 5);
    transfer(drive, address + DATA, EDU_BUFFER, 0);
    transfer(drive, EDU_BUFFER, address + PAGE, EDU_TO_MEMORY);
    return memcmp(buffer + DATA, buffer + PAGE, BYTES) == 0;
}

int main(int argc, char **argv)
{
    char uio[32], path[64];
    struct drive drive = {0};
    unsigned map = 0;

    if (argc != 3 || !find(uio, strtoul(argv[1], NULL, 0), strtoul(argv[2], NULL, 0))) {
        fprintf(stderr, "uio_walk: no such device\n");
        return 1;
    }
    must(walk_maps(uio, &map) > 0, "no maps");
    snprintf(path, sizeof(path), "/dev/%s", uio);
    drive.file = open(path, O_RDWR);
    must(drive.file >= 0, path);
    drive.registers = mmap(NULL, map_number(uio, map, "size"), PROT_READ | PROT_WRITE, MAP_SHARED,
                           drive.file, (off_t)map * PAGE);
    must(drive.registers != MAP_FAILED, "registers");
    bool good = copy(&drive);
    unsigned long long told = read_number(uio, "event");
    printf("uio_walk: copy %s, event %llu, read %d\n", good ? "ok" : "FAILED", told,
           (int)drive.count);
    return good && told == (unsigned)drive.count ? 0 : 1;
}
