/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/machine/console/framebuffer.h"

#include "kernel/machine/console/font.h"
#include "kernel/cpu/timer.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"

#define TAB_WIDTH 8
/*
 * Cells drawn at one time while a payload runs, and how long until the next: a cell is 128 writes
 * to memory that is not cached, some ten microseconds in all.
 */
#define PIECE_CELLS 64u
#define PIECE_NS    (2 * NS_PER_MS)

/* What is to be seen, and what was drawn: a cell is drawn again only if they differ. */
struct line {
    char wanted[FRAMEBUFFER_COLUMNS_MAX];
    char drawn[FRAMEBUFFER_COLUMNS_MAX];
};

static struct line lines[FRAMEBUFFER_ROWS_MAX];
static volatile uint32_t *screen;
static unsigned pitch; /* pixels from one line to the next */
static unsigned columns, rows;
static unsigned column, row; /* of the next letter */
static uint32_t ink;
static unsigned next_row; /* where drawing goes on */

static void draw(unsigned at_column, unsigned at_row)
{
    char letter = lines[at_row].wanted[at_column];
    volatile uint32_t *line =
        screen + (size_t)at_row * FONT_HEIGHT * pitch + at_column * FONT_WIDTH;

    for (unsigned y = 0; y < FONT_HEIGHT; y++, line += pitch)
        for (unsigned x = 0; x < FONT_WIDTH; x++)
            line[x] = font_ink(letter, x, y) ? ink : 0;
    lines[at_row].drawn[at_column] = letter;
}

/* Draws at most so many cells of a row; false: that was not enough. */
static bool draw_row(unsigned at_row, unsigned *most)
{
    const struct line *line = &lines[at_row];

    for (unsigned i = 0; i < columns; i++) {
        if (line->wanted[i] == line->drawn[i])
            continue;
        if (*most == 0)
            return false;
        --*most;
        draw(i, at_row);
    }
    return true;
}

/* The same for the screen. */
static bool draw_some(unsigned most)
{
    for (unsigned i = 0; screen && i < rows; i++) {
        if (!draw_row(next_row, &most))
            return false;
        next_row = (next_row + 1) % rows;
    }
    return true;
}

static void draw_changes(void)
{
    (void)draw_some(UINT32_MAX);
}

static void paint(struct timer *timer)
{
    if (!draw_some(PIECE_CELLS))
        timer_set(timer, time_ns() + PIECE_NS);
}

static struct timer painter = {LIST_INIT(painter.link), TIME_NEVER, paint};

/* By half a screen, because every scroll redraws most of it and uncached pixels are slow. */
static void scroll(void)
{
    unsigned gone = (rows + 1) / 2;

    for (unsigned i = 0; i < rows; i++) {
        if (i + gone < rows)
            memcpy(lines[i].wanted, lines[i + gone].wanted, columns);
        else
            memset(lines[i].wanted, ' ', columns);
    }
    row -= gone;
}

static void new_line(void)
{
    column = 0;
    if (++row == rows)
        scroll();
}

static void put(char c)
{
    if (c == '\n')
        return new_line();
    if (c == '\r') {
        column = 0;
        return;
    }
    if (column == columns)
        new_line();
    if (c == '\t') {
        column = MIN(ALIGN_UP(column + 1, TAB_WIDTH), columns);
        return;
    }
    lines[row].wanted[column++] = c >= FONT_FIRST && c <= FONT_LAST ? c : '?';
}

static void framebuffer_write(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        put(text[i]);
    if (!draw_some(PIECE_CELLS) && !log_is_patient() && !timer_pending(&painter))
        timer_set(&painter, time_ns() + PIECE_NS);
}

static bool makes_sense(const struct boot_framebuffer *info)
{
    return info->base && info->width >= FONT_WIDTH && info->height >= FONT_HEIGHT &&
           info->pitch % 4 == 0 && info->pitch / 4 >= info->width &&
           info->size / info->pitch >= info->height &&
           (info->bits_red | info->bits_green | info->bits_blue);
}

bool framebuffer_init(const struct boot_framebuffer *info, void *pixels)
{
    static struct log_sink sink = {.write = framebuffer_write, .flush = draw_changes};
    static bool added;

    if (!makes_sense(info))
        return false;
    pitch = info->pitch / 4;
    columns = MIN(info->width / FONT_WIDTH, FRAMEBUFFER_COLUMNS_MAX);
    rows = MIN(info->height / FONT_HEIGHT, FRAMEBUFFER_ROWS_MAX);
    ink = info->bits_red | info->bits_green | info->bits_blue;
    column = row = next_row = 0;
    /* The firmware's last picture differs from anything: every cell is drawn once. */
    memset(lines, ' ', sizeof(lines));
    for (unsigned i = 0; i < rows; i++)
        memset(lines[i].drawn, 0, columns);
    framebuffer_move(pixels);
    if (!added)
        log_add_sink(&sink);
    added = true;
    return true;
}

void framebuffer_move(void *pixels)
{
    screen = pixels;
    draw_changes();
}
