/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/file/tty.h"
#include "kernel/cpu/time.h"

#define TENTH_NS (100 * NS_PER_MS)
#define DELETE   0177
#define SPEED    38400

/* More than this many characters are not taken off the screen one by one. */
#define ERASED_MAX 80u

/* The flags that mean something, those that say how this terminal always is, and the usual keys. */
static const struct tty_modes defaults = {
    .input = TTY_ICRNL | 040000, /* IUTF8 */
    .output = TTY_OPOST | TTY_ONLCR,
    .control = 0277,                                   /* that speed, 8 bits, receiver on */
    .local = TTY_ISIG | TTY_ICANON | TTY_ECHO | 05060, /* ECHOE, ECHOK, ECHOCTL, ECHOKE */
    .characters = {3, 28, DELETE, 21, 4, 0, 1, [TTY_VSUSP] = 26},
    .speed = {SPEED, SPEED},
};

static bool is_canonical(const struct tty *tty)
{
    return tty->terminal && (tty->modes.local & TTY_ICANON);
}

static uint32_t room(const struct tty *tty)
{
    return TTY_RING - (tty->end - tty->first);
}

static bool ends_line(uint16_t c)
{
    return c == '\n' || c == TTY_END_OF_FILE;
}

static void put(struct tty *tty, uint16_t c)
{
    tty->ring[tty->end++ % TTY_RING] = c;
    if (ends_line(c) || !is_canonical(tty))
        tty->ready = tty->end;
}

/* ---- what is typed ---- */

/* Shown as two characters, such as ^C. */
static bool is_control(uint16_t c)
{
    return c != '\n' && (c < ' ' || c == DELETE);
}

static void echo(const struct tty *tty, uint8_t c)
{
    const char text[] = {'^', (char)(c ^ 0100), (char)c};

    if (tty->modes.local & TTY_ECHO)
        tty->echo(is_control(c) ? text : &text[2], 1 + is_control(c));
}

/* The last character, of several bytes perhaps (UTF-8). False: the line is empty. */
static bool erase_one(struct tty *tty)
{
    uint16_t c;

    do {
        if (tty->end == tty->ready)
            return false;
        c = tty->ring[--tty->end % TTY_RING];
    } while ((c & 0xc0) == 0x80);
    if (tty->modes.local & TTY_ECHO)
        tty->echo("\b \b\b \b", is_control(c) ? 6 : 3);
    return true;
}

static void erase(struct tty *tty)
{
    (void)erase_one(tty);
}

static void erase_line(struct tty *tty)
{
    for (unsigned i = 0; i < ERASED_MAX && erase_one(tty); i++)
        ;
    if (tty->end != tty->ready)
        echo(tty, '\n');
    tty->end = tty->ready;
}

static void end_of_file(struct tty *tty)
{
    if (room(tty))
        put(tty, TTY_END_OF_FILE);
}

static const struct {
    enum tty_character key;
    uint32_t mode; /* the local flag that gives it a meaning */
    enum tty_signal signal;
    void (*act)(struct tty *tty);
} keys[] = {
    {TTY_VINTR, TTY_ISIG, TTY_SIGINT, tty_flush},  {TTY_VQUIT, TTY_ISIG, TTY_SIGQUIT, tty_flush},
    {TTY_VSUSP, TTY_ISIG, TTY_SIGTSTP, tty_flush}, {TTY_VERASE, TTY_ICANON, 0, erase},
    {TTY_VKILL, TTY_ICANON, 0, erase_line},        {TTY_VEOF, TTY_ICANON, 0, end_of_file},
};

/* Does what a key means; false: it is only itself. 0 in the modes stands for no key. */
static bool act(struct tty *tty, uint8_t c)
{
    for (size_t i = 0; c && i < ARRAY_SIZE(keys); i++) {
        if (tty->modes.characters[keys[i].key] != c || !(tty->modes.local & keys[i].mode))
            continue;
        keys[i].act(tty);
        if (keys[i].signal) {
            echo(tty, c);
            tty->signal(keys[i].signal);
        }
        return true;
    }
    return false;
}

/* The last place is kept for what ends a line. */
static bool is_full(const struct tty *tty, uint8_t c)
{
    bool edited = is_canonical(tty) && c != '\n';

    return room(tty) <= edited || (edited && tty->end - tty->ready >= TTY_LINE_MAX);
}

static void take_typed(struct tty *tty, uint8_t c)
{
    if (c == '\r' && (tty->modes.input & TTY_ICRNL))
        c = '\n';
    if (act(tty, c) || is_full(tty, c))
        return;
    echo(tty, c);
    put(tty, c);
}

bool tty_input(struct tty *tty, const uint8_t *bytes, size_t count)
{
    if (!tty->terminal && (tty->ended || room(tty) < count))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (tty->terminal)
            take_typed(tty, bytes[i]);
        else
            put(tty, bytes[i]);
    }
    return true;
}

/* ---- what the payload asks for ---- */

void tty_flush(struct tty *tty)
{
    if (tty->terminal)
        tty->first = tty->ready = tty->end;
}

void tty_set_modes(struct tty *tty, const struct tty_modes *modes)
{
    bool before = is_canonical(tty);

    tty->modes = *modes;
    if (is_canonical(tty) != before)
        tty->ready = tty->end;
}

void tty_reset(struct tty *tty)
{
    tty_set_modes(tty, &defaults);
}

void tty_set_size(struct tty *tty, struct tty_size size)
{
    bool same = tty->size.rows == size.rows && tty->size.columns == size.columns;

    tty->size = size;
    if (!same)
        tty->signal(TTY_SIGWINCH);
}

size_t tty_waiting(const struct tty *tty)
{
    return tty->ready - tty->first;
}

uint32_t tty_bytes(const struct tty *tty)
{
    uint32_t bytes = 0;

    for (uint32_t at = tty->first; at != tty->ready; at++)
        bytes += tty->ring[at % TTY_RING] != TTY_END_OF_FILE;
    return bytes;
}

size_t tty_least(const struct tty *tty, size_t length)
{
    const uint8_t *c = tty->modes.characters;

    if (!tty->terminal || is_canonical(tty))
        return 1;
    return c[TTY_VMIN] ? MIN(length, c[TTY_VMIN]) : c[TTY_VTIME] > 0;
}

uint64_t tty_patience_ns(const struct tty *tty)
{
    const uint8_t *c = tty->modes.characters;
    bool counts = tty->terminal && !is_canonical(tty) && (!c[TTY_VMIN] || tty_waiting(tty));

    return counts ? c[TTY_VTIME] * TENTH_NS : 0;
}

size_t tty_peek(const struct tty *tty, uint8_t *bytes, size_t length)
{
    size_t most = MIN(length, tty_waiting(tty));

    for (size_t n = 0; n < most; n++) {
        uint16_t c = tty->ring[(tty->first + n) % TTY_RING];

        bytes[n] = (uint8_t)c;
        if (is_canonical(tty) && ends_line(c))
            return n + (c == '\n');
    }
    return most;
}

void tty_take(struct tty *tty, size_t length)
{
    bool whole = length && tty->ring[(tty->first + length - 1) % TTY_RING] == '\n';

    tty->first += (uint32_t)length;
    if (!whole && tty_waiting(tty) && tty->ring[tty->first % TTY_RING] == TTY_END_OF_FILE)
        tty->first++;
}
