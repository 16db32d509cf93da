/* SPDX-License-Identifier: BSD-2-Clause */
/* One-line messages on the firmware's console. */
#include "boot/efi/internal.h"

#include "kernel/lib/format.h"

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

static void put_line(const char *prefix, const char *fmt, va_list args)
{
    char text[256];

    format_v(text, sizeof(text), fmt, args);
    put(prefix);
    put(text);
    put("\r\n");
}

EFI_STATUS refuse(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    put_line("bulkhead: cannot start: ", fmt, args);
    va_end(args);
    return EFI_LOAD_ERROR;
}

void remark(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    put_line("bulkhead: ", fmt, args);
    va_end(args);
}
