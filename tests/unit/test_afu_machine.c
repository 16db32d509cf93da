/* SPDX-License-Identifier: BSD-2-Clause */
/* What the software FPGA makes of QEMU's answers; a child of ours says them, whatever is asked. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "tools/afu-model/machine.h"

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}\r\n{\"return\": {}}\r\n"
#define EVENT    "{\"timestamp\": {\"seconds\": 1}, \"event\": \"STOP\"}\r\n"
#define RUNNING                                                                                    \
    "{\"return\": {\"status\": \"running\", \"singlestep\": false, \"running\": true}}\r\n"
#define RESTING                                                                                    \
    "{\"return\": {\"status\": \"paused\", \"singlestep\": false, \"running\": false}}\r\n"
#define DONE    "{\"return\": {}}\r\n"
#define MISTAKE "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\r\n"
#define UNIT(status)                                                                               \
    "{\"return\": \"00000000fed9001c: 0x" status " 0x01234000 0x00000005\\r\\n\"}\r\n"

static const char devices[] =
    "{\"return\": \"  Bus  0, device   8, function 0:\\r\\n    PCI bridge: PCI device "
    "1b36:0001\\r\\n"
    "      BUS 0.\\r\\n      secondary bus 3.\\r\\n      id \\\"br\\\"\\r\\n"
    "  Bus  3, device  17, function 2:\\r\\n    RAM controller: PCI device 1af4:1110\\r\\n"
    "      BAR2: 64 bit prefetchable memory at 0xfe000000 [0xfe0fffff].\\r\\n"
    "      id \\\"card1\\\"\\r\\n"
    "  Bus  0, device  31, function 3:\\r\\n    SMBus: PCI device 8086:2930\\r\\n"
    "      id \\\"\\\"\\r\\n\"}\r\n";

static struct machine machine;
static char folder[] = "/tmp/afu-machine.XXXXXX", path[64];
static int listener;
static pid_t child;

static int begin(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)state;
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/qmp", folder);
    memcpy(address.sun_path, path, strlen(path) + 1);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    child = -1;
    machine.socket = -1;
    machine.held = false;
    return bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 1);
}

static int end(void **state)
{
    (void)state;
    if (machine.socket >= 0)
        close(machine.socket);
    close(listener);
    if (child > 0)
        waitpid(child, NULL, 0);
    unlink(path);
    return rmdir(folder);
}

/* Lets a child say the text to whoever connects, and hang up when nothing more is asked. */
static void say(const char *text)
{
    char asked[256];

    child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return;
    int one = accept(listener, NULL, NULL);
    for (size_t left = strlen(text); left != 0;) {
        ssize_t n = send(one, text + strlen(text) - left, left, MSG_NOSIGNAL);

        if (n <= 0)
            _exit(0);
        left -= (size_t)n;
    }
    shutdown(one, SHUT_WR);
    while (read(one, asked, sizeof(asked)) > 0)
        ;
    _exit(0);
}

static void the_unit_is_read(void **state)
{
    bool on = false;
    uint64_t root = 0;

    (void)state;
    say(GREETING EVENT UNIT("c0000000") UNIT("80000000") UNIT("40000000") DONE);
    assert_true(machine_connect(&machine, path));
    assert_true(machine_unit(&machine, &on, &root));
    assert_true(on);
    assert_int_equal(root, 0x501234000);
    assert_true(machine_unit(&machine, &on, &root));
    assert_false(on);
    assert_true(machine_unit(&machine, &on, &root));
    assert_false(on);
    assert_false(machine_unit(&machine, &on, &root)); /* no registers in that answer */
}

static void a_device_is_found_behind_a_bridge(void **state)
{
    static char text[4096];
    uint16_t requester = 0;

    (void)state;
    snprintf(text, sizeof(text), "%s%s%s%s%s", GREETING, devices, EVENT, devices, devices);
    say(text);
    assert_true(machine_connect(&machine, path));
    assert_true(machine_requester(&machine, "card1", &requester));
    assert_int_equal(requester, 3 << 8 | 17 << 3 | 2);
    assert_true(machine_requester(&machine, "br", &requester));
    assert_int_equal(requester, 8 << 3);
    assert_false(machine_requester(&machine, "card", &requester));
}

static void only_a_running_machine_is_paused(void **state)
{
    (void)state;
    say(GREETING RESTING RUNNING EVENT DONE EVENT DONE RESTING);
    assert_true(machine_connect(&machine, path));
    assert_int_equal(machine_pause(&machine), MACHINE_AT_REST);
    assert_int_equal(machine_pause(&machine), MACHINE_PAUSED);
    assert_true(machine_go_on(&machine, path));
    assert_int_equal(machine_pause(&machine), MACHINE_AT_REST);
}

/* Its answer to the pause was lost, but not the pause: it must not stand still for ever. */
static void a_pause_without_an_answer_ends(void **state)
{
    (void)state;
    say(GREETING RUNNING);
    assert_true(machine_connect(&machine, path));
    assert_int_equal(machine_pause(&machine), MACHINE_GONE);
    assert_int_equal(machine.socket, -1);
    assert_true(machine.held);
    waitpid(child, NULL, 0);
    say(GREETING DONE);
    assert_true(machine_go_on(&machine, path));
    assert_false(machine.held);
}

static void a_machine_that_cannot_go_on_is_not_asked_for_ever(void **state)
{
    (void)state;
    say(GREETING RUNNING DONE MISTAKE);
    assert_true(machine_connect(&machine, path));
    assert_int_equal(machine_pause(&machine), MACHINE_PAUSED);
    assert_false(machine_go_on(&machine, "/tmp/afu-machine.none"));
    assert_true(machine.held);
}

static void an_error_ends_the_connection(void **state)
{
    (void)state;
    say(GREETING RUNNING MISTAKE RUNNING);
    assert_true(machine_connect(&machine, path));
    assert_int_equal(machine_pause(&machine), MACHINE_GONE);
    assert_int_equal(machine.socket, -1);
    assert_int_equal(machine_pause(&machine), MACHINE_GONE);
}

static void the_end_of_the_machine_is_seen(void **state)
{
    bool on;
    uint64_t root;

    (void)state;
    say(GREETING);
    assert_true(machine_connect(&machine, path));
    assert_false(machine_unit(&machine, &on, &root));
    assert_int_equal(machine.socket, -1);
}

static void a_line_without_end_is_refused(void **state)
{
    static char text[3 * MACHINE_ANSWER];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    say(text);
    assert_false(machine_connect(&machine, path));
    assert_int_equal(machine.socket, -1);
}

static void who_does_not_listen_is_no_machine(void **state)
{
    char longer[200];

    (void)state;
    assert_false(machine_connect(&machine, "/tmp/afu-machine.none"));
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_false(machine_connect(&machine, longer));
    assert_int_equal(machine.socket, -1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_unit_is_read),
        CASE(a_device_is_found_behind_a_bridge),
        CASE(only_a_running_machine_is_paused),
        CASE(a_pause_without_an_answer_ends),
        CASE(a_machine_that_cannot_go_on_is_not_asked_for_ever),
        CASE(an_error_ends_the_connection),
        CASE(the_end_of_the_machine_is_seen),
        CASE(a_line_without_end_is_refused),
        CASE(who_does_not_listen_is_no_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
