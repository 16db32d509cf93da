/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/acpi/error.h"

#include "kernel/lib/format.h"

int acpi_fail(struct acpi_error *to, int error, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    format_v(to->message, sizeof(to->message), fmt, args);
    va_end(args);
    return error;
}
