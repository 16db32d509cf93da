/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"

/* Where the characters go: `length` counts on when the buffer is full, as snprintf wants it. */
struct output {
    char *buffer;
    size_t size;
    size_t length;
};

/* One conversion, as read from the format string. */
struct spec {
    bool left, zero;
    size_t width;
    bool has_precision;
    size_t precision;
    unsigned longs; /* number of l; z counts as one */
    char conversion;
};

static void put(struct output *out, char c)
{
    if (out->length + 1 < out->size)
        out->buffer[out->length] = c;
    out->length++;
}

static void put_text(struct output *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        put(out, text[i]);
}

static void pad(struct output *out, char c, size_t used, size_t width)
{
    for (; used < width; used++)
        put(out, c);
}

static size_t read_number(const char **fmt, va_list *args)
{
    size_t value = 0;

    if (**fmt == '*') {
        int given = va_arg(*args, int);
        (*fmt)++;
        return given > 0 ? (size_t)given : 0;
    }
    for (; **fmt >= '0' && **fmt <= '9'; (*fmt)++)
        value = value * 10 + (size_t)(**fmt - '0');
    return value;
}

static bool read_flag(struct spec *spec, char c)
{
    spec->left |= c == '-';
    spec->zero |= c == '0';
    return c == '-' || c == '0';
}

static struct spec read_spec(const char **fmt, va_list *args)
{
    struct spec spec = {0};

    while (read_flag(&spec, **fmt))
        (*fmt)++;
    spec.width = read_number(fmt, args);
    if (**fmt == '.') {
        (*fmt)++;
        spec.has_precision = true;
        spec.precision = read_number(fmt, args);
    }
    for (; **fmt == 'l' || **fmt == 'z'; (*fmt)++)
        spec.longs++;
    spec.conversion = **fmt;
    if (**fmt)
        (*fmt)++;
    return spec;
}

/* Digits of a value, last one first; returns how many. */
static size_t digits_of(uint64_t value, char conversion, char digits[24])
{
    const char *set = conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    unsigned base = conversion == 'o' ? 8 : (conversion | 0x20) == 'x' ? 16 : 10;
    size_t count = 0;

    do {
        digits[count++] = set[value % base];
        value /= base;
    } while (value);
    return count;
}

static void put_number(struct output *out, const struct spec *spec, uint64_t value, bool negative)
{
    char digits[24];
    size_t count = digits_of(value, spec->conversion, digits);
    const char *prefix = negative ? "-" : "";
    size_t least = spec->has_precision ? spec->precision : 0;
    size_t length = strlen(prefix) + MAX(count, least);

    if (spec->zero && !spec->left && !spec->has_precision) {
        least = spec->width > strlen(prefix) ? spec->width - strlen(prefix) : 0;
        length = strlen(prefix) + MAX(count, least);
    }
    if (!spec->left)
        pad(out, ' ', length, spec->width);
    put_text(out, prefix, strlen(prefix));
    pad(out, '0', count, least);
    while (count)
        put(out, digits[--count]);
    if (spec->left)
        pad(out, ' ', length, spec->width);
}

static void put_string(struct output *out, const struct spec *spec, const char *text)
{
    if (!text)
        text = "(null)";
    size_t length = spec->has_precision ? strnlen(text, spec->precision) : strlen(text);

    if (!spec->left)
        pad(out, ' ', length, spec->width);
    put_text(out, text, length);
    if (spec->left)
        pad(out, ' ', length, spec->width);
}

static void put_signed(struct output *out, const struct spec *spec, va_list *args)
{
    int64_t value = spec->longs ? va_arg(*args, long long) : va_arg(*args, int);
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    put_number(out, spec, magnitude, value < 0);
}

static void put_conversion(struct output *out, struct spec *spec, va_list *args)
{
    char c;

    switch (spec->conversion) {
    case 'd':
        put_signed(out, spec, args);
        break;
    case 'u':
    case 'x':
    case 'X':
    case 'o':
        put_number(out, spec,
                   spec->longs ? va_arg(*args, unsigned long long) : va_arg(*args, unsigned int),
                   false);
        break;
    case 'c':
        c = (char)va_arg(*args, int);
        spec->has_precision = true;
        spec->precision = 1;
        put_string(out, spec, (char[]){c, 0});
        break;
    case 's':
        put_string(out, spec, va_arg(*args, const char *));
        break;
    case '%':
        put(out, '%');
        break;
    default: /* a conversion we do not have: show it rather than guess its argument */
        put(out, '%');
        if (spec->conversion)
            put(out, spec->conversion);
        break;
    }
}

size_t format_v(char *buffer, size_t size, const char *fmt, va_list args)
{
    struct output out = {.buffer = buffer, .size = size};
    va_list rest;

    va_copy(rest, args);
    while (*fmt) {
        if (*fmt != '%') {
            put(&out, *fmt++);
            continue;
        }
        fmt++;
        struct spec spec = read_spec(&fmt, &rest);
        put_conversion(&out, &spec, &rest);
    }
    va_end(rest);
    if (size)
        buffer[MIN(out.length, size - 1)] = 0;
    return out.length;
}

size_t format(char *buffer, size_t size, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    size_t length = format_v(buffer, size, fmt, args);
    va_end(args);
    return length;
}

const char *format_into(char buffer[FORMAT_SHORT], const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    format_v(buffer, FORMAT_SHORT, fmt, args);
    va_end(args);
    return buffer;
}

void text_init(struct text *t, char *buffer, size_t size)
{
    *t = (struct text){.buffer = buffer, .size = size};
    if (size)
        buffer[0] = 0;
}

void text_printf(struct text *t, const char *fmt, ...)
{
    size_t room = t->size - t->length;
    va_list args;

    va_start(args, fmt);
    size_t length = format_v(t->buffer + t->length, room, fmt, args);
    va_end(args);
    if (length >= room) {
        t->truncated = true;
        t->length = t->size ? t->size - 1 : 0;
        return;
    }
    t->length += length;
}
