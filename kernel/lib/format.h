/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text formatting: the printf subset the kernel uses: flags "-0", width, precision for strings,
 * l, ll, z, conversions d u x X o c s %. No floating point.
 */
#ifndef KERNEL_LIB_FORMAT_H
#define KERNEL_LIB_FORMAT_H

#include <stdarg.h>
#include "kernel/lib/types.h"

/* As snprintf: always terminates when size > 0, returns the length the whole text would have. */
size_t format(char *buffer, size_t size, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/*
 * The text itself, of less than FORMAT_SHORT bytes, in a buffer that lasts until the end of the
 * enclosing block.
 */
#define FORMAT_SHORT      96
#define format_short(...) format_into((char[FORMAT_SHORT]){0}, __VA_ARGS__)
const char *format_into(char buffer[FORMAT_SHORT], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
size_t format_v(char *buffer, size_t size, const char *fmt, va_list args);

/* A text that grows up to a fixed size; what does not fit is dropped and `truncated` set. */
struct text {
    char *buffer;
    size_t size;
    size_t length;
    bool truncated;
    int error; /* set by who writes it: there is no text, for this reason (negative) */
};
void text_init(struct text *t, char *buffer, size_t size);
void text_printf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
