/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions over stdio that newlib lacks. */
#include <err.h>
#include <errno.h>
#include <error.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "main.h"

ssize_t getdelim(char **restrict line, size_t *restrict size, int delimiter, FILE *restrict file)
{
    return __getdelim(line, size, delimiter, file);
}

ssize_t getline(char **restrict line, size_t *restrict size, FILE *restrict file)
{
    return __getdelim(line, size, '\n', file);
}

static void print_warning(const char *format, va_list args, const int *number)
{
    fflush(stdout);
    fprintf(stderr, "%s: ", sdk_program_name());
    if (format)
        vfprintf(stderr, format, args);
    if (number)
        fprintf(stderr, "%s%s", format ? ": " : "", strerror(*number));
    fputc('\n', stderr);
}

void vwarn(const char *format, va_list args)
{
    int number = errno;
    print_warning(format, args, &number);
}

void vwarnx(const char *format, va_list args)
{
    print_warning(format, args, NULL);
}

void verr(int status, const char *format, va_list args)
{
    vwarn(format, args);
    exit(status);
}

void verrx(int status, const char *format, va_list args)
{
    vwarnx(format, args);
    exit(status);
}

void warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vwarn(format, args);
    va_end(args);
}

void warnx(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vwarnx(format, args);
    va_end(args);
}

void err(int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vwarn(format, args);
    va_end(args);
    exit(status);
}

void errx(int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vwarnx(format, args);
    va_end(args);
    exit(status);
}

void error(int status, int number, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    print_warning(format, args, number ? &number : NULL);
    va_end(args);
    if (status)
        exit(status);
}
