/* SPDX-License-Identifier: BSD-2-Clause */
/* syslog(3) onto standard error, a line each. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "main.h"

#define FORMAT_SIZE 1024

static const char *name;
static int options, mask = LOG_UPTO(LOG_DEBUG);

void openlog(const char *called, int chosen, int facility)
{
    (void)facility;
    name = called;
    options = chosen;
}

void closelog(void)
{
    name = NULL;
    options = 0;
}

int setlogmask(int chosen)
{
    int before = mask;

    if (chosen != 0)
        mask = chosen;
    return before;
}

/* Puts the text of an error in place of %m, with its own % doubled. False: there is no room. */
static bool put_error(char *out, size_t *at, const char *text)
{
    for (; *text; text++) {
        if (*at + 2 >= FORMAT_SIZE)
            return false;
        if (*text == '%')
            out[(*at)++] = '%';
        out[(*at)++] = *text;
    }
    return true;
}

/* The format without %m, which printf does not know. What is longer than the room is cut off. */
static void expand(char out[FORMAT_SIZE], const char *format, const char *error)
{
    size_t at = 0;

    while (*format && at + 2 < FORMAT_SIZE) {
        if (format[0] == '%' && format[1] == 'm') {
            if (!put_error(out, &at, error))
                break;
            format += 2;
            continue;
        }
        if (format[0] == '%' && format[1] == '%')
            out[at++] = *format++;
        out[at++] = *format++;
    }
    out[at] = '\0';
}

void vsyslog(int priority, const char *format, va_list args)
{
    char expanded[FORMAT_SIZE];
    const char *error = strerror(errno);

    if (!(mask & LOG_MASK(LOG_PRI(priority))))
        return;
    expand(expanded, format, error);
    fflush(stdout);
    fputs(name ? name : sdk_program_name(), stderr);
    if (options & LOG_PID)
        fprintf(stderr, "[%d]", (int)getpid());
    fputs(": ", stderr);
    vfprintf(stderr, expanded, args);
    if (expanded[0] == '\0' || expanded[strlen(expanded) - 1] != '\n')
        fputc('\n', stderr);
}

void syslog(int priority, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsyslog(priority, format, args);
    va_end(args);
}
