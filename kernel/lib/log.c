/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/log.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"

#define LINE_MAX 512

static struct log_sink *sinks;
static enum log_level threshold = LOG_INFO;
static uint64_t (*clock_ns)(void);
static bool flush_always = true;
/* The payload has written a part of a line: a log line must not start in the middle of it. */
static bool line_open;

static const char *const level_names[] = {
    [LOG_ERROR] = "error",
    [LOG_WARN] = "warn",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
};

void log_add_sink(struct log_sink *sink)
{
    sink->next = sinks;
    sinks = sink;
}

void log_set_patient(bool patient)
{
    flush_always = patient;
}

bool log_is_patient(void)
{
    return flush_always;
}

void log_set_level(enum log_level level)
{
    threshold = level;
}

bool log_shows(enum log_level level)
{
    return level <= threshold;
}

void log_set_clock(uint64_t (*now_ns)(void))
{
    clock_ns = now_ns;
}

void log_raw(const char *text, size_t length)
{
    if (!length)
        return;
    for (struct log_sink *sink = sinks; sink; sink = sink->next) {
        sink->write(text, length);
        if (flush_always && sink->flush)
            sink->flush();
    }
    line_open = text[length - 1] != '\n';
}

static size_t write_prefix(char *line, size_t size, enum log_level level)
{
    uint64_t now = clock_ns ? clock_ns() : 0;

    return format(line, size, "[%5lu.%06lu] %-5s ", now / 1000000000, now / 1000 % 1000000,
                  level_names[level]);
}

void log_print(enum log_level level, const char *fmt, ...)
{
    char line[LINE_MAX + 1];
    va_list args;

    if (!log_shows(level))
        return;
    size_t prefix = write_prefix(line, sizeof(line), level);
    va_start(args, fmt);
    size_t length = prefix + format_v(line + prefix, sizeof(line) - prefix, fmt, args);
    va_end(args);

    length = MIN(length, LINE_MAX - 1);
    if (line[length - 1] != '\n')
        line[length++] = '\n';
    if (line_open)
        log_raw("\n", 1);
    log_raw(line, length);
}

void log_lines(enum log_level level, const char *name, const char *text, size_t length)
{
    size_t start = 0;

    for (size_t i = 0; i <= length; i++) {
        if (i < length && text[i] != '\n')
            continue;
        if (i > start)
            log_print(level, "%s: %.*s", name, (int)(i - start), text + start);
        start = i + 1;
    }
}

bool log_admit(struct log_limit *limit)
{
    uint64_t now = clock_ns ? clock_ns() : 0;

    if (now - limit->window_start >= limit->window_ns) {
        limit->window_start = now;
        limit->used = 0;
    }
    if (limit->used < limit->burst) {
        limit->used++;
        return true;
    }
    limit->suppressed++;
    return false;
}
