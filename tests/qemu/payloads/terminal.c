/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells what its terminal is, then obeys lines: `raw` shows the bytes that come up to a q, `time`
 * reads with a time limit, `size` tells the window's, `calls` what further calls answer; `quit`
 * ends it, and so does the end of input. Signals are told as they come. `terminal sum` adds up all
 * of its input instead, `terminal slow` does so between naps, `terminal late` when no more comes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static void heard(int number)
{
    char text[] = "signal  0\n";

    text[7] = number >= 10 ? (char)('0' + number / 10) : ' ';
    text[8] = (char)('0' + number % 10);
    write(1, text, sizeof(text) - 1);
}

static void tell_size(void)
{
    struct winsize size = {0};

    ioctl(1, TIOCGWINSZ, &size);
    printf("size %u %u\n", size.ws_row, size.ws_col);
}

/* What a program can ask of standard input before it reads. */
static void tell_kind(void)
{
    struct stat status;
    int waiting = -1, tty = open("/dev/tty", O_RDWR);

    fstat(0, &status);
    ioctl(0, FIONREAD, &waiting);
    printf("kind %d %d %d tty %d mode %o\n", isatty(0), isatty(1), isatty(2), tty >= 0,
           status.st_mode & S_IFMT);
    if (tty >= 0)
        close(tty);
}

/* Calls by number, which glibc makes of tcgetattr() and its kin from 2.42 on. */
static void tell_calls(void)
{
    struct {
        uint8_t termios[36];
        uint32_t speed[2];
    } modes = {0}, again = {0};
    struct pollfd ends[] = {{.fd = 0, .events = POLLOUT}, {.fd = 1, .events = POLLIN}};
    int got = ioctl(0, 0x802c542a, &modes), set, drained = tcdrain(1);

    modes.speed[0] = 9600;
    set = ioctl(0, 0x402c542c, &modes);
    ioctl(0, 0x802c542a, &again);
    poll(ends, 2, 0);
    printf("calls %d %d %d speed %u %u poll %x %x\n", got, set, drained, again.speed[0],
           again.speed[1], ends[0].revents, ends[1].revents);
}

static void show_raw(void)
{
    struct termios before, raw;
    char c = 0;

    tcgetattr(0, &before);
    raw = before;
    cfmakeraw(&raw);
    tcsetattr(0, TCSAFLUSH, &raw);
    printf("raw:");
    fflush(stdout);
    while (c != 'q' && read(0, &c, 1) == 1)
        dprintf(1, " %02x", (unsigned char)c);
    dprintf(1, ".\n|\r\n");
    tcsetattr(0, TCSANOW, &before);
}

/* VMIN 0 with a time, then VMIN 3: nothing typed, then what is typed. */
static void read_with_time(void)
{
    struct termios before, timed;
    char bytes[8];
    ssize_t none, some;

    tcgetattr(0, &before);
    timed = before;
    timed.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    timed.c_cc[VMIN] = 0;
    timed.c_cc[VTIME] = 2;
    tcsetattr(0, TCSANOW, &timed);
    none = read(0, bytes, sizeof(bytes));
    timed.c_cc[VMIN] = 3;
    timed.c_cc[VTIME] = 0;
    tcsetattr(0, TCSANOW, &timed);
    printf("type three\n");
    some = read(0, bytes, sizeof(bytes));
    printf("time %zd %zd %.3s\n", none, some, bytes);
    tcsetattr(0, TCSANOW, &before);
}

static int obey(void)
{
    char line[256];

    while (fgets(line, sizeof(line), stdin)) {
        if (strcmp(line, "quit\n") == 0)
            return 7;
        if (strcmp(line, "raw\n") == 0)
            show_raw();
        else if (strcmp(line, "time\n") == 0)
            read_with_time();
        else if (strcmp(line, "size\n") == 0)
            tell_size();
        else if (strcmp(line, "calls\n") == 0)
            tell_calls();
        else
            printf("line %zu %s", strlen(line), line);
        fflush(stdout);
    }
    printf("end\n");
    return 3;
}

/* Every way to wait for input takes its turn, before reads that do not wait. */
static ssize_t read_by_turns(int epoll, uint8_t *bytes, size_t size, unsigned turn)
{
    struct pollfd one = {.fd = 0, .events = POLLIN};
    struct epoll_event event;
    fd_set set;
    ssize_t n;

    if (turn % 4 == 0)
        poll(&one, 1, -1);
    else if (turn % 4 == 1)
        epoll_wait(epoll, &event, 1, -1);
    FD_ZERO(&set);
    FD_SET(0, &set);
    if (turn % 4 == 2)
        select(1, &set, NULL, NULL, NULL);
    fcntl(0, F_SETFL, turn % 4 == 3 ? 0 : O_NONBLOCK);
    do
        n = read(0, bytes, size);
    while (n < 0 && errno == EAGAIN && turn % 4 != 3);
    return n;
}

static int sum(bool slowly)
{
    static uint8_t bytes[65536];
    const struct timespec nap = {.tv_nsec = 20000000};
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(0);
    uint64_t total = 0, hash = 0;
    ssize_t n;

    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &event);
    for (unsigned turn = 0;
         (n = read_by_turns(epoll, bytes, slowly ? 5000 : sizeof(bytes), turn)) > 0; turn++) {
        for (ssize_t i = 0; i < n; i++)
            hash = (hash * 31 + bytes[i]) & 0xffffffff;
        total += (uint64_t)n;
        if (slowly)
            nanosleep(&nap, NULL);
    }
    printf("sum %lu %lu %zd again %zd\n", (unsigned long)total, (unsigned long)hash, n,
           read(0, bytes, 1));
    return 0;
}

/* Reads nothing before the other side is gone. */
static int sum_late(void)
{
    struct pollfd one = {.fd = 0};

    while (poll(&one, 1, -1) != 1 || one.revents != POLLHUP)
        ;
    tell_calls();
    return sum(false);
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = heard, .sa_flags = SA_RESTART};

    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTSTP, &action, NULL);
    sigaction(SIGWINCH, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    tell_kind();
    if (argc > 1 && strcmp(argv[1], "sum") == 0)
        return sum(false);
    if (argc > 1 && strcmp(argv[1], "slow") == 0)
        return sum(true);
    if (argc > 1 && strcmp(argv[1], "late") == 0)
        return sum_late();
    return obey();
}
