/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/efi/load_options.h"

#include <stdbool.h>

static bool is_text(const uint16_t *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return true;
}

/* Length of a first word that ends like a file's name and has no '='; 0 if it is not one. */
static size_t program_name(const uint16_t *text, size_t length)
{
    size_t end = 0;

    for (; end < length && text[end] != ' '; end++)
        if (text[end] == '=')
            return 0;
    return end >= 4 && text[end - 4] == '.' ? end : 0;
}

enum load_options load_options_append(const uint16_t *text, size_t length, char *out, size_t *used,
                                      size_t size)
{
    size_t start;

    while (length && !text[length - 1])
        length--;
    if (!is_text(text, length))
        return LOAD_OPTIONS_NOT_TEXT;
    start = program_name(text, length);
    if (start == length)
        return LOAD_OPTIONS_TAKEN;
    if (length - start + 1 > size - *used)
        return LOAD_OPTIONS_TOO_LONG;
    out[(*used)++] = ' ';
    for (size_t i = start; i < length; i++)
        out[(*used)++] = (char)text[i];
    return LOAD_OPTIONS_TAKEN;
}
