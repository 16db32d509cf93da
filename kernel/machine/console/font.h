/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Letters of 8 by 16 pixels. They are drawn 5 wide and 8 high, '#' for ink, rows apart by '|'; on
 * the screen every row appears twice, with a blank column to the left and two to the right.
 */
#ifndef KERNEL_MACHINE_CONSOLE_FONT_H
#define KERNEL_MACHINE_CONSOLE_FONT_H

#include "kernel/lib/types.h"

#define FONT_WIDTH  8
#define FONT_HEIGHT 16

#define FONT_FIRST       ' '
#define FONT_LAST        '~'
#define FONT_COUNT       (FONT_LAST - FONT_FIRST + 1)
#define FONT_ART_COLUMNS 5
#define FONT_ART_ROWS    8
#define FONT_ART_SIZE    (FONT_ART_ROWS * (FONT_ART_COLUMNS + 1))

extern const char font_art[FONT_COUNT][FONT_ART_SIZE];

/* Is there ink at a pixel of a letter's cell? `letter` lies in FONT_FIRST to FONT_LAST. */
static inline bool font_ink(char letter, unsigned x, unsigned y)
{
    unsigned column = x - 1; /* left of the margin it wraps to a large number */

    return column < FONT_ART_COLUMNS &&
           font_art[letter - FONT_FIRST][y / 2 * (FONT_ART_COLUMNS + 1) + column] == '#';
}

#endif
