/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel log: one line per call, with a level and the time since boot in front. */
#ifndef KERNEL_LIB_LOG_H
#define KERNEL_LIB_LOG_H

#include "kernel/lib/types.h"

enum log_level {
    LOG_ERROR,
    LOG_WARN,
    LOG_INFO,
    LOG_DEBUG,
};

/* A place log lines go to (serial port, framebuffer). Its functions must not log. */
struct log_sink {
    void (*write)(const char *text, size_t length); /* may keep it for later, never waits */
    void (*flush)(
        void); /* brings out what was kept, waiting for a bounded time; NULL: nothing is */
    struct log_sink *next;
};

/* Adds a sink for good; the structure must stay alive. */
void log_add_sink(struct log_sink *sink);
/* Is every text flushed at once? So it is at the start; while a payload runs, nobody may wait. */
void log_set_patient(bool patient);
bool log_is_patient(void);
/* Lines above this level are dropped. The default is LOG_INFO. */
void log_set_level(enum log_level level);
bool log_shows(enum log_level level);
/* Where the time in front of a line comes from: nanoseconds since boot. NULL: no time. */
void log_set_clock(uint64_t (*now_ns)(void));
/* Writes raw bytes to every sink: the payload's console output, panics. */
void log_raw(const char *text, size_t length);
/* Formats as kernel/lib/format.h says; a missing newline is added, a long line is cut at 512. */
void log_print(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Each line of a text that is not empty as a log line of its own, behind the text's name. */
void log_lines(enum log_level level, const char *name, const char *text, size_t length);

#define log_error(...) log_print(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_print(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_print(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_print(LOG_DEBUG, __VA_ARGS__)

/*
 * Admits `burst` events per `window_ns`, counts the rest. Use for anything a payload or a device
 * can provoke. Returns true if the caller may log; `suppressed` holds what was dropped before.
 */
struct log_limit {
    uint64_t window_ns;
    uint32_t burst;
    uint32_t used;
    uint64_t window_start;
    uint64_t suppressed;
};
bool log_admit(struct log_limit *limit);

#endif
