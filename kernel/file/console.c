/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads, writes and terminal calls of the Linux interface (ioctl_tty(2)). */
#include "kernel/file/console.h"
#include "kernel/machine/console/input.h"
#include "kernel/machine/console/serial.h"
#include "kernel/machine/console/stream.h"
#include "kernel/cpu/time.h"
#include "kernel/cpu/user.h"
#include "kernel/file/tty.h"
#include "kernel/lib/log.h"
#include "kernel/mm/heap.h"

#define CONSOLE_CHUNK 256u
#define BYTE_WORK     1000 /* of a byte written to a port: about a microsecond */
#define READ          "console read"

enum console_command {
    TCGETS = 0x5401,
    TCSETS = 0x5402,
    TCSETSW = 0x5403,
    TCSETSF = 0x5404,
    TCSBRK = 0x5409,
    TCFLSH = 0x540b,
    TIOCSCTTY = 0x540e,
    TIOCGPGRP = 0x540f,
    TIOCSPGRP = 0x5410,
    TIOCGWINSZ = 0x5413,
    TIOCSWINSZ = 0x5414,
    FIONREAD = 0x541b,
    TIOCGSID = 0x5429,
    TCGETS2 = 0x802c542a,
    TCSETS2 = 0x402c542b,
    TCSETSW2 = 0x402c542c,
    TCSETSF2 = 0x402c542d,
};

/* Of the first four: struct termios, which struct termios2 begins with. */
#define TERMIOS_SIZE offsetof(struct tty_modes, speed)

#define FLUSH_INPUT 0 /* of TCFLSH */
#define FLUSH_BOTH  2

/* One console, one state, whichever files are open on it. */
static struct tty tty;
static enum console_terminal terminal;
static uint64_t arrived_ns; /* when the last byte did */

/* An open file of the console, told when there is input or the serial port has moved on. */
struct console {
    struct waiter waiter;
    struct file *file;
};

static bool is_terminal(const struct file *file)
{
    return terminal == CONSOLE_TERMINAL || (terminal == CONSOLE_OUTPUT && !file_readable(file));
}

/* ---- input ---- */

/* An input_taker. */
static bool take_input(enum frame_kind kind, const uint8_t *bytes, size_t count)
{
    bool good = true;

    if (kind == FRAME_DATA) {
        arrived_ns = time_ns();
        good = tty_input(&tty, bytes, count);
    } else if (kind == FRAME_END) {
        tty.ended = true;
    } else if (kind == FRAME_SIZE) {
        tty_set_size(&tty, (struct tty_size){.rows = (uint16_t)(bytes[0] | bytes[1] << 8),
                                             .columns = (uint16_t)(bytes[2] | bytes[3] << 8)});
    } else {
        good = bytes[0] >= 1 && bytes[0] <= FRAME_SIGNAL_MAX;
        if (good)
            tty.signal(bytes[0]);
    }
    waitq_wake(serial_changed());
    return good;
}

/* What is typed while nobody reads the output is shown as far as there is room. */
static void echo(const char *text, size_t length)
{
    breath_left -= (int64_t)length * BYTE_WORK;
    if (serial_has_room(length))
        log_raw(text, length);
}

void console_begin(const struct config *config, void (*signal)(int number))
{
    static bool begun;

    terminal = config->terminal;
    tty.terminal = terminal == CONSOLE_TERMINAL;
    tty.echo = echo;
    tty.signal = signal;
    tty_reset(&tty);
    if (begun)
        return;
    begun = true;
    tty.size =
        (struct tty_size){.rows = config->terminal_rows, .columns = config->terminal_columns};
    input_start(config->input, take_input, TTY_RING);
}

/* ---- files ---- */

static unsigned console_poll(struct file *file)
{
    size_t waiting = tty_waiting(&tty);
    bool enough = waiting && (waiting >= tty_least(&tty, SIZE_MAX) || tty_patience_ns(&tty));
    bool hung_up = tty.ended && !is_terminal(file);
    unsigned in = (enough || tty.ended ? POLL_IN : 0) | (hung_up ? POLL_HUP : 0);
    unsigned out = serial_has_room(CONSOLE_CHUNK) ? POLL_OUT : 0;

    return (file_readable(file) ? in : 0) | (file_writable(file) ? out : 0);
}

/* Without waiting, what is there is enough. */
static int wait_for_input(const struct file *file, size_t length)
{
    bool waits = !(file->flags & FILE_NONBLOCK);
    uint64_t begun = time_ns();
    int error = 0;

    input_look();
    while (!error && tty_waiting(&tty) < tty_least(&tty, waits ? length : 1) && !tty.ended) {
        uint64_t patience = tty_patience_ns(&tty);

        if (!waits)
            return -EAGAIN;
        error = thread_sleep(READ, patience ? MAX(begun, arrived_ns) + patience : TIME_NEVER);
        input_look();
    }
    return error == -ETIMEDOUT ? 0 : error;
}

