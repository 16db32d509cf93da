/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/file/tty.h"
#include "kernel/cpu/time.h"

#define TENTH_NS (100 * NS_PER_MS)
#define DELETE   0177

/* Line editing, echo and signals, by the usual keys. */
static const struct tty_modes defaults = {
    .input = TTY_ICRNL | TTY_IXON | TTY_IUTF8,
    .output = TTY_OPOST | TTY_ONLCR,
    .control = 0277, /* 38400 baud, for who asks; 8 bits, receiver on */
    .local = TTY_ISIG | TTY_ICANON | TTY_ECHO | TTY_ECHOE | TTY_ECHOK | TTY_ECHOCTL | TTY_ECHOKE |
             TTY_IEXTEN,
    .characters = {3, 28, DELETE, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22},
};

static bool is_local(const struct tty *tty, uint32_t flag)
{
    return tty->modes.local & flag;
}

static bool is_input(const struct tty *tty, uint32_t flag)
{
    return tty->modes.input & flag;
}

static bool is_canonical(const struct tty *tty)
{
    return tty->terminal && is_local(tty, TTY_ICANON);
}

/* Is it the key for something? 0 stands for no key. */
static bool is_key(const struct tty *tty, enum tty_character key, uint8_t c)
{
    return c && tty->modes.characters[key] == c;
}

/* ---- the ring ---- */

static uint32_t room(const struct tty *tty)
{
    return TTY_RING - (tty->end - tty->first);
}

static uint8_t *at(struct tty *tty, uint32_t index)
{
    return &tty->ring[index % TTY_RING];
}

static bool ends_line(const struct tty *tty, uint32_t index)
{
    return tty->ends[index % TTY_RING / 8] >> index % 8 & 1;
}

static void mark(struct tty *tty, uint32_t index, bool end)
{
    uint8_t *bits = &tty->ends[index % TTY_RING / 8];

    *bits = (uint8_t)((*bits & ~(1u << index % 8)) | (unsigned)end << index % 8);
}

static void put(struct tty *tty, uint8_t c, bool end)
{
    mark(tty, tty->end, end);
    *at(tty, tty->end++) = c;
    if (end || !is_canonical(tty))
        tty->ready = tty->end;
}

/* ---- echo ---- */

static bool is_shown_as_two(const struct tty *tty, uint8_t c)
{
    return is_local(tty, TTY_ECHOCTL) && c != '\n' && (c < ' ' || c == DELETE);
}

static void echo(const struct tty *tty, uint8_t c)
{
    char two[] = {'^', (char)(c ^ 0100)};

    bool shown =
        is_local(tty, TTY_ECHO) || (c == '\n' && is_local(tty, TTY_ECHONL) && is_canonical(tty));

    if (!shown)
        return;
    if (is_shown_as_two(tty, c))
        tty->echo(two, sizeof(two));
    else
        tty->echo((const char *)&c, 1);
}

/* ---- editing a line ---- */

/* The last character, of several bytes perhaps. False: the line is empty. */
static bool erase_one(struct tty *tty)
{
    uint8_t c;

    do {
        if (tty->end == tty->ready)
            return false;
        c = *at(tty, --tty->end);
    } while (is_input(tty, TTY_IUTF8) && (c & 0xc0) == 0x80);
    for (unsigned i = 0; is_local(tty, TTY_ECHO) && i < 1u + is_shown_as_two(tty, c); i++)
        tty->echo("\b \b", 3);
    return true;
}

static void erase(struct tty *tty)
{
    (void)erase_one(tty);
}

static void erase_line(struct tty *tty)
{
    while (erase_one(tty))
        ;
}

static void erase_word(struct tty *tty)
{
    while (tty->end != tty->ready && *at(tty, tty->end - 1) == ' ')
        erase(tty);
    while (tty->end != tty->ready && *at(tty, tty->end - 1) != ' ')
        erase(tty);
}

static void show_again(struct tty *tty)
{
    echo(tty, '\n');
    for (uint32_t i = tty->ready; i != tty->end; i++)
        echo(tty, *at(tty, i));
}

static void take_literally(struct tty *tty)
{
    tty->literal = true;
}

static void end_of_file(struct tty *tty)
{
    if (room(tty))
        put(tty, 0, true);
}

static const struct {
    enum tty_character key;
    bool extended;
    void (*act)(struct tty *tty);
} edits[] = {
    {TTY_VERASE, false, erase},       {TTY_VKILL, false, erase_line},
    {TTY_VEOF, false, end_of_file},   {TTY_VWERASE, true, erase_word},
    {TTY_VREPRINT, true, show_again}, {TTY_VLNEXT, true, take_literally},
};

static bool edit(struct tty *tty, uint8_t c)
{
    for (size_t i = 0; i < ARRAY_SIZE(edits); i++) {
        if (is_key(tty, edits[i].key, c) && (!edits[i].extended || is_local(tty, TTY_IEXTEN))) {
            edits[i].act(tty);
            return true;
        }
    }
    return false;
}

