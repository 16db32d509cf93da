/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "machine.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_S 10 /* that QEMU gets for an answer */
#define TRIES      3
#define COMMAND    256

/* The unit's status and root table address registers, one behind the other; q35 has one unit. */
#define UNIT_STATUS 0xfed9001cu
#define STATUS_ON   0x80000000u
#define STATUS_ROOT 0x40000000u /* the root table pointer has been taken */
#define MONITOR(line)                                                                              \
    "{\"execute\": \"human-monitor-command\", \"arguments\": {\"command-line\": \"" line "\"}}\n"

static void disconnect(struct machine *machine)
{
    close(machine->socket);
    machine->socket = -1;
}

/* The length of the first whole line that has come, waiting for it; 0: none comes. */
static size_t await_line(struct machine *machine)
{
    for (;;) {
        const char *end = memchr(machine->line, '\n', machine->used);

        if (end)
            return (size_t)(end - machine->line) + 1;
        size_t room = sizeof(machine->line) - machine->used;
        ssize_t n = recv(machine->socket, machine->line + machine->used, room, 0);
        if (n <= 0)
            return 0;
        machine->used += (size_t)n;
    }
}

static void drop_line(struct machine *machine, size_t length)
{
    machine->used -= length;
    memmove(machine->line, machine->line + length, machine->used);
}

static bool begins(const struct machine *machine, const char *text)
{
    return strncmp(machine->line, text, strlen(text)) == 0;
}

/* Takes in lines until one begins with `text`, which becomes a string. Events are passed over. */
static size_t await(struct machine *machine, const char *text)
{
    for (size_t length; (length = await_line(machine)) != 0; drop_line(machine, length)) {
        machine->line[length - 1] = '\0';
        if (begins(machine, text))
            return length;
        if (begins(machine, "{\"error\""))
            break;
    }
    return 0;
}

/*
 * Has QEMU execute a command; true if it did. Then `found`, unless it is NULL, gets what scan()
 * makes of the answer. An answer that fails or does not come ends the connection.
 */
static bool execute(struct machine *machine, const char *command,
                    bool (*scan)(const char *answer, void *found), void *found)
{
    size_t size = strlen(command), length = 0;

    if (machine->socket < 0)
        return false;
    if (send(machine->socket, command, size, MSG_NOSIGNAL) == (ssize_t)size)
        length = await(machine, "{\"return\"");
    bool good = length != 0 && (!scan || scan(machine->line, found));
    if (length != 0)
        drop_line(machine, length);
    else
        disconnect(machine);
    return good;
}

bool machine_connect(struct machine *machine, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = PATIENCE_S};
    size_t length;

    machine->used = 0;
    machine->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (machine->socket < 0)
        return false;
    if (strlen(path) >= sizeof(address.sun_path))
        goto refuse;
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (setsockopt(machine->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
        connect(machine->socket, (struct sockaddr *)&address, sizeof(address)))
        goto refuse;
    length = await(machine, "{\"QMP\"");
    if (length == 0)
        goto refuse;
    drop_line(machine, length);
    return execute(machine, "{\"execute\": \"qmp_capabilities\"}\n", NULL, NULL);

refuse:
    disconnect(machine);
    return false;
}

static bool scan_running(const char *answer, void *found)
{
    *(bool *)found = strstr(answer, "\"running\": true") != NULL;
    return true;
}

enum machine_pause machine_pause(struct machine *machine)
{
    bool running = false;

    if (!execute(machine, "{\"execute\": \"query-status\"}\n", scan_running, &running))
        return MACHINE_GONE;
    if (!running)
        return MACHINE_AT_REST;
    machine->held = true;
    return execute(machine, "{\"execute\": \"stop\"}\n", NULL, NULL) ? MACHINE_PAUSED
                                                                     : MACHINE_GONE;
}

bool machine_go_on(struct machine *machine, const char *path)
{
    for (unsigned i = 0; i < TRIES && machine->held; i++) {
        if (machine->socket >= 0 || machine_connect(machine, path))
            machine->held = !execute(machine, "{\"execute\": \"cont\"}\n", NULL, NULL);
    }
    return !machine->held;
}

struct unit {
    unsigned status, root_low, root_high;
};

static bool scan_unit(const char *answer, void *found)
{
    struct unit *unit = found;

    return sscanf(answer, "{\"return\": \"%*[0-9a-f]: 0x%x 0x%x 0x%x", &unit->status,
                  &unit->root_low, &unit->root_high) == 3;
}

bool machine_unit(struct machine *machine, bool *on, uint64_t *root)
{
    struct unit unit;
    char command[COMMAND];

    snprintf(command, sizeof(command), MONITOR("xp /3xw 0x%x"), UNIT_STATUS);
    if (!execute(machine, command, scan_unit, &unit))
        return false;
    *on = (unit.status & STATUS_ON) && (unit.status & STATUS_ROOT);
    *root = (uint64_t)unit.root_high << 32 | unit.root_low;
    return true;
}

/* A device on its way to a requester id. */
struct place {
    const char *id;
    uint16_t requester;
};

/* `info pci` shows of each device first "Bus N, device N, function N:" and last its id. */
static bool scan_place(const char *answer, void *found)
{
    struct place *place = found;
    unsigned bus, device, function;
    bool seen = false;
    char id[COMMAND];

    snprintf(id, sizeof(id), "id \\\"%s\\\"", place->id);
    const char *end = strstr(answer, id);
    for (const char *at = answer; end && (at = strstr(at, "Bus ")) && at < end; at++) {
        if (sscanf(at, "Bus %u, device %u, function %u", &bus, &device, &function) != 3)
            continue;
        place->requester = (uint16_t)(bus << 8 | device << 3 | function);
        seen = true;
    }
    return seen;
}

bool machine_requester(struct machine *machine, const char *id, uint16_t *requester)
{
    struct place place = {.id = id};

    if (!execute(machine, MONITOR("info pci"), scan_place, &place))
        return false;
    *requester = place.requester;
    return true;
}