static int64_t console_read(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    static uint8_t bytes[TTY_RING];
    struct waiter waiter;
    size_t n;
    int error;

    if (!length)
        return 0;
    waiter_init_thread(&waiter);
    wait_add(serial_changed(), &waiter);
    error = wait_for_input(file, length);
    wait_remove(&waiter);
    n = tty_peek(&tty, bytes, MIN(length, sizeof(bytes)));
    if (!error)
        error = copy_to_user(buffer, bytes, n);
    if (error)
        return error;
    tty_take(&tty, n);
    input_grant(n);
    return (int64_t)n;
}

/*
 * A serial line is slow, and its reader may be slower: a chunk is written when there is room for
 * all of it, and between two chunks the rest of the machine goes on.
 */
static int64_t console_write(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    const uint32_t lines = TTY_OPOST | TTY_ONLCR;
    char chunk[CONSOLE_CHUNK];
    size_t done = 0;
    int error = 0;
    while (!error && done < length) {
        size_t n = MIN(length - done, sizeof(chunk));
        error = copy_from_user(chunk, buffer + done, n);
        if (!error)
            error = file_wait(file, POLL_OUT, "console write");
        if (error)
            break;
        if (stream_has_output())
            stream_record(STREAM_OUTPUT, chunk, n);
        else if (is_terminal(file) && (tty.modes.output & lines) != lines)
            serial_write_as_is(chunk, n);
        else
            log_raw(chunk, n);
        breath_left -= (int64_t)n * BYTE_WORK;
        done += n;
        if (done < length)
            error = thread_breathe("console write");
    }
    return done ? (int64_t)done : error;
}

/* ---- calls ---- */

static int set_modes(uint64_t argument, size_t size, bool flush)
{
    struct tty_modes modes = tty.modes;
    int error = copy_from_user(&modes, argument, size);

    if (error)
        return error;
    if (flush)
        tty_flush(&tty);
    tty_set_modes(&tty, &modes);
    waitq_wake(serial_changed());
    return 0;
}

static int set_size(uint64_t argument)
{
    struct tty_size size;
    int error = copy_from_user(&size, argument, sizeof(size));

    if (!error)
        tty_set_size(&tty, size);
    return error;
}

static int put_number(uint64_t argument, uint32_t number)
{
    return copy_to_user(argument, &number, sizeof(number));
}

static int64_t console_ioctl(struct file *file, uint32_t command, uint64_t argument)
{
    if (command == FIONREAD)
        return put_number(argument, tty_bytes(&tty));
    if (!is_terminal(file))
        return -ENOTTY;
    switch (command) {
    case TCGETS:
        return copy_to_user(argument, &tty.modes, TERMIOS_SIZE);
    case TCGETS2:
        return copy_to_user(argument, &tty.modes, sizeof(tty.modes));
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        return set_modes(argument, TERMIOS_SIZE, command == TCSETSF);
    case TCSETS2:
    case TCSETSW2:
    case TCSETSF2:
        return set_modes(argument, sizeof(tty.modes), command == TCSETSF2);
    case TCFLSH:
        if (argument == FLUSH_INPUT || argument == FLUSH_BOTH)
            tty_flush(&tty);
        return argument <= FLUSH_BOTH ? 0 : -EINVAL; /* no output is kept that could be dropped */
    case TIOCGWINSZ:
        return copy_to_user(argument, &tty.size, sizeof(tty.size));
    case TIOCSWINSZ:
        return set_size(argument);
    case TIOCGPGRP:
    case TIOCGSID:
        return put_number(argument, 1); /* the payload is the only process */
    case TCSBRK: /* what was written is out, and nobody would hear of a break */
    case TIOCSCTTY:
    case TIOCSPGRP:
        return 0;
    default:
        return -ENOTTY;
    }
}

/* A terminal is what its node says. */
static int console_stat(struct file *file, struct file_stat *out)
{
    if (!is_terminal(file))
        *out = (struct file_stat){.links = 1, .mode = MODE_FIFO | 0600};
    return 0;
}

static void console_moved(struct waiter *waiter)
{
    waitq_wake(&container_of(waiter, struct console, waiter)->file->changed);
}

static void console_release(struct file *file)
{
    struct console *console = file->context;
    wait_remove(&console->waiter);
    kfree(console);
}

static const struct file_ops console_ops = {
    .read = console_read,
    .write = console_write,
    .ioctl = console_ioctl,
    .poll = console_poll,
    .stat = console_stat,
    .release = console_release,
};

unsigned console_flags(int fd)
{
    if (terminal == CONSOLE_TERMINAL)
        return FILE_RDWR;
    return fd == 0 ? FILE_RDONLY : FILE_WRONLY;
}

int console_open(void *context, unsigned flags, struct file **out)
{
    struct console *console = kzalloc(sizeof(*console));
    if (!console)
        return -ENOMEM;
    *out = file_create(&console_ops, console, flags & (FILE_ACCMODE | FILE_NONBLOCK), "console");
    if (!*out) {
        kfree(console);
        return -ENOMEM;
    }
    console->file = *out;
    console->waiter.wake = console_moved;
    wait_add(serial_changed(), &console->waiter);
    return 0;
}

int console_open_tty(void *context, unsigned flags, struct file **out)
{
    return terminal == CONSOLE_TERMINAL ? console_open(context, flags, out) : -ENXIO;
}