/* ---- what a key does at once ---- */

static bool send_signal(struct tty *tty, uint8_t c)
{
    static const struct {
        enum tty_character key;
        enum tty_signal signal;
    } keys[] = {{TTY_VINTR, TTY_SIGINT}, {TTY_VQUIT, TTY_SIGQUIT}, {TTY_VSUSP, TTY_SIGTSTP}};

    for (size_t i = 0; is_local(tty, TTY_ISIG) && i < ARRAY_SIZE(keys); i++) {
        if (!is_key(tty, keys[i].key, c))
            continue;
        if (!is_local(tty, TTY_NOFLSH))
            tty_flush(tty);
        tty->stopped = false;
        echo(tty, c);
        tty->signal(keys[i].signal);
        return true;
    }
    return false;
}

static bool stop_or_go_on(struct tty *tty, uint8_t c)
{
    bool stops = is_key(tty, TTY_VSTOP, c);

    if (!is_input(tty, TTY_IXON) || !(stops || is_key(tty, TTY_VSTART, c)))
        return false;
    tty->stopped = stops;
    return true;
}

/* The byte that is meant; -1: none. */
static int mapped(const struct tty *tty, uint8_t c)
{
    if (c == '\r' && is_input(tty, TTY_IGNCR))
        return -1;
    if (c == '\r' && is_input(tty, TTY_ICRNL))
        return '\n';
    return c == '\n' && is_input(tty, TTY_INLCR) ? '\r' : c;
}

static bool is_line_end(const struct tty *tty, uint8_t c)
{
    return c == '\n' || is_key(tty, TTY_VEOL, c) || is_key(tty, TTY_VEOL2, c);
}

/* The last place of a line is kept for what ends it. */
static bool add(struct tty *tty, uint8_t c, bool end)
{
    if (room(tty) <= (is_canonical(tty) && !end))
        return false;
    echo(tty, c);
    put(tty, c, end);
    return true;
}

static bool take_typed(struct tty *tty, uint8_t c)
{
    int meant;

    if (tty->literal) {
        tty->literal = false;
        return add(tty, c, false);
    }
    if (is_input(tty, TTY_ISTRIP))
        c &= 0x7f;
    if (stop_or_go_on(tty, c) || send_signal(tty, c))
        return true;
    meant = mapped(tty, c);
    if (meant < 0 || (is_canonical(tty) && edit(tty, (uint8_t)meant)))
        return true;
    return add(tty, (uint8_t)meant, is_canonical(tty) && is_line_end(tty, (uint8_t)meant));
}

bool tty_input(struct tty *tty, const uint8_t *bytes, size_t count)
{
    bool all = true;

    if (!tty->terminal && (tty->ended || room(tty) < count))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (tty->terminal)
            all &= take_typed(tty, bytes[i]);
        else
            put(tty, bytes[i], false);
    }
    return all;
}

/* ---- what the payload asks for ---- */

void tty_flush(struct tty *tty)
{
    if (tty->terminal) /* else it is another file, a pipe */
        tty->first = tty->ready = tty->end;
}

void tty_set_modes(struct tty *tty, const struct tty_modes *modes)
{
    bool before = is_canonical(tty);

    tty->modes = *modes;
    tty->stopped &= is_input(tty, TTY_IXON);
    tty->literal = false;
    if (is_canonical(tty) == before)
        return;
    if (!before && tty->end != tty->first)
        mark(tty, tty->end - 1, true);
    tty->ready = tty->end;
}

void tty_reset(struct tty *tty)
{
    tty_set_modes(tty, &defaults);
    tty->stopped = false;
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

size_t tty_least(const struct tty *tty, size_t length)
{
    if (!tty->terminal || is_canonical(tty))
        return MIN(length, 1);
    return MIN(length, tty->modes.characters[TTY_VMIN]);
}

uint64_t tty_patience_ns(const struct tty *tty)
{
    bool counts = tty->terminal && !is_canonical(tty);

    return counts ? tty->modes.characters[TTY_VTIME] * TENTH_NS : 0;
}

size_t tty_next(const struct tty *tty, size_t length)
{
    size_t most = MIN(length, tty_waiting(tty));

    for (size_t i = 0; is_canonical(tty) && i < most; i++) {
        if (ends_line(tty, tty->first + (uint32_t)i))
            return i + (tty->ring[(tty->first + i) % TTY_RING] != 0);
    }
    return most;
}

const uint8_t *tty_piece(const struct tty *tty, size_t from, size_t *length)
{
    size_t start = (tty->first + from) % TTY_RING;

    *length = MIN(*length, TTY_RING - start);
    return &tty->ring[start];
}

void tty_take(struct tty *tty, size_t length)
{
    tty->first += (uint32_t)length;
    if (!is_canonical(tty) || (length && ends_line(tty, tty->first - 1)))
        return;
    if (tty->first != tty->ready && ends_line(tty, tty->first) && !*at(tty, tty->first))
        tty->first++;
}
