/* SPDX-License-Identifier: BSD-2-Clause */
/* Stand-in for kernel/lib/panic.h in host tests: says why and aborts. */
#include "kernel/lib/panic.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void panic(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}
