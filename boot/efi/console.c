/* SPDX-License-Identifier: BSD-2-Clause */
/* One-line messages on the firmware's console. */
#include "boot/efi/internal.h"

#include <stdarg.h>

static void put(const char *text)
{
    CHAR16 wide[64];
    size_t length = 0;

    for (; *text; text++) {
        wide[length++] = (CHAR16)(unsigned char)*text;
        if (length == LENGTH(wide) - 1 || !text[1]) {
            wide[length] = 0;
            firmware->ConOut->OutputString(firmware->ConOut, wide);
            length = 0;
        }
    }
}

static void put_line(const char *prefix, const char *text, va_list more)
{
    put(prefix);
    for (; text; text = va_arg(more, const char *))
        put(text);
    put("\r\n");
}

EFI_STATUS refuse(const char *text, ...)
{
    va_list more;

    va_start(more, text);
    put_line("bulkhead: cannot start: ", text, more);
    va_end(more);
    return EFI_LOAD_ERROR;
}

void remark(const char *text, ...)
{
    va_list more;

    va_start(more, text);
    put_line("bulkhead: ", text, more);
    va_end(more);
}

const char *decimal(uint64_t number, char buffer[21])
{
    char *at = buffer + 20;

    *at = 0;
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    return at;
}
