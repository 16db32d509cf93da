/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client that reads its job from standard input, and sleeps in one poll() for the next piece of
 * it and for edu's interrupt. A line is done when the transfer of the one before has ended: put
 * OFFSET TEXT      DMA from memory into edu's buffer get OFFSET LENGTH    and back, shown quit ends
 * it, as the end of input does What is no such line is told, and the next one is done.
 * <bulkhead/device.h> does the rest.
 */
#include <bulkhead/device.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edu_registers.h"

#define SPACE          0x100000u /* of edu's registers */
#define BYTES          4096u     /* of its buffer */
#define LINE_MAX_BYTES 256u

static const struct device_match any_edu = {.vendor = 0x1234, .device = 0x11e8};

static volatile uint8_t *registers;
static struct dma_memory memory;
static int event;

/* What was read and not done yet; text[length] is free. */
static char text[LINE_MAX_BYTES + 1];
static size_t length;
static bool ended, quits;
static unsigned lines, transfers;
/* Of the transfer that runs: what it brings is to be shown. 0 bytes: none runs. */
static size_t running;
static bool shown;

static void say(const char *format, ...)
{
    va_list arguments;

    printf("job: line %u: ", lines);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

static void write64(unsigned at, uint64_t value)
{
    *(volatile uint64_t *)(registers + at) = value;
}

static void start(uint64_t from, uint64_t to, size_t bytes, unsigned direction)
{
    running = bytes;
    shown = direction == EDU_TO_MEMORY;
    write64(EDU_SOURCE, from);
    write64(EDU_TARGET, to);
    write64(EDU_COUNT, bytes);
    write64(EDU_COMMAND, EDU_RUN | EDU_INTERRUPT | direction);
}

static void take_interrupt(void)
{
    uint64_t came = 0;

    if (!events_wait(&event, &came, 1, 0))
        return;
    *(volatile uint32_t *)(registers + EDU_ACKNOWLEDGE) = ~0u;
    if (shown)
        say("got %zu bytes: %.*s", running, (int)running, (const char *)memory.at);
    else
        say("put %zu bytes", running);
    running = 0;
    transfers++;
}

static bool fits(unsigned long offset, size_t bytes)
{
    return bytes > 0 && bytes <= BYTES && offset <= BYTES - bytes;
}

static void put(char *arguments)
{
    char *what;
    unsigned long offset = strtoul(arguments, &what, 0);
    size_t bytes = *what == ' ' ? strlen(++what) : 0;

    if (!fits(offset, bytes))
        return say("no place for %zu bytes", bytes);
    memcpy(memory.at, what, bytes);
    start(memory.iova, EDU_BUFFER + offset, bytes, 0);
}

static void get(char *arguments)
{
    char *rest;
    unsigned long offset = strtoul(arguments, &rest, 0);
    size_t bytes = strtoul(rest, NULL, 0);

    if (!fits(offset, bytes))
        return say("no %zu bytes there", bytes);
    memset(memory.at, '?', bytes);
    start(EDU_BUFFER + offset, memory.iova, bytes, EDU_TO_MEMORY);
}

static void obey(char *line)
{
    lines++;
    if (strncmp(line, "put ", 4) == 0)
        put(line + 4);
    else if (strncmp(line, "get ", 4) == 0)
        get(line + 4);
    else if (strcmp(line, "quit") == 0)
        quits = true;
    else
        say("what is '%s'?", line);
}

/* The first line of what was read, if there is a whole one; at the end of input, and of our
 * patience, what there is. */
static bool do_next_line(void)
{
    char line[sizeof(text)];
    char *newline = memchr(text, '\n', length);
    size_t bytes = newline ? (size_t)(newline - text) : length;

    if (!newline && !(ended && length) && length < LINE_MAX_BYTES)
        return false;
    memcpy(line, text, bytes);
    line[bytes] = '\0';
    bytes += newline != NULL;
    length -= bytes;
    memmove(text, text + bytes, length);
    obey(line);
    return true;
}

static void read_more(void)
{
    ssize_t got = read(STDIN_FILENO, text + length, LINE_MAX_BYTES - length);

    if (got < 0) {
        perror("standard input");
        exit(1);
    }
    ended = got == 0;
    length += (size_t)got;
}

static void sleep_for_either(void)
{
    struct pollfd both[] = {{.fd = event, .events = POLLIN},
                            {.fd = STDIN_FILENO, .events = POLLIN}};
    bool wants = !ended && length < LINE_MAX_BYTES;

    if (poll(both, wants ? 2 : 1, -1) < 0 && errno != EINTR) {
        perror("poll");
        exit(1);
    }
    if (both[0].revents)
        take_interrupt();
    if (wants && both[1].revents)
        read_more();
}

int main(void)
{
    char name[DEVICE_NAME_SIZE];
    struct dma_space space;
    struct device device;

    device_find(name, NULL, &any_edu, "edu");
    dma_space_open(&space, DEVICE_VFIO_GROUP);
    device_open(&device, &space, name);
    registers = device_map_bar(&device, 0, SPACE);
    memory = dma_make(&space, BYTES);
    device_enable_interrupts(&device, DEVICE_MSI, &event, 1);
    printf("job: ready\n");
    fflush(stdout);
    while (running || !(quits || (ended && !length)))
        if (running || !do_next_line())
            sleep_for_either();
    printf("job: %s after %u lines and %u transfers\n", quits ? "quit" : "end", lines, transfers);
    return quits ? 0 : 4;
}
