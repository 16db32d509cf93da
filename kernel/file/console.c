/* SPDX-License-Identifier: BSD-2-Clause */
/* Terminal calls of the Linux interface (ioctl_tty(2)), as far as programs ask at start. */
#include "kernel/file/console.h"
#include "kernel/machine/console/serial.h"
#include "kernel/machine/console/stream.h"
#include "kernel/cpu/user.h"
#include "kernel/lib/log.h"
#include "kernel/mm/heap.h"

#define CONSOLE_CHUNK 256u
#define BYTE_WORK     1000 /* of a byte written to a port: about a microsecond */

enum console_command {
    TCGETS = 0x5401,
    TCSETS = 0x5402,
    TCSETSW = 0x5403,
    TCSETSF = 0x5404,
    TIOCGPGRP = 0x540f,
    TIOCSPGRP = 0x5410,
    TIOCGWINSZ = 0x5413,
    TIOCSWINSZ = 0x5414,
    FIONREAD = 0x541b,
};

/* struct termios of the kernel interface. */
struct console_termios {
    uint32_t input, output, control, local;
    uint8_t line;
    uint8_t characters[19];
};
_Static_assert(sizeof(struct console_termios) == 36, "layout of the Linux interface");

struct console_size {
    uint16_t rows, columns, x_pixels, y_pixels;
};

/* One console, one state. The flag values are ICRNL|IXON, OPOST|ONLCR, B38400|CS8|CREAD and
 * ISIG|ICANON|ECHO and companions: what a Linux terminal starts with. */
static struct console_termios termios = {
    .input = 02400,
    .output = 05,
    .control = 0277,
    .local = 0105073,
    .characters = {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22},
};
static struct console_size size = {.rows = 24, .columns = 80};

static int64_t console_read(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    return 0;
}

/* Tells whoever polls an open console that the serial port has moved on. */
struct console {
    struct waiter waiter;
    struct file *file;
};

static unsigned console_poll(struct file *file)
{
    return POLL_IN | (serial_has_room(CONSOLE_CHUNK) ? POLL_OUT : 0u);
}

/*
 * A serial line is slow, and its reader may be slower: a chunk is written when there is room for
 * all of it, and between two chunks the rest of the machine goes on.
 */
static int64_t console_write(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
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
        else
            log_raw(chunk, n);
        breath_left -= (int64_t)n * BYTE_WORK;
        done += n;
        if (done < length)
            error = thread_breathe("console write");
    }
    return done ? (int64_t)done : error;
}

static int64_t console_ioctl(struct file *file, uint32_t command, uint64_t argument)
{
    uint32_t number = 0;
    switch (command) {
    case TCGETS:
        return copy_to_user(argument, &termios, sizeof(termios));
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        return copy_from_user(&termios, argument, sizeof(termios));
    case TIOCGWINSZ:
        return copy_to_user(argument, &size, sizeof(size));
    case TIOCSWINSZ:
        return copy_from_user(&size, argument, sizeof(size));
    case TIOCGPGRP:
        number = 1; /* the payload is the only process group */
        return copy_to_user(argument, &number, sizeof(number));
    case TIOCSPGRP:
        return 0;
    case FIONREAD:
        return copy_to_user(argument, &number, sizeof(number));
    default:
        return -ENOTTY;
    }
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
    .release = console_release,
};

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
