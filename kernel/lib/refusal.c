/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/refusal.h"

#include "kernel/lib/format.h"

void refusal_say(struct refusal *to, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    format_v(to->sentence, sizeof(to->sentence), fmt, args);
    va_end(args);
}
