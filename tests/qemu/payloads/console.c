/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes to a console that is read slowly or not at all: `console lines` writes LINES numbered
 * lines; `console signal` writes until a signal interrupts it; `console poll` until a write would
 * have to wait, which poll() then knows; `console flood` for ever.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINES 60000

static char block[4096];

static void caught(int number)
{
}

static int lines(void)
{
    for (int i = 1; i <= LINES; i++)
        printf("%d\n", i);
    return fflush(stdout) ? 1 : 3;
}

/* The write that is interrupted says how much it wrote, or EINTR if that is nothing. */
static int interrupted(void)
{
    struct sigaction action = {.sa_handler = caught};
    ssize_t n;

    sigaction(SIGALRM, &action, NULL);
    alarm(1);
    while ((n = write(1, block, sizeof(block))) == sizeof(block))
        ;
    return n > 0 || errno == EINTR ? 7 : 1;
}

static int would_wait(void)
{
    struct pollfd one = {.fd = open("/dev/console", O_WRONLY | O_NONBLOCK), .events = POLLOUT};
    ssize_t n;

    while ((n = write(one.fd, block, sizeof(block))) > 0)
        ;
    return n < 0 && errno == EAGAIN && poll(&one, 1, 0) == 0 ? 9 : 1;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    memset(block, 'x', sizeof(block));
    if (strcmp(what, "lines") == 0)
        return lines();
    if (strcmp(what, "signal") == 0)
        return interrupted();
    if (strcmp(what, "poll") == 0)
        return would_wait();
    for (;;)
        write(1, block, sizeof(block));
}
